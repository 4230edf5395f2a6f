"""Projects for the ledger's register, read from CSV or Excel, and the lists that code them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from xinji.core.facilities import CANCELLED, STATES
from xinji.errors import InputError, raise_if
from xinji.io.acceptance import RowReader, gathered
from xinji.io.acceptance_columns import KNOWN_STATES, PROJECT_COLUMNS, STATE_WORDS
from xinji.io.acceptance_evidence import EvidenceFile
from xinji.io.acceptance_sheet import read_sheet
from xinji.io.acceptance_values import day_of, word_of

PROJECT_NEEDED = ("id", "name", "industry", "scenario", "registered")
NO_STATE = -1
"""State of a project of which a sheet says none."""

GBT4754, SCENARIOS_5G = "gbt4754_2017_divisions", "scenarios_5g"


@dataclass(frozen=True, slots=True)
class ProjectRecord:
    """A row of a project register: what the project is, and the state it came into on ``day``.

    ``scenarios`` are as written, codes or names; ``registered`` and ``day`` are ISO 8601 days;
    ``state`` is a position in ``STATES`` or ``NO_STATE``; ``planned_cents`` the investment announced.
    """

    layer: str
    row: int
    id: str
    name: str
    owner: str
    industry: str
    scenarios: tuple[str, ...]
    park: str
    planned_cents: int
    registered: str
    state: int
    day: str
    evidence: tuple[EvidenceFile, ...]
    reason: str


def read_projects(
    path: Path, *, sheet: str = "", ignored: Sequence[str] = (), evidence_root: Path | None = None
) -> tuple[ProjectRecord, ...]:
    """Return the projects in ``path`` (CSV or Excel); see ``xinji.io.acceptance.read_acceptance``.

    Raises InputError with every fault of every row.
    """
    table = read_sheet(path, PROJECT_COLUMNS, PROJECT_NEEDED, sheet=sheet, ignored=ignored)
    reader = RowReader(table, path.resolve().parent, evidence_root)
    records = tuple(_project(reader, row) for row in range(len(table)))
    raise_if(gathered(reader.faults), InputError)
    return records


def _project(reader: RowReader, row: int) -> ProjectRecord:
    for column in PROJECT_NEEDED:
        reader.needed(row, column, "A register needs it of every project.")
    scenarios = reader.text(row, "scenario").replace("；", ";").replace("、", ";").split(";")
    state = reader.read(row, "state", lambda cell: word_of(cell, STATE_WORDS, KNOWN_STATES), NO_STATE)
    registered = reader.read(row, "registered", day_of, "")
    record = ProjectRecord(
        layer=reader.table.layer(row),
        row=row,
        id=reader.text(row, "id"),
        name=reader.text(row, "name"),
        owner=reader.text(row, "owner"),
        industry=reader.text(row, "industry").upper(),
        scenarios=tuple(dict.fromkeys(part.strip() for part in scenarios if part.strip())),
        park=reader.text(row, "park"),
        planned_cents=reader.money(row, "planned_capex") or 0,
        registered=registered,
        state=state,
        day=reader.read(row, "date", day_of, registered),
        evidence=reader.evidence(row),
        reason=reader.text(row, "reason"),
    )
    if state == CANCELLED and not record.reason:
        reader.fault(
            row, f"a project that is {STATES[CANCELLED]} needs a reason", "Say why in the column reason (原因)."
        )
    return record


@lru_cache(maxsize=2)
def code_list(name: str) -> tuple[dict[str, str], ...]:
    """Return the rows of a list that ships with Xinji: ``GBT4754`` or ``SCENARIOS_5G``."""
    text = (files("xinji") / "data" / "registers" / f"{name}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(io.StringIO(text)))
