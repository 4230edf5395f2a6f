"""What a region's ledger says of its facilities at a date; data only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields

import numpy as np

from xinji.core.arrays import (
    AnyArray,
    Bools,
    Codes,
    Floats,
    Ints,
    Strings,
    duplicate_rows,
    freeze,
    row_faults,
    shape_faults,
)
from xinji.core.assets import TRENCH
from xinji.core.vocabulary import TECHNOLOGIES
from xinji.errors import Fault, InputError, raise_if

STATES = (
    "planned",
    "approved",
    "contracted",
    "under_construction",
    "built",
    "accepted",
    "in_use",
    "retired",
    "cancelled",
)
"""States of a facility in the order of its life; a code is a position in it. The last ends a life that never began."""

PLANNED, APPROVED, CONTRACTED, UNDER_CONSTRUCTION, BUILT, ACCEPTED, IN_USE, RETIRED, CANCELLED = range(len(STATES))

FROZEN = (CONTRACTED, UNDER_CONSTRUCTION, BUILT, ACCEPTED, IN_USE)
"""States in which a facility is no longer a plan's to choose."""

NO_CONTRACT = -1
"""``contract_capex`` of a facility without a contract."""


@dataclass(frozen=True, slots=True, eq=False)
class Facilities:
    """The facilities (n) of a ledger as they stand at the end of the day ``at`` (ISO 8601).

    ``id`` is that of the plan's option or trench where it came from a plan; ``technology`` one of
    ``TECHNOLOGIES`` or ``"trench"``; ``kind`` what the plan calls it; ``area`` the township, park or
    other part of the region; ``project`` under which it is let; ``identifier`` its resolvable name.
    The last three are empty where there is none. ``state`` is a position in ``STATES``, ``since``
    (n, states) [days, NaT for never] the day on which each state was entered last; of what went back, or was
    cancelled and planned again, only the states that still hold count.
    Places are in the region's CRS: ``planned_x_m``, ``planned_y_m`` and, as built, ``x_m``, ``y_m``
    [m, NaN where not known]. ``length_m`` is NaN but for trenches.
    Money is exact: ``planned_capex`` [cents] and ``planned_opex`` [cents/year] as the plan had them,
    ``contract_capex`` [cents] or ``NO_CONTRACT``. ``completion`` (n,) [days] is the date to which completion was
    rescheduled under the contract, NaT where it was not. Payments (p): ``paid_cents`` for the facility at
    position ``paid_facility`` in the calendar year ``paid_year``; negative where money came back. ``sunk_payments``
    are the positions of those that were made under contracts that have ended, and pay for none that counts.
    """

    at: str
    id: Strings
    technology: Strings
    kind: Strings
    area: Strings
    project: Strings
    identifier: Strings
    state: Codes
    since: AnyArray
    planned_year: Ints
    planned_x_m: Floats
    planned_y_m: Floats
    x_m: Floats
    y_m: Floats
    length_m: Floats
    planned_capex: Ints
    planned_opex: Ints
    contract_capex: Ints
    completion: AnyArray
    paid_facility: Ints
    paid_year: Ints
    paid_cents: Ints
    sunk_payments: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def __post_init__(self) -> None:
        raise_if(self._faults(), InputError)
        freeze(*(value for item in fields(self) if isinstance(value := getattr(self, item.name), np.ndarray)))

    def __len__(self) -> int:
        return len(self.id)

    @property
    def rescheduled(self) -> Bools:
        """Whether each facility (n,) is let, not yet built, and to be complete by another date than planned."""
        return ~np.isnat(self.completion) & np.isin(self.state, (CONTRACTED, UNDER_CONSTRUCTION))

    @property
    def paid(self) -> Ints:
        """Money paid for each facility until ``at`` (n,) [cents]."""
        total = np.zeros(len(self), dtype=np.int64)
        np.add.at(total, self.paid_facility, self.paid_cents)
        return total

    @property
    def sunk(self) -> Ints:
        """Money paid for each facility (n,) under contracts that have ended [cents]; part of ``paid``."""
        total = np.zeros(len(self), dtype=np.int64)
        np.add.at(total, self.paid_facility[self.sunk_payments], self.paid_cents[self.sunk_payments])
        return total

    def _faults(self) -> Iterator[Fault]:
        layer, n, p = "ledger", (len(self.id),), (len(self.paid_facility),)
        apart = {"at", "since", "paid_facility", "paid_year", "paid_cents", "sunk_payments"}
        columns = [(item.name, getattr(self, item.name), n) for item in fields(self) if item.name not in apart]
        wrong = list(shape_faults(layer, columns))
        wrong += shape_faults(layer, [("since", self.since, (*n, len(STATES)))])
        wrong += shape_faults(layer, [(name, getattr(self, name), p) for name in ("paid_year", "paid_cents")])
        yield from wrong
        if wrong:
            return
        yield from row_faults(layer, duplicate_rows(self.id), "the id is used before", "Make ids unique.")
        known = (*TECHNOLOGIES, TRENCH)
        bad = ~np.isin(self.technology, known)
        yield from row_faults(layer, bad, "the technology is unknown", f"Use one of {', '.join(known)}.")
        bad = self.state >= len(STATES)
        yield from row_faults(layer, bad, "the state is unknown", "Give a position in STATES.")
        bad = (self.paid_facility < 0) | (self.paid_facility >= n[0])
        yield from row_faults(f"{layer} payments", bad, "the facility is unknown", "Give a position.")
        bad = (self.sunk_payments < 0) | (self.sunk_payments >= p[0])
        yield from row_faults(f"{layer} sunk payments", bad, "the payment is unknown", "Give a position.")
