"""From a file of levels over a network's maps to a calibration file, with a planted truth."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from support.tiny import tiny_region
from xinji.core.arrays import Floats
from xinji.core.grid import Grid
from xinji.core.radio import NOT_COVERED, LossMap, Measurements, Sectors
from xinji.core.region import Region
from xinji.core.vocabulary import LAND_USES
from xinji.errors import InputError
from xinji.io.calibration_file import read_calibration
from xinji.plan.radio.antenna import sector_db
from xinji.plan.radio.bands import read_bands
from xinji.plan.radio.calibration import corrected_map
from xinji.plan.radio.service import Network, Scene, masts_of
from xinji.workflow.calibrate import calibrate, predict

SITES = 9
TRUTH_DB = {"industrial": 9.0, "residential": 3.0}


def a_world(seed: int = 0) -> tuple[Region, Network, Scene, Measurements]:
    """Return a region, three-sector sites on 2600 MHz with maps, and levels measured along straight lines."""
    region, _ = tiny_region(2, 12)
    grid, random = region.terrain.grid, np.random.default_rng(seed)
    side = grid.rows * grid.cell_m
    x = grid.west_m + side * (np.repeat([0.2, 0.5, 0.8], 3) + random.uniform(-0.05, 0.05, SITES))
    y = grid.north_m - side * (np.tile([0.2, 0.5, 0.8], 3) + random.uniform(-0.05, 0.05, SITES))
    n = 3 * SITES
    sectors = Sectors(
        id=np.array([f"s{k}" for k in range(n)]),
        site=np.repeat([f"S{k}" for k in range(SITES)], 3),
        x_m=np.repeat(x, 3),
        y_m=np.repeat(y, 3),
        height_m=np.full(n, 30.0),
        band_mhz=np.full(n, 2600, dtype=np.int64),
        eirp_dbm=np.full(n, 40.0),
        azimuth_deg=np.tile([0.0, 120.0, 240.0], SITES),
        downtilt_deg=np.full(n, 6.0),
        load=np.full(n, 0.5),
        antenna=np.full(n, "", dtype=np.str_),
    )
    masts, mast_of = masts_of(sectors)
    maps = [a_map(grid, mast.site, mast.x_m, mast.y_m) for mast in masts]
    network = Network(
        sectors=sectors,
        masts=masts,
        mast_of=mast_of,
        windows=tuple(one.grid for one in maps),
        map_of=lambda number: maps[number],
        radiated=np.zeros(n, dtype=bool),
        patterns={band.mhz: band.pattern for band in read_bands(region.parameters)},
        cuts={},
    )
    scene = Scene(grid, region.terrain.values.astype(np.float32), 1.5)
    return region, network, scene, measured(region, network, scene, random)


def a_map(grid: Grid, site: str, x_m: float, y_m: float) -> LossMap:
    """Return a map on a window of the grid, around its site as far as 60 pixels, with a distance law."""
    left = max(int((x_m - grid.west_m) / grid.cell_m) - 60, 0)
    top = max(int((grid.north_m - y_m) / grid.cell_m) - 60, 0)
    rows, columns = min(120, grid.rows - top), min(120, grid.columns - left)
    window = Grid(
        grid.crs, grid.west_m + left * grid.cell_m, grid.north_m - top * grid.cell_m, grid.cell_m, rows, columns
    )
    across, down = np.meshgrid(np.arange(columns) + 0.5, np.arange(rows) + 0.5)
    east, north = window.west_m + across * grid.cell_m - x_m, window.north_m - down * grid.cell_m - y_m
    loss = 128.0 + 37.6 * np.log10(np.maximum(np.hypot(east, north), 20.0) / 1e3)
    codes = np.rint(100 * np.stack([loss - 10.0, loss])).astype(np.uint16)
    codes[:, np.hypot(east, north) > 1_450.0] = NOT_COVERED
    return LossMap(site, x_m, y_m, 30.0, 1.5, (700.0, 2600.0), window, codes)


def measured(region: Region, network: Network, scene: Scene, random: np.random.Generator) -> Measurements:
    x, y, site = [], [], []
    for mast in network.masts:
        for bearing in random.uniform(0, 2 * np.pi, 6):
            along = np.arange(120.0, 1_400.0, 10.0)
            x.append(mast.x_m + along * np.sin(bearing))
            y.append(mast.y_m + along * np.cos(bearing))
            site += [mast.site] * len(along)
    grid = scene.grid
    levels = Measurements(np.concatenate(x), np.concatenate(y), np.zeros(len(site)), np.array(site), band(len(site)))
    _, _, inside = grid.locate(levels.x_m, levels.y_m)
    levels = Measurements(*(getattr(levels, name)[inside] for name in levels.__slots__))
    predicted, _ = predict(network, scene, levels, lambda *_: None)
    lacking = np.zeros(len(LAND_USES))
    lacking[[LAND_USES.index(use) for use in TRUTH_DB]] = list(TRUTH_DB.values())
    use = region.clutter.sample(levels.x_m, levels.y_m)
    block = np.unique(np.column_stack([levels.x_m // 60, levels.y_m // 60]), axis=0, return_inverse=True)[1].ravel()
    rsrp = predicted - lacking[use] + random.normal(0, 6, block.max() + 1)[block] + random.normal(0, 2, len(use))
    rsrp = np.where(np.isfinite(rsrp), rsrp, -100.0)
    return replace(levels, rsrp_dbm=np.clip(rsrp, -156, -31).round(1))


def band(n: int) -> np.ndarray:
    return np.full(n, 2600, dtype=np.int64)


def written(folder: Path, levels: Measurements) -> Path:
    path = folder / "drive.csv"
    columns = (levels.x_m.tolist(), levels.y_m.tolist(), levels.rsrp_dbm.tolist(), levels.site.tolist())
    lines = [",".join(map(str, row)) for row in zip(*columns, strict=True)]
    path.write_text("\n".join(["x,y,rsrp,site", *lines]) + "\n", encoding="utf-8")
    return path


def test_the_level_is_that_of_the_strongest_sector_worked_out_by_hand() -> None:
    region, network, scene, levels = a_world()
    predicted, distance = predict(network, scene, levels, lambda *_: None)
    pattern = replace(next(one.pattern for one in read_bands(region.parameters) if one.mhz == 2600), downtilt_deg=6.0)
    for row in np.linspace(0, len(levels) - 1, 25).astype(int).tolist():
        number = [mast.site for mast in network.masts].index(str(levels.site[row]))
        mast, one = network.masts[number], network.map_of(number)
        r, c, _ = scene.grid.locate(levels.x_m[[row]], levels.y_m[[row]])
        x = scene.grid.west_m + (c[0] + 0.5) * scene.grid.cell_m
        y = scene.grid.north_m - (r[0] + 0.5) * scene.grid.cell_m
        wr, wc, inside = one.grid.locate(np.array([x]), np.array([y]))
        assert distance[row] == pytest.approx(np.hypot(levels.x_m[row] - mast.x_m, levels.y_m[row] - mast.y_m))
        if not inside[0] or one.loss[1, wr[0], wc[0]] == NOT_COVERED:
            assert predicted[row] == -np.inf
            continue
        foot = float(region.terrain.sample(np.array([mast.x_m]), np.array([mast.y_m]))[0])
        drop = foot + 30.0 - 1.5 - float(region.terrain.sample(np.array([x]), np.array([y]))[0])
        east, north = x - mast.x_m, y - mast.y_m
        below: Floats = np.degrees(np.arctan2([drop], [np.hypot(east, north)]))
        bearing = np.degrees(np.arctan2(east, north))
        gains = [float(sector_db(pattern, np.array([bearing - azimuth]), below)[0]) for azimuth in (0.0, 120.0, 240.0)]
        expected = 40.0 + max(gains) - one.loss_db()[1, wr[0], wc[0]]
        assert predicted[row] == pytest.approx(expected, abs=0.011)


def test_the_planted_truth_comes_back_and_correcting_with_it_leaves_nothing(tmp_path: Path) -> None:
    region, network, scene, levels = a_world()
    path, out = written(tmp_path, levels), tmp_path / "out" / "calibration.toml"
    steps: list[tuple[str, int, int]] = []
    run = calibrate(region, path, network, scene, out=out, progress=lambda *step: steps.append(step))
    assert [step[1:] for step in steps] == [(k, SITES) for k in range(SITES)]
    for use, true in TRUTH_DB.items():
        one = next(each for each in run.calibration.evidence if each.subject == use)
        assert abs(one.offset_db - true) < 3.0 * one.stderr_db
        assert one.stderr_db < 1.5
    back = read_calibration(out)
    np.testing.assert_array_equal(back.offset_db, run.calibration.offset_db)
    mended = replace(network, map_of=lambda number: corrected_map(back, network.map_of(number), region.clutter))
    again = calibrate(region, path, mended, scene)
    assert again.calibration.model == "none"
    assert "the model is left as it is" in again.text()


def test_what_is_said_and_recorded(tmp_path: Path) -> None:
    region, network, scene, levels = a_world()
    out = tmp_path / "calibration.toml"
    run = calibrate(region, written(tmp_path, levels), network, scene, out=out)
    said = run.text()
    assert f"Compared {run.compared:,} of {run.rows:,} measured levels on 2600 MHz" in said
    assert "Calibrated: the correction is offset by class" in said
    assert "industrial" in said
    assert "cannot be told from a wrong EIRP" in said
    assert said.endswith(f"Wrote {out}")
    record = json.loads(json.dumps(run.record(), allow_nan=False))
    assert record["land_use"]["industrial"]["offset_db"] == pytest.approx(9.0, abs=2.0)
    assert record["compared"] == run.compared
    assert record["evidence"][0]["subject"] == "all"


def test_levels_beyond_the_maps_are_counted(tmp_path: Path) -> None:
    region, network, scene, levels = a_world()
    far = levels.site == "S0"
    elsewhere = replace(levels, site=np.where(far, "S8", levels.site))
    run = calibrate(region, written(tmp_path, elsewhere), network, scene)
    assert any("beyond the path-loss map" in fault.message for fault in run.warnings)
    assert run.compared < run.rows
    nowhere = Measurements(*(getattr(elsewhere, name)[far] for name in levels.__slots__))
    none_left = replace(nowhere, x_m=np.full(len(nowhere), levels.x_m.min()), y_m=nowhere.y_m)
    gone = [replace(network.map_of(k), loss=np.full_like(network.map_of(k).loss, NOT_COVERED)) for k in range(SITES)]
    with pytest.raises(InputError, match="beyond the path-loss map"):
        calibrate(region, written(tmp_path, none_left), replace(network, map_of=lambda number: gone[number]), scene)


def test_one_site_is_refused_in_plain_words_and_its_file_changes_nothing(tmp_path: Path) -> None:
    region, network, scene, levels = a_world()
    one = levels.site == "S4"
    alone = Measurements(*(getattr(levels, name)[one] for name in levels.__slots__))
    out = tmp_path / "calibration.toml"
    run = calibrate(region, written(tmp_path, alone), network, scene, out=out)
    assert "Not calibrated: 1 site has at least 10 bins of 50 m, 5 are needed" in run.text()
    assert run.text().endswith(", which changes nothing")
    assert not read_calibration(out).applied.any()
    assert run.record()["site_sigma_db"] is None


def test_coverage_of_another_tool_counts_without_our_antennas() -> None:
    _, network, scene, levels = a_world()
    named = replace(network, radiated=np.ones(len(network.sectors), dtype=bool))
    predicted, _ = predict(named, scene, levels, lambda *_: None)
    own, _ = predict(network, scene, levels, lambda *_: None)
    here = np.isfinite(own)
    assert (predicted[here] >= own[here]).all()
    assert (predicted[here] > own[here] + 1.0).any()
