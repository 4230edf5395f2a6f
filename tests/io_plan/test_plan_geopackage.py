"""The GeoPackage of a plan: layers, styles, and decisions edited and read back."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
from shapely.affinity import translate

from support.study import made_up_study
from xinji.core.offer import FORBIDDEN
from xinji.core.study import Study
from xinji.errors import InputError, OutputError
from xinji.io import plan_geopackage
from xinji.io.plan_decisions import Decisions, read_decisions
from xinji.io.plan_geopackage import write_geopackage
from xinji.io.plan_layers import OPTION_LAYERS
from xinji.show.text import words


@pytest.fixture(scope="module")
def study() -> Study:
    return made_up_study()


@pytest.fixture(scope="module")
def written(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_geopackage(tmp_path_factory.mktemp("gpkg") / "plan.gpkg", study, words=words("zh"))


def decide(path: Path, study: Study) -> Decisions:
    return read_decisions(path, study.offers, study.trenches, study.policy.years)


def edited(path: Path, target: Path, layer: str, change: Callable[[gpd.GeoDataFrame], gpd.GeoDataFrame]) -> Path:
    for name in pyogrio.list_layers(path)[:, 0]:
        frame = pyogrio.read_dataframe(path, layer=name)
        if name == layer:
            frame = change(frame)
        pyogrio.write_dataframe(frame, target, layer=name, driver="GPKG", append=target.exists())
    return target


def test_every_option_is_in_one_layer_under_its_own_id(written: Path, study: Study) -> None:
    here = [name for name in OPTION_LAYERS if name in pyogrio.list_layers(written)[:, 0]]
    ids = np.concatenate([pyogrio.read_dataframe(written, layer=name)["id"].to_numpy() for name in here])
    assert sorted(ids) == sorted(study.problem.option_id)
    assert here == ["sites", "carriers", "gigabit", "edge_nodes"]


def test_layers_say_what_the_plan_says(written: Path, study: Study) -> None:
    sites = pyogrio.read_dataframe(written, layer="sites").set_index("id")
    problem, stage = study.problem, study.plan.stage
    assert sites.crs.to_epsg() == 32650
    for i, name in enumerate(problem.option_id.tolist()):
        if name not in sites.index:
            continue
        year = sites.loc[name, "year_built"]
        wanted = {0: 0, -1: None}.get(int(stage[i]), int(problem.years[stage[i] - 1]))
        assert (wanted is None and np.isnan(year)) or year == wanted
        assert sites.loc[name, "capex"] == problem.capex[i] / 100
        carrier = int(np.flatnonzero(problem.option_id == f"{name}/carrier_700")[0])
        shown = sites.loc[name, "carrier_700_year"]
        assert np.isnan(shown) if stage[carrier] < 0 else shown == problem.years[stage[carrier] - 1]
    trenches = pyogrio.read_dataframe(written, layer="trenches")
    assert trenches["year_built"].notna().sum() == (study.plan.trench_stage >= 0).sum()
    assert np.array_equal(trenches.geometry.length, study.region.roads.length_m)
    cells = pyogrio.read_dataframe(written, layer="cells")
    assert np.allclose(cells["served_gigabit"], study.outcome.cell_served[:, 2, -1], atol=1e-6)
    facts = pyogrio.read_dataframe(written, layer="plan").iloc[0]
    assert facts["fingerprint"] == study.plan.fingerprint
    assert facts["bound"] == study.plan.bound


def test_reasons_are_in_the_language_asked_for(written: Path) -> None:
    reasons = pyogrio.read_dataframe(written, layer="gigabit")["reason"]
    assert set(reasons) <= {text for key, text in words("zh").items() if key.startswith("reason.")}


def test_styles_lie_where_qgis_looks(written: Path) -> None:
    with closing(sqlite3.connect(written)) as database:
        rows = database.execute(
            "SELECT f_table_name, f_geometry_column, styleQML, useAsDefault, f_table_catalog FROM layer_styles"
        ).fetchall()
        kinds = dict(database.execute("SELECT table_name, data_type FROM gpkg_contents"))
        columns = dict(database.execute("SELECT table_name, column_name FROM gpkg_geometry_columns"))
    assert kinds["layer_styles"] == kinds["plan"] == "attributes"
    assert {row[0]: row[1] for row in rows} == columns
    for name, _, document, default, catalogue in rows:
        assert default == 1, name
        assert catalogue == ""
        renderer = ET.fromstring(document[document.index("<qgis") :]).find("renderer-v2")  # noqa: S314 -- our own
        assert renderer is not None
        symbols = {symbol.get("name") for symbol in renderer.iter("symbol")}
        used = {item.get("symbol") for tag in ("category", "range") for item in renderer.iter(tag)}
        assert used == symbols
        assert renderer.get("attr") in pyogrio.read_dataframe(written, layer=name, max_features=1).columns


def test_a_plan_that_nobody_edited_decides_nothing(written: Path, study: Study) -> None:
    assert decide(written, study) == Decisions({}, {})


def test_an_edit_comes_back_under_the_same_ids(written: Path, study: Study, tmp_path: Path) -> None:
    def fix(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        frame.loc[frame["id"] == "site-0005", ["decision", "fixed_year"]] = ["Fixed ", 2028]
        frame.loc[frame["id"] == "site-0007", "decision"] = "forbidden"
        return frame

    found = decide(edited(written, tmp_path / "a.gpkg", "sites", fix), study)
    assert found == Decisions({"site-0005": 3, "site-0007": FORBIDDEN}, {})


def test_what_is_committed_and_forbidden_stays_so_through_the_file(study: Study, tmp_path: Path) -> None:
    built = study.problem.built.copy()
    free = np.flatnonzero(built == -1)[:2]
    built[free] = [2, FORBIDDEN]
    fixed = replace(study, problem=replace(study.problem, built=built))
    path = write_geopackage(tmp_path / "plan.gpkg", fixed, words=words("en"))
    ids = study.problem.option_id[free].tolist()
    assert decide(path, study).options == {ids[0]: 2, ids[1]: FORBIDDEN}


def spoil(row: int, **values: object) -> Callable[[gpd.GeoDataFrame], gpd.GeoDataFrame]:
    def change(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        for column, value in values.items():
            frame[column] = frame[column].astype(object)
            frame.loc[row, column] = value
        return frame

    return change


def moved(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    frame.loc[4, "geometry"] = translate(frame.geometry.iloc[4], xoff=30.0, yoff=40.0)
    return frame


@pytest.mark.parametrize(
    ("layer", "change", "message"),
    [
        ("sites", spoil(4, id="nowhere"), "the id 'nowhere' is unknown"),
        ("sites", spoil(4, id="site-0005"), "the id 'site-0005' is used before"),
        ("sites", spoil(4, decision="maybe"), "the decision of site-0004 is 'maybe'"),
        ("sites", spoil(4, decision=None), "the decision of site-0004 is ''"),
        ("sites", spoil(4, decision="fixed"), "site-0004 is fixed with no fixed_year"),
        ("sites", spoil(4, decision="fixed", fixed_year=2035), "site-0004 is fixed with fixed_year 2035"),
        ("sites", spoil(4, fixed_year=2028), "site-0004 has fixed_year 2028 but is free"),
        ("sites", spoil(0, decision="fixed", fixed_year=2028), "site-0000 exists already and cannot be built"),
        ("sites", spoil(0, decision="forbidden"), "site-0000 exists already and cannot be forbidden"),
        ("trenches", spoil(3, decision="forbidden"), "trench-r00003 is a trench and cannot be forbidden"),
        ("sites", moved, "site-0004 was moved by 50 m"),
        ("sites", spoil(4, geometry=None), "site-0004 has lost its point"),
        ("sites", lambda frame: frame.drop(index=4), "1 of 86 ids are gone from"),
        ("sites", lambda frame: frame.drop(columns="decision"), "column decision is missing"),
    ],
)
def test_every_wrong_edit_is_named(
    written: Path, study: Study, tmp_path: Path, layer: str,
    change: Callable[[gpd.GeoDataFrame], gpd.GeoDataFrame], message: str,
) -> None:  # fmt: skip
    with pytest.raises(InputError) as caught:
        decide(edited(written, tmp_path / "a.gpkg", layer, change), study)
    assert message in str(caught.value)
    assert all(fault.remedy for fault in caught.value.faults)


def test_all_faults_come_at_once(written: Path, study: Study, tmp_path: Path) -> None:
    def change(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        frame = spoil(3, decision="maybe")(frame)
        return moved(spoil(5, id="nowhere")(frame))

    with pytest.raises(InputError) as caught:
        decide(edited(written, tmp_path / "a.gpkg", "sites", change), study)
    assert [fault.row for fault in caught.value.faults] == [3, 5, 4]


@pytest.mark.parametrize(
    ("site", "message"),
    [
        (("forbidden", None), "on which it stands, is forbidden"),
        (("fixed", 2029), "is fixed in 2027, before site-0004"),
    ],
)
def test_a_carrier_needs_its_site(
    written: Path, study: Study, tmp_path: Path, site: tuple[str, int | None], message: str
) -> None:
    def carrier(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        row = frame.index[frame["id"] == "site-0004/carrier_700"][0]
        return spoil(row, decision="fixed", fixed_year=2027)(frame)

    first = edited(written, tmp_path / "a.gpkg", "carriers", carrier)
    second = edited(first, tmp_path / "b.gpkg", "sites", spoil(4, decision=site[0], fixed_year=site[1]))
    with pytest.raises(InputError, match=message):
        decide(second, study)


@pytest.mark.parametrize("content", [None, b"", b"not a GeoPackage at all"])
def test_a_file_that_is_none_is_refused(study: Study, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "plan.gpkg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError):
        decide(path, study)


def test_a_failed_write_leaves_the_old_file(study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "plan.gpkg"
    path.write_text("old")

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(plan_geopackage, "_write_styles", full)
    with pytest.raises(OutputError, match="disk is full"):
        write_geopackage(path, study, words=words("en"))
    assert [entry.name for entry in tmp_path.iterdir()] == ["plan.gpkg"]
    assert path.read_text() == "old"
