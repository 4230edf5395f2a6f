"""The area engine keeps to the rules on which model serves where."""

from __future__ import annotations

import numpy as np
import pytest

from xinji.plan.radio.area.field import NEAR_MODEL_MHZ, TERRAIN_MODEL_MHZ, VALID_FREQUENCY_MHZ
from xinji.plan.radio.area.near import NEAR_M
from xinji.plan.radio.rules import MODELS, NAMES, model_for, require_chain


def test_the_engine_changes_models_where_the_rules_do() -> None:
    rules = {model.name: model for model in MODELS}
    terrain, street = rules["P.1812"], rules["TR 38.901"]
    assert (VALID_FREQUENCY_MHZ[0] / 1e3, TERRAIN_MODEL_MHZ / 1e3) == terrain.frequency_ghz
    assert (NEAR_MODEL_MHZ / 1e3, VALID_FREQUENCY_MHZ[1] / 1e3) == street.frequency_ghz
    assert terrain.distance_km[0] == NEAR_M / 1e3


@pytest.mark.parametrize(
    ("ghz", "km", "name"), [(2.6, 0.3, "P.1812"), (2.6, 0.2, "TR 38.901"), (26.0, 1.0, "TR 38.901")]
)
def test_who_serves(ghz: float, km: float, name: str) -> None:
    assert NAMES[int(model_for(np.array([ghz]), np.array([km]), "outdoor")[0])] == name


def test_walls_may_follow_both_models() -> None:
    for path in ("P.1812", "TR 38.901"):
        require_chain((path, "P.2109"))
