"""Busy-hour demand of every cell, service and year: people's traffic and industry's scenarios."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Bools, Floats
from xinji.core.demand import Demand
from xinji.core.parameters import Parameters
from xinji.core.policy import Policy
from xinji.core.region import Cells, Region
from xinji.core.vocabulary import LAND_USES, RESOURCES, SERVICE_NAMES
from xinji.units import DAYS_PER_MONTH, MEGABITS_PER_GIGABYTE, SECONDS_PER_HOUR

SCENARIOS = (
    "machine_vision",
    "agv",
    "remote_control",
    "video_inspection",
    "process_monitoring",
    "ar_assistance",
)
"""Industrial scenarios; the figures of each are the parameters ``demand.scenario.<name>.*``."""

M2_PER_HECTARE = 10_000.0
MBPS_PER_GBPS = 1_000.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """What one industrial use asks of the network.

    Rates [Mbit/s] are those of a sending device, ``activity`` the share of devices that send in
    the busy hour, ``latency_ms`` the one-way limit, ``servers_per_gbps`` the edge servers for each
    Gbit/s both ways.
    """

    name: str
    up_mbps: float
    down_mbps: float
    devices_per_100_workers: float
    devices_per_hectare: float
    activity: float
    latency_ms: float
    servers_per_gbps: float


def forecast(region: Region, policy: Policy) -> Demand:
    """Return users and busy-hour demand for the policy's years, with its build-ahead margin.

    Users are everyone whom a service is meant for: people present, split outdoors and indoors;
    residents for gigabit access; workers for industry. Amounts are what those who have taken the
    service up by a year use in its busy hour. Raises ParameterError if a figure is missing.
    """
    cells, parameters = region.cells, region.parameters
    years = np.asarray(policy.years, dtype=np.float64)
    users = np.zeros((len(cells), len(SERVICE_NAMES), len(years)))
    amount = np.zeros((*users.shape, len(RESOURCES)))
    latency_ms = np.full(len(SERVICE_NAMES), np.inf)
    users[:, SERVICE_NAMES.index("gigabit")] = cells.residents[:, None]
    _add_people(cells, parameters, years, users, amount)
    _add_industry(cells, parameters, years, users, amount)
    for service, chosen in _split_by_latency(parameters).items():
        limits = [scenario.latency_ms for scenario in chosen]
        latency_ms[SERVICE_NAMES.index(service)] = min(limits, default=np.inf)
    return Demand(users=users, amount=amount * (1.0 + policy.build_ahead), latency_ms=latency_ms)


def scenarios(parameters: Parameters) -> tuple[Scenario, ...]:
    """Return the industrial scenarios with their figures. Raises ParameterError if one is missing."""
    figures = (
        ("up_rate", "Mbit/s"),
        ("down_rate", "Mbit/s"),
        ("devices_per_100_workers", "devices/100 workers"),
        ("devices_per_hectare", "devices/ha"),
        ("activity", "share"),
        ("latency", "ms"),
        ("servers_per_gbps", "servers/(Gbit/s)"),
    )
    return tuple(
        Scenario(name, *(parameters.value(f"demand.scenario.{name}.{key}", unit) for key, unit in figures))
        for name in SCENARIOS
    )


def people_present(residents: Floats, workers: Floats, at_work_share: float) -> Floats:
    """Return the people in each cell in the busy hour (all shape (cells,)).

    Workers at work are taken off the homes of the region evenly, so that nobody counts twice and
    the region's people stay its residents, unless more work there than live there.
    """
    at_work = at_work_share * workers
    total = residents.sum()
    at_home_share = max(0.0, 1.0 - at_work.sum() / total) if total > 0 else 0.0
    return residents * at_home_share + at_work


def monthly_traffic_gb(years: Floats, start_gb: float, start_year: float, growth: float, ceiling_gb: float) -> Floats:
    """Return the traffic of a subscription [GB/month] in each year (shape (years,)).

    A logistic curve through ``start_gb`` in ``start_year`` whose first year grows by ``growth``
    [1/year] and which levels off at ``ceiling_gb``; at or above the ceiling it stays put.
    """
    if start_gb >= ceiling_gb:
        return np.full(years.shape, start_gb)
    ahead = ceiling_gb / start_gb - 1.0
    next_gb = min(start_gb * (1.0 + growth), 0.5 * (start_gb + ceiling_gb))
    rate = np.log(ahead / (ceiling_gb / next_gb - 1.0))
    return np.asarray(ceiling_gb / (1.0 + ahead * np.exp(-rate * (years - start_year))))


def take_up(years: Floats, midpoint_year: float, rate: float, ceiling: float) -> Floats:
    """Return the share that has taken a service up by each year: a logistic curve (shape (years,))."""
    return np.asarray(ceiling / (1.0 + np.exp(-rate * (years - midpoint_year))))


def busy_hour_mbps(traffic_gb_month: Floats, busy_hour_share: float) -> Floats:
    """Return the mean rate [Mbit/s] in the busy hour of ``traffic_gb_month`` [GB/month]."""
    return traffic_gb_month * MEGABITS_PER_GIGABYTE / DAYS_PER_MONTH * busy_hour_share / SECONDS_PER_HOUR


def devices(scenario: Scenario, workers: Floats, industrial_area_m2: Floats) -> Floats:
    """Return the devices of a scenario in each cell, at full take-up (shape (cells,))."""
    by_workers = scenario.devices_per_100_workers * workers / 100.0
    return by_workers + scenario.devices_per_hectare * industrial_area_m2 / M2_PER_HECTARE


def industrial_cells(cells: Cells) -> Bools:
    """Return whether a cell has industry: industrial land, or industrial as its main use (shape (cells,))."""
    return np.asarray((cells.industrial_area_m2 > 0.0) | (cells.land_use == LAND_USES.index("industrial")))


def _logistic(parameters: Parameters, who: str, years: Floats) -> Floats:
    midpoint = parameters.value(f"demand.{who}.take_up_midpoint", "year")
    rate = parameters.value(f"demand.{who}.take_up_rate", "1/year")
    return take_up(years, midpoint, rate, parameters.value(f"demand.{who}.take_up_ceiling", "share"))


def _add_people(cells: Cells, parameters: Parameters, years: Floats, users: Floats, amount: Floats) -> None:
    share = {key: parameters.value(f"demand.mobile.{key}", "share") for key in _MOBILE_SHARES}
    subscriptions = parameters.value("demand.mobile.subscriptions_per_person", "subscriptions/person")
    traffic = monthly_traffic_gb(
        years,
        parameters.value("demand.mobile.traffic", "GB/user/month"),
        parameters.value("demand.mobile.base_year", "year"),
        parameters.value("demand.mobile.growth", "1/year"),
        parameters.value("demand.mobile.traffic_saturation", "GB/user/month"),
    )
    rate = busy_hour_mbps(traffic, share["busy_hour_share"]) * _logistic(parameters, "mobile", years)
    present = people_present(cells.residents, cells.workers, share["at_work_share"])
    parts = (("mobile_indoor", share["indoor_share"]), ("mobile_outdoor", 1.0 - share["indoor_share"]))
    for service, part in parts:
        place = SERVICE_NAMES.index(service)
        users[:, place] = (present * part * min(1.0, subscriptions))[:, None]
        mbps = (present * part * subscriptions)[:, None] * rate
        amount[:, place, :, RESOURCES.index("down_mbps")] = mbps * (1.0 - share["up_share"])
        amount[:, place, :, RESOURCES.index("up_mbps")] = mbps * share["up_share"]


def _add_industry(cells: Cells, parameters: Parameters, years: Floats, users: Floats, amount: Floats) -> None:
    use = _logistic(parameters, "industry", years)
    workers = np.where(industrial_cells(cells), cells.workers, 0.0)
    traffic = {}
    for service, chosen in _split_by_latency(parameters).items():
        place, total = SERVICE_NAMES.index(service), np.zeros(len(cells))
        for scenario in chosen:
            active = scenario.activity * devices(scenario, workers, cells.industrial_area_m2)
            both = active * (scenario.up_mbps + scenario.down_mbps)
            # An edge node is sized for its own flows alone; the rest is computed anywhere.
            servers = both * scenario.servers_per_gbps / MBPS_PER_GBPS * (service == "industrial_edge")
            for name, mean in zip(
                RESOURCES, (active * scenario.down_mbps, active * scenario.up_mbps, servers), strict=True
            ):
                amount[:, place, :, RESOURCES.index(name)] += mean[:, None] * use
            total += both
        traffic[service] = total
    everything = sum(traffic.values())
    for service, part in traffic.items():
        share = np.divide(part, everything, out=np.zeros(len(cells)), where=everything > 0)
        users[:, SERVICE_NAMES.index(service)] = (workers * share)[:, None]


def _split_by_latency(parameters: Parameters) -> dict[str, tuple[Scenario, ...]]:
    limit_ms = parameters.value("demand.industry.edge_latency_max", "ms")
    known = scenarios(parameters)
    return {
        "industrial_wide": tuple(scenario for scenario in known if scenario.latency_ms > limit_ms),
        "industrial_edge": tuple(scenario for scenario in known if scenario.latency_ms <= limit_ms),
    }


_MOBILE_SHARES = ("busy_hour_share", "up_share", "indoor_share", "at_work_share")
