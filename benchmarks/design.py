"""The network-design engines and the packages that people use, on the same problems in one run.

    python benchmarks/design.py [--quick] [--shared DIR] [--out FILE]

Every method runs in a process of its own with one thread; times are processor seconds, after compiling. A gap
is the distance from the best value that any method found (or the published optimum), in percent; "certified"
is the distance of a method's own bound from its own value. ``--quick`` shows that all works; its figures mean
nothing. pcst_fast is left out: it returns wrong arrays with NumPy 2.
"""

from __future__ import annotations

import os

# Libraries read these when they are loaded, in the processes that measure too.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

import argparse
import datetime as dt
import math
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from itertools import chain
from pathlib import Path

from design_parts import methods, problems
from design_parts.apart import measure
from design_parts.methods import Outcome

from xinji.io.instances_files import Known

SHARED = Path(__file__).resolve().parents[2] / "shared"
PACKAGES = ("highspy", "networkx", "rustworkx", "spopt", "numba", "numpy")
HEAD = "| problem | method | value | gap % | certified % | CPU s | peak MiB | |"
BUILD_S = 90.0
"""Given to others on top of their limit, which does not hold while they build their models."""

COMPILE_S = 300.0
"""Given to our own methods on top: the first run after a change compiles."""


@dataclass(frozen=True, slots=True)
class Job:
    """A method on a problem: what it is called, the function and its arguments, when it is given up [s]."""

    method: str
    run: Callable[..., Outcome]
    arguments: tuple[object, ...]
    wall_s: float


@dataclass(frozen=True, slots=True)
class Case:
    """A problem with the methods that try it; ``known`` is its published optimum, NaN where there is none."""

    name: str
    jobs: tuple[Job, ...]
    most: bool
    known: float = math.nan


def ours(run: Callable[..., Outcome], *arguments: object, seconds: float) -> Job:
    """Return the job of one of our engines with its limit [processor s]."""
    return Job("xinji", run, (*arguments, seconds), 3.0 * seconds + COMPILE_S)


def covering_cases(*, quick: bool) -> Iterator[Case]:
    """Yield single covering of three sizes and staged covering of one; dense matrices stop spopt beyond the first."""
    sizes = (
        [(600, 100, 12.0)] if quick else [(10_000, 2_000, 50.0), (100_000, 10_000, 70.0), (1_000_000, 100_000, 60.0)]
    )
    limits, patience = ((2.0,), 5.0) if quick else ((6.0, 20.0, 300.0), 60.0)
    for at, (size, seconds) in enumerate(zip(sizes, limits, strict=True)):
        covers, budget = problems.covering(*size)
        jobs = [ours(methods.our_covering, covers, budget, seconds=seconds)]
        if at == 0:
            given = (covers, budget, patience)
            jobs.append(Job("HiGHS", methods.highs_covering, given, 2.0 * patience + BUILD_S))
            jobs.append(Job("spopt with HiGHS", methods.spopt_covering, given, 2.0 * patience + BUILD_S))
        yield Case(f"covering, {size[0]:,} points x {size[1]:,} sites", tuple(jobs), most=True)
    size = sizes[0] if quick else sizes[1]
    covers, budget = problems.covering(*size)
    job = ours(methods.our_staged, covers, budget, seconds=3.0 if quick else 120.0)
    yield Case(f"staged covering, {size[0]:,} x {size[1]:,}, 5 years", (job,), most=True)


def tree_cases(shared: Path, *, quick: bool) -> Iterator[Case]:
    """Yield a made-up road graph, and published ones where they lie beside the repository."""
    side, terminals, seconds, patience = (20, 20, 2.0, 60.0) if quick else (120, 300, 10.0, 60.0)
    for one in [problems.roads(side, terminals), *(() if quick else problems.published(shared))]:
        first = ours(methods.our_first_tree, one, seconds=seconds)
        jobs = (
            ours(methods.our_tree, one, seconds=seconds),
            Job("xinji, first local optimum", first.run, first.arguments, first.wall_s),
            Job("networkx, Mehlhorn", methods.networkx_tree, (one, "mehlhorn"), patience),
            Job("networkx, Kou", methods.networkx_tree, (one, "kou"), patience),
            Job("rustworkx", methods.rustworkx_tree, (one,), patience),
        )
        name = f"Steiner tree, {one.name}, {one.node_count:,} nodes, {len(one.terminals):,} terminals"
        yield Case(name, jobs, most=False, known=_upper(one.known))


def prize_cases(shared: Path, *, quick: bool) -> Iterator[Case]:
    """Yield published prize-collecting trees where they lie beside the repository; no package is asked for them."""
    for one in () if quick else problems.published_prizes(shared):
        jobs = (ours(methods.our_prize_tree, one, seconds=10.0),)
        yield Case(f"prize-collecting tree, {one.name}", jobs, most=False, known=_upper(one.known))


def location_cases(shared: Path, *, quick: bool) -> Iterator[Case]:
    """Yield a made-up facility location problem with capacities, and published ones."""
    one, seconds = (problems.facilities(8, 30), 3.0) if quick else (problems.facilities(100, 400), 30.0)
    for case in [one, *(() if quick else problems.published_facilities(shared))]:
        jobs = (
            ours(methods.our_location, case, seconds=seconds),
            Job("HiGHS", methods.highs_location, (case, seconds), 2.0 * seconds + BUILD_S),
        )
        yield Case(f"facilities with capacities, {case.name}", jobs, most=False, known=_upper(case.known))


def _upper(known: Known | None) -> float:
    return math.nan if known is None else known.upper


def rows(case: Case) -> Iterator[str]:
    """Measure every method on ``case`` and yield the lines of the table."""
    found = [(job, measure(job.run, job.arguments, job.wall_s)) for job in case.jobs]
    values = [one.outcome.value for _, one in found if math.isfinite(one.outcome.value)]
    best = case.known if math.isfinite(case.known) else (max if case.most else min)(values, default=math.nan)
    for job, one in found:
        outcome = one.outcome
        cells = (
            case.name,
            job.method,
            _figure(outcome.value, ",.1f"),
            _figure(100.0 * abs(outcome.value - best) / abs(best), ".3f"),
            _figure(100.0 * abs(outcome.bound - outcome.value) / abs(outcome.value), ".3f"),
            _figure(outcome.seconds, ".2f"),
            _figure(one.peak_mib, ",.0f"),
            outcome.note,
        )
        yield f"| {' | '.join(cells)} |"


def _figure(value: float, form: str) -> str:
    return f"{value:{form}}" if math.isfinite(value) else "-"


def report(shared: Path, *, quick: bool) -> Iterator[str]:
    """Yield the lines of the report as they are measured."""
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    packages = ", ".join(f"{package} {_version(package)}" for package in PACKAGES)
    yield f"Run on {dt.datetime.now(tz=dt.UTC).date()}, {machine}, {packages}. One thread each."
    yield ""
    yield HEAD
    yield "|" + "---|" * (HEAD.count("|") - 1)
    graphs = chain(tree_cases(shared, quick=quick), prize_cases(shared, quick=quick))
    for case in chain(covering_cases(quick=quick), graphs, location_cases(shared, quick=quick)):
        yield from rows(case)
    yield ""
    if not (shared / "instances").is_dir():
        yield f"Published instances are skipped: there is no {shared / 'instances'}."


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed)"


def main() -> None:
    """Print the report, line by line, and keep it where asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small problems, to see that all works")
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder with instances/")
    parser.add_argument("--out", type=Path, help="keep the report here")
    asked = parser.parse_args()
    lines = []
    for line in report(asked.shared, quick=asked.quick):
        lines.append(line)
        print(line)
        sys.stdout.flush()
    if asked.out:
        asked.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
