"""Offers, demand and policy become one problem: money to the cent, pairs, floors, decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import shapely

from xinji.core.demand import Demand
from xinji.core.offer import EXISTING, FORBIDDEN, FREE, Offer, Trenches
from xinji.core.policy import Floor, Policy
from xinji.core.region import Cells
from xinji.core.vocabulary import GROUPS, RESOURCES, SERVICE_NAMES, SERVICES
from xinji.errors import OfferError
from xinji.plan.choose.assemble import Assembly, assemble, to_cents
from xinji.plan.choose.improve import Effort
from xinji.plan.choose.money import objective, spend
from xinji.plan.choose.outcome import outcome
from xinji.plan.choose.solve import solve

YEARS = (2026, 2027)
OUTDOOR, GIGABIT, EDGE = (SERVICE_NAMES.index(name) for name in ("mobile_outdoor", "gigabit", "industrial_edge"))
PRIORITY = dict(zip(GROUPS, (3.0, 2.0, 1.0, 0.5), strict=True))


def cells() -> Cells:
    n = 3
    x_m = np.array([0.0, 100.0, 200.0])
    return Cells(
        id=np.array(["c0", "c1", "c2"]),
        x_m=x_m,
        y_m=np.zeros(n),
        shape=np.array([shapely.box(x - 50, -50, x + 50, 50) for x in x_m], dtype=object),
        area_m2=np.full(n, 10_000.0),
        residents=np.array([100.0, 50.0, 10.0]),
        workers=np.array([80.0, 0.0, 0.0]),
        industrial_area_m2=np.zeros(n),
        land_use=np.zeros(n, dtype=np.uint8),
        group=np.array([0, 1, 3], dtype=np.uint8),
    )


def demand() -> Demand:
    rng = np.random.default_rng(5)
    users = rng.integers(1, 100, (3, len(SERVICES), len(YEARS))).astype(float)
    amount = rng.uniform(0.0, 5.0, (3, len(SERVICES), len(YEARS), len(RESOURCES)))
    return Demand(users, amount, np.full(len(SERVICES), np.inf))


def trenches() -> Trenches:
    return Trenches(
        node_x_m=np.array([0.0, 100.0, 200.0]),
        node_y_m=np.zeros(3),
        id=np.array(["t0", "t1"]),
        from_node=np.array([0, 1]),
        to_node=np.array([1, 2]),
        length_m=np.array([100.0, 100.0]),
        capex=np.array([1234.564, 99.996]),
        opex=np.array([12.344, 0.006]),
        built=np.array([FREE, FREE]),
        road=np.array([0, 1]),
        method=np.array(["open", "open"]),
        payer="operator",
        roots=np.array([0, 0]),
        lateral_capex_per_m=10.0,
        lateral_opex_per_m=0.5,
    )


Arc = tuple[int, int, int, float]
"""Cell, service, option, share."""


def offer(technology: str, x_m: Sequence[float], arcs: Sequence[Arc], **changed: object) -> Offer:
    n = len(x_m)
    cell, service, option, share = zip(*arcs, strict=True)
    plain = Offer(
        technology=technology,
        id=np.array([f"{technology}-{i}" for i in range(n)]),
        kind=np.array(["thing"] * n),
        payer=np.array(["operator"] * n),
        x_m=np.array(x_m, dtype=float),
        y_m=np.full(n, 3.0),
        capex=np.linspace(100.0, 100.0 + 0.005 * (n - 1), n),
        opex=np.full(n, 10.0),
        host=np.full(n, -1),
        needs_fibre=np.ones(n, dtype=bool),
        built=np.full(n, FREE),
        capacity=np.full((n, len(RESOURCES)), np.inf),
        arc_cell=np.array(cell),
        arc_service=np.array(service, dtype=np.uint8),
        arc_option=np.array(option),
        arc_share=np.array(share),
        arc_path_limit_m=np.full(len(arcs), np.inf),
    )
    return replace(plain, **changed)  # type: ignore[arg-type]


def offers() -> tuple[Offer, ...]:
    radio = offer(
        "radio",
        [0.0, 0.0, 104.0],
        [(2, OUTDOOR, 2, 0.8), (0, OUTDOOR, 1, 1.0), (0, EDGE, 1, 0.9), (0, EDGE, 2, 0.5), (1, EDGE, 2, 1.0)],
        host=np.array([-1, 0, -1]),
        needs_fibre=np.array([True, False, True]),
        arc_path_limit_m=np.array([np.inf, np.inf, 500.0, 700.0, np.inf]),
    )
    fibre = offer("fibre", [200.0], [(2, GIGABIT, 0, 1.0)])
    compute = offer(
        "compute",
        [0.0, 200.0],
        [(0, EDGE, 1, 0.7), (0, EDGE, 0, 1.0), (2, EDGE, 0, 1.0)],
        built=np.array([EXISTING, FREE]),
        arc_path_limit_m=np.array([600.0, 400.0, 1.0]),
    )
    return radio, fibre, compute


def policy(*floors: Floor) -> Policy:
    return Policy(YEARS, (1000.006, 2000.0), priority=PRIORITY, floors=floors, discount_rate=0.1)


def assembled(*floors: Floor, decisions: dict[str, int] | None = None) -> Assembly:
    return assemble(cells(), policy(*floors), demand(), trenches(), offers(), decisions=decisions)


def test_cents_are_rounded_not_cut() -> None:
    assert to_cents(np.array([0.1 + 0.2, 19.999, 1e9 + 0.01])).tolist() == [30, 2000, 100_000_000_001]


def test_money_is_whole_cents_with_the_lateral_in_it() -> None:
    problem = assembled().problem
    distance = [3.0, 0.0, 5.0, 3.0, 3.0, 3.0]
    capex = [100.0, 100.005, 100.01, 100.0, 100.0, 100.005]
    assert problem.capex.dtype == np.int64
    assert problem.capex.tolist() == [round((c + 10.0 * d) * 100) for c, d in zip(capex, distance, strict=True)]
    assert problem.opex.tolist() == [round((10.0 + 0.5 * d) * 100) for d in distance]
    assert problem.trench_capex.tolist() == [123456, 10000]
    assert problem.trench_opex.tolist() == [1234, 1]
    assert problem.budget.tolist() == [100001, 200000]


def test_options_are_joined_at_the_nearest_node_and_keep_their_hosts() -> None:
    assembly = assembled()
    problem = assembly.problem
    assert problem.node.tolist() == [0, -1, 1, 2, 0, 2]
    assert problem.host.tolist() == [-1, 0, -1, -1, -1, -1]
    assert problem.roots.tolist() == [0]
    assert assembly.option_offer.tolist() == [0, 0, 0, 1, 2, 2]
    assert assembly.option_place.tolist() == [0, 1, 2, 0, 0, 1]
    ids = [str(o.id[i]) for o in offers() for i in range(len(o))]
    assert problem.option_id.tolist() == ids


def test_an_industrial_flow_gets_every_pair_of_radio_and_compute_in_its_cell() -> None:
    assembly = assembled()
    problem = assembly.problem
    found = {
        (int(assembly.row_cell[r]), int(o), int(p)): (float(s), float(m))
        for r, o, p, s, m in zip(
            problem.arc_row,
            problem.arc_option,
            problem.arc_partner,
            problem.arc_share,
            problem.arc_limit_m,
            strict=True,
        )
        if assembly.row_service[r] == EDGE
    }
    radio, _, compute = offers()
    expected = {}
    for a, b in product(range(5), range(3)):
        both = radio.arc_service[a] == EDGE and radio.arc_cell[a] == compute.arc_cell[b]
        if both:
            key = (int(radio.arc_cell[a]), int(radio.arc_option[a]), int(compute.arc_option[b]) + 4)
            limit = min(float(radio.arc_path_limit_m[a]), float(compute.arc_path_limit_m[b]))
            expected[key] = (min(float(radio.arc_share[a]), float(compute.arc_share[b])), limit)
    assert len(expected) == 4
    assert found == expected
    plain = problem.arc_partner < 0
    assert (assembly.row_service[problem.arc_row[plain]] != EDGE).all()


def test_rows_are_what_somebody_can_serve_and_their_worth_is_weighted_and_discounted() -> None:
    assembly = assembled()
    rows = list(zip(assembly.row_cell.tolist(), assembly.row_service.tolist(), strict=True))
    assert sorted(rows) == sorted([(0, OUTDOOR), (2, OUTDOOR), (2, GIGABIT), (0, EDGE)])
    for place, (cell, service) in enumerate(rows):
        for t in range(2):
            weight = PRIORITY[GROUPS[int(cells().group[cell])]]
            worth = demand().users[cell, service, t] * weight / 1.1**t
            assert assembly.problem.value[place, t] == pytest.approx(worth)
        assert np.array_equal(assembly.problem.amount[place], demand().amount[cell, service])


def test_a_floor_counts_all_users_of_its_group_also_those_nobody_can_serve() -> None:
    floors = (Floor("all", "mobile_outdoor", 2027, 0.5), Floor("rural", "gigabit", 2026, 0.9))
    assembly = assembled(*floors)
    problem, users = assembly.problem, demand().users
    assert problem.floor_name.tolist() == ["all:mobile_outdoor:2027", "rural:gigabit:2026"]
    assert problem.floor_stage.tolist() == [2, 1]
    assert problem.floor_amount[0] == pytest.approx(0.5 * users[:, OUTDOOR, 1].sum())
    assert problem.floor_amount[1] == pytest.approx(0.9 * users[2, GIGABIT, 0])
    for place, (cell, service) in enumerate(zip(assembly.row_cell, assembly.row_service, strict=True)):
        assert problem.floor_weight[0, place] == (users[cell, OUTDOOR, 1] if service == OUTDOOR else 0.0)
        assert problem.floor_weight[1, place] == (users[2, GIGABIT, 0] if (cell, service) == (2, GIGABIT) else 0.0)


def test_decisions_fix_and_forbid_but_what_exists_stays() -> None:
    decisions = {"radio-0": 2, "fibre-0": FORBIDDEN, "compute-0": FORBIDDEN, "compute-1": EXISTING}
    assert assembled(decisions=decisions).problem.built.tolist() == [2, FREE, FREE, FORBIDDEN, EXISTING, EXISTING]


def test_all_unknown_ids_are_named_at_once() -> None:
    with pytest.raises(OfferError) as caught:
        assembled(decisions={"radio-9": 1, "fibre-0": 1, "mast": FORBIDDEN})
    assert len(caught.value.faults) == 2
    assert "'radio-9'" in str(caught.value)
    assert "'mast'" in str(caught.value)


def test_without_compute_there_are_no_industrial_flows() -> None:
    assembly = assemble(cells(), policy(), demand(), trenches(), offers()[:2])
    assert EDGE not in assembly.row_service
    assert (assembly.problem.arc_partner == -1).all()


def test_offers_that_serve_nobody_are_refused() -> None:
    useless = offer("radio", [0.0], [(0, EDGE, 0, 1.0)])
    elsewhere = offer("compute", [0.0], [(1, EDGE, 0, 1.0)])
    with pytest.raises(OfferError, match="no option can serve any cell"):
        assemble(cells(), policy(), demand(), trenches(), (useless, elsewhere))


def test_the_same_input_gives_the_same_problem() -> None:
    assert assembled().problem.fingerprint == assembled().problem.fingerprint
    changed = assemble(cells(), replace(policy(), carry_over=True), demand(), trenches(), offers())
    assert changed.problem.fingerprint != assembled().problem.fingerprint


@pytest.mark.parametrize("question", ["most_value", "least_cost"])
def test_an_outcome_adds_up(question: str) -> None:
    wishes = replace(policy(Floor("all", "mobile_outdoor", 2026, 0.2)), budget=(2000.0, 2000.0), question=question)
    assembly = assemble(cells(), wishes, demand(), trenches(), offers())
    plan = solve(assembly.problem, Effort(tries=3, rounds=2))
    result = outcome(assembly, plan, cells(), demand())
    assert np.array_equal((result.capex + result.opex).sum(axis=1), plan.spend)
    assert np.array_equal(plan.spend, spend(assembly.problem, plan.stage, plan.trench_stage))
    assert result.users.sum() == pytest.approx(demand().users.sum())
    assert (result.served <= result.users + 1e-9).all()
    weights = np.array([PRIORITY[group] for group in GROUPS])[:, None, None] / 1.1 ** np.arange(2)
    worth = objective(replace(assembly.problem, goal="most_value"), plan.stage, plan.trench_stage, plan.served)
    assert (result.served * weights).sum() == pytest.approx(worth)
    assert worth > 0.0
    radio = assembly.option_offer == 0
    for t in (1, 2):
        assert result.capex[t - 1, 0] == assembly.problem.capex[radio & (plan.stage == t)].sum()
        assert (
            result.opex[t - 1, -1]
            == assembly.problem.trench_opex[(plan.trench_stage >= 0) & (plan.trench_stage <= t)].sum()
        )
