"""The resolver: what a node answers for a handle, whom it refers to, and who may change what.

A national node holds the records of prefixes and refers to the nodes that serve them, a secondary node
does so for the enterprises of its industry and serves its own handles, an enterprise node serves its own.
The record of a prefix, 0.NA/<prefix>, names its sites (HS_SITE, or HS_SERV for a service record that has
them) and its administrators (HS_ADMIN). Source: RFC 3650 section 3, RFC 3651 sections 3.2 and 4.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum

from xinji.use.identity.changes import Change
from xinji.use.identity.errors import Code, IdentifierError, refuse
from xinji.use.identity.names import ancestors, check_handle, described_prefix, fold, prefix_handle, prefix_of
from xinji.use.identity.permission import (
    Identity,
    admins_of,
    allowed,
    identity_of,
    names,
    needed_for,
    readable,
    standing_for,
    writable,
)
from xinji.use.identity.record import Record, Reference, Value, type_matches
from xinji.use.identity.store import Found, Reader, Store
from xinji.use.identity.trust import ANONYMOUS_REQUESTER, Requester, Standing
from xinji.use.identity.value_data import (
    ADD_DERIVED_PREFIX,
    ADD_HANDLE,
    ADMIN,
    ALIAS,
    DELETE_DERIVED_PREFIX,
    DELETE_HANDLE,
    EVERYTHING,
    LIST_HANDLES,
    READ_VALUE,
    SERV,
    VLIST,
    Admin,
    decode_admin,
    decode_vlist,
)
from xinji.use.identity.value_scan import Choice, choice_of, chosen_values

MOST_ALIASES = 8
"""Aliases followed for one question."""

MOST_SERVICES = 4
"""Service records followed to a site."""

ADMINS, ALL = choice_of((ADMIN,), frozenset()), choice_of((), frozenset())
"""Values that say who administers a record, and all values."""

Outcome = Future[Record | None]


class Role(StrEnum):
    """What a node is in the national system."""

    NATIONAL = "national"
    SECONDARY = "secondary"
    ENTERPRISE = "enterprise"


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """A node's role, the prefixes whose handles it serves (none: all it holds), and who administers all of it."""

    role: Role = Role.ENTERPRISE
    prefixes: tuple[str, ...] = ()
    administrators: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True)
class Referral:
    """Where to ask: the prefix whose record says so, and that record's HS_SITE values; ``service`` named them."""

    prefix: str
    values: tuple[Value, ...]
    service: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a node says of ``handle``.

    SUCCESS with ``values``; HANDLE_NOT_FOUND; VALUES_NOT_FOUND; AUTHENTICATION_NEEDED or
    INSUFFICIENT_PERMISSIONS where only private values match; PREFIX_REFERRAL or SERVICE_REFERRAL with
    ``referral``; NOT_RESPONSIBLE; RECURSION_LIMIT. ``aliases``: the handles passed on the way to ``handle``.
    """

    code: Code
    handle: str
    values: tuple[Value, ...] = ()
    referral: Referral | None = None
    aliases: tuple[str, ...] = field(default=())


class Node:
    """One node over one store; holds nothing but its settings."""

    def __init__(self, store: Store, settings: NodeSettings) -> None:
        self.store = store
        self.settings = settings
        self._served = frozenset(fold(prefix) for prefix in settings.prefixes)
        self._rulers = tuple(Admin(ruler.handle, ruler.index, EVERYTHING) for ruler in settings.administrators)

    def serves(self, handle: str | bytes) -> bool:
        """Whether this node is one that answers for ``handle`` itself: under its prefixes, or the record of one."""
        key = fold(handle)
        prefix, _, suffix = key.partition(b"/")
        if not self._served or prefix in self._served:
            return True
        return prefix == b"0.NA" and any(fold(parent) in self._served for parent in ancestors(suffix.decode()))

    def resolve(
        self,
        handle: str,
        *,
        types: Iterable[str] = (),
        indexes: Iterable[int] = (),
        requester: Requester = ANONYMOUS_REQUESTER,
        follow_aliases: bool = False,
    ) -> Answer:
        """Answer a question for the values of ``handle`` of ``types`` or at ``indexes``, for all if none is given.

        With ``follow_aliases`` an HS_ALIAS leads on unless that type is asked for. Raises IdentifierError
        (INVALID_HANDLE) where ``handle`` can be none.
        """
        reader = self.store.fresh()
        try:
            passed: list[str] = []
            asked = (tuple(types), frozenset(indexes))
            while True:
                answer = self._one(reader, check_handle(handle), asked, requester)
                alias = _alias(reader, answer, asked[0]) if follow_aliases else ""
                if not alias:
                    return Answer(answer.code, answer.handle, answer.values, answer.referral, tuple(passed))
                passed.append(handle)
                if len(passed) > MOST_ALIASES or fold(alias) in map(fold, passed):
                    return Answer(Code.RECURSION_LIMIT, handle, aliases=tuple(passed))
                handle = alias
        finally:
            reader.rest()

    def _one(
        self, reader: Reader, handle: str, asked: tuple[tuple[str, ...], frozenset[int]], requester: Requester
    ) -> Answer:
        found = reader.find(fold(handle))
        if found is None:
            return self._elsewhere(reader, handle)
        matching = _values(found, choice_of(*asked))
        standing = Standing.ANONYMOUS
        if not all(value.public for value in matching):
            # Who administers it stands in the record too, whatever is asked for.
            record = Record(found.handle, _values(found, ADMINS))
            standing = standing_for(requester, self._permissions(reader, record, requester), READ_VALUE)
        shown = tuple(value for value in matching if readable(value, standing))
        if shown or not (matching or _values(found, ALL)):
            return Answer(Code.SUCCESS, found.handle, shown)
        if not matching:
            return Answer(Code.VALUES_NOT_FOUND, found.handle)
        # All that is asked for is private. Whoever proved no identity may still do so.
        known = requester.standing >= Standing.AUTHENTICATED
        return Answer(Code.INSUFFICIENT_PERMISSIONS if known else Code.AUTHENTICATION_NEEDED, found.handle)

    def _elsewhere(self, reader: Reader, handle: str) -> Answer:
        """Answer for a handle that is not in the store: refer to the node of its longest known prefix."""
        if prefix_of(handle) and prefix_of(handle).upper() != "0.NA":
            for prefix in ancestors(prefix_of(handle)):
                if fold(prefix) in self._served:
                    return Answer(Code.HANDLE_NOT_FOUND, handle)
                referral = self._referral(reader, prefix)
                if referral is not None:
                    code = Code.SERVICE_REFERRAL if referral.service else Code.PREFIX_REFERRAL
                    return Answer(code, handle, referral=referral)
        return Answer(Code.HANDLE_NOT_FOUND if self.serves(handle) else Code.NOT_RESPONSIBLE, handle)

    def _referral(self, reader: Reader, prefix: str) -> Referral | None:
        record = reader.record(prefix_handle(prefix))
        if record is None:
            return None
        service = ""
        for _ in range(MOST_SERVICES):
            sites = tuple(value for value in record.values if type_matches(value.type.encode(), b"HS_SITE."))
            if sites:
                return Referral(prefix, sites, service)
            services = record.of_type(SERV)
            if not services:
                return None
            service = services[0].text
            record = reader.record(service)
            if record is None:
                # The service's record lies with another node: its name is all there is to say.
                return Referral(prefix, services, service)
        return None

    def permissions_for(self, record: Record, requester: Requester) -> int:
        """Return the sum of what ``requester`` may do to ``record``: as its administrators and the node's own say."""
        reader = self.store.reader()
        try:
            return self._permissions(reader, record, requester)
        finally:
            reader.rest()

    def _permissions(self, reader: Reader, record: Record, requester: Requester) -> int:
        if requester.standing < Standing.AUTHENTICATED:
            return 0
        admins = (*self._rulers, *admins_of(record))
        # A group can add nothing for whom its administrator names by itself.
        others = [admin for admin in admins if not names(identity_of(admin), requester)]
        return allowed(requester, admins, _groups(reader, others))

    def create(
        self, handle: str, values: tuple[Value, ...], requester: Requester, *, overwrite: bool = False
    ) -> Outcome:
        """Register ``handle`` with ``values``; who may, the administrators of its prefix say.

        The future raises IdentifierError: HANDLE_EXISTS, INVALID_HANDLE, NOT_RESPONSIBLE,
        AUTHENTICATION_NEEDED, INSUFFICIENT_PERMISSIONS.
        """
        check_handle(handle)
        _check_reserved(values)
        self._refuse_foreign(handle)
        derived = bool(described_prefix(handle))
        self._demand(self._prefix_record(handle), requester, ADD_DERIVED_PREFIX if derived else ADD_HANDLE, handle)

        def check(record: Record | None) -> None:
            if record is not None and overwrite:
                self._demand(record, requester, DELETE_HANDLE, handle)

        return self.store.submit(Change("replace" if overwrite else "create", handle, values, check=check))

    def delete(self, handle: str, requester: Requester) -> Outcome:
        """Take ``handle`` away. The future raises IdentifierError as that of ``create`` does."""
        needed = DELETE_DERIVED_PREFIX if described_prefix(handle) else DELETE_HANDLE

        def check(record: Record | None) -> None:
            if record is not None:
                self._demand(record, requester, needed, handle)

        return self.store.submit(Change("delete", handle, check=check))

    def add(self, handle: str, values: tuple[Value, ...], requester: Requester, *, overwrite: bool = False) -> Outcome:
        """Add ``values`` at new indexes, or at any if ``overwrite``."""
        return self._change("put" if overwrite else "add", handle, requester, values=values)

    def modify(self, handle: str, values: tuple[Value, ...], requester: Requester) -> Outcome:
        """Put ``values`` in place of those at their indexes."""
        return self._change("modify", handle, requester, values=values)

    def remove(self, handle: str, indexes: tuple[int, ...], requester: Requester) -> Outcome:
        """Take the values at ``indexes`` away."""
        return self._change("remove", handle, requester, indexes=indexes)

    def _change(
        self,
        kind: str,
        handle: str,
        requester: Requester,
        *,
        values: tuple[Value, ...] = (),
        indexes: tuple[int, ...] = (),
    ) -> Outcome:
        _check_reserved(values)
        touched = {*indexes, *(value.index for value in values)}

        def check(record: Record | None) -> None:
            if record is None:
                return
            # What is there counts as well as what is to come: an HS_ADMIN must not be written over as plain data.
            there = [value for value in record.values if value.index in touched]
            new = [value for value in values if record.by_index(value.index) is None]
            kept = [value for value in values if value not in new]
            if kind == "put":
                needed = needed_for("add", new) | needed_for("modify", (*there, *kept))
            else:
                needed = needed_for(kind, (*there, *values))
            self._demand(record, requester, needed, handle)
            if not writable(there):
                remedy = "Change the others."
                message = "a value may not be changed by administrators"
                raise refuse(Code.INSUFFICIENT_PERMISSIONS, handle, message, remedy)

        return self.store.submit(Change(kind, handle, values, indexes, check))

    def handles(self, prefix: str, requester: Requester) -> Iterable[str]:
        """Yield the handles under ``prefix`` to who may list them; raises IdentifierError to others."""
        name = f"{prefix}/"
        self._demand(self._prefix_record(name), requester, LIST_HANDLES, name)
        return self.store.keys(name)

    def _prefix_record(self, handle: str) -> Record:
        """Return the record that says who may register ``handle``, an empty one where there is none."""
        described = described_prefix(handle)
        prefix = prefix_of(handle)
        if described:
            prefix = next(iter(ancestors(described)[1:]), "")
        if not prefix:
            return Record(handle, ())
        name = prefix_handle(prefix)
        return self.store.record(name, private=True) or Record(name, ())

    def _refuse_foreign(self, handle: str) -> None:
        if not self.serves(handle):
            message = f"this node serves {', '.join(self.settings.prefixes)[:200]}"
            raise refuse(Code.NOT_RESPONSIBLE, handle, message, "Ask the node that the prefix names.")

    def _demand(self, record: Record, requester: Requester, needed: int, handle: str) -> None:
        if requester.standing < Standing.AUTHENTICATED:
            message, remedy = "it takes an authenticated administrator", "Authenticate first."
            raise refuse(Code.AUTHENTICATION_NEEDED, handle, message, remedy)
        standing = standing_for(requester, self.permissions_for(record, requester), needed)
        if standing < Standing.AUTHORISED:
            message = f"{requester.index}:{requester.handle} may not do this"
            remedy = f"Have an administrator of {record.handle} allow it."
            raise refuse(Code.INSUFFICIENT_PERMISSIONS, handle, message, remedy)


def _check_reserved(values: Iterable[Value]) -> None:
    """Refuse HS_ADMIN and HS_VLIST values that nobody could read later."""
    for value in values:
        if value.type == ADMIN:
            decode_admin(value.data)
        elif value.type == VLIST:
            decode_vlist(value.data)


def _values(found: Found, choice: Choice) -> tuple[Value, ...]:
    """Return the values of ``found`` that ``choice`` takes, private ones too, in the order of their indexes."""
    values = chosen_values(found.body, choice)
    if not found.private:
        return values
    return tuple(sorted((*values, *chosen_values(found.private, choice)), key=lambda value: value.index))


def _alias(reader: Reader, answer: Answer, types: tuple[str, ...]) -> str:
    if answer.code not in (Code.SUCCESS, Code.VALUES_NOT_FOUND) or any(kind.upper() == ALIAS for kind in types):
        return ""
    record = reader.record(answer.handle)
    found = record.of_type(ALIAS) if record is not None else ()
    return found[0].text if found else ""


def _groups(reader: Reader, admins: Iterable[Admin]) -> dict[Identity, frozenset[Identity]]:
    """Return the members of those ``admins`` that are groups kept in this store."""
    groups: dict[Identity, frozenset[Identity]] = {}
    for admin in admins:
        found = reader.find(fold(admin.handle))
        choice = choice_of((), frozenset((admin.index,)))
        for value in _values(found, choice) if found is not None else ():
            # A malformed group has no members.
            with suppress(IdentifierError):
                if value.type != VLIST:
                    continue
                groups[identity_of(admin)] = frozenset(identity_of(member) for member in decode_vlist(value.data))
    return groups
