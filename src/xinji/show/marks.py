"""Marks that lead from a figure to the assumptions that it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from xinji.core.parameters import Parameters

COVERAGE = ("demand", "radio.band", "radio.coverage_probability_min", "radio.rsrp_min", "compute.latency", "fibre.pon")
COSTS = ("radio.cost", "radio.rent", "radio.energy", "fibre", "compute", "energy")
DISCOUNT = ("finance",)
VALUE = (*COVERAGE, *DISCOUNT)

_BY_KIND = {
    "carrier_": ("radio.cost.carrier", "radio.energy"),
    "tower_": ("radio.cost", "radio.rent"),
    "rooftop": ("radio.cost", "radio.rent"),
    "gigabit": ("fibre.distribution", "fibre.drop", "fibre.pon"),
    "edge_": ("compute",),
}
_BY_TECHNOLOGY = {"radio": ("radio.cost",), "fibre": ("fibre",), "compute": ("compute",), "trench": ("fibre.trench",)}


@dataclass(frozen=True, slots=True)
class Mark:
    """A run of numbers in the list of assumptions, and the key of the first, to which it links."""

    key: str
    first: int
    last: int


def numbers_of(parameters: Parameters) -> dict[str, int]:
    """Return the number of each key in the list of assumptions, from 1, in order of the keys."""
    return {key: number for number, key in enumerate(sorted(parameters.entries), start=1)}


def marks(numbers: dict[str, int], prefixes: Iterable[str]) -> tuple[Mark, ...]:
    """Return the runs of numbers of the keys that lie under any of ``prefixes``, joined where they touch."""
    under = tuple(prefixes)
    chosen = [key for key in numbers if any(key == p or key.startswith(f"{p}.") for p in under)]
    runs: list[Mark] = []
    for key in chosen:
        if runs and numbers[key] == runs[-1].last + 1:
            runs[-1] = Mark(runs[-1].key, runs[-1].first, numbers[key])
        else:
            runs.append(Mark(key, numbers[key], numbers[key]))
    return tuple(runs)


def basis_of_kind(technology: str, kind: str) -> Sequence[str]:
    """Return the prefixes of the figures that price what is bought."""
    if technology == "trench":
        return (f"fibre.trench.{kind}",)
    found = [prefixes for start, prefixes in _BY_KIND.items() if kind.startswith(start)]
    return found[0] if found else _BY_TECHNOLOGY[technology]
