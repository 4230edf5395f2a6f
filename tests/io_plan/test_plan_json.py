"""plan.json: the same bytes for the same plan, a schema that holds, and the difference of two."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from support.study import Wish, made_up_study
from xinji.core.study import Study
from xinji.errors import InputError
from xinji.io.plan_diff import diff_plans
from xinji.io.plan_json import plan_document, read_plan_json, write_plan_json
from xinji.io.plan_schema import schema_text
from xinji.show.diff import render_diff

DOCS = Path(__file__).resolve().parents[2] / "docs" / "reference"


@pytest.fixture(scope="module")
def study() -> Study:
    return made_up_study()


def test_the_same_plan_gives_the_same_bytes_whatever_the_clock(study: Study, tmp_path: Path) -> None:
    one = write_plan_json(tmp_path / "a.json", study).read_bytes()
    slow = replace(study, plan=replace(study.plan, seconds=99.0))
    assert write_plan_json(tmp_path / "b.json", slow).read_bytes() == one
    raw = json.loads(one)
    assert list(raw) == sorted(raw)


def test_a_plan_comes_back_as_it_was_written(study: Study, tmp_path: Path) -> None:
    path = write_plan_json(tmp_path / "plan.json", study)
    assert read_plan_json(path) == plan_document(study)
    assert read_plan_json(tmp_path) == plan_document(study)


def test_money_in_the_file_is_the_problems_to_the_cent(study: Study, tmp_path: Path) -> None:
    raw = json.loads(write_plan_json(tmp_path / "plan.json", study).read_text(encoding="utf-8"))
    years = raw["years"]
    for k, year in enumerate(years):
        bought = [e for part in ("options", "trenches") for e in raw[part].values()]
        capex = sum(e["capex"] for e in bought if e["year"] == year)
        opex = sum(e["opex"] for e in bought if 0 <= e["year"] <= year)
        assert capex + opex == raw["plan"]["spend"][str(year)] == int(study.plan.spend[k])
        assert capex == sum(raw["plan"]["outcome"]["capex"][str(year)].values())


def test_the_schema_in_the_docs_and_the_package_is_the_one_in_force() -> None:
    shipped = (files("xinji") / "data" / "plan.schema.json").read_text(encoding="utf-8")
    assert shipped == (DOCS / "plan.schema.json").read_text(encoding="utf-8") == schema_text()


def test_what_has_no_finite_figure_is_null(study: Study, tmp_path: Path) -> None:
    reasons = replace(study.plan.reasons, cost_to_force=np.full(len(study.plan.stage), np.inf))
    endless = replace(study, plan=replace(study.plan, reasons=reasons))
    found = read_plan_json(write_plan_json(tmp_path / "plan.json", endless))
    assert {option.cost_to_force for option in found.options.values()} == {None}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": "red"}, "colour"),
        ({"years": "soon"}, "years"),
        ({"form": "a poem"}, "form"),
        ({"form_version": 2}, "form_version"),
    ],
)
def test_a_file_of_another_form_is_refused(
    study: Study, tmp_path: Path, change: dict[str, object], message: str
) -> None:
    path = write_plan_json(tmp_path / "plan.json", study)
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **change}), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_plan_json(path)


def test_all_faults_of_a_file_come_at_once(study: Study, tmp_path: Path) -> None:
    path = write_plan_json(tmp_path / "plan.json", study)
    raw = json.loads(path.read_text(encoding="utf-8"))
    del raw["crs"], raw["policy"]["question"]
    path.write_text(json.dumps(raw), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_plan_json(path)
    assert {fault.layer for fault in caught.value.faults} == {"plan.json: crs", "plan.json: policy.question"}


@pytest.mark.parametrize("cut", [0, 1000])
def test_a_file_cut_short_is_refused(study: Study, tmp_path: Path, cut: int) -> None:
    path = write_plan_json(tmp_path / "plan.json", study)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(InputError, match="is not JSON"):
        read_plan_json(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        read_plan_json(tmp_path / "plan.json")


def test_a_plan_does_not_differ_from_itself(study: Study) -> None:
    found = diff_plans(plan_document(study), plan_document(study))
    assert not any((found.only_a, found.only_b, found.moved, found.wishes, found.parameters))
    assert found.same_problem
    assert "The plans do not differ." in render_diff(found)


def test_each_kind_of_difference_is_found(study: Study) -> None:
    stage, trench = study.plan.stage.copy(), study.plan.trench_stage.copy()
    dropped = int(np.flatnonzero(stage == 1)[0])
    added = int(np.flatnonzero(stage == -1)[0])
    later = int(np.flatnonzero(stage == 2)[0])
    dug = int(np.flatnonzero(trench == 1)[0])
    stage[[dropped, added, later]] = [-1, 4, 3]
    trench[dug] = 2
    other = replace(study, plan=replace(study.plan, stage=stage, trench_stage=trench))
    found = diff_plans(plan_document(study), plan_document(other))
    ids = study.problem.option_id
    assert [change.id for change in found.only_a] == [ids[dropped]]
    assert [(change.id, change.year_a, change.year_b) for change in found.only_b] == [(ids[added], -1, 2029)]
    assert found.only_b[0].capex == study.problem.capex[added]
    assert {(change.id, change.year_a, change.year_b) for change in found.moved} == {
        (ids[later], 2027, 2028), (study.trenches.id[dug], 2026, 2027),
    }  # fmt: skip


def test_other_wishes_are_named_and_written_in_both_languages(study: Study) -> None:
    richer = made_up_study(wish=Wish(budget=2_500_000.0))
    found = diff_plans(plan_document(study), plan_document(richer))
    assert {pair.name for pair in found.wishes} == {f"budget.{year}" for year in study.policy.years}
    assert not found.same_problem
    assert found.comparable
    assert [pair.b for pair in found.spend] == richer.plan.spend.tolist()
    for language in ("en", "zh"):
        text = render_diff(found, language=language, listed=3)
        assert f"`{found.only_b[0].id}`" in text
        assert "{" not in text
    assert "CNY 2.0 million" in render_diff(found)
    assert "200 万元" in render_diff(found, language="zh")


def test_plans_of_two_regions_are_not_compared(study: Study) -> None:
    other = replace(study, region=replace(study.region, name="elsewhere"))
    with pytest.raises(InputError, match="the region is 'made_up' in one plan and 'elsewhere' in the other"):
        diff_plans(plan_document(study), plan_document(other))


def test_plans_with_two_goals_are_not_ranked(study: Study) -> None:
    cheap = made_up_study(wish=Wish(question="least_cost"))
    found = diff_plans(plan_document(study), plan_document(cheap))
    assert not found.comparable
    assert "different goals" in render_diff(found)
