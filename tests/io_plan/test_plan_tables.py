"""Tables of a plan: sums that add up to the cent in every form."""

from __future__ import annotations

import csv
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.study import made_up_study
from xinji.core.assets import bill_of
from xinji.core.study import Study
from xinji.io.plan_files import write_all
from xinji.io.plan_tables import plan_tables, write_csvs, write_workbook
from xinji.show.text import words

STUDY = made_up_study()


@pytest.fixture(scope="module")
def study() -> Study:
    return STUDY


def cents(value: object) -> int:
    """Return the cents of a cell that holds money; a cell that is off by less than a cent shows."""
    exact = Decimal(str(value)) * 100
    assert exact == exact.to_integral_value()
    return int(exact)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), last=st.integers(-1, 5))
def test_a_bill_adds_up_to_the_problems_cents_whatever_is_built(seed: int, last: int) -> None:
    rng = np.random.default_rng(seed)
    problem = STUDY.problem
    stage = (
        rng.integers(-1, last + 1, len(problem.option_id), endpoint=False)
        if last >= 0
        else np.full_like(problem.capex, -1)
    )
    trench = rng.integers(-1, 6, len(problem.trench_id))
    lines = bill_of(replace(STUDY, plan=replace(STUDY.plan, stage=stage, trench_stage=trench)))
    for t, year in enumerate(problem.years.tolist(), start=1):
        mine = [line for line in lines if line.year == year]
        assert (
            sum(line.capex for line in mine)
            == problem.capex[stage == t].sum() + problem.trench_capex[trench == t].sum()
        )
        assert (
            sum(line.opex for line in mine) == problem.opex[stage == t].sum() + problem.trench_opex[trench == t].sum()
        )
        pieces = sum(line.quantity for line in mine if line.unit == "pcs")
        assert pieces == (stage == t).sum()


def test_the_sheets_add_up_to_the_problems_cents(study: Study, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(write_workbook(tmp_path / "bill.xlsx", study, words=words("en")))
    problem, plan = study.problem, study.plan
    built, dug = plan.stage >= 1, plan.trench_stage >= 1
    capex = int(problem.capex[built].sum()), int(problem.trench_capex[dug].sum())
    opex = int(problem.opex[built].sum()), int(problem.trench_opex[dug].sum())
    for name, column, wanted in (
        ("Bill of materials", 6, (sum(capex), sum(opex))),
        ("Items", 7, (capex[0], opex[0])),
        ("Trenches", 6, (capex[1], opex[1])),
    ):
        rows = list(book[name].iter_rows(min_row=3, values_only=True))
        single = [row for row in rows if isinstance(row[0], int)]
        assert (cents(rows[-1][column]), cents(rows[-1][column + 1])) == wanted
        assert tuple(sum(cents(row[column + k]) for row in single) for k in (0, 1)) == wanted
    spend = list(book["Spending and budget"].iter_rows(min_row=3, values_only=True))
    assert [cents(row[9]) for row in spend[:-1]] == plan.spend.tolist()
    assert [sum(cents(value) for value in row[1:9]) for row in spend[:-1]] == plan.spend.tolist()
    assert [cents(row[11]) for row in spend] == [*(problem.budget - plan.spend), (problem.budget - plan.spend).sum()]


def test_sheets_hold_every_assumption_with_its_source(study: Study, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(write_workbook(tmp_path / "bill.xlsx", study, words=words("zh")))
    rows = {row[0]: row for row in book["参数假设"].iter_rows(min_row=3, values_only=True)}
    entries = study.region.parameters.entries
    assert set(rows) == set(entries)
    assert all(rows[key][1] == e.value and rows[key][7] == e.source for key, e in entries.items())
    assert book["工程量清单"]["A1"].value == "虚构区 · 工程量清单 · CNY"


def test_csv_opens_in_excel_with_its_chinese(study: Study, tmp_path: Path) -> None:
    paths = write_csvs(tmp_path, study, words=words("zh"))
    assert paths["items"].read_bytes().startswith(b"\xef\xbb\xbf")
    with paths["bill_of_materials"].open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0][:3] == ["年份", "技术", "项目"]
    assert cents(rows[-1][6]) == int(study.outcome.capex.sum())


def test_both_languages_hold_the_same_figures(study: Study) -> None:
    for zh, en in zip(plan_tables(study, words("zh")), plan_tables(study, words("en")), strict=True):
        figures = [[[v for v in row if not isinstance(v, str)] for row in table.rows] for table in (zh, en)]
        assert figures[0] == figures[1]


def test_all_files_are_written_and_named(study: Study, tmp_path: Path) -> None:
    paths = write_all(tmp_path / "out", study, words=words("en"))
    assert all(path.is_file() and path.stat().st_size for path in paths.values())
    assert {"plan.json", "plan.gpkg", "bill_of_materials.xlsx", "tables/items.csv", "layers/sites.parquet"} <= set(
        paths
    )
    found = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert found == sorted(paths)
    trenches = gpd.read_parquet(paths["layers/trenches.parquet"])
    assert trenches.crs.to_epsg() == 32650
    assert len(trenches) == len(study.trenches)
