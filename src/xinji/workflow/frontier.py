"""Frontiers of a plan: what other budgets and other priorities would bring, computed as a sweep and kept beside it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np

from xinji.core.arrays import Floats
from xinji.core.assets import calendar_year
from xinji.core.frontier import Frontier, Point
from xinji.core.plan import Plan
from xinji.core.problem import Problem
from xinji.core.study import Study
from xinji.core.vocabulary import GROUPS, SERVICE_NAMES
from xinji.errors import Fault, InputError, raise_if
from xinji.io.atomic import atomic_file
from xinji.io.frontier_files import write_frontier_csv, write_frontier_json
from xinji.plan.choose.assemble import Assembly
from xinji.plan.choose.equity import figures
from xinji.plan.choose.improve import Effort
from xinji.plan.choose.outcome import outcome
from xinji.plan.choose.sweep import Begun, Prove, Search, Tried, settled
from xinji.show.frontier import frontier_chart
from xinji.show.look import to_png, to_svg
from xinji.show.text import words
from xinji.units import CENTS_PER_UNIT
from xinji.workflow.cluster import Crew, Job, Made, cluster, processes
from xinji.workflow.planning import FRONTIER_FILES, load_study

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with the name of a step, how much of it is done, and of how much."""

STRONG_CLUSTERS = 3.0
"""What clusters weigh, against 1, in place of a plan's priorities that are all the same."""


@dataclass(frozen=True, slots=True)
class FrontierSettings:
    """What is swept and how.

    ``budgets`` multiply each year's budget; ``priorities`` are exponents of the policy's weights. Each point is
    searched ``restarts`` times from ``seed`` on, ``tries`` each, ended after ``seconds`` [s], and proved in
    ``rounds``; in ``jobs`` processes of this machine or on the Dask cluster at ``cluster``.
    """

    budgets: tuple[float, ...] = (0.5, 0.75, 1.0, 1.25, 1.5)
    priorities: tuple[float, ...] = (0.0, 0.5, 1.0, 1.5, 2.0)
    tries: int = 30
    seconds: float = 600.0
    seed: int = 0
    rounds: int = 3
    restarts: int = 1
    jobs: int = 1
    cluster: str = ""


def frontier(
    folder: Path, *, settings: FrontierSettings, language: str = "zh", progress: Progress | None = None
) -> tuple[Study, Frontier, dict[str, Path]]:
    """Sweep the plan in ``folder``, write the frontier beside it; return study, frontier and the files by name.

    Raises InputError where the folder holds no whole plan, nothing is swept, or the plan asks for the least
    money; OutputError where the disk refuses.
    """
    study = load_study(folder)
    found = sweep(study, settings=settings, progress=progress)
    if progress is not None:
        progress("write", 0, 1)
    return study, found, write_frontier(study, found, folder, language=language)


def sweep(study: Study, *, settings: FrontierSettings, progress: Progress | None = None) -> Frontier:
    """Return the frontiers of the plan of ``study``. Raises InputError as ``frontier`` does.

    The same settings give the same result in one process, in several, and on a cluster.
    """
    raise_if(_faults(study, settings), InputError)
    begun = time.monotonic()
    asked = _asked(study, settings)
    problems, place = _different([problem for _, _, _, problem in asked])
    proofs, tried = _run(study, problems, settings, progress)
    if progress is not None:
        progress("settle", 0, 1)
    plans = settled(problems, proofs, tried)
    reasons = {one.point: one.refused for one in proofs}
    hurried = {one.point for one in tried if one.hurried}
    points = [
        _point(study, (kind, level, weights, problem), plans[k], refused=reasons[k], hurried=k in hurried)
        for (kind, level, weights, problem), k in zip(asked, place, strict=True)
    ]
    return Frontier(
        budget=tuple(point for point in points if point.kind == "budget"),
        priority=tuple(point for point in points if point.kind == "priority"),
        fingerprint=study.problem.fingerprint,
        tries=settings.tries,
        restarts=settings.restarts,
        seed=settings.seed,
        seconds=time.monotonic() - begun,
    )


_Asked: TypeAlias = tuple[str, float, Mapping[str, float], Problem]
"""Kind of frontier, level of the point, weights of the groups, and the problem."""


def _faults(study: Study, settings: FrontierSettings) -> Iterable[Fault]:
    if study.policy.question != "most_value":
        message = "the plan asks for the least money, so no budget and no priority decides it"
        yield Fault("frontier", message, "Plan with the question most_value first.")
    if not settings.budgets and not settings.priorities:
        yield Fault("frontier", "nothing is swept", "Give --budgets or --priorities.")
    for name in ("restarts", "jobs"):
        if getattr(settings, name) < 1:
            yield Fault(f"--{name}", f"{getattr(settings, name)} is too few", "Give at least 1.")


def _asked(study: Study, settings: FrontierSettings) -> list[_Asked]:
    problem, own = study.problem, dict(study.policy.priority)
    found: list[_Asked] = []
    for factor in settings.budgets:
        budget = np.rint(problem.budget * factor).astype(np.int64)
        found.append(("budget", factor, own, replace(problem, budget=budget)))
    for power in settings.priorities:
        weights = own if power == 1.0 else powered(own, power)
        value = problem.value if power == 1.0 else row_values(study, weights)
        found.append(("priority", power, weights, replace(problem, value=value)))
    return found


def powered(priority: Mapping[str, float], power: float) -> dict[str, float]:
    """Return the weights of groups to the ``power``: 0 makes all the same, 1 is ``priority`` itself.

    Where all of ``priority`` are the same, clusters take ``STRONG_CLUSTERS`` to the power times theirs.
    """
    if len(set(priority.values())) == 1:
        pull = {group: STRONG_CLUSTERS if group == GROUPS[0] else 1.0 for group in priority}
        return {group: weight * pull[group] ** (power if power != 1.0 else 1.0) for group, weight in priority.items()}
    return {group: weight**power for group, weight in priority.items()}


def row_values(study: Study, weights: Mapping[str, float]) -> Floats:
    """Return what serving each row (r, T) is worth under ``weights`` of the groups."""
    users = study.demand.users[study.row_cell, study.row_service]
    group = study.region.cells.group[study.row_cell]
    return np.asarray(users * np.array([weights[name] for name in GROUPS])[group, None] * study.problem.discount)


def _different(problems: Sequence[Problem]) -> tuple[list[Problem], list[int]]:
    """Return each problem once, and for each given one which of them it is."""
    prints = [problem.fingerprint for problem in problems]
    first = {name: problems[prints.index(name)] for name in prints}
    order = list(first)
    return list(first.values()), [order.index(name) for name in prints]


def _run(
    study: Study, problems: Sequence[Problem], settings: FrontierSettings, progress: Progress | None
) -> tuple[list[Begun], list[Tried]]:
    """Prove every point, then search each; both by the crew that ``settings`` name."""
    crew: Crew = cluster(settings.cluster) if settings.cluster else processes(settings.jobs)
    plan = study.plan
    start = (plan.stage, plan.trench_stage)
    proofs = [Prove(k, problem, plan.certificate, start, settings.rounds) for k, problem in enumerate(problems)]
    begun = sorted(_told(crew, proofs, "prove", progress), key=lambda one: one.point)
    searches = [
        Search(
            one.point,
            restart,
            problems[one.point],
            one.certificate,
            one.first,
            Effort(settings.tries, settings.seconds, settings.seed + restart),
        )
        for one in begun
        for restart in range(settings.restarts)
        if one.first is not None
    ]
    return begun, list(_told(crew, searches, "search", progress))


def _told(crew: Crew, jobs: Sequence[Job[Made]], step: str, progress: Progress | None) -> Iterable[Made]:
    if progress is not None:
        progress(step, 0, len(jobs))
    for done, made in enumerate(crew(iter(jobs)), 1):
        if progress is not None:
            progress(step, done, len(jobs))
        yield made


def _point(study: Study, asked: _Asked, plan: Plan | None, *, refused: str, hurried: bool) -> Point:
    kind, level, weights, problem = asked
    made, fares = None, None
    if plan is not None:
        assembly = Assembly(problem, study.option_offer, study.option_place, study.row_cell, study.row_service)
        made = outcome(assembly, plan, study.region.cells, study.demand)
        fares, refused = figures(study.problem, plan, made, study.demand.users), ""
    return Point(kind, level, dict(weights), problem.budget, plan, made, fares, refused, hurried)


def frontier_object(study: Study, found: Frontier) -> dict[str, object]:
    """Return all of a frontier for JSON: money in currency units, shares from 0 to 1, assets by year of building."""
    return {
        "region": study.region.name,
        "title_en": study.region.title_en,
        "title_zh": study.region.title_zh,
        "currency": study.region.currency,
        "question": study.policy.question,
        "years": list(study.policy.years),
        "plan_fingerprint": found.fingerprint,
        "effort": found.tries,
        "restarts": found.restarts,
        "seed": found.seed,
        "budget": [{**point_row(study, point), **_details(study, point)} for point in found.budget],
        "priority": [{**point_row(study, point), **_details(study, point)} for point in found.priority],
    }


def point_row(study: Study, point: Point) -> dict[str, object]:
    """Return the figures of a point, one value each; those of a plan are missing where none was found."""
    plan, fares, years = point.plan, point.figures, study.policy.years
    row: dict[str, object] = {
        "frontier": point.kind,
        "level": point.level,
        "budget_total": float(point.budget.sum()) / CENTS_PER_UNIT,
        **{f"weight_{group}": round(point.weights[group], 6) for group in GROUPS},
        "found": plan is not None,
        "refused": point.refused or None,
        "hurried": point.hurried,
    }
    plain = {
        "value": plan.objective if plan else None,
        "bound": plan.bound if plan else None,
        "gap": plan.gap if plan else None,
        "spend_total": float(plan.spend.sum()) / CENTS_PER_UNIT if plan else None,
        "worth_at_plan_weights": fares.worth if fares else None,
        "served_share": fares.served if fares else None,
        "cluster_share": fares.clusters if fares else None,
        "resident_share": fares.residents if fares else None,
        "worst_group": fares.worst_group if fares else None,
        "worst_group_share": fares.worst_group_share if fares else None,
        "worst_tenth_share": fares.worst_tenth if fares else None,
        "year_of_shares": years[-1],
    }
    return row | plain


def _details(study: Study, point: Point) -> dict[str, object]:
    """Return what a page shows of a point beyond its figures: money and coverage by year, and what is built."""
    plan, made, years = point.plan, point.outcome, [str(year) for year in study.policy.years]
    if plan is None or made is None:
        return {}
    share = np.divide(made.served, made.users, out=np.zeros_like(made.users), where=made.users > 0)
    money = [float(cents) / CENTS_PER_UNIT for cents in plan.spend]
    problem = study.problem
    return {
        "budget": dict(zip(years, (point.budget / CENTS_PER_UNIT).tolist(), strict=True)),
        "spend": dict(zip(years, money, strict=True)),
        "coverage": {
            group: {
                service: dict(zip(years, np.round(share[g, s], 6).tolist(), strict=True))
                for s, service in enumerate(SERVICE_NAMES)
                if made.users[g, s].any()
            }
            for g, group in enumerate(GROUPS)
        },
        "options": _built(problem.option_id.tolist(), calendar_year(plan.stage, problem.years).tolist()),
        "trenches": _built(problem.trench_id.tolist(), calendar_year(plan.trench_stage, problem.years).tolist()),
        "fingerprint": plan.fingerprint,
    }


def _built(names: Sequence[str], years: Sequence[int]) -> dict[str, int]:
    return {name: year for name, year in zip(names, years, strict=True) if year > 0}


def write_frontier(study: Study, found: Frontier, folder: Path, *, language: str = "zh") -> dict[str, Path]:
    """Write ``found`` to ``folder`` as JSON, CSV and a chart, and return the paths by name.

    Each file appears whole or not at all. Raises OutputError where the disk refuses.
    """
    text = words(language)
    rows = [point_row(study, point) for point in (*found.budget, *found.priority)]
    json_name, csv_name, png_name, svg_name = FRONTIER_FILES
    paths = {
        json_name: write_frontier_json(folder / json_name, frontier_object(study, found)),
        csv_name: write_frontier_csv(folder / csv_name, rows),
    }
    chart = frontier_chart(study, found, text)
    with atomic_file(folder / svg_name) as fresh:
        fresh.write_text(to_svg(chart, "frontier", text["frontier.title"]) + "\n", encoding="utf-8")
    with atomic_file(folder / png_name) as fresh:
        to_png(chart, fresh)
    return {**paths, svg_name: folder / svg_name, png_name: folder / png_name}
