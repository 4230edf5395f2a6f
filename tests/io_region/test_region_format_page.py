from __future__ import annotations

from pathlib import Path

import pytest

from xinji.core.vocabulary import FACILITY_KINDS, GROUPS, LAND_USES, ROAD_CLASSES
from xinji.io.check import check
from xinji.io.check_layers import COLUMNS, RASTERS, VECTORS
from xinji.io.config import FloorConfig, GroupRule, LayerNames, ParameterOverride, PolicyConfig, RegionConfig
from xinji.io.region import built_in

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "region-format.md"
MODELS = (RegionConfig, LayerNames, GroupRule, ParameterOverride, PolicyConfig, FloorConfig)


@pytest.mark.parametrize("layer", [*VECTORS, *RASTERS])
def test_every_layer_and_column_is_documented(layer: str) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert f"| `{layer}` |" in text
    assert [column for column in COLUMNS.get(layer, {}) if f"| `{column}` |" not in text] == []


def test_every_key_and_word_is_documented() -> None:
    text = PAGE.read_text(encoding="utf-8")
    keys = [field.alias or key for model in MODELS for key, field in model.model_fields.items()]
    words = [*GROUPS, *LAND_USES, *ROAD_CLASSES, *FACILITY_KINDS]
    missing = [word for word in (*keys, *words) if f"`{word}`" not in text and f"[{word}]" not in text]
    assert [word for word in missing if f"policy.{word}]" not in text and f'[{word}."KEY"]' not in text] == []


def test_codes_stand_beside_their_land_use() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [name for code, name in enumerate(LAND_USES) if f"| {code} | `{name}` |" not in text] == []


@pytest.mark.parametrize("name", sorted(built_in()))
def test_built_in_regions_are_sound(name: str) -> None:
    assert check(built_in()[name]).faults == ()
