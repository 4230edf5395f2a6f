"""``xinji verify`` proves a sound plan, and finds and names whatever was changed in any of its files."""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from openpyxl import load_workbook

from cli.command_line import call
from xinji.core.study import Study
from xinji.io.region import read
from xinji.io.study_file import read_study_file, write_study_file
from xinji.workflow.verify import Verification, verification_text, verify_plan

ALONE = """\
import sys
from pathlib import Path
from xinji.workflow.verify import verify_plan
assert not verify_plan(Path(sys.argv[1])).findings
solver = [name for name in sys.modules if name.startswith(("highspy", "numba", "xinji.plan.design", "xinji.plan.jit"))]
solver += [name for name in ("bound", "solve", "improve", "exact") if f"xinji.plan.choose.{name}" in sys.modules]
sys.exit(f"loaded: {solver}" if solver else 0)
"""


@pytest.fixture(scope="session")
def verified(sound_plan: Path) -> Verification:
    return verify_plan(sound_plan)


def study_of(folder: Path) -> Study:
    region, policy = read(folder / "region")
    return read_study_file(folder / "study.npz", region, policy, folder / "region")


def rewrite(folder: Path, change: Callable[[Study], Study]) -> None:
    """Write a changed study in place of the plan's, whole and well formed."""
    write_study_file(folder / "study.npz", change(study_of(folder)), folder / "region")


def one_finding(folder: Path, *parts: str) -> None:
    found = verify_plan(folder).findings
    assert any(all(part in line for part in parts) for line in found), "\n".join(found)


def test_a_sound_plan_is_proved(verified: Verification, sound_plan: Path) -> None:
    study = study_of(sound_plan)
    assert not verified.findings
    assert verified.value == pytest.approx(study.plan.objective, rel=1e-9)
    assert verified.bound is not None
    assert verified.value is not None
    assert verified.bound >= verified.value * (1.0 - 1e-9)
    assert verified.spend == dict(zip(study.policy.years, study.plan.spend.tolist(), strict=True))
    assert all(verified.spend[year] <= verified.budget[year] for year in verified.spend)


def test_the_verb_says_so(sound_plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = call(capsys, "verify", sound_plan)
    assert said.status == 0
    assert ": proved" in said.out
    assert "no plan under these budgets is worth more" in said.out
    record = json.loads(call(capsys, "verify", sound_plan, "--json").out)
    assert record["proved"] is True
    assert record["findings"] == []
    assert record["bound"] >= record["value"]
    assert record["fingerprint"] in said.out


def test_nothing_of_the_solver_is_loaded(sound_plan: Path) -> None:
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", ALONE, str(sound_plan)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_edits_of_a_planner_in_qgis_are_no_findings(planned: Path) -> None:
    with closing(sqlite3.connect(planned / "plan.gpkg")) as database, database:
        # GeoPackage's triggers call functions that only its own readers know.
        triggers = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            database.execute(f'DROP TRIGGER "{name}"')
        database.execute("UPDATE sites SET decision = 'forbidden'")
    assert not verify_plan(planned).findings


@pytest.mark.parametrize(
    ("key", "change"),
    [
        (("plan", "objective"), 1.001),
        (("plan", "bound"), 0.999),
        (("plan", "gap"), 0.5),
        (("plan", "spend", "2027"), 0.9),
        (("plan", "outcome", "served", "urban", "gigabit", "2027"), 1.1),
        (("sequential", "objective"), 1.1),
        (("policy", "budget", "2026"), 2.0),
    ],
)
def test_a_figure_changed_in_plan_json_is_named(planned: Path, key: tuple[str, ...], change: float) -> None:
    path = planned / "plan.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    place = document
    for part in key[:-1]:
        place = place[part]
    old = place[key[-1]]
    place[key[-1]] = type(old)(old * change)
    assert place[key[-1]] != old, "the figure must change"
    path.write_text(json.dumps(document), encoding="utf-8")
    one_finding(planned, "plan.json", ".".join(key))


def test_a_year_changed_in_plan_json_shows_in_its_money_too(planned: Path) -> None:
    path = planned / "plan.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    key = next(key for key, one in document["options"].items() if one["year"] > 2000 and one["capex"])
    document["options"][key]["year"] = -1
    path.write_text(json.dumps(document), encoding="utf-8")
    one_finding(planned, f"plan.json: options.{key}.year is -1")
    one_finding(planned, "plan.json: plan.spend", "add up to")


@pytest.mark.parametrize("table", ["bill_of_materials", "items", "trenches", "spend", "assumptions"])
def test_a_cell_changed_in_a_table_is_named(planned: Path, table: str) -> None:
    path = planned / "tables" / f"{table}.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    column = next(at for at, cell in enumerate(rows[1]) if at > 0 and cell.replace(".", "").isdigit())
    rows[1][column] = str(float(rows[1][column]) + 1.0)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(rows)
    one_finding(planned, f"tables/{table}.csv, line 2, {rows[0][column]}: found '{rows[1][column]}'")


def test_a_cell_changed_in_the_workbook_is_named(planned: Path) -> None:
    path = planned / "bill_of_materials.xlsx"
    book = load_workbook(path)
    sheet = book.worksheets[3]
    sheet["B3"] = 12345.0
    book.save(path)
    one_finding(planned, f"bill_of_materials.xlsx, {sheet.title}, line 2", "12345")


@pytest.mark.parametrize(
    ("layer", "column", "value"),
    [("sites", "year_built", 2028), ("trenches", "capex", 0.5), ("cells", "residents", 7.5), ("plan", "bound", 1.0)],
)
def test_an_attribute_changed_in_the_geopackage_is_named(planned: Path, layer: str, column: str, value: float) -> None:
    with closing(sqlite3.connect(planned / "plan.gpkg")) as database, database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{name}"')
        database.execute(f"UPDATE {layer} SET {column} = {value}")  # noqa: S608
    one_finding(planned, f"plan.gpkg, {layer}", column)


def test_a_row_gone_and_a_shape_moved_in_geoparquet_are_named(planned: Path) -> None:
    path = planned / "layers" / "sites.parquet"
    sites = gpd.read_parquet(path)
    gone, moved = str(sites["id"].iloc[0]), str(sites["id"].iloc[1])
    sites.geometry = sites.geometry.where(sites["id"] != moved, sites.geometry.translate(30.0, 0.0))
    sites.iloc[1:].to_parquet(path)
    one_finding(planned, f"layers/sites.parquet: {gone} is missing")
    one_finding(planned, f"layers/sites.parquet, {moved}: its shape was moved")


@pytest.mark.parametrize(
    "name", ["plan.json", "tables/spend.csv", "bill_of_materials.xlsx", "plan.gpkg", "layers/cells.parquet"]
)
def test_a_missing_or_torn_file_is_named(planned: Path, name: str) -> None:
    torn = planned / name
    torn.write_bytes(torn.read_bytes()[: torn.stat().st_size // 2])
    one_finding(planned, name)
    torn.unlink()
    one_finding(planned, name)


def test_a_bound_too_good_and_a_cheaper_plan_are_found_in_the_study(planned: Path) -> None:
    def claim(study: Study) -> Study:
        better = study.plan.objective * 1.0001
        return replace(study, plan=replace(study.plan, bound=better, gap=0.0001))

    rewrite(planned, claim)
    one_finding(planned, "study.npz: the bound is given as", "the certificate proves")


def test_a_site_left_out_is_found(planned: Path) -> None:
    def leave_out(study: Study) -> Study:
        stage = study.plan.stage.copy()
        stage[np.flatnonzero((stage >= 1) & (study.problem.capex > 0))[0]] = -1
        return replace(study, plan=replace(study.plan, stage=stage))

    rewrite(planned, leave_out)
    one_finding(planned, "study.npz: spend in")


def test_arrays_that_do_not_fit_are_findings_not_crashes(planned: Path) -> None:
    rewrite(planned, lambda study: replace(study, plan=replace(study.plan, stage=study.plan.stage[:-1])))
    one_finding(planned, "study.npz: plan.stage has shape", "the other files are not compared")
    found = verify_plan(planned)
    assert found.value is None
    assert found.record()["proved"] is False
    assert "NOT proved" in verification_text(found)


def test_a_cheaper_problem_has_another_fingerprint(planned: Path) -> None:
    def cheaper(study: Study) -> Study:
        problem = replace(study.problem, trench_capex=study.problem.trench_capex // 2)
        return replace(study, problem=problem)

    rewrite(planned, cheaper)
    one_finding(planned, "study.npz: the plan is of another problem: fingerprint")


def test_multipliers_that_prove_nothing_are_found(planned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def spoil(study: Study) -> Study:
        certificate = study.plan.certificate
        return replace(
            study, plan=replace(study.plan, certificate=replace(certificate, budget=-certificate.budget - 1.0))
        )

    rewrite(planned, spoil)
    said = call(capsys, "verify", planned)
    assert said.status == 1
    assert "NOT proved" in said.out
    assert "none: the certificate does not hold" in said.out


def test_service_told_but_not_given_is_found(planned: Path) -> None:
    def boast(study: Study) -> Study:
        return replace(study, outcome=replace(study.outcome, served=study.outcome.served * 1.01))

    rewrite(planned, boast)
    one_finding(planned, "study.npz: outcome.served:", "do not follow from the plan")


def test_a_bound_of_branch_and_bound_is_called_the_solvers_word(verified: Verification) -> None:
    branched = replace(verified, rests_on="branch and bound", claimed=1.0)
    assert "that is the solver's word" in verification_text(branched)
    assert "solver's word" not in verification_text(verified)
    assert branched.record()["claimed_bound_rests_on"] == "branch and bound"


def test_under_least_cost_values_are_money(verified: Verification) -> None:
    text = verification_text(replace(verified, question="least_cost", value=3.5e6, bound=3.0e6))
    assert "3.50 million CNY, worked out again" in text
    assert "no plan that meets the floors costs less" in text


def test_many_findings_are_counted(verified: Verification) -> None:
    text = verification_text(replace(verified, checked=(), findings=tuple(f"finding {n}" for n in range(60))))
    assert "60 findings:" in text
    assert "and 10 more (--json lists all)" in text


def test_what_is_no_plan_is_bad_input(planned: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, "verify", tmp_path / "nowhere").status == 2
    assert call(capsys, "verify", tmp_path).status == 2
    torn = planned / "study.npz"
    torn.write_bytes(torn.read_bytes()[:1000])
    said = call(capsys, "verify", planned)
    assert said.status == 2
    assert "study.npz: the file is damaged" in said.err
    shutil.rmtree(planned / "region")
    assert call(capsys, "verify", planned).status == 2
