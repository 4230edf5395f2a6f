"""Whole imports: every format at once, totals kept, all faults told, nothing half-written."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely

from io_import.town_sources import HEAD, MAPPING, SOUTH, WEST, write_sources
from xinji.core.vocabulary import GROUPS, LAND_USES
from xinji.errors import OutputError, RegionError
from xinji.io.check import check
from xinji.io.config import read_config
from xinji.io.importing import NOTE_FILE, import_region


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    folder = tmp_path / "sources"
    folder.mkdir()
    return write_sources(folder)


def told(mapping: Path, text: str) -> list[str]:
    """Import with ``text`` for a mapping and return the faults, each as it is printed."""
    mapping.write_text(text, encoding="utf-8")
    with pytest.raises(RegionError) as caught:
        import_region(mapping, mapping.parent / "out")
    assert not (mapping.parent / "out").exists()
    assert not list(mapping.parent.glob(".xinji-*"))
    return [str(fault) for fault in caught.value.faults]


def test_every_format_makes_one_sound_region(mapping: Path, tmp_path: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    made = import_region(mapping, tmp_path / "town", progress=lambda *step: steps.append(step))
    assert check(tmp_path / "town").faults == ()
    assert [step[1] for step in steps] == list(range(1, steps[-1][2] + 1))
    assert (made.cells, made.road_edges, made.road_nodes) == (32, 4, 5)
    assert made.residents == pytest.approx(8_777)
    assert made.workers == pytest.approx(1_234)
    assert dict(made.facilities) == {"radio_site": 2, "fibre_pop": 1, "server_room": 1, "data_centre": 0}
    cells = gpd.read_parquet(tmp_path / "town" / "cells.parquet")
    assert cells.geometry.area.sum() == pytest.approx(2e6)
    # 750 m x 750 m of industry, on pixels that fit it; nothing but the road's pixels is taken off.
    assert cells["industrial_area_m2"].sum() == pytest.approx(562_500 - 15 * 2_500, abs=15 * 2_500)
    assert set(cells["group"]) == set(GROUPS)
    roads = gpd.read_parquet(tmp_path / "town" / "roads.parquet")
    assert set(roads["id"]) == {"新华路-0", "新华路-1", "人民路-0", "人民路-1"}
    assert roads["length_m"].sum() == pytest.approx(3_000, abs=0.1)
    with rasterio.open(tmp_path / "town" / "terrain.tif") as terrain:
        assert set(np.unique(terrain.read(1))) <= {3.0, 20.0}
        assert terrain.bounds[0] <= WEST - 100
    with rasterio.open(tmp_path / "town" / "clutter.tif") as clutter:
        uses = [LAND_USES[code] for (code,) in clutter.sample([(WEST + 500, SOUTH + 700), (WEST + 225, SOUTH + 225)])]
    assert uses == ["water", "residential"]


def test_the_folder_made_says_how(mapping: Path, tmp_path: Path) -> None:
    made = import_region(mapping, tmp_path / "town", notes={"SOURCES.md": "ours\n"})
    assert read_config(tmp_path / "town" / "region.toml").import_ == {}
    note = (tmp_path / "town" / NOTE_FILE).read_text(encoding="utf-8")
    assert "[import.cells]" in note
    assert all(said in note for said in made.notes)
    assert any("1 of 3 rows" in said for said in made.notes)
    assert any("filled with 3.0" in said for said in made.notes)
    assert (tmp_path / "town" / "SOURCES.md").read_text(encoding="utf-8") == "ours\n"
    assert made.bytes == sum(file.stat().st_size for file in (tmp_path / "town").iterdir())


def test_an_import_is_the_same_every_time(mapping: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        import_region(mapping.parent, tmp_path / name, data_dir=mapping.parent)
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes(), file.name


def test_all_faults_of_all_sources_come_at_once(mapping: Path) -> None:
    text = (HEAD + MAPPING).replace("census.gpkg", "sensus.gpkg").replace('"staff"', '"stuff"')
    text = text.replace('"主干道" = "primary", ', "").replace('room = "server_room"', 'room = "serverroom"')
    text = text.replace('"dem.tif"', '"dam.tif"').replace('"M" = "industrial"', '"M" = "industry"')
    faults = told(mapping, text)
    expected = [
        ("import.cells.counts.0", "there is no file", "Mend `file`"),
        ("import.cells.counts.1", "has no column 'stuff'", "Did you mean 'staff'?"),
        ("import.roads.0", "'主干道' (1)", "Translate them under translate.road_class"),
        ("import.facilities.0", "'serverroom' (1)", "server_room"),
        ("import.terrain.raster", "there is no file", "Mend `file`"),
        ("import.clutter.polygons.0", "'industry' (1)", "industrial"),
    ]
    for parts in expected:
        assert any(all(part in fault for part in parts) for fault in faults), (parts, faults)


def test_faults_of_settings_and_mapping_come_at_once(mapping: Path) -> None:
    text = (HEAD + MAPPING).replace('profile = "cn"', 'profile = "xx"').replace("cell_m = 250.0", "cel_m = 250.0")
    faults = told(mapping, text)
    assert any("profile" in fault for fault in faults)
    assert any("import.cells.cel_m: the key is unknown. Did you mean 'cell_m'?" in fault for fault in faults)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('crs = "EPSG:32650"\ncolumns', "columns", "names no CRS"),
        ('layer = "blocks"\n', "", "blocks, wards; name one with `layer`"),
        ('layer = "blocks"', 'layer = "blocs"', "it holds no layer 'blocs'"),
        ('encoding = "GBK"', 'encoding = "UTF-8"', "cannot be read"),
        ('x = "lng"', 'x = "lon"', "it has no column lon"),
        ("fill_nodata_m = 3.0", "", "of the terrain's pixels have no height"),
        ('file = "uses.geojson"\n', 'file = "uses.geojson"\nwhere = { class = "Z" }\n', "`where` keeps no row"),
        ('file = "uses.geojson"\n', 'file = "uses.geojson"\nwhere = { klass = "R" }\n', "no column 'klass' (in where)"),
        ('file = "pond.geojson"\nbuffer', 'file = "pond.geojson"\ncrs = "EPSG:32650"\nbuffer', "the mapping says"),
        ('constants = { source = "survey 2025" }', "", "the column 'source' is not mapped"),
        ('columns = { kind = "what"', 'columns = { colour = "what", kind = "what"', "'colour' is no column"),
        ('file = "boundary.geojson"', 'file = "firms.csv"\nx = "lng"', "not all of it are polygons"),
        ('rule = "spread"', 'rule = "beside"', "takes of, and not count"),
        ("count = 2", "count = 99", "99 are to be spread over"),
        ('file = "rooms.parquet"', 'file = "dem.tif"', "cannot be read"),
    ],
)
def test_each_fault_names_place_and_remedy(mapping: Path, old: str, new: str, expected: str) -> None:
    whole = HEAD + MAPPING
    assert old in whole
    faults = told(mapping, whole.replace(old, new, 1))
    assert any(expected in fault for fault in faults), faults


def test_people_outside_the_cells_are_told_unless_allowed(mapping: Path, tmp_path: Path) -> None:
    lines = (mapping.parent / "firms.csv").read_text(encoding="utf-8").splitlines()
    (mapping.parent / "firms.csv").write_text("\n".join([*lines, "10.0,31.0,66"]), encoding="utf-8")
    faults = told(mapping, HEAD + MAPPING)
    assert any("66 of 1,300 workers are outside the cells" in fault for fault in faults)
    text = (HEAD + MAPPING).replace('x = "lng"', 'outside_max = 0.1\nx = "lng"')
    mapping.write_text(text, encoding="utf-8")
    made = import_region(mapping, tmp_path / "town")
    assert made.workers == pytest.approx(1_234)
    assert any("66 of 1,300 workers lie outside" in note for note in made.notes)


def test_faults_of_the_outcome_are_those_of_check(mapping: Path) -> None:
    rooms = gpd.read_parquet(mapping.parent / "rooms.parquet")
    rooms.loc[1, "geometry"] = shapely.Point(WEST + 90_000, SOUTH)
    rooms.to_parquet(mapping.parent / "rooms.parquet")
    faults = told(mapping, HEAD + MAPPING)
    assert any(fault.startswith("facilities, row 1") for fault in faults), faults


def test_a_strange_folder_is_not_overwritten(mapping: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(OutputError, match="not empty"):
        import_region(mapping, tmp_path / "mine")
    assert [file.name for file in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_an_interrupt_leaves_nothing(mapping: Path, tmp_path: Path) -> None:
    def stop(step: str, _number: int, _count: int) -> None:
        if step == "write":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_region(mapping, tmp_path / "town", progress=stop)
    assert not (tmp_path / "town").exists()


def test_without_an_import_table_the_remedy_is_told(mapping: Path) -> None:
    faults = told(mapping, HEAD)
    assert len(faults) == 1
    assert "import: the table is missing" in faults[0]


def test_a_missing_mapping_is_told(tmp_path: Path) -> None:
    with pytest.raises(RegionError, match="there is no"):
        import_region(tmp_path, tmp_path / "out")
