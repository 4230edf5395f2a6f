"""Records as rows of a table, one a row: the columns say index, type and permissions once for all; pure.

The header is ``handle`` and, for each value, ``index:type`` or ``index:type:permissions``
("2001:MODEL", "2009:COST:1100"). An empty cell is a value that the record does not have. Cells are text;
those of HS_ADMIN name the administrator, ``index:handle`` or ``index:handle:permissions``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from xinji.errors import Fault
from xinji.use.identity.bulk_form import permissions_of
from xinji.use.identity.errors import Code, IdentifierError, refuse
from xinji.use.identity.names import check_handle
from xinji.use.identity.record import MAX_DATA_OCTETS, PUBLIC, Record, Value
from xinji.use.identity.shapes import Kind, kind_of
from xinji.use.identity.value_data import ADMIN, EVERYTHING, Admin, encode_admin
from xinji.use.identity.wire import utf8


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns after the handle: a value of each without data, which of them hold HS_ADMIN, and their kind.

    ``kind`` is that of a record with all its cells; None where a column is private or they are out of order.
    """

    values: tuple[Value, ...]
    admins: tuple[int, ...]
    kind: Kind | None


@dataclass(frozen=True, slots=True)
class Plain:
    """A record of known kind: its handle, the data of each value of ``columns``, the one timestamp of all [s]."""

    handle: str
    columns: Columns
    data: list[bytes]
    timestamp_s: int

    def whole(self) -> Record:
        """Return it as a record."""
        pairs = zip(self.columns.values, self.data, strict=True)
        values = [replace(value, data=data, timestamp_s=self.timestamp_s) for value, data in pairs]
        return Record(self.handle, tuple(values))


def is_table(header: Sequence[str]) -> bool:
    """Whether ``header`` is that of a table with a record a row."""
    return len(header) > 1 and header[0] == "handle" and all(":" in name for name in header[1:])


def columns_of(header: Sequence[str], layer: str) -> Columns:
    """Return what ``header`` says; raises IdentifierError with all its faults."""
    faults: list[Fault] = []
    values = [value for name in header[1:] if (value := _column(name, layer, faults)) is not None]
    indexes = [value.index for value in values]
    if len(set(indexes)) != len(indexes):
        faults.append(Fault(layer, "an index is given to two columns", "Give every column its own index."))
    if faults:
        raise IdentifierError(faults, Code.INVALID_VALUE)
    regular = all(value.public for value in values) and indexes == sorted(indexes)
    admins = tuple(place for place, value in enumerate(values) if value.type == ADMIN)
    return Columns(tuple(values), admins, kind_of(values) if regular else None)


def _column(name: str, layer: str, faults: list[Fault]) -> Value | None:
    index, _, rest = name.partition(":")
    kind, _, bits = rest.partition(":")
    try:
        number = int(index) if index.isascii() and index.isdecimal() and len(index) < 11 else 0
        return Value(index=number, type=kind, data=b"", permissions=permissions_of(bits) if bits else PUBLIC)
    except IdentifierError as error:
        faults += [Fault(layer, f"column {name[:40]!r}: {f.message}", f.remedy) for f in error.faults]
        return None


def record_from_cells(cells: Sequence[str], columns: Columns, now_s: int) -> Record | Plain:
    """Return the record of one row: plain where all cells are filled and public. Raises IdentifierError."""
    if len(cells) != len(columns.values) + 1:
        message = f"the row has {len(cells)} cells, the header {len(columns.values) + 1}"
        raise refuse(Code.INVALID_VALUE, "record", message, "Give every row as many cells as the header.")
    handle = check_handle(cells[0])
    data = [utf8(cell) for cell in cells[1:]]
    for place in columns.admins:
        if cells[place + 1]:
            data[place] = _admin(cells[place + 1])
    if columns.kind is not None and all(data) and max(map(len, data)) <= MAX_DATA_OCTETS:
        return Plain(handle, columns, data, now_s)
    filled = zip(columns.values, data, strict=True)
    return Record(
        handle,
        tuple([replace(value, data=octets, timestamp_s=now_s) for value, octets in filled if octets]),
    )


@lru_cache(maxsize=1_024)
def _admin(cell: str) -> bytes:
    index, _, rest = cell.partition(":")
    handle, _, bits = rest.partition(":")
    known = index.isascii() and index.isdecimal() and len(index) < 11 and handle
    if not known or not (set(bits) <= {"0", "1"} and len(bits) <= 12):
        message = f"{cell[:60]!r} is not an administrator"
        raise refuse(Code.INVALID_VALUE, "record", message, "Write 200:0.NA/88.123 or 200:0.NA/88.123:110011110011.")
    utf8(handle)
    return encode_admin(Admin(handle, int(index), int(bits, 2) if bits else EVERYTHING))
