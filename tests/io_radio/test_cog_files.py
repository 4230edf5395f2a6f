"""Cloud-optimised GeoTIFFs: the layout that readers over the network need, read straight from the bytes."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import rasterio

from xinji.core.grid import Grid, Raster
from xinji.errors import InputError, OutputError
from xinji.io.cog import STEP, Band, write_cog

GRID = Grid("EPSG:32650", 500_000.0, 3_400_000.0, 25.0, 1_300, 1_100)


def levels(seed: int = 1) -> np.ndarray:
    y, x = np.mgrid[: GRID.rows, : GRID.columns]
    found = -60.0 - 0.05 * np.hypot(y - 600, x - 500) + np.random.default_rng(seed).normal(0.0, 1.0, x.shape)
    found[:100, :100] = np.nan
    return np.asarray(found)


def directories(content: bytes) -> list[dict[int, tuple[int, ...]]]:
    """Return the image file directories of a little-endian classic TIFF (TIFF 6.0, section 2), and where each is."""
    assert content[:4] == b"II*\x00"
    (place,) = struct.unpack_from("<I", content, 4)
    found = []
    while place:
        (count,) = struct.unpack_from("<H", content, place)
        tags: dict[int, tuple[int, ...]] = {0: (place,)}
        for n in range(count):
            tag, kind, length = struct.unpack_from("<HHI", content, place + 2 + 12 * n)
            letter = {3: "H", 4: "I"}.get(kind)
            if letter:
                start = place + 10 + 12 * n
                if length * struct.calcsize(letter) > 4:
                    (start,) = struct.unpack_from("<I", content, start)
                tags[tag] = struct.unpack_from(f"<{length}{letter}", content, start)
        found.append(tags)
        (place,) = struct.unpack_from("<I", content, place + 2 + 12 * count)
    return found


WIDTH, TILE_WIDTH, TILE_OFFSETS = 256, 322, 324


def faults(path: Path) -> list[str]:
    """Return what forbids to call ``path`` cloud-optimised (GDAL's layout: directories first, then small to large)."""
    content = path.read_bytes()
    found = directories(content)
    wrong = []
    if b"LAYOUT=IFDS_BEFORE_DATA" not in content[:200]:
        wrong.append("no layout header")
    if any(TILE_WIDTH not in tags for tags in found):
        wrong.append("not tiled")
    first_tile = [min(tags.get(TILE_OFFSETS, (0,))) for tags in found]
    if max(tags[0][0] for tags in found) > min(first_tile):
        wrong.append("a directory lies behind data")
    widths = [tags[WIDTH][0] for tags in found]
    if len(found) < 2 or widths != sorted(widths, reverse=True):
        wrong.append("no overviews")
    if first_tile != sorted(first_tile, reverse=True):
        wrong.append("overviews lie behind the full size")
    return wrong


def test_the_layout_is_cloud_optimised(tmp_path: Path) -> None:
    path = tmp_path / "rsrp.tif"
    write_cog(path, [Band(Raster(GRID, levels()), "RSRP of the best server", "dBm")], tags={"SOURCE": "test"})
    assert faults(path) == []
    with rasterio.open(path) as source:
        assert source.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert source.overviews(1) == [2, 4]
        assert (source.descriptions, source.units) == (("RSRP of the best server",), ("dBm",))
        assert source.tags()["SOURCE"] == "test"
        assert source.crs == GRID.crs
        assert source.transform[:6] == (25.0, 0.0, 500_000.0, 0.0, -25.0, 3_400_000.0)
        values = source.read(1)
        assert np.isnan(source.nodata)
    assert values.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(values), np.isnan(levels()))
    assert np.nanmax(np.abs(values - levels())) <= STEP / 2 + 1e-5
    assert not list(tmp_path.glob(".xinji-*"))


def test_the_validator_finds_a_plain_tiff(tmp_path: Path) -> None:
    frame = {"driver": "GTiff", "height": 900, "width": 900, "count": 1, "dtype": "uint8"}
    corner = rasterio.Affine(25.0, 0.0, 500_000.0, 0.0, -25.0, 3_400_000.0)
    with rasterio.open(tmp_path / "plain.tif", "w", **frame, crs=GRID.crs, transform=corner) as target:
        target.write(np.ones((900, 900), np.uint8), 1)
    assert {"no layout header", "not tiled", "no overviews"} <= set(faults(tmp_path / "plain.tif"))


def test_rounding_saves_room(tmp_path: Path) -> None:
    for name, step in (("rounded", STEP), ("whole", None)):
        write_cog(tmp_path / name, [Band(Raster(GRID, levels()), "RSRP", "dBm")], step=step)
    assert (tmp_path / "rounded").stat().st_size < 0.7 * (tmp_path / "whole").stat().st_size


def test_several_bands_and_codes(tmp_path: Path) -> None:
    bands = [Band(Raster(GRID, levels(n)), f"site {n}", "dBm") for n in range(2)]
    write_cog(tmp_path / "two.tif", bands)
    codes = np.random.default_rng(1).integers(0, 3, (GRID.rows, GRID.columns), dtype=np.uint8)
    colours = {0: (0, 0, 0, 0), 1: (200, 30, 30, 255), 2: (30, 30, 200, 255)}
    write_cog(tmp_path / "codes.tif", [Band(Raster(GRID, codes), "best band", "")], nodata=0, colormap=colours)
    assert faults(tmp_path / "two.tif") == faults(tmp_path / "codes.tif") == []
    with rasterio.open(tmp_path / "two.tif") as source:
        assert source.descriptions == ("site 0", "site 1")
        assert abs(float(np.nanmax(source.read(2) - levels(1)))) <= STEP
    with rasterio.open(tmp_path / "codes.tif") as source:
        np.testing.assert_array_equal(source.read(1), codes)
        assert source.nodata == 0
        assert {code: source.colormap(1)[code] for code in colours} == colours
        assert set(np.unique(source.read(1, out_shape=(325, 275)))) <= {0, 1, 2}


def test_bands_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    one = Raster(Grid("EPSG:32650", 0.0, 0.0, 25.0, 2, 2), np.zeros((2, 2)))
    two = Raster(Grid("EPSG:32650", 0.0, 0.0, 50.0, 2, 2), np.zeros((2, 2), dtype=np.int64))
    with pytest.raises(InputError) as error:
        write_cog(tmp_path / "a.tif", [Band(one, "", ""), Band(two, "", "")], nodata=0.0, colormap={})
    assert len(error.value.faults) == 4
    with pytest.raises(InputError, match="no band"):
        write_cog(tmp_path / "a.tif", [])
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_refuses_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    small = Raster(Grid("EPSG:32650", 0.0, 0.0, 25.0, 2, 2), np.zeros((2, 2)))
    with pytest.raises(OutputError):
        write_cog(tmp_path / "file" / "a.tif", [Band(small, "", "")])
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
