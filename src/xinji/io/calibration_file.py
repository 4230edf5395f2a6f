"""A calibration as a TOML file that a person can read, change and hand to ``xinji coverage``."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, Strict, ValidationError

from xinji.core.calibration import Calibration, Errors, Evidence, Verdict
from xinji.core.vocabulary import LAND_USES
from xinji.errors import Fault, InputError, raise_if
from xinji.io.atomic import atomic_file

FORMAT = 1
"""Raised when an older reader would misread the file."""

_REMEDY = "Mend the line, or run `xinji calibrate` again."

Text = Annotated[str, Strict()]
Number = Annotated[float, Strict()]
Whole = Annotated[int, Strict()]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _LandUse(_Table):
    applied: Annotated[bool, Strict()]
    offset_db: Number
    sigma_db: Number


class _Errors(_Table):
    mae_db: Number
    rmse_db: Number
    bias_db: Number


class _Evidence(_Table):
    subject: Text
    points: Whole
    bins: Whole
    effective_bins: Number
    sites: Whole
    offset_db: Number
    stderr_db: Number
    spread_before_db: Number
    spread_after_db: Number
    before: _Errors
    after: _Errors


class _Verdict(_Table):
    subject: Text
    kind: Text
    message: Text


class _File(_Table):
    format: Literal[1]
    model: Text
    slope_db: Number
    reference_m: Number
    distance_m: tuple[Number, Number]
    site_sigma_db: Number
    bands_mhz: tuple[Whole, ...]
    land_use: dict[str, _LandUse]
    evidence: tuple[_Evidence, ...] = ()
    verdict: Annotated[tuple[_Verdict, ...], Field(default_factory=tuple)]


def write_calibration(path: Path, calibration: Calibration) -> None:
    """Write ``calibration`` to ``path`` as TOML; it reads back equal. Raises OutputError where the disk refuses."""
    with atomic_file(path) as fresh:
        fresh.write_text("\n".join(_lines(calibration)) + "\n", encoding="utf-8")


def read_calibration(path: Path) -> Calibration:
    """Return the calibration of the file at ``path``. Raises InputError with every fault of the file."""
    found = _parsed(path)
    listed = list(found.land_use)
    faults = [Fault(path.name, f"land_use.{use} is missing", _REMEDY) for use in LAND_USES if use not in listed]
    faults += [Fault(path.name, f"land_use.{use} is unknown", _REMEDY) for use in listed if use not in LAND_USES]
    raise_if(faults)
    uses = [found.land_use[use] for use in LAND_USES]
    return Calibration(
        model=found.model,
        offset_db=np.array([use.offset_db for use in uses]),
        applied=np.array([use.applied for use in uses]),
        slope_db=found.slope_db,
        reference_m=found.reference_m,
        distance_m=found.distance_m,
        sigma_db=np.array([use.sigma_db for use in uses]),
        site_sigma_db=found.site_sigma_db,
        bands_mhz=found.bands_mhz,
        evidence=tuple(_evidence(one) for one in found.evidence),
        verdicts=tuple(Verdict(one.subject, one.kind, one.message) for one in found.verdict),
    )


def _parsed(path: Path) -> _File:
    try:
        return _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        message, remedy = f"there is no file {path}", "Write one with `xinji calibrate`, or check the spelling."
    except OSError as error:
        message, remedy = f"the file cannot be read ({error.strerror})", "Check the path and your rights."
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        message, remedy = f"not valid TOML: {error}", _REMEDY
    except ValidationError as error:
        raise InputError(_model_faults(error, path.name)) from None
    raise InputError([Fault(path.name, message, remedy)])


def _evidence(one: _Evidence) -> Evidence:
    values = one.model_dump()
    return Evidence(**{**values, "before": Errors(**values["before"]), "after": Errors(**values["after"])})


def _model_faults(error: ValidationError, name: str) -> Iterator[Fault]:
    for found in error.errors():
        place = ".".join(str(part) for part in found["loc"])
        yield Fault(name, f"{place}: {found['msg']}", _REMEDY)


def _lines(calibration: Calibration) -> Iterator[str]:
    yield "# Further loss by land use, fitted to measured RSRP by `xinji calibrate`."
    yield "# Loss grows by offset_db + slope_db * log10(distance / reference_m) where applied is true;"
    yield "# distances beyond distance_m count as at its ends."
    head: Mapping[str, object] = {
        "format": FORMAT,
        "model": calibration.model,
        "slope_db": calibration.slope_db,
        "reference_m": calibration.reference_m,
        "distance_m": list(calibration.distance_m),
        "site_sigma_db": calibration.site_sigma_db,
        "bands_mhz": list(calibration.bands_mhz),
    }
    yield from _pairs(head)
    for code, use in enumerate(LAND_USES):
        columns = ("applied", "offset_db", "sigma_db")
        yield from ("", f"[land_use.{use}]")
        yield from _pairs({name: getattr(calibration, name)[code].item() for name in columns})
    for one in calibration.evidence:
        yield from ("", "[[evidence]]")
        yield from _pairs(asdict(one))
    for verdict in calibration.verdicts:
        yield from ("", "[[verdict]]")
        yield from _pairs(asdict(verdict))


def _pairs(table: Mapping[str, object]) -> Iterator[str]:
    for key, value in table.items():
        yield f"{key} = {_value(value)}"


def _value(value: object) -> str:
    """Return ``value`` as TOML writes it; floats keep all their digits."""
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else str(value)
    if isinstance(value, list):
        return "[" + ", ".join(_value(part) for part in value) + "]"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(part)}" for key, part in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
