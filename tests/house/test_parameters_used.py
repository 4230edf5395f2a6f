"""Every figure in the registry is read by a model, and every figure that a model reads is there, in both profiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from support.tiny import tiny_region
from xinji.build.earned_value import MILESTONES, earning_rule
from xinji.core.parameters import Parameter, Parameters
from xinji.io.parameters import PROFILES, load
from xinji.plan.compute.offer import offer as compute_offer
from xinji.plan.demand import forecast
from xinji.plan.fibre.offer import offer as fibre_offer
from xinji.plan.fibre.pon.prices import read_holes, read_prices
from xinji.plan.fibre.trench import trenches
from xinji.plan.radio.bands import read_bands
from xinji.plan.radio.calibration_settings import read_settings
from xinji.plan.radio.cell_capacity import read_drops
from xinji.plan.radio.microwave import EQUIPMENT, read_equipment, read_rules
from xinji.plan.radio.offer import offer as radio_offer
from xinji.plan.radio.service_quality import read_quality
from xinji.plan.radio.shadowing import read_shadowing
from xinji.workflow.building_places import distance_max_m

CARRIED_BY_POLICY = {"finance.discount_rate"}
"""Figures that are the source of a default of ``Policy`` and reach the models through it."""


class Recorder(dict[str, Parameter]):
    """The entries of a registry; remembers which keys were asked for."""

    def __init__(self, entries: Mapping[str, Parameter]) -> None:
        super().__init__(entries)
        self.asked: set[str] = set()

    def get(self, key: str, default: Parameter | None = None) -> Parameter | None:  # type: ignore[override]
        self.asked.add(key)
        return super().get(key, default)


@pytest.fixture(scope="module", params=PROFILES)
def recorded(request: pytest.FixtureRequest) -> Recorder:
    region, policy = tiny_region(1)
    entries = Recorder(load(request.param).entries)
    region = replace(region, parameters=Parameters(request.param, entries))
    demand, graph = forecast(region, policy), trenches(region)
    radio_offer(region, demand)
    fibre_offer(region, demand, graph)
    compute_offer(region, demand, graph)
    for band in read_bands(region.parameters):
        read_quality(region.parameters, band)
    read_shadowing(region.parameters)
    read_drops(region.parameters, seed=0)
    read_settings(region.parameters)
    read_prices(region.parameters)
    read_holes(region.parameters)
    read_rules(region.parameters, region.latitude_deg)
    for kind in EQUIPMENT:
        read_equipment(region.parameters, kind)
    earning_rule(MILESTONES, region.parameters)
    distance_max_m(region.parameters)
    return entries


def test_every_key_is_read(recorded: Recorder) -> None:
    assert set(recorded) - recorded.asked == CARRIED_BY_POLICY


def test_every_key_asked_for_exists(recorded: Recorder) -> None:
    assert recorded.asked <= set(recorded)


def test_both_profiles_hold_the_same_keys_in_the_same_units() -> None:
    units = [{key: entry.unit for key, entry in load(profile).entries.items()} for profile in PROFILES]
    assert units[0] == units[1]
