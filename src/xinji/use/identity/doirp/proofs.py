"""Checking proofs: nothing else a stranger asks for costs as much, so it has a thread and bounds of its own."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from xinji.use.identity.keys import check_proof
from xinji.use.identity.limits import RateLimiter
from xinji.use.identity.record import Value


@dataclass(frozen=True, slots=True)
class ProofLimits:
    """How many proofs may wait to be checked: ``each`` of one network, and ``most`` of all.

    The dearest proof, PBKDF2 with the rounds of Handle.Net, takes about 10 ms: the last of 512 waits some seconds.
    """

    each: int = 64
    most: int = 512


@dataclass(slots=True, repr=False)
class Proofs:
    """Proofs checked one after the other in a thread; ``wrong`` counts by network those that were wrong.

    `submit` and `right` belong to one thread, the server's.
    """

    wrong: RateLimiter
    limits: ProofLimits = field(default_factory=ProofLimits)
    _worker: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "doirp-proofs"))
    _waiting: Counter[int] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def submit(self, network: int, key: Value, forms: tuple[bytes, ...], proof: bytes) -> Future[bool] | None:
        """Return whether ``proof`` was made with ``key`` over one of ``forms``, once that is known.

        None where ``network`` offered too many wrong ones, or too many wait.
        """
        if not self.wrong.has_room(network):
            return None
        with self._lock:
            if self._waiting[network] >= self.limits.each or self._waiting.total() >= self.limits.most:
                return None
            self._waiting[network] += 1
        future = self._worker.submit(_check, key, forms, proof)
        future.add_done_callback(lambda _: self._done(network))
        return future

    def right(self, network: int, checked: Future[bool]) -> bool | None:
        """Return whether the proof was right; one that was wrong or malformed counts against ``network``.

        None where the network got too many wrong meanwhile: of proofs sent all at once, too, no more are told right
        from wrong than it may get wrong. Raises IdentifierError where it was malformed.
        """
        if not self.wrong.has_room(network):
            return None
        found = False
        try:
            found = checked.result()
        finally:
            if not found:
                self.wrong.admit(network)
        return found

    def close(self) -> None:
        """End the thread; nothing is checked afterwards."""
        self._worker.shutdown(cancel_futures=True)

    def _done(self, network: int) -> None:
        with self._lock:
            self._waiting[network] -= 1
            if not self._waiting[network]:
                del self._waiting[network]


def _check(key: Value, forms: tuple[bytes, ...], proof: bytes) -> bool:
    return any(check_proof(key.type, key.data, form, proof) for form in forms)
