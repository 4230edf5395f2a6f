"""A problem's fingerprint changes with anything in it; money adds up as said."""

from __future__ import annotations

from copy import copy
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.small_problem import hand_problem
from xinji.core.arrays import AnyArray
from xinji.core.problem import Problem
from xinji.plan.choose.money import objective, paid, spend

NAMES = [item.name for item in fields(Problem)]


def changed(value: object) -> object:
    """Return another value of the same kind: one element of an array changed."""
    if isinstance(value, np.ndarray):
        other: AnyArray = value.copy()
        place = (-1,) * other.ndim
        other[place] = f"{other[place]}x"[-1:] if other.dtype.kind == "U" else other[place] + 1
        if other.dtype.kind == "f" and not np.isfinite(value[place]):
            other[place] = 0.0
        return other
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) else f"{value}x"


@pytest.mark.parametrize("name", NAMES)
def test_the_fingerprint_changes_with_every_field(name: str) -> None:
    problem = hand_problem()
    other = copy(problem)
    object.__setattr__(other, name, changed(getattr(problem, name)))
    assert other.fingerprint != problem.fingerprint
    assert copy(problem).fingerprint == problem.fingerprint == hand_problem().fingerprint


def test_the_fingerprint_tells_where_one_text_ends() -> None:
    problem, other = hand_problem(), hand_problem()
    object.__setattr__(problem, "trench_id", np.array(["ab", "c", "d"]))
    object.__setattr__(other, "trench_id", np.array(["a", "bc", "d"]))
    assert problem.fingerprint != other.fingerprint
    object.__setattr__(other, "trench_id", np.array(["ab", "c", "d"], dtype="<U40"))
    assert problem.fingerprint == other.fingerprint


@given(st.lists(st.tuples(st.integers(-1, 3), st.integers(0, 10**12), st.integers(0, 10**10)), max_size=8))
def test_capex_is_paid_once_and_opex_from_then_on(assets: list[tuple[int, int, int]]) -> None:
    stage, capex, opex = np.array(assets, dtype=np.int64).reshape(-1, 3).T
    once, yearly = paid(stage, capex, opex, 3)
    for t in (1, 2, 3):
        assert once[t - 1] == sum(c for s, c, _ in assets if s == t)
        assert yearly[t - 1] == sum(o for s, _, o in assets if 0 <= s <= t)


def test_least_cost_counts_discounted_currency() -> None:
    problem = hand_problem("least_cost")
    stage, dug = np.array([1, 2, -1, 0]), np.array([1, -1, 2])
    spent = [1000 + 10 + 9 + 500 + 5, 400 + 10 + 4 + 9 + 5 + 400 + 4]
    assert spend(problem, stage, dug).tolist() == spent
    assert objective(problem, stage, dug, np.zeros((3, 2))) == pytest.approx((spent[0] + 0.5 * spent[1]) / 100)
    assert objective(hand_problem(), stage, dug, np.ones((3, 2))) == pytest.approx(2 * 160 + 80)
