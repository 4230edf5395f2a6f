"""Every error Xinji raises on purpose, and the one way to raise many faults at once.

XinjiError
├── InputError            what the user handed over is wrong (exit status 2)
│   ├── RegionError       a region folder, layer or row
│   ├── ParameterError    a parameter key, unit or value
│   ├── PolicyError       budgets, floors, priorities
│   └── OfferError        options that contradict each other or the trench graph
├── InfeasibleError       no plan can meet what was asked (exit status 2)
├── SolverError           the solver failed without proving anything
├── CheckError            the independent checker rejects a plan
└── OutputError           a result could not be written whole
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where it is, what was found and how to mend it.

    ``row`` counts from 0 in the order of the layer; ``None`` means the fault is not of one row.
    """

    layer: str
    message: str
    remedy: str
    row: int | None = None

    def __str__(self) -> str:
        place = self.layer if self.row is None else f"{self.layer}, row {self.row}"
        return f"{place}: {self.message}. {self.remedy}"


class XinjiError(Exception):
    """Root of the tree; catch this to catch everything that Xinji raises on purpose."""


class InputError(XinjiError):
    """What the user handed over is wrong; carries every fault that was found."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))

    def __reduce__(self) -> tuple[type[InputError], tuple[tuple[Fault, ...]]]:
        # Another process makes it again from its faults, not from their text.
        return type(self), (self.faults,)


class RegionError(InputError):
    """A region folder, one of its layers or one of its rows is wrong."""


class ParameterError(InputError):
    """A parameter key, unit or value is wrong."""


class PolicyError(InputError):
    """Budgets, floors or priorities contradict each other or the region."""


class OfferError(InputError):
    """The options of a technology contradict each other or the trench graph."""


class InfeasibleError(XinjiError):
    """No plan can meet what was asked; the message says why in plain words."""


class SolverError(XinjiError):
    """The solver failed without proving anything."""


class CheckError(XinjiError):
    """The independent checker rejects a plan."""


class OutputError(XinjiError):
    """A result could not be written whole; nothing half-written is left."""


def raise_if(faults: Iterable[Fault], error: type[InputError] = InputError) -> None:
    """Raise ``error`` with all ``faults`` if there is at least one."""
    found = tuple(faults)
    if found:
        raise error(found)
