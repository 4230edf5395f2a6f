"""Sessions of Handle.Net's HTTP authentication: who proved an identity, and what each was asked to sign."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from xinji.use.identity.trust import Requester

_NONCE_OCTETS = 32


@dataclass(frozen=True, slots=True)
class Session:
    """One session: its name, the octets to sign, when it ends [s of the clock], who proved to be who."""

    name: str
    nonce: bytes
    ends: float
    requester: Requester | None = None


class Sessions:
    """The sessions of a node, bounded: those who proved nothing can push out only their like."""

    __slots__ = ("_clock", "_life_s", "_most", "_proved", "_waiting")

    def __init__(
        self, *, life_s: float = 1800.0, most: int = 10_000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._life_s = life_s
        self._most = most
        self._clock = clock
        self._waiting: dict[str, Session] = {}
        self._proved: dict[str, Session] = {}

    def __len__(self) -> int:
        return len(self._waiting) + len(self._proved)

    def start(self) -> Session:
        """Return a new session with octets to sign."""
        session = Session(secrets.token_urlsafe(24), secrets.token_bytes(_NONCE_OCTETS), self._clock() + self._life_s)
        self._keep(self._waiting, session)
        return session

    def find(self, name: str) -> Session | None:
        """Return the session ``name``, None where there is none or it is over."""
        session = self._proved.get(name) or self._waiting.get(name)
        if session is None or session.ends <= self._clock():
            self.end(name)
            return None
        return session

    def prove(self, session: Session, requester: Requester) -> Session:
        """Keep that ``requester`` proved to be who it says; its nonce is spent."""
        self._waiting.pop(session.name, None)
        proved = replace(session, requester=requester, nonce=b"", ends=self._clock() + self._life_s)
        self._keep(self._proved, proved)
        return proved

    def end(self, name: str) -> None:
        """Forget the session ``name``."""
        self._waiting.pop(name, None)
        self._proved.pop(name, None)

    def _keep(self, table: dict[str, Session], session: Session) -> None:
        table.pop(session.name, None)
        while len(table) >= self._most:
            del table[next(iter(table))]
        table[session.name] = session
