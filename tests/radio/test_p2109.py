"""Building entry loss against 3,000 published rows, and indoor coverage against a simulation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from xinji.errors import InputError
from xinji.plan.radio.indoor import entry_table
from xinji.plan.radio.p2109 import THERMALLY_EFFICIENT, TRADITIONAL, entry_loss_db

# Rows of crc-covlib's tests/iturp2109: GHz, probability, 1 traditional or 2 efficient, degrees, dB.
PUBLISHED = [
    (66.693333333, 0.45833333417, 1, 22.5, 26.0335503151272931),
    (33.386666667, 0.79166666083, 2, -52.5, 70.1013246379845754),
    (12.57, 0.54166666583, 2, -45.0, 46.5631005412690584),
    (0.08, 0.25000000500, 2, 7.5, 37.1539210698183169),
    (83.346666667, 0.50, 1, 0.0, 23.3812341175745111),
    (91.673333333, 0.62499999750, 1, -45.0, 37.4874412363499090),
]


def test_rows_kept_here() -> None:
    for frequency, share, kind, angle, expected in PUBLISHED:
        building = TRADITIONAL if kind == 1 else THERMALLY_EFFICIENT
        found = entry_loss_db(building, np.array([frequency]), np.array([share]), np.array([angle]))
        assert found[0] == pytest.approx(expected, abs=1e-6)


def test_all_published_rows(shared: Path) -> None:
    rows = np.loadtxt(shared / "validation" / "p2109" / "itu_bel.csv", delimiter=",", skiprows=1)
    assert len(rows) > 1_000
    for kind, building in ((1, TRADITIONAL), (2, THERMALLY_EFFICIENT)):
        part = rows[rows[:, 2] == kind]
        found = entry_loss_db(building, part[:, 0], part[:, 1] / 100.0, part[:, 3])
        np.testing.assert_allclose(found, part[:, 4], atol=1e-6)


def test_values_out_of_range_are_all_named() -> None:
    with pytest.raises(InputError) as caught:
        entry_loss_db(TRADITIONAL, np.array([0.01]), np.array([1.0]), np.array([95.0]))
    for name in ("frequency_ghz", "probability", "elevation_deg"):
        assert name in str(caught.value)


@pytest.mark.parametrize(("margin", "share", "sigma"), [(10.0, 0.0, 4.0), (25.0, 0.2, 6.0), (40.0, 0.6, 7.82)])
def test_indoor_table_equals_a_simulation(margin: float, share: float, sigma: float) -> None:
    random = np.random.default_rng(3)
    n = 200_000
    place = random.uniform(1e-6, 1 - 1e-6, n)
    level = np.zeros(n)
    plain = entry_loss_db(TRADITIONAL, np.full(n, 2.6), place, level)
    clad = entry_loss_db(THERMALLY_EFFICIENT, np.full(n, 2.6), place, level)
    loss = np.where(random.uniform(size=n) < share, clad, plain)
    simulated = np.mean(margin + sigma * random.standard_normal(n) >= loss)
    assert entry_table(2.6, share, sigma).read(np.array([margin]))[0] == pytest.approx(simulated, abs=0.006)
