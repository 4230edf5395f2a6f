"""Mappings and sources that an import refuses."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pytest
import rasterio

from cli.command_line import call, listing
from io_import.town_sources import write_sources

Spoil = Callable[[Path], object]


def cut(name: str, share: float = 0.5) -> Spoil:
    def spoil(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: int(len(content) * share)])

    return spoil


def swap(old: str, new: str) -> Spoil:
    def spoil(folder: Path) -> None:
        path = folder / "region.toml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return spoil


def change(name: str, edit: Callable[[gpd.GeoDataFrame], gpd.GeoDataFrame]) -> Spoil:
    def spoil(folder: Path) -> None:
        frame = gpd.read_parquet(folder / name) if name.endswith("parquet") else gpd.read_file(folder / name)
        changed = edit(frame)
        (folder / name).unlink()
        changed.to_parquet(folder / name) if name.endswith("parquet") else changed.to_file(folder / name)

    return spoil


def no_mapping(folder: Path) -> None:
    path = folder / "region.toml"
    path.write_text(path.read_text(encoding="utf-8").partition("[import]")[0], encoding="utf-8")


def pbf(folder: Path) -> None:
    """Take the roads from a file that is no PBF."""
    (folder / "map.osm.pbf").write_bytes(b"\x00\x00\x00\x0d\x0a\x09OSMHeader" + b"\x18" * 40)
    swap('file = "roads.zip"\nencoding = "GBK"\n', 'file = "map.osm.pbf"\nlayer = "roads"\n')(folder)


def far_terrain(folder: Path) -> None:
    with rasterio.open(folder / "dem.tif") as source:
        values, profile = source.read(), {**source.profile, "transform": rasterio.Affine(25, 0, 9e5, 0, -25, 4e6)}
    with rasterio.open(folder / "dem.tif", "w", **profile) as target:
        target.write(values)


CASES: tuple[tuple[str, Spoil, str], ...] = (
    ("no mapping", no_mapping, r"region\.toml, import: the table is missing\. Add"),
    ("unknown key", swap("margin_m", "margins"), r"import\.margins: the key is unknown\. Did you mean 'margin_m'"),
    ("no file", lambda folder: (folder / "firms.csv").unlink(), r"import\.cells\.counts\.1: .*firms\.csv"),
    ("geopackage cut", cut("census.gpkg", 0.3), r"import\.cells\.counts\.0: .*census\.gpkg"),
    ("shapefile cut", cut("roads.zip"), r"import\.roads\.0: .*roads\.zip"),
    ("geojson cut", cut("boundary.geojson"), r"import\.boundary: .*boundary\.geojson"),
    ("parquet cut", cut("rooms.parquet"), r"import\.facilities\.0: .*rooms\.parquet"),
    ("raster cut", cut("dem.tif", 0.2), r"import\.terrain\.raster: dem\.tif"),
    ("no PBF", pbf, r"import\.roads\.0: .*map\.osm\.pbf"),
    ("no such layer", swap('layer = "blocks"', 'layer = "block"'), r"import\.cells\.counts\.0: .*blocks"),
    ("no such column", swap('"people"', '"peoples"'), r"import\.cells\.counts\.0: .*peoples"),
    ("unknown word", swap('room = "server_room"', 'room = "room"'), r"import\.facilities\.0"),
    ("terrain elsewhere", far_terrain, r"import\.terrain"),
    ("empty layer", change("boundary.geojson", lambda f: gpd.GeoDataFrame(f.iloc[:0])), r"import\.boundary"),
    ("policy too", swap("[2026, 2027]", "[2027, 2026]"), r"policy\.years: years are \(2027, 2026\)"),
)


@pytest.mark.parametrize(("name", "spoil", "told"), CASES, ids=[case[0] for case in CASES])
def test_a_wrong_import_is_refused(
    name: str, spoil: Spoil, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    del name
    write_sources(tmp_path)
    spoil(tmp_path)
    before = listing(tmp_path)
    answer = call(capsys, "import", tmp_path, "--out", tmp_path / "deep" / "town")
    assert answer.status == 2
    lines = [line for line in answer.err.splitlines() if line.startswith("xinji: ")]
    assert any(re.search(told, line) and re.search(r"[.] \S.{7,}[.?]?$", line) for line in lines), answer.err
    assert "Traceback" not in answer.err
    assert listing(tmp_path) == before


def test_an_import_needs_a_source(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = call(capsys, "import", tmp_path / "none", "--out", tmp_path / "town")
    assert answer.status == 2
    assert re.search(r"none: there is no such file or folder\. Write one with `xinji new`", answer.err)
    assert listing(tmp_path) == {}


def test_an_import_keeps_what_is_in_the_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_sources(tmp_path)
    (tmp_path / "town").mkdir()
    (tmp_path / "town" / "mine.txt").write_text("mine", encoding="utf-8")
    before = listing(tmp_path)
    answer = call(capsys, "import", tmp_path, "--out", tmp_path / "town")
    assert answer.status == 2
    assert re.search(r"the folder is not empty and holds no region\.toml", answer.err)
    assert listing(tmp_path) == before
    assert call(capsys, "import", tmp_path, "--out", tmp_path / "town", "--overwrite").status == 0
