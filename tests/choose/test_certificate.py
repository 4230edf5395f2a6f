"""Any prices of at least 0 prove a bound; a certificate that proves nothing is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.small_plan import optimum, proved
from support.small_problem import hand_problem, small_problem
from xinji.core.arrays import AnyArray
from xinji.core.plan import Certificate
from xinji.core.problem import Problem
from xinji.errors import CheckError
from xinji.plan.choose.bound import prove
from xinji.plan.choose.certificate import certified_bound, cover, pairs
from xinji.plan.choose.index import index

SEEDS = (0, 2, 3, 4, 7, 8, 11, 13, 18, 23)


def _certificate(problem: Problem) -> Certificate:
    return prove(problem, target=0.0, rounds=1, iterations=1).certificate


def _random_prices(problem: Problem, certificate: Certificate, seed: int, size: float) -> Certificate:
    """Return ``certificate`` with prices drawn around what they are worth, some of them 0."""
    rng = np.random.default_rng(seed)
    worth = float(problem.value.mean()) if problem.goal == "most_value" else float(problem.capex.mean()) / 100.0
    scales = {
        "budget": worth / float(problem.budget.mean()),
        "row": worth,
        "capacity": worth / float(problem.amount.mean()) / 10.0,
        "floor": worth / 20.0,
        "pair": worth,
    }
    drawn = {}
    for name, scale in scales.items():
        shape = getattr(certificate, name).shape
        drawn[name] = rng.exponential(size * scale, shape) * (rng.random(shape) < 0.6)
    return replace(certificate, **drawn)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(SEEDS), st.integers(0, 2**32 - 1), st.sampled_from([0.05, 0.3, 1.0, 4.0]), st.floats(0.0, 1.0))
def test_any_prices_and_any_smaller_cores_give_a_valid_bound(seed: int, draw: int, size: float, grown: float) -> None:
    problem, exact = small_problem(seed), optimum(seed)
    assert exact is not None
    certificate = _random_prices(problem, _certificate(problem), draw, size)
    times = {name: getattr(certificate, name) * grown for name in ("charge", "core_width", "cover_time")}
    bound = certified_bound(problem, replace(certificate, **times))
    over = bound - exact.objective if problem.goal == "most_value" else exact.objective - bound
    assert over >= -1e-9 * max(abs(bound), abs(exact.objective))


def test_without_prices_the_bound_is_all_worth_that_could_be_served() -> None:
    problem = replace(hand_problem(), capacity=np.full((4, 3), np.inf))
    none = _certificate(problem)
    zero = {name: np.zeros_like(getattr(none, name)) for name in ("budget", "row", "capacity", "floor", "pair")}
    everything = (problem.value[problem.arc_row] * problem.arc_share[:, None]).sum()
    assert certified_bound(problem, replace(none, **zero)) == pytest.approx(everything)


def test_without_prices_a_whole_site_still_serves_no_more_than_its_scarcer_resource() -> None:
    problem = hand_problem()
    none = _certificate(problem)
    zero = {name: np.zeros_like(getattr(none, name)) for name in ("budget", "row", "capacity", "floor", "pair")}
    # Of 8 units uplink row 0 takes 0.9 x 5 for 0.9 x 100, row 1 the other 3.5 of its 6 for 50; the cell serves 25.
    first = 90.0 + 50.0 * 3.5 / 6.0 + 25.0
    assert certified_bound(problem, replace(none, **zero)) == pytest.approx(first * 1.6)


def test_under_least_cost_the_cores_alone_bound_the_trenches_of_what_is_committed() -> None:
    problem = hand_problem("least_cost")
    problem = replace(problem, built=np.array([1, -1, -2, 0]))
    none = _certificate(problem)
    zero = {name: np.zeros_like(getattr(none, name)) for name in ("budget", "row", "capacity", "floor", "pair")}
    # The site, its 5.00 of trench and their opex of 1 % of the trench, and the opex of what exists, in two stages.
    options = 10.00 + 0.10 * 1.5 + 0.09 * 1.5
    assert certified_bound(problem, replace(none, **zero)) == pytest.approx(options + 5.00 + 0.05 * 1.5, rel=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_pairs_are_those_of_the_index(seed: int) -> None:
    problem = small_problem(seed)
    arcs = index(problem)
    row, option, arc, pair = pairs(problem)
    assert np.array_equal(row, arcs.pair_row)
    assert np.array_equal(option, arcs.pair_option)
    theirs = {(int(a), int(p)) for a, ps in zip(arcs.arc, arcs.pair, strict=True) for p in ps if p >= 0}
    assert set(zip(arc.tolist(), pair.tolist(), strict=True)) == theirs


def test_cores_load_no_trench_beyond_its_capex() -> None:
    for seed in SEEDS:
        problem = small_problem(seed)
        load = cover(problem, _certificate(problem)).load
        assert (load <= problem.trench_capex + 1e-3).all()
        assert load.max() > 0.0


def _planted(name: str) -> tuple[Problem, Certificate]:
    problem = hand_problem()
    good = proved(problem, 100.0).certificate
    plants: dict[str, dict[str, AnyArray]] = {
        "shape": {"row": np.zeros((1, 2))},
        "pairs": {"pair": np.zeros((9, 2))},
        "negative": {"budget": np.array([-1.0, 0.0])},
        "no number": {"row": np.full((2, 2), np.nan)},
        "unknown core": {"cover_core": np.full(len(good.cover_core), 99)},
        "unknown node": {"cover_node": np.full(len(good.cover_node), -1)},
        "parent first": {"core_parent": np.zeros(len(good.core_parent), dtype=np.int64)},
        "shrinks": {"core_width": good.core_width - 1e9},
        "overload": {"core_width": good.core_width + 100.0},
        "overload in one stage": {"core_width": good.core_width + np.where(good.core_stage == 1, 100.0, 0.0)},
        "root inside": {"cover_node": np.zeros(len(good.cover_node), dtype=np.int64)},
        "too late": {"cover_time": good.cover_time + 1.0},
        "elsewhere": {"option_core": good.option_core[[2, 1, 0, 3]], "charge": good.charge[[2, 1, 0, 3]]},
        "borne twice": {"charge": 2.0 * good.charge},
        "borne by none": {"option_core": np.full_like(good.option_core, -1)},
        "unknown stage": {"core_stage": good.core_stage + 1},
        "another stage": {"option_core": good.option_core[:, ::-1]},
        "earns": {"charge": -good.charge},
    }
    return problem, replace(good, **plants[name])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("shape", "row has shape"),
        ("pairs", "pair has shape"),
        ("negative", "'budget' are negative"),
        ("no number", "'row' are negative or no number"),
        ("unknown core", "cover_core names a core or a node that is not there"),
        ("unknown node", "cover_node names a core or a node that is not there"),
        ("parent first", "a core comes after the one around it"),
        ("shrinks", "a negative width"),
        ("overload", "cores load trench"),
        ("overload in one stage", "cores load trench"),
        ("root inside", "holds a root"),
        ("too late", "not in its core's set from the start"),
        ("elsewhere", "not in its core's set from the start"),
        ("borne twice", "cents more than core"),
        ("borne by none", "bears a charge and lies in no core"),
        ("unknown stage", "core_stage names a stage that is not there"),
        ("another stage", "an option in a core of another stage"),
        ("earns", "'charge' are negative"),
    ],
)
def test_a_certificate_that_proves_nothing_is_refused(name: str, words: str) -> None:
    problem, certificate = _planted(name)
    with pytest.raises(CheckError, match=words):
        certified_bound(problem, certificate)
