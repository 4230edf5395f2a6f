"""Wrong profiles and links are refused with every fault."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from p1812.random_paths import random_link, random_profile
from xinji.errors import InputError
from xinji.plan.radio.p1812 import Profile, location_variability_db


def test_every_fault_of_a_link_is_listed() -> None:
    with pytest.raises(InputError) as caught:
        replace(
            random_link(0),
            frequency_ghz=7.0,
            time_percent=0.5,
            location_percent=99.5,
            rx_height_m=float("nan"),
            refractivity_gradient=157.0,
            polarization="slanted",  # type: ignore[arg-type]
        )
    text = str(caught.value)
    assert len(caught.value.faults) == 6
    assert "frequency_ghz is 7, expected 0.03 to 6" in text
    assert "'slanted'" in text


def test_every_fault_of_a_profile_is_listed() -> None:
    distance = np.array([0.1, 2.0, 1.0, 3.0, 4000.0])
    height = np.array([1.0, np.nan, 3.0, 4.0, 5.0])
    clutter, zone = np.array([0.0, 0.0, -1.0, 0.0, 0.0]), np.array([4, 4, 2, 1, 3])
    with pytest.raises(InputError) as caught:
        Profile(distance, height, clutter, zone)
    found = {(fault.row, fault.message.split(",")[0]) for fault in caught.value.faults}
    assert found == {
        (0, "begins at 0.1 km"),
        (2, "distance does not rise"),
        (None, "is 4000 km long"),
        (1, "height_m is missing"),
        (2, "clutter is below ground"),
        (2, "the radio-climatic zone is unknown"),
    }


def test_shapes_and_types_are_checked_first() -> None:
    with pytest.raises(InputError) as caught:
        Profile(np.arange(4), np.zeros(3), np.zeros(4), np.zeros(4))  # type: ignore[arg-type]
    messages = [fault.message for fault in caught.value.faults]
    assert any("height_m has shape (3,)" in message for message in messages)
    assert any("distance_km is int64" in message for message in messages)
    assert any("zone is float64" in message for message in messages)
    assert any("has 4 points" in message for message in messages)


def test_a_path_below_the_scope_is_refused() -> None:
    with pytest.raises(InputError, match=r"expected 0\.25 to 3000 km"):
        Profile(np.linspace(0.0, 0.2, 5), np.zeros(5), np.zeros(5), np.full(5, 4))


def test_a_profile_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        random_profile(0).height_m[0] = 1.0


def test_location_variability_refuses_what_makes_no_sense() -> None:
    with pytest.raises(InputError) as caught:
        location_variability_db(10.0, 0.0, -1.0, resolution_m=0.0)
    assert len(caught.value.faults) == 4
