"""What `xinji build` does: keep the ledger, and say what came of it."""

from __future__ import annotations

import gc
import json
import sys
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from xinji.build.chain import parse_head
from xinji.build.signature import PrivateKey, read_key, read_trusted
from xinji.build.store import shown_place
from xinji.cli_build_arguments import who_of
from xinji.cli_build_text import audit_lines, import_lines, register_lines, status_lines, variance_lines
from xinji.core.facilities import NO_CONTRACT, STATES
from xinji.errors import Fault, InputError, raise_if
from xinji.io.building_tables import write_tables
from xinji.show.building import building_words
from xinji.workflow.building_advance import Hand, Step, advance
from xinji.workflow.building_audit import AuditSettings, audit_ledger
from xinji.workflow.building_days import future_faults
from xinji.workflow.building_import import ImportSettings, import_records
from xinji.workflow.building_keys import new_key, trust_key
from xinji.workflow.building_open import Opening, open_empty, open_from_plan, opened_with_records, set_plan
from xinji.workflow.building_register import import_projects, register_report, register_tables
from xinji.workflow.building_report import (
    Status,
    VarianceSettings,
    facility_events,
    ledger_status,
    state_counts,
    variance_report,
)
from xinji.workflow.building_tables import heads, report_objects, rule_text, variance_tables
from xinji.workflow.building_void import void_event

DONE, FOUND = 0, 1


def run_build(arguments: Namespace) -> int:
    """Run the sub-verb of ``arguments`` and return the exit status. Raises XinjiError for what is refused."""
    verbs: Mapping[str, Callable[[Namespace], int]] = {
        "open": _open,
        "baseline": _baseline,
        "import": _import,
        "status": _status,
        "advance": _advance,
        "void": _void,
        "variance": _variance,
        "register": _register,
        "audit": _audit,
        "key": _key,
    }
    with _cycles_left_alone():
        return verbs[arguments.build_verb](arguments)


@contextmanager
def _cycles_left_alone() -> Iterator[None]:
    """Look for no cycles meanwhile: a command makes a million small objects that live to its end.

    Looking through them again and again takes a quarter of the time of an import of 10,000 facilities.
    """
    looked = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if looked:
            gc.enable()


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")


def _say_object(value: object) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False, default=str) + "\n")


def _signer(arguments: Namespace) -> PrivateKey | None:
    return read_key(arguments.key) if arguments.key else None


def _opening(arguments: Namespace, *, day: str = "", name: str = "plan") -> Opening:
    return Opening(
        who=who_of(arguments.who),
        key=_signer(arguments),
        day=day,
        baseline=name,
        areas=arguments.areas,
        area_column=arguments.area_column,
        future=arguments.future,
    )


def _open(arguments: Namespace) -> int:
    raise_if(_open_faults(arguments), InputError)
    opening = _opening(arguments, day=arguments.day or "", name=arguments.name)
    if arguments.plan is None:
        years = arguments.years
        open_empty(arguments.ledger, arguments.region, arguments.crs, arguments.currency, years, opening)
        made = {"region": arguments.region, "facilities": 0, "existing": 0, "capex": 0}
    else:
        facts = open_from_plan(arguments.ledger, arguments.plan, opening)
        capex = sum(asset.capex for asset in facts.assets)
        made = {"region": facts.region, "facilities": len(facts.assets)}
        made |= {"existing": len(facts.existing), "capex": capex}
    place = shown_place(arguments.ledger)
    if arguments.json:
        _say_object({"ledger": place, **made})
    else:
        _say([f"Made {place} of {made['region']}: {made['facilities']:,} facilities planned"])
        _say([f"Next: `xinji build import {place} RECORDS`."])
    return DONE


def _baseline(arguments: Namespace) -> int:
    opening = _opening(arguments, day=arguments.day or "", name=arguments.name)
    change = set_plan(arguments.ledger, arguments.plan, opening)
    found = {name: list(getattr(change, name)) for name in change.__slots__}
    if arguments.json:
        _say_object(found)
    else:
        counts = ", ".join(f"{len(names):,} {what}" for what, names in found.items())
        _say([f"Baseline {arguments.name} of {arguments.plan}: {counts}"])
    return DONE


def _open_faults(arguments: Namespace) -> Iterator[Fault]:
    if not arguments.future:
        yield from future_faults("--day", arguments.day or "")
    own = {name: getattr(arguments, name) for name in ("region", "crs", "currency", "years")}
    for name, value in own.items():
        if arguments.plan is None and not value:
            yield Fault(f"--{name}", "it is missing", "Give --plan, or --region, --crs, --currency and --years.")
        if arguments.plan is not None and value:
            yield Fault(f"--{name}", "the plan says it already", "Leave it out.")


def _evidence_root(arguments: Namespace) -> Path | None:
    """Return the folder that evidence is named from: as given, or the ledger's own."""
    if arguments.evidence:
        root: Path = arguments.evidence
        if not root.is_dir():
            raise InputError([Fault("--evidence", f"there is no folder {root}", "Check the spelling.")])
        return root
    return None if "://" in arguments.ledger else Path(arguments.ledger).resolve().parent


def _import(arguments: Namespace) -> int:
    settings = ImportSettings(
        who=who_of(arguments.who),
        key=_signer(arguments),
        sheet=arguments.sheet,
        ignored=arguments.ignore,
        new=arguments.new,
        places_checked=arguments.places_checked,
        future=arguments.future,
        evidence_root=_evidence_root(arguments),
        dry=arguments.dry_run,
    )
    take = import_projects if arguments.projects else import_records
    if arguments.plan is not None and not ("://" in arguments.ledger or Path(arguments.ledger).exists()):
        opening, keep = _opening(arguments), not settings.dry
        with opened_with_records(arguments.ledger, arguments.plan, opening, keep=keep) as fresh:
            found = take(fresh, arguments.file, settings)
    else:
        found = take(arguments.ledger, arguments.file, settings)
    if arguments.json:
        _say_object(asdict(found))
    else:
        _say(import_lines(found))
    return DONE


def _status(arguments: Namespace) -> int:
    if arguments.facility:
        return _one_facility(arguments)
    found = ledger_status(arguments.ledger, at=arguments.at or "", known=arguments.known)
    if arguments.json:
        counts = {"all": state_counts(found.facilities)}
        technologies = sorted(set(found.facilities.technology.tolist()))
        counts |= {name: state_counts(found.facilities, name) for name in technologies}
        _say_object(_status_object(found, counts))
    else:
        _say(status_lines(found, building_words(arguments.language)))
    return DONE


def _status_object(found: Status, counts: Mapping[str, object]) -> dict[str, object]:
    now = found.facilities
    columns = (now.id.tolist(), now.state.tolist(), now.contract_capex.tolist(), now.paid.tolist())
    return {
        "region": asdict(found.region),
        "at": found.at,
        "events": found.events,
        "head": found.head,
        "baselines": [asdict(baseline) for baseline in found.baselines],
        "states": counts,
        "facilities": {
            name: {"state": STATES[state], "contract": None if contract == NO_CONTRACT else contract, "paid": paid}
            for name, state, contract, paid in zip(*columns, strict=True)
        },
    }


def _one_facility(arguments: Namespace) -> int:
    events = facility_events(arguments.ledger, arguments.facility, at=arguments.at or "", known=arguments.known)
    if arguments.json:
        _say_object([asdict(event) for event in events])
    else:
        for event in events:
            said = ", ".join(f"{key} {value}" for key, value in event.payload.items() if value not in ("", None))
            _say([f"{event.number:>8}  {event.day}  {event.kind:<20}  {event.who}: {said}"])
    return DONE


def _advance(arguments: Namespace) -> int:
    step = Step(
        facilities=tuple(dict.fromkeys(arguments.facilities)),
        day=arguments.day,
        to=arguments.to,
        back=arguments.back,
        reason=arguments.reason,
        completion=arguments.completion or "",
        contract=arguments.contract,
        contractor=arguments.contractor,
        sum_text=arguments.sum,
        pay_text=arguments.pay,
        voucher=arguments.voucher,
        evidence=tuple(arguments.evidence),
    )
    root = None if "://" in arguments.ledger else Path(arguments.ledger).resolve().parent
    hand = Hand(who_of(arguments.who), _signer(arguments), arguments.head, root, arguments.future)
    events, head = advance(arguments.ledger, step, hand)
    if arguments.json:
        _say_object({"events": [asdict(event) for event in events], "head": str(head)})
    else:
        for event in events:
            said = ", ".join(f"{value}" for value in event.payload.values() if value not in ("", None))
            _say([f"{event.day}  {event.facility}  {event.kind}  {said}"])
        _say([f"head {head}"])
    return DONE


def _void(arguments: Namespace) -> int:
    hand = Hand(who=who_of(arguments.who), key=_signer(arguments), head=arguments.head)
    wrong, event, head = void_event(arguments.ledger, arguments.number, arguments.reason, hand)
    if arguments.json:
        _say_object({"void": asdict(wrong), "event": asdict(event), "head": str(head)})
    else:
        about = wrong.facility or wrong.project
        _say([f"Event {wrong.number} counts no longer: {wrong.day}  {about}  {wrong.kind}", f"head {head}"])
    return DONE


def _variance(arguments: Namespace) -> int:
    settings = VarianceSettings(
        at=arguments.at or "",
        known=arguments.known,
        baseline=arguments.baseline,
        by=arguments.by,
        rule=arguments.earn,
        cost=arguments.cost,
    )
    found, text = variance_report(arguments.ledger, settings), building_words(arguments.language)
    lines = list(variance_lines(found, text))
    if arguments.out:
        above = (*heads(found, text), rule_text(found, text))
        files = write_tables(arguments.out, variance_tables(found, text), workbook="variance.xlsx", heads=above)
        lines += ["", *_named_files(files)]
    _say_either(arguments, lines, dict(report_objects(found)))
    return FOUND if found.total.money.difference else DONE


def _register(arguments: Namespace) -> int:
    text = building_words(arguments.language)
    found = register_report(arguments.ledger, at=arguments.at or "", known=arguments.known)
    lines = list(register_lines(found, text))
    if arguments.out:
        title = text["register.title"].format(quarter=found.quarter)
        above = (f"{found.region} · {title} · {found.currency}", text["register.scenario_note"])
        files = write_tables(arguments.out, register_tables(found, text), workbook="register.xlsx", heads=above)
        lines += ["", *_named_files(files)]
    _say_either(arguments, lines, asdict(found))
    return DONE


def _named_files(files: Mapping[str, Path]) -> Iterator[str]:
    yield from (f"{name}: {path}" for name, path in files.items())


def _say_either(arguments: Namespace, lines: Iterable[str], value: object) -> None:
    if arguments.json:
        _say_object(value)
    else:
        _say(lines)


def _audit(arguments: Namespace) -> int:
    settings = AuditSettings(
        head=parse_head(arguments.head) if arguments.head else None,
        trusted=read_trusted(arguments.trusted) if arguments.trusted else None,
        evidence_root=_evidence_root(arguments),
    )
    found = audit_ledger(arguments.ledger, settings)
    _say_either(arguments, list(audit_lines(found)), asdict(found))
    return FOUND if found.findings else DONE


def _key(arguments: Namespace) -> int:
    raise_if(_key_faults(arguments), InputError)
    if arguments.file is not None:
        _say([f"Made {arguments.file}; keep it to yourself.", new_key(arguments.file)])
    if arguments.trust:
        head = trust_key(arguments.ledger, arguments.name, arguments.trust, who_of(arguments.who), _signer(arguments))
        _say([f"{arguments.name} signs with {arguments.trust} from now on.", f"head {head}"])
    return DONE


def _key_faults(arguments: Namespace) -> Iterator[Fault]:
    if arguments.file is None and not arguments.trust:
        yield Fault("key", "there is nothing to do", "Give FILE for a new key, or --trust KEY.")
    if arguments.trust and not (arguments.name and arguments.ledger):
        yield Fault("--trust", "whose key it is, or the ledger, is missing", "Give --name and --ledger.")
