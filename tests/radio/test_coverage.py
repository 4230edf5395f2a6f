"""Coverage of a cell against a simulation that shares only the published formulas."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from xinji.core.grid import Raster
from xinji.core.policy import Policy
from xinji.core.region import Region
from xinji.core.vocabulary import GROUPS, LAND_USES
from xinji.plan.radio.area import surface_of
from xinji.plan.radio.bands import read_bands
from xinji.plan.radio.candidates import Candidates, propose
from xinji.plan.radio.coverage import PLACES, Coverage, cover, pairs_in_range
from xinji.plan.radio.p1812 import Link, Profile, basic_transmission_loss
from xinji.plan.radio.p2109 import THERMALLY_EFFICIENT, TRADITIONAL, entry_loss_db


def flat(region: Region) -> Region:
    """Return a region without hills or buildings."""
    terrain, clutter = region.terrain.grid, region.clutter.grid
    bare = np.full((clutter.rows, clutter.columns), LAND_USES.index("open"), dtype=np.uint8)
    return replace(
        region,
        terrain=Raster(terrain, np.zeros((terrain.rows, terrain.columns))),
        clutter=Raster(clutter, bare),
    )


def reference_loss_db(
    region: Region, site_m: tuple[float, float, float], point_m: tuple[float, float], ghz: float
) -> float:
    """Return the float64 reference's loss over flat open ground, to the centre of the pixel under a point."""
    grid = surface_of(region).grid
    x, y = (np.floor((point_m[0] - grid.west_m) / grid.cell_m) + 0.5) * grid.cell_m + grid.west_m, point_m[1]
    y = grid.north_m - (np.floor((grid.north_m - y) / grid.cell_m) + 0.5) * grid.cell_m
    length = math.hypot(x - site_m[0], y - site_m[1])
    steps = np.append(np.arange(round(length / grid.cell_m)) * grid.cell_m, length) / 1e3
    nothing = np.zeros(len(steps))
    link = Link(
        frequency_ghz=ghz,
        time_percent=50.0,
        location_percent=50.0,
        sigma_db=0.0,
        tx_height_m=site_m[2],
        rx_height_m=1.5,
        polarization="vertical",
        tx_latitude_deg=31.0,
        tx_longitude_deg=120.0,
        rx_latitude_deg=31.0,
        rx_longitude_deg=120.0,
        refractivity_gradient=45.0,
        surface_refractivity=330.0,
        tx_coast_km=500.0,
        rx_coast_km=500.0,
    )
    return basic_transmission_loss(Profile(steps, nothing, nothing, np.full(len(steps), 4)), link).loss_db


def simulate(region: Region, candidates: Candidates, site: int, cell: int, mhz: int) -> tuple[float, float]:
    """Draw fading and walls at each quarter point; return the covered share outdoors and at home."""
    random, n = np.random.default_rng(11), 60_000
    band = next(band for band in read_bands(region.parameters) if band.mhz == mhz)
    clad = region.parameters.value("radio.thermally_efficient_share.residential", "share")
    height, side = float(candidates.height_m[site]), math.sqrt(region.cells.area_m2[cell])
    mast = (float(candidates.x_m[site]), float(candidates.y_m[site]), height)
    covered_out, covered_in = [], []
    for east, north in ((-0.25, -0.25), (-0.25, 0.25), (0.25, -0.25), (0.25, 0.25)):
        x, y = float(region.cells.x_m[cell] + east * side), float(region.cells.y_m[cell] + north * side)
        distance, bearing = math.hypot(x - mast[0], y - mast[1]), math.degrees(math.atan2(x - mast[0], y - mast[1]))
        below = math.degrees(math.atan2(height - 1.5, distance))
        off = min(abs((bearing - azimuth + 180) % 360 - 180) for azimuth in (0, 120, 240))
        tilt = (below - band.pattern.downtilt_deg) / band.pattern.vertical_beamwidth_deg
        gain = max(-min(12 * (off / 65) ** 2, 30) - min(12 * tilt**2, 20), -30)
        median = band.eirp_per_subcarrier_dbm + gain - reference_loss_db(region, mast, (x, y), mhz / 1e3)
        level = median + 6.0 * random.standard_normal(n)
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
    away = np.hypot(
        region.cells.x_m[coverage.cell] - candidates.x_m[coverage.site],
        region.cells.y_m[coverage.cell] - candidates.y_m[coverage.site],
    )
    # Nearer than 0.5 km the model without terrain mixes in.
    pairs = np.flatnonzero(away > 700.0)
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


def test_a_ridge_takes_level_away_beyond_it(tiny: tuple[Region, Policy]) -> None:
    region = flat(tiny[0])
    grid = region.terrain.grid
    wall = np.zeros((grid.rows, grid.columns))
    wall[:, grid.columns // 2] = 60.0
    ridge = replace(region, terrain=Raster(grid, wall))
    middle = grid.west_m + (grid.columns // 2 + 0.5) * grid.cell_m
    candidates, everywhere = propose(region), np.ones(len(region.cells), dtype=bool)
    bands = read_bands(region.parameters)
    free, cut = (cover(place, candidates, bands, everywhere) for place in (region, ridge))
    away = np.abs(region.cells.x_m[free.cell] - middle) > 600.0
    west_site, west_cell = candidates.x_m[free.site] < middle, region.cells.x_m[free.cell] < middle
    far = np.abs(region.cells.x_m[free.cell] - candidates.x_m[free.site]) > 1000.0
    beyond = away & far & (west_site != west_cell) & (np.abs(candidates.x_m[free.site] - middle) > 300.0)
    assert beyond.any()
    assert (cut.rsrp_dbm[beyond] < free.rsrp_dbm[beyond] - 10.0).all()


def test_built_up_ground_takes_level_away(tiny: tuple[Region, Policy]) -> None:
    region = flat(tiny[0])
    grid = region.clutter.grid
    built = np.full((grid.rows, grid.columns), LAND_USES.index("business_office"), dtype=np.uint8)
    town = replace(region, clutter=Raster(grid, built))
    candidates, everywhere = propose(region), np.ones(len(region.cells), dtype=bool)
    bands = read_bands(region.parameters)
    open_ground, streets = (cover(place, candidates, bands, everywhere).rsrp_dbm for place in (region, town))
    assert (streets <= open_ground + 1e-9).all()
    assert np.median(open_ground - streets) > 10.0
