"""What a sheet says otherwise than the ledger, and an import does not record: told, so that nobody believes it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from xinji.build import event as kinds
from xinji.build.event import Event
from xinji.build.event_drafts import ProjectFacts
from xinji.core.facilities import Facilities
from xinji.io.acceptance import AcceptanceRecord
from xinji.io.acceptance_projects import ProjectRecord
from xinji.workflow.building_drafts import amount

_PLANNED = ("technology", "kind", "area", "planned_year", "planned_capex", "planned_opex")
_PROJECT = ("name", "owner", "industry", "scenario", "park", "planned_cents")
_MONEY = ("planned_capex", "planned_opex", "planned_cents")


def facility_differences(records: Sequence[AcceptanceRecord], now: Facilities) -> tuple[str, ...]:
    """Return, in words, where ``records`` describe facilities of ``now`` otherwise than they are planned there."""
    place = {name: row for row, name in enumerate(now.id.tolist())}
    return tuple(
        _said(record.layer, record.id, column, told, held)
        for record in records
        if record.id in place
        for column in _PLANNED
        for told, held in [(getattr(record, column), getattr(now, column)[place[record.id]].item())]
        if told not in ("", None) and told != held
    )


def project_differences(
    records: Sequence[ProjectRecord], facts: Mapping[str, ProjectFacts], events: Sequence[Event]
) -> tuple[str, ...]:
    """Return, in words, where ``records``, which say ``facts`` by layer, differ from the registered projects."""
    known = {event.project: event.payload for event in events if event.kind == kinds.PROJECT_REGISTERED}
    return tuple(line for record in records for line in _project(record, facts[record.layer], known.get(record.id)))


def _project(record: ProjectRecord, facts: ProjectFacts, held: Mapping[str, object] | None) -> Iterator[str]:
    for column in _PROJECT if held is not None else ():
        told = getattr(facts, column)
        if held is not None and told not in ("", 0) and told != held[column]:
            yield _said(record.layer, record.id, column, told, held[column])


def _said(layer: str, name: str, column: str, told: object, held: object) -> str:
    shown = [amount(value) if isinstance(value, int) and column in _MONEY else str(value) for value in (told, held)]
    return f"{layer}: {column.removesuffix('_cents')} of {name} is {shown[0]} there, and stays {shown[1] or 'empty'}"
