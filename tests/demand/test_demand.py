"""Demand: conversions by hand, curves, who is counted where, and the industrial scenarios."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xinji.core.arrays import Floats
from xinji.core.policy import Policy
from xinji.core.region import Region
from xinji.core.vocabulary import RESOURCES, SERVICE_NAMES
from xinji.io.parameters import PROFILES, load
from xinji.plan.demand import (
    busy_hour_mbps,
    forecast,
    industrial_cells,
    monthly_traffic_gb,
    people_present,
    scenarios,
    take_up,
)

DOWN, UP, SERVERS = (RESOURCES.index(name) for name in ("down_mbps", "up_mbps", "servers"))
WIDE, EDGE = SERVICE_NAMES.index("industrial_wide"), SERVICE_NAMES.index("industrial_edge")
COUNTS = arrays(np.float64, 6, elements=st.floats(0, 5_000))


def with_value(region: Region, key: str, value: float) -> Region:
    entry = region.parameters.entries[key]
    low, high = min(value, entry.low), max(value, entry.high)
    return replace(
        region, parameters=region.parameters.override({key: replace(entry, value=value, low=low, high=high)})
    )


def test_nineteen_gigabytes_a_month_in_the_busy_hour() -> None:
    # 19 GB is 152,000 Mbit; a day's share 4,993.8; 15 % of it in one hour is 0.208 Mbit/s.
    assert busy_hour_mbps(np.array([19.0]), 0.15)[0] == pytest.approx(0.2081, abs=1e-4)


def test_traffic_starts_where_it_should_and_levels_off() -> None:
    years = np.array([2024.0, 2025.0, 2100.0])
    found = monthly_traffic_gb(years, 19.0, 2024.0, 0.12, 80.0)
    np.testing.assert_allclose(found, [19.0, 19.0 * 1.12, 80.0], rtol=1e-3)
    assert monthly_traffic_gb(years, 90.0, 2024.0, 0.12, 80.0).tolist() == [90.0] * 3


@given(st.floats(1, 60), st.floats(0.01, 0.5))
def test_traffic_never_falls_nor_passes_its_ceiling(start: float, growth: float) -> None:
    found = monthly_traffic_gb(np.arange(2024.0, 2060.0), start, 2024.0, growth, 80.0)
    assert (np.diff(found) >= 0).all()
    assert found.max() <= 80.0
    assert found[1] <= start * (1 + growth) * (1 + 1e-9)


def test_take_up_is_half_its_ceiling_at_the_midpoint() -> None:
    assert take_up(np.array([2028.0]), 2028.0, 0.45, 0.7)[0] == pytest.approx(0.35)


@given(COUNTS, COUNTS, st.floats(0, 1))
def test_nobody_is_counted_twice(residents: Floats, workers: Floats, share: float) -> None:
    present = people_present(residents, workers, share)
    assert (present >= 0).all()
    at_work = share * workers.sum()
    assert present.sum() == pytest.approx(max(residents.sum(), at_work), abs=1e-6)


def test_people_are_split_indoors_and_outdoors(tiny: tuple[Region, Policy]) -> None:
    region, policy = tiny
    found = forecast(region, policy)
    indoor, outdoor = (found.users[:, SERVICE_NAMES.index(name)] for name in ("mobile_indoor", "mobile_outdoor"))
    np.testing.assert_allclose(indoor, 4.0 * outdoor)
    assert (indoor + outdoor)[:, 0].sum() == pytest.approx(region.cells.residents.sum())
    gigabit = SERVICE_NAMES.index("gigabit")
    assert (found.users[:, gigabit] == region.cells.residents[:, None]).all()
    assert not found.amount[:, gigabit].any()


def test_mobile_traffic_equals_the_product_by_hand(tiny: tuple[Region, Policy]) -> None:
    region, policy = tiny
    found = forecast(region, policy)
    both = found.amount[:, :2, 0].sum()
    gigabytes = monthly_traffic_gb(np.array([2026.0]), 19.0, 2024.0, 0.12, 80.0)[0]
    up_to_then = 0.95 / (1 + np.exp(-0.35 * 2))
    expected = region.cells.residents.sum() * 1.27 * gigabytes * 8000 / 30.4375 * 0.15 / 3600 * up_to_then
    assert both == pytest.approx(expected * (1 + policy.build_ahead))


def test_build_ahead_is_a_margin_on_amounts_alone(tiny: tuple[Region, Policy]) -> None:
    region, policy = tiny
    bare, ahead = (forecast(region, replace(policy, build_ahead=margin)) for margin in (0.0, 0.5))
    np.testing.assert_allclose(ahead.amount, 1.5 * bare.amount)
    assert (ahead.users == bare.users).all()


def test_industry_of_one_cell_by_hand(tiny: tuple[Region, Policy]) -> None:
    region, policy = tiny
    cell = int(np.argmax(region.cells.industrial_area_m2))
    workers, hectares = region.cells.workers[cell], region.cells.industrial_area_m2[cell] / 1e4
    use = 0.7 / (1 + np.exp(-0.45 * (policy.years[-1] - 2028)))
    total = np.zeros((2, 3))
    for item in scenarios(region.parameters):
        active = item.activity * (item.devices_per_100_workers * workers / 100 + item.devices_per_hectare * hectares)
        edge = int(item.latency_ms <= 20)
        rates = np.array([item.down_mbps, item.up_mbps, edge * item.servers_per_gbps * 1e-3])
        rates[SERVERS] *= item.down_mbps + item.up_mbps
        total[edge] += active * rates
    found = forecast(region, policy)
    np.testing.assert_allclose(found.amount[cell, [WIDE, EDGE], -1], total * use * (1 + policy.build_ahead))
    share = total[:, :2].sum(axis=1) / total[:, :2].sum()
    np.testing.assert_allclose(found.users[cell, [WIDE, EDGE], -1], workers * share)


def test_industry_is_heavy_on_the_uplink_and_grows(tiny: tuple[Region, Policy]) -> None:
    found = forecast(*tiny)
    industry = found.amount[:, [WIDE, EDGE]].sum(axis=(0, 1))
    assert (industry[:, UP] > 2 * industry[:, DOWN]).all()
    assert (np.diff(industry, axis=0) > 0).all()
    assert not found.amount[:, WIDE, :, SERVERS].any()
    assert found.amount[:, EDGE, :, SERVERS].any()


def test_workers_elsewhere_ask_for_nothing_industrial(tiny: tuple[Region, Policy]) -> None:
    region, policy = tiny
    idle = ~industrial_cells(region.cells)
    assert idle.any()
    found = forecast(region, policy)
    assert not found.users[idle][:, [WIDE, EDGE]].any()
    assert not found.amount[idle][:, [WIDE, EDGE]].any()
    total = found.users[:, [WIDE, EDGE], 0].sum()
    assert total == pytest.approx(region.cells.workers[~idle].sum())


def test_a_region_may_move_a_scenario_to_the_edge(tiny: tuple[Region, Policy]) -> None:
    region, policy = tiny
    before = forecast(region, policy)
    assert before.latency_ms[[WIDE, EDGE]].tolist() == [50.0, 10.0]
    after = forecast(with_value(region, "demand.scenario.video_inspection.latency", 8), policy)
    assert after.latency_ms[[WIDE, EDGE]].tolist() == [50.0, 8.0]
    assert after.amount[:, EDGE, :, UP].sum() > before.amount[:, EDGE, :, UP].sum()
    none = forecast(with_value(region, "demand.industry.edge_latency_max", 1), policy)
    assert np.isinf(none.latency_ms[EDGE])
    assert not none.users[:, EDGE].any()


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_has_every_figure(tiny: tuple[Region, Policy], profile: str) -> None:
    found = forecast(replace(tiny[0], parameters=load(profile)), tiny[1])
    assert found.amount.sum() > 0
    assert np.isinf(found.latency_ms[:3]).all()
