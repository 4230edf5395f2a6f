from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fibre_pon.pon_cases import BUDGET, PRICES, random_tree, tree_case
from xinji.errors import InputError
from xinji.io.parameters import PROFILES, load
from xinji.plan.fibre.pon.bounds import edges_bound, units_bound
from xinji.plan.fibre.pon.cables import edge_price, edge_prices, lay_cables
from xinji.plan.fibre.pon.case import AERIAL, BURIED, AccessCase
from xinji.plan.fibre.pon.design import EXACT, ROUTED, design_access
from xinji.plan.fibre.pon.optics import CLASSES, attenuator_db, split_loss_db, with_class, within
from xinji.plan.fibre.pon.prices import SCHEMES, Scheme, read_holes, read_prices, sizes_of
from xinji.plan.fibre.reach import loss_budget
from xinji.plan.fibre.trench import METHODS


def mesh(rng: np.random.Generator, side: int, most: int, *, dug: bool, exchanges: int = 1) -> AccessCase:
    """Return a square mesh; where it is not ``dug``, edges may be buried and some of them strung on poles."""
    place = np.arange(side * side).reshape(side, side)
    tail = np.concatenate([place[:, :-1].ravel(), place[:-1].ravel()])
    head = np.concatenate([place[:, 1:].ravel(), place[1:].ravel()])
    m = len(tail)
    length_m = rng.uniform(50.0, 300.0, m)
    poles = np.where(rng.random(m) < 0.4, 0.3 * length_m, np.inf)
    opening = np.column_stack([np.zeros(m) if dug else length_m, np.full(m, np.inf) if dug else poles])
    nodes = rng.choice(side * side, side * side // 2, replace=False)
    return AccessCase(
        node_count=side * side,
        from_node=tail,
        to_node=head,
        length_m=length_m,
        opening=opening,
        holes=rng.integers(0, 4, m),
        other_cables=rng.integers(0, 3, m),
        exchanges=rng.choice(side * side, exchanges, replace=False),
        premises_node=nodes,
        premises_lines=rng.integers(1, most + 1, len(nodes)),
        premises_stage=rng.integers(1, 4, len(nodes)),
        premises_tail_m=rng.uniform(0.0, 90.0, len(nodes)),
        stages=3,
    )


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans(), st.integers(1, 3))
def test_design_adds_up(seed: int, dug: bool, exchanges: int) -> None:  # noqa: FBT001 - drawn
    rng = np.random.default_rng(seed)
    case = mesh(rng, 5, 30, dug=dug, exchanges=exchanges)
    found = design_access(case, PRICES, BUDGET)
    assert found.reached.all()
    assert found.value == pytest.approx(sum(item.total for item in found.bill))
    assert all(item.total == pytest.approx(item.quantity * item.unit_cost) for item in found.bill)
    assert 0 < found.bound <= found.route_bound <= found.value
    assert found.route_bound == pytest.approx(found.value, rel=0.01)
    # Every fibre has room in its cables; every edge is opened when the first fibre comes.
    fibres = found.drop_fibres + found.distribution_fibres + found.feeder_fibres
    assert (found.cables.count @ PRICES.cable_fibres >= fibres).all()
    assert ((fibres > 0) == (found.edge_stage > 0)).all()
    # Ports: each exchange takes in what its splitters send, and lines are all behind boxes in their stage.
    for stage in range(1, 4):
        lines = case.premises_lines[case.premises_stage <= stage].sum()
        boxes = found.boxes[:, :stage].sum()
        assert boxes * max(sizes_of(scheme, PRICES).box_lines for scheme in SCHEMES) >= lines
        assert found.firsts[:, :stage].sum() * 16 >= boxes
    ways = found.cables.way[fibres > 0]
    assert np.isfinite(case.opening[fibres > 0][np.arange(len(ways)), ways]).all()


def test_only_routes_are_proved_exactly() -> None:
    rng = np.random.default_rng(3)
    found = design_access(random_tree(rng, 30, 9), PRICES, BUDGET)
    assert found.proof == EXACT
    assert found.value == pytest.approx(found.bound)
    assert design_access(mesh(rng, 4, 5, dug=True), PRICES, BUDGET).proof == ROUTED


def test_any_route_costs_at_least_the_bound() -> None:
    # Every spanning tree of a small mesh is designed exactly; none may undercut what is promised of all.
    rng = np.random.default_rng(7)
    for _ in range(4):
        case = mesh(rng, 3, 6, dug=False)
        found = design_access(case, PRICES, BUDGET)
        least = np.inf
        for _ in range(40):
            tree = spanning(case, rng)
            alone = replace(case, opening=np.where(tree[:, np.newaxis], case.opening, np.inf))
            one = design_access(alone, PRICES, BUDGET)
            assert one.proof == EXACT
            least = min(least, one.value)
        assert found.bound <= least + 1e-6


def spanning(case: AccessCase, rng: np.random.Generator) -> np.ndarray:
    """Return a random spanning tree of the mesh (m,)."""
    leader = np.arange(case.node_count)
    chosen = np.zeros(len(case.from_node), dtype=bool)
    for edge in rng.permutation(len(chosen)).tolist():
        one, two = leader[case.from_node[edge]], leader[case.to_node[edge]]
        if one != two:
            leader[leader == two] = one
            chosen[edge] = True
    return chosen


def test_far_premises_take_a_smaller_split_or_stay_out() -> None:
    # 31 dB less 2 dB of connectors and 1 dB of margin; 3.5 dB a doubling, 0.4 dB/km.
    case = tree_case([0, 1, 2], [0, 3, 3, 3], np.array([15_000.0, 4_000.0, 2_000.0]))
    found = design_access(case, PRICES, BUDGET, schemes=(Scheme(8, 8), Scheme(4, 8)))
    assert found.reached.tolist() == [True, True, False]
    assert (found.first[0], found.second[0]) == (4, 8)
    assert found.loss_db[:2] == pytest.approx([3.5 * 5 + 3 + 6.0, 3.5 * 5 + 3 + 7.6])
    assert found.firsts.sum() == 1
    near = design_access(case, PRICES, BUDGET, schemes=(Scheme(8, 8),))
    assert near.reached.tolist() == [True, False, False]


def test_classes_of_optics() -> None:
    assert CLASSES["B+"].most_db == 28
    assert CLASSES["C+"].most_db == 32
    assert CLASSES["N1"].most_db == 29
    assert CLASSES["N2"].most_db == 31
    scheme = Scheme(8, 8)
    assert split_loss_db(np.array([10_000.0]), scheme, BUDGET) == pytest.approx([21 + 2 + 1 + 4])
    assert within(np.array([10_000.0]), scheme, with_class(BUDGET, "B+")).tolist() == [True]
    assert within(np.array([10_001.0]), scheme, with_class(BUDGET, "B+")).tolist() == [False]
    assert attenuator_db(np.array([0.0]), Scheme(2, 2), BUDGET, CLASSES["N2"].least_db) == pytest.approx([7.0])
    with pytest.raises(InputError, match="no class 'Z'"):
        with_class(BUDGET, "Z")


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_cables_cost_what_edges_cost(seed: int) -> None:
    rng = np.random.default_rng(seed)
    case = mesh(rng, 4, 5, dug=bool(rng.integers(2)))
    fibres = rng.integers(0, 120, len(case.from_node))
    prices = replace(PRICES, spare_fibres=float(rng.uniform(0, 0.5)))
    table, laid = edge_prices(case, prices), lay_cables(case, prices, fibres)
    for edge in np.flatnonzero(fibres).tolist():
        price = edge_price(table, edge, int(fibres[edge]))
        assert laid.opening[edge] + laid.laying[edge] == pytest.approx(price)
        factor = prices.aerial_factor if laid.way[edge] == AERIAL else 1.0
        cables = float(laid.count[edge] @ prices.cable_per_m) * factor
        holes = laid.more_holes[edge] * prices.hole_per_m
        assert laid.laying[edge] == pytest.approx(case.length_m[edge] * (cables + holes))
        assert laid.count[edge] @ prices.cable_fibres >= fibres[edge] * (1 + prices.spare_fibres) - 1e-6
        assert edge_price(table, edge, int(fibres[edge]) + 1) >= price - 1e-9
        if laid.way[edge] == BURIED:
            own = laid.count[edge].sum() + case.other_cables[edge] + prices.spare_holes
            assert laid.holes[edge] == own
    assert not laid.count[fibres == 0].any()


def test_few_cables_are_the_cheapest_of_all() -> None:
    case = tree_case([0], [0, 1], np.array([100.0]))
    prices = replace(PRICES, hole_per_m=0.0)
    table = edge_prices(case, prices)
    for fibres in range(1, 30):
        best = min(
            100.0 * (one + 1.5 * two + 3.0 * three)
            for one in range(16)
            for two in range(9)
            for three in range(4)
            if 2 * one + 4 * two + 12 * three >= fibres
        )
        assert edge_price(table, 0, fibres) == pytest.approx(best)


def test_later_lines_wait_for_their_splitters() -> None:
    case = tree_case([0, 1], [0, 8, 8], np.array([100.0, 100.0]), stage=[1, 1, 3])
    found = design_access(case, PRICES, BUDGET, schemes=(Scheme(8, 8),))
    assert found.boxes.sum(axis=0).tolist() == [1, 0, 1]
    assert found.firsts.sum(axis=0).tolist() == [1, 0, 0]
    assert found.edge_stage.tolist() == [1, 3]
    stages = {(item.name, item.stage): item.quantity for item in found.bill}
    assert stages["line", 1] == stages["line", 3] == 8
    assert sum(q for (name, stage), q in stages.items() if name.startswith("cable") and stage == 3) == 100.0


def test_units_bound_counts_whole_units() -> None:
    scheme = Scheme(4, 8)
    # 33 lines: five boxes, two splitters, one cabinet of two.
    expected = 5 * (30 + 16) + 2 * (100 + 8) + 200
    assert units_bound(33, [scheme], PRICES, exchanges=1) == pytest.approx(expected)
    assert units_bound(33, [scheme], PRICES, exchanges=2) < expected
    assert units_bound(0, [scheme], PRICES, exchanges=1) == 0.0


def test_nobody_needs_no_edges() -> None:
    case = tree_case([0], [0, 0], np.array([100.0]))
    assert edges_bound(case, PRICES, np.zeros(0, dtype=bool)) == 0.0
    found = design_access(case, PRICES, BUDGET)
    assert found.value == found.bound == 0.0
    assert found.bill == ()


@pytest.mark.parametrize("profile", PROFILES)
def test_shipped_prices_make_a_network(profile: str) -> None:
    parameters = load(profile)
    prices = read_prices(parameters, peak_mbps=50.0)
    assert read_holes(parameters)["aerial"] == 0
    assert set(read_holes(parameters)) == set(METHODS)
    assert prices.lines_per_port == pytest.approx(min(64.0, 8669 * 0.8 / 50.0))
    found = design_access(random_tree(np.random.default_rng(0), 20, 40), prices, loss_budget(parameters))
    assert found.value == pytest.approx(found.bound)


def test_every_fault_is_told_at_once() -> None:
    case = tree_case([0], [0, 2], np.array([100.0]))
    with pytest.raises(InputError) as raised:
        replace(case, exchanges=np.array([5]), length_m=np.array([-1.0]), premises_stage=np.array([4]))
    assert len(raised.value.faults) == 3
    with pytest.raises(InputError, match="splits a port more than 1:64"):
        design_access(case, PRICES, BUDGET, schemes=(Scheme(16, 8),))
    with pytest.raises(InputError, match="a larger cable is cheaper"):
        replace(PRICES, cable_per_m=np.array([3.0, 2.0, 4.0]))
