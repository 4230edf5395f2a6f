"""What the command line says of a plan: one JSON object for scripts, plain words for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from xinji.core.arrays import AnyArray, Floats, Ints
from xinji.core.assets import assets_of
from xinji.core.study import SPEND_COLUMNS, Study
from xinji.core.vocabulary import GROUPS, SERVICE_NAMES, SERVICES
from xinji.units import CENTS_PER_UNIT, METRES_PER_KM
from xinji.workflow.planning import PlanRun

_MILLION = 1e6
_SAME_PERCENT = 0.005


def plan_object(run: PlanRun, files: Mapping[str, Path]) -> dict[str, object]:
    """Return what ``xinji plan --json`` prints.

    ``value`` and ``bound`` are in worth (people- and worker-years, weighted and discounted) under
    most_value and in discounted currency under least_cost; ``gap`` is a share; money is in currency
    units; ``coverage`` is a share, null where a group has no users; ``seconds`` [s].
    """
    study = run.study
    plan, years = study.plan, [str(year) for year in study.policy.years]
    outcome = study.outcome
    by_column = outcome.capex + outcome.opex
    return {
        "region": study.region.name,
        "currency": study.region.currency,
        "question": study.policy.question,
        "years": list(study.policy.years),
        "value": plan.objective,
        "bound": plan.bound,
        "gap": plan.gap,
        "optimal": plan.optimal,
        "interrupted": plan.interrupted,
        "seconds": round(run.seconds, 3),
        "spend": _by_year(years, plan.spend / CENTS_PER_UNIT),
        "budget": _by_year(years, study.problem.budget / CENTS_PER_UNIT),
        "spend_by_technology": {
            name: _by_year(years, by_column[:, k] / CENTS_PER_UNIT) for k, name in enumerate(SPEND_COLUMNS)
        },
        "built": {key: _by_year(years, row) for key, row in built_by_year(study).items()},
        "coverage": {
            group: {name: _shares(years, study, g, s) for s, name in enumerate(SERVICE_NAMES)}
            for g, group in enumerate(GROUPS)
        },
        "sequential": {
            "value": study.sequential.objective,
            "gap_to_joint_percent": gap_to_joint_percent(study),
        },
        "checker": "green",
        "seed": run.seed,
        "fingerprint": plan.fingerprint,
        "files": {name: str(path) for name, path in files.items()},
    }


def gap_to_joint_percent(study: Study) -> float | None:
    """Return by how much planning one technology after the other falls behind [% of the joint plan].

    Negative where it does better; None where the joint plan is worth nothing.
    """
    joint, alone = study.plan.objective, study.sequential.objective
    if joint == 0:
        return None
    behind = (alone - joint) if study.policy.question == "least_cost" else (joint - alone)
    return 100.0 * behind / joint


def built_by_year(study: Study) -> dict[str, Floats]:
    """Return what each year builds, shape (T,) each: sites, carriers, trench [km], gigabit people, edge nodes.

    Sites and edge nodes are those that stand on no other option; people are those who newly have it.
    """
    plan, assets, stages = study.plan, assets_of(study), study.problem.stages
    own = assets.host < 0
    radio, compute = assets.technology == "radio", assets.technology == "compute"
    gigabit = study.outcome.served[:, SERVICE_NAMES.index("gigabit")].sum(axis=0)
    lengths = study.problem.trench_length_m / METRES_PER_KM
    return {
        "sites": _count(plan.stage[radio & own], stages),
        "carriers": _count(plan.stage[radio & ~own], stages),
        "trench_km": np.array([lengths[plan.trench_stage == t].sum() for t in range(1, stages + 1)]),
        "gigabit_people": np.diff(gigabit, prepend=0.0),
        "edge_nodes": _count(plan.stage[compute & own], stages),
    }


def _count(stage: Ints, stages: int) -> Floats:
    return np.array([(stage == t).sum() for t in range(1, stages + 1)], dtype=np.float64)


def _by_year(years: list[str], values: AnyArray) -> dict[str, float]:
    return {year: round(float(value), 2) for year, value in zip(years, values, strict=True)}


def _shares(years: list[str], study: Study, group: int, service: int) -> dict[str, float | None]:
    served, users = study.outcome.served[group, service], study.outcome.users[group, service]
    return {year: round(float(s / u), 6) if u > 0 else None for year, s, u in zip(years, served, users, strict=True)}


def plan_text(run: PlanRun, files: Mapping[str, Path]) -> str:
    """Return the summary of a plan in plain words."""
    return "\n".join([*_headline(run), "", *_money(run.study), "", *_coverage(run.study), "", *_end(run, files)]) + "\n"


def _headline(run: PlanRun) -> Iterator[str]:
    study = run.study
    plan, first, last = study.plan, study.policy.years[0], study.policy.years[-1]
    yield f"Plan of {study.region.title_en} ({study.region.title_zh}), {first} to {last}"
    if plan.interrupted:
        yield "The search was stopped with Ctrl-C: this is the best plan found until then."
    if study.policy.question == "least_cost":
        unit = f"million {study.region.currency} (discounted)"
        cost, bound = plan.objective / _MILLION, plan.bound / _MILLION
        yield f"  cost   {cost:,.2f} {unit}; no plan that meets the floors costs less than {bound:,.2f}"
    else:
        yield f"  value  {plan.objective:,.0f} (users served by year, weighted and discounted)"
        yield f"  bound  {plan.bound:,.0f}: no plan under these budgets is worth more"
    proved = " (proved to be the best)" if plan.optimal else ""
    yield f"  gap    {plan.gap:.2%}{proved}, after {run.seconds:.1f} s with seed {run.seed}; the checker passes it"


def _money(study: Study) -> Iterator[str]:
    built = built_by_year(study)
    yield f"  spend and budget in million {study.region.currency}, and what is built"
    yield "  year   spend  budget   sites  carriers  trench km  people with gigabit  edge nodes"
    for t, year in enumerate(study.policy.years):
        spend, budget = (money[t] / CENTS_PER_UNIT / _MILLION for money in (study.plan.spend, study.problem.budget))
        row = {key: values[t] for key, values in built.items()}
        yield (
            f"  {year} {spend:7.2f} {budget:7.2f} {row['sites']:7,.0f} {row['carriers']:9,.0f}"
            f" {row['trench_km']:10,.1f} {row['gigabit_people']:20,.0f} {row['edge_nodes']:11,.0f}"
        )


def _coverage(study: Study) -> Iterator[str]:
    served, users = study.outcome.served[:, :, -1], study.outcome.users[:, :, -1]
    heads = "".join(f"{service.name:>17}" for service in SERVICES)
    yield f"  served in {study.policy.years[-1]}     {heads}"
    for g, group in enumerate(GROUPS):
        if users[g].any():
            cells = [f"{s / u:17.1%}" if u > 0 else f"{'-':>17}" for s, u in zip(served[g], users[g], strict=True)]
            yield f"  {group:<19}{''.join(cells)}"


def _end(run: PlanRun, files: Mapping[str, Path]) -> Iterator[str]:
    behind = gap_to_joint_percent(run.study)
    if behind is not None:
        least = run.study.policy.question == "least_cost"
        word = "more" if (behind > 0) == least else "less"
        amount = f"{abs(behind):.2f} % {word}" if abs(behind) >= _SAME_PERCENT else "the same"
        what = f"{'costs' if least else 'brings'} {amount}"
        yield f"Planning one technology after the other under the same budgets {what}."
    yield f"Report: {files['report.html']}"
    yield f"Map for QGIS: {files['plan.gpkg']}"
