"""Why something is in a plan or out of it, and what the opposite costs: the saved study, solved again."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np

from xinji.core.arrays import Ints
from xinji.core.assets import TRENCH as TRENCH_MONEY
from xinji.core.assets import Assets, assets_of
from xinji.core.offer import EXISTING
from xinji.core.problem import NEVER
from xinji.core.study import Study
from xinji.core.vocabulary import GROUPS, SERVICES
from xinji.errors import Fault, InfeasibleError, InputError, raise_if
from xinji.plan.choose.binding import Binding, binding
from xinji.plan.choose.bound import bound_of
from xinji.plan.choose.dependents import behind, on_top, trenches_alone
from xinji.plan.choose.explain import REASONS, TRENCH_REASONS, trench_reason
from xinji.plan.choose.force import ANY_STAGE, OPTION, TRENCH, Forced, Wish, force
from xinji.plan.choose.improve import Effort, improve_from
from xinji.plan.choose.money import paid
from xinji.workflow.planning import load_study

Progress: TypeAlias = Callable[[str, int, int], None]

_CLOSE = 3


@dataclass(frozen=True, slots=True)
class ExplainSettings:
    """How to search again: ``tries``, ``seconds`` [s] that end it earlier, ``seed``, rounds of the bound.

    ``year`` asks what building in that year costs; 0 asks for the opposite of what the plan does.
    """

    year: int = 0
    tries: int = 20
    seconds: float = 60.0
    seed: int = 0
    rounds: int = 2


@dataclass(frozen=True, slots=True)
class Served:
    """People or workers (``unit``) of a group who have a service through an asset in the last year."""

    group: str
    service: str
    unit: str
    users: float


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """Why one asset is in or out of a plan, and what forcing it costs.

    ``kind`` is ``option`` or ``trench``; ``year`` that of building, 0 for what exists, -1 for what is out;
    ``carries`` are the options that stand on it or, of a trench, that it alone joins; ``served`` what it and
    they bring (of what is out: could bring). ``capex`` and ``opex`` (T,) [cents] are its own by stage, and
    of what is out those of the first stage if it were built then. ``needs`` are the trenches that nothing
    else needs, ``needs_m`` [m] and ``needs_capex`` [cents] theirs. ``forced`` is what forcing ``wish``
    costs; where no plan keeps it, ``refused`` says why. Nothing is forced of what stands already.
    ``again`` is the best objective that the same search finds with nothing forced, missing where nothing was.
    """

    name: str
    kind: str
    technology: str
    item: str
    year: int
    reason: str
    host: str
    carries: tuple[str, ...]
    served: tuple[Served, ...]
    capex: Ints
    opex: Ints
    needs: tuple[str, ...]
    needs_m: float
    needs_capex: int
    binding: Binding
    wish: Wish
    forced: Forced | None
    refused: str
    again: float | None


def explain_assets(
    folder: Path, names: Sequence[str], *, settings: ExplainSettings, progress: Progress | None = None
) -> tuple[Study, tuple[Explanation, ...]]:
    """Return the study in the plan's ``folder`` and an explanation of each of ``names``, forced and solved again.

    A name is the id of an option or of a trench. Raises InputError with every name that is unknown, and
    where the folder holds no whole plan.
    """
    study = load_study(folder)
    return study, explain_named(study, names, settings=settings, progress=progress)


def explain_named(
    study: Study, names: Sequence[str], *, settings: ExplainSettings, progress: Progress | None = None
) -> tuple[Explanation, ...]:
    """Return an explanation of each of ``names`` in ``study``; see ``explain_assets``."""
    places, faults = [], list(_year_faults(study, settings.year))
    for name in names:
        place = _place(study, name)
        places.append(place)
        faults += [] if place else [_unknown(study, name)]
    raise_if(faults, InputError)
    assets, found = assets_of(study), []
    for number, place in enumerate(places):
        if progress is not None:
            progress("force", number, len(places))
        found.append(_explained(study, assets, *(place or (OPTION, 0)), settings))
    if progress is not None:
        progress("again", 0, 1)
    again = {parts: _again(study, settings, parts) for parts in {_parts(study, one) for one in found if one.forced}}
    return tuple(
        replace(one, again=_best(study, found, again[_parts(study, one)])) if one.forced else one for one in found
    )


def _best(study: Study, found: Sequence[Explanation], again: float) -> float:
    """Return the best of ``again`` and the plans found with something forced that are plans of the problem itself."""
    others = [one.forced.plan.objective for one in found if one.forced and one.forced.restricts]
    return max([again, *others]) if study.problem.goal == "most_value" else min([again, *others])


def _parts(study: Study, one: Explanation) -> int:
    """Return over how many stages the tries were shared out."""
    return study.problem.stages if one.wish.stage == ANY_STAGE else 1


def _again(study: Study, settings: ExplainSettings, parts: int) -> float:
    """Return the objective that a search as long as that of one stage of a wish reaches with nothing forced."""
    plan, sign = study.plan, 1.0 if study.problem.goal == "most_value" else -1.0
    if plan.optimal:
        return plan.objective
    effort = Effort(-(-settings.tries // parts), settings.seconds / parts, settings.seed)
    prices = bound_of(plan.certificate, 0.0).multipliers
    return sign * improve_from(study.problem, prices, (plan.stage, plan.trench_stage), effort).objective


def _year_faults(study: Study, year: int) -> Iterator[Fault]:
    years = study.problem.years.tolist()
    if year and year not in years:
        yield Fault("--year", f"{year} is not planned", f"Give one of {years[0]} to {years[-1]}.")


def _place(study: Study, name: str) -> tuple[str, int] | None:
    for kind, ids in ((OPTION, study.problem.option_id), (TRENCH, study.problem.trench_id)):
        at = np.flatnonzero(ids == name)
        if len(at):
            return kind, int(at[0])
    return None


def _unknown(study: Study, name: str) -> Fault:
    known = [*study.problem.option_id.tolist(), *study.problem.trench_id.tolist()]
    close = difflib.get_close_matches(name, known, n=_CLOSE)
    near = f" Close to it: {', '.join(close)}." if close else ""
    return Fault(name, "the plan has no option and no trench of this id", f"Look ids up in plan.gpkg.{near}")


def _explained(study: Study, assets: Assets, kind: str, place: int, settings: ExplainSettings) -> Explanation:
    problem, plan = study.problem, study.plan
    is_option = kind == OPTION
    stage = int((plan.stage if is_option else plan.trench_stage)[place])
    mine = on_top(problem, place) if is_option else behind(problem, plan.stage, plan.trench_stage, place)
    needs = trenches_alone(problem, plan.stage, plan.trench_stage, place) if is_option else np.zeros(0, dtype=np.int64)
    capex, opex = _money(study, kind, place, max(stage, 1) if stage != EXISTING else EXISTING)
    wish, forced, refused = _forced(study, kind, place, stage, settings)
    host = int(problem.host[place]) if is_option else NEVER
    standing = mine[plan.stage[mine] >= EXISTING] if stage >= EXISTING else mine
    return Explanation(
        name=str((problem.option_id if is_option else problem.trench_id)[place]),
        kind=kind,
        technology=str(assets.technology[place]) if is_option else TRENCH_MONEY,
        item=str(assets.kind[place] if is_option else study.trenches.method[place]),
        year=int(problem.years[stage - 1]) if stage > EXISTING else stage,
        reason=_reason(study, kind, place),
        host=str(problem.option_id[host]) if host >= 0 else "",
        carries=tuple(problem.option_id[standing[standing != (place if is_option else NEVER)]].tolist()),
        served=_served(study, mine, standing=stage >= EXISTING),
        capex=capex,
        opex=opex,
        needs=tuple(problem.trench_id[needs].tolist()),
        needs_m=float(problem.trench_length_m[needs].sum()),
        needs_capex=int(problem.trench_capex[needs].sum()),
        binding=binding(problem, plan, mine),
        wish=wish,
        forced=forced,
        refused=refused,
        again=None,
    )


def _money(study: Study, kind: str, place: int, stage: int) -> tuple[Ints, Ints]:
    """Return capex and opex by stage (T,) [cents] of one asset built in ``stage``."""
    problem = study.problem
    once, yearly = (problem.capex, problem.opex) if kind == OPTION else (problem.trench_capex, problem.trench_opex)
    return paid(np.array([stage]), once[[place]], yearly[[place]], problem.stages)


def _reason(study: Study, kind: str, place: int) -> str:
    if kind == OPTION:
        return REASONS[str(study.plan.reasons.code[place])]
    return TRENCH_REASONS[trench_reason(study.problem, study.plan, place)]


def _forced(
    study: Study, kind: str, place: int, stage: int, settings: ExplainSettings
) -> tuple[Wish, Forced | None, str]:
    """Return what is forced, what that costs, and why it cannot be, where it cannot."""
    problem = study.problem
    asked = ANY_STAGE if stage == NEVER else NEVER
    if settings.year:
        asked = int(np.flatnonzero(problem.years == settings.year)[0]) + 1
    wish = Wish(kind, place, asked)
    effort = Effort(settings.tries, settings.seconds, settings.seed, rounds=settings.rounds)
    try:
        return wish, force(problem, study.plan, wish, effort), ""
    except InfeasibleError as error:
        return wish, None, str(error)
    except InputError as error:
        return wish, None, "; ".join(fault.message for fault in error.faults)


def _served(study: Study, options: Ints, *, standing: bool) -> tuple[Served, ...]:
    """Return whom ``options`` serve in the last year or, not ``standing``, whom they could serve at most."""
    problem, last = study.problem, study.problem.stages - 1
    arcs = np.flatnonzero(np.isin(problem.arc_option, options) | np.isin(problem.arc_partner, options))
    row, inverse = np.unique(problem.arc_row[arcs], return_inverse=True)
    share = study.plan.served[arcs, last] if standing else problem.arc_share[arcs]
    reached = np.minimum(np.bincount(inverse, weights=share, minlength=len(row)), 1.0)
    users = reached * study.demand.users[study.row_cell[row], study.row_service[row], last]
    group, service = study.region.cells.group[study.row_cell[row]], study.row_service[row]
    total = np.zeros((len(GROUPS), len(SERVICES)))
    np.add.at(total, (group, service), users)
    return tuple(
        Served(GROUPS[g], SERVICES[s].name, SERVICES[s].unit, float(total[g, s]))
        for g, s in np.argwhere(total >= 0.5).tolist()
    )
