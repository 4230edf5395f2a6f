"""Acceptance records: what a build office reports of its facilities, one row each, read from CSV or Excel.

A row says that a facility has come into a state on a day, and with it what else became known:
contract, settlement, payment, place as built, evidence, project. Columns stand in
``acceptance_columns``; units in brackets behind a heading count (``合同金额（万元）``). All faults of all
rows are listed at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from xinji.core.facilities import ACCEPTED, CANCELLED
from xinji.errors import Fault, InputError, raise_if
from xinji.io.acceptance_columns import (
    ACCEPTANCE_COLUMNS,
    KNOWN_STATES,
    KNOWN_TECHNOLOGIES,
    STATE_WORDS,
    TECHNOLOGY_WORDS,
)
from xinji.io.acceptance_evidence import EvidenceFile, evidence_of
from xinji.io.acceptance_sheet import Cell, Sheet, read_sheet
from xinji.io.acceptance_values import CellError, cents_of, day_of, number_of, text_of, whole_of, word_of

NEEDED = ("id", "date")
ROWS_NAMED = 50
"""So many rows with the same fault are named with all words; of the others the lines are listed."""
YEARS = (1990, 2100)
_METRES_MAX = 1e8

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AcceptanceRecord:
    """A row: facility ``id`` entered ``state`` (position in ``STATES``) on ``day`` (ISO 8601); the rest if it was told.

    ``layer`` says where the row stands, in words. Money [cents]: ``contract_capex`` as let,
    ``settled_capex`` as settled, ``payment`` made with this row, ``paid_total`` made until now. ``place`` is
    longitude and latitude [degrees, WGS-84] or ``None``, ``place_m`` x and y [m] in the ledger's CRS.
    ``completion`` is the day (ISO 8601) to which completion was rescheduled, empty where it was not.
    The last seven say what a facility is that the ledger does not know yet.
    """

    layer: str
    row: int
    id: str
    state: int
    day: str
    contract: str
    contractor: str
    contract_capex: int | None
    settled_capex: int | None
    payment: int | None
    paid_total: int | None
    payment_reference: str
    place: tuple[float, float] | None
    place_m: tuple[float, float] | None
    survey: str
    evidence: tuple[EvidenceFile, ...]
    project: str
    reason: str
    completion: str
    area: str
    technology: str
    kind: str
    planned_year: int | None
    planned_capex: int | None
    planned_opex: int | None
    length_m: float | None


def read_acceptance(
    path: Path, *, sheet: str = "", ignored: Sequence[str] = (), evidence_root: Path | None = None
) -> tuple[AcceptanceRecord, ...]:
    """Return the acceptance records in ``path`` (CSV or Excel; of a workbook, ``sheet`` or the first that fits).

    Columns ``ignored`` are passed over; any other unknown column is a fault. Files named as evidence lie
    beside ``path``; they are hashed, and named relative to ``evidence_root`` where they lie in it. Raises
    InputError with every fault of every row.
    """
    table = read_sheet(path, ACCEPTANCE_COLUMNS, NEEDED, sheet=sheet, ignored=ignored)
    raise_if(_pair_faults(table), InputError)
    reader = RowReader(table, path.resolve().parent, evidence_root)
    records = tuple(_record(reader, row) for row in range(len(table)))
    raise_if(gathered(reader.faults), InputError)
    return records


def _pair_faults(table: Sheet) -> Iterator[Fault]:
    for one, other in (("longitude", "latitude"), ("x_m", "y_m")):
        if (one in table.headings) != (other in table.headings):
            missing = other if one in table.headings else one
            yield Fault(table.name, f"there is no column for the {missing}", f"Give both {one} and {other}, or none.")


class RowReader:
    """Reads cells of a sheet by row and column; what is wrong gathers in ``faults``."""

    def __init__(self, table: Sheet, folder: Path, evidence_root: Path | None) -> None:
        self.table, self.folder, self.evidence_root = table, folder, evidence_root
        self.faults: list[Fault] = []
        self._hashed: dict[Path, EvidenceFile] = {}

    def read(self, row: int, column: str, convert: Callable[[Cell], T], default: T) -> T:
        """Return what ``convert`` makes of a cell; ``default`` where it is empty or wrong, which is noted."""
        cell = self.table.cell(row, column)
        if cell is None:
            return default
        try:
            return convert(cell)
        except CellError as error:
            self.fault(row, f"{self.table.headings[column].text} {error.found}", error.remedy)
            return default

    def text(self, row: int, column: str) -> str:
        """Return a cell as text, empty where there is none."""
        return text_of(self.table.cell(row, column))

    def money(self, row: int, column: str, *, negative: bool = False) -> int | None:
        """Return the money of a cell [cents], None where it is empty."""
        heading = self.table.headings.get(column)
        factor = heading.factor if heading else 1
        return self.read(row, column, lambda cell: cents_of(cell, factor, negative=negative), None)

    def needed(self, row: int, column: str, remedy: str) -> None:
        """Note a fault if a cell is empty."""
        if self.table.cell(row, column) is None:
            self.fault(row, f"the {column} is missing", remedy)

    def evidence(self, row: int) -> tuple[EvidenceFile, ...]:
        """Return the evidence files of a row, hashed; a file that many rows name is read once."""
        found = []
        names = self.text(row, "evidence").replace("；", ";").split(";")
        for name in filter(None, (part.strip() for part in names)):
            path = self.folder / name
            try:
                if path not in self._hashed:
                    self._hashed[path] = evidence_of(path, self.evidence_root)
                found.append(self._hashed[path])
            except CellError as error:
                self.fault(row, f"the evidence {name!r} {error.found}", error.remedy)
        return tuple(found)

    def fault(self, row: int, message: str, remedy: str) -> None:
        """Note a fault of a row."""
        self.faults.append(Fault(self.table.layer(row), message, remedy, row))


def _record(reader: RowReader, row: int) -> AcceptanceRecord:
    reader.needed(row, "id", "Give the facility's id as the plan or the ledger has it.")
    reader.needed(row, "date", "Give the day on which the state was entered, as 2027-03-05.")
    heading = reader.table.headings.get("length_m")
    metres = heading.factor if heading else 1
    place, place_m = _place(reader, row, ("longitude", 180.0, "latitude", 90.0)), _place(reader, row, _METRIC)
    if place is not None and place_m is not None:
        reader.fault(row, "longitude and latitude are given, and x and y too", "Give one of the pairs.")
    record = AcceptanceRecord(
        layer=reader.table.layer(row),
        row=row,
        id=reader.text(row, "id"),
        state=_state(reader, row),
        day=reader.read(row, "date", day_of, ""),
        contract=reader.text(row, "contract"),
        contractor=reader.text(row, "contractor"),
        contract_capex=reader.money(row, "contract_capex"),
        settled_capex=reader.money(row, "settled_capex"),
        payment=reader.money(row, "payment", negative=True),
        paid_total=reader.money(row, "paid_total"),
        payment_reference=reader.text(row, "payment_reference"),
        place=place,
        place_m=place_m,
        survey=reader.text(row, "survey"),
        evidence=reader.evidence(row),
        project=reader.text(row, "project"),
        reason=reader.text(row, "reason"),
        completion=reader.read(row, "completion", day_of, ""),
        area=reader.text(row, "area"),
        technology=reader.read(row, "technology", lambda cell: word_of(cell, TECHNOLOGY_WORDS, KNOWN_TECHNOLOGIES), ""),
        kind=reader.text(row, "kind"),
        planned_year=reader.read(row, "planned_year", lambda cell: whole_of(cell, *YEARS), None),
        planned_capex=reader.money(row, "planned_capex"),
        planned_opex=reader.money(row, "planned_opex"),
        length_m=reader.read(row, "length_m", lambda cell: number_of(cell, 0.0, _METRES_MAX) * metres, None),
    )
    for message, remedy in _contradictions(record):
        reader.fault(row, message, remedy)
    return record


_METRIC = ("x_m", _METRES_MAX, "y_m", _METRES_MAX)


def _place(reader: RowReader, row: int, axes: tuple[str, float, str, float]) -> tuple[float, float] | None:
    first, first_max, second, second_max = axes
    a = reader.read(row, first, lambda cell: number_of(cell, -first_max, first_max), None)
    b = reader.read(row, second, lambda cell: number_of(cell, -second_max, second_max), None)
    if a is not None and b is not None:
        return a, b
    empty = [axis for axis in (first, second) if axis in reader.table.headings and reader.table.cell(row, axis) is None]
    if len(empty) == 1:
        reader.fault(row, f"the {empty[0]} is missing", f"Give both {first} and {second}, or none.")
    return None


def _state(reader: RowReader, row: int) -> int:
    """Return the state of a row: what a sheet without such a column reports was accepted."""
    if "state" in reader.table.headings:
        reader.needed(row, "state", "Give the state that the facility has come into.")
    return reader.read(row, "state", lambda cell: word_of(cell, STATE_WORDS, KNOWN_STATES), ACCEPTED)


def _contradictions(record: AcceptanceRecord) -> Iterator[tuple[str, str]]:
    if record.payment is not None and record.paid_total is not None:
        yield "both the payment and the sum paid until now are given", "Give one of them."
    if record.contract_capex is not None and not record.contract:
        yield "a contract sum is given without the contract's number", "Give the contract number."
    if record.settled_capex is not None and not record.contract:
        yield "a settlement is given without the contract's number", "Give the contract number."
    if record.state == CANCELLED and not record.reason:
        yield "a cancelled facility needs a reason", "Say why in the column reason (原因)."


def gathered(faults: Sequence[Fault]) -> Iterator[Fault]:
    """Yield ``faults``; of more than ``ROWS_NAMED`` of one kind the others' lines are listed in one fault."""
    groups: dict[tuple[str, str], list[Fault]] = {}
    for fault in faults:
        # What was found differs from row to row; the column and how to mend it do not.
        mine = groups.setdefault((fault.message.split(" is ")[0], fault.remedy), [])
        mine.append(fault)
        if len(mine) <= ROWS_NAMED:
            yield fault
    for (start, remedy), mine in groups.items():
        further = mine[ROWS_NAMED:]
        if further:
            name = mine[0].layer.rsplit(" line ", 1)[0]
            lines = _ranges([int(fault.layer.rsplit(" ", 1)[1]) for fault in further])
            yield Fault(name, f"{start}: {len(further):,} further rows have the same fault, on lines {lines}", remedy)


def _ranges(lines: list[int]) -> str:
    """Return line numbers in words, those that follow one another as ``3-7``."""
    parts: list[list[int]] = []
    for line in sorted(set(lines)):
        if parts and line == parts[-1][1] + 1:
            parts[-1][1] = line
        else:
            parts.append([line, line])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)
