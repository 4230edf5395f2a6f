"""Tables of published figures against the models, row by row.

Tolerances are the figures' own: what their source asserts them with, or half a unit in the last
place that they are printed with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.errors import Fault, InputError
from xinji.io.validation import ValidationData
from xinji.io.validation_tables import Table
from xinji.plan.radio import p676, p838, p2108, p2109, tr38901
from xinji.workflow.validate_itm import area_db, point_to_point_db
from xinji.workflow.validate_result import Failure, SetResult

ROUNDING = 1e-6
"""Share of a tolerance by which figures rounded exactly halfway may pass it."""

TR38901_FREQUENCY_GHZ = 5.0
TR38901_TERMINAL_M = 1.5
"""What figures of TR 38.901 hold for where their columns do not say."""

_BUILDINGS = {1: p2109.TRADITIONAL, 2: p2109.THERMALLY_EFFICIENT}
_RELATIVE = "relative"


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """A quantity of a table's rows (n): as published and as computed; NaN where the model refused."""

    name: str
    expected: Floats
    found: Floats


@dataclass(frozen=True, slots=True)
class Comparison:
    """A table with its figures, their tolerance [unit], why rows were refused, and which should be."""

    table: Table
    figures: tuple[Figure, ...]
    tolerance: float
    refusals: Mapping[int, str]
    to_refuse: Bools


Model = Callable[[Table, Ints], tuple[Floats, ...]]
"""Computes the figures of some rows of a table (each (k,)); raises InputError if it refuses one of them."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How a kind of table is judged: columns of the figures, the model, the tolerance and its unit."""

    columns: tuple[str, ...]
    model: Model
    tolerance: float
    unit: str = "dB"


def code_faults(data: ValidationData) -> Iterator[Fault]:
    """Yield every code in the tables that means nothing."""
    codes: dict[str, dict[str, tuple[int, ...]]] = {
        "p2109": {"building_type": tuple(_BUILDINGS)},
        "tr38901": {"los": (0, 1), "asserted": (0, 1)},
    }
    for name, columns in codes.items():
        for table in data.tables.get(name, ()):
            for column, allowed in columns.items():
                values = table.numbers.get(column, np.zeros(0))
                for row in np.flatnonzero(~np.isin(values, allowed)):
                    message = f"line {table.lines[row]}: {column} is {values[row]:g}"
                    yield Fault(table.file, message, f"Use one of {', '.join(map(str, allowed))}.", int(row))


def table_results(name: str, tables: tuple[Table, ...]) -> Iterator[SetResult]:
    """Yield the result of the set ``name``; rows that their source does not assert stand by themselves."""
    compared = [_compare(table, RULES[name, table.kind]) for table in tables if len(table)]
    asserted = [_asserted(comparison.table) for comparison in compared]
    unit = next(rule.unit for (of, _), rule in RULES.items() if of == name)
    yield _result(name, unit, compared, asserted)
    if not all(rows.all() for rows in asserted):
        yield _result(f"{name}/unasserted", unit, compared, [~rows for rows in asserted], asserted=False)


def _asserted(table: Table) -> Bools:
    return np.asarray(table.numbers.get("asserted", np.ones(len(table))) == 1.0)


def _compare(table: Table, rule: Rule) -> Comparison:
    found, refusals = _computed(table, rule)
    figures = tuple(
        Figure(column, table.numbers[column], values)
        for column, values in zip(rule.columns, found, strict=True)
        if column in table.numbers
    )
    to_refuse = np.asarray(table.numbers.get("refused", np.zeros(len(table))) != 0.0)
    return Comparison(table, figures, rule.tolerance, refusals, to_refuse)


def _computed(table: Table, rule: Rule) -> tuple[tuple[Floats, ...], dict[int, str]]:
    """Return the figures of all rows, and why the model refused rows: together if it can, else one by one."""
    rows = np.arange(len(table))
    refusals: dict[int, str] = {}
    try:
        return rule.model(table, rows), refusals
    except InputError:
        found = tuple(np.full(len(table), np.nan) for _ in rule.columns)
    for row in rows:
        try:
            values = rule.model(table, rows[row : row + 1])
        except InputError as error:
            refusals[int(row)] = str(error)
        else:
            for column, value in zip(found, values, strict=True):
                column[row] = value[0]
    return found, refusals


def _errors(figure: Figure, unit: str) -> Floats:
    """Return the error [unit] of each row (n,); relative to the published figure where that is not zero."""
    error = np.abs(figure.found - figure.expected)
    scale = np.abs(figure.expected)
    return np.where(scale > 0.0, error / np.where(scale > 0.0, scale, 1.0), error) if unit == _RELATIVE else error


def _result(name: str, unit: str, compared: list[Comparison], rows: list[Bools], *, asserted: bool = True) -> SetResult:
    """Return the result over ``rows`` of each table."""
    passed, failures, worst = 0, list[Failure](), list[float]()
    for comparison, chosen in zip(compared, rows, strict=True):
        errors = np.array([_errors(figure, unit) for figure in comparison.figures])
        good = (errors <= comparison.tolerance * (1.0 + ROUNDING)).all(axis=0)
        refused = np.isin(np.arange(len(comparison.table)), list(comparison.refusals))
        right = np.where(comparison.to_refuse, refused, good)
        passed += int((right & chosen).sum())
        worst += errors[:, chosen & ~comparison.to_refuse].ravel().tolist()
        for row in np.flatnonzero(chosen & ~right):
            failures += _failures(comparison, int(row), errors[:, row])
    numbers = [error for error in worst if np.isfinite(error)]
    unused = sorted({column for comparison in compared for column in comparison.table.unused})
    remarks = [f"columns not used: {', '.join(unused)}"] if unused else []
    if not asserted:
        remarks.append("figures that their source lists without asserting them; they fail nothing")
    return SetResult(
        set=name,
        cases=sum(int(chosen.sum()) for chosen in rows),
        passed=passed,
        worst=max(numbers, default=None),
        unit=unit,
        tolerance=max((comparison.tolerance for comparison in compared), default=None),
        failures=tuple(failures),
        note="; ".join(remarks),
        asserted=asserted,
    )


def _failures(comparison: Comparison, row: int, errors: Floats) -> Iterator[Failure]:
    place = comparison.table.place(row)
    if row in comparison.refusals:
        figure = comparison.figures[0]
        yield Failure(place, figure.name, float(figure.expected[row]), None, comparison.refusals[row])
        return
    for figure, error in zip(comparison.figures, errors, strict=True):
        found = float(figure.found[row])
        if comparison.to_refuse[row]:
            yield Failure(place, figure.name, None, found)
        elif not error <= comparison.tolerance * (1.0 + ROUNDING):
            yield Failure(place, figure.name, float(figure.expected[row]), found)


def _taken(table: Table, rows: Ints, *columns: str) -> tuple[Floats, ...]:
    return tuple(table.numbers[column][rows] for column in columns)


def _grouped(keys: list[int], evaluate: Callable[[int, Ints], Floats]) -> Floats:
    """Return ``evaluate(key, places)`` put together over the places of each key (k,)."""
    found = np.empty(len(keys))
    for key in set(keys):
        places = np.flatnonzero(np.array(keys) == key)
        found[places] = evaluate(key, places)
    return found


def _entry_loss(table: Table, rows: Ints) -> tuple[Floats, ...]:
    frequency, percent, angle = _taken(table, rows, "frequency_ghz", "probability_percent", "elevation_deg")
    kinds = [int(code) for code in table.numbers["building_type"][rows]]

    def evaluate(kind: int, at: Ints) -> Floats:
        return p2109.entry_loss_db(_BUILDINGS[kind], frequency[at], percent[at] / 100.0, angle[at])

    return (_grouped(kinds, evaluate),)


def _gases(table: Table, rows: Ints) -> tuple[Floats, ...]:
    frequency, *air = _taken(table, rows, "frequency_ghz", "pressure_hpa", "temperature_k", "vapour_g_m3")
    atmosphere = p676.Atmosphere(*air)
    oxygen = p676.oxygen_db_km(frequency, atmosphere)
    vapour = p676.vapour_db_km(frequency, atmosphere)
    return oxygen, vapour, p676.gas_db_km(frequency, atmosphere)


def _rain(table: Table, rows: Ints) -> tuple[Floats, ...]:
    rate, *path = _taken(table, rows, "rain_mm_h", "frequency_ghz", "elevation_deg", "tilt_deg")
    k, alpha = p838.coefficients(*path)
    return k, alpha, p838.rain_db_km(rate, *path)


def _terrestrial(table: Table, rows: Ints) -> tuple[Floats, ...]:
    distance, frequency, percent = _taken(table, rows, "distance_km", "frequency_ghz", "location_percent")
    return (p2108.terrestrial_db(distance, frequency, percent / 100.0),)


def _slant(table: Table, rows: Ints) -> tuple[Floats, ...]:
    frequency, angle, percent = _taken(table, rows, "frequency_ghz", "elevation_deg", "location_percent")
    return (p2108.slant_db(frequency, angle, percent / 100.0),)


def _height_gain(table: Table, rows: Ints) -> tuple[Floats, ...]:
    link = _taken(table, rows, "frequency_ghz", "height_m", "clutter_height_m", "street_width_m")
    kinds = [int(code) for code in table.numbers["clutter_type"][rows]]

    def evaluate(kind: int, at: Ints) -> Floats:
        if kind not in list(p2108.Clutter):
            raise InputError([Fault(p2108.NAME, f"clutter type {kind} is unknown", "Use 1 to 6 (Table 3).")])
        frequency, height, clutter, street = (values[at] for values in link)
        return p2108.height_gain_db(p2108.Clutter(kind), frequency, height, clutter, street)

    return (_grouped(kinds, evaluate),)


def _path_loss(table: Table, rows: Ints) -> tuple[Floats, ...]:
    distance, h_bs = _taken(table, rows, "distance_2d_m", "h_bs_m")
    frequency = table.numbers.get("frequency_ghz", np.full(len(table), TR38901_FREQUENCY_GHZ))[rows]
    h_ut = table.numbers.get("h_ut_m", np.full(len(table), TR38901_TERMINAL_M))[rows]
    found = np.empty(len(rows))
    for place, row in enumerate(rows):
        at = slice(place, place + 1)
        scenario, los = table.words["scenario"][row], bool(table.numbers["los"][row])
        straight = tr38901.distance_3d_m(distance[at], h_bs[at], h_ut[at])
        if scenario in {"InH", "InH-Office"}:
            found[at] = tr38901.office_path_loss_db(straight, frequency[at], los=los)
        elif scenario in tr38901.FACTORIES:
            found[at] = tr38901.factory_path_loss_db(scenario, straight, frequency[at], los=los)
        else:
            found[at] = tr38901.path_loss_db(scenario, distance[at], frequency[at], h_bs[at], h_ut[at], los=los)
    return (found,)


HALF_DIGIT_DB = 0.0501
"""Half of the last decimal of figures printed with one, and room for a tie."""

RULES: Mapping[tuple[str, str], Rule] = {
    ("p2108", "terrestrial"): Rule(("loss_db",), _terrestrial, HALF_DIGIT_DB),
    ("p2108", "aeronautical"): Rule(("loss_db",), _slant, HALF_DIGIT_DB),
    ("p2108", "height gain"): Rule(("loss_db",), _height_gain, HALF_DIGIT_DB),
    ("p2109", "entry loss"): Rule(("entry_loss_db",), _entry_loss, 1e-6),
    ("p676", "specific attenuation"): Rule(("oxygen_db_km", "vapour_db_km", "total_db_km"), _gases, 1e-9, _RELATIVE),
    ("p838", "rain"): Rule(("k", "alpha", "rain_db_km"), _rain, 5.01e-9, "dB/km"),
    ("tr38901", "path loss"): Rule(("path_loss_db",), _path_loss, 0.05),
    ("itm", "area"): Rule(("loss_db",), area_db, HALF_DIGIT_DB),
    ("itm", "point to point"): Rule(("loss_db",), point_to_point_db, 0.1 * HALF_DIGIT_DB),
}
"""Rules by set and kind of table.

P.2108 is printed with one decimal, P.838 with 8, ITM with one (area) or two; TR 38.901 is asserted
within 0.05 dB; P.2109 and P.676 are printed in full. k and alpha of P.838 are judged in their own units.
"""
