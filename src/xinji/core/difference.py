"""What differs between two plans, and what that does; data only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AssetChange:
    """An option or trench that two plans treat differently.

    ``year_a`` and ``year_b`` are calendar years of building, 0 for what exists already and -1 for
    never or unknown to that plan; ``capex`` [cents] is that of the plan that builds it (of B where
    both do).
    """

    id: str
    technology: str
    kind: str
    year_a: int
    year_b: int
    capex: int


@dataclass(frozen=True, slots=True)
class Pair:
    """One figure in both plans; ``name`` says what it is, as a path such as ``policy.budget.2026``."""

    name: str
    a: float | str
    b: float | str


@dataclass(frozen=True, slots=True)
class PlanDiff:
    """Plan B against plan A.

    ``only_a`` and ``only_b`` list what one plan alone builds, ``moved`` what both build in
    different years. ``figures`` pairs objective, bound and gap; ``spend`` pairs the spending by year
    [cents] under names that are years; ``served`` pairs the people or workers served in the last
    year under ``group.service``; ``wishes`` and ``parameters`` pair what was asked and assumed
    where it differs. ``same_problem`` says that both plans answer the same problem, so that their
    objectives may be compared at face value; ``comparable`` that at least the question is the same.
    """

    title_a: str
    title_b: str
    currency: str
    question: str
    same_problem: bool
    comparable: bool
    only_a: tuple[AssetChange, ...]
    only_b: tuple[AssetChange, ...]
    moved: tuple[AssetChange, ...]
    figures: tuple[Pair, ...]
    spend: tuple[Pair, ...]
    served: tuple[Pair, ...]
    wishes: tuple[Pair, ...]
    parameters: tuple[Pair, ...]
