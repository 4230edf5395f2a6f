"""One step of facilities by hand: state, contract, payment, evidence; forward or back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from xinji.build import event_drafts as drafts_of
from xinji.build.chain import parse_head
from xinji.build.event import Draft
from xinji.build.ledger import Event, Filter, Head, Ledger
from xinji.build.signature import PrivateKey
from xinji.core.facilities import STATES
from xinji.errors import Fault, InputError, raise_if
from xinji.io.acceptance import AcceptanceRecord
from xinji.io.acceptance_columns import STATE_WORDS
from xinji.io.acceptance_evidence import evidence_of
from xinji.io.acceptance_values import CellError, cents_of
from xinji.workflow.building_days import future_faults
from xinji.workflow.building_drafts import record_drafts
from xinji.workflow.building_standing import Standings, standings

_PLACE = "command line"


@dataclass(frozen=True, slots=True)
class Step:
    """What happened to ``facilities`` on ``day``; texts are empty where nothing is said.

    ``to`` is a state's name (English or Chinese), ``back`` goes to it by one step with ``reason``;
    ``sum_text`` and ``pay_text`` are amounts for each facility in currency units; ``completion`` is the day to
    which completion is rescheduled, for a ``reason``.
    """

    facilities: tuple[str, ...]
    day: str
    to: str = ""
    back: bool = False
    reason: str = ""
    completion: str = ""
    contract: str = ""
    contractor: str = ""
    sum_text: str = ""
    pay_text: str = ""
    voucher: str = ""
    evidence: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Hand:
    """Who takes a step, with which key; the head they looked at, and the folder that evidence is named from.

    ``future`` lets in a day that has not come yet.
    """

    who: str
    key: PrivateKey | None = None
    head: str = ""
    evidence_root: Path | None = None
    future: bool = False


def advance(place: str, step: Step, hand: Hand) -> tuple[tuple[Event, ...], Head]:
    """Record ``step`` in the ledger at ``place``; return its events and the ledger's head after it.

    All facilities or none. Raises InputError with every fault, ConflictError where a facility changed
    since ``hand.head``.
    """
    faults = [] if hand.future else list(future_faults("--day", step.day))
    with Ledger.open(place, who=hand.who, key=hand.key) as ledger:
        head = parse_head(hand.head) if hand.head else ledger.head()
        events = ledger.events(Filter(last=head.number))
        known = standings(events)
        for standing in known.values():
            # A step by hand is news: it may lead to where the facility was before, on the same day too.
            standing.keep_present()
        unknown = [name for name in step.facilities if name not in known]
        faults += [Fault(_PLACE, f"the ledger has no facility {name!r}", "Mend the id.") for name in unknown]
        records = [] if unknown else list(_records(step, hand, known, faults))
        drafts = [draft for record in records for draft in _drafts(step, record, known, faults)]
        if not drafts and not faults:
            faults.append(
                Fault(_PLACE, "there is nothing to record", "Give --to, --contract, --pay, --completion or --evidence.")
            )
        raise_if(faults, InputError)
        return ledger.append(drafts, expected=head), ledger.head()


def _records(step: Step, hand: Hand, known: Standings, faults: list[Fault]) -> Iterator[AcceptanceRecord]:
    word = " ".join(step.to.replace("_", " ").split()).lower()
    if step.to and word not in STATE_WORDS:
        faults.append(Fault("--to", f"found {step.to!r}", f"Use one of {', '.join(STATES)}."))
    if step.back and not (step.to and step.reason):
        faults.append(Fault("--back", "no state or no reason is given", "Give --to and --reason."))
    cents = [_cents(text, option, faults) for text, option in ((step.sum_text, "--sum"), (step.pay_text, "--pay"))]
    files = []
    for path in step.evidence:
        try:
            files.append(evidence_of(path, hand.evidence_root))
        except CellError as error:
            faults.append(Fault(str(path), error.found, error.remedy))
    if faults:
        return
    for row, name in enumerate(step.facilities):
        old = known[name].state
        yield AcceptanceRecord(
            layer=_PLACE,
            row=row,
            id=name,
            state=old if step.back else STATE_WORDS.get(word, old),
            day=step.day,
            contract=step.contract,
            contractor=step.contractor,
            contract_capex=cents[0],
            settled_capex=None,
            payment=cents[1],
            paid_total=None,
            payment_reference=step.voucher,
            place=None,
            place_m=None,
            survey="",
            evidence=tuple(files),
            project="",
            reason=step.reason,
            completion=step.completion,
            area="",
            technology="",
            kind="",
            planned_year=None,
            planned_capex=None,
            planned_opex=None,
            length_m=None,
        )


def _cents(text: str, option: str, faults: list[Fault]) -> int | None:
    if not text:
        return None
    try:
        return cents_of(text, 1, negative=option == "--pay")
    except CellError as error:
        faults.append(Fault(option, error.found, error.remedy))
        return None


def _drafts(step: Step, record: AcceptanceRecord, known: Standings, faults: list[Fault]) -> Iterator[Draft]:
    if record.contract_capex is not None and not record.contract:
        faults.append(Fault("--sum", "a contract sum is given without a contract", "Give --contract."))
        return
    if step.back:
        state = STATES[STATE_WORDS[" ".join(step.to.replace("_", " ").split()).lower()]]
        yield drafts_of.returned(record.id, state, day=step.day, reason=step.reason)
        known[record.id].enter(STATES.index(state), step.day)
        record = replace(record, state=known[record.id].state)
    yield from record_drafts(record, known, None, faults)
