"""What differs between two plans, and what that does; data only."""

from __future__ import annotations

from dataclasses import dataclass

from xinji.core.replanned import YearMoney


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


REASONS = (
    "slipped",
    "earlier",
    "dearer",
    "cheaper",
    "paid_otherwise",
    "cancelled",
    "retired",
    "added",
    "not_begun",
    "re_optimised",
    "running",
)
"""Why money differs between a plan and the one made again from the ledger.

What is let or built is finished later (``slipped``) or ``earlier``, costs more (``dearer``) or less
(``cheaper``), is ``paid_otherwise`` than all in the year of completion, or was ``added`` although plan A had
none of it. It was ``cancelled`` or ``retired``; it was ``not_begun`` although plan A had it in a year that is
over; the rest of the plan was ``re_optimised``; and other things stand, which costs ``running`` them.
"""


@dataclass(frozen=True, slots=True)
class AssetReason:
    """An asset whose money differs, with one of ``REASONS``; one that both slips and costs more has two.

    Years are those of completion, 0 for what stood before and -1 for never; ``cost_a`` and ``cost_b``
    [cents] what it costs in each plan, running it aside; ``money`` [cents] pairs calendar years with
    what this reason adds to plan B.
    """

    id: str
    technology: str
    kind: str
    reason: str
    year_a: int
    year_b: int
    cost_a: int
    cost_b: int
    money: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class ReasonTotal:
    """What one of ``REASONS`` adds to plan B in each year of the explanation [cents], over so many ``assets``."""

    reason: str
    assets: int
    money: tuple[int, ...]

    @property
    def total(self) -> int:
        """The sum over all years [cents]."""
        return sum(self.money)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why plan B, made again from the ledger as of the day ``at``, differs from plan A: every cent has a reason.

    ``whole`` (years,) [cents] is what B spends more than A in each of ``years``; the ``totals`` by reason
    add up to it. ``frozen`` counts the assets that B could not choose, ``unchanged`` those of them whose
    money is as in A. ``budget`` gives B's money by year.
    """

    at: str
    years: tuple[int, ...]
    whole: tuple[int, ...]
    totals: tuple[ReasonTotal, ...]
    assets: tuple[AssetReason, ...]
    frozen: int
    unchanged: int
    budget: tuple[YearMoney, ...]


@dataclass(frozen=True, slots=True)
class PlanDiff:
    """Plan B against plan A.

    ``only_a`` and ``only_b`` list what one plan alone builds, ``moved`` what both build in
    different years. ``figures`` pairs objective, bound and gap; ``spend`` pairs the spending by year
    [cents] under names that are years; ``served`` pairs the people or workers served in the last
    year under ``group.service``; ``wishes`` and ``parameters`` pair what was asked and assumed
    where it differs. ``same_problem`` says that both plans answer the same problem, so that their
    objectives may be compared at face value; ``comparable`` that at least the question is the same.
    ``explained`` gives every cent of the difference a reason where B was made again from a ledger.
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
    explained: Explanation | None = None
