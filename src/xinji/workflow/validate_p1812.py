"""Logs of ITU-R P.1812 against the model: the loss, the field strength and every intermediate."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from xinji.errors import InputError
from xinji.io.validation_p1812 import Logged, P1812Case, P1812Set
from xinji.plan.radio.p1812 import LOG_NAMES, Breakdown, Link, Profile, basic_transmission_loss
from xinji.workflow.validate_result import Failure, SetResult

TOLERANCE_DB = 1e-6
"""Of the loss Lb and the field strength Ep."""

RELATIVE_TOLERANCE = 1e-6
"""Of every other figure of a log."""

FLOOR = 1e-6
"""Figures below this are compared as if they were this large: what is left of 1 - 1 is rounding alone."""

_UNIT = re.compile(r"\s*\(.*?\)")
_FIELDS = {
    (_UNIT.sub("", label).strip(), reference): name
    for label, reference, name in ((*key.rsplit(",", 1), name) for key, name in LOG_NAMES.items())
}
"""A log's (name, reference) -> the field of ``Breakdown``."""


@dataclass(slots=True)
class _Tally:
    """What has come up so far."""

    passed: int = 0
    worst_db: list[float] = field(default_factory=list)
    worst_relative: tuple[float, str] = (0.0, "")
    failures: list[Failure] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)


def p1812_result(data: P1812Set) -> SetResult:
    """Return how the logs fare; a case passes if all its figures are met."""
    tally = _Tally()
    for case in data.cases:
        _judge(case, tally)
    error, where = tally.worst_relative
    remarks = [f"worst intermediate {error:.2g} relative: {where}"] if where else []
    if tally.unknown:
        remarks.append(f"rows not compared: {', '.join(sorted(tally.unknown))}")
    if data.note:
        remarks.append(data.note)
    return SetResult(
        set="p1812",
        cases=len(data.cases),
        passed=tally.passed,
        worst=max(tally.worst_db, default=None),
        unit="dB",
        tolerance=TOLERANCE_DB,
        failures=tuple(tally.failures),
        note="; ".join(remarks),
    )


def _judge(case: P1812Case, tally: _Tally) -> None:
    try:
        found = _breakdown(case)
    except InputError as error:
        expected = next(entry.value for entry in case.results if entry.name == "Lb")
        tally.failures.append(Failure(case.file, "Lb", expected, None, str(error)))
        return
    before = len(tally.failures)
    for entry in case.results:
        value = _value(entry, case, found)
        if value is None:
            tally.unknown.add(entry.name)
        else:
            tally.failures += _failures(case, entry, value, tally)
    tally.passed += len(tally.failures) == before


def _failures(case: P1812Case, entry: Logged, value: float, tally: _Tally) -> Iterator[Failure]:
    """Yield the figure if it is not met, and keep the worst errors."""
    error = abs(value - entry.value)
    if entry.name.partition(" ")[0] in {"Lb", "Ep"}:
        if entry.name == "Lb" and math.isfinite(error):
            tally.worst_db.append(error)
        met = error <= TOLERANCE_DB
    else:
        relative = error / max(abs(entry.value), FLOOR)
        where = f"{entry.name} of {case.file}, line {entry.line}"
        tally.worst_relative = max(tally.worst_relative, (relative, where))
        met = relative <= RELATIVE_TOLERANCE
    if not met:
        yield Failure(f"{case.file}, line {entry.line}", entry.name, entry.value, value, entry.reference)


def _value(entry: Logged, case: P1812Case, found: Breakdown) -> float | None:
    """Return the computed figure that ``entry`` logs; None if it is not known."""
    if entry.name.startswith("Ep w.r.t."):
        gains = case.inputs.get("Gtx", 0.0) + case.inputs.get("Grx", 0.0)
        return found.field_dbuv_m + 10.0 * math.log10(case.inputs.get("Ptx", 1.0)) + gains
    # The clutter next to the two ends is logged as it was read.
    if entry.name == "R2":
        return float(case.profile.clutter_m[1])
    if entry.name == "Rn-1":
        return float(case.profile.clutter_m[-2])
    name = _FIELDS.get((entry.name, entry.reference))
    return None if name is None else float(getattr(found, name))


def _breakdown(case: P1812Case) -> Breakdown:
    """Return what the model computes for ``case``; raises InputError if it refuses."""
    rows, given = case.profile, case.inputs
    profile = Profile(rows.distance_km, rows.height_m, rows.clutter_m, rows.zone)
    link = Link(
        frequency_ghz=given["f"],
        time_percent=given["p"],
        location_percent=given["pL"],
        sigma_db=given["sigmaL"],
        tx_height_m=given["htg"],
        rx_height_m=given["hrg"],
        polarization="horizontal" if given["pol"] == 1 else "vertical",
        tx_latitude_deg=given["phi_t"],
        tx_longitude_deg=given["lam_t"],
        rx_latitude_deg=given["phi_r"],
        rx_longitude_deg=given["lam_r"],
        refractivity_gradient=given["DN"],
        surface_refractivity=given["N0"],
        tx_coast_km=given["dct"],
        rx_coast_km=given["dcr"],
    )
    return basic_transmission_loss(profile, link)
