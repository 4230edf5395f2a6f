"""What the planner wants: budgets, priorities, floors, and the question asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from xinji.core.vocabulary import GROUPS, SERVICE_NAMES
from xinji.errors import Fault, PolicyError, raise_if

QUESTIONS = ("most_value", "least_cost")


@dataclass(frozen=True, slots=True)
class Floor:
    """From ``year`` on, at least ``share`` of a group's users must have the service.

    ``group`` is one of ``GROUPS`` or ``"all"``. Under the question ``least_cost`` the floors are
    the target.
    """

    group: str
    service: str
    year: int
    share: float


@dataclass(frozen=True, slots=True)
class Policy:
    """Budgets by year, what counts how much, and what must be reached.

    ``budget`` [currency] has one value for each of ``years``; opex counts against it, in the year
    of building too. ``carry_over`` lets unspent money serve the next year. ``priority`` weighs a
    person or worker by group. ``build_ahead`` is the margin of capacity over the forecast.
    """

    years: tuple[int, ...]
    budget: tuple[float, ...]
    carry_over: bool = False
    discount_rate: float = 0.08
    priority: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(GROUPS, 1.0))
    floors: tuple[Floor, ...] = ()
    build_ahead: float = 0.2
    question: str = "most_value"

    def __post_init__(self) -> None:
        raise_if([*self._year_faults(), *self._weight_faults(), *self._floor_faults()], PolicyError)

    def _year_faults(self) -> Iterator[Fault]:
        if not self.years:
            yield Fault("policy.years", "no year is given", "Name at least one year.")
        elif self.years != tuple(range(self.years[0], self.years[0] + len(self.years))):
            message = f"years are {self.years}"
            yield Fault("policy.years", message, "Give consecutive years in rising order.")
        if len(self.budget) != len(self.years):
            message = f"{len(self.budget)} budgets for {len(self.years)} years"
            yield Fault("policy.budget", message, "Give one budget for each year.")
        for year, budget in zip(self.years, self.budget, strict=False):
            if not 0 <= budget < float("inf"):
                message = f"the budget of {year} is {budget}"
                yield Fault("policy.budget", message, "Give a finite amount of at least 0.")

    def _weight_faults(self) -> Iterator[Fault]:
        if set(self.priority) != set(GROUPS):
            message = f"priorities are given for {sorted(self.priority)}"
            yield Fault("policy.priority", message, f"Give one for each of {', '.join(GROUPS)}.")
        for group, weight in self.priority.items():
            if not 0 <= weight < float("inf"):
                message = f"the priority of {group} is {weight}"
                yield Fault("policy.priority", message, "Give a finite weight of at least 0.")
        if not 0 <= self.discount_rate < 1:
            message = f"the discount rate is {self.discount_rate}"
            yield Fault("policy.discount_rate", message, "Give a share, for example 0.08.")
        if not 0 <= self.build_ahead <= 2:
            message = f"the build-ahead margin is {self.build_ahead}"
            yield Fault("policy.build_ahead", message, "Give a share from 0 to 2, for example 0.2.")
        if self.question not in QUESTIONS:
            message = f"the question is {self.question!r}"
            yield Fault("policy.question", message, f"Use one of {', '.join(QUESTIONS)}.")

    def _floor_faults(self) -> Iterator[Fault]:
        for row, floor in enumerate(self.floors):
            checks = (
                (floor.group in (*GROUPS, "all"), f"group {floor.group!r} is unknown", GROUPS),
                (floor.service in SERVICE_NAMES, f"service {floor.service!r} is unknown", SERVICE_NAMES),
                (floor.year in self.years, f"year {floor.year} is not planned", self.years),
                (0 <= floor.share <= 1, f"share is {floor.share}", ("a share from 0 to 1",)),
            )
            for fine, message, known in checks:
                if not fine:
                    remedy = f"Use one of: {', '.join(map(str, known))}."
                    yield Fault("policy.floors", message, remedy, row)
        if self.question == "least_cost" and not self.floors:
            remedy = "Add [[policy.floors]]: they are the target that the least money is asked for."
            yield Fault("policy.floors", "the question is least_cost but no floor is given", remedy)
