"""A method in a process of its own: with a limit, its peak memory, and no harm to the others where it dies."""

from __future__ import annotations

import math
import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection

from common_parts.memory import peak_mib
from design_parts.methods import Outcome


@dataclass(frozen=True, slots=True)
class Measured:
    """An outcome with the peak memory [MiB] of the process that made it, NaN where it did not end."""

    outcome: Outcome
    peak_mib: float


def measure(method: Callable[..., Outcome], arguments: tuple[object, ...], wall_s: float) -> Measured:
    """Run ``method`` in a fresh process for at most ``wall_s`` seconds."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_run, args=(method, arguments, there))
    child.start()
    there.close()
    try:
        measured: Measured = here.recv() if here.poll(wall_s) else _nothing(f"not done after {wall_s:.0f} s")
    except EOFError:
        measured = _nothing("it died")
    if child.is_alive():
        child.terminate()
    child.join()
    return measured


def _run(method: Callable[..., Outcome], arguments: tuple[object, ...], there: Connection) -> None:
    try:
        outcome = method(*arguments)
    except ImportError as error:
        there.send(_nothing(f"not installed ({error.name})"))
        return
    there.send(Measured(outcome, peak_mib()))


def _nothing(note: str) -> Measured:
    return Measured(Outcome(math.nan, math.nan, math.nan, note), math.nan)
