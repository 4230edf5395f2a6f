"""Capacity of the busiest sectors: the link curve where nothing is left to chance, and the command line."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cli.command_line import call
from coverage_verb.conftest import QUICK
from coverage_verb.test_service import GRID, PLACES, a_network, level_by_hand, sectors_at
from xinji.core.vocabulary import RESOURCES
from xinji.io.parameters import load
from xinji.plan.radio import service_capacity
from xinji.plan.radio.bands import read_bands
from xinji.plan.radio.capacity import band_capacity
from xinji.plan.radio.cell_capacity import CellCapacity, Drops
from xinji.plan.radio.link import throughput_mbps
from xinji.plan.radio.service import Block, Network, Scene, receive
from xinji.plan.radio.service_capacity import Served, busiest, layout_of, people_of, planner_mbps, sector_capacity
from xinji.plan.radio.service_quality import Quality, read_quality
from xinji.plan.radio.service_statistics import pixels_of
from xinji.plan.radio.shadowing import Shadowing
from xinji.workflow import coverage
from xinji.workflow.coverage_run import CoverageRun

STILL, RULE = Shadowing(0.0, 50.0, 0.5), Shadowing(6.0, 50.0, 0.5)
DROPS = Drops(users=10.0, drops=6, seed=3, share="time", confidence=0.95)
ON_2600 = [0, 1, 2, 4]

Network5 = tuple[Network, Scene, Served, Quality]


@pytest.fixture(scope="module")
def five() -> Network5:
    """Return five sectors, of which four share a band, with nobody anywhere."""
    parameters = load("cn")
    quality = read_quality(parameters, read_bands(parameters)[1])
    network, scene = a_network(sectors_at(PLACES))
    got = receive(network, scene, Block(0, 0, GRID.rows, GRID.columns), 2600, quality.noise_dbm)
    return network, scene, Served(got.sector, got.rsrp_dbm, np.zeros(got.sector.shape, np.float32)), quality


def simulated(five: Network5, people: object, rule: Shadowing = STILL, drops: Drops = DROPS) -> CellCapacity:
    network, scene, served, quality = five
    asked = replace(served, people=np.asarray(people, dtype=np.float32))
    found = sector_capacity(network, scene, asked, 0, quality=quality, shadowing=rule, drops=drops)
    assert found is not None
    return found


def own_pixel(five: Network5, least: int = 0) -> tuple[int, int]:
    rows, columns = np.nonzero(five[2].server == 0)
    return int(rows[least]), int(columns[least])


def rate_by_hand(five: Network5, row: int, column: int) -> float:
    """Return what a user alone at a pixel gets from sector 0 [Mbit/s], by plain trigonometry and sums."""
    network, scene, _, quality = five
    levels = np.array([level_by_hand(network, scene, k, row, column) for k in ON_2600])
    power = 10.0 ** (levels / 10.0) * network.sectors.load[ON_2600]
    sinr = levels[0] - 10.0 * np.log10(power[1:].sum() + 10.0 ** (quality.noise_dbm / 10.0))
    return float(throughput_mbps(np.array([sinr], dtype=np.float32), quality.curve, quality.carrier)[0])


@pytest.mark.parametrize("number", [0, 40, -1])
def test_one_inhabited_pixel_without_fading_is_the_link_curve(five: Network5, number: int) -> None:
    row, column = own_pixel(five, number)
    people = np.zeros(five[2].people.shape)
    people[row, column] = 7.0
    found, alone = simulated(five, people), rate_by_hand(five, row, column)
    assert alone > 0
    assert found.cell_mbps == pytest.approx(alone, rel=2e-3)
    assert found.cell_mbps_high - found.cell_mbps_low < 1e-6 * alone
    assert found.users == 10.0
    assert found.user_mean_mbps == pytest.approx(found.cell_mbps / 10.0)
    assert found.user_5_percent_mbps == pytest.approx(found.cell_mbps / 10.0)
    assert found.outage_share == 0


def test_where_nobody_lives_users_are_spread_evenly(five: Network5) -> None:
    own = five[2].server == 0
    alone = np.array([rate_by_hand(five, row, column) for row, column in np.argwhere(own).tolist()])
    found = simulated(five, np.zeros(own.shape), drops=replace(DROPS, users=200.0, drops=20))
    assert found.cell_mbps_low < alone.mean() < found.cell_mbps_high
    elsewhere = simulated(five, ~own, drops=replace(DROPS, users=200.0, drops=20))
    assert elsewhere == found


def test_users_are_told_for_the_sector_itself_though_fading_moves_some(five: Network5) -> None:
    found = simulated(five, np.ones(five[2].people.shape), RULE, replace(DROPS, drops=60))
    network, scene, served, quality = five
    layout, users = layout_of(network, scene, served, 0, shadowing=RULE, noise_dbm=quality.noise_dbm)
    # Users among the others' places come over to the sector about as often as its own leave.
    assert found.users == pytest.approx(10.0, rel=0.4)
    assert users == pytest.approx(layout.weight.sum() / (served.server == 0).sum())
    assert found.cell_mbps_high > found.cell_mbps_low


def test_the_window_holds_where_fading_may_hand_users_over(five: Network5) -> None:
    network, scene, served, quality = five
    layout, _ = layout_of(network, scene, served, 0, shadowing=RULE, noise_dbm=quality.noise_dbm)
    margin = 3.0 * 6.0  # two sites' fading, half of it common, differs by as much as one's
    near = np.zeros(served.server.shape, dtype=bool)
    for row, column in np.argwhere(served.server >= 0).tolist():
        level, best = level_by_hand(network, scene, 0, row, column), served.rsrp_dbm[row, column]
        near[row, column] = level >= best - margin - 0.05
    rows, columns = np.nonzero(near)
    shape = (int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1)
    assert layout.weight.shape == shape
    assert np.array_equal(layout.weight > 0, near[rows.min() :, columns.min() :][: shape[0], : shape[1]])
    assert layout.site.tolist() == [0, 0, 1, 2]
    assert layout.measured.tolist() == [True, False, False, False]
    assert layout.load.tolist() == network.sectors.load[ON_2600].tolist()
    for k, sector in enumerate(ON_2600):
        for row, column in ((0, 0), (5, 7), (shape[0] - 1, shape[1] - 1)):
            wanted = level_by_hand(network, scene, sector, int(rows.min()) + row, int(columns.min()) + column)
            assert layout.rsrp_dbm[k, row, column] == pytest.approx(wanted, abs=0.006)


def test_a_window_too_large_is_thinned_and_loses_nobody(five: Network5, monkeypatch: pytest.MonkeyPatch) -> None:
    network, scene, served, quality = five
    everywhere = replace(served, people=np.ones(served.people.shape, np.float32))
    whole, users = layout_of(network, scene, everywhere, 0, shadowing=RULE, noise_dbm=quality.noise_dbm)
    monkeypatch.setattr(service_capacity, "_MOST_VALUES", whole.rsrp_dbm.size / 5)
    thin, same = layout_of(network, scene, everywhere, 0, shadowing=RULE, noise_dbm=quality.noise_dbm)
    assert thin.cell_m == 3 * whole.cell_m
    assert thin.weight.sum() == whole.weight.sum()
    assert same == users
    assert np.array_equal(thin.rsrp_dbm, whole.rsrp_dbm[:, ::3, ::3])


def test_the_busiest_serve_somewhere_and_ties_go_by_id(five: Network5) -> None:
    network, _, served, _ = five
    level = np.array([0.5, 0.9, 0.9, 1.0, 0.2])
    loaded = replace(network, sectors=replace(network.sectors, load=level))
    assert busiest(loaded, served.server, 2600, 9).tolist() == [1, 2, 0, 4]
    assert busiest(loaded, np.where(served.server == 1, -1, served.server), 2600, 2).tolist() == [2, 0]
    assert busiest(loaded, served.server, 700, 2).tolist() == []


def test_the_planner_figure_is_that_of_one_busy_sector() -> None:
    parameters = load("lmic")
    down = band_capacity(parameters)[1, RESOURCES.index("down_mbps")]
    sectors, most = parameters.value("radio.sectors", "sectors"), parameters.value("radio.load_max", "share")
    assert planner_mbps(parameters, 2600) * sectors * most == pytest.approx(down)


def test_people_are_spread_over_their_cells(covered: CoverageRun) -> None:
    cells, grid = covered.transmitters.region.cells, covered.ground.surface.grid
    people = people_of(grid, pixels_of(grid, cells), cells)
    assert people.sum() == pytest.approx(cells.residents.sum() + cells.workers.sum(), rel=1e-5)
    row, column, _ = grid.locate(cells.x_m, cells.y_m)
    assert people[row, column] == pytest.approx((cells.residents + cells.workers) / 100.0, rel=1e-5)


@pytest.mark.usefixtures("no_picture")
def test_the_command_simulates_the_busiest_and_repeats_itself(
    small_region: Path, covered: CoverageRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def ask(name: str, *more: str) -> tuple[str, str]:
        common = ("--out", tmp_path / name, "--store", covered.ground.store, "--bands", "2600", "--capacity", "2")
        answer = call(capsys, "coverage", small_region, *common, *more, *QUICK)
        assert answer.status == 0, answer.err
        return answer.out, (tmp_path / name / "capacity.csv").read_text("utf-8")

    told, first = ask("first")
    assert "from seed 0" in told
    assert "2600 MHz  2 sectors: " in told
    _, again = ask("again")
    assert again == first
    _, other = ask("other", "--seed", "5")
    assert other != first
    rows = list(csv.DictReader(first.splitlines()))
    assert list(rows[0])[:5] == ["sector", "band_mhz", "seed", "drops", "users"]
    sectors = covered.transmitters.sectors
    assert len({row["sector"] for row in rows}) == 2
    for row in rows:
        assert row["sector"] in sectors.id[sectors.band_mhz == 2600]
        assert float(row["low"]) <= float(row["cell_mbps"]) <= float(row["high"])
        assert float(row["user_5_percent"]) <= float(row["user_mean"])
        assert 0.3 < float(row["cell_mbps"]) / float(row["planner_mbps"]) < 6.0
    kept = json.loads((tmp_path / "first" / "coverage.json").read_text("utf-8"))
    assert [one["sector"] for one in kept["capacity"]] == [row["sector"] for row in rows]
    assert "capacity.csv" in kept["files"]
    assert "capacity.csv" in (tmp_path / "first" / "SOURCES.md").read_text("utf-8")
    assert covered.capacities == ()
    assert "capacity.csv" not in covered.files


@pytest.mark.usefixtures("no_picture")
def test_a_sector_without_users_has_a_row_without_figures(
    small_region: Path,
    covered: CoverageRun,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(coverage, "sector_capacity", lambda *_, **__: None)
    common = ("--out", tmp_path / "out", "--store", covered.ground.store, "--bands", "700", "--capacity", "1")
    answer = call(capsys, "coverage", small_region, *common, *QUICK)
    assert answer.status == 0, answer.err
    (row,) = csv.DictReader((tmp_path / "out" / "capacity.csv").read_text("utf-8").splitlines())
    assert (row["drops"], row["cell_mbps"]) == ("", "")
    assert float(row["planner_mbps"]) > 0
    assert "0 sectors: no user in any" in answer.out
