from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.tiny import tiny_config, tiny_region
from xinji.core.policy import Floor, Policy
from xinji.core.region import Region
from xinji.core.vocabulary import GROUPS, SERVICE_NAMES
from xinji.errors import Fault, RegionError
from xinji.io.config import (
    GroupRule,
    RegionConfig,
    crs_fault,
    dump_config,
    overrides,
    parse_config,
    policy,
    read_config,
    salvage,
)

MINIMAL = """
format = 1
name = "here"
title_en = "Here"
title_zh = "这里"
crs = "EPSG:32651"
currency = "CNY"
profile = "cn"
attribution = ["Us"]
[policy]
years = [2026, 2027]
budget = [1e6, 2000000]
"""


def faults_of(text: str) -> tuple[Fault, ...]:
    with pytest.raises(RegionError) as refused:
        parse_config(text)
    return refused.value.faults


def test_the_least_file_gets_the_documented_defaults() -> None:
    config = parse_config(MINIMAL)
    assert config.layers.cells == "cells.parquet"
    assert config.groups == GroupRule()
    assert policy(config) == Policy((2026, 2027), (1e6, 2e6))


def test_the_import_table_is_kept_untouched() -> None:
    config = parse_config(MINIMAL + '[import.cells]\nfile = "a.gpkg"\n[[import.roads]]\nn = 1\n')
    assert config.import_ == {"cells": {"file": "a.gpkg"}, "roads": [{"n": 1}]}
    assert parse_config(dump_config(config)).import_ == config.import_


@pytest.mark.parametrize(
    ("old", "new", "place", "message", "remedy"),
    [
        ('name = "here"', "name = here", "region.toml", "not valid TOML.*line 3", "Mend the line"),
        ('name = "here"', 'name = "He re"', "region.toml, name", "found 'He re'", "It must"),
        ("format = 1", "format = 2", "region.toml, format", "found 2", "It must be 1"),
        ('profile = "cn"', 'profile = "de"', "region.toml, profile", "found 'de'", "'cn' or 'lmic'"),
        ('profile = "cn"', 'profil = "cn"', "region.toml, profil", "unknown", "Did you mean 'profile'"),
        ('currency = "CNY"', 'currency = "USD"', "region.toml, currency", "is USD.*in CNY", "budgets in CNY"),
        ('"EPSG:32651"', '"EPSG:99"', "region.toml, crs", "no coordinate reference system", "32650"),
        ('"EPSG:32651"', '"EPSG:2263"', "region.toml, crs", "not in metres", "32650"),
        ("[1e6, 2000000]", '[1e6, "x"]', "region.toml, policy.budget.1", "found 'x'", "valid number"),
        ("[1e6, 2000000]", "[1e6, nan]", "region.toml, policy.budget.1", "found nan", "finite"),
        ("[1e6, 2000000]", "[1e6, -1]", "region.toml, policy.budget", "2027 is -1", "at least 0"),
        ("[1e6, 2000000]", "[1e6]", "region.toml, policy.budget", "1 budgets for 2 years", "each year"),
        ("[1e6, 2000000]", "[0, 0]", "region.toml, policy.budget", "zero in every year", "above 0"),
        ("[2026, 2027]", "[2026, 2028]", "region.toml, policy.years", "2028", "consecutive"),
        ("[2026, 2027]", "[2026.5, 2027]", "region.toml, policy.years.0", "2026.5", "valid integer"),
        ("budget =", "budgets =", "region.toml, policy.budgets", "unknown", "Did you mean 'budget'"),
        ("[policy]", "[policy]\npriority = {urbn = 2}", "region.toml, policy.priority.urbn", "unknown", "'urban'"),
        ("[policy]", "[policy]\ncarry_over = 1", "region.toml, policy.carry_over", "found 1", "boolean"),
        ("[policy]", '[policy]\nquestion = "best"', "region.toml, policy.question", "best", "most_value"),
        ("[policy]", "[policy]\nfloors = [{share = 1}]", "region.toml, policy.floors.0.year", "missing", "'year'"),
        ("[policy]", "[zones]\n[policy]", "region.toml, zones", "unknown", "Remove it, or use one of"),
        ("[policy]", '[layers]\ncells = "../a.parquet"\n[policy]', "region.toml, layers.cells", "found", "written as"),
        ("[policy]", "[layers]\nroad = 1\n[policy]", "region.toml, layers.road", "unknown", "'roads'"),
        ("[policy]", "[groups]\nworkers_min = 1\n[policy]", "region.toml, groups.workers_min", "unknown", "workers"),
        ("[policy]", "[parameters.a.b]\nvalue = 1\n[policy]", "region.toml, parameters.a.b", "unknown", "in quotes"),
        (
            "[policy]",
            '[parameters."a.b"]\nvalue = 1\n[policy]',
            "region.toml, parameters.a.b.unit",
            "missing",
            "'unit'",
        ),
        (
            "[policy]",
            '[parameters."a.b"]\nvalue = 1\nunit = "m"\nlow = 2\n[policy]',
            "region.toml, parameters.a.b",
            "1 is not within 2 to 1",
            "Mend",
        ),
    ],
)
def test_a_mistake_is_named_with_its_place_and_remedy(
    old: str, new: str, place: str, message: str, remedy: str
) -> None:
    assert old in MINIMAL
    faults = faults_of(MINIMAL.replace(old, new))
    fitting = [f for f in faults if f.layer == place and re.search(message, f.message) and remedy in f.remedy]
    assert fitting, "\n".join(map(str, faults))


def test_mistakes_of_every_part_are_listed_together() -> None:
    text = MINIMAL.replace("title_zh", "titel_zh").replace("[1e6, 2000000]", "[1e6]").replace("32651", "4326")
    places = [fault.layer for fault in faults_of(text)]
    assert places == [
        "region.toml, title_zh",
        "region.toml, titel_zh",
        "region.toml, policy.budget",
        "region.toml, crs",
    ]


def test_files_that_cannot_be_read_are_faults(tmp_path: Path) -> None:
    path = tmp_path / "region.toml"
    with pytest.raises(RegionError, match="there is no"):
        read_config(path)
    path.write_bytes(b"name = '\xff'")
    with pytest.raises(RegionError, match="not UTF-8"):
        read_config(path)
    with pytest.raises(RegionError, match="cannot be read"):
        read_config(tmp_path)
    assert salvage(path)[1] == ""


def test_the_sound_parts_of_a_faulty_file_are_saved(tmp_path: Path) -> None:
    path = tmp_path / "region.toml"
    path.write_text(MINIMAL.replace("format = 1", '[layers]\ncells = "c.parquet"').replace("[layers]", "x=1"), "utf-8")
    assert salvage(path) == (parse_config(MINIMAL).layers, "EPSG:32651")


def test_overrides_take_their_value_as_range_unless_one_is_given() -> None:
    table = '[parameters."a.b"]\nvalue = 2\nunit = "m"\n[parameters."a.c"]\nvalue = 3\nunit = "m"\nlow = 1\nhigh = 4\n'
    found = overrides(parse_config(MINIMAL + table))
    assert (found["a.b"].low, found["a.b"].high, found["a.b"].status) == (2.0, 2.0, "assumption")
    assert (found["a.c"].low, found["a.c"].high) == (1.0, 4.0)


def test_crs_faults() -> None:
    assert crs_fault("EPSG:32650") == ""
    assert "degrees" in crs_fault("EPSG:4326") or "not projected" in crs_fault("EPSG:4326")


floors = st.builds(
    Floor, st.sampled_from((*GROUPS, "all")), st.sampled_from(SERVICE_NAMES), st.just(2026), st.floats(0, 1)
)


@given(
    title=st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    budget=st.floats(1, 1e12),
    ahead=st.floats(0, 2),
    asked=st.lists(floors, max_size=3),
)
def test_a_dumped_config_reads_back_equal(title: str, budget: float, ahead: float, asked: list[Floor]) -> None:
    region, _ = TINY
    wanted = Policy((2026,), (budget,), build_ahead=ahead, floors=tuple(asked))
    config = tiny_config(region, wanted).model_copy(update={"title_en": title})
    back: RegionConfig = parse_config(dump_config(config))
    assert back == config
    assert policy(back) == wanted


TINY: tuple[Region, Policy] = tiny_region(1)
