"""Who may read and change the values of a record; pure functions.

A value is public or private by its own permissions (RFC 3651 section 3.1); what an identity may do to a
record is said by the record's HS_ADMIN values, for a new record by those of its prefix (section 3.2.1).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress

from xinji.use.identity.errors import IdentifierError
from xinji.use.identity.names import fold
from xinji.use.identity.record import ADMIN_READ, ADMIN_WRITE, Record, Reference, Value
from xinji.use.identity.trust import Requester, Standing
from xinji.use.identity.value_data import (
    ADD_ADMIN,
    ADD_VALUE,
    ADMIN,
    MODIFY_ADMIN,
    MODIFY_VALUE,
    REMOVE_ADMIN,
    REMOVE_VALUE,
    Admin,
    decode_admin,
)

WRITES = {
    "add": (ADD_VALUE, ADD_ADMIN),
    "modify": (MODIFY_VALUE, MODIFY_ADMIN),
    "remove": (REMOVE_VALUE, REMOVE_ADMIN),
}
"""What each change needs: for plain values and for HS_ADMIN values."""

Identity = tuple[bytes, int]
"""Folded handle and index of an identity."""


def admins_of(record: Record) -> tuple[Admin, ...]:
    """Return what the HS_ADMIN values of ``record`` say; a malformed one allows nobody anything."""
    admins = []
    for value in record.of_type(ADMIN):
        with suppress(IdentifierError):
            admins.append(decode_admin(value.data))
    return tuple(admins)


def identity_of(reference: Reference | Requester | Admin) -> Identity:
    """Return what two names of one identity have in common."""
    return fold(reference.handle), reference.index


def names(reference: Identity, requester: Requester) -> bool:
    """Whether ``reference`` means the requester; index 0 means every index of the handle."""
    handle, index = identity_of(requester)
    return reference[0] == handle and reference[1] in (0, index)


def allowed(requester: Requester, admins: Iterable[Admin], groups: Mapping[Identity, frozenset[Identity]]) -> int:
    """Return the sum of what ``admins`` allow ``requester``; 0 below AUTHENTICATED.

    ``groups`` holds the members of those administrators that are groups (HS_VLIST values).
    """
    if requester.standing < Standing.AUTHENTICATED:
        return 0
    total = 0
    for admin in admins:
        own = identity_of(admin)
        members = groups.get(own, frozenset())
        if names(own, requester) or any(names(member, requester) for member in members):
            total |= admin.permissions
    return total


def standing_for(requester: Requester, permissions: int, needed: int) -> Standing:
    """Return the requester's standing towards a record: AUTHORISED where ``permissions`` hold all of ``needed``."""
    if requester.standing >= Standing.AUTHENTICATED and permissions & needed == needed:
        return Standing.AUTHORISED
    return min(requester.standing, Standing.AUTHENTICATED)


def readable(value: Value, standing: Standing) -> bool:
    """Whether ``value`` may be shown to who has ``standing`` towards its record for READ_VALUE.

    Public values to all; private ones to the authorised, where administrators may read them at all.
    """
    return value.public or (standing == Standing.AUTHORISED and bool(value.permissions & ADMIN_READ))


def needed_for(kind: str, touched: Iterable[Value]) -> int:
    """Return what a change of ``kind`` ("add", "modify", "remove") to the values ``touched`` needs."""
    plain, admin = WRITES[kind]
    needed = 0
    for value in touched:
        needed |= admin if value.type == ADMIN else plain
    return needed


def writable(touched: Iterable[Value]) -> bool:
    """Whether administrators may change every value of ``touched`` as it stands."""
    return all(value.permissions & ADMIN_WRITE for value in touched)
