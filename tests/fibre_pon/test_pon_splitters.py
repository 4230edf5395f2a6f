from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fibre_pon.pon_cases import every_design, random_tree, tree_case
from xinji.plan.fibre.pon.cables import EdgePrices
from xinji.plan.fibre.pon.case import AccessCase
from xinji.plan.fibre.pon.prices import Sizes
from xinji.plan.fibre.pon.routes import shortest
from xinji.plan.fibre.pon.splitters import Forest, place_splitters

WIDTH = 60


def forest_of(case: AccessCase) -> Forest:
    ways = shortest(case, np.ones(len(case.from_node), dtype=bool))
    return Forest(ways.order, ways.parent, ways.edge, case.lines_at(np.ones(len(case.premises_node), dtype=bool)))


def rising_prices(case: AccessCase, rng: np.random.Generator) -> EdgePrices:
    """Return prices that rise by steps of any size, other ones on each edge."""
    m = len(case.from_node)
    steps = rng.exponential(1.0, (m, WIDTH)) * (rng.random((m, WIDTH)) < 0.4)
    row = np.tile(np.arange(m)[:, np.newaxis], (1, 2))
    opening = np.tile([0.0, np.inf], (m, 1))
    return EdgePrices(opening, case.length_m, row, np.cumsum(steps, axis=1), np.ones(m), 4, 0.0)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_no_design_is_cheaper(seed: int) -> None:
    rng = np.random.default_rng(seed)
    nodes = int(rng.integers(2, 6))
    case = random_tree(rng, nodes, int(rng.integers(1, 4)))
    forest = forest_of(case)
    if forest.lines.sum() > 8:
        return
    money = rng.uniform(0, 400, 3)
    counts = rng.integers(1, 4, 2).tolist()
    sizes = Sizes(counts[0], counts[1], int(rng.integers(1, 3)), *money.tolist())
    prices = rising_prices(case, rng)
    price = np.zeros((nodes, WIDTH))
    price[1:, 1:] = case.length_m[:, np.newaxis] * prices.per_m[:, 1:]
    found = place_splitters(forest, prices, sizes)
    best = every_design(case.from_node.tolist(), forest.lines.tolist(), sizes, price)
    assert found.cost == pytest.approx(best)
    assert found.bound == found.cost


def recomputed(forest: Forest, prices: EdgePrices, sizes: Sizes, found: object) -> float:
    """Return the cost of what was placed, added up without the programme; fails where the fibres do not add up."""
    units = {name: np.asarray(getattr(found, name)) for name in ("boxes", "firsts", "cabinets")}
    fibres = {name: np.asarray(getattr(found, name)) for name in ("drop", "distribution", "feeder")}
    nodes = len(forest.parent)
    arriving = {name: np.zeros(nodes, dtype=np.int64) for name in fibres}
    for node in range(nodes):
        for name, up in fibres.items():
            if forest.parent[node] >= 0:
                arriving[name][forest.parent[node]] += up[node]
    split = forest.lines + arriving["drop"] - fibres["drop"]
    assert (split == np.clip(split, 0, units["boxes"] * sizes.box_lines)).all()
    into = arriving["distribution"] + units["boxes"] - fibres["distribution"]
    assert (into == np.clip(into, 0, units["firsts"] * sizes.first_boxes)).all()
    assert (units["firsts"] <= units["cabinets"] * sizes.cabinet_firsts).all()
    inner = forest.parent >= 0
    assert (arriving["feeder"] + units["firsts"] == fibres["feeder"])[inner].all()
    assert not (fibres["drop"] + fibres["distribution"])[~inner].any()
    carried = sum(fibres.values(), np.zeros(nodes, dtype=np.int64))
    width, total = prices.per_m.shape[1], 0.0
    for node in np.flatnonzero(inner & (carried > 0)).tolist():
        edge, more = forest.edge[node], 0
        while carried[node] - more * prices.period >= width:
            more += 1
        row = prices.row[edge, 0]
        per_m = prices.per_m[row, carried[node] - more * prices.period] + more * prices.step[row]
        total += float(prices.length_m[edge] * per_m)
    cost = (sizes.box_cost, sizes.first_cost, sizes.cabinet_cost)
    return total + float(sum(units[name].sum() * each for name, each in zip(units, cost, strict=True)))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([2, 5, 400]))
def test_what_is_placed_adds_up_and_few_labels_still_bound(seed: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    case = random_tree(rng, 40, 12)
    forest = forest_of(case)
    sizes = Sizes(4, 3, 2, *rng.uniform(0, 400, 3).tolist())
    prices = rising_prices(case, rng)
    found = place_splitters(forest, prices, sizes, most_labels=most)
    assert recomputed(forest, prices, sizes, found) == pytest.approx(found.cost)
    full = place_splitters(forest, prices, sizes, most_labels=5000)
    assert full.bound == full.cost
    assert found.bound <= full.cost + 1e-6
    assert found.cost >= full.cost - 1e-6


def test_nobody_costs_nothing() -> None:
    case = tree_case([0, 1], [0, 0, 0], np.ones(2))
    found = place_splitters(
        forest_of(case), rising_prices(case, np.random.default_rng(0)), Sizes(8, 8, 4, 1.0, 1.0, 1.0)
    )
    assert found.cost == found.bound == 0.0
