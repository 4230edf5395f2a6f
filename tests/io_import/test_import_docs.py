"""The how-to's mappings are read by the importer, and it names every key there is."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from pydantic import BaseModel

from xinji.io import import_config
from xinji.io.import_config import ImportConfig, parse_import

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "how-to" / "import-a-region.md").read_text(encoding="utf-8")


def test_the_small_mapping_is_whole() -> None:
    small = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)[0]
    mapping = parse_import(tomllib.loads(small)["import"])
    assert len(mapping.facilities) == 2


def test_every_key_is_documented() -> None:
    models = [
        model for model in vars(import_config).values() if isinstance(model, type) and issubclass(model, BaseModel)
    ]
    assert ImportConfig in models
    keys = {key for model in models for key in model.model_fields}
    words = set(re.findall(r"\w+", PAGE))
    assert keys <= words, sorted(keys - words)
