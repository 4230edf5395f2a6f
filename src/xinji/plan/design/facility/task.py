"""What is asked of a location over several stages."""

from __future__ import annotations

from dataclasses import dataclass

from xinji.core.arrays import Floats, freeze
from xinji.errors import Fault, raise_if
from xinji.plan.design.facility.inputs import LAYER, expected_faults


@dataclass(frozen=True, slots=True, eq=False)
class StagedTask:
    """What is asked over T stages of m facilities and n customers; all money in one unit.

    ``opening_cost`` (T, m) is paid in the stage in which a facility opens, ``running_cost`` (T, m) in
    every stage in which it is open; ``capacity`` (m,) may be infinite. ``demand`` (T, n) by stage,
    ``cost`` (T, n, m) of serving all of it from a facility (infinite: cannot be), ``unserved_cost``
    (T, n) of serving none of it (infinite: all must be served). ``budget`` (T,) limits opening and
    running costs of each stage (infinite: no limit); with ``carry_over`` what a stage leaves is kept.
    Raises InputError with all faults.
    """

    opening_cost: Floats
    running_cost: Floats
    capacity: Floats
    demand: Floats
    cost: Floats
    unserved_cost: Floats
    budget: Floats
    carry_over: bool

    def __post_init__(self) -> None:
        if self.cost.ndim != 3 or 0 in self.cost.shape:
            message = f"cost has shape {self.cost.shape}, expected (stages, customers, facilities), none of them 0"
            raise_if([Fault(LAYER, message, "Give one table of customers and facilities for each stage.")])
        stages, customers, count = self.cost.shape
        expected = [
            ("opening_cost", self.opening_cost, (stages, count)),
            ("running_cost", self.running_cost, (stages, count)),
            ("capacity", self.capacity, (count,)),
            ("demand", self.demand, (stages, customers)),
            ("cost", self.cost, (stages, customers, count)),
            ("unserved_cost", self.unserved_cost, (stages, customers)),
            ("budget", self.budget, (stages,)),
        ]
        raise_if(expected_faults(expected, frozenset({"capacity", "cost", "unserved_cost", "budget"})))
        freeze(*(values for _, values, _ in expected))
