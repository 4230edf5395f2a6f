"""``xinji explain``: why, whom it serves, what it costs, what forcing it costs; wrong names are refused together."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cli.command_line import call
from xinji.cli_explain import explanation_lines, explanation_object
from xinji.core.offer import EXISTING
from xinji.core.problem import NEVER
from xinji.core.study import Study
from xinji.errors import InputError
from xinji.plan.choose.check import check
from xinji.plan.choose.explain import REASONS, TRENCH_REASONS
from xinji.workflow.explaining import ExplainSettings, Explanation, explain_named

QUICK = ExplainSettings(tries=2, rounds=1)


def names(study: Study) -> dict[str, str]:
    """Return the id of something that is in, out, a host, a trench that is dug, and one that is not."""
    plan, problem = study.plan, study.problem
    free = problem.built < EXISTING
    chosen = {
        "in": (problem.option_id, (plan.stage >= 1) & free),
        "out": (problem.option_id, plan.stage == NEVER),
        "dug": (problem.trench_id, plan.trench_stage >= 1),
        "undug": (problem.trench_id, plan.trench_stage == NEVER),
        "exists": (problem.option_id, plan.stage == EXISTING),
    }
    return {key: str(ids[np.flatnonzero(some)[0]]) for key, (ids, some) in chosen.items() if some.any()}


@pytest.fixture(scope="module")
def explained(asked_study: Study) -> dict[str, Explanation]:
    asked = names(asked_study)
    found = explain_named(asked_study, list(asked.values()), settings=QUICK)
    return dict(zip(asked, found, strict=True))


def test_each_is_told_as_the_plan_has_it(asked_study: Study, explained: dict[str, Explanation]) -> None:
    years = asked_study.problem.years.tolist()
    assert explained["in"].year in years
    assert explained["dug"].year in years
    assert explained["out"].year == explained["undug"].year == NEVER
    for one in explained.values():
        assert one.reason in {*REASONS.values(), *TRENCH_REASONS.values()}
    bought = explained["in"]
    place = asked_study.problem.option_id.tolist().index(bought.name)
    assert bought.capex.sum() == asked_study.problem.capex[place]
    assert bought.capex[years.index(bought.year)] == asked_study.problem.capex[place]


def test_forced_plans_keep_the_wish_and_the_checker_passes_them(explained: dict[str, Explanation]) -> None:
    forced = {key: one.forced for key, one in explained.items() if one.forced is not None}
    assert {"in", "dug"} <= set(forced)
    for key, one in forced.items():
        check(one.problem, one.plan)
        assert one.low <= one.high
        assert one.best_low <= one.best_high
        assert one.best_low >= 0.0
        name = explained[key].name
        if key == "in":
            assert one.plan.stage[one.problem.option_id.tolist().index(name)] == NEVER
        if key == "dug":
            assert name not in one.problem.trench_id.tolist()
        if key == "out":
            assert one.plan.stage[one.problem.option_id.tolist().index(name)] == one.stage >= 1


def test_the_search_unforced_is_never_behind(asked_study: Study, explained: dict[str, Explanation]) -> None:
    for one in explained.values():
        if one.forced is not None:
            assert one.again is not None
            assert one.again >= max(one.forced.plan.objective, asked_study.plan.objective) - 1e-6


def test_what_stands_already_is_not_forced(explained: dict[str, Explanation]) -> None:
    if "exists" not in explained:
        pytest.skip("nothing exists in this region")
    assert explained["exists"].forced is None
    assert "stands already" in explained["exists"].refused


def test_the_users_told_are_those_served(asked_study: Study, explained: dict[str, Explanation]) -> None:
    """A second route: recompute from the arrays, arc by arc."""
    one = explained["in"]
    problem, last = asked_study.problem, asked_study.problem.stages - 1
    place = problem.option_id.tolist().index(one.name)
    family = {place, *(k for k, host in enumerate(problem.host.tolist()) if host == place)}
    total = 0.0
    for arc in range(len(problem.arc_row)):
        if {int(problem.arc_option[arc]), int(problem.arc_partner[arc])} & family:
            row = problem.arc_row[arc]
            users = asked_study.demand.users[asked_study.row_cell[row], asked_study.row_service[row], last]
            total += float(users * asked_study.plan.served[arc, last])
    assert sum(s.users for s in one.served) == pytest.approx(total, abs=3.0)


def test_the_same_again_gives_the_same(asked_study: Study, explained: dict[str, Explanation]) -> None:
    (again,) = explain_named(asked_study, [explained["in"].name], settings=QUICK)
    first = explained["in"].forced
    assert first is not None
    assert again.forced is not None
    assert again.forced.plan.stage.tobytes() == first.plan.stage.tobytes()
    assert (again.forced.low, again.forced.high) == (first.low, first.high)


def test_a_year_can_be_asked_for(asked_study: Study, explained: dict[str, Explanation]) -> None:
    last = int(asked_study.problem.years[-1])
    (one,) = explain_named(asked_study, [explained["in"].name], settings=ExplainSettings(year=last, tries=1, rounds=1))
    assert one.forced is not None
    assert one.forced.stage == asked_study.problem.stages


def test_every_wrong_name_and_year_is_refused_at_once(asked_study: Study) -> None:
    known = str(asked_study.problem.option_id[0])
    with pytest.raises(InputError) as caught:
        explain_named(asked_study, ["nothing", f"{known}x"], settings=ExplainSettings(year=1999))
    assert len(caught.value.faults) == 3
    assert f"Close to it: {known}" in str(caught.value)


def test_words_and_object_say_the_same(asked_study: Study, explained: dict[str, Explanation]) -> None:
    for one in explained.values():
        text = "\n".join(explanation_lines(asked_study, one))
        made = json.loads(json.dumps(explanation_object(asked_study, one), allow_nan=False))
        assert one.name in text
        assert made["reason"] in text
        assert made["decision"] == {NEVER: "out", EXISTING: "exists"}.get(one.year, "in")
        if one.forced is not None:
            assert made["forced"]["cost"]["low"] <= made["forced"]["cost"]["high"]
            assert f"{one.forced.high:,.2f}" in text or one.forced.high < 0


def test_the_verb_prints_one_object_a_name(
    capsys: pytest.CaptureFixture[str], asked_plan: Path, explained: dict[str, Explanation]
) -> None:
    answer = call(capsys, "explain", asked_plan, explained["dug"].name, "--effort", "1", "--json")
    assert answer.status == 0, answer.err
    (made,) = json.loads(answer.out)
    assert made["name"] == explained["dug"].name
    refused = call(capsys, "explain", asked_plan, "nothing")
    assert refused.status == 2
    assert "no option and no trench" in refused.err
