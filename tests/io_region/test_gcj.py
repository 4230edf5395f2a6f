from __future__ import annotations

import shutil
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest

from support.tiny import CRS, write_tiny
from xinji.io.check import check
from xinji.io.check_gcj import gcj02, shift_m, suspicion

PUBLISHED = (
    # longitude, latitude, GCJ-02 longitude, latitude: the test table of eviltransform
    (121.5272106, 31.1774276, 121.531541859215, 31.17530398364597),
    (113.912316, 22.543847, 113.9171764808363, 22.540796131694766),
    (116.377817, 39.911954, 116.38404722455657, 39.91334545536069),
)


@pytest.mark.parametrize(("longitude", "latitude", "moved_longitude", "moved_latitude"), PUBLISHED)
def test_the_transform_gives_the_published_values(
    longitude: float, latitude: float, moved_longitude: float, moved_latitude: float
) -> None:
    found = gcj02(np.array([longitude]), np.array([latitude]))
    assert found[0][0] == pytest.approx(moved_longitude, abs=1e-9)
    assert found[1][0] == pytest.approx(moved_latitude, abs=1e-9)


def test_the_shift_is_some_hundred_metres_in_china_and_none_elsewhere() -> None:
    east, north = shift_m("EPSG:32650", np.array([600_000.0]), np.array([3_500_000.0]))
    assert 300 < float(np.hypot(east, north)[0]) < 700
    elsewhere = shift_m("EPSG:32722", np.array([480_000.0]), np.array([6_670_000.0]))
    assert not np.any(elsewhere)


def shifted(folder: Path, *layers: str, sign: float = 1.0) -> None:
    for layer in layers:
        path = folder / f"{layer}.parquet"
        frame = gpd.read_parquet(path)
        centre = frame.geometry.union_all().centroid
        east, north = shift_m(CRS, np.array([centre.x]), np.array([centre.y]))
        frame = frame.set_geometry(frame.translate(sign * float(east[0]), sign * float(north[0])))
        frame.to_parquet(path)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gcj") / "r"
    write_tiny(folder, seed=4, cells_across=24)
    return folder


@pytest.fixture
def folder(large: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(large, tmp_path / "r"))


def suspects(folder: Path) -> list[str]:
    report = check(folder)
    return [fault.layer for fault in report.faults if "GCJ-02" in fault.message]


@pytest.mark.parametrize("seed", range(3))
def test_sound_layers_are_not_suspected(tmp_path: Path, seed: int) -> None:
    write_tiny(tmp_path / "r", seed, 16)
    assert suspects(tmp_path / "r") == []


@pytest.mark.parametrize(
    ("layers", "expected"),
    [(["facilities"], "facilities"), (["roads"], "roads"), (["cells"], "cells"), (["cells", "facilities"], "cells")],
)
def test_a_shifted_layer_is_suspected(folder: Path, layers: list[str], expected: str) -> None:
    shifted(folder, *layers)
    assert expected in suspects(folder)


def test_the_same_shift_the_other_way_is_told_apart(folder: Path) -> None:
    shifted(folder, "facilities", sign=-1.0)
    messages = [fault.message for fault in check(folder).faults if "GCJ-02" in fault.message]
    assert len(messages) == 1
    assert "put on" in messages[0]


def test_a_shift_in_another_direction_is_none_of_gcj02(folder: Path) -> None:
    path = folder / "facilities.parquet"
    frame = gpd.read_parquet(path)
    frame.set_geometry(frame.translate(200.0, 450.0)).to_parquet(path)
    assert suspects(folder) == []


def test_a_user_who_has_looked_gets_a_warning_only(folder: Path) -> None:
    shifted(folder, "facilities")
    path = folder / "region.toml"
    path.write_text("gcj02_checked = true\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    report = check(folder)
    assert report.faults == ()
    assert any("GCJ-02" in fault.message for fault in report.warnings)


def test_a_few_points_say_nothing() -> None:
    ones = np.full(15, 300_000.0)
    assert suspicion(CRS, ones, ones, lambda x, _: (x > 299_700.0).astype(np.float64)) == ""
