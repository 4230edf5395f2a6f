"""Validation of the design engines: published instances solved, every answer checked, beside what is known of them."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TypeAlias

from xinji.errors import Fault, InputError
from xinji.io.instances import FACILITY, MEDIAN, PRIZE, STEINER, Instance, family_of, read_instances
from xinji.io.instances_covering import LARGE, CoveringInstance
from xinji.workflow.validate_design_engines import solve_instance
from xinji.workflow.validate_design_result import DesignResult

SECONDS = {STEINER: 30.0, PRIZE: 10.0, FACILITY: 60.0, MEDIAN: 30.0}
"""Limit of each family [processor seconds an instance]; covering goes by size."""

COVERING_SECONDS = ((10_000, 6.0), (100_000, 20.0), (10_000_000, 300.0))
"""Limit of covering problems by the number of points that they have at most."""

Told: TypeAlias = Callable[[str], None]
"""Called with a line on how far the work is."""


@dataclass(frozen=True, slots=True, eq=False)
class DesignTask:
    """An instance to solve within ``seconds`` of processor time."""

    instance: Instance
    seconds: float

    @property
    def title(self) -> str:
        """The family and name."""
        return f"{family_of(self.instance)} {self.instance.name}"


def design_tasks(
    data: Path, *, seconds: float | None = None, sizes: Sequence[str] = (), told: Told | None = None
) -> tuple[DesignTask, ...]:
    """Return what is to be solved in the folder ``data``; ``seconds`` is the limit of each instance.

    Of the covering problems, ``sizes`` names those to make; without it, those of ``LARGE`` are left out unless
    ``seconds`` allows them. Raises InputError with every fault of every file, and for sizes that are not there.
    """
    instances = read_instances(data)
    _refuse_unknown(sizes, instances)
    chosen = []
    for one in instances:
        limit = _limit(one) if seconds is None else seconds
        if isinstance(one, CoveringInstance) and not _wanted(one, sizes, seconds):
            if told is not None and not sizes:
                told(f"covering {one.name} is left out; add --sizes {one.name} or --seconds {_limit(one):.0f}")
            continue
        chosen.append(DesignTask(one, limit))
    return tuple(chosen)


def _wanted(instance: CoveringInstance, sizes: Sequence[str], seconds: float | None) -> bool:
    if sizes:
        return instance.name.rpartition("/")[2] in sizes
    large = instance.points >= min(points for points, _, _ in LARGE.values())
    return not large or (seconds is not None and seconds >= _limit(instance))


def _limit(instance: Instance) -> float:
    if not isinstance(instance, CoveringInstance):
        return SECONDS[family_of(instance)]
    return next(limit for points, limit in COVERING_SECONDS if instance.points <= points)


def _refuse_unknown(sizes: Sequence[str], instances: Sequence[Instance]) -> None:
    there = [one.name.rpartition("/")[2] for one in instances if isinstance(one, CoveringInstance)]
    unknown = [size for size in sizes if size not in there]
    if unknown:
        remedy = f"Use {', '.join(there)}." if there else "The folder holds no mclp_generator.py: leave --sizes out."
        raise InputError([Fault("--sizes", f"the size {size!r} is unknown", remedy) for size in unknown])


def run_tasks(tasks: Sequence[DesignTask], *, jobs: int = 1, told: Told | None = None) -> Iterator[DesignResult]:
    """Solve ``tasks`` in ``jobs`` processes (1: this one) and yield results as they are done.

    Whoever stops asking has all that was yielded until then.
    """
    say = told or _quiet
    if jobs <= 1:
        for number, task in enumerate(tasks, 1):
            say(f"{number} of {len(tasks)}: {task.title}, at most {task.seconds:g} s")
            yield solve_instance(task.instance, task.seconds)
        return
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_leave_interrupts)
    try:
        waiting: dict[Future[DesignResult], DesignTask] = {
            pool.submit(solve_instance, task.instance, task.seconds): task for task in tasks
        }
        say(f"{len(tasks)} instances in {jobs} processes")
        for number, future in enumerate(as_completed(waiting), 1):
            say(f"{number} of {len(tasks)} done: {waiting[future].title}")
            yield future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def in_order(results: Sequence[DesignResult], tasks: Sequence[DesignTask]) -> tuple[DesignResult, ...]:
    """Return ``results`` in the order of ``tasks``, however they came in."""
    place = {task.title: number for number, task in enumerate(tasks)}
    return tuple(sorted(results, key=lambda one: place[f"{one.family} {one.instance}"]))


def _leave_interrupts() -> None:
    """Let the main process alone answer Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _quiet(_line: str) -> None:
    """Tell nobody."""
