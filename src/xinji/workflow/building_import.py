"""Acceptance records into a ledger: all of them or, where one cannot be recorded, none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from xinji.build import event as kinds
from xinji.build.event import Draft
from xinji.build.fold import fold
from xinji.build.ledger import ConflictError, Filter, Head, Ledger
from xinji.build.signature import PrivateKey
from xinji.core.facilities import STATES
from xinji.errors import Fault, InputError, raise_if
from xinji.io.acceptance import AcceptanceRecord, gathered, read_acceptance
from xinji.workflow.building_days import future_faults
from xinji.workflow.building_differences import facility_differences
from xinji.workflow.building_drafts import record_drafts, unknown_faults
from xinji.workflow.building_places import Place, checked_places, distance_max_m, ledger_parameters
from xinji.workflow.building_standing import Standings, project_ids, standings

END_OF_TIME = "9999-12-31"


@dataclass(frozen=True, slots=True)
class ImportSettings:
    """How records are taken: by whom, with which key; from which sheet; what may be new or passed over.

    ``new`` lets in facilities that the ledger does not know; ``ignored`` names columns to pass over;
    ``places_checked`` says that places far from the plan are right; ``future`` lets in days that have not come
    yet; ``evidence_root`` is the folder that evidence is named from; ``dry`` records nothing.
    """

    who: str
    key: PrivateKey | None = None
    sheet: str = ""
    ignored: tuple[str, ...] = ()
    new: bool = False
    places_checked: bool = False
    future: bool = False
    evidence_root: Path | None = None
    dry: bool = False


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What came of a sheet: rows, facilities or projects, events by kind, states entered, money [cents].

    ``contract_cents`` is by how much what facilities are let for has grown, amendments and settlements
    included; ``unchanged`` rows told nothing new; ``differing`` says in words what rows describe otherwise than
    the ledger, which is not recorded; ``head`` is the ledger's after it, worth keeping elsewhere.
    """

    file: str
    rows: int
    subjects: int
    registered: int
    unchanged: int
    events: Mapping[str, int]
    states: Mapping[str, int]
    contract_cents: int
    paid_cents: int
    head: str
    dry: bool
    differing: tuple[str, ...] = ()


Taken = list[tuple[int, Draft]]
"""What is to be recorded, each with the row that tells it."""


def import_records(place: str, path: Path, settings: ImportSettings) -> ImportSummary:
    """Record the acceptance records in ``path`` in the ledger at ``place``, and return what came of it.

    Rows are taken in the order of their days. What the ledger has already is not recorded again, so a
    sheet can be handed in twice. Raises InputError with every fault of every row, and then records
    nothing; ConflictError where someone else changed the same facilities meanwhile.
    """
    records = read_acceptance(
        path, sheet=settings.sheet, ignored=settings.ignored, evidence_root=settings.evidence_root
    )
    with Ledger.open(place, who=settings.who, key=settings.key) as ledger:
        head = ledger.head()
        events = ledger.events(Filter(last=head.number))
        now = fold(events, at=END_OF_TIME)
        known, projects = standings(events), project_ids(events)
        region = ledger.region()
        far_m = distance_max_m(ledger_parameters(region.currency))
        let = _let(known)
        places, faults = checked_places(records, now, region.crs, far_m, trusted=settings.places_checked)
        faults += unknown_faults(records, known, projects, new=settings.new)
        if not settings.future:
            faults += [fault for it in records for fault in future_faults(it.layer, it.day, it.row)]
        taken = _taken(records, known, places, faults)
        raise_if(gathered(sorted(faults, key=_line)), InputError)
        layers = [record.layer for record in records]
        found = summary_of(path.name, [record.id for record in records], taken, settings, head)
        found = replace(found, contract_cents=_let(known) - let, differing=facility_differences(records, now))
        return append(ledger, taken, layers, found, head)


def _let(known: Standings) -> int:
    """Return what all facilities together are let for [cents]."""
    return sum(standing.contract for standing in known.values())


def _line(fault: Fault) -> int:
    return -1 if fault.row is None else fault.row


def _taken(
    records: Sequence[AcceptanceRecord], known: Standings, places: Mapping[int, Place], faults: list[Fault]
) -> Taken:
    """Return what is to be recorded in order of day; rows about what cannot be registered are passed over."""
    bad = {records[fault.row].id for fault in faults if fault.row is not None} - set(known)
    order = sorted(range(len(records)), key=lambda row: (records[row].day, row))
    return [
        (row, draft)
        for row in order
        if records[row].id not in bad
        for draft in record_drafts(records[row], known, places.get(row), faults)
    ]


def summary_of(file: str, ids: Sequence[str], taken: Taken, settings: ImportSettings, head: Head) -> ImportSummary:
    """Return what ``taken`` from the rows about ``ids`` adds up to, but contracts; ``head`` is the ledger's before."""
    drafts = [draft for _, draft in taken]
    entered = [str(draft.payload["state"]) for draft in drafts if draft.kind == kinds.STATE_ADVANCED]
    counted = Counter(entered)
    return ImportSummary(
        file=file,
        rows=len(ids),
        subjects=len(set(ids)),
        registered=sum(d.kind in (kinds.FACILITY_REGISTERED, kinds.PROJECT_REGISTERED) for d in drafts),
        unchanged=len(ids) - len({row for row, _ in taken}),
        events=dict(Counter(draft.kind for draft in drafts)),
        states={state: counted[state] for state in STATES if state in counted},
        contract_cents=0,
        paid_cents=sum(int(d.payload["cents"]) for d in drafts if d.kind == kinds.PAYMENT_MADE),
        head=str(head),
        dry=settings.dry,
    )


def append(ledger: Ledger, taken: Taken, layers: Sequence[str], found: ImportSummary, head: Head) -> ImportSummary:
    """Record ``taken``, all or none, and return ``found`` with the ledger's new head; a dry run only judges it.

    Raises InputError with the rows (named by ``layers``) that the ledger refuses, ConflictError where
    their facilities or projects changed since ``head``.
    """
    if not taken:
        return found
    try:
        if found.dry:
            ledger.check([draft for _, draft in taken])
        else:
            ledger.append([draft for _, draft in taken], expected=head)
    except ConflictError:
        raise
    except InputError as error:
        rows = [None if fault.row is None else taken[fault.row][0] for fault in error.faults]
        faults = [
            fault if row is None else replace(fault, layer=layers[row], row=row)
            for fault, row in zip(error.faults, rows, strict=True)
        ]
        raise InputError(faults) from error
    return replace(found, head=str(ledger.head()))
