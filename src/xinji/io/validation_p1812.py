"""Validation cases of ITU-R P.1812 as ITU-R Study Group 3 hands them round.

``profiles/NAME.csv`` holds a terrain profile between its ``{Begin of Profile}`` and
``{End of Profile}`` lines; ``results/NAME_K_log.csv`` holds the inputs of one computation on it and
every intermediate result, each with the equation that it comes from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xinji.core.arrays import Codes, Floats, freeze
from xinji.errors import Fault
from xinji.io.validation_tables import Line, number, read_lines

RADIO_MET_CODES = (1, 3, 4)
"""Sea, coastal land, inland."""

INPUTS = (
    "f", "p", "pL", "sigmaL", "phi_t", "phi_r", "lam_t", "lam_r", "htg", "hrg", "pol", "DN", "N0", "dct", "dcr",
)  # fmt: skip
"""What a log must give: GHz, %, %, dB, four angles [deg], two heights [m], 1 or 2, N-units/km, N-units, two in km."""

OPTIONAL_INPUTS = ("Ptx", "Gtx", "Grx")
"""Transmitter power [kW] and two gains [dBi]."""

_LOG = re.compile(r"(?P<profile>.+)_\d+_log\.csv", re.IGNORECASE)
_LABEL = re.compile(r"(?P<name>[^\s(,]+)\s*(\([^)]*\))?\s*(?P<rest>.*)")
_POINT_FIELDS = {0: "the distance", 1: "the height", 3: "the ground cover height", 4: "the radio-met code"}


@dataclass(frozen=True, slots=True, eq=False)
class ProfileRows:
    """A profile (n): distance from the transmitter [km], ground and ground cover [m], radio-met code."""

    file: str
    distance_km: Floats
    height_m: Floats
    clutter_m: Floats
    zone: Codes

    def __post_init__(self) -> None:
        freeze(self.distance_km, self.height_m, self.clutter_m, self.zone)


@dataclass(frozen=True, slots=True)
class Logged:
    """One figure of a log: its name without unit, the equation or table named beside it, and its line."""

    name: str
    reference: str
    value: float
    line: int


@dataclass(frozen=True, slots=True)
class P1812Case:
    """One log: the inputs by name (``INPUTS`` and what there is of ``OPTIONAL_INPUTS``) and the results."""

    file: str
    profile: ProfileRows
    inputs: Mapping[str, float]
    results: tuple[Logged, ...]


@dataclass(frozen=True, slots=True)
class P1812Set:
    """Every case of the set, and a remark on the files that belong to none."""

    cases: tuple[P1812Case, ...]
    note: str


def read_p1812(folder: Path, faults: list[Fault]) -> P1812Set:
    """Return the cases in ``folder`` in the order of their names; faults go to ``faults``."""
    name = folder.name
    logs = _files(folder / "results")
    profiles = {path.stem: path for path in _files(folder / "profiles")}
    stems = {path: match["profile"] for path in logs if (match := _LOG.fullmatch(path.name))}
    if not stems:
        remedy = "Put logs named PROFILE_NUMBER_log.csv into its folder results."
        faults.append(Fault(name, "the set holds no result", remedy))
    read = {stem: _profile(path, f"{name}/profiles/{path.name}", faults) for stem, path in profiles.items()}
    cases = []
    for path, stem in stems.items():
        file = f"{name}/results/{path.name}"
        if stem not in profiles:
            message = f"its profile {name}/profiles/{stem}.csv is not there"
            faults.append(Fault(file, message, "Add the profile, or take the log out."))
        case = _log(path, file, read.get(stem), faults)
        if case is not None:
            cases.append(case)
    idle = [*(path.name for path in logs if path not in stems), *sorted(set(profiles) - set(stems.values()))]
    return P1812Set(tuple(cases), f"without a case: {', '.join(idle)}" if idle else "")


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*") if path.suffix.lower() == ".csv") if folder.is_dir() else []


def _profile(path: Path, file: str, faults: list[Fault]) -> ProfileRows | None:
    lines = read_lines(path, file, faults)
    if lines is None:
        return None
    rows, said, from_tx = _sections(lines)
    wrong = list(_profile_faults(file, rows, said, from_tx))
    if wrong:
        faults += wrong
        return None
    points = np.array([[float(row[cell]) for cell in _POINT_FIELDS] for _, row in rows])
    if from_tx == "R":
        points = points[::-1].copy()
        points[:, 0] = points[0, 0] - points[:, 0]
    distance_km, height_m, clutter_m, zone = (column.copy() for column in points.T)
    return ProfileRows(file, distance_km, height_m, clutter_m, zone.astype(np.uint8))


def _sections(lines: list[Line]) -> tuple[list[Line], str | None, str]:
    """Return the points, the number of points promised and the end that the profile starts from."""
    rows: list[Line] = []
    said, start, inside = None, "T", False
    for line, cells in lines:
        head = cells[0].lower()
        second = cells[1] if len(cells) > 1 else ""
        if head.startswith("first point"):
            start = second.upper()[:1]
        elif head == "{begin of profile}":
            inside = True
        elif head == "{end of profile}":
            inside = False
        elif inside and head.startswith("number of points"):
            said = second
        elif inside and not head.startswith("#"):
            rows.append((line, cells))
    return rows, said, start


def _profile_faults(file: str, rows: list[Line], said: str | None, start: str) -> Iterator[Fault]:
    if start not in ("T", "R"):
        yield Fault(file, f"'First Point TX or RX' is {start!r}", "Write T or R.")
    if len(rows) < 2:
        message = f"the profile has {len(rows)} points between its begin and end lines"
        yield Fault(file, message, "Give at least 2 points after the line {Begin of Profile}.")
    if said is not None and number(said) != len(rows):
        yield Fault(file, f"'Number of Points' is {said}, but {len(rows)} follow", "Correct the one or the other.")
    before = -np.inf
    for row, (line, cells) in enumerate(rows):
        yield from _point_faults(file, row, line, cells, before)
        distance = number(cells[0])
        before = before if distance is None else distance


def _point_faults(file: str, row: int, line: int, cells: list[str], before: float) -> Iterator[Fault]:
    """Yield what is wrong with a point of a profile; ``before`` is the distance of the one before [km]."""
    values = {at: number(cells[at]) if at < len(cells) else None for at in _POINT_FIELDS}
    for at, what in _POINT_FIELDS.items():
        if values[at] is None:
            found = repr(cells[at]) if at < len(cells) and cells[at] else "missing"
            yield Fault(file, f"line {line}: {what} is {found}", "Write a finite number.", row)
    distance, cover, zone = values[0], values[3], values[4]
    if distance is not None and distance <= before:
        message = f"line {line}: the distance {distance:g} km is not beyond the one before"
        yield Fault(file, message, "Let distances increase.", row)
    if cover is not None and cover < 0:
        yield Fault(file, f"line {line}: the ground cover height is {cover:g} m", "Give at least 0 m.", row)
    if zone is not None and zone not in RADIO_MET_CODES:
        message = f"line {line}: the radio-met code is {zone:g}"
        yield Fault(file, message, "Use 1 (sea), 3 (coastal land) or 4 (inland).", row)


def _log(path: Path, file: str, profile: ProfileRows | None, faults: list[Fault]) -> P1812Case | None:
    lines = read_lines(path, file, faults)
    if lines is None:
        return None
    entries = []
    wrong = []
    for line, cells in lines:
        if cells[0].startswith(("#", "{")):
            continue
        entry = _entry(line, cells)
        if entry is None:
            found = f"line {line}: {cells[0] or 'a row'} has no number behind it"
            wrong.append(Fault(file, found, "Write label, equation, nothing and the value.", line - 1))
        else:
            entries.append(entry)
    known = (*INPUTS, *OPTIONAL_INPUTS)
    inputs = {entry.name: entry.value for entry in entries if entry.name in known and not entry.reference}
    wrong += list(_input_faults(file, inputs, entries))
    faults += wrong
    if wrong or profile is None:
        return None
    results = tuple(entry for entry in entries if not (entry.name in known and not entry.reference))
    return P1812Case(file, profile, inputs, results)


def _entry(line: int, cells: list[str]) -> Logged | None:
    """Return the figure of a log's line: the value is its last cell that holds anything."""
    label = _LABEL.fullmatch(cells[0])
    filled = [cell for cell in cells[1:] if cell]
    value = number(filled[-1]) if filled else None
    if label is None or value is None:
        return None
    rest = label["rest"].strip()
    return Logged(f"{label['name']} {rest}".strip(), cells[1] if len(filled) > 1 else "", value, line)


def _input_faults(file: str, inputs: Mapping[str, float], entries: list[Logged]) -> Iterator[Fault]:
    for name in INPUTS:
        if name not in inputs:
            yield Fault(file, f"the input {name} is missing", "Add its line.")
    if inputs.get("pol", 1) not in (1, 2):
        yield Fault(file, f"pol is {inputs['pol']:g}", "Use 1 (horizontal) or 2 (vertical).")
    if inputs.get("Ptx", 1.0) <= 0:
        yield Fault(file, f"Ptx is {inputs['Ptx']:g} kW", "Give a positive power.")
    if not any(entry.name == "Lb" for entry in entries):
        yield Fault(file, "the result Lb is missing", "Add its line.")
