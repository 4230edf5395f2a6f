"""What differs between two plan.json files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from xinji.core.assets import TRENCH
from xinji.core.difference import AssetChange, Pair, PlanDiff
from xinji.core.problem import NEVER
from xinji.errors import Fault, InputError
from xinji.io.plan_diff_reasons import built_in, explain, spending
from xinji.io.plan_schema import PlanDocument


def diff_plans(a: PlanDocument, b: PlanDocument) -> PlanDiff:
    """Return what plan ``b`` does otherwise than plan ``a``.

    Raises InputError if the plans are of different regions or currencies: then ids and sums mean
    different things.
    """
    for name, in_a, in_b in (("region", a.region, b.region), ("currency", a.currency, b.currency)):
        if in_a != in_b:
            message = f"the {name} is {in_a!r} in one plan and {in_b!r} in the other"
            raise InputError([Fault("plans", message, "Compare two plans of one region.")])
    changes = sorted(_changes(a, b), key=lambda c: (c.technology, c.kind, c.id))
    return PlanDiff(
        title_a=a.title_en,
        title_b=b.title_en,
        currency=a.currency,
        question=b.policy.question,
        same_problem=a.plan.fingerprint == b.plan.fingerprint,
        comparable=a.policy.question == b.policy.question,
        only_a=tuple(c for c in changes if c.year_b == NEVER),
        only_b=tuple(c for c in changes if c.year_a == NEVER),
        moved=tuple(c for c in changes if NEVER not in (c.year_a, c.year_b)),
        figures=tuple(Pair(n, getattr(a.plan, n), getattr(b.plan, n)) for n in ("objective", "bound", "gap")),
        spend=tuple(_spend(spending(a), spending(b))),
        served=tuple(_served(a, b)),
        wishes=tuple(_pairs(_wishes(a), _wishes(b))),
        parameters=tuple(
            _pairs({k: p.value for k, p in a.parameters.items()}, {k: p.value for k, p in b.parameters.items()})
        ),
        explained=explain(a, b),
    )


def _spend(a: Mapping[int, int], b: Mapping[int, int]) -> Iterator[Pair]:
    for year in sorted({*a, *b}):
        yield Pair(str(year), a.get(year, 0), b.get(year, 0))


def _changes(a: PlanDocument, b: PlanDocument) -> Iterator[AssetChange]:
    for key in sorted({*a.options, *b.options}):
        in_a, in_b = a.options.get(key), b.options.get(key)
        entry, year_a, year_b = in_b or in_a, built_in(a, key), built_in(b, key)
        if entry is not None and year_a != year_b:
            paid = entry.capex if year_b != NEVER or in_a is None else in_a.capex
            yield AssetChange(key, entry.technology, entry.kind, year_a, year_b, paid)
    for key in sorted({*a.trenches, *b.trenches}):
        dug_a, dug_b = a.trenches.get(key), b.trenches.get(key)
        dug, year_a, year_b = dug_b or dug_a, built_in(a, key), built_in(b, key)
        if dug is not None and year_a != year_b:
            yield AssetChange(key, TRENCH, dug.method, year_a, year_b, dug.capex)


def _served(a: PlanDocument, b: PlanDocument) -> Iterator[Pair]:
    """Yield the users served in the last year by group and service, where there are users at all."""
    last_a, last_b = str(a.years[-1]), str(b.years[-1])
    for group, services in b.plan.outcome.served.items():
        for service, by_year in services.items():
            before, after = a.plan.outcome.served[group][service][last_a], by_year[last_b]
            users = b.plan.outcome.users[group][service][last_b]
            if users > 0 or before > 0:
                yield Pair(f"{group}.{service}", before, after)


def _wishes(plan: PlanDocument) -> dict[str, float | str]:
    policy, made = plan.policy, plan.replanned
    budget = policy.budget if made is None else {year: line.policy for year, line in made.money.items()}
    wishes: dict[str, float | str] = {
        "question": policy.question,
        "carry_over": str(policy.carry_over).lower(),
        "discount_rate": policy.discount_rate,
        "build_ahead": policy.build_ahead,
    }
    wishes |= {f"budget.{year}": amount for year, amount in budget.items()}
    wishes |= {f"priority.{group}": weight for group, weight in policy.priority.items()}
    return wishes | {f"floor.{f.group}.{f.service}.{f.year}": f.share for f in policy.floors}


def _pairs(a: Mapping[str, float | str], b: Mapping[str, float | str]) -> Iterator[Pair]:
    for name in sorted({*a, *b}):
        if a.get(name) != b.get(name):
            yield Pair(name, a.get(name, ""), b.get(name, ""))
