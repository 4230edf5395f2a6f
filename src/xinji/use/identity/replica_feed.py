"""What a primary hands to its replicas over HTTP: the changes of some prefixes in order, and whole copies by pages.

``GET /replica/changes?prefix=P&after=N`` and ``GET /replica/records?prefix=P&part=P&after=KEY``, for administrators
who may list what lies under the prefixes. A record comes with the values that the asker may read; one that is no more
comes without ``values``. Each replica follows the records of all prefixes (0.NA) as well, so that whoever reaches
one replica finds the others.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from xinji.use.identity.bulk_form import line_of
from xinji.use.identity.errors import Code, IdentifierError, refuse
from xinji.use.identity.http.login import Login
from xinji.use.identity.http.message import Face, Json, Request, Response, parameters, problem, said, write_json
from xinji.use.identity.names import PREFIX_OF_PREFIXES, fold
from xinji.use.identity.node import Node
from xinji.use.identity.record import Record
from xinji.use.identity.trust import Requester

PATH = b"/replica/"
CHANGES, RECORDS = b"/replica/changes", b"/replica/records"
MOST_CHANGES = 5_000
"""Entries of the log looked at for one answer."""
MOST_RECORDS = 1_000
"""Records in one page of a copy."""
MOST_PREFIXES = 100
_STATUS = {
    Code.AUTHENTICATION_NEEDED: 401,
    Code.AUTHENTICATION_FAILED: 401,
    Code.INSUFFICIENT_PERMISSIONS: 403,
    Code.INVALID_ADMIN: 403,
    Code.SERVER_BUSY: 503,
}


@dataclass(frozen=True, slots=True)
class ReplicaFeed:
    """The face over a node."""

    node: Node
    login: Login

    def face(self) -> Face:
        """Return the face."""
        return Face((PATH,), self.answer, problem)

    def answer(self, request: Request) -> Response:
        """Answer one request for changes or records."""
        if request.path not in (CHANGES, RECORDS):
            return problem(404, "replicas ask for /replica/changes and /replica/records")
        if request.method != b"GET":
            return problem(405, "replicas only read")
        try:
            requester = self.login.requester(request)
            found = parameters(request.query)
            prefixes = found.get("prefix", [])
            self._permit(prefixes, requester)
            after = found.get("after", [""])[0]
            if request.path == CHANGES:
                return self._changes(prefixes, _number(after), requester)
            part = found.get("part", [""])[0]
            if part not in (*prefixes, PREFIX_OF_PREFIXES):
                raise refuse(Code.PROTOCOL_ERROR, "part", f"{part[:80]!r} is none of the prefixes", "Name one of them.")
            return self._records(part, fold(after), requester)
        except IdentifierError as error:
            return problem(_STATUS.get(error.code, 400), said(error))

    def _permit(self, prefixes: list[str], requester: Requester) -> None:
        if not 0 < len(prefixes) <= MOST_PREFIXES:
            raise refuse(Code.PROTOCOL_ERROR, "prefix", f"{len(prefixes)} prefixes", f"Name 1 to {MOST_PREFIXES}.")
        for prefix in prefixes:
            self.node.handles(prefix, requester)

    def _changes(self, prefixes: list[str], after: int, requester: Requester) -> Response:
        changed = self.node.store.changed(after, MOST_CHANGES)
        lost = after > changed.newest or after < changed.oldest - 1 or any(not key for _, key in changed.entries)
        if lost:
            return _told(changed.newest, [], {"anew": True})
        wanted = {fold(prefix) for prefix in (*prefixes, PREFIX_OF_PREFIXES)}
        keys = dict.fromkeys(key for _, key in changed.entries if key.partition(b"/")[0] in wanted)
        upto = changed.entries[-1][0] if changed.entries else after
        return _told(upto, [self._line(key, requester) for key in keys], {"anew": False})

    def _records(self, prefix: str, after: bytes, requester: Requester) -> Response:
        # The number is taken first: what changes while pages are read comes once more with the changes.
        newest = self.node.store.changed(0, 1).newest
        reader = self.node.store.fresh()
        keys = [bytes(key) for key, _ in islice(reader.pairs(fold(f"{prefix}/"), after), MOST_RECORDS)]
        reader.rest()
        last = keys[-1].decode() if len(keys) == MOST_RECORDS else ""
        return _told(newest, [self._line(key, requester) for key in keys], {"last": last})

    def _line(self, key: bytes, requester: Requester) -> str:
        reader = self.node.store.fresh()
        try:
            found = reader.find(key)
        finally:
            reader.rest()
        if found is None:
            return write_json({"handle": key.decode()}).decode()
        values = self.node.resolve(found.handle, requester=requester).values
        return line_of(Record(found.handle, values))


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 18:
        raise refuse(Code.PROTOCOL_ERROR, "after", f"found {text[:20]!r}", "Give the number of the last change.")
    return int(text)


def _told(number: int, lines: Iterable[str], facts: dict[str, Json]) -> Response:
    head = write_json({"number": number} | facts)[:-1]
    body = head + b',"records":[' + ",".join(lines).encode() + b"]}"
    return Response(200, body, headers=((b"Cache-Control", b"no-store"),))
