"""A replica: a node that serves some prefixes of another, its primary, and follows that one's changes.

It copies what it follows page by page, then asks for changes from the number that the copy began with. A change
comes as the record it led to, so that one that comes twice does no harm: after a crash, or any break, it goes on
from the last number that it noted, and copies anew where the primary's log no longer reaches back so far.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Protocol

from xinji.use.identity.bulk_form import record_from_line
from xinji.use.identity.changes import Change
from xinji.use.identity.errors import Code, IdentifierError, refuse
from xinji.use.identity.names import PREFIX_OF_PREFIXES, fold
from xinji.use.identity.node import Node, Outcome
from xinji.use.identity.record import Record, Value
from xinji.use.identity.store import Store
from xinji.use.identity.trust import Requester

NOTE_FILE = "replica.json"


class ReplicaNode(Node):
    """A node that answers but takes no changes: those go to its primary."""

    def create(
        self,
        handle: str,
        values: tuple[Value, ...],  # noqa: ARG002 (the node's own signature)
        requester: Requester,  # noqa: ARG002
        *,
        overwrite: bool = False,  # noqa: ARG002
    ) -> Outcome:
        """Raise IdentifierError (READ_ONLY)."""
        raise _read_only(handle)

    def delete(self, handle: str, requester: Requester) -> Outcome:  # noqa: ARG002
        """Raise IdentifierError (READ_ONLY)."""
        raise _read_only(handle)

    def add(
        self,
        handle: str,
        values: tuple[Value, ...],  # noqa: ARG002
        requester: Requester,  # noqa: ARG002
        *,
        overwrite: bool = False,  # noqa: ARG002
    ) -> Outcome:
        """Raise IdentifierError (READ_ONLY)."""
        raise _read_only(handle)

    def modify(self, handle: str, values: tuple[Value, ...], requester: Requester) -> Outcome:  # noqa: ARG002
        """Raise IdentifierError (READ_ONLY)."""
        raise _read_only(handle)

    def remove(self, handle: str, indexes: tuple[int, ...], requester: Requester) -> Outcome:  # noqa: ARG002
        """Raise IdentifierError (READ_ONLY)."""
        raise _read_only(handle)


def _read_only(handle: str) -> IdentifierError:
    return refuse(Code.READ_ONLY, handle, "this is a replica", "Send changes to the primary.")


@dataclass(frozen=True, slots=True)
class Page:
    """What a primary answered: the ``number`` that this goes up to, records as JSON lines, names of those deleted.

    ``anew``: the log does not reach back so far. ``last``: the key after which the next page of a copy begins,
    empty for the last one.
    """

    number: int
    records: tuple[Record, ...]
    deleted: tuple[str, ...] = ()
    anew: bool = False
    last: str = ""


class Source(Protocol):
    """Where a replica gets its records; both raise IdentifierError or OSError where it cannot be had."""

    def changes(self, prefixes: tuple[str, ...], after: int) -> Page:
        """Return what changed after number ``after``."""

    def records(self, prefixes: tuple[str, ...], part: str, after: str) -> Page:
        """Return a page of the records under ``part``, one of ``prefixes`` or 0.NA, in order of keys past ``after``."""


def page_of(octets: bytes) -> Page:
    """Return the answer in ``octets``; raises IdentifierError where it is none."""
    try:
        found = json.loads(octets)
        entries = [(str(entry["handle"]), "values" in entry, json.dumps(entry)) for entry in found["records"]]
        now_s = int(time.time())
        records = tuple(record_from_line(line, now_s) for _, there, line in entries if there)
        deleted = tuple(handle for handle, there, _ in entries if not there)
        return Page(int(found["number"]), records, deleted, found.get("anew") is True, str(found.get("last", "")))
    except (KeyError, RecursionError, TypeError, ValueError) as error:
        message = f"the answer is not one for replicas ({type(error).__name__})"
        raise refuse(Code.PROTOCOL_ERROR, "primary", message, "Check the primary's address.") from None


@dataclass(frozen=True, slots=True)
class Follower:
    """Brings ``store`` up to what ``source`` holds under ``prefixes``; ends a copy early once it is ``stopped``."""

    store: Store
    source: Source
    prefixes: tuple[str, ...]
    stopped: Callable[[], bool] = lambda: False

    @property
    def note(self) -> Path:
        """The file that says how far the store has come."""
        return self.store.folder / NOTE_FILE

    def reached(self) -> int | None:
        """Return the number of the last change that is in the store; None where all is to be copied first."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            found = json.loads(self.note.read_text(encoding="utf-8"))
            if found["prefixes"] == sorted(self.prefixes):
                return int(found["number"])
        return None

    def step(self) -> bool:
        """Take the next changes; return whether there may be more at once.

        Raises IdentifierError or OSError where the primary cannot be reached or refuses.
        """
        number = self.reached()
        page = None if number is None else self.source.changes(self.prefixes, number)
        if page is None or page.anew:
            self._remember(self._copy())
            return True
        if page.number == number:
            return False
        self._write(page.records, page.deleted)
        self._remember(page.number)
        return True

    def _copy(self) -> int:
        """Copy everything, take away what is no more, and return the number to go on from."""
        first: int | None = None
        for prefix in (PREFIX_OF_PREFIXES, *self.prefixes):
            after = ""
            while True:
                page = self.source.records(self.prefixes, prefix, after)
                first = page.number if first is None else first
                there = {fold(record.handle) for record in page.records}
                gone = [key.decode() for key in self._held(prefix, after, page.last) if key not in there]
                self._write(page.records, gone)
                if not page.last:
                    break
                if self.stopped():
                    raise refuse(Code.SERVER_BUSY, "replica", "it was stopped while it copied", "Start it again.")
                after = page.last
        return first or 0

    def _held(self, prefix: str, after: str, last: str) -> list[bytes]:
        """Return the keys under ``prefix`` that are here, past ``after`` up to ``last`` (empty: to the end)."""
        end = fold(last)
        reader = self.store.fresh()
        try:
            pairs = reader.pairs(fold(f"{prefix}/"), fold(after))
            return [bytes(key) for key, _ in takewhile(lambda pair: not end or pair[0] <= end, pairs)]
        finally:
            reader.rest()

    def _write(self, records: Iterable[Record], deleted: Iterable[str]) -> None:
        waiting = [self.store.submit(Change("replace", r.handle, r.values, keep_times=True)) for r in records]
        gone = [self.store.submit(Change("delete", handle)) for handle in deleted]
        for future in waiting:
            future.result()
        for future in gone:
            # It may never have been here.
            with suppress(IdentifierError):
                future.result()

    def _remember(self, number: int) -> None:
        """Note ``number``, after what it stands for is on disk."""
        part = self.note.with_suffix(".part")
        with part.open("w", encoding="utf-8") as out:
            json.dump({"number": number, "prefixes": sorted(self.prefixes)}, out)
            out.flush()
            os.fsync(out.fileno())
        part.replace(self.note)
