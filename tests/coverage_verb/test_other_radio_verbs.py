"""`xinji calibrate` and `xinji validate` from the command line; an interrupt says what is kept."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cli.command_line import call
from coverage_verb.conftest import SETTINGS
from xinji.core.radio import Sectors
from xinji.plan.radio.service import links
from xinji.workflow import coverage
from xinji.workflow.coverage import network
from xinji.workflow.coverage_run import CoverageRun
from xinji.workflow.validate_result import Failure, SetResult

OFFSET_DB = 7.0


@pytest.fixture(scope="module")
def drive(small_region: Path, covered: CoverageRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write what a receiver would have measured whose ground loses ``OFFSET_DB`` more than the model says."""
    settings = replace(SETTINGS, store=covered.ground.store)
    _, radiating, scene = network(str(small_region), settings=settings)
    random = np.random.default_rng(4)
    grid, sectors = scene.grid, radiating.sectors
    row, column = random.integers(22, 78, 400), random.integers(22, 78, 400)
    found = links(radiating, scene, (row, column), 700, -200.0)
    lines = ["x_m,y_m,rsrp_dbm,site,band_mhz"]
    for point in np.flatnonzero(np.diff(found.start) > 0).tolist():
        first = found.start[point]
        level = 10 * np.log10(found.rsrp_mw[first]) - OFFSET_DB + random.normal(0.0, 2.0)
        x, y = grid.west_m + (column[point] + 0.5) * grid.cell_m, grid.north_m - (row[point] + 0.5) * grid.cell_m
        lines.append(f"{x},{y},{level:.1f},{sectors.site[found.sector[first]]},700")
    path = tmp_path_factory.mktemp("drive") / "drive.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.usefixtures("no_picture")
def test_calibrate_says_that_two_sites_are_too_few_and_coverage_takes_its_file(
    small_region: Path, covered: CoverageRun, drive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "calibration.toml"
    common = ("--store", covered.ground.store, "--radius", "1500", "--workers", "1")
    answer = call(capsys, "calibrate", small_region, "--measurements", drive, "--out", file, "--json", *common)
    assert answer.status == 0, answer.err
    made = json.loads(answer.out)
    assert not any(one["applied"] for one in made["land_use"].values())
    assert any(one["kind"] == "refused" for one in made["verdicts"])
    overall = next(one for one in made["evidence"] if one["subject"] == "all")
    assert overall["offset_db"] is None or overall["offset_db"] == pytest.approx(OFFSET_DB, abs=1.5)
    asked = ("--calibration", file, "--out", tmp_path / "out", "--language", "en", *common)
    assert call(capsys, "coverage", small_region, *asked).status == 0
    same = tmp_path / "out" / "rsrp_dbm_700.tif"
    assert same.read_bytes() == covered.files["rsrp_dbm_700.tif"].read_bytes()


@pytest.mark.usefixtures("no_picture")
def test_a_calibration_that_applies_moves_levels(
    small_region: Path, covered: CoverageRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lowered(_correction: object, kept: object, _clutter: object) -> object:
        loss = np.where(kept.loss == 65_535, 65_535, kept.loss + 700).astype(np.uint16)  # type: ignore[attr-defined]
        return replace(kept, loss=loss)  # type: ignore[type-var]  # a LossMap

    monkeypatch.setattr(coverage, "read_calibration", lambda path: path)
    monkeypatch.setattr(coverage, "corrected_map", lowered)
    settings = replace(SETTINGS, store=covered.ground.store, calibration=tmp_path / "c.toml", loads="given")
    run = coverage.cover(str(small_region), tmp_path / "out", settings=settings, language="en")
    medians = {(one.band, one.quantity, one.of): one.p50 for one in run.typical}
    before = {(one.band, one.quantity, one.of): one.p50 for one in covered.typical}
    for band in ("700", "2600"):
        now, then = medians[band, "rsrp_dbm", "area"], before[band, "rsrp_dbm", "area"]
        assert now is not None
        assert then is not None
        assert now == pytest.approx(then - 7.0, abs=0.01)


def test_validate_tells_each_set_and_fails_where_a_case_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call(capsys, "validate", "radio", "--data", tmp_path / "nowhere").status == 2
    good = SetResult("p2109", 2, 2, 1e-9, "dB", 1e-6)
    bad = SetResult("p676", 2, 1, 0.5, "dB", 1e-6, failures=(Failure("p676/x.csv, line 3", "gamma", 1.0, 1.5, ""),))
    for results, status in (((good,), 0), ((good, bad), 1)):
        monkeypatch.setattr("xinji.cli_validate.validate_radio", lambda _data, results=results: results)
        answer = call(capsys, "validate", "radio", "--data", tmp_path, "--json")
        assert answer.status == status
        assert [one["set"] for one in json.loads(answer.out)] == [one.set for one in results]
        told = call(capsys, "validate", "radio", "--data", tmp_path)
        assert told.status == status
        assert ("p676/x.csv, line 3" in told.out) == (status == 1)


def test_the_shared_sets_pass(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = call(capsys, "validate", "radio", "--data", shared / "validation", "--json")
    found = {one["set"]: one for one in json.loads(answer.out)}
    assert answer.status == 0
    assert found["p2109"]["cases"] == found["p2109"]["passed"] > 1_000


def test_an_interrupt_says_what_is_kept(
    small_region: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(coverage, "cover", stopped)
    answer = call(capsys, "coverage", small_region, "--out", tmp_path / "out")
    assert answer.status == 2
    assert "path loss computed so far is kept; the same command goes on from there" in answer.err


def test_sectors_of_a_listed_site_have_the_registry_power(small_sectors: Sectors, covered: CoverageRun) -> None:
    read = covered.transmitters.region.parameters.value
    for mhz in (700, 2600):
        power, gain, loss = (
            read(f"radio.band.{mhz}.{key}", unit)
            for key, unit in (("power", "dBm"), ("antenna_gain", "dBi"), ("feeder_loss", "dB"))
        )
        wanted = power - 10 * np.log10(read(f"radio.band.{mhz}.subcarriers", "subcarriers")) + gain - loss
        assert small_sectors.eirp_dbm[small_sectors.band_mhz == mhz] == pytest.approx(wanted)
