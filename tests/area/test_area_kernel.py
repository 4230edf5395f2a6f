"""The fast kernel against the float64 reference on the same profile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from area.one_path import CELL_M, clutter, differences_db, fractal, link_of, surface
from xinji.plan.radio.area import Climate, Mast, loss_map
from xinji.plan.radio.p1812 import Profile, basic_transmission_loss

TOLERANCE_DB = 0.02


@dataclass(frozen=True)
class Case:
    climate: Climate
    rough_m: float
    cluttered: bool
    mast_m: float = 30.0
    terminal_m: float = 1.5


CASES = {
    "half the time, bare": Case(Climate(50.0, 45.0, 325.0, 31.5), 60.0, cluttered=False),
    "half the time, clutter": Case(Climate(50.0, 45.0, 325.0, 31.5), 60.0, cluttered=True),
    "half the time, tropics, where ducting shows": Case(Climate(50.0, 45.0, 360.0, 3.0), 10.0, cluttered=True),
    "half the time, from a hill": Case(Climate(50.0, 70.0, 325.0, 50.0), 200.0, cluttered=True, mast_m=200.0),
    "40 %": Case(Climate(40.0, 45.0, 325.0, -8.0, vertical=False), 60.0, cluttered=False),
    "10 %": Case(Climate(10.0, 70.0, 325.0, 31.5), 60.0, cluttered=True, mast_m=60.0, terminal_m=10.0),
    "1 %": Case(Climate(1.0, 110.0, 350.0, 20.0, vertical=False), 20.0, cluttered=True),
    "1 % in the far north, in mountains": Case(Climate(1.0, 45.0, 310.0, 72.0), 300.0, cluttered=False),
}


@pytest.mark.parametrize("name", CASES)
def test_kernel_follows_reference_on_the_same_profile(name: str) -> None:
    case = CASES[name]
    ground = fractal(512, 11, case.rough_m)
    whole = surface(ground, clutter(512, 4) if case.cluttered else None)
    mast = Mast("a", 256 * CELL_M + 4.0, 256 * CELL_M + 9.0, case.mast_m)
    off = differences_db(whole, mast, case.climate, radius_m=7_500.0, terminal_m=case.terminal_m, count=80)
    assert off.shape == (80, 3)
    assert np.abs(off).max() <= TOLERANCE_DB


@pytest.mark.parametrize("percent", [50.0, 5.0])
def test_flat_bare_ground_equals_flat_profile(percent: float) -> None:
    climate = Climate(percent, 45.0, 325.0, 31.5)
    whole = surface(np.full((9, 1_001), 37.0))
    mast = Mast("a", 0.5 * CELL_M, 4.5 * CELL_M, 30.0)
    area = loss_map(whole, mast, frequency_mhz=(900.0,), radius_m=30_000.0, terminal_m=1.5, climate=climate)
    for column in (20, 61, 200, 500, 777, 1_000):
        distance = np.asarray(np.arange(column + 1.0) * CELL_M / 1e3, dtype=np.float64)
        flat = Profile(distance, np.full(column + 1, 37.0), np.zeros(column + 1), np.full(column + 1, 4))
        exact = basic_transmission_loss(flat, link_of(30.0, 1.5, 0.9, flat.length_km, climate)).loss_db
        assert area.loss[0, 4, column] / 100.0 == pytest.approx(exact, abs=TOLERANCE_DB)


@pytest.mark.parametrize("percent", [50.0, 10.0])
def test_symmetric_ground_gives_symmetric_loss(percent: float) -> None:
    quarter = fractal(128, 3, 80.0)[:101, :101]
    half = np.concatenate([quarter[:, :0:-1], quarter], axis=1)
    whole = surface(np.concatenate([half[:0:-1], half], axis=0))
    middle = 100.5 * CELL_M
    area = loss_map(
        whole,
        Mast("a", middle, middle, 25.0),
        frequency_mhz=(2600.0,),
        radius_m=3_000.0,
        terminal_m=1.5,
        climate=Climate(percent, 45.0, 325.0, 10.0),
    )
    codes = area.loss[0].astype(int)
    # Bearings are rounded in float32, so a pixel halfway between two rays may change sides.
    for turned in (codes[::-1], codes[:, ::-1]):
        assert np.mean(np.abs(codes - turned) <= 1) > 0.99
