"""From a region to a plan in files."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np

from xinji.core.difference import PlanDiff
from xinji.core.facilities import Facilities
from xinji.core.offer import EXISTING, Offer, Trenches
from xinji.core.parameters import Parameters
from xinji.core.plan import Plan
from xinji.core.policy import Floor, Policy
from xinji.core.problem import Problem
from xinji.core.region import Region
from xinji.core.replanned import Replanned
from xinji.core.study import Study
from xinji.core.vocabulary import TECHNOLOGIES
from xinji.errors import CheckError, Fault, OutputError, RegionError, raise_if
from xinji.io.atomic import atomic_file, atomic_folder
from xinji.io.check import CheckReport, check, examine
from xinji.io.config import CONFIG_FILE, RegionConfig, overrides, policy, read_config
from xinji.io.importing import RegionSummary, import_region
from xinji.io.parameters import load
from xinji.io.plan_decisions import Decisions, read_decisions
from xinji.io.plan_diff import diff_plans
from xinji.io.plan_files import write_all
from xinji.io.plan_json import read_plan_json
from xinji.io.plan_replanned import replanned_in
from xinji.io.region import build, locate, read
from xinji.io.settings import changed_config
from xinji.io.study_file import read_study_file, write_study_file
from xinji.io.template import write_template
from xinji.plan.choose.assemble import Assembly, assemble
from xinji.plan.choose.check import check as check_plan
from xinji.plan.choose.improve import Effort
from xinji.plan.choose.outcome import outcome
from xinji.plan.choose.sequential import solve_sequential
from xinji.plan.choose.solve import outdo, solve
from xinji.plan.compute.offer import offer as compute_offer
from xinji.plan.demand import forecast
from xinji.plan.fibre.offer import offer as fibre_offer
from xinji.plan.fibre.trench import trenches as trench_graph
from xinji.plan.radio.offer import offer as radio_offer
from xinji.show.report import render
from xinji.show.text import words
from xinji.workflow.replanning import (
    Frozen,
    Start,
    begin,
    freeze_offers,
    freeze_problem,
    replanned_of,
    require_unchanged,
)
from xinji.workflow.replanning_last import LAST_FILE, LastPlan, explained, read_last

PLAN_FILE = "plan.json"
REPORT_FILE = "report.html"
STUDY_FILE = "study.npz"
REGION_FOLDER = "region"
"""The copy of the planned region, with what was asked in its region.toml, in a plan's folder."""

PLAN_STEPS = ("read", "demand", "offers", "search", "compare", "check", "write")

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with the name of a step, how much of it is done, and of how much."""

_OF_FLOORS = ("floor ", "the bound ", "the certificate's bound ")
FRONTIER_FILES = ("frontier.json", "frontier.csv", "frontier.png", "frontier.svg")
"""What ``xinji frontier`` adds to a plan's folder; it goes with the plan when that is replaced."""

_QUICK_TRIES, _QUICK_ROUNDS = 50, 2
"""A quick look takes two rounds of five: on xinwu the bound is 0.10 % looser, in 40 instead of 100 CPU s."""

_OURS = {PLAN_FILE, LAST_FILE, STUDY_FILE, REGION_FOLDER, "plan.gpkg", "bill_of_materials.xlsx", "tables", "layers"}
_OURS |= set(FRONTIER_FILES)


@dataclass(frozen=True, slots=True)
class PlanSettings:
    """What is asked of one planning run beyond what the region says.

    ``changes`` pairs keys ``policy.*`` and ``parameters.*`` with values as TOML writes them;
    ``floors`` are added to the region's; ``question`` replaces its own unless empty; ``keep`` is a
    plan.gpkg whose decisions hold. With ``ledger`` the plan is made again from what that says: the years
    before that of its date are over, and what is let or built is frozen; ``slips`` pairs ids of what is
    let with later years of completion, ``learn_costs`` prices trenches still to dig as those let, and ``last``
    is the plan (its folder or plan.json) that the report explains the difference to. ``tries`` says how long
    to search (below 50 the bound is sought in fewer rounds, too), ``seconds`` [s] ends the search earlier on a slow
    machine, ``seed`` fixes its random numbers.
    """

    changes: tuple[tuple[str, str], ...] = ()
    floors: tuple[Floor, ...] = ()
    question: str = ""
    keep: Path | None = None
    ledger: Facilities | None = None
    slips: tuple[tuple[str, int], ...] = ()
    learn_costs: bool = False
    last: Path | None = None
    tries: int = 100
    seconds: float = 120.0
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class PlanRun:
    """A study and where it comes from: the region's folder, and the region.toml that was planned.

    ``seconds`` is the time from reading to the checked plan; ``replanned`` what the ledger left, if the
    plan was made again from one, and ``last`` the plan before it, if that was named.
    """

    study: Study
    source: Path
    config: RegionConfig
    text: str
    seconds: float
    seed: int
    replanned: Replanned | None = None
    last: LastPlan | None = None


def _quiet(_step: str, _done: int, _total: int) -> None:
    """Tell nobody."""


def new_region(folder: Path, name: str) -> Path:
    """Write a commented region.toml called ``name`` into ``folder`` and return its path.

    Raises RegionError where the name will not do, OutputError where there is one already or the
    disk refuses.
    """
    with _made_parents_undone(folder / CONFIG_FILE):
        return write_template(folder, name)


def import_folder(
    source: Path,
    out: Path,
    *,
    data: Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> RegionSummary:
    """Make the region ``out`` from the mapping in ``source``; see ``xinji.io.importing.import_region``."""
    if not source.exists():
        raise RegionError([Fault(str(source), "there is no such file or folder", "Write one with `xinji new`.")])
    with _made_parents_undone(out):
        return import_region(source, out, data_dir=data, overwrite=overwrite, progress=progress)


def check_region(name_or_path: str) -> CheckReport:
    """Return every fault, warning and quality figure of a region, built-in or a folder.

    Raises RegionError where there is no such region.
    """
    return check(locate(name_or_path))


def registry(profile: str) -> Parameters:
    """Return the parameters of a country profile; raises ParameterError where it is unknown."""
    return load(profile)


def default_out(name_or_path: str) -> Path:
    """Return where the plan of a region goes unless told otherwise: ``out/<name>``.

    Raises RegionError where there is no such region.
    """
    folder = locate(name_or_path)
    try:
        return Path("out") / read_config(folder / CONFIG_FILE).name
    except RegionError:
        # Planning will list these faults with all others.
        return Path("out") / folder.resolve().name


def plan_region(
    name_or_path: str, *, settings: PlanSettings | None = None, progress: Progress | None = None
) -> PlanRun:
    """Plan a region, built-in or a folder, and have the independent checker pass both plans.

    Ctrl-C during the search keeps the best plan found so far. Raises RegionError, ParameterError or
    PolicyError with every fault of region and settings, InputError for wrong decisions,
    InfeasibleError where no plan can meet what is asked, CheckError where the checker rejects a plan.
    """
    begun = time.monotonic()
    settings, tell = settings or PlanSettings(), progress or _quiet
    source = locate(name_or_path)
    tell("read", 0, 1)
    region, wishes, config, text = _read(source, settings)
    start, frozen = _begun(settings, region, wishes, config), None
    last = None if settings.last is None else read_last(settings.last, region=region.name, currency=region.currency)
    if start is not None:
        region, wishes = start.region, start.wishes
    tell("demand", 0, 1)
    users = forecast(region, wishes)
    tell("offers", 0, 1)
    trenches = trench_graph(region)
    radio = radio_offer(region, users, masts=None if start is None else start.masts)
    offers: tuple[Offer, ...] = (radio, fibre_offer(region, users, trenches), compute_offer(region, users, trenches))
    if start is not None:
        frozen = freeze_offers(start, offers, trenches)
        offers, trenches = frozen.commitment.offers, frozen.commitment.trenches
        wishes, config, text = frozen.wishes, frozen.config, frozen.text
    decisions = _decisions(settings, offers, trenches, wishes, frozen)
    trenches = _kept(trenches, decisions)
    assembly = assemble(region.cells, wishes, users, trenches, offers, decisions=decisions.options)
    if frozen is not None:
        assembly = freeze_problem(assembly, frozen, region.currency)
    plan, sequential = _solve(assembly, offers, settings, tell)
    study = Study(
        region=region,
        policy=wishes,
        demand=users,
        trenches=trenches,
        offers=offers,
        problem=assembly.problem,
        option_offer=assembly.option_offer,
        option_place=assembly.option_place,
        row_cell=assembly.row_cell,
        row_service=assembly.row_service,
        plan=plan,
        outcome=outcome(assembly, plan, region.cells, users),
        sequential=sequential,
        sequential_outcome=outcome(assembly, sequential, region.cells, users),
    )
    made = None
    if start is not None and frozen is not None:
        made = replanned_of(start, frozen, study.problem, plan)
    return PlanRun(study, source, config, text, time.monotonic() - begun, settings.seed, made, last)


def _begun(settings: PlanSettings, region: Region, wishes: Policy, config: RegionConfig) -> Start | None:
    """Return where a plan begins that is made again; None where it is made for the first time."""
    if settings.ledger is None:
        wrong = [("--slip", settings.slips), ("--learn-costs", settings.learn_costs), ("--last", settings.last)]
        raise_if(
            [Fault(name, "there is no ledger to plan from", "Give --ledger, too.") for name, asked in wrong if asked]
        )
        return None
    return begin(settings.ledger, region, wishes, config, learn=settings.learn_costs, slips=settings.slips)


def _decisions(
    settings: PlanSettings, offers: tuple[Offer, ...], trenches: Trenches, wishes: Policy, frozen: Frozen | None
) -> Decisions:
    """Return what the plan file says that is to be kept; it may not contradict what is ``frozen``."""
    if settings.keep is None:
        return Decisions({}, {})
    decisions = read_decisions(settings.keep, offers, trenches, wishes.years)
    if frozen is not None:
        require_unchanged(decisions, frozen.commitment)
    return decisions


def _read(source: Path, settings: PlanSettings) -> tuple[Region, Policy, RegionConfig, str]:
    """Read the region of ``source`` with the changes of ``settings``; every fault is raised at once."""
    layers, found = examine(source)
    raise_if(found.faults, RegionError)
    config, text = changed_config(
        read_config(source / CONFIG_FILE), settings.changes, floors=settings.floors, question=settings.question
    )
    parameters = load(config.profile).override(overrides(config))
    rate = parameters.value("finance.discount_rate", "share")
    return build(layers, config, parameters), policy(config, discount_rate=rate), config, text


def _kept(trenches: Trenches, decisions: Decisions) -> Trenches:
    """Return ``trenches`` with those committed that ``decisions`` fixes."""
    built = trenches.built.copy()
    place = {str(name): row for row, name in enumerate(trenches.id)}
    for name, stage in decisions.trenches.items():
        if built[place[name]] != EXISTING:
            built[place[name]] = stage
    return replace(trenches, built=built)


def _solve(assembly: Assembly, offers: tuple[Offer, ...], settings: PlanSettings, tell: Progress) -> tuple[Plan, Plan]:
    """Return the joint plan and the plan made one technology after the other, both checked."""
    problem = assembly.problem
    code = np.array([TECHNOLOGIES.index(offer.technology) for offer in offers], dtype=np.int64)
    technology = code[assembly.option_offer]
    tell("search", 0, settings.tries)
    effort = _effort(settings, tell, "search")
    plan = solve(problem, effort)
    tell("check", 0, 1)
    _verify(problem, plan)
    tell("compare", 0, settings.tries)
    hurried = replace(effort, tries=0, progress=None)
    try:
        effort = hurried if plan.interrupted else _effort(settings, tell, "compare", len(offers))
        sequential = solve_sequential(problem, technology, plan, effort)
    except KeyboardInterrupt:
        sequential = solve_sequential(problem, technology, plan, hurried)
    tell("check", 0, 1)
    _verify(problem, sequential)
    better = outdo(problem, plan, sequential, replace(effort, progress=None))
    if better is not plan:
        _verify(problem, better)
    return better, sequential


def _effort(settings: PlanSettings, tell: Progress, step: str, rounds: int = 1) -> Effort:
    """Return the effort of a search whose tries are told in ``rounds``, one after the other."""
    before, last = 0, 0

    def progress(done: int, total: int) -> None:
        nonlocal before, last
        before += total if done <= last else 0
        last = done
        tell(step, before + done, total * rounds)

    effort = Effort(settings.tries, settings.seconds, settings.seed, progress)
    return effort if settings.tries >= _QUICK_TRIES else replace(effort, rounds=_QUICK_ROUNDS)


def _verify(problem: Problem, plan: Plan) -> None:
    """Raise CheckError where the independent checker rejects ``plan``.

    A plan made one technology after the other may miss floors, and says so in its notes; then it answers
    a lesser question, and neither floors nor the joint plan's bound hold for it.
    """
    try:
        check_plan(problem, plan)
    except CheckError as error:
        forgiven = _OF_FLOORS if plan.notes.get("floors") else ()
        held = [line for line in str(error).splitlines() if not (forgiven and line.startswith(forgiven))]
        if held:
            raise CheckError("\n".join(f"the checker rejects the plan: {line}" for line in held)) from error


def require_writable(out: Path) -> None:
    """Raise OutputError unless a plan may be written to ``out``; leaves nothing behind.

    Asked before a long search, so that its result is not lost to a folder that is in the way.
    """
    _refuse_foreign(out)

    class _EnoughError(Exception):
        """Ends the trial."""

    with suppress(_EnoughError), _made_parents_undone(out), atomic_folder(out, marker=PLAN_FILE):
        raise _EnoughError


def write_study(run: PlanRun, out: Path, *, language: str = "zh", progress: Progress | None = None) -> dict[str, Path]:
    """Write all files of a plan to the folder ``out``, whole or not at all, and return their paths by name.

    Both plans pass the independent checker once more. A folder that holds an earlier plan is
    replaced; raises OutputError where it holds anything else, or where the disk refuses; CheckError
    where the checker rejects a plan; InputError where the language is unknown.
    """
    study, text = run.study, words(language)
    (progress or _quiet)("write", 0, 1)
    for plan in (study.plan, study.sequential):
        _verify(study.problem, plan)
    _refuse_foreign(out)
    with _made_parents_undone(out), atomic_folder(out, marker=PLAN_FILE) as fresh, _named(fresh, out):
        paths = write_all(fresh, study, words=text, replanned=run.replanned)
        paths[REPORT_FILE] = fresh / REPORT_FILE
        why = explained(run.last, study, run.replanned)
        page = render(study, language=language, replanned=run.replanned, explained=why)
        paths[REPORT_FILE].write_text(page, encoding="utf-8")
        if run.last is not None:
            paths[LAST_FILE] = fresh / LAST_FILE
            paths[LAST_FILE].write_text(run.last.text, encoding="utf-8")
        _copy_region(run, fresh / REGION_FOLDER)
        paths[STUDY_FILE] = write_study_file(fresh / STUDY_FILE, study, fresh / REGION_FOLDER)
        inside = {name: path.relative_to(fresh) for name, path in paths.items()}
    return {name: out / path for name, path in inside.items()}


def _copy_region(run: PlanRun, folder: Path) -> None:
    """Copy the layers and notes of the planned region, with its region.toml as changed."""
    folder.mkdir()
    layers = set(run.config.layers.model_dump().values())
    for file in sorted(run.source.iterdir()):
        if file.name in layers or file.suffix == ".md":
            shutil.copyfile(file, folder / file.name)
    (folder / CONFIG_FILE).write_text(run.text, encoding="utf-8")


def _refuse_foreign(out: Path) -> None:
    """Raise OutputError where an earlier plan's folder holds what Xinji did not write."""
    if not (out / PLAN_FILE).is_file():
        return
    foreign = [
        file.name
        for file in sorted(out.iterdir())
        if file.name not in _OURS and not (file.name.startswith("report") and file.suffix == ".html")
    ]
    if foreign:
        listed = ", ".join(foreign[:5]) + (" ..." if len(foreign) > 5 else "")
        message = f"{out}: the folder holds files that Xinji did not write ({listed}), and they would be lost"
        raise OutputError(f"{message}. Move them away (close the plan in QGIS first), or name another folder.")


@contextmanager
def _made_parents_undone(path: Path) -> Iterator[None]:
    """Remove the folders above ``path`` that were made in the block, if it ends early."""
    missing = [folder for folder in path.resolve().parents if not folder.exists()]
    try:
        yield
    except BaseException:
        for folder in missing:
            with suppress(OSError):
                folder.rmdir()
        raise


@contextmanager
def _named(fresh: Path, out: Path) -> Iterator[None]:
    """Let messages name the folder that the user knows, not the temporary one."""
    try:
        yield
    except OutputError as error:
        raise OutputError(str(error).replace(str(fresh), str(out))) from error


def load_study(folder: Path) -> Study:
    """Return the study in the plan's ``folder``; raises InputError where it is not whole."""
    if not (folder / REGION_FOLDER).is_dir():
        message = "it holds no plan" if folder.is_dir() else "there is no such folder"
        raise RegionError([Fault(str(folder), message, "Name a folder that `xinji plan` wrote.")])
    region, wishes = read(folder / REGION_FOLDER)
    return read_study_file(folder / STUDY_FILE, region, wishes, folder / REGION_FOLDER)


def report(folder: Path, *, language: str = "zh", out: Path | None = None) -> Path:
    """Make the report of the plan in ``folder`` again and return its path (``report.html`` unless ``out``).

    Raises InputError where the plan's files are not whole or the language is unknown, CheckError where
    the checker rejects the plan, OutputError where the disk refuses.
    """
    words(language)
    study = load_study(folder)
    _verify(study.problem, study.plan)
    path = out or folder / REPORT_FILE
    if path.is_dir():
        raise OutputError(f"{path}: a folder of this name is in the way. Name a file.")
    made = replanned_in(read_plan_json(folder / PLAN_FILE))
    named = (folder / LAST_FILE).is_file()
    last = read_last(folder / LAST_FILE, region=study.region.name, currency=study.region.currency) if named else None
    with _made_parents_undone(path), atomic_file(path) as fresh:
        page = render(study, language=language, replanned=made, explained=explained(last, study, made))
        fresh.write_text(page, encoding="utf-8")
    return path


def diff(a: Path, b: Path) -> PlanDiff:
    """Return what plan ``b`` does otherwise than plan ``a``; each is a plan's folder or its plan.json.

    Raises InputError where a plan cannot be read or they are of different regions.
    """
    return diff_plans(read_plan_json(a), read_plan_json(b))
