"""What differs between two plan.json files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from xinji.core.assets import TRENCH
from xinji.core.difference import AssetChange, Pair, PlanDiff
from xinji.core.problem import NEVER
from xinji.errors import Fault, InputError
from xinji.io.plan_schema import OptionEntry, PlanDocument, PolicyEntry, TrenchEntry


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
        spend=tuple(
            Pair(year, a.plan.spend.get(year, 0), b.plan.spend.get(year, 0))
            for year in sorted({*a.plan.spend, *b.plan.spend})
        ),
        served=tuple(_served(a, b)),
        wishes=tuple(_pairs(_wishes(a.policy), _wishes(b.policy))),
        parameters=tuple(
            _pairs({k: p.value for k, p in a.parameters.items()}, {k: p.value for k, p in b.parameters.items()})
        ),
    )


def _changes(a: PlanDocument, b: PlanDocument) -> Iterator[AssetChange]:
    for key in sorted({*a.options, *b.options}):
        in_a, in_b = a.options.get(key), b.options.get(key)
        entry = in_b or in_a
        if entry is not None and _year(in_a) != _year(in_b):
            paid = entry.capex if _year(in_b) != NEVER or in_a is None else in_a.capex
            yield AssetChange(key, entry.technology, entry.kind, _year(in_a), _year(in_b), paid)
    for key in sorted({*a.trenches, *b.trenches}):
        dug_a, dug_b = a.trenches.get(key), b.trenches.get(key)
        dug = dug_b or dug_a
        if dug is not None and _year(dug_a) != _year(dug_b):
            yield AssetChange(key, TRENCH, dug.method, _year(dug_a), _year(dug_b), dug.capex)


def _year(entry: OptionEntry | TrenchEntry | None) -> int:
    return NEVER if entry is None else entry.year


def _served(a: PlanDocument, b: PlanDocument) -> Iterator[Pair]:
    """Yield the users served in the last year by group and service, where there are users at all."""
    last_a, last_b = str(a.years[-1]), str(b.years[-1])
    for group, services in b.plan.outcome.served.items():
        for service, by_year in services.items():
            before, after = a.plan.outcome.served[group][service][last_a], by_year[last_b]
            users = b.plan.outcome.users[group][service][last_b]
            if users > 0 or before > 0:
                yield Pair(f"{group}.{service}", before, after)


def _wishes(policy: PolicyEntry) -> dict[str, float | str]:
    wishes: dict[str, float | str] = {
        "question": policy.question,
        "carry_over": str(policy.carry_over).lower(),
        "discount_rate": policy.discount_rate,
        "build_ahead": policy.build_ahead,
    }
    wishes |= {f"budget.{year}": amount for year, amount in policy.budget.items()}
    wishes |= {f"priority.{group}": weight for group, weight in policy.priority.items()}
    return wishes | {f"floor.{f.group}.{f.service}.{f.year}": f.share for f in policy.floors}


def _pairs(a: Mapping[str, float | str], b: Mapping[str, float | str]) -> Iterator[Pair]:
    for name in sorted({*a, *b}):
        if a.get(name) != b.get(name):
            yield Pair(name, a.get(name, ""), b.get(name, ""))
