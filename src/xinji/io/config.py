"""``region.toml``: its models, its reader that lists every fault at once, and its writer."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import pyproj
from pydantic import AllowInfNan, BaseModel, ConfigDict, Field, Strict, ValidationError

from xinji.core.parameters import Parameter
from xinji.core.policy import Floor, Policy
from xinji.core.vocabulary import GROUPS
from xinji.errors import Fault, ParameterError, PolicyError, RegionError, raise_if

CONFIG_FILE = "region.toml"
PROFILE_CURRENCY = {"cn": "CNY", "lmic": "USD"}
"""The currency that the money figures of each parameter profile are kept in."""

Text: TypeAlias = Annotated[str, Strict()]
Line: TypeAlias = Annotated[str, Strict(), Field(min_length=1)]
Whole: TypeAlias = Annotated[int, Strict()]
Flag: TypeAlias = Annotated[bool, Strict()]
Number: TypeAlias = Annotated[float, Strict(), AllowInfNan(allow_inf_nan=False)]
Positive: TypeAlias = Annotated[Number, Field(ge=0)]
Share: TypeAlias = Annotated[Number, Field(ge=0, le=1)]
FileName: TypeAlias = Annotated[str, Strict(), Field(pattern=r"^[^/\\]+\.(parquet|tif)$")]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LayerNames(_Table):
    """File names of the layers inside the folder; ``no_build`` and ``water`` may be absent."""

    cells: FileName = "cells.parquet"
    roads: FileName = "roads.parquet"
    facilities: FileName = "facilities.parquet"
    boundary: FileName = "boundary.parquet"
    no_build: FileName = "no_build.parquet"
    water: FileName = "water.parquet"
    terrain: FileName = "terrain.tif"
    clutter: FileName = "clutter.tif"


class GroupRule(_Table):
    """Thresholds by which cells fall into ``GROUPS``, tried in the order of that list.

    ``industrial_area_share_min`` [share of the cell's area] and ``workers_per_km2_min``
    [workers/km2] make an industrial cluster; ``residents_per_km2_urban_min`` and
    ``residents_per_km2_town_min`` [residents/km2] make urban and town; the rest is rural. The two
    densities of residents default to the thresholds of an urban centre (1500) and of an urban
    cluster (300) in the Degree of Urbanisation (United Nations Statistical Commission, 2020).
    """

    industrial_area_share_min: Share = 0.3
    workers_per_km2_min: Positive = 500.0
    residents_per_km2_urban_min: Positive = 1500.0
    residents_per_km2_town_min: Positive = 300.0


class ParameterOverride(_Table):
    """The region's own figure in place of the profile's; low and high default to the value."""

    value: Number
    unit: Line
    low: Number | None = None
    high: Number | None = None
    year: Text = ""
    source: Line = "region.toml"
    status: Literal["sourced", "derived", "assumption", "user must confirm"] = "assumption"
    url: Text = ""
    note: Text = ""


class Priority(_Table):
    """What a person or worker of each group counts, relative to the others."""

    industrial_cluster: Positive = 1.0
    urban: Positive = 1.0
    town: Positive = 1.0
    rural: Positive = 1.0


class FloorConfig(_Table):
    """One universal-service floor; see ``xinji.core.policy.Floor``."""

    group: Text
    service: Text
    year: Whole
    share: Number


class PolicyConfig(_Table):
    """Years, budgets [currency], priorities and floors; see ``xinji.core.policy.Policy``."""

    years: tuple[Whole, ...]
    budget: tuple[Number, ...]
    carry_over: Flag = False
    discount_rate: Number | None = None
    build_ahead: Number = 0.2
    question: Text = "most_value"
    priority: Priority = Priority()
    floors: tuple[FloorConfig, ...] = ()


class RegionConfig(_Table):
    """The whole of ``region.toml``.

    ``import_`` (the table ``import``) is kept as it stands: only ``xinji import`` reads it.
    ``gcj02_checked`` says that the user has laid the layers over a trusted map, so that a
    suspected GCJ-02 shift is a warning and no fault.
    """

    format: Literal[1]
    name: Annotated[str, Strict(), Field(pattern=r"^[a-z0-9_-]+$")]
    title_en: Line
    title_zh: Line
    crs: Line
    currency: Annotated[str, Strict(), Field(pattern=r"^[A-Z]{3}$")]
    profile: Literal["cn", "lmic"]
    attribution: tuple[Line, ...]
    gcj02_checked: Flag = False
    layers: LayerNames = LayerNames()
    groups: GroupRule = GroupRule()
    parameters: dict[str, ParameterOverride] = {}
    policy: PolicyConfig
    import_: dict[str, Any] = Field(default_factory=dict, alias="import")


def read_config(path: Path) -> RegionConfig:
    """Read ``region.toml`` at ``path``; raises RegionError with every fault of the file."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        remedy = "Write one with `xinji new`, or name a folder that holds it."
        raise RegionError([Fault(path.name, f"there is no {path}", remedy)]) from None
    except UnicodeDecodeError as error:
        message = f"the file is not UTF-8 text ({error.reason} at byte {error.start})"
        raise RegionError([Fault(path.name, message, "Save it as UTF-8.")]) from None
    except OSError as error:
        raise RegionError([Fault(path.name, f"cannot be read: {error.strerror}", "Check the path.")]) from None
    return parse_config(text, path.name)


def parse_config(text: str, name: str = CONFIG_FILE) -> RegionConfig:
    """Parse the ``text`` of a region.toml called ``name``; raises RegionError with every fault."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        remedy = "Mend the line; text stands in quotes, lists in [ ] with commas."
        raise RegionError([Fault(name, f"not valid TOML: {error}", remedy)]) from None
    try:
        config = RegionConfig.model_validate(table)
    except ValidationError as error:
        faults = [fault for found in error.errors() for fault in _model_faults(found, name)]
        places = {found["loc"][0] for found in error.errors() if found["loc"]}
        raise RegionError([*faults, *_later_faults(table, places, name)]) from None
    raise_if(_later_faults(table, set(), name), RegionError)
    return config


def salvage(path: Path) -> tuple[LayerNames, str]:
    """Return the file names and the CRS ('' if none) of a faulty region.toml, as far as they are sound.

    With them the layers can be checked although the file as a whole is refused.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        names = LayerNames.model_validate(table.get("layers", {}))
    except (OSError, ValueError):
        return LayerNames(), ""
    crs = table.get("crs", "")
    return names, crs if isinstance(crs, str) and not crs_fault(crs) else ""


def policy(config: RegionConfig, *, discount_rate: float = 0.08) -> Policy:
    """Return what the planner wants; ``discount_rate`` stands in where region.toml gives none.

    Raises PolicyError with every contradiction between years, budgets, priorities and floors.
    """
    return _policy(config.policy, discount_rate)


def overrides(config: RegionConfig) -> dict[str, Parameter]:
    """Return the region's own parameters by key; raises ParameterError where a range is wrong."""
    found = {
        key: Parameter(
            key,
            own.value,
            own.unit,
            own.year,
            own.value if own.low is None else own.low,
            own.value if own.high is None else own.high,
            own.status,
            own.source,
            own.url,
            own.note,
        )
        for key, own in config.parameters.items()
    }
    raise_if([fault for parameter in found.values() for fault in parameter.faults()], ParameterError)
    return found


def dump_config(config: RegionConfig) -> str:
    """Return ``config`` as the text of a region.toml that reads back equal."""
    table = config.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_unset=True)
    return "\n".join(_toml_lines(table, ())).strip() + "\n"


def crs_fault(crs: str) -> str:
    """Return what is wrong with ``crs`` as a region's CRS (projected, in metres), or ''."""
    try:
        parsed = pyproj.CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError:
        return f"{crs!r} is no coordinate reference system"
    if not parsed.is_projected:
        return f"{crs} is not projected"
    units = {axis.unit_name for axis in parsed.axis_info}
    return "" if units == {"metre"} else f"{crs} counts in {', '.join(sorted(units))}, not in metres"


def _policy(table: PolicyConfig, discount_rate: float = 0.08) -> Policy:
    return Policy(
        years=table.years,
        budget=table.budget,
        carry_over=table.carry_over,
        discount_rate=discount_rate if table.discount_rate is None else table.discount_rate,
        priority={group: getattr(table.priority, group) for group in GROUPS},
        floors=tuple(Floor(f.group, f.service, f.year, f.share) for f in table.floors),
        build_ahead=table.build_ahead,
        question=table.question,
    )


def _model_faults(error: Any, name: str) -> Iterator[Fault]:  # noqa: ANN401 - pydantic's ErrorDetails
    loc = tuple(str(part) for part in error["loc"])
    place, message = f"{name}, {'.'.join(loc)}", str(error["msg"])
    if error["type"] == "extra_forbidden":
        yield Fault(place, "the key is unknown", _suggestion(loc))
    elif error["type"] == "missing":
        yield Fault(place, "the key is missing", f"Add {loc[-1]!r}; `xinji new` writes a commented example.")
    else:
        remedy = message.replace("Input should be", "It must be").replace("String should", "It must")
        yield Fault(place, f"found {_shown(error['input'])}", remedy.replace("match pattern", "be written as") + ".")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _suggestion(loc: tuple[str, ...]) -> str:
    known = _known_keys(loc[:-1])
    if loc[0] == "parameters" and loc[-1] not in known:
        close = difflib.get_close_matches(loc[-1], known, 1)
        if not close:
            return 'Put a key with dots in quotes: [parameters."a.b"].'
    close = difflib.get_close_matches(loc[-1], known, 1)
    if close:
        return f"Did you mean {close[0]!r}?"
    return f"Remove it, or use one of: {', '.join(known)}."


def _known_keys(loc: tuple[str, ...]) -> list[str]:
    tables: Mapping[str, type[_Table]] = {
        "layers": LayerNames,
        "groups": GroupRule,
        "parameters": ParameterOverride,
        "policy": PolicyConfig,
    }
    model: type[_Table] = tables[loc[0]] if loc else RegionConfig
    if len(loc) > 1 and loc[0] == "policy":
        model = Priority if loc[1] == "priority" else FloorConfig
    return [field.alias or key for key, field in model.model_fields.items()]


def _later_faults(table: Mapping[str, Any], bad: set[Any], name: str) -> Iterator[Fault]:
    """Yield what only shows once each part is well formed; ``bad`` names the parts that are not."""
    if "policy" in table and "policy" not in bad:
        yield from _policy_faults(PolicyConfig.model_validate(table["policy"]), name)
    if "parameters" in table and "parameters" not in bad:
        for key, own in table["parameters"].items():
            low, high = own.get("low", own["value"]), own.get("high", own["value"])
            if not low <= own["value"] <= high:
                message = f"value {own['value']:g} is not within {low:g} to {high:g}"
                yield Fault(f"{name}, parameters.{key}", message, "Mend the value, low or high.")
    if "crs" in table and "crs" not in bad:
        message = crs_fault(table["crs"])
        if message:
            remedy = 'Give a projected CRS in metres, for example "EPSG:32650" (UTM zone 50N).'
            yield Fault(f"{name}, crs", message, remedy)
    yield from _currency_faults(table, bad, name)


def _policy_faults(table: PolicyConfig, name: str) -> Iterator[Fault]:
    try:
        _policy(table)
    except PolicyError as error:
        for fault in error.faults:
            row = "" if fault.row is None else f".{fault.row}"
            yield Fault(f"{name}, {fault.layer}{row}", fault.message, fault.remedy)
    if table.budget and not any(table.budget):
        message = "the budget is zero in every year"
        yield Fault(f"{name}, policy.budget", message, "Give at least one year an amount above 0.")


def _currency_faults(table: Mapping[str, Any], bad: set[Any], name: str) -> Iterator[Fault]:
    if bad & {"currency", "profile"} or not {"currency", "profile"} <= set(table):
        return
    expected = PROFILE_CURRENCY[table["profile"]]
    if table["currency"] != expected:
        message = f"the currency is {table['currency']}, the figures of profile {table['profile']!r} are in {expected}"
        yield Fault(f"{name}, currency", message, f"Give budgets in {expected} and set currency = {expected!r}.")


def _toml_lines(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    deeper = {key: value for key, value in table.items() if _is_table(value) or _is_tables(value)}
    for key, value in table.items():
        if key not in deeper:
            yield f"{_toml_key(key)} = {_toml_value(value)}"
    for key, value in deeper.items():
        here = (*path, key)
        head = ".".join(_toml_key(part) for part in here)
        for part in value if _is_tables(value) else [value]:
            yield from ("", f"[[{head}]]" if _is_tables(value) else f"[{head}]")
            yield from _toml_lines(part, here)


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping)


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(part, Mapping) for part in value)


def _toml_key(key: str) -> str:
    plain = key.replace("_", "").replace("-", "")
    return key if plain.isascii() and plain.isalnum() else _toml_value(key)


def _toml_value(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_toml_value(part) for part in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_toml_key(k)} = {_toml_value(v)}" for k, v in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
