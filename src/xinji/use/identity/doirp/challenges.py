"""Challenges that wait for their answer: each can be answered once, soon, and they take bounded memory."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from xinji.use.identity.doirp.codes import Digest
from xinji.use.identity.doirp.message import request_digest
from xinji.use.identity.keys import new_nonce

SESSION_LIMIT = 2**31
"""Sessions are numbered below this, as some clients read a signed number."""


@dataclass(frozen=True, slots=True, repr=False)
class Challenge:
    """What the client must prove itself for: ``request`` are the octets of the message that waits.

    ``network`` is where it came from, and where its proof has to come from.
    """

    request: bytes
    network: int
    nonce: bytes
    algorithm: Digest
    digest: bytes
    until_s: float


@dataclass(frozen=True, slots=True)
class ChallengeLimits:
    """How long a challenge stands [s], how many stand at once, and how many octets their requests may take."""

    patience_s: float = 30.0
    most: int = 10_000
    most_octets: int = 64 * 2**20


@dataclass(slots=True)
class Challenges:
    """The challenges that stand, by the session that was opened for each.

    Where they grow too many, the oldest give way: a client that answers at once is not shut out.
    """

    limits: ChallengeLimits = field(default_factory=ChallengeLimits)
    clock: Callable[[], float] = time.monotonic
    standing: OrderedDict[int, Challenge] = field(default_factory=OrderedDict, repr=False)
    octets: int = 0

    def issue(self, request: bytes, algorithm: Digest, network: int = 0) -> tuple[int, Challenge]:
        """Return a new session and the challenge for ``request``, the octets of a whole message from ``network``."""
        now = self.clock()
        while self.standing and (self._full(len(request)) or next(iter(self.standing.values())).until_s < now):
            self._drop()
        digest = request_digest(request, algorithm)
        challenge = Challenge(request, network, new_nonce(), algorithm, digest, now + self.limits.patience_s)
        session = secrets.randbelow(SESSION_LIMIT - 1) + 1
        while session in self.standing:
            session = secrets.randbelow(SESSION_LIMIT - 1) + 1
        self.standing[session] = challenge
        self.octets += len(request)
        return session, challenge

    def take(self, session: int) -> Challenge | None:
        """Return the challenge of ``session`` and forget it; None if it was answered before or is too old."""
        challenge = self.standing.pop(session, None)
        if challenge is None:
            return None
        self.octets -= len(challenge.request)
        return challenge if challenge.until_s >= self.clock() else None

    def _full(self, octets: int) -> bool:
        return len(self.standing) >= self.limits.most or self.octets + octets > self.limits.most_octets

    def _drop(self) -> None:
        _, oldest = self.standing.popitem(last=False)
        self.octets -= len(oldest.request)
