"""What other budgets and other priorities would bring: a plan for each point, and the figures to compare them by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xinji.core.arrays import Ints
from xinji.core.plan import Plan
from xinji.core.study import Outcome


@dataclass(frozen=True, slots=True)
class Figures:
    """How a plan fares by measures that do not depend on the weights it was made with.

    ``worth`` is its worth under the weights of the plan at hand. Shares are of users served in the last
    year: of all, of those in clusters, of residents, of the group that fares worst (``worst_group``), and of
    the tenth of users whose cells fare worst.
    """

    worth: float
    served: float
    clusters: float
    residents: float
    worst_group: str
    worst_group_share: float
    worst_tenth: float


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """One point of a frontier: its level, what was asked, and the plan, its outcome and figures.

    ``kind`` is ``budget`` (``level`` multiplies the plan's budgets) or ``priority`` (``level`` is the exponent of
    its weights); ``budget`` (T,) [cents]. Where no plan was found there is none of the three, and
    ``refused`` says why. ``hurried`` says that a search was ended by the clock.
    """

    kind: str
    level: float
    weights: Mapping[str, float]
    budget: Ints
    plan: Plan | None
    outcome: Outcome | None
    figures: Figures | None
    refused: str
    hurried: bool


@dataclass(frozen=True, slots=True, eq=False)
class Frontier:
    """Points over budgets and over priorities of the problem with ``fingerprint``, and how they were searched.

    ``seconds`` [s] is how long that took.
    """

    budget: tuple[Point, ...]
    priority: tuple[Point, ...]
    fingerprint: str
    tries: int
    restarts: int
    seed: int
    seconds: float
