"""Everything that a report, a map or a table of one planning run is made from."""

from __future__ import annotations

from dataclasses import dataclass

from xinji.core.arrays import Floats, Ints
from xinji.core.demand import Demand
from xinji.core.offer import Offer, Trenches
from xinji.core.plan import Plan
from xinji.core.policy import Policy
from xinji.core.problem import Problem
from xinji.core.region import Region

SPEND_COLUMNS = ("radio", "fibre", "compute", "trench")
"""Where money goes: the options of each technology, and the trenches that they share."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What a plan brings and costs, by stage.

    ``users`` and ``served`` [people or workers] have shape (groups, services, T), unweighted and
    undiscounted; ``cell_served`` (cells, services, T) is the served share of each cell; ``capex``
    and ``opex`` [cents] have shape (T, len(SPEND_COLUMNS)).
    """

    users: Floats
    served: Floats
    cell_served: Floats
    capex: Ints
    opex: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """One planning run: the region and what was wanted, the offers, the problem, and its plans.

    The problem's options are those of ``offers``, one offer after the other, in their order; its
    trenches are those of ``trenches``. ``option_offer`` (n,) and ``option_place`` (n,) say which offer and
    which position in it; ``row_cell`` and ``row_service`` (r,) what a row of the problem is.
    ``sequential`` is the plan made one technology after the other under the same budgets, on the
    same problem.
    """

    region: Region
    policy: Policy
    demand: Demand
    trenches: Trenches
    offers: tuple[Offer, ...]
    problem: Problem
    option_offer: Ints
    option_place: Ints
    row_cell: Ints
    row_service: Ints
    plan: Plan
    outcome: Outcome
    sequential: Plan
    sequential_outcome: Outcome
