"""What the verbs that ask why and what if do, and what they print."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from xinji.cli_progress import Steps, steps
from xinji.core.frontier import Frontier, Point
from xinji.core.offer import EXISTING
from xinji.core.problem import NEVER
from xinji.core.study import Study
from xinji.core.vocabulary import RESOURCES
from xinji.errors import Fault, InputError, raise_if
from xinji.plan.choose.force import ANY_STAGE, OPTION, Forced
from xinji.units import CENTS_PER_UNIT, METRES_PER_KM
from xinji.workflow import planning
from xinji.workflow.explaining import ExplainSettings, Explanation, explain_assets
from xinji.workflow.frontier import FrontierSettings, frontier, frontier_object

DONE = 0

_STEPS = {
    "again": "Searching the plan itself as long, to compare",
    "force": "Forcing and solving again",
    "read": "Reading and checking the region",
    "demand": "Forecasting demand",
    "offers": "Finding what can be built",
    "search": "Searching",
    "compare": "Planning one technology after the other, to compare",
    "check": "Checking the plan without the solver",
    "prove": "Proving a bound for each point",
    "settle": "Choosing the best plan of each point",
    "write": "Writing files",
}
_MILLION = 1e6
_LISTED = 6


def run_explain(arguments: Namespace) -> int:
    """Explain assets of a plan and print why and what the opposite costs; return the exit status."""
    settings = ExplainSettings(arguments.year, arguments.effort, arguments.seconds, arguments.seed)
    with steps(_STEPS) as progress:
        study, found = explain_assets(arguments.folder, arguments.names, settings=settings, progress=progress)
    if arguments.json:
        objects = [explanation_object(study, one) for one in found]
        sys.stdout.write(json.dumps(objects, ensure_ascii=False, indent=1, allow_nan=False) + "\n")
    else:
        sys.stdout.write("\n\n".join("\n".join(explanation_lines(study, one)) for one in found) + "\n")
    return DONE


def run_frontier(arguments: Namespace) -> int:
    """Plan again for other budgets and priorities, write and print what each brings; return the exit status."""
    settings = FrontierSettings(
        budgets=arguments.budgets,
        priorities=arguments.priorities,
        tries=arguments.effort,
        seconds=arguments.seconds,
        seed=arguments.seed,
        restarts=arguments.restarts,
        jobs=arguments.jobs,
        cluster=arguments.cluster,
    )
    with steps(_STEPS) as progress:
        folder = _planned(arguments, progress)
        study, found, files = frontier(folder, settings=settings, language=arguments.language, progress=progress)
    text = "\n".join(frontier_lines(study, found, files)) + "\n"
    if arguments.json:
        sys.stderr.write(text)
        sys.stdout.write(json.dumps(frontier_object(study, found), ensure_ascii=False, allow_nan=False) + "\n")
    else:
        sys.stdout.write(text)
    return DONE


def _planned(arguments: Namespace, progress: Steps) -> Path:
    """Return the plan's folder; a region is planned into it first."""
    source = Path(arguments.source)
    if (source / planning.PLAN_FILE).is_file():
        raise_if(_needless(arguments), InputError)
        return source
    out: Path = arguments.out or planning.default_out(arguments.source)
    planning.require_writable(out)
    settings = planning.PlanSettings(tries=arguments.effort, seconds=arguments.seconds, seed=arguments.seed)
    made = planning.plan_region(arguments.source, settings=settings, progress=progress)
    planning.write_study(made, out, language=arguments.language, progress=progress)
    return out


def _needless(arguments: Namespace) -> Iterator[Fault]:
    if arguments.out:
        yield Fault("--out", "the frontier goes into the plan's own folder", "Leave it out, or name a region.")


def frontier_lines(study: Study, found: Frontier, files: Mapping[str, Path]) -> Iterator[str]:
    """Yield what a sweep found, in plain words."""
    yield f"Frontiers of the plan of {study.region.title_en} ({study.region.title_zh}), in {found.seconds:,.0f} s"
    heads = ("spent", "clusters", "residents", "worst group", "worst tenth")
    last = study.policy.years[-1]
    for points, title in ((found.budget, "budget x"), (found.priority, "priority")):
        if points:
            yield ""
            yield f"  {title:<10}{'worth':>12}{'bound':>12}{'gap':>8}" + "".join(f"{head:>13}" for head in heads)
        for point in points:
            yield _point_line(point)
    yield ""
    yield f"Shares are of users served in {last}; priority 1 weighs groups as the plan does, 0 all the same."
    if any(point.hurried for point in (*found.budget, *found.priority)):
        yield "Searches were ended by --seconds: give more for a result that another run repeats."
    for name, path in files.items():
        yield f"{name}: {path}"


def _point_line(point: Point) -> str:
    plan, fares = point.plan, point.figures
    if plan is None or fares is None:
        return f"  {point.level:<10g}no plan: {point.refused}"
    shares = (fares.clusters, fares.residents, fares.worst_group_share, fares.worst_tenth)
    spent = float(plan.spend.sum()) / CENTS_PER_UNIT / _MILLION
    return (
        f"  {point.level:<10g}{plan.objective:>12,.0f}{plan.bound:>12,.0f}{plan.gap:>8.2%}{spent:>11,.2f} M"
        + "".join(f"{share:>13.1%}" for share in shares)
    )


def explanation_object(study: Study, one: Explanation) -> dict[str, object]:
    """Return what ``xinji explain --json`` prints of one asset; money in currency units."""
    years = study.problem.years.tolist()
    bound = one.binding
    return {
        "name": one.name,
        "kind": one.kind,
        "technology": one.technology,
        "item": one.item,
        "decision": _decision(one),
        "year": one.year if one.year > 0 else None,
        "reason": one.reason,
        "host": one.host or None,
        "carries": list(one.carries),
        "serves": [
            {"group": s.group, "service": s.service, "unit": s.unit, "users": round(s.users, 1)} for s in one.served
        ],
        "capex": _by_year(years, one.capex / CENTS_PER_UNIT),
        "opex": _by_year(years, one.opex / CENTS_PER_UNIT),
        "trenches_alone": {
            "ids": list(one.needs),
            "length_m": round(one.needs_m, 1),
            "capex": one.needs_capex / CENTS_PER_UNIT,
        },
        "binds": {
            "budget_left": _by_year(years, bound.left / CENTS_PER_UNIT),
            "price_of_money": _by_year(years, bound.price * CENTS_PER_UNIT, digits=9),
            "full": {name: _by_year(years, bound.full[:, k]) for k, name in enumerate(RESOURCES)},
            "floors": study.problem.floor_name[bound.floors].tolist(),
            "served_by_others": _by_year(years, bound.taken, digits=4),
        },
        "forced": _forced_object(study, one),
    }


def _forced_object(study: Study, one: Explanation) -> dict[str, object]:
    """Return what forcing costs, or why it cannot be."""
    years, forced = study.problem.years.tolist(), one.forced
    asked = {NEVER: "out", ANY_STAGE: "in"}.get(one.wish.stage, "in")
    if forced is None:
        return {"what": asked, "impossible": one.refused}
    gone, new, moved = changes(study, forced)
    return {
        "what": asked,
        "year": int(study.problem.years[forced.stage - 1]) if forced.stage >= 1 else None,
        "unit": _unit(study),
        "value": forced.plan.objective,
        "bound": forced.bound,
        "value_now": study.plan.objective,
        "value_searched_as_long": one.again,
        "bound_now": study.plan.bound,
        "cost": {"low": forced.low, "high": forced.high},
        "cost_against_the_best_plan": {"low": forced.best_low, "high": forced.best_high},
        "restricts": forced.restricts,
        "spend": _by_year(years, forced.spend / CENTS_PER_UNIT),
        "no_longer_built": gone,
        "built_instead": new,
        "other_year": moved,
    }


def _by_year(years: list[int], values: np.ndarray, digits: int = 2) -> dict[str, float]:
    return {str(year): round(float(value), digits) for year, value in zip(years, values, strict=True)}


def changes(study: Study, forced: Forced) -> tuple[list[str], list[str], list[str]]:
    """Return the ids of options no longer built, newly built, and built in another year, once something is forced."""
    before, after, ids = study.plan.stage, forced.plan.stage, study.problem.option_id
    moved = (before != after) & (before != NEVER) & (after != NEVER)
    chosen = ((before != NEVER) & (after == NEVER), (before == NEVER) & (after != NEVER), moved)
    return tuple(ids[some].tolist() for some in chosen)


def _decision(one: Explanation) -> str:
    return {EXISTING: "exists", NEVER: "out"}.get(one.year, "in")


def _unit(study: Study) -> str:
    return study.region.currency if study.problem.goal == "least_cost" else "worth"


def explanation_lines(study: Study, one: Explanation) -> Iterator[str]:
    """Yield what is known of one asset, in plain words."""
    place = {"exists": "stands already", "out": "out"}.get(_decision(one), f"in from {one.year}")
    yield f"{one.name} ({one.technology}, {one.item}): {place}"
    yield f"  why         {one.reason}"
    if one.host:
        yield f"  stands on   {one.host}"
    if one.carries:
        yield f"  {'carries' if one.kind == OPTION else 'joins':<11} {_some(one.carries)}"
    yield from _serves(study, one)
    yield from _costs(study, one)
    yield from _binds(study, one)
    yield from _forcing(study, one)


def _some(names: tuple[str, ...] | list[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


def _money(study: Study, cents: float) -> str:
    amount = cents / CENTS_PER_UNIT
    shown = f"{amount / _MILLION:,.2f} million" if abs(amount) >= _MILLION else f"{amount:,.0f}"
    return f"{study.region.currency} {shown}"


def _serves(study: Study, one: Explanation) -> Iterator[str]:
    word = "could serve" if _decision(one) == "out" else "serves"
    last = int(study.problem.years[-1])
    if not one.served:
        yield f"  {word:<11} nobody in {last}"
    for number, s in enumerate(one.served):
        head = f"{word} ({last})" if number == 0 else ""
        yield f"  {head:<18} {s.users:>10,.0f} {s.unit} of {s.group.replace('_', ' ')}: {s.service.replace('_', ' ')}"


def _costs(study: Study, one: Explanation) -> Iterator[str]:
    if _decision(one) == "exists":
        yield f"  costs       {_money(study, float(one.opex[0]))} a year"
    else:
        year = int(study.problem.years[int(np.argmax(one.capex + one.opex > 0))])
        when = f"in {year}" if _decision(one) == "in" else "once"
        once, yearly = _money(study, float(one.capex.sum())), _money(study, float(one.opex[-1]))
        yield f"  costs       {once} {when}, {yearly} a year"
    if one.needs:
        what = "would need" if _decision(one) == "out" else "alone needs"
        yield (
            f"  {what:<11} {one.needs_m / METRES_PER_KM:,.2f} km of trench for {_money(study, one.needs_capex)}:"
            f" {_some(one.needs)}"
        )


def _binds(study: Study, one: Explanation) -> Iterator[str]:
    bound, years, lines = one.binding, study.problem.years.tolist(), []
    if study.problem.goal == "most_value":
        dear = years.index(one.year) if one.year in years else int(np.argmax(bound.price))
        if bound.price[dear] > 0:
            worth = bound.price[dear] * CENTS_PER_UNIT * _MILLION
            lines.append(
                f"the budget of {years[dear]} ({_money(study, float(bound.left[dear]))} unspent): a further million"
                f" is worth {worth:,.0f} at the bound's prices"
            )
    for k, name in enumerate(RESOURCES):
        full = [str(year) for year, count in zip(years, bound.full[:, k], strict=True) if count]
        lines += [f"its capacity of {name.replace('_', ' ')}, used up in {', '.join(full)}"] if full else []
    lines += [f"the floor {name}, met with nothing to spare" for name in study.problem.floor_name[bound.floors]]
    taken = float(bound.taken[-1])
    if taken > 0:
        lines.append(f"others serve {taken:.0%} of the worth in its reach in {years[-1]}")
    for number, line in enumerate(lines):
        yield f"  {'binds' if number == 0 else '':<11} {line}"


def _forcing(study: Study, one: Explanation) -> Iterator[str]:
    out, forced = one.wish.stage == NEVER, one.forced
    head = "without it" if out else "forced in"
    if forced is None:
        yield f"  {head:<11} not possible: {one.refused}"
        return
    when = "" if out else f"in {study.problem.years[forced.stage - 1]}"
    best = ", the best year," if one.wish.stage == ANY_STAGE else ""
    yield f"  {head:<11} {f'{when}{best} '.lstrip()}{_said(study, forced)}"
    yield f"  {'':<11} {_proved(study, forced)}"
    if one.again is not None:
        yield f"  {'':<11} {_like_for_like(study, one.again, forced)}"
    spent = [
        f"{year} {'+' if cents > 0 else ''}{cents / CENTS_PER_UNIT:,.0f}"
        for year, cents in zip(study.problem.years.tolist(), forced.spend.tolist(), strict=True)
        if cents
    ]
    yield f"  {'money':<11} {study.region.currency} " + (", ".join(spent) if spent else "0: no year's spending changes")
    gone, new, moved = changes(study, forced)
    for word, names in (("gone", gone), ("instead", new), ("other year", moved)):
        rest = [name for name in names if name != one.name]
        if rest:
            yield f"  {word:<11} {_some(rest)}"


def _range(study: Study, low: float, high: float) -> str:
    scale = max(abs(study.plan.objective), 1e-12)
    return f"{low:,.2f} and {high:,.2f} {_unit(study)} ({low / scale:.3%} and {high / scale:.3%})"


def _said(study: Study, forced: Forced) -> str:
    return (
        f"it costs between {_range(study, forced.low, forced.high)}: the upper end by the plan found, the lower proved"
    )


def _proved(study: Study, forced: Forced) -> str:
    if forced.high < 0:
        return "the plan found is better than the saved one, which can be improved: plan again with more --effort"
    found = f"measured against the best plan there is, between {_range(study, forced.best_low, forced.best_high)}"
    return found if forced.low > 0 else f"{found}: the proof leaves open that it costs nothing"


def _like_for_like(study: Study, again: float, forced: Forced) -> str:
    sign = -1.0 if study.problem.goal == "least_cost" else 1.0
    lost = sign * (again - forced.plan.objective)
    share = lost / max(abs(study.plan.objective), 1e-12)
    return f"against the best plan that the same search finds unforced: {lost:,.2f} {_unit(study)} ({share:.3%})"
