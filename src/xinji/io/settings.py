"""Changes to a region.toml from outside the file: keys with values as TOML writes them."""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from xinji.core.parameters import Parameters
from xinji.core.policy import Floor
from xinji.errors import Fault, InputError, raise_if
from xinji.io.config import CONFIG_FILE, RegionConfig, parse_config
from xinji.io.parameters import load

CHANGED = f"{CONFIG_FILE} as changed"
"""What faults call a region.toml that was changed."""

_NUMBER_UNIT = re.compile(r"\s*([-+]?[0-9][0-9_]*\.?[0-9]*(?:[eE][-+]?[0-9]+)?)(?:\s+(\S.*?))?\s*")


def changed_config(
    config: RegionConfig, changes: Iterable[tuple[str, str]], *, floors: Sequence[Floor] = (), question: str = ""
) -> tuple[RegionConfig, str]:
    """Return ``config`` with ``changes`` made, and as the text of a region.toml.

    A change pairs a key with a value as TOML writes it (``policy.budget``, ``60e6`` or ``[60e6,
    50e6]``; one amount stands for every year; ``parameters.energy.tariff``, ``0.7`` or ``0.7
    currency/kWh``). ``floors`` are added; one of the same group, service and year gives way.
    ``question`` replaces the region's unless empty. Raises InputError with every fault.
    """
    table = config.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)
    registry = load(config.profile)
    faults: list[Fault] = []
    for key, text in changes:
        head, _, rest = key.partition(".")
        if head == "policy" and rest:
            _set(table["policy"], rest.split("."), _value(text), key, faults)
        elif head == "parameters" and rest:
            entry = _parameter(rest, text, registry, faults)
            if entry:
                table.setdefault("parameters", {})[rest] = entry
        else:
            remedy = "Name policy.<key> or parameters.<key>, for example policy.budget=60e6."
            faults.append(Fault(f"--set {key}", "the key is neither of the policy nor of the parameters", remedy))
    _spread_budget(table["policy"])
    if question:
        table["policy"]["question"] = question
    table["policy"]["floors"] = _floors(table["policy"].get("floors", []), floors, faults)
    text = "".join(f"{json.dumps(key)} = {toml_value(value)}\n" for key, value in table.items())
    try:
        changed = parse_config(text, CHANGED)
    except InputError as error:
        raise InputError([*faults, *error.faults]) from None
    raise_if(faults)
    return changed, text


def toml_value(value: object) -> str:
    """Return ``value`` (text, numbers, truth values, lists and tables of them) as TOML on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(k)} = {toml_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml_value(part) for part in value) + "]"
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(text: str) -> object:
    """Return what ``text`` means in TOML; a bare word is text."""
    try:
        table = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text.strip()
    return table["value"] if set(table) == {"value"} else text.strip()


def _set(table: dict[str, Any], path: list[str], value: object, key: str, faults: list[Fault]) -> None:
    for part in path[:-1]:
        inner = table.setdefault(part, {})
        if not isinstance(inner, dict):
            faults.append(Fault(f"--set {key}", f"{part} holds no keys of its own", f"Set policy.{part} as a whole."))
            return
        table = inner
    table[path[-1]] = value


def _parameter(key: str, text: str, registry: Parameters, faults: list[Fault]) -> dict[str, object]:
    """Return the table of one parameter in region.toml; its unit is the registry's unless one is given."""
    place = f"--set parameters.{key}"
    known = registry.entries.get(key)
    if known is None:
        close = difflib.get_close_matches(key, registry.entries, 1)
        hint = f"Did you mean {close[0]!r}? " if close else ""
        faults.append(Fault(place, "the parameter is unknown", f"{hint}`xinji parameters` lists all."))
        return {}
    found = _NUMBER_UNIT.fullmatch(text)
    if found is None:
        faults.append(Fault(place, f"the value is {text!r}, not a number", f"Give a number in {known.unit!r}."))
        return {}
    if found[2] not in (None, known.unit):
        message = f"the unit is {found[2]!r}, the registry keeps {known.unit!r}"
        faults.append(Fault(place, message, f"Give the value in {known.unit!r}."))
        return {}
    return {"value": float(found[1]), "unit": known.unit, "source": "set on the command line", "status": "assumption"}


def _spread_budget(policy: dict[str, Any]) -> None:
    """Let one amount stand for every year."""
    budget, years = policy.get("budget"), policy.get("years")
    if isinstance(budget, int | float) and not isinstance(budget, bool) and isinstance(years, list):
        policy["budget"] = [budget] * len(years)


def _floors(old: object, new: Sequence[Floor], faults: list[Fault]) -> object:
    """Return the tables of the floors ``old`` and ``new``; a new one takes the place of its like."""
    tables = [{"group": f.group, "service": f.service, "year": f.year, "share": f.share} for f in new]
    given = {(floor.group, floor.service, floor.year) for floor in new}
    if not tables:
        return old
    if not isinstance(old, list) or not all(isinstance(floor, Mapping) for floor in old):
        faults.append(Fault("--set policy.floors", "no list of tables", "Use --floor GROUP:SERVICE:YEAR:SHARE."))
        return tables
    return [*(f for f in old if (f.get("group"), f.get("service"), f.get("year")) not in given), *tables]
