"""`xinji coverage` from a region to its files: transmitters, store, maps, statistics, refusals."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio

from cli.command_line import call, listing
from coverage_verb.conftest import QUICK, SETTINGS
from support.tiny import tiny_config, tiny_region
from xinji.core.grid import Raster
from xinji.core.radio import LossMap, Sectors
from xinji.io.cog import Band, write_cog
from xinji.io.config import dump_config
from xinji.io.region import read, write
from xinji.io.sectors_file import read_sectors, write_sectors
from xinji.plan.radio.service_quality import LAYERS
from xinji.workflow import coverage
from xinji.workflow.cluster import Task, alone
from xinji.workflow.coverage import cover
from xinji.workflow.coverage_run import CoverageRun, CoverageSettings
from xinji.workflow.planning import PlanRun
from xinji.workflow.transmitters import Choice


def raster(run: CoverageRun, name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    with rasterio.open(run.files[name]) as source:
        values: np.ndarray[tuple[int, ...], np.dtype[np.float32]] = source.read(1)
    return values


def test_existing_sites_radiate_with_the_registry_sectors(covered: CoverageRun, small_sectors: Sectors) -> None:
    region = covered.transmitters.region
    sites = [k for k in region.facilities.of_kind("radio_site").tolist() if region.facilities.bands[k]]
    assert set(small_sectors.site.tolist()) == {f"S-{region.facilities.id[k]}" for k in sites}
    assert covered.bands == (700, 2600)
    assert len(small_sectors) == 3 * len(sites)
    for k in sites:
        mine = small_sectors.site == f"S-{region.facilities.id[k]}"
        assert small_sectors.azimuth_deg[mine].tolist() == [0.0, 120.0, 240.0]
        assert set(small_sectors.height_m[mine].tolist()) == {float(region.facilities.height_m[k])}
    assert covered.computed == len(sites)
    assert covered.kept == 0


def test_every_map_is_there_and_opens_where_the_region_lies(covered: CoverageRun) -> None:
    grid = covered.ground.surface.grid
    for mhz in covered.bands:
        for name in (*LAYERS, "server"):
            with rasterio.open(covered.files[f"{name}_{mhz}.tif"]) as source:
                assert source.crs.to_string() == grid.crs
                assert (source.height, source.width) == (grid.rows, grid.columns)
                assert (source.transform.c, source.transform.f, source.transform.a) == (grid.west_m, grid.north_m, 25.0)
                assert source.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
                assert source.descriptions[0].endswith(f"{mhz} MHz" if name != "server" else "number in servers.csv")
                assert "Synthetic data" in source.tags()["SOURCE"]
        assert covered.files[f"rsrp_{mhz}.png"].read_bytes()[:4] == b"\x89PNG"


def test_the_best_server_is_a_row_of_the_table(covered: CoverageRun) -> None:
    with covered.files["servers.csv"].open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for mhz in covered.bands:
        numbers = np.unique(raster(covered, f"server_{mhz}.tif")).tolist()
        assert {rows[number]["band_mhz"] for number in numbers if number >= 0} == {str(mhz)}
    assert [row["id"] for row in rows] == covered.transmitters.sectors.id.tolist()
    listed = read_sectors(covered.files["sectors.gpkg"], covered.ground.about.crs)
    assert listed.id.tolist() == [row["id"] for row in rows]
    assert all(0 <= float(row["load"]) <= 1 for row in rows)


def test_statistics_are_those_of_the_rasters(covered: CoverageRun) -> None:
    read_value = covered.transmitters.region.parameters.value
    least = {"outdoor": "outdoor", "residential": "indoor", "industrial": "indoor"}
    by = {(one.band, one.place, one.part, one.subject): one for one in covered.shares}
    grid, cells = covered.ground.surface.grid, covered.transmitters.region.cells
    best: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.bool_]]] = {}
    for mhz in covered.bands:
        for place, where in least.items():
            target = read_value(f"radio.coverage_probability_min.{where}", "share")
            # The file keeps steps of 1/256; a place within one of the target may fall on either side.
            chance = raster(covered, f"{place}_probability_{mhz}.tif")
            best[place] = best.get(place, np.zeros(chance.shape, dtype=bool)) | (chance >= target)
            found = sum(
                float((chance[np.ix_(rows(grid, y), columns(grid, x))] >= target).mean()) * float(people)
                for x, y, people in zip(cells.x_m, cells.y_m, cells.residents, strict=True)
            )
            one = by[str(mhz), place, "all", "residents"]
            assert one.total == cells.residents.sum()
            assert one.covered == pytest.approx(found, rel=0.02)
    for place in least:
        assert by["any", place, "all", "area_km2"].covered >= by["700", place, "all", "area_km2"].covered


def rows(grid: object, y: float) -> list[int]:
    top = round((grid.north_m - y - 125.0) / 25.0)  # type: ignore[attr-defined]  # a Grid
    return list(range(top, top + 10))


def columns(grid: object, x: float) -> list[int]:
    left = round((x - 125.0 - grid.west_m) / 25.0)  # type: ignore[attr-defined]  # a Grid
    return list(range(left, left + 10))


def test_the_command_prints_one_object_and_computes_nothing_twice(
    small_region: Path, covered: CoverageRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, out = covered.ground.store, tmp_path / "deep" / "again"
    answer = call(capsys, "coverage", small_region, "--out", out, "--store", store, "--json", *QUICK)
    assert answer.status == 0, answer.err
    made = json.loads(answer.out)
    assert made["maps"] == {"computed": 0, "kept": covered.computed}
    assert made["bands_mhz"] == [700, 2600]
    assert "covered share of" in answer.err
    first = {path.name for path in covered.files.values()}
    assert {Path(path).name for path in made["files"].values()} == first == {path.name for path in out.iterdir()}
    for name in sorted(first - {"coverage.json"}):
        assert (out / name).read_bytes() == covered.files[name].read_bytes() or name == "sectors.gpkg", name
    assert list(tmp_path.rglob(".*")) == []


@pytest.mark.usefixtures("no_picture")
def test_one_band_alone(small_region: Path, covered: CoverageRun, tmp_path: Path) -> None:
    settings = replace(SETTINGS, choice=Choice(bands=(700,)), store=covered.ground.store, loads="given")
    run = cover(str(small_region), tmp_path / "one", settings=settings, language="en")
    assert run.bands == (700,)
    assert run.loads is None
    assert np.array_equal(raster(run, "rsrp_dbm_700.tif"), raster(covered, "rsrp_dbm_700.tif"), equal_nan=True)


@pytest.mark.usefixtures("no_picture")
def test_an_interrupted_run_goes_on_where_it_stopped(
    small_region: Path, covered: CoverageRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tired(tasks: Iterable[Task]) -> Iterator[LossMap]:
        for number, made in enumerate(alone(tasks)):
            if number == 2:
                raise KeyboardInterrupt
            yield made

    out = tmp_path / "out"
    with monkeypatch.context() as patched:
        patched.setattr(coverage, "crew_of", lambda _settings: tired)
        with pytest.raises(KeyboardInterrupt):
            cover(str(small_region), out, settings=SETTINGS, language="en")
    assert not out.exists()
    run = cover(str(small_region), out, settings=SETTINGS, language="en")
    assert (run.computed, run.kept) == (covered.computed - 2, 2)
    assert np.array_equal(raster(run, "sinr_db_2600.tif"), raster(covered, "sinr_db_2600.tif"), equal_nan=True)


@pytest.mark.usefixtures("no_picture")
def test_a_list_of_sectors_is_the_same_network(
    small_region: Path, sector_list: Path, covered: CoverageRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "listed"
    asked = ("--sectors", sector_list, "--out", out, "--store", covered.ground.store, *QUICK)
    assert call(capsys, "coverage", small_region, *asked).status == 0
    for name in ("rsrp_dbm_700.tif", "server_2600.tif"):
        assert (out / name).read_bytes() == covered.files[name].read_bytes()
    kept = json.loads((out / "coverage.json").read_text("utf-8"))
    assert kept["loads"] == {"from": "given", "mean": pytest.approx(0.7)}
    assert kept["maps"]["computed"] == 0


@pytest.mark.usefixtures("no_picture")
def test_coverage_of_another_tool_takes_the_place_of_ours(
    small_region: Path, covered: CoverageRun, small_sectors: Sectors, tmp_path: Path
) -> None:
    grid = covered.ground.surface.grid
    theirs = np.full((grid.rows, grid.columns), np.nan, dtype=np.float32)
    theirs[40:60, 30:70] = -50.0
    write_cog(tmp_path / "theirs.tif", [Band(Raster(grid, theirs), "level", "dBm")])
    name = str(small_sectors.id[small_sectors.band_mhz == 700][1])
    table = tmp_path / "foreign.csv"
    table.write_text(f"sector,file,band_mhz\n{name},theirs.tif,700\n", encoding="utf-8")
    settings = replace(SETTINGS, store=covered.ground.store, foreign=table)
    run = cover(str(small_region), tmp_path / "out", settings=settings, language="en")
    number = small_sectors.id.tolist().index(name)
    server, level = raster(run, "server_700.tif"), raster(run, "rsrp_dbm_700.tif")
    assert (server[45:55, 35:65] == number).mean() > 0.9
    assert np.allclose(level[server == number], -50.0, atol=0.01)
    assert (server[~np.isfinite(theirs)] != number).all()


@pytest.mark.usefixtures("no_picture")
def test_a_plan_covers_more_each_year(small_plan: Path, small_run: PlanRun, small_region: Path, tmp_path: Path) -> None:
    years = small_run.study.policy.years
    first, last = (
        cover(
            str(small_region),
            tmp_path / f"{year}",
            settings=replace(
                SETTINGS, choice=Choice(plan=small_plan, year=year, bands=(700,)), store=tmp_path / "store"
            ),
            language="en",
        )
        for year in (years[0], 0)
    )
    sites, more = (set(run.transmitters.sectors.id.tolist()) for run in (first, last))
    assert sites < more
    study = small_run.study
    radio = [offer.technology for offer in study.offers].index("radio")
    ids = study.problem.option_id[study.option_offer == radio]
    built = {str(name) for name in ids[study.plan.stage[study.option_offer == radio] >= 0].tolist()}
    carriers = {name for name in built if name.endswith("-700")}
    assert {name.rpartition("-")[0] for name in more} == carriers
    assert last.computed + last.kept >= first.computed


def test_nothing_radiates(small_region: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    region, policy = tiny_region(1)
    silent = replace(region.facilities, bands=np.full(len(region.facilities), "", dtype=np.str_))
    write(tmp_path / "tiny", replace(region, facilities=silent), dump_config(tiny_config(region, policy)))
    dark = call(capsys, "coverage", tmp_path / "tiny", "--out", tmp_path / "out")
    assert dark.status == 2
    assert "nothing radiates: no radio site has a band in use" in dark.err
    assert "--plan DIR" in dark.err
    assert "--sectors FILE" in dark.err
    other = call(capsys, "coverage", small_region, "--bands", "3500", "--out", tmp_path / "out")
    assert "no sector radiates at 3500 MHz. Bands there are: 700, 2600 MHz." in other.err
    assert [path.name for path in tmp_path.iterdir()] == ["tiny"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--stage", "2027"), "a year is given without a plan"),
        (("--plan", "nowhere"), "there is no such folder"),
        (("--plan", "p", "--sectors", "s"), "a plan and a list of sectors are given"),
        (("--antennas", "nowhere"), "there is no such folder"),
        (("--radius", "10"), "radius is 10 m"),
        (("--terminal-height", "0.2"), "terminal height is 0.2 m"),
        (("--time-percent", "80"), "time_percent is 80"),
        (("--bands", "7OO"), "expected bands in MHz"),
        (("--radius", "inf"), "expected a number above 0"),
    ],
)
def test_wishes_that_make_no_sense(
    small_region: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    message: str,
) -> None:
    answer = call(capsys, "coverage", small_region, "--out", tmp_path / "out", "--workers", "1", *arguments)
    assert answer.status == 2
    assert message in answer.err
    assert not (tmp_path / "out").exists()


def test_all_sites_off_the_terrain_are_named(
    small_region: Path, small_sectors: Sectors, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    away = replace(small_sectors, x_m=small_sectors.x_m + 50_000.0)
    write_sectors(tmp_path / "away.csv", away, read(small_region)[0].crs)
    answer = call(capsys, "coverage", small_region, "--sectors", tmp_path / "away.csv", "--out", tmp_path / "out")
    assert answer.status == 2
    assert answer.err.count("off the region's terrain") == len(set(small_sectors.site.tolist()))


@pytest.mark.usefixtures("no_picture")
def test_foreign_folders_are_left_alone(
    small_region: Path, covered: CoverageRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "thesis.txt").write_text("x", encoding="utf-8")
    ours = tmp_path / "ours"
    shutil.copytree(covered.files["coverage.json"].parent, ours)
    (ours / "notes.txt").write_text("x", encoding="utf-8")
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "coverage.json").write_text("{", encoding="utf-8")
    before = listing(tmp_path)
    for folder, message in ((full, "was not written by"), (ours, "(notes.txt)"), (damaged, "the file is damaged")):
        answer = call(capsys, "coverage", small_region, "--out", folder, "--store", covered.ground.store, *QUICK)
        assert answer.status == 2
        assert message in answer.err
    assert listing(tmp_path) == before
    (ours / "notes.txt").unlink()
    again = ("--out", ours, "--store", covered.ground.store, "--loads", "given", "--bands", "700", *QUICK)
    assert call(capsys, "coverage", small_region, *again).status == 0
    kept = json.loads((ours / "coverage.json").read_text("utf-8"))["files"]
    assert {path.name for path in ours.iterdir()} == {*kept, "coverage.json"}


def test_a_store_of_another_ground_is_refused(
    small_region: Path, covered: CoverageRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("--out", tmp_path / "out", "--store", covered.ground.store, "--terminal-height", "3", *QUICK)
    answer = call(capsys, "coverage", small_region, *asked)
    assert answer.status == 2
    assert "another terminal height" in answer.err
    default = coverage.ground_of(covered.transmitters, CoverageSettings(terminal_m=3.0), tmp_path / "x")
    assert default.store.name != coverage.ground_of(covered.transmitters, CoverageSettings(), tmp_path / "x").store.name


@pytest.mark.parametrize("verb", ["coverage", "calibrate", "validate"])
def test_help_has_examples_and_exit_statuses(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    answer = call(capsys, verb, "--help")
    assert answer.status == 0
    assert f"examples:\n  xinji {verb} " in answer.out
    assert "exit status:" in answer.out
    assert ("  1  a case failed" in answer.out) == (verb == "validate")
