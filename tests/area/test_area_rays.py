"""Every pixel within the radius belongs to its nearest ray, once."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from xinji.plan.radio.area.rays import OWN_M, Window, fan_of, turn_of


def test_bearings_are_as_exact_as_stated() -> None:
    angle = np.linspace(0.0, 2.0 * np.pi, 200_001)
    east, north = np.sin(angle).astype(np.float32), np.cos(angle).astype(np.float32)
    turn = np.array([turn_of(x, y) for x, y in zip(east, north, strict=True)], dtype=np.float64)
    exact = np.arctan2(east.astype(np.float64), north.astype(np.float64)) / (2.0 * np.pi)
    off = (turn - exact + 0.5) % 1.0 - 0.5
    assert np.abs(off).max() < 3e-7


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(2, 40),
    columns=st.integers(2, 40),
    east=st.floats(-0.5, 0.49),
    south=st.floats(-0.5, 0.49),
    place=st.tuples(st.integers(0, 39), st.integers(0, 39)),
    rays=st.integers(4, 400),
    cell_m=st.sampled_from([5.0, 30.0, 900.0]),
    radius=st.floats(1.0, 60.0),
)
def test_each_pixel_once_on_its_nearest_ray(
    rows: int,
    columns: int,
    east: float,
    south: float,
    place: tuple[int, int],
    rays: int,
    cell_m: float,
    radius: float,
) -> None:
    window = Window(rows, columns, east + min(place[0], columns - 1), south + min(place[1], rows - 1), cell_m)
    fan = fan_of(window, rays, radius * cell_m)
    assert len(np.unique(fan.pixel)) == len(fan.pixel) == fan.start[-1]
    row, column = np.divmod(np.arange(rows * columns), columns)
    across, along = column - window.east, window.south - row
    gap = np.hypot(across, along)
    own = min(0.5, OWN_M / cell_m)
    found = np.isin(np.arange(rows * columns), fan.pixel)
    # Within rounding of a rim either is right.
    clear = (np.abs(gap - radius) > 1e-4) & (np.abs(gap - own) > 1e-4)
    assert (found == ((gap <= radius) & (gap > own)))[clear].all()
    ray = np.repeat(np.arange(rays), np.diff(fan.start))
    bearing = np.arctan2(across[fan.pixel], along[fan.pixel]) / (2.0 * np.pi)
    off = np.abs((bearing - ray / rays + 0.5) % 1.0 - 0.5)
    assert (off <= 0.5 / rays + 1e-6).all()
    assert np.allclose(fan.distance_m, gap[fan.pixel] * cell_m, rtol=1e-6)
