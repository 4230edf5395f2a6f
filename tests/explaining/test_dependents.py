"""What hangs on an option or a trench, on a line of trenches that can be followed by eye."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.engine_graphs import star
from xinji.core.offer import EXISTING
from xinji.plan.choose.dependents import behind, on_top, trenches_alone, unjoinable


def test_only_the_far_trench_is_needed_by_the_far_option_alone() -> None:
    problem, dug = star([1, 3]), np.array([1, 1, 1, -1])
    assert trenches_alone(problem, np.array([1, 1]), dug, 1).tolist() == [1, 2]
    assert trenches_alone(problem, np.array([1, 1]), dug, 0).tolist() == []


def test_of_what_is_out_the_way_to_what_is_dug_is_told() -> None:
    problem, dug = star([1, 3]), np.array([1, -1, -1, -1])
    assert trenches_alone(problem, np.array([1, -1]), dug, 1).tolist() == [1, 2]
    assert trenches_alone(star([1, 5]), np.array([1, -1]), dug, 1).tolist() == []


def test_the_cheaper_of_parallel_trenches_is_the_way() -> None:
    problem = star([1])
    problem = replace(
        problem,
        trench_id=np.array([*problem.trench_id, "cheap"]),
        from_node=np.append(problem.from_node, 1),
        to_node=np.append(problem.to_node, 0),
        trench_length_m=np.append(problem.trench_length_m, 1.0),
        trench_capex=np.append(problem.trench_capex, 10),
        trench_opex=np.append(problem.trench_opex, 0),
        trench_built=np.append(problem.trench_built, -1),
    )
    assert trenches_alone(problem, np.array([-1]), np.full(5, -1), 0).tolist() == [4]


def test_what_stands_on_a_host_goes_with_it() -> None:
    problem = replace(star([1, -1, -1, 2]), host=np.array([-1, 0, 1, -1]))
    assert on_top(problem, 0).tolist() == [0, 1, 2]
    assert on_top(problem, 1).tolist() == [1, 2]
    assert behind(problem, np.array([1, 1, 2, 1]), np.array([1, 1, -1, -1]), 0).tolist() == [0, 1, 2, 3]
    assert behind(problem, np.array([1, 1, 2, 1]), np.array([1, 1, -1, -1]), 1).tolist() == [3]
    assert behind(problem, np.array([1, -1, -1, -1]), np.array([1, 1, -1, -1]), 1).tolist() == []


@pytest.mark.parametrize(("built", "expected"), [(-1, [False, True]), (EXISTING, [False, False])])
def test_an_island_cannot_be_joined_unless_something_stands_there(built: int, expected: list[bool]) -> None:
    problem = replace(star([1, 5]), built=np.array([-1, built]))
    assert unjoinable(problem).tolist() == expected
