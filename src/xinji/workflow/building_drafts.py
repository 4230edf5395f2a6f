"""From acceptance records to what a ledger records: only what it does not have yet, and no step left out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from xinji.build import event_drafts as drafts_of
from xinji.build.event import Draft
from xinji.build.event_drafts import PlannedAsset
from xinji.build.states import steps_between
from xinji.core.facilities import ACCEPTED, CANCELLED, CONTRACTED, IN_USE, PLANNED, RETIRED, STATES
from xinji.core.offer import EXISTING
from xinji.errors import Fault
from xinji.io.acceptance import AcceptanceRecord
from xinji.units import CENTS_PER_UNIT
from xinji.workflow.building_places import Place
from xinji.workflow.building_standing import Standing, Standings, Told

ON_THE_WAY = "not reported; passed on the way to {state}"
"""Reason of a step that a record implies and does not tell."""
UNPLANNED = "not planned"
"""Baseline of a facility that came with an acceptance record."""
SURVEY = "acceptance record"
"""How a place was measured where a record does not say."""


def record_drafts(
    record: AcceptanceRecord, known: Standings, place: Place | None, faults: list[Fault]
) -> Iterator[Draft]:
    """Yield what ``record`` tells beyond what is ``known``, which takes it up; what cannot be goes to ``faults``.

    A record speaks of its own day: what the ledger has of that day already is not told again, whatever came since.
    """
    begun = len(faults)
    if record.id not in known:
        stood = record.state == IN_USE and not record.contract
        yield registration(record, place, stood=stood)
        known[record.id] = Standing(Told([(record.day, IN_USE if stood else PLANNED)]))
    standing = known[record.id]
    for message, remedy in _refusals(record, standing):
        faults.append(Fault(record.layer, message, remedy, record.row))
    if len(faults) > begun:
        return
    if record.project and not standing.project.has(record.day, record.project):
        yield drafts_of.assigned(record.id, record.project, day=record.day)
        standing.project.add(record.day, record.project)
    if not _as_it_was_let(record, standing):
        yield from _contract(record, standing, record.contract_capex)
    yield from _steps(record, standing)
    if _reschedules(record, standing):
        yield drafts_of.rescheduled(record.id, record.completion, day=record.day, reason=record.reason)
        standing.completion.add(record.day, record.completion)
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
    steps = _ahead(record, standing)
    if not (record.state == standing.state or standing.was(record.state, record.day)):
        yield from _unreachable(record, standing, steps)
    yield from _unlet(record, standing, steps)
    yield from _unpayable(record, standing)
    if _reschedules(record, standing) and not record.reason:
        message = f"completion of {record.id} is rescheduled to {record.completion} without a reason"
        yield message, "Say why in the column reason (原因)."


def _reschedules(record: AcceptanceRecord, standing: Standing) -> bool:
    """Return whether a record moves the date of completion."""
    return record.completion != "" and not standing.completion.has(record.day, record.completion)


def _ahead(record: AcceptanceRecord, standing: Standing) -> tuple[int, ...]:
    """Return the states that a record adds to what is known; none where the facility was in its state on its day."""
    if record.state == standing.state or standing.was(record.state, record.day):
        return ()
    return steps_between(standing.state, record.state)


def _unreachable(record: AcceptanceRecord, standing: Standing, steps: tuple[int, ...]) -> Iterator[tuple[str, str]]:
    old, new = STATES[standing.state], STATES[record.state]
    if standing.state in (CANCELLED, RETIRED):
        yield f"{record.id} is {old} since {standing.since}", "Plan it again first, or mend the id."
    elif not steps:
        remedy = "Mend the state; to go back, use `xinji build advance --back` with a reason."
        yield f"{record.id} is {old} since {standing.since} and cannot become {new}", remedy
    elif record.day < standing.since:
        yield f"{record.id} became {old} on {standing.since}, after {record.day}", "Mend the day."


def _unlet(record: AcceptanceRecord, standing: Standing, steps: tuple[int, ...]) -> Iterator[tuple[str, str]]:
    """Yield what a record lacks of a contract, or leaves open of its sum."""
    sums = (record.contract_capex, record.settled_capex)
    still = standing.open_sums(record.day)
    numbers = {number for number, _ in still} | {number for number, _ in standing.sums.during(record.day)}
    if CONTRACTED in steps and not standing.let and not record.contract:
        yield (
            f"{record.id} has no contract and is to be {STATES[record.state]}",
            "Give contract (合同编号) and contract_capex (合同金额).",
        )
    elif record.contract and record.contract not in numbers and sums == (None, None):
        yield f"the contract {record.contract} is new and has no sum", "Give contract_capex (合同金额)."
    agreed = (record.contract, record.contract_capex or 0)
    repeated = record.contract_capex is not None and agreed in still and not standing.was_let(agreed, record.day)
    if repeated and record.settled_capex is None and ACCEPTED <= record.state <= RETIRED:
        number, cents = still[-1]
        message = f"{record.contract} was let for {amount(agreed[1])}, and is {number} for {amount(cents)} since"
        yield message, "Give what it costs now in settled_capex (结算金额), or leave contract_capex empty."


def _unpayable(record: AcceptanceRecord, standing: Standing) -> Iterator[tuple[str, str]]:
    if record.payment is not None and not record.payment_reference:
        remedy = "Give payment_reference (付款凭证号), or the sum paid until now in paid_total (累计付款)."
        yield "a payment has no voucher, and could be counted twice", remedy
    known = standing.vouchers.get(record.payment_reference)
    if record.payment is not None and known is not None and known != record.payment:
        remedy = "Give each payment a voucher of its own."
        yield f"the voucher {record.payment_reference} paid {amount(known)} already", remedy
    until = standing.totals(record.day)[-1]
    later = standing.payments.entries[-1][0] > record.day if standing.payments.entries else False
    if record.paid_total is not None and not _is_paid(record, standing) and (record.paid_total < until or later):
        message = f"{amount(record.paid_total)} were paid until now, the ledger has {amount(until)}"
        if record.paid_total < until:
            yield message, "Give money that came back as a negative payment with its voucher."
        else:
            remedy = "Give what was paid in between as payment (本次付款), each with its voucher."
            yield f"{message} by {record.day} and {amount(standing.paid)} in all", remedy


def _is_paid(record: AcceptanceRecord, standing: Standing) -> bool:
    """Return whether the sum paid until a record's day is what the ledger has of that day."""
    return record.paid_total in standing.totals(record.day)


def amount(cents: int) -> str:
    """Return ``cents`` in currency units, exactly, thousands marked."""
    whole, rest = divmod(abs(cents), CENTS_PER_UNIT)
    return f"{'-' if cents < 0 else ''}{whole:,}.{rest:02d}"


def _as_it_was_let(record: AcceptanceRecord, standing: Standing) -> bool:
    """Return whether a record that tells the settlement repeats beside it what had been agreed before."""
    agreed = (record.contract, record.contract_capex)
    return record.settled_capex is not None and agreed in standing.open_sums(record.day)


def _contract(record: AcceptanceRecord, standing: Standing, cents: int | None) -> Iterator[Draft]:
    if cents is None or standing.was_let((record.contract, cents), record.day):
        return
    contractor = record.contractor or standing.contractor
    yield drafts_of.contract_let(
        record.id, day=record.day, contract=record.contract, contractor=contractor, capex=cents
    )
    standing.sums.add(record.day, (record.contract, cents))
    standing.contractor = contractor


def _steps(record: AcceptanceRecord, standing: Standing) -> Iterator[Draft]:
    steps = _ahead(record, standing)
    if steps and not standing.let:
        yield from _contract(record, standing, record.settled_capex)
    for state in steps:
        reason = record.reason if state == record.state else ON_THE_WAY.format(state=STATES[record.state])
        yield drafts_of.advanced(record.id, STATES[state], day=record.day, reason=reason)
        standing.enter(state, record.day)


def _payment(record: AcceptanceRecord, standing: Standing) -> Iterator[Draft]:
    reference, cents = record.payment_reference, record.payment
    if record.paid_total is not None:
        cents = 0 if _is_paid(record, standing) else record.paid_total - standing.paid
        reference = reference or f"{record.contract} paid until {record.day}: {amount(record.paid_total)}".strip()
    if not cents or (record.payment is not None and reference in standing.vouchers):
        return
    yield drafts_of.paid(record.id, day=record.day, cents=cents, reference=reference)
    standing.vouchers[reference] = cents
    standing.payments.add(record.day, cents)


def _proof(record: AcceptanceRecord, standing: Standing, place: Place | None) -> Iterator[Draft]:
    if place is not None and not standing.place.has(record.day, place):
        yield drafts_of.placed(record.id, day=record.day, x_m=place[0], y_m=place[1], method=record.survey or SURVEY)
        standing.place.add(record.day, place)
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
