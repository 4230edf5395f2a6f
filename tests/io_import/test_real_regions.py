"""The built-in region as shipped, its compilation, and the import of Porto Alegre."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest

from xinji.core.vocabulary import GROUPS
from xinji.io.check import check
from xinji.io.import_roads import COLUMNS
from xinji.io.importing import import_region
from xinji.io.region import built_in

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def xinwu() -> Path:
    return built_in()["xinwu"]


def test_xinwu_is_sound_and_small(xinwu: Path) -> None:
    report = check(xinwu)
    assert report.faults == ()
    assert report.warnings == ()
    assert sum(file.stat().st_size for file in xinwu.iterdir()) <= 2_000_000
    assert (xinwu / "SOURCES.md").is_file()


def test_xinwu_holds_the_census_and_the_whole_district(xinwu: Path) -> None:
    cells = gpd.read_parquet(xinwu / "cells.parquet")
    boundary = gpd.read_parquet(xinwu / "boundary.parquet")
    assert len(cells) == 3_999
    assert cells["residents"].sum() == pytest.approx(720_215, abs=1)
    # Employed 64.5 % of those above 15, manufacturing 44.4 % of them (census of 2020).
    assert 0.8 < cells["workers"].sum() / (720_215 * 0.645 * 0.444) < 1.0
    assert cells.geometry.area.sum() == pytest.approx(236.46e6, rel=1e-3)
    assert boundary.geometry.area.sum() == pytest.approx(cells.geometry.area.sum(), rel=1e-3)
    assert set(cells["group"]) == set(GROUPS)
    industrial = cells[cells["group"] == "industrial_cluster"]
    assert industrial["industrial_area_m2"].sum() > 0.9 * cells["industrial_area_m2"].sum()


def test_assumed_facilities_say_so(xinwu: Path) -> None:
    facilities = gpd.read_parquet(xinwu / "facilities.parquet")
    assert facilities["source"].str.startswith("assumed: ").all()
    boundary = gpd.read_parquet(xinwu / "boundary.parquet").geometry.iloc[0]
    assert facilities.geometry.within(boundary).all()


def test_xinwu_compiles_to_what_is_shipped(xinwu: Path, shared: Path, tmp_path: Path) -> None:
    mapping = ROOT / "scripts" / "xinwu.toml"
    import_region(mapping, tmp_path / "xinwu", data_dir=shared / "regions" / "wuxi_xinwu")
    for layer in ("cells", "roads", "facilities", "boundary", "no_build", "water"):
        made, shipped = (gpd.read_parquet(folder / f"{layer}.parquet") for folder in (tmp_path / "xinwu", xinwu))
        assert list(made.columns) == list(shipped.columns)
        assert made.geometry.geom_equals_exact(shipped.geometry, tolerance=0.01).all()
        for column in set(made.columns) - {"geometry"}:
            assert np.array_equal(made[column], shipped[column]), (layer, column)


def test_the_road_graph_of_xinwu_keeps_nearly_all_drivable_road(xinwu: Path, shared: Path) -> None:
    roads = gpd.read_parquet(shared / "regions" / "wuxi_xinwu" / "roads_osm.parquet")
    drop = {word for word, ours in COLUMNS["road_class"].known.items() if ours == "drop"}
    drivable_m = roads[~roads["highway"].isin(drop)].to_crs("EPSG:32650").length.sum()
    kept_m = gpd.read_parquet(xinwu / "roads.parquet")["length_m"].sum()
    assert 0.97 < kept_m / drivable_m <= 1.0


def test_porto_alegre_goes_through(shared: Path, tmp_path: Path) -> None:
    mapping = ROOT / "examples" / "porto_alegre" / "region.toml"
    made = import_region(mapping, tmp_path / "poa", data_dir=shared / "regions" / "porto_alegre")
    assert check(tmp_path / "poa").faults == ()
    assert (made.cells, made.residents, made.workers) == (1_227, 812_935.0, 337_921.0)
    assert made.facilities["fibre_pop"] == 8
    assert made.road_graph.dropped_share < 0.03


def test_the_script_says_what_is_missing(tmp_path: Path) -> None:
    script = ROOT / "scripts" / "compile_xinwu.py"
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, script, tmp_path], capture_output=True, text=True, check=False, encoding="utf-8"
    )
    assert done.returncode != 0
    assert "there is no file" in done.stderr
