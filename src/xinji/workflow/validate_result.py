"""What validation says: how each set of published figures fared, and each figure that was not met."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

FAILURES_SHOWN = 10
"""So many failures of a set are printed; ``details`` prints all."""

_LEFT = (0, 5)
"""Columns of the table that hold words."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A figure that was not met: the case, the quantity, both figures in its unit, and why.

    ``found`` is None where the model refused the case, ``expected`` where it should have.
    """

    case: str
    quantity: str
    expected: float | None
    found: float | None
    reason: str = ""

    def __str__(self) -> str:
        expected = "a refusal" if self.expected is None else f"{self.expected:.10g}"
        found = "refused" if self.found is None else f"{self.found:.10g}"
        reason = f" ({self.reason})" if self.reason else ""
        return f"{self.case}: {self.quantity} is {found}, expected {expected}{reason}"


@dataclass(frozen=True, slots=True)
class SetResult:
    """How a set fared: cases, those that passed, the worst error and the tolerance [unit].

    ``worst`` is None where no case gave a figure, ``tolerance`` where nothing was judged.
    ``asserted`` is False for figures that their source does not stand behind: they are compared and
    shown, but fail nothing. ``note`` tells what else there is to know.
    """

    set: str
    cases: int
    passed: int
    worst: float | None
    unit: str
    tolerance: float | None
    failures: tuple[Failure, ...] = ()
    note: str = ""
    asserted: bool = True

    @property
    def failed(self) -> bool:
        """Whether a case failed that its source stands behind."""
        return self.asserted and self.passed < self.cases

    def record(self) -> dict[str, str | int | float | None]:
        """Return the result as a JSON object, with a ``note`` where there is one."""
        record: dict[str, str | int | float | None] = {
            "set": self.set,
            "cases": self.cases,
            "passed": self.passed,
            "worst": self.worst,
            "unit": self.unit,
            "tolerance": self.tolerance,
        }
        return {**record, "note": self.note} if self.note else record


def exit_status(results: Iterable[SetResult]) -> int:
    """Return 1 if a case failed, else 0."""
    return int(any(result.failed for result in results))


def table(results: Iterable[SetResult], *, details: bool = False) -> str:
    """Return ``results`` as text: one row a set, then notes and failures (with ``details``, all of them)."""
    results = tuple(results)
    rows = [("set", "cases", "passed", "worst error", "tolerance", "unit"), *map(_cells, results)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [_line(row, widths) for row in rows]
    lines += [f"{result.set}: {result.note}" for result in results if result.note]
    for result in results:
        shown = result.failures if details else result.failures[:FAILURES_SHOWN]
        lines += map(str, shown)
        if len(shown) < len(result.failures):
            lines.append(f"{result.set}: {len(result.failures) - len(shown)} further figures are not met (--details)")
    return "\n".join(lines)


def _cells(result: SetResult) -> tuple[str, ...]:
    worst = "-" if result.worst is None else f"{result.worst:.3g}"
    tolerance = "-" if result.tolerance is None else f"{result.tolerance:g}"
    return result.set, str(result.cases), str(result.passed), worst, tolerance, result.unit


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    cells = (
        cell.ljust(width) if at in _LEFT else cell.rjust(width)
        for at, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join(cells).rstrip()
