"""Much work at once: in this process, in several, or on a Dask cluster; the same bits each way.

A task carries all that it needs (for path loss a window of the surface around its site) and answers
with arrays, so that no worker has to see this machine's files, and a task that died with its
worker can be run again anywhere. Each way makes the same tasks and calls the same function.
"""

from __future__ import annotations

import hashlib
import pickle
import signal
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from itertools import islice
from multiprocessing import get_context
from typing import Any, Protocol, TypeVar, cast

import numpy as np

from xinji.core.grid import Grid
from xinji.core.radio import LossMap
from xinji.errors import Fault, InputError, XinjiError
from xinji.plan.radio.area import Climate, Mast, Surface, loss_map

IN_FLIGHT = 2
"""Tasks handed out for each worker: one that runs and one that waits."""

CONNECT_S = 20.0
NO_WORKER_S = 60.0
"""How long a cluster may be without any worker before the run is given up [s]."""

_BORDER = 2
_POLL_S = 5.0
_RESTARTS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One site's path loss to be computed: the surface around it, the mast, and what is asked."""

    surface: Surface
    mast: Mast
    frequency_mhz: tuple[float, ...]
    radius_m: float
    terminal_m: float
    climate: Climate

    def run(self) -> LossMap:
        """Return the path loss; see ``xinji.plan.radio.area.loss_map``."""
        return loss_map(
            # What came by mail is read-only again, so that the same compiled code runs on it.
            replace(self.surface),
            self.mast,
            frequency_mhz=self.frequency_mhz,
            radius_m=self.radius_m,
            terminal_m=self.terminal_m,
            climate=self.climate,
        )


Made = TypeVar("Made")
Made_co = TypeVar("Made_co", covariant=True)


class Job(Protocol[Made_co]):
    """What a crew runs: it can be pickled, and so can what it makes."""

    def run(self) -> Made_co:
        """Return what was made."""
        ...


class Crew(Protocol):
    """Runs jobs and yields what they make as they are done, in any order."""

    def __call__(self, tasks: Iterable[Job[Made]], /) -> Iterator[Made]:
        """Run ``tasks``."""
        ...


def task_of(asked: Task) -> Task:
    """Return ``asked`` with no more of its surface than its radius needs. Its mast must stand on the surface."""
    surface, grid, mast = asked.surface, asked.surface.grid, asked.mast
    row, column, _ = grid.locate(np.array([mast.x_m]), np.array([mast.y_m]))
    reach = int(np.ceil(asked.radius_m / grid.cell_m)) + _BORDER
    top, left = max(0, int(row[0]) - reach), max(0, int(column[0]) - reach)
    bottom, right = min(grid.rows, int(row[0]) + reach + 1), min(grid.columns, int(column[0]) + reach + 1)
    window = Grid(
        grid.crs,
        grid.west_m + left * grid.cell_m,
        grid.north_m - top * grid.cell_m,
        grid.cell_m,
        bottom - top,
        right - left,
    )
    cut = (slice(top, bottom), slice(left, right))
    part = Surface(
        window,
        np.ascontiguousarray(surface.ground_m[cut]),
        np.ascontiguousarray(surface.clutter_m[cut]),
        np.ascontiguousarray(surface.clutter_class[cut]),
    )
    return replace(asked, surface=part)


def alone(tasks: Iterable[Job[Made]], /) -> Iterator[Made]:
    """Run ``tasks`` one after the other in this process."""
    for task in tasks:
        yield task.run()


def processes(workers: int) -> Crew:
    """Return what runs tasks in ``workers`` processes of this machine; one worker is this process itself."""

    def pooled(tasks: Iterable[Job[Made]], /) -> Iterator[Made]:
        return _pooled(tasks, workers)

    return alone if workers == 1 else pooled


def cluster(address: str) -> Crew:
    """Return what runs tasks on the Dask cluster whose scheduler listens at ``address``.

    Raises InputError where Dask is not installed.
    """
    if find_spec("distributed") is None:
        remedy = "Install it with `pip install 'xinji[cluster]'`, or leave --cluster out."
        raise InputError([Fault("cluster", "Dask is not installed", remedy)])

    def clustered(tasks: Iterable[Job[Made]], /) -> Iterator[Made]:
        return _clustered(tasks, address)

    return clustered


def pack(value: object) -> bytes:
    """Return ``value`` as compressed bytes."""
    return zlib.compress(pickle.dumps(value, protocol=5), 1)


def _pooled(tasks: Iterable[Job[Made]], workers: int) -> Iterator[Made]:
    rest = iter(tasks)
    waiting: list[Job[Made]] = []
    for _ in range(_RESTARTS):
        pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_leave_interrupts)
        running: dict[Future[Made], Job[Made]] = {}
        try:
            while True:
                fresh = [*waiting, *islice(rest, max(0, IN_FLIGHT * workers - len(running) - len(waiting)))]
                waiting = []
                running |= {pool.submit(task.run): task for task in fresh}
                if not running:
                    return
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    made = future.result()
                    del running[future]
                    yield made
        except BrokenProcessPool:
            # A worker was killed: what was not done is given to fresh ones.
            waiting = [*waiting, *running.values()]
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    remedy = "Give it more memory or fewer processes; path loss that is done is in the store."
    raise XinjiError(f"worker processes were killed {_RESTARTS} times. {remedy}")


def _leave_interrupts() -> None:
    """Let the main process alone answer Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class _Answer(Protocol):
    """The part of a Dask future that is used here."""

    status: str

    def result(self) -> bytes:
        """Return what the task answered."""
        ...


class _Client(Protocol):
    """The part of a Dask client that is used here."""

    def submit(self, function: Callable[..., bytes], *arguments: object, key: str, pure: bool) -> _Answer:
        """Hand a task to the cluster."""
        ...

    def scheduler_info(self) -> dict[str, dict[str, object]]:
        """Return what the scheduler knows of its workers."""
        ...

    def as_current(self) -> AbstractContextManager[object]:
        """Let functions of Dask in the block find this client."""
        ...

    def close(self) -> None:
        """Leave the cluster."""
        ...


def _clustered(tasks: Iterable[Job[Made]], address: str) -> Iterator[Made]:
    client, rest = _connect(address), iter(tasks)
    running: set[_Answer] = set()
    seen = time.monotonic()
    try:
        while True:
            room = IN_FLIGHT * max(1, _workers(client)) - len(running)
            running |= {_submit(client, task) for task in islice(rest, max(0, room))}
            if not running:
                return
            seen = _still_there(client, address, seen)
            for answer in _settled(client, running):
                running.discard(answer)
                yield _result(answer)
    finally:
        client.close()


def _settled(client: _Client, running: set[_Answer]) -> Iterable[_Answer]:
    """Return what is done, as soon as anything is; nothing after a while without."""
    settle = cast("Callable[..., Any]", import_module("distributed").wait)
    try:
        with client.as_current():
            done: Iterable[_Answer] = settle(list(running), timeout=_POLL_S, return_when="FIRST_COMPLETED").done
    except TimeoutError:
        return ()
    return done


def _connect(address: str) -> _Client:
    start = cast("Callable[..., _Client]", import_module("distributed").Client)
    try:
        return start(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        # An address that is none ends in a ValueError, nobody listening in an OSError.
        message = f"no Dask scheduler answers at {address!r} ({error})"
        remedy = (
            "Start one with `dask scheduler` and workers with `dask worker ADDRESS`; it looks like tcp://host:8786."
        )
        raise InputError([Fault("cluster", message, remedy)]) from error


def _workers(client: _Client) -> int:
    return len(client.scheduler_info()["workers"])


def _submit(client: _Client, task: Job[object]) -> _Answer:
    packed = pack(task)
    # The key names the work, so that two runs that ask the same share it.
    key = f"xinji-{hashlib.sha256(packed).hexdigest()[:32]}"
    return client.submit(_answer, packed, version("xinji"), key=key, pure=True)


def _answer(packed: bytes, wanted: str) -> bytes:
    """Run a packed task on a worker. Raises XinjiError where the worker has another version of Xinji."""
    here = version("xinji")
    if here != wanted:
        raise XinjiError(f"a worker of the cluster has Xinji {here}, this machine {wanted}. Install the same on both.")
    task: Job[object] = pickle.loads(zlib.decompress(packed))  # noqa: S301 - our own client's
    return pack(task.run())


def _still_there(client: _Client, address: str, seen: float) -> float:
    """Return when a worker was last seen [s]. Raises XinjiError where none was for too long."""
    now = time.monotonic()
    if _workers(client):
        return now
    if now - seen > NO_WORKER_S:
        remedy = "Start workers with `dask worker ADDRESS` and run again; path loss that is done is in the store."
        raise XinjiError(f"the cluster at {address} has had no worker for {NO_WORKER_S:.0f} s. {remedy}")
    return seen


def _result(answer: _Answer) -> Any:  # noqa: ANN401 - whatever the job makes
    killed: type[Exception] = import_module("distributed").KilledWorker
    try:
        packed = answer.result()
    except killed as error:
        remedy = "Give the workers more memory; path loss that is done is in the store."
        raise XinjiError(f"a task of the cluster took several workers down with it. {remedy}") from error
    except ModuleNotFoundError as error:
        raise XinjiError(f"a worker of the cluster lacks Python's {error.name}. Install Xinji there.") from error
    return pickle.loads(zlib.decompress(packed))  # noqa: S301 - our own worker's
