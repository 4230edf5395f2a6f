"""What the validation of design engines says: a row for each instance, and what is wrong with an answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from xinji.io.instances import COVERING
from xinji.io.instances_files import Known
from xinji.plan.design.proof import certified_gap

RELATIVE = 1e-9
"""Relative error of sums in float64 that passes for equality."""

_LOOSE = 1e-7
"""Relative error of data that are no whole numbers: shares of customers are served within tolerances."""

_WHOLE = 1e-6
_HEAD = ("family", "instance", "value", "bound", "known", "gap %", "certified %", "CPU s")
_LEFT = (0, 1)


@dataclass(frozen=True, slots=True)
class DesignResult:
    """How an engine fared on one instance.

    ``value`` is the answer's as worked out again, ``bound`` what no answer can pass; both None where the
    engine gave none. ``known`` is what others proved, ``whole`` whether costs are whole numbers; ``seconds``
    processor time. ``faults`` says what the independent check found.
    """

    family: str
    instance: str
    value: float | None
    bound: float | None
    known: Known | None
    seconds: float
    whole: bool
    faults: tuple[str, ...] = ()

    @property
    def gap(self) -> float | None:
        """Distance of the value from the best known one, as a share of it; None where none is known."""
        if self.value is None or self.known is None:
            return None
        distance = self._worse(self.value, self.known.upper)
        return distance / max(abs(self.known.upper), 1e-12) if distance else 0.0

    @property
    def certified(self) -> float | None:
        """Distance of the bound from the value, as a share of the value."""
        return None if self.value is None or self.bound is None else certified_gap(self.value, self.bound)

    @property
    def failures(self) -> tuple[str, ...]:
        """Everything that must not be: faults of the answer, and contradictions to what is proved."""
        return (*self.faults, *self._contradictions())

    def record(self) -> dict[str, str | float | None]:
        """Return the result as a JSON object."""
        return {
            "family": self.family,
            "instance": self.instance,
            "value": self.value,
            "bound": self.bound,
            "known": None if self.known is None else self.known.upper,
            "gap": self.gap,
            "certified_gap": self.certified,
            "seconds": round(self.seconds, 3),
        }

    def _worse(self, a: float, b: float) -> float:
        """Return by how much ``a`` is a worse value than ``b``."""
        return b - a if self.family == COVERING else a - b

    def _contradictions(self) -> Iterator[str]:
        value, bound, known = self.value, self.bound, self.known
        if value is not None and bound is not None and self._worse(bound, value) > RELATIVE * abs(value) + _WHOLE:
            yield f"the bound {bound:.12g} is on the wrong side of the value {value:.12g}"
        if known is None:
            return
        slack = self._slack(known)
        if value is not None and self._worse(known.lower, value) > slack:
            yield f"the value {value:.12g} beats the proved optimum {known.lower:.12g}"
        if bound is not None and self._worse(bound, known.upper) > slack:
            yield f"the bound {bound:.12g} passes the known value {known.upper:.12g}"

    def _slack(self, known: Known) -> float:
        if self.whole:
            return max(known.rounding, _WHOLE) + RELATIVE * abs(known.upper)
        # Whole figures of broken data were rounded.
        return (known.rounding or 1.0) + _LOOSE * abs(known.upper)


def design_exit_status(results: Iterable[DesignResult]) -> int:
    """Return 1 if an answer is wrong or contradicts what is proved, else 0."""
    return int(any(result.failures for result in results))


def design_table(results: Iterable[DesignResult]) -> str:
    """Return ``results`` as text: a row for each, then a line for each family, then every failure."""
    results = tuple(results)
    rows = [_HEAD, *map(_cells, results)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [_line(row, widths) for row in rows]
    lines += _summary(results)
    unproved = [r.instance for r in results if r.known is not None and r.known.lower < r.known.upper]
    if unproved:
        lines.append(f"best known, not proved to be optimal: {', '.join(unproved)}")
    lines += [f"FAILED {r.family} {r.instance}: {failure}" for r in results for failure in r.failures]
    return "\n".join(lines)


def _summary(results: tuple[DesignResult, ...]) -> Iterator[str]:
    for family in dict.fromkeys(result.family for result in results):
        mine = [result for result in results if result.family == family]
        gaps = [result.gap for result in mine if result.gap is not None]
        certified = [result.certified for result in mine if result.certified is not None]
        parts = [f"{len(mine)} instances"]
        if gaps:
            parts.append(f"worst gap {_percent(max(gaps))} %, {sum(gap <= RELATIVE for gap in gaps)} optima found")
        if certified:
            proved = sum(gap <= RELATIVE for gap in certified)
            parts.append(f"worst certified gap {_percent(max(certified))} %, {proved} proved optimal")
        parts.append(f"{sum(result.seconds for result in mine):.1f} CPU s")
        yield f"{family}: {'; '.join(parts)}"


def _cells(result: DesignResult) -> tuple[str, ...]:
    known = None if result.known is None else result.known.upper
    return (
        result.family,
        result.instance,
        *(_figure(value) for value in (result.value, result.bound, known)),
        *(_percent(share) for share in (result.gap, result.certified)),
        f"{result.seconds:.2f}",
    )


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}".rstrip("0").rstrip(".")


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100.0 * share:.4f}"


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    cells = (
        cell.ljust(width) if at in _LEFT else cell.rjust(width)
        for at, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join(cells).rstrip()
