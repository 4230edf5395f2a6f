"""From acceptance records to what a ledger records: only what it does not have yet, and no step left out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from xinji.build import event as kinds
from xinji.build import event_drafts as drafts_of
from xinji.build.event import Draft, Event
from xinji.build.event_drafts import PlannedAsset
from xinji.build.states import steps_between
from xinji.core.facilities import CANCELLED, CONTRACTED, IN_USE, NO_CONTRACT, PLANNED, RETIRED, STATES, Facilities
from xinji.core.offer import EXISTING
from xinji.errors import Fault
from xinji.io.acceptance import AcceptanceRecord
from xinji.units import CENTS_PER_UNIT
from xinji.workflow.building_places import Place

ON_THE_WAY = "not reported; passed on the way to {state}"
"""Reason of a step that a record implies and does not tell."""
UNPLANNED = "not planned"
"""Baseline of a facility that came with an acceptance record."""
SURVEY = "acceptance record"
"""How a place was measured where a record does not say."""


@dataclass(slots=True)
class Standing:
    """A facility as it stands while records are taken one after the other; money in cents.

    ``since`` is the day of its last state, ``contracts`` are the sums ever let by contract number,
    ``vouchers`` what was paid by reference, ``evidence`` hashes of files.
    """

    state: int
    since: str
    let: bool = False
    project: str = ""
    place: Place = (math.nan, math.nan)
    contracts: dict[str, list[int]] = field(default_factory=dict)
    contractor: str = ""
    paid: int = 0
    vouchers: dict[str, int] = field(default_factory=dict)
    evidence: set[str] = field(default_factory=set)


Standings = dict[str, Standing]

_REMEMBERED = frozenset({kinds.CONTRACT_LET, kinds.PAYMENT_MADE, kinds.EVIDENCE_ATTACHED})
_NEVER = "NaT"


def project_ids(events: Sequence[Event]) -> set[str]:
    """Return the ids of all projects that ``events`` registered."""
    return {event.project for event in events if event.kind == kinds.PROJECT_REGISTERED}


def standings(events: Sequence[Event], now: Facilities) -> Standings:
    """Return how each facility of ``now`` stands, from the ledger's ``events`` of which it is the fold."""
    days = now.since.astype("datetime64[D]").astype(str)
    paid = now.paid.tolist()
    found = {
        name: Standing(
            state=int(now.state[k]),
            since=max(day for day in days[k].tolist() if day != _NEVER),
            let=int(now.contract_capex[k]) != NO_CONTRACT,
            project=str(now.project[k]),
            place=(float(now.x_m[k]), float(now.y_m[k])),
            paid=paid[k],
        )
        for k, name in enumerate(now.id.tolist())
    }
    void = {event.payload["number"] for event in events if event.kind == kinds.EVENT_VOIDED}
    for event in events:
        if event.kind not in _REMEMBERED or event.number in void or event.facility not in found:
            continue
        standing, said = found[event.facility], event.payload
        if event.kind == kinds.CONTRACT_LET:
            standing.contracts.setdefault(said["contract"], []).append(said["capex"])
            standing.contractor = said["contractor"]
        elif event.kind == kinds.PAYMENT_MADE:
            standing.vouchers[said["reference"]] = said["cents"]
        elif event.kind == kinds.EVIDENCE_ATTACHED:
            standing.evidence.add(said["sha256"])
    return found


def record_drafts(
    record: AcceptanceRecord, known: Standings, place: Place | None, faults: list[Fault]
) -> Iterator[Draft]:
    """Yield what ``record`` tells beyond what is ``known``, which takes it up; what cannot be goes to ``faults``."""
    begun = len(faults)
    if record.id not in known:
        stood = record.state == IN_USE and not record.contract
        yield registration(record, place, stood=stood)
        known[record.id] = Standing(IN_USE if stood else PLANNED, record.day)
    standing = known[record.id]
    for message, remedy in _refusals(record, standing):
        faults.append(Fault(record.layer, message, remedy, record.row))
    if len(faults) > begun:
        return
    if record.project and record.project != standing.project:
        yield drafts_of.assigned(record.id, record.project, day=record.day)
        standing.project = record.project
    yield from _contract(record, standing, record.contract_capex)
    yield from _steps(record, standing)
    yield from _contract(record, standing, record.settled_capex)
    yield from _payment(record, standing)
    yield from _proof(record, standing, place)


def registration(record: AcceptanceRecord, place: Place | None, *, stood: bool) -> Draft:
    """Return the first event of a facility that no plan knows: planned as it was let, where it stands.

    What ``stood`` already, in use under no contract, is no part of a plan: its year is 0.
    """
    told = [record.planned_capex, record.contract_capex, record.settled_capex]
    x_m, y_m = place or (math.nan, math.nan)
    year = EXISTING if stood else int(record.day[:4])
    asset = PlannedAsset(
        id=record.id,
        technology=record.technology,
        kind=record.kind,
        area=record.area,
        year=year if record.planned_year is None else record.planned_year,
        x_m=x_m,
        y_m=y_m,
        length_m=math.nan if record.length_m is None else record.length_m,
        capex=next((cents for cents in told if cents is not None), 0),
        opex=record.planned_opex or 0,
    )
    return drafts_of.registered(asset, day=record.day, baseline=UNPLANNED, state="in_use" if stood else "planned")


def _refusals(record: AcceptanceRecord, standing: Standing) -> Iterator[tuple[str, str]]:
    """Yield why a record cannot follow on what is known, and how to mend it."""
    old, new = STATES[standing.state], STATES[record.state]
    steps = () if record.state == standing.state else steps_between(standing.state, record.state)
    if standing.state in (CANCELLED, RETIRED) and record.state != standing.state:
        yield f"{record.id} is {old} since {standing.since}", "Plan it again first, or mend the id."
    elif record.state != standing.state and not steps:
        remedy = "Mend the state; to go back, use `xinji build advance --back` with a reason."
        yield f"{record.id} is {old} since {standing.since} and cannot become {new}", remedy
    elif steps and record.day < standing.since:
        yield f"{record.id} became {old} on {standing.since}, after {record.day}", "Mend the day."
    sums = (record.contract_capex, record.settled_capex)
    if CONTRACTED in steps and not standing.let and not record.contract:
        yield (
            f"{record.id} has no contract and is to be {new}",
            "Give contract (合同编号) and contract_capex (合同金额).",
        )
    elif record.contract and record.contract not in standing.contracts and sums == (None, None):
        yield f"the contract {record.contract} is new and has no sum", "Give contract_capex (合同金额)."
    yield from _unpayable(record, standing)


def _unpayable(record: AcceptanceRecord, standing: Standing) -> Iterator[tuple[str, str]]:
    if record.payment is not None and not record.payment_reference:
        remedy = "Give payment_reference (付款凭证号), or the sum paid until now in paid_total (累计付款)."
        yield "a payment has no voucher, and could be counted twice", remedy
    known = standing.vouchers.get(record.payment_reference)
    if record.payment is not None and known is not None and known != record.payment:
        remedy = "Give each payment a voucher of its own."
        yield f"the voucher {record.payment_reference} paid {amount(known)} already", remedy
    if record.paid_total is not None and record.paid_total < standing.paid:
        remedy = "Give money that came back as a negative payment with its voucher."
        yield f"{amount(record.paid_total)} were paid until now, the ledger has {amount(standing.paid)}", remedy


def amount(cents: int) -> str:
    """Return ``cents`` in currency units, exactly, thousands marked."""
    whole, rest = divmod(abs(cents), CENTS_PER_UNIT)
    return f"{'-' if cents < 0 else ''}{whole:,}.{rest:02d}"


def _contract(record: AcceptanceRecord, standing: Standing, cents: int | None) -> Iterator[Draft]:
    known = standing.contracts.setdefault(record.contract, []) if record.contract else []
    if cents is None or cents in known:
        return
    contractor = record.contractor or standing.contractor
    yield drafts_of.contract_let(
        record.id, day=record.day, contract=record.contract, contractor=contractor, capex=cents
    )
    known.append(cents)
    standing.let, standing.contractor = True, contractor


def _steps(record: AcceptanceRecord, standing: Standing) -> Iterator[Draft]:
    if record.state == standing.state:
        return
    if not standing.let and record.settled_capex is not None:
        yield from _contract(record, standing, record.settled_capex)
    for state in steps_between(standing.state, record.state):
        reason = record.reason if state == record.state else ON_THE_WAY.format(state=STATES[record.state])
        yield drafts_of.advanced(record.id, STATES[state], day=record.day, reason=reason)
    standing.state, standing.since = record.state, record.day


def _payment(record: AcceptanceRecord, standing: Standing) -> Iterator[Draft]:
    reference, cents = record.payment_reference, record.payment
    if record.paid_total is not None:
        cents = record.paid_total - standing.paid
        reference = reference or f"{record.contract} paid until {record.day}: {amount(record.paid_total)}".strip()
    if not cents or (record.payment is not None and reference in standing.vouchers):
        return
    yield drafts_of.paid(record.id, day=record.day, cents=cents, reference=reference)
    standing.vouchers[reference] = cents
    standing.paid += cents


def _proof(record: AcceptanceRecord, standing: Standing, place: Place | None) -> Iterator[Draft]:
    if place is not None and place != standing.place:
        yield drafts_of.placed(record.id, day=record.day, x_m=place[0], y_m=place[1], method=record.survey or SURVEY)
        standing.place = place
    for file in record.evidence:
        if file.sha256 not in standing.evidence:
            yield drafts_of.evidenced(record.id, day=record.day, name=file.name, sha256=file.sha256, size=file.size)
            standing.evidence.add(file.sha256)


def unknown_faults(
    records: Sequence[AcceptanceRecord], known: Mapping[str, Standing], projects: set[str], *, new: bool
) -> Iterator[Fault]:
    """Yield a fault for each record of a facility or project that is not in the ledger, unless it may be ``new``."""
    told: set[str] = set()
    for record in records:
        if record.id not in known and record.id not in told:
            if not new:
                remedy = "Mend the id; if it was never planned, import with --new."
                yield Fault(record.layer, f"the ledger has no facility {record.id!r}", remedy, record.row)
            elif not record.technology or not record.kind:
                remedy = "Give technology (专业) and kind (类型) of a new facility."
                yield Fault(record.layer, f"{record.id} is new and is not described", remedy, record.row)
            told.add(record.id)
        if record.project and record.project not in projects:
            remedy = "Import the projects first, with --projects."
            yield Fault(record.layer, f"the ledger has no project {record.project!r}", remedy, record.row)
