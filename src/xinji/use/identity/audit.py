"""Who changed what on a node, and who tried to: an append-only log of JSON Lines in the node's folder.

A line says when, who (identity, and how it was proved), from which network, over which interface, what, and what came
of it. No data of values stands in it, nothing secret, and no name that a client claims unless it is registered here.

What was done and what was refused go to files of their own: whoever floods a node with attempts pushes out no record
of a change. Of refused attempts only so many are written; the others are counted. Files are put aside by size and the
oldest goes, so that the log takes bounded room. A line is written after its change is on disk, in one system call: it
outlives the process, though the system may lose the last ones where the power fails.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from xinji.errors import Fault, InputError, OutputError, raise_if
from xinji.use.identity.limits import Allowance, RateLimiter, network_text

LOGGER = logging.getLogger(__name__)

DONE_FILE, REFUSED_FILE = "audit.jsonl", "audit-refused.jsonl"
OWNERS_FILE = 0o600
"""Permissions of the files: for their owner alone."""

MOST_INDEXES = 50
"""Indexes of values that one line names."""

MOST_HANDLE = 255
"""Characters of a handle that one line holds; longer ones are no handles."""

REFUSED = Allowance(rate_per_s=1.0, burst=100.0)
"""Refused attempts that are written: a hundred at once, then one a second, for all networks together (20 MB a day)."""

ALL = 0
"""The one bucket that all refused attempts share."""


class Result(StrEnum):
    """What became of an entry: written for what was done or refused, only counted, or lost as the disk refused it."""

    DONE = "done"
    REFUSED = "refused"
    COUNTED = "counted"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """How much is kept: files of ``most_octets`` each, ``kept`` [count] of each kind beside the one written to.

    ``refused`` says how many refused attempts are written. Raises InputError for a figure that is not positive.
    """

    most_octets: int = 16 * 2**20
    kept: int = 8
    refused: Allowance = REFUSED

    def __post_init__(self) -> None:
        figures = (("most_octets", self.most_octets), ("kept", self.kept))
        raise_if((Fault("audit", f"{n} is {v}", "Give a figure above 0.") for n, v in figures if v <= 0), InputError)


@dataclass(frozen=True, slots=True)
class Event:
    """One change or attempt.

    ``what`` was asked for (create, replace, delete, add, put, modify, remove, prove, import), of ``handle`` at
    ``indexes``, by ``who`` (index:handle, empty where nobody was proved; ``claims`` is who it said to be), proved by
    ``how``, over the interface ``face`` from ``network`` (None: on the files themselves); ``refused`` says why, empty
    where it was done.
    """

    what: str
    handle: str = ""
    indexes: tuple[int, ...] = ()
    who: str = ""
    claims: str = ""
    how: str = ""
    face: str = ""
    network: int | None = None
    refused: str = ""


@dataclass(slots=True)
class AuditLog:
    """The log in ``folder``; several threads, and several processes, may write to it."""

    folder: Path
    settings: AuditSettings = field(default_factory=AuditSettings)
    clock: Callable[[], float] = time.time
    counts: Counter[Result] = field(default_factory=Counter)
    _limiter: RateLimiter = field(init=False, repr=False)
    _unwritten: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        self._limiter = RateLimiter(self.settings.refused, clock=self.clock)

    def check(self) -> None:
        """Raise OutputError where the folder takes no log."""
        try:
            for name in (DONE_FILE, REFUSED_FILE):
                os.close(self._open(self.folder / name))
        except OSError as error:
            raise OutputError(f"the audit log in {self.folder} cannot be written: {error.strerror}") from error

    def write(self, event: Event) -> None:
        """Write ``event``, or count it where too many were refused; a disk that refuses is logged and counted."""
        with self._lock:
            result = self._admitted(event)
            if result != Result.COUNTED:
                try:
                    self._append(event)
                except OSError as error:
                    result = Result.LOST
                    # The change is made; whoever made it must not be told otherwise.
                    LOGGER.error("the audit log is not written: %s", type(error).__name__)  # noqa: TRY400
            self.counts[result] += 1

    def _admitted(self, event: Event) -> Result:
        if not event.refused:
            return Result.DONE
        if self._limiter.admit(ALL):
            return Result.REFUSED
        self._unwritten += 1
        return Result.COUNTED

    def _append(self, event: Event) -> None:
        told = _line(event, self.clock())
        if event.refused and self._unwritten:
            told["not_written_before"] = self._unwritten
        path = self.folder / (REFUSED_FILE if event.refused else DONE_FILE)
        octets = json.dumps(told, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
        # Opened anew for each line: another process may have put the file aside.
        handle = self._open(path)
        try:
            if os.fstat(handle).st_size + len(octets) > self.settings.most_octets:
                self._put_aside(path)
                os.close(handle)
                handle = self._open(path)
            os.write(handle, octets)
        finally:
            os.close(handle)
        if event.refused:
            self._unwritten = 0

    def _open(self, path: Path) -> int:
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, OWNERS_FILE)

    def _put_aside(self, path: Path) -> None:
        """Make room for a new file at ``path``: it becomes .1, .1 becomes .2 and so on, the oldest goes."""
        for number in range(self.settings.kept, 0, -1):
            older = path.with_name(f"{path.name}.{number}")
            newer = path.with_name(f"{path.name}.{number - 1}") if number > 1 else path
            if newer.exists():
                newer.replace(older)


def _line(event: Event, now_s: float) -> dict[str, object]:
    """Return what is written of ``event``; what it does not say is left out."""
    when = datetime.fromtimestamp(now_s, UTC).isoformat(timespec="milliseconds")
    told: dict[str, object] = {
        "when": when,
        "what": event.what,
        "handle": event.handle[:MOST_HANDLE],
        "indexes": list(event.indexes[:MOST_INDEXES]),
        "values": len(event.indexes),
        "who": event.who,
        "claims": event.claims,
        "how": event.how,
        "face": event.face,
        "network": "" if event.network is None else network_text(event.network),
        "result": event.refused or Result.DONE.value,
    }
    return {name: found for name, found in told.items() if found not in ("", [], 0)}
