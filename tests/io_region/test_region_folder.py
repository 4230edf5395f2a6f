from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import shapely

from support.tiny import tiny_config, tiny_region, write_tiny
from xinji.core.region import Region
from xinji.errors import OutputError, RegionError
from xinji.io import region as folder_module
from xinji.io.config import dump_config
from xinji.io.region import built_in, centres, locate, read, write


def assert_same(one: object, other: object, place: str = "region") -> None:
    if is_dataclass(one):
        assert type(one) is type(other)
        for field in fields(one):
            assert_same(getattr(one, field.name), getattr(other, field.name), f"{place}.{field.name}")
    elif isinstance(one, np.ndarray):
        assert isinstance(other, np.ndarray)
        assert one.dtype.kind == other.dtype.kind, place
        assert np.array_equal(one, other), place
    else:
        assert one == other, place


@pytest.mark.parametrize(("seed", "across"), [(1, 6), (2, 3), (3, 11)])
def test_what_is_written_is_read_back(tmp_path: Path, seed: int, across: int) -> None:
    region, policy = write_tiny(tmp_path / "r", seed, across)
    region_back, policy_back = read(tmp_path / "r")
    # Sums of floats in another order: centroids differ in the last digit.
    assert np.allclose(region_back.cells.x_m, region.cells.x_m, rtol=0, atol=1e-6)
    assert np.allclose(region_back.cells.y_m, region.cells.y_m, rtol=0, atol=1e-6)
    near = replace(region_back.cells, x_m=region.cells.x_m, y_m=region.cells.y_m)
    assert_same(region, replace(region_back, cells=near))
    assert policy_back == policy


def test_writing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_tiny(tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert len(files) == 9
    assert all((tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in files)


def test_overrides_reach_the_registry(tmp_path: Path) -> None:
    region, _ = write_tiny(tmp_path / "r")
    key, entry = next(iter(region.parameters.entries.items()))
    own = f'[parameters."{key}"]\nvalue = {entry.high}\nunit = "{entry.unit}"\nsource = "council"\n'
    with (tmp_path / "r" / "region.toml").open("a", encoding="utf-8") as file:
        file.write(own)
    back, _ = read(tmp_path / "r")
    assert back.parameters.entries[key].source == "council"
    assert back.parameters.value(key, entry.unit) == entry.high


def test_optional_layers_may_be_absent(tmp_path: Path) -> None:
    region, policy = tiny_region(1)
    bare = replace(region, no_build=np.array([], dtype=object), water=np.array([], dtype=object))
    write(tmp_path / "r", bare, dump_config(tiny_config(region, policy)))
    assert not (tmp_path / "r" / "water.parquet").exists()
    back, _ = read(tmp_path / "r")
    assert (len(back.no_build), len(back.water)) == (0, 0)


def test_notes_are_written_too(tmp_path: Path) -> None:
    region, policy = tiny_region(1)
    write(tmp_path / "r", region, dump_config(tiny_config(region, policy)), notes={"SOURCES.md": "# 来源"})
    assert (tmp_path / "r" / "SOURCES.md").read_text(encoding="utf-8") == "# 来源"


def test_a_region_toml_of_another_region_is_refused(tmp_path: Path, tiny: tuple[Region, object]) -> None:
    region, policy = tiny_region(1)
    text = dump_config(tiny_config(region, policy).model_copy(update={"name": "other", "crs": "EPSG:32650"}))
    with pytest.raises(RegionError, match="'other', the region has 'tiny'") as refused:
        write(tmp_path / "r", tiny[0], text)
    assert len(refused.value.faults) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder_module, "_write_raster", full)
    with pytest.raises(OutputError, match="Free some space"):
        write_tiny(tmp_path / "r")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_others_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "letter.txt").write_text("dear")
    with pytest.raises(OutputError, match=r"holds no region\.toml"):
        write_tiny(tmp_path / "r")


def test_regions_are_found_by_name_and_by_path(tmp_path: Path) -> None:
    write_tiny(tmp_path / "r")
    assert locate(tmp_path / "r") == tmp_path / "r"
    assert all(locate(name) == folder for name, folder in built_in().items())
    with pytest.raises(RegionError, match=r"holds no region\.toml.*Built-in regions"):
        locate(tmp_path)
    with pytest.raises(RegionError, match="neither a built-in region nor a folder"):
        locate("atlantis")


def test_a_centre_lies_in_its_cell() -> None:
    crescent = shapely.box(0, 0, 10, 10).difference(shapely.box(1, 1, 10, 9))
    shapes = np.array([shapely.box(0, 0, 2, 2), crescent], dtype=object)
    x_m, y_m = centres(shapes)
    assert (x_m[0], y_m[0]) == (1, 1)
    assert shapely.contains_xy(crescent, x_m[1], y_m[1])
