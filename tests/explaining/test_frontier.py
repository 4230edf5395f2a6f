"""Frontiers: each point a checked plan with its bound, and the same whatever way they are computed."""

from __future__ import annotations

import csv
import json
import shutil
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.command_line import call
from support.small_plan import enumerated
from support.small_problem import small_problem
from xinji.core.frontier import Frontier
from xinji.core.study import Study
from xinji.core.vocabulary import GROUPS
from xinji.errors import InputError
from xinji.plan.choose.certificate import certified_bound
from xinji.plan.choose.check import check
from xinji.plan.choose.equity import worst_share
from xinji.plan.choose.improve import Effort
from xinji.plan.choose.solve import solve
from xinji.plan.choose.sweep import Prove, Search, settled
from xinji.workflow.frontier import (
    STRONG_CLUSTERS,
    FrontierSettings,
    frontier_object,
    powered,
    row_values,
    sweep,
    write_frontier,
)
from xinji.workflow.planning import FRONTIER_FILES, require_writable

ASKED = FrontierSettings(budgets=(0.4, 1.0, 1.3), priorities=(0.0, 1.0), tries=1, rounds=1, restarts=2)


@pytest.fixture(scope="module")
def swept(asked_study: Study) -> Frontier:
    return sweep(asked_study, settings=ASKED)


def bits(study: Study, found: Frontier) -> str:
    """Return all of a frontier but the time it took, to compare two runs."""
    arrays = [
        array.tobytes().hex()
        for point in (*found.budget, *found.priority)
        if point.plan is not None
        for array in (point.plan.stage, point.plan.trench_stage, point.plan.served, point.plan.certificate.budget)
    ]
    return json.dumps(frontier_object(study, found)) + "".join(arrays)


def test_each_point_is_a_plan_that_the_checker_passes(asked_study: Study, swept: Frontier) -> None:
    assert [point.level for point in swept.budget] == [0.4, 1.0, 1.3]
    assert [point.level for point in swept.priority] == [0.0, 1.0]
    for point in (*swept.budget, *swept.priority):
        assert point.plan is not None
        value = row_values(asked_study, point.weights)
        problem = replace(asked_study.problem, budget=point.budget, value=value)
        check(problem, replace(point.plan, fingerprint=problem.fingerprint))
        assert (np.cumsum(point.plan.spend) <= np.cumsum(point.budget)).all()


def test_the_weights_are_those_that_the_problem_was_made_with(asked_study: Study) -> None:
    assert row_values(asked_study, asked_study.policy.priority) == pytest.approx(asked_study.problem.value)


def test_more_money_never_brings_less(swept: Frontier) -> None:
    plans = [point.plan for point in swept.budget]
    worth = [plan.objective for plan in plans if plan]
    bound = [plan.bound for plan in plans if plan]
    assert worth == sorted(worth)
    assert bound == sorted(bound)
    assert worth[0] < worth[-1]


def test_no_point_is_behind_the_plan_at_hand(asked_study: Study, swept: Frontier) -> None:
    same = next(point for point in swept.budget if point.level == 1.0)
    assert same.plan is not None
    assert same.plan.objective >= asked_study.plan.objective - 1e-6
    assert same.plan.bound <= asked_study.plan.bound * (1 + 1e-9)


def test_figures_follow_from_the_outcome(asked_study: Study, swept: Frontier) -> None:
    for point in swept.priority:
        assert point.outcome is not None
        assert point.figures is not None
        users, served = (getattr(point.outcome, name)[:, :, -1].sum(axis=1) for name in ("users", "served"))
        share = {group: served[g] / users[g] for g, group in enumerate(GROUPS)}
        assert point.figures.clusters == pytest.approx(share["industrial_cluster"])
        assert point.figures.worst_group_share == pytest.approx(min(share.values()))
        assert point.figures.worst_group == min(share, key=lambda group: share[group])
        assert 0.0 <= point.figures.worst_tenth <= point.figures.served + 1e-9
        worth = (asked_study.problem.value[asked_study.problem.arc_row] * point.plan.served).sum()  # type: ignore[union-attr]
        assert point.figures.worth == pytest.approx(worth)


def test_two_processes_give_the_same(asked_study: Study, swept: Frontier) -> None:
    found = sweep(asked_study, settings=replace(ASKED, jobs=2))
    assert bits(asked_study, found) == bits(asked_study, swept)


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_of_two_workers_gives_the_same(asked_study: Study, swept: Frontier) -> None:
    distributed = pytest.importorskip("distributed", reason="the optional package distributed is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
        ) as made:
            found = sweep(asked_study, settings=replace(ASKED, cluster=made.scheduler_address))
    assert bits(asked_study, found) == bits(asked_study, swept)


def test_more_restarts_are_never_worse(asked_study: Study) -> None:
    one = FrontierSettings(budgets=(0.7,), priorities=(), tries=2, rounds=1)
    (few,), (many,) = (sweep(asked_study, settings=replace(one, restarts=n)).budget for n in (1, 3))
    assert few.plan is not None
    assert many.plan is not None
    assert many.plan.objective >= few.plan.objective


def test_floors_out_of_reach_are_told(asked_study: Study) -> None:
    """All residents outdoors from the first year on, for next to no money."""
    problem = asked_study.problem
    weight = np.where(asked_study.row_service == 0, 1.0, 0.0)[None, :]
    hard = replace(
        problem,
        floor_name=np.array([f"all:mobile_outdoor:{problem.years[0]}"]),
        floor_stage=np.array([1]),
        floor_weight=weight,
        floor_amount=0.9 * weight.sum(axis=1),
    )
    plan = solve(hard, Effort(tries=0, rounds=1))
    study = replace(asked_study, problem=hard, plan=plan)
    (point,) = sweep(study, settings=replace(ASKED, budgets=(0.001,), priorities=())).budget
    assert point.plan is None
    assert "mobile outdoor" in point.refused


def test_what_cannot_be_swept_is_refused(asked_study: Study) -> None:
    least = replace(asked_study, policy=replace(asked_study.policy, question="most_value"))
    with pytest.raises(InputError, match="nothing is swept"):
        sweep(least, settings=FrontierSettings(budgets=(), priorities=()))
    with pytest.raises(InputError, match="0 is too few"):
        sweep(least, settings=FrontierSettings(jobs=0))


def test_files_hold_the_points_and_go_with_the_plan(
    asked_study: Study, swept: Frontier, asked_plan: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(asked_plan, tmp_path / "plan"))
    paths = write_frontier(asked_study, swept, folder, language="zh")
    assert sorted(paths) == sorted(FRONTIER_FILES)
    content = json.loads(paths["frontier.json"].read_text("utf-8"))
    with paths["frontier.csv"].open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(content["budget"]) + len(content["priority"]) == 5
    first = content["budget"][0]
    assert float(rows[0]["value"]) == first["value"]
    assert first["options"].keys() <= set(asked_study.problem.option_id.tolist())
    assert sum(first["spend"].values()) == pytest.approx(float(rows[0]["spend_total"]))
    assert "预算与价值" in paths["frontier.svg"].read_text("utf-8")
    assert paths["frontier.png"].stat().st_size > 10_000
    require_writable(folder)


def test_the_verb_writes_beside_the_plan(capsys: pytest.CaptureFixture[str], asked_plan: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(asked_plan, tmp_path / "plan")
    quick = ("--budgets", "0.5,1", "--priorities", "1", "--effort", "1", "--language", "en")
    answer = call(capsys, "frontier", folder, *quick)
    assert answer.status == 0, answer.err
    assert "budget x" in answer.out
    assert (tmp_path / "plan" / "frontier.json").is_file()
    refused = call(capsys, "frontier", folder, "--out", tmp_path / "other", *quick)
    assert refused.status == 2
    assert "the plan's own folder" in refused.err
    assert call(capsys, "frontier", folder, "--budgets", "-1").status == 2


def test_weights_reach_from_equal_to_strong() -> None:
    own = dict(zip(GROUPS, (3.0, 2.0, 1.0, 1.0), strict=True))
    assert powered(own, 0.0) == dict.fromkeys(GROUPS, 1.0)
    assert powered(own, 2.0)["industrial_cluster"] == 9.0
    flat = dict.fromkeys(GROUPS, 2.0)
    assert powered(flat, 0.0) == flat
    assert powered(flat, 2.0)["industrial_cluster"] == 2.0 * STRONG_CLUSTERS**2
    assert powered(flat, 2.0)["rural"] == 2.0


def test_the_worst_tenth_by_hand() -> None:
    users = np.array([50.0, 0.0, 950.0])
    share = np.array([0.2, np.nan, 0.8])
    assert worst_share(share, users, 0.1) == pytest.approx((50 * 0.2 + 50 * 0.8) / 100)
    assert worst_share(share[:0], users[:0], 0.1) == 0.0


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(1, 1e6)), min_size=1, max_size=20))
def test_the_worst_are_no_better_than_all(cells: list[tuple[float, float]]) -> None:
    share, users = (np.array(column) for column in zip(*cells, strict=True))
    mean = float(share @ users / users.sum())
    assert share.min() - 1e-9 <= worst_share(share, users, 0.1) <= mean + 1e-9
    assert worst_share(share, users, 1.0) == pytest.approx(mean, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("seed", [1, 5])
def test_bounds_of_a_sweep_hold_against_enumeration(seed: int) -> None:
    """The point of the problem itself: its best plan, by trying every plan, lies between value and bound."""
    problem = small_problem(seed)
    plan = solve(problem, Effort(tries=0, rounds=1))
    points = [problem, replace(problem, budget=problem.budget * 2)]
    start = (plan.stage, plan.trench_stage)
    proofs = [Prove(k, part, plan.certificate, start, 1).run() for k, part in enumerate(points)]
    tried = [
        Search(one.point, 0, points[one.point], one.certificate, one.first, Effort(tries=2)).run()
        for one in proofs
        if one.first is not None
    ]
    made = settled(points, proofs, tried)
    best = enumerated(seed)
    assert best is not None
    assert made[0] is not None
    assert made[0].objective - 1e-6 <= best <= made[0].bound + 1e-6
    assert made[0].bound == pytest.approx(certified_bound(problem, made[0].certificate))
    assert made[1] is not None
    assert made[1].objective >= made[0].objective
