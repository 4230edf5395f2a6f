"""Maximal covering's parts for larger instances: the core's relaxation, merging of answers, cuts by simplex."""

from __future__ import annotations

import numpy as np
import pytest

from xinji.plan.design.covering import core_relax
from xinji.plan.design.covering.certificate import NO_CUTS, covering_bound
from xinji.plan.design.covering.covers import covered_weight, reach_of
from xinji.plan.design.covering.cuts import Tight
from xinji.plan.design.covering.cuts_simplex import tighten_exactly
from xinji.plan.design.covering.exact import refine
from xinji.plan.design.covering.generator import clustered_covers, site_budget
from xinji.plan.design.covering.greedy import greedy
from xinji.plan.design.covering.local import Search
from xinji.plan.design.covering.merging import improve_and_merge, merged
from xinji.plan.design.covering.pdhg import relax
from xinji.plan.design.proof import Clock

_COVERS = clustered_covers(1500, 300, 12.0, 8)
_BUDGET = float(site_budget(300, 12.0))


def test_the_core_proves_what_the_whole_relaxation_proves(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = relax(_COVERS, _BUDGET, seconds=60.0, gap=1e-4, rounds=20_000)
    monkeypatch.setattr(core_relax, "_SMALL", 0)
    cored = core_relax.relax_by_core(_COVERS, _BUDGET, seconds=60.0, gap=1e-4, rounds=20_000)
    assert cored.bound == pytest.approx(whole.bound, rel=5e-4)
    assert cored.value <= whole.bound
    assert cored.bound >= whole.value
    assert covering_bound(_COVERS, _BUDGET, cored.price) <= cored.bound * (1.0 + 1e-6) + 1.0
    assert float(cored.share.sum()) <= _BUDGET * (1.0 + 1e-6)


@pytest.mark.parametrize("most", [600, 4])
def test_merged_answers_are_at_least_the_better_one(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xinji.plan.design.covering.merging._SITES", most)
    monkeypatch.setattr("xinji.plan.design.covering.merging._CHUNK", most)
    rng = np.random.default_rng(4)
    one, other = (np.sort(rng.choice(300, int(_BUDGET), replace=False)) for _ in range(2))
    both = merged(_COVERS, _BUDGET, one, other, 20.0)
    assert set(both) <= set(one) | set(other)
    assert len(both) <= _BUDGET
    assert covered_weight(_COVERS, both) > max(covered_weight(_COVERS, one), covered_weight(_COVERS, other))


def test_merged_is_the_best_of_both() -> None:
    rng = np.random.default_rng(6)
    one, other = (np.sort(rng.choice(300, 12, replace=False)) for _ in range(2))
    union = np.zeros(300, dtype=np.bool_)
    union[one] = union[other] = True
    best = refine(_COVERS, one, 12.0, union, (20.0, 0))
    both = merged(_COVERS, 12.0, one, other, 20.0)
    assert covered_weight(_COVERS, both) == pytest.approx(covered_weight(_COVERS, best))


def test_search_is_no_worse_than_its_start() -> None:
    reach = reach_of(_COVERS)
    start = greedy(_COVERS, reach, _BUDGET)
    found = improve_and_merge(_COVERS, reach, start, _BUDGET, Search(np.inf, 1.0, 3, 1.0))
    assert len(found) <= _BUDGET
    assert covered_weight(_COVERS, found) > covered_weight(_COVERS, start)


def test_cuts_by_simplex_prove_less_than_the_relaxation_and_hold() -> None:
    plain = relax(_COVERS, _BUDGET, seconds=60.0, gap=1e-4, rounds=20_000)
    begin = Tight(plain.price, NO_CUTS, plain.share, plain.bound, 0.5)
    tight = tighten_exactly(_COVERS, _BUDGET, begin, 0.0, Clock(4.0))
    assert len(tight.cuts.price)
    assert tight.bound < plain.value
    again = covering_bound(_COVERS, _BUDGET, tight.price, tight.cuts)
    assert again == pytest.approx(tight.bound, abs=1.0)
    sites = greedy(_COVERS, reach_of(_COVERS), _BUDGET)
    assert again >= covered_weight(_COVERS, sites)
