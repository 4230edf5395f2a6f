"""Best server and SINR: the kernels against float64, in any order and grouping, and at the limits."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xinji.core.arrays import Floats
from xinji.core.radio import NOT_COVERED
from xinji.errors import InputError
from xinji.plan.radio.interference import (
    Received,
    accumulate_codes,
    accumulate_levels,
    best_server,
    empty_tally,
    finish,
)

NOISE_DBM = -120.2


def by_levels(rsrp: Floats, load: Floats, cuts: tuple[int, ...] = ()) -> Received:
    tally = empty_tally(rsrp.shape[1])
    edges = (0, *cuts, len(rsrp))
    for first, last in pairwise(edges):
        accumulate_levels(tally, rsrp[first:last].astype(np.float32), load=load[first:last], first_sector=first)
    return finish(tally, NOISE_DBM)


@settings(deadline=None, max_examples=60)
@given(
    sectors=st.integers(1, 40), n=st.integers(1, 2_500), seed=st.integers(0, 2**31), spread=st.sampled_from([10, 150])
)
def test_levels_follow_float64(sectors: int, n: int, seed: int, spread: int) -> None:
    rng = np.random.default_rng(seed)
    rsrp = rng.uniform(-40.0 - spread, -40.0, (sectors, n)).astype(np.float32).astype(np.float64)
    load = rng.uniform(0, 1, sectors)
    wanted = best_server(rsrp, load, NOISE_DBM)
    found = by_levels(rsrp, load, cuts=(sectors // 3,))
    assert (found.sector == wanted.sector).mean() > 0.99
    same = found.sector == wanted.sector
    assert np.abs(found.rsrp_dbm - wanted.rsrp_dbm).max() < 1e-3
    assert np.abs(found.sinr_db - wanted.sinr_db)[same].max() < 0.01 * 0.1


def test_codes_follow_float64() -> None:
    rng = np.random.default_rng(5)
    loss = rng.integers(6_000, 20_000, (11, 5_003)).astype(np.uint16)
    loss[rng.random(loss.shape) < 0.2] = NOT_COVERED
    attenuation = rng.integers(0, 4_000, (31, 5_003)).astype(np.uint16)
    site_of, eirp, load = rng.integers(0, 11, 31), rng.uniform(15, 45, 31), rng.uniform(0, 1, 31)
    tally = empty_tally(5_003)
    for first, last in ((0, 9), (9, 31)):
        part = slice(first, last)
        accumulate_codes(
            tally,
            loss,
            attenuation[part],
            site_of=site_of[part],
            eirp_dbm=eirp[part],
            load=load[part],
            first_sector=first,
        )
    found = finish(tally, NOISE_DBM)
    exact = eirp[:, None] - (loss[site_of].astype(float) + attenuation) / 100.0
    exact[loss[site_of] == NOT_COVERED] = -400.0
    wanted = best_server(exact, load, NOISE_DBM)
    assert (found.sector == wanted.sector).all()
    assert np.nanmax(np.abs(found.sinr_db - wanted.sinr_db)) < 1e-3
    assert np.nanmax(np.abs(found.rsrp_dbm - wanted.rsrp_dbm)) < 1e-3


def test_no_interference_leaves_the_noise_alone() -> None:
    rsrp = np.linspace(-130.0, -30.0, 1_001)[None, :]
    assert by_levels(rsrp, np.ones(1)).sinr_db == pytest.approx(rsrp[0] - NOISE_DBM, abs=1e-3)


def test_near_the_mast_nothing_cancels() -> None:
    # A total less the server would leave rounding alone: 110 dB lie between them.
    rsrp = np.array([[-20.0], [-130.0]])
    wanted = -20.0 - 10.0 * np.log10(10.0 ** (NOISE_DBM / 10.0) + 10.0**-13)
    for order in ([0, 1], [1, 0]):
        assert by_levels(rsrp[order], np.ones(2)).sinr_db[0] == pytest.approx(wanted, abs=1e-3)


def test_an_idle_sector_disturbs_no_one_but_serves() -> None:
    found = by_levels(np.array([[-80.0, -95.0], [-90.0, -85.0]]), np.array([1.0, 0.0]))
    assert found.sector.tolist() == [0, 1]
    assert found.sinr_db[0] == pytest.approx(-80.0 - NOISE_DBM, abs=1e-3)
    assert found.sinr_db[1] < 10.1


def test_of_equal_levels_the_first_serves() -> None:
    found = by_levels(np.full((7, 3), -90.0), np.ones(7), cuts=(2, 5))
    assert found.sector.tolist() == [0, 0, 0]
    assert found.sinr_db == pytest.approx(-10 * np.log10(6 + 10 ** ((NOISE_DBM + 90) / 10)), abs=1e-3)


def test_pixels_without_a_sector_are_marked() -> None:
    tally = empty_tally(3)
    loss = np.array([[NOT_COVERED, NOT_COVERED, 9_000]], dtype=np.uint16)
    attenuation = np.array([[0, 65_535, 100]], dtype=np.uint16)
    figures = {"site_of": np.zeros(1, dtype=np.int64), "eirp_dbm": np.full(1, 60.0), "load": np.ones(1)}
    accumulate_codes(tally, loss, attenuation, **figures)  # type: ignore[arg-type]
    found = finish(tally, NOISE_DBM)
    assert found.sector.tolist() == [-1, -1, 0]
    assert np.isnan(found.sinr_db[:2]).all()
    assert np.isnan(found.rsrp_dbm[:2]).all()
    assert found.rsrp_dbm[2] == pytest.approx(-31.0, abs=1e-3)
    nowhere = best_server(np.full((2, 1), -np.inf), np.ones(2), NOISE_DBM)
    assert nowhere.sector[0] == -1
    assert np.isnan(nowhere.sinr_db[0])


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**31), gain=st.floats(-20, 20))
def test_without_noise_only_differences_matter(seed: int, gain: float) -> None:
    rng = np.random.default_rng(seed)
    rsrp, load = rng.uniform(-90, -60, (9, 50)), rng.uniform(0.1, 1, 9)
    low = best_server(rsrp, load, -300.0).sinr_db
    assert best_server(rsrp + gain, load, -300.0).sinr_db == pytest.approx(low, abs=1e-4)


def test_contradictions_are_refused_at_once() -> None:
    tally = empty_tally(4)
    with pytest.raises(InputError) as caught:
        accumulate_codes(
            tally,
            np.zeros((1, 5), dtype=np.uint16),
            np.zeros((2, 5), dtype=np.uint16),
            site_of=np.array([0, 3]),
            eirp_dbm=np.array([1.0, np.nan]),
            load=np.array([0.5, 1.5]),
        )
    assert len(caught.value.faults) == 4
    with pytest.raises(InputError, match="float32"):
        accumulate_levels(tally, np.zeros((2, 4)), load=np.ones(2))  # type: ignore[arg-type]
