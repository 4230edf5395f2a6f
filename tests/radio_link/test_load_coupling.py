"""Coupled loads: monotone, least, checked by a root finder and by hand, overload reported."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import root

from xinji.core.arrays import Floats
from xinji.errors import InputError, SolverError
from xinji.plan.radio.interference import best_server
from xinji.plan.radio.link import Carrier, LinkCurve, curve_of
from xinji.plan.radio.load_coupling import Links, coupled_loads, join_links, links_of, point_sinr_db, wanted_loads

CARRIER = Carrier(273, 30.0, 4, 8, 0.14, 0.7)
CURVE = curve_of(CARRIER, "down")
NOISE_DBM = -120.2


def shannon() -> LinkCurve:
    """Return log2(1 + SINR) as a table, for which the fixed point is known to be unique."""
    sinr = np.arange(-30.0, 60.0, 0.01)
    return LinkCurve(-30.0, 0.01, np.log2(1 + 10 ** (sinr / 10)).astype(np.float32), -20.0, 1e-3)


def town(seed: int, sectors: int = 12, n: int = 300) -> tuple[Links, Floats, Floats]:
    rng = np.random.default_rng(seed)
    mast, place = rng.uniform(0, 3e3, (sectors, 2)), rng.uniform(0, 3e3, (n, 2))
    away = np.hypot(*(mast[:, None, :] - place[None, :, :]).transpose(2, 0, 1)) + 20.0
    rsrp = 20.0 - (30.0 + 37.0 * np.log10(away)) + rng.normal(0, 6, (sectors, n))
    return links_of(rsrp.astype(np.float32), -200.0), rng.gamma(1.0, 0.8, n), rsrp


@pytest.mark.parametrize("curve", [CURVE, shannon()], ids=["schemes", "shannon"])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_root_finder_agrees(curve: LinkCurve, seed: int) -> None:
    links, demand, _ = town(seed)
    found = coupled_loads(links, demand, CARRIER, curve, sectors=12, noise_dbm=NOISE_DBM, tolerance=1e-9)
    assert not found.overloaded.any()
    noise = 10 ** (NOISE_DBM / 10)

    def excess(load: Floats) -> Floats:
        return wanted_loads(links, demand, np.clip(load, 0, 1), CARRIER, curve, noise_mw=noise) - load

    solved = root(excess, found.load + 0.02, method="df-sane", options={"fatol": 1e-9, "maxfev": 5_000})
    assert solved.success
    assert solved.x == pytest.approx(found.load, abs=2e-5)


def test_the_loads_climb_from_empty_and_fall_from_full_to_one_point() -> None:
    links, demand, _ = town(3)
    noise = 10 ** (NOISE_DBM / 10)
    low, high = np.zeros(12), np.ones(12)
    for _ in range(60):
        above = np.minimum(wanted_loads(links, demand, high, CARRIER, CURVE, noise_mw=noise), 1)
        below = np.minimum(wanted_loads(links, demand, low, CARRIER, CURVE, noise_mw=noise), 1)
        assert (below >= low - 1e-12).all()
        assert (above <= high + 1e-12).all()
        assert (below <= above + 1e-12).all()
        low, high = below, above
    assert low == pytest.approx(high, abs=1e-6)
    found = coupled_loads(links, demand, CARRIER, CURVE, sectors=12, noise_dbm=NOISE_DBM)
    assert found.load == pytest.approx(low, abs=1e-5)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 1_000), scale=st.floats(1.0, 3.0))
def test_more_demand_loads_every_cell_at_least_as_much(seed: int, scale: float) -> None:
    links, demand, _ = town(seed, n=80)
    low = coupled_loads(links, demand, CARRIER, CURVE, sectors=12, noise_dbm=NOISE_DBM)
    high = coupled_loads(links, demand * scale, CARRIER, CURVE, sectors=12, noise_dbm=NOISE_DBM)
    assert (high.load >= low.load - 1e-5).all()
    assert (high.wanted >= scale * low.wanted - 1e-4).all()


def test_one_cell_by_hand() -> None:
    links = links_of(np.array([[-80.0, -80.0]], dtype=np.float32), -150.0)
    found = coupled_loads(links, np.array([100.0, 50.0]), CARRIER, CURVE, sectors=1, noise_dbm=NOISE_DBM)
    rate = CURVE.read(np.array([-80.0 - NOISE_DBM], dtype=np.float32))[0] * CARRIER.elements_per_s / 1e6
    assert found.load[0] == pytest.approx(150.0 / rate, rel=1e-5)
    assert found.sinr_db == pytest.approx(40.2, abs=1e-4)


def test_overload_is_clipped_and_told() -> None:
    links, demand, rsrp = town(4)
    found = coupled_loads(links, demand * 40, CARRIER, CURVE, sectors=12, noise_dbm=NOISE_DBM)
    assert found.overloaded.any()
    assert (found.load[found.overloaded] == 1).all()
    assert (found.wanted[found.overloaded] > 1).all()
    assert found.load.max() <= 1
    wanted = best_server(rsrp.astype(np.float32).astype(float), found.load, NOISE_DBM)
    assert found.sinr_db == pytest.approx(wanted.sinr_db, abs=1e-3)
    assert (links.server() == wanted.sector).all()


def test_points_out_of_reach_are_outages_and_take_nothing() -> None:
    rsrp = np.array([[-80.0, -170.0, -128.0]], dtype=np.float32)
    links = links_of(rsrp, -150.0)
    found = coupled_loads(links, np.array([0.0, 9.0, 0.0]), CARRIER, CURVE, sectors=1, noise_dbm=NOISE_DBM)
    assert found.outage.tolist() == [False, True, True]
    assert np.isnan(found.sinr_db[1])
    assert found.load[0] == 0
    assert links.server().tolist() == [0, -1, 0]


def test_blocks_join_to_the_whole() -> None:
    _, _, rsrp = town(5, n=70)
    level = rsrp.astype(np.float32)
    whole, parts = (
        links_of(level, -110.0),
        join_links([links_of(level[:, :31], -110.0), links_of(level[:, 31:], -110.0)]),
    )
    assert (whole.start == parts.start).all()
    assert (whole.sector == parts.sector).all()
    load = np.linspace(0, 1, 12)
    assert point_sinr_db(whole, load, 1e-12) == pytest.approx(point_sinr_db(parts, load, 1e-12), nan_ok=True)


def test_what_does_not_settle_or_fit_is_refused() -> None:
    links, demand, _ = town(6)
    with pytest.raises(SolverError, match="after 2 rounds"):
        coupled_loads(links, demand, CARRIER, CURVE, sectors=12, noise_dbm=NOISE_DBM, rounds=2)
    with pytest.raises(InputError) as caught:
        coupled_loads(links, np.full(9, -1.0), CARRIER, CURVE, sectors=3, noise_dbm=NOISE_DBM)
    assert len(caught.value.faults) == 3
