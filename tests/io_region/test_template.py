from __future__ import annotations

from pathlib import Path

import pytest

from xinji.core.vocabulary import GROUPS
from xinji.errors import OutputError, RegionError
from xinji.io.config import GroupRule, policy, read_config
from xinji.io.import_config import parse_import
from xinji.io.parameters import load
from xinji.io.template import write_template


def test_the_template_is_a_valid_region_toml(tmp_path: Path) -> None:
    path = write_template(tmp_path / "new", "new_district")
    config = read_config(path)
    assert config.name == "new_district"
    assert config.groups == GroupRule()
    assert list(policy(config).priority) == list(GROUPS)
    assert parse_import(config.import_).cells.cell_m == 250.0


def test_its_commented_parameter_is_one_of_the_registry(tmp_path: Path) -> None:
    path = write_template(tmp_path, "a")
    lines = path.read_text(encoding="utf-8").splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("# [parameters"))
    end = next(n for n, line in enumerate(lines) if n > start and not line.startswith("#"))
    path.write_text("\n".join([*lines[:start], *(line[2:] for line in lines[start:end]), *lines[end:]]), "utf-8")
    config = read_config(path)
    entry = load("cn").entries["energy.tariff"]
    assert config.parameters["energy.tariff"].unit == entry.unit
    assert entry.low <= config.parameters["energy.tariff"].value <= entry.high


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = write_template(tmp_path, "a")
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="already"):
        write_template(tmp_path, "b")
    assert path.read_text(encoding="utf-8") == "mine"


def test_a_name_that_will_not_do_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RegionError, match="found 'New District'"):
        write_template(tmp_path, "New District")
    assert list(tmp_path.iterdir()) == []
