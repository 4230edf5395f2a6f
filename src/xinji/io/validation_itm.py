"""Terrain lines of the Irregular Terrain Model: number of intervals, interval [m], then heights [m]."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from xinji.core.arrays import Floats, freeze
from xinji.errors import Fault
from xinji.io.validation_tables import number, read_lines

_HEAD = 2


def read_pfls(path: Path, file: str, faults: list[Fault]) -> tuple[Floats, ...]:
    """Return the lines of ``path`` (interval [m], then n heights [m]); faults go to ``faults``."""
    lines = read_lines(path, file, faults) or []
    terrain = []
    for row, (line, cells) in enumerate(entry for entry in lines if not entry[1][0].startswith("#")):
        filled = cells[: max(at for at, cell in enumerate(cells) if cell) + 1]
        wrong = list(_line_faults(file, row, line, filled))
        faults += wrong
        if not wrong:
            values = np.array([float(cell) for cell in filled[1:]])
            freeze(values)
            terrain.append(values)
    return tuple(terrain)


def _line_faults(file: str, row: int, line: int, cells: list[str]) -> Iterator[Fault]:
    values = [number(cell) for cell in cells]
    for at, value in enumerate(values):
        if value is None:
            yield Fault(file, f"line {line}: cell {at + 1} is {cells[at]!r}", "Write a finite number.", row)
            return
    heights = len(values) - _HEAD
    said, step = values[0], values[1] if len(values) > 1 else None
    if said is not None and said != heights - 1:
        message = f"line {line}: {said:g} intervals are announced, {heights} heights follow"
        yield Fault(file, message, "Give one height more than intervals.", row)
    if step is not None and step <= 0:
        yield Fault(file, f"line {line}: the interval is {step:g} m", "Give a positive interval.", row)
