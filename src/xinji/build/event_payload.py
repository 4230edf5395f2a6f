"""What an event of each kind says, and the check that it says that and nothing else."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache

from xinji.build import event as kinds
from xinji.build.canonical import LARGEST_WHOLE
from xinji.build.event import Draft, Entry
from xinji.build.signature import is_public
from xinji.core.assets import TRENCH
from xinji.core.facilities import STATES
from xinji.core.vocabulary import TECHNOLOGIES
from xinji.errors import Fault

LONGEST_TEXT = 4000
"""Characters that a text in an event may have; longer ones belong into an evidence file."""

LONGEST_NAME = 400
"""Characters that an id or a name may have: databases index them."""

FARTHEST_M = 1e9
"""No place on Earth has a larger coordinate in any CRS [m]."""

FACILITY, PROJECT, BOTH, EITHER, NEITHER, ANY = "facility", "project", "both", "either", "neither", "any"
"""What an event may be about."""

_Check = Callable[[object], bool]
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}")


def _words(value: object) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_TEXT and not _UNSAFE.search(value)


def _text(value: object) -> bool:
    return _words(value) and value != ""


def _name(value: object) -> bool:
    return isinstance(value, str) and value == value.strip() != "" and len(value) <= LONGEST_NAME and _words(value)


def _whole(value: object) -> bool:
    return type(value) is int and -LARGEST_WHOLE <= value <= LARGEST_WHOLE


def _count(value: object) -> bool:
    return type(value) is int and 0 <= value <= LARGEST_WHOLE


def _year(value: object) -> bool:
    return type(value) is int and 1900 <= value <= 9999


def _planned_year(value: object) -> bool:
    return type(value) is int and (value == 0 or _year(value))


def _metres(value: object) -> bool:
    return isinstance(value, float | int) and not isinstance(value, bool) and abs(value) <= FARTHEST_M


def _maybe_metres(value: object) -> bool:
    return value is None or _metres(value)


def _length(value: object) -> bool:
    return value is None or (isinstance(value, float | int) and _metres(value) and value >= 0)


def _state(value: object) -> bool:
    return value in STATES


def _first_state(value: object) -> bool:
    return value in ("planned", "in_use")


def _technology(value: object) -> bool:
    return value in (*TECHNOLOGIES, TRENCH)


def _years(value: object) -> bool:
    return isinstance(value, list | tuple) and all(map(_year, value)) and list(value) == sorted(set(value))


def _amounts(value: object) -> bool:
    return isinstance(value, list | tuple) and all(map(_count, value))


def _date(value: object) -> bool:
    return isinstance(value, str) and is_day(value)


def _details(value: object) -> bool:
    return isinstance(value, Mapping) and all(_name(key) and _words(said) for key, said in value.items())


def _sha256(value: object) -> bool:
    return isinstance(value, str) and _SHA256.fullmatch(value) is not None


def _key(value: object) -> bool:
    return isinstance(value, str) and is_public(value)


_EXPECTED: dict[_Check, str] = {
    _words: f"text of at most {LONGEST_TEXT} characters without control characters, or empty",
    _text: f"text of 1 to {LONGEST_TEXT} characters without control characters",
    _name: f"a name of 1 to {LONGEST_NAME} characters without blanks around it or control characters",
    _whole: "a whole number",
    _count: "a whole number of at least 0",
    _year: "a calendar year",
    _planned_year: "a calendar year, or 0 for what stood before the plan",
    _metres: "metres as a finite number",
    _maybe_metres: "metres as a finite number, or null where not known",
    _length: "metres of at least 0, or null",
    _state: f"one of {', '.join(STATES)}",
    _first_state: "planned, or in_use for what stands already",
    _technology: f"one of {', '.join((*TECHNOLOGIES, TRENCH))}",
    _years: "calendar years, rising",
    _amounts: "whole numbers of at least 0",
    _date: "a date of the calendar as YYYY-MM-DD",
    _details: "texts by name",
    _sha256: "64 hexadecimal digits in lower case",
    _key: "ed25519: and 64 hexadecimal digits",
}

_PLANNED: dict[str, _Check] = {
    "kind": _name,
    "area": _words,
    "baseline": _name,
    "planned_year": _planned_year,
    "planned_x_m": _maybe_metres,
    "planned_y_m": _maybe_metres,
    "length_m": _length,
    "planned_capex": _count,
    "planned_opex": _count,
}
_PROJECT: dict[str, _Check] = {
    "name": _text,
    "industry": _words,
    "scenario": _words,
    "park": _words,
    "owner": _words,
    "planned_cents": _count,
    "details": _details,
}

PAYLOADS: dict[str, dict[str, _Check]] = {
    kinds.REGION_OPENED: {"region": _name, "crs": _text, "currency": _name, "years": _years},
    kinds.FACILITY_REGISTERED: {"technology": _technology, "state": _first_state, **_PLANNED},
    kinds.FACILITY_REPLANNED: _PLANNED,
    kinds.STATE_ADVANCED: {"state": _state, "reason": _words},
    kinds.STATE_RETURNED: {"state": _state, "reason": _text},
    kinds.CONTRACT_LET: {"contract": _name, "contractor": _words, "capex": _count},
    kinds.COMPLETION_RESCHEDULED: {"completion": _date, "reason": _text},
    kinds.PAYMENT_MADE: {"cents": _whole, "reference": _words},
    kinds.PLACE_RECORDED: {"x_m": _metres, "y_m": _metres, "method": _words},
    kinds.EVIDENCE_ATTACHED: {"name": _name, "sha256": _sha256, "size": _count, "note": _words},
    kinds.PROJECT_REGISTERED: _PROJECT,
    kinds.PROJECT_ASSIGNED: {},
    kinds.IDENTIFIER_ASSIGNED: {"identifier": _name},
    kinds.BASELINE_SET: {"name": _name, "plan": _words, "years": _years, "budgets": _amounts, "assets": _count},
    kinds.EVENT_VOIDED: {"number": _count, "reason": _text},
    kinds.KEY_TRUSTED: {"name": _name, "key": _key},
    kinds.KEY_WITHDRAWN: {"key": _key, "reason": _text},
}
"""The keys of each kind's payload, all of them required, with the check of each value."""

ABOUT: dict[str, str] = {
    kinds.REGION_OPENED: NEITHER,
    kinds.FACILITY_REGISTERED: FACILITY,
    kinds.FACILITY_REPLANNED: FACILITY,
    kinds.STATE_ADVANCED: EITHER,
    kinds.STATE_RETURNED: EITHER,
    kinds.CONTRACT_LET: FACILITY,
    kinds.COMPLETION_RESCHEDULED: FACILITY,
    kinds.PAYMENT_MADE: FACILITY,
    kinds.PLACE_RECORDED: FACILITY,
    kinds.EVIDENCE_ATTACHED: EITHER,
    kinds.PROJECT_REGISTERED: PROJECT,
    kinds.PROJECT_ASSIGNED: BOTH,
    kinds.IDENTIFIER_ASSIGNED: FACILITY,
    kinds.BASELINE_SET: NEITHER,
    kinds.EVENT_VOIDED: ANY,
    kinds.KEY_TRUSTED: NEITHER,
    kinds.KEY_WITHDRAWN: NEITHER,
}
"""What an event of each kind is about; a void is about what the voided event is about."""

_FITS = {
    FACILITY: ((True, False),),
    PROJECT: ((False, True),),
    BOTH: ((True, True),),
    EITHER: ((True, False), (False, True)),
    NEITHER: ((False, False),),
    ANY: ((True, False), (False, True), (True, True)),
}


def draft_faults(drafts: Sequence[Draft]) -> Iterator[Fault]:
    """Yield every fault of ``drafts`` that shows without the ledger; ``row`` is the position."""
    for row, draft in enumerate(drafts):
        for message, remedy in entry_faults(draft):
            yield Fault("events", message, remedy, row)


def entry_faults(entry: Entry) -> Iterator[tuple[str, str]]:
    """Yield message and remedy of each thing wrong in ``entry`` by itself: kind, day, subject, payload."""
    checks = PAYLOADS.get(entry.kind)
    if checks is None:
        yield f"the kind {entry.kind!r} is unknown", f"Use one of {', '.join(PAYLOADS)}."
        return
    if not is_day(entry.day):
        yield f"the day is {entry.day!r}", "Give a date of the calendar as YYYY-MM-DD."
    for subject, value in ((FACILITY, entry.facility), (PROJECT, entry.project)):
        if value != "" and not _name(value):
            yield f"the {subject} is {value!r}", f"Give {_EXPECTED[_name]}."
    if (entry.facility != "", entry.project != "") not in _FITS[ABOUT[entry.kind]]:
        named = " and ".join(word for word in (FACILITY, PROJECT) if getattr(entry, word)) or NEITHER
        yield f"{entry.kind} names {named}", f"It is about: {ABOUT[entry.kind]} (of facility and project)."
    yield from _payload_faults(entry, checks)


def _payload_faults(entry: Entry, checks: Mapping[str, _Check]) -> Iterator[tuple[str, str]]:
    payload = entry.payload
    if payload.keys() != checks.keys():
        missing, extra = sorted(checks.keys() - payload.keys()), sorted(map(str, payload.keys() - checks.keys()))
        yield f"{entry.kind} lacks {missing} and has {extra} besides", f"Give {', '.join(checks) or 'nothing'}."
        return
    wrong = [(key, check) for key, check in checks.items() if not check(payload[key])]
    for key, check in wrong:
        yield f"{key} is {_shown(payload[key])}", f"Give {_EXPECTED[check]}."
    if not wrong and entry.kind == kinds.BASELINE_SET and len(payload["years"]) != len(payload["budgets"]):
        yield "years and budgets differ in number", "Give one budget for each year."


@lru_cache(maxsize=4096)
def is_day(text: str) -> bool:
    """Return whether ``text`` is a date of the calendar as YYYY-MM-DD."""
    if not (isinstance(text, str) and _DAY.fullmatch(text)):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _shown(value: object) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
