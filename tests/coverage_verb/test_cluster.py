"""Many sites at once: one process, several, a Dask cluster; the same bits each way, whoever dies."""

from __future__ import annotations

import os
import signal
import time
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from xinji.core.grid import Grid
from xinji.core.radio import NOT_COVERED, LossMap
from xinji.core.vocabulary import LAND_USES
from xinji.errors import InputError, XinjiError
from xinji.plan.radio.area import Climate, Mast, Surface
from xinji.workflow import cluster as crews
from xinji.workflow.cluster import Task, alone, cluster, processes, task_of

CELL_M, SIDE = 25.0, 240


def hilly(seed: int) -> Surface:
    random = np.random.default_rng(seed)
    grid = Grid("EPSG:32650", 500_000.0, 3_500_000.0, CELL_M, SIDE, SIDE)
    waves = np.cumsum(np.cumsum(random.normal(size=(SIDE, SIDE)), axis=0), axis=1)
    ground = (40.0 * (waves - waves.min()) / np.ptp(waves)).astype(np.float32)
    code = random.integers(0, len(LAND_USES), (SIDE // 16, SIDE // 16)).repeat(16, 0).repeat(16, 1).astype(np.uint8)
    return Surface(grid, ground, np.where(code == 1, 15.0, 0.0).astype(np.float32), code)


def tasks(count: int, radius_m: float = 2_000.0) -> Iterator[Task]:
    surface, random = hilly(1), np.random.default_rng(2)
    climate = Climate(50.0, 45.0, 330.0, 31.5)
    for number in range(count):
        east, south = random.uniform(0.05, 0.95, 2) * SIDE * CELL_M
        mast = Mast(f"s{number:02d}", 500_000.0 + east, 3_500_000.0 - south, 30.0)
        yield task_of(Task(surface, mast, (700.0, 2600.0), radius_m, 1.5, climate))


def by_site(maps: Iterable[LossMap]) -> dict[str, LossMap]:
    return {made.site: made for made in maps}


def assert_same(found: dict[str, LossMap], wanted: dict[str, LossMap]) -> None:
    assert sorted(found) == sorted(wanted)
    for site, made in wanted.items():
        assert found[site].grid == made.grid
        assert found[site].frequency_mhz == made.frequency_mhz
        assert found[site].loss.tobytes() == made.loss.tobytes()


@pytest.fixture(scope="module")
def single() -> dict[str, LossMap]:
    return by_site(alone(tasks(16)))


def test_a_task_takes_no_more_ground_than_it_needs() -> None:
    for task in tasks(3, radius_m=1_000.0):
        grid = task.surface.grid
        assert max(grid.rows, grid.columns) <= 2 * (40 + 2) + 1
        whole = Task(hilly(1), task.mast, (700.0,), 1_000.0, 1.5, task.climate).run()
        part = Task(task.surface, task.mast, (700.0,), 1_000.0, 1.5, task.climate).run()
        assert part.grid == whole.grid
        # Another origin rounds places by a hair, nothing more.
        far = (part.loss != NOT_COVERED) & (whole.loss != NOT_COVERED)
        assert np.abs(part.loss[far].astype(int) - whole.loss[far].astype(int)).max() <= 2


def test_processes_give_the_same_bits_though_one_is_killed(single: dict[str, LossMap]) -> None:
    found, killed = {}, False
    for made in processes(2)(tasks(16)):
        found[made.site] = made
        if not killed:
            killed = kill_a_child()
    assert killed
    assert_same(found, single)


def kill_a_child() -> bool:
    """Kill one worker process that this process has started."""
    for place in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((place / "stat").read_text("utf-8").rpartition(")")[2].split()[1])
            line = (place / "cmdline").read_text("utf-8")
        except OSError:
            continue
        if parent == os.getpid() and "spawn_main" in line:
            os.kill(int(place.name), signal.SIGKILL)
            return True
    return False


def test_faults_of_the_input_come_back_whole_from_a_process() -> None:
    wrong = (Task(t.surface, t.mast, (700.0, 1e6), 3_000.0, 0.1, t.climate) for t in tasks(1))
    with pytest.raises(InputError) as caught:
        list(processes(2)(wrong))
    assert "frequency is 1e+06 MHz" in str(caught.value)
    assert "terminal height is 0.1 m" in str(caught.value)
    assert len(caught.value.faults) == 2


@pytest.fixture(scope="module")
def two_workers() -> Iterator[object]:
    distributed = pytest.importorskip("distributed", reason="the optional package distributed is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
        )
        yield made
        made.close()


@pytest.mark.filterwarnings("ignore")
def test_two_workers_give_the_same_bits_though_one_is_killed(two_workers: object, single: dict[str, LossMap]) -> None:
    address = two_workers.scheduler_address  # type: ignore[attr-defined]  # an optional package without types
    pids = {nanny.pid for nanny in two_workers.workers.values()}  # type: ignore[attr-defined]  # likewise
    assert len(pids) == 2
    found: dict[str, LossMap] = {}
    for made in cluster(address)(tasks(16)):
        if not found:
            os.kill(pids.pop(), signal.SIGKILL)
        found[made.site] = made
    assert_same(found, single)


@pytest.mark.filterwarnings("ignore")
def test_faults_come_back_whole_from_a_cluster(two_workers: object) -> None:
    wrong = (Task(t.surface, t.mast, (1e6,), 3_000.0, 0.1, t.climate) for t in tasks(1))
    with pytest.raises(InputError, match=r"terminal height is 0\.1 m") as caught:
        list(cluster(two_workers.scheduler_address)(wrong))  # type: ignore[attr-defined]  # likewise
    assert len(caught.value.faults) == 2


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://x"])
def test_nobody_at_the_address(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    pytest.importorskip("distributed", reason="the optional package distributed is not installed")
    monkeypatch.setattr(crews, "CONNECT_S", 0.5)
    with pytest.raises(InputError, match="no Dask scheduler answers at"):
        list(cluster(address)(tasks(1)))


def test_without_dask_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crews, "find_spec", lambda _name: None)
    with pytest.raises(InputError, match="pip install 'xinji\\[cluster\\]'"):
        cluster("tcp://127.0.0.1:8786")


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_without_workers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed", reason="the optional package distributed is not installed")
    monkeypatch.setattr(crews, "NO_WORKER_S", 0.5)
    monkeypatch.setattr(crews, "_POLL_S", 0.3)
    with distributed.LocalCluster(n_workers=0, dashboard_address=None, silence_logs=50) as empty:
        begun = time.monotonic()
        with pytest.raises(XinjiError, match="has had no worker"):
            list(cluster(empty.scheduler_address)(tasks(1)))
        assert time.monotonic() - begun < 20


def test_another_version_on_a_worker_is_refused() -> None:
    (task,) = tasks(1)
    with pytest.raises(XinjiError, match="a worker of the cluster has Xinji"):
        crews._answer(crews.pack(task), "0.0.0-other")
