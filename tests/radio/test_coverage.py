"""Coverage of a cell against a simulation that shares only the published formulas."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from xinji.core.grid import Raster
from xinji.core.policy import Policy
from xinji.core.region import Region
from xinji.core.vocabulary import GROUPS
from xinji.plan.radio.bands import read_bands
from xinji.plan.radio.candidates import Candidates, propose
from xinji.plan.radio.coverage import PLACES, Coverage, cover, is_clear, pairs_in_range
from xinji.plan.radio.p2109 import THERMALLY_EFFICIENT, TRADITIONAL, entry_loss_db
from xinji.plan.radio.tr38901 import los_probability, path_loss_db


def flat(region: Region) -> Region:
    grid = region.terrain.grid
    return replace(region, terrain=Raster(grid, np.zeros((grid.rows, grid.columns))))


def simulate(region: Region, candidates: Candidates, site: int, cell: int, mhz: int) -> tuple[float, float]:
    """Draw sight, fading and walls at each quarter point; return the covered share outdoors and at home."""
    random, n = np.random.default_rng(11), 60_000
    band = next(band for band in read_bands(region.parameters) if band.mhz == mhz)
    clad = region.parameters.value("radio.thermally_efficient_share.residential", "share")
    height, side = candidates.height_m[site], math.sqrt(region.cells.area_m2[cell])
    covered_out, covered_in = [], []
    for east, north in ((-0.25, -0.25), (-0.25, 0.25), (0.25, -0.25), (0.25, 0.25)):
        dx = region.cells.x_m[cell] + east * side - candidates.x_m[site]
        dy = region.cells.y_m[cell] + north * side - candidates.y_m[site]
        distance, bearing = max(math.hypot(dx, dy), 10.0), math.degrees(math.atan2(dx, dy))
        below = math.degrees(math.atan2(height - 1.5, distance))
        off = min(abs((bearing - azimuth + 180) % 360 - 180) for azimuth in (0, 120, 240))
        tilt = (below - band.pattern.downtilt_deg) / band.pattern.vertical_beamwidth_deg
        gain = max(-min(12 * (off / 65) ** 2, 30) - min(12 * tilt**2, 20), -30)
        link = [np.array([value]) for value in (distance, mhz / 1e3, height, 1.5)]
        seen, hidden = (float(path_loss_db("UMa", *link, los=los)[0]) for los in (True, False))
        sight = random.uniform(size=n) < los_probability("UMa", link[0])[0]
        fading = random.standard_normal(n) * np.where(sight, 4.0, 6.0)
        level = band.eirp_per_subcarrier_dbm + gain - np.where(sight, seen, hidden) + fading
        covered_out.append(np.mean(level >= -105.0))
        place, tone = random.uniform(1e-6, 1 - 1e-6, n), np.full(n, mhz / 1e3)
        walls = [entry_loss_db(kind, tone, place, np.zeros(n)) for kind in (THERMALLY_EFFICIENT, TRADITIONAL)]
        loss = np.where(random.uniform(size=n) < clad, *walls) + 0.212 * below
        covered_in.append(np.mean(level - loss >= -105.0))
    return float(np.mean(covered_out)), float(np.mean(covered_in))


@pytest.fixture(scope="module")
def scene(tiny: tuple[Region, Policy]) -> tuple[Region, Candidates, Coverage]:
    region = flat(tiny[0])
    candidates = propose(region)
    everywhere = np.ones(len(region.cells), dtype=bool)
    return region, candidates, cover(region, candidates, read_bands(region.parameters), everywhere)


@pytest.mark.parametrize("mhz", [700, 2600, 4900])
def test_probability_equals_a_simulation(scene: tuple[Region, Candidates, Coverage], mhz: int) -> None:
    region, candidates, coverage = scene
    band = (700, 2600, 3500, 4900).index(mhz)
    urban = region.cells.group[coverage.cell] == GROUPS.index("urban")
    high = (candidates.height_m[coverage.site] > 15.0) & (candidates.height_m[coverage.site] <= 60.0)
    pairs = np.flatnonzero(urban & high)
    for pair in pairs[:: max(1, len(pairs) // 5)]:
        site, cell = int(coverage.site[pair]), int(coverage.cell[pair])
        outside, inside = simulate(region, candidates, site, cell, mhz)
        assert coverage.probability[pair, band, PLACES.index("outdoor")] == pytest.approx(outside, abs=0.01)
        assert coverage.probability[pair, band, PLACES.index("residential")] == pytest.approx(inside, abs=0.01)


def test_walls_and_higher_bands_cover_less(scene: tuple[Region, Candidates, Coverage]) -> None:
    coverage = scene[2]
    assert (coverage.probability >= 0).all()
    assert (coverage.probability <= 1 + 1e-12).all()
    assert (coverage.probability[:, :, 0] >= coverage.probability[:, :, 1] - 1e-9).all()
    # 2.6, 3.5 and 4.9 GHz radiate alike here, so that the order is that of the bands.
    assert (np.diff(coverage.probability[:, 1:, 0], axis=1) <= 1e-9).all()


def test_pairs_are_those_within_range(scene: tuple[Region, Candidates, Coverage]) -> None:
    region, candidates, _ = scene
    wanted = np.arange(len(region.cells)) % 2 == 0
    site, cell = pairs_in_range(region, candidates, wanted)
    reach = [region.parameters.value(f"radio.range_max.{GROUPS[code]}", "m") for code in region.cells.group]
    expected = {
        (s, c)
        for c in np.flatnonzero(wanted).tolist()
        for s in range(len(candidates))
        if math.hypot(candidates.x_m[s] - region.cells.x_m[c], candidates.y_m[s] - region.cells.y_m[c]) <= reach[c]
    }
    assert set(zip(site.tolist(), cell.tolist(), strict=True)) == expected
    nobody = pairs_in_range(region, candidates, np.zeros(len(region.cells), dtype=bool))
    assert len(nobody[0]) == len(nobody[1]) == 0


def test_a_ridge_takes_the_line_of_sight(tiny: tuple[Region, Policy]) -> None:
    region = flat(tiny[0])
    grid = region.terrain.grid
    wall = np.zeros((grid.rows, grid.columns))
    wall[:, grid.columns // 2] = 200.0
    ridge = replace(region, terrain=Raster(grid, wall))
    middle = grid.west_m + (grid.columns // 2 + 0.5) * grid.cell_m
    y = grid.north_m - 500.0
    start, end = np.array([[middle - 300.0, y, 30.0]]), np.array([[middle + 300.0, y, 1.5]])
    same_side = np.array([[middle - 100.0, y, 1.5]])
    assert is_clear(region, start, end, 30).tolist() == [True]
    assert is_clear(ridge, start, end, 30).tolist() == [False]
    assert is_clear(ridge, start, same_side, 30).tolist() == [True]
    candidates, everywhere = propose(region), np.ones(len(region.cells), dtype=bool)
    bands = read_bands(region.parameters)
    free, cut = (cover(place, candidates, bands, everywhere).rsrp_dbm for place in (region, ridge))
    assert (cut <= free + 1e-9).all()
    assert (cut < free - 0.1).any()
