"""The audit of a ledger: every record as it was recorded, adding up, with its evidence still there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xinji.build import event as kinds
from xinji.build.event import Event
from xinji.build.fold import fold, known_on
from xinji.build.ledger import Baseline, Filter, Head, Ledger
from xinji.build.states import ends_contract
from xinji.build.variance import Money, reconcile
from xinji.core.facilities import CANCELLED, NO_CONTRACT, STATES, Facilities
from xinji.io.acceptance_evidence import CHANGED, FOUND, MISSING, evidence_state
from xinji.workflow.building_drafts import amount
from xinji.workflow.building_report import END_OF_TIME

_NEVER = "NaT"
_Tallied = tuple[int, int, int, str]
"""State, contract [cents], payments [cents] and date of completion as rescheduled."""

CHECKS = ("chain", "replay", "budget", "payments", "evidence")


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """What an audit found: under which of ``CHECKS``, what, and how to mend it."""

    check: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class AuditReport:
    """An audit: what was looked at, and every finding.

    ``money`` reconciles each baseline (by name) with now; ``evidence`` counts files by what came of them,
    empty where they were not looked at.
    """

    head: str
    events: int
    signed: int
    unsigned: int
    facilities: int
    money: Mapping[str, Money]
    evidence: Mapping[str, int]
    files: int
    findings: tuple[AuditFinding, ...]


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """What to hold a ledger against: a head kept elsewhere, keys by name, and the folder of its evidence."""

    head: Head | None = None
    trusted: Mapping[str, Collection[str]] | None = None
    evidence_root: Path | None = None


def audit_ledger(place: str, settings: AuditSettings) -> AuditReport:
    """Return the audit of the ledger at ``place``.

    Chain and signatures are proved again, the facilities replayed by a second way, the budget
    reconciled with every baseline, payments held against contracts, and evidence files against
    their hashes. Raises InputError where there is no ledger.
    """
    with Ledger.open(place) as ledger:
        proof = ledger.verify(head=settings.head, trusted=settings.trusted)
        findings = [AuditFinding("chain", _numbered(f.number, f.message), f.remedy) for f in proof.findings]
        if findings:
            # What follows would be computed from events that are not what was recorded.
            head = str(proof.head)
            return AuditReport(head, proof.events, proof.signed, proof.unsigned, 0, {}, {}, 0, tuple(findings))
        events, baselines = ledger.events(Filter(last=proof.head.number)), ledger.baselines()
        now = ledger.facilities(END_OF_TIME, known=proof.head.number)
    findings += _replay_findings(events, now)
    money = {baseline.name: _money(events, baseline, now) for baseline in baselines}
    findings += _budget_findings(money)
    findings += _payment_findings(now)
    files = _files(events)
    states = _evidence_states(files, settings.evidence_root)
    findings += _evidence_findings(files, states)
    counted = {state: list(states.values()).count(state) for state in (FOUND, CHANGED, MISSING)} if states else {}
    head = str(proof.head)
    return AuditReport(
        head, proof.events, proof.signed, proof.unsigned, len(now), money, counted, len(files), tuple(findings)
    )


def _numbered(number: int, message: str) -> str:
    return f"event {number}: {message}" if number else message


def _money(events: Sequence[Event], baseline: Baseline, now: Facilities) -> Money:
    return reconcile(fold(known_on(events, baseline.number), at=END_OF_TIME), now)


def _budget_findings(money: Mapping[str, Money]) -> Iterator[AuditFinding]:
    for name, found in money.items():
        if found.difference:
            message = f"baseline {name!r} differs from paid, committed and remaining by {amount(found.difference)}"
            yield AuditFinding("budget", message, "Restore the ledger from a copy whose head is known.")


def _payment_findings(now: Facilities) -> Iterator[AuditFinding]:
    paid = now.paid
    let = now.contract_capex != NO_CONTRACT
    # What was paid under a contract that ended is lost, and no part of the one that counts.
    owing = paid - now.sunk
    for k in np.flatnonzero(let & (owing > now.contract_capex)).tolist():
        message = f"{now.id[k]}: {amount(int(owing[k]))} paid, contract {amount(int(now.contract_capex[k]))}"
        yield AuditFinding("payments", message, "Record the settlement, or the money that came back.")
    for k in np.flatnonzero(~let & (owing > 0) & (now.state != CANCELLED)).tolist():
        message = f"{now.id[k]}: {amount(int(owing[k]))} paid without a contract"
        yield AuditFinding("payments", message, "Record the contract, or void the payment.")
    for k in np.flatnonzero(paid < 0).tolist():
        message = f"{now.id[k]}: more money came back than was paid, {amount(int(-paid[k]))}"
        yield AuditFinding("payments", message, "Void the payment that was recorded in error.")


def _replay_findings(events: Sequence[Event], now: Facilities) -> Iterator[AuditFinding]:
    """Yield where a plain tally of the events differs from the ledger's facilities."""
    tally = _tally(events)
    remedy = "The ledger and its events disagree: report this with the ledger."
    if set(tally) != set(now.id.tolist()):
        yield AuditFinding("replay", f"{len(tally)} facilities in the events, {len(now)} in the ledger", remedy)
        return
    paid, completion = now.paid.tolist(), now.completion.astype(str).tolist()
    for k, name in enumerate(now.id.tolist()):
        found = (int(now.state[k]), int(now.contract_capex[k]), paid[k], completion[k])
        if found != tally[name]:
            message = f"{name}: state, contract, payments and completion are {found}, its events say {tally[name]}"
            yield AuditFinding("replay", message, remedy)


def _tally(events: Sequence[Event]) -> dict[str, _Tallied]:
    """Return how each facility stands by reading its own events in a row."""
    void = {event.payload["number"] for event in events if event.kind == kinds.EVENT_VOIDED}
    own: dict[str, list[Event]] = {}
    for event in events:
        if event.facility and event.number not in void and event.kind != kinds.EVENT_VOIDED:
            own.setdefault(event.facility, []).append(event)
    return {name: _standing(sorted(mine, key=lambda event: (event.day, event.number))) for name, mine in own.items()}


def _standing(mine: Sequence[Event]) -> _Tallied:
    state, contract, paid, completion, renewed = 0, NO_CONTRACT, 0, _NEVER, 0
    for event in mine:
        said = event.payload
        if event.kind in (kinds.FACILITY_REGISTERED, kinds.STATE_ADVANCED, kinds.STATE_RETURNED):
            before, state = state, STATES.index(said["state"])
            ended = ends_contract(before, state)
            contract, completion = (NO_CONTRACT, _NEVER) if ended else (contract, completion)
            renewed = event.number if ended else renewed
        elif event.kind == kinds.CONTRACT_LET:
            contract = said["capex"] if event.number > renewed else contract
        elif event.kind == kinds.COMPLETION_RESCHEDULED:
            completion = said["completion"] if event.number > renewed else completion
        elif event.kind == kinds.PAYMENT_MADE:
            paid += said["cents"]
    return state, contract, paid, completion


def _files(events: Sequence[Event]) -> dict[tuple[str, str], str]:
    """Return who each evidence file is about, by its name and SHA-256."""
    void = {event.payload["number"] for event in events if event.kind == kinds.EVENT_VOIDED}
    return {
        (event.payload["name"], event.payload["sha256"]): event.facility or event.project
        for event in events
        if event.kind == kinds.EVIDENCE_ATTACHED and event.number not in void
    }


def _evidence_states(files: Mapping[tuple[str, str], str], root: Path | None) -> dict[tuple[str, str], str]:
    if root is None:
        return {}
    return {(name, sha256): evidence_state(name, sha256, root) for name, sha256 in files}


def _evidence_findings(
    files: Mapping[tuple[str, str], str], states: Mapping[tuple[str, str], str]
) -> Iterator[AuditFinding]:
    for (name, sha256), state in states.items():
        about = files[name, sha256]
        if state == MISSING:
            message = f"{name} of {about} is missing"
            yield AuditFinding("evidence", message, "Put it back, or name its folder with --evidence.")
        elif state == CHANGED:
            message = f"{name} of {about} is not the file that was handed in (SHA-256 {sha256[:12]}...)"
            yield AuditFinding("evidence", message, "Put the original back.")
