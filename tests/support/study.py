"""Studies of made-up regions: a small one for tests and a large one for looks and file sizes."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from xinji.core.arrays import AnyArray, Bools, Floats, Ints, Strings
from xinji.core.demand import Demand
from xinji.core.grid import Grid, Raster
from xinji.core.offer import Offer, Trenches
from xinji.core.parameters import Parameter, Parameters
from xinji.core.plan import Certificate, Plan, Reasons
from xinji.core.policy import Floor, Policy
from xinji.core.problem import Problem
from xinji.core.region import Cells, ExistingFacilities, Region, Roads
from xinji.core.study import Outcome, Study
from xinji.core.vocabulary import GROUPS, RESOURCES, SERVICES

YEARS = (2026, 2027, 2028, 2029, 2030)
CARRIERS = (("carrier_700", 1500.0, 120_000.01), ("carrier_2600", 700.0, 160_000.33))


def strings(values: list[str]) -> Strings:
    """Return ``values`` as an array of text, also when there are none."""
    return np.array(values, dtype=np.str_)


def made_up_region(columns: int = 8, rows: int = 6, *, cell_m: float = 250.0, step: int = 1, seed: int = 7) -> Region:
    """Return a region of ``columns`` x ``rows`` cells with a road along every ``step``-th cell edge."""
    rng = np.random.default_rng(seed)
    west, south = 500_000.0, 3_480_000.0
    x = np.tile(west + (np.arange(columns) + 0.5) * cell_m, rows)
    y = np.repeat(south + (np.arange(rows)[::-1] + 0.5) * cell_m, columns)
    half = cell_m / 2
    middle = np.hypot(x - x.mean(), y - y.mean()) / max(np.ptp(x), np.ptp(y), 1.0)
    group = np.digitize(middle, [0.15, 0.3, 0.42]).astype(np.uint8)
    group = np.where((group == 0) & (x < x.mean()), 0, np.where(group == 0, 1, group)).astype(np.uint8)
    n = len(x)
    density = np.array([0.1, 1.0, 0.4, 0.05])[group]
    cells = Cells(
        id=strings([f"c{i:05d}" for i in range(n)]),
        x_m=x,
        y_m=y,
        shape=shapely.box(x - half, y - half, x + half, y + half),
        area_m2=np.full(n, cell_m**2),
        residents=np.round(rng.gamma(2.0, 250.0, n) * density),
        workers=np.where(group == 0, np.round(rng.gamma(2.0, 200.0, n)), 0.0),
        industrial_area_m2=np.where(group == 0, 30_000.0, 0.0),
        land_use=np.array([4, 2, 1, 12], dtype=np.uint8)[group],
        group=group,
    )
    boundary = shapely.box(west, south, west + columns * cell_m, south + rows * cell_m)
    grid = Grid("EPSG:32650", west, south + rows * cell_m, cell_m, rows, columns)
    lake = boundary.centroid.buffer(cell_m * 0.8)
    return Region(
        name="made_up",
        title_en="Made-up district",
        title_zh="虚构区",
        crs="EPSG:32650",
        latitude_deg=31.5,
        currency="CNY",
        boundary=boundary,
        cells=cells,
        roads=_roads(columns, rows, cell_m, step, (west, south)),
        facilities=_facilities(rng, boundary.bounds),
        terrain=Raster(grid, 5.0 + 3.0 * np.sin(x / 900.0).reshape(rows, columns)),
        clutter=Raster(grid, cells.land_use.reshape(rows, columns).copy()),
        no_build=np.array([boundary.centroid.buffer(cell_m / 2)], dtype=object),
        water=np.array([lake], dtype=object),
        parameters=_parameters(),
        attribution=("© OpenStreetMap contributors (ODbL)", "Made-up figures"),
    )


def _roads(columns: int, rows: int, cell_m: float, step: int, corner: tuple[float, float]) -> Roads:
    xs, ys = np.arange(0, columns + 1, step), np.arange(0, rows + 1, step)
    node_x = corner[0] + np.tile(xs, len(ys)) * cell_m
    node_y = corner[1] + np.repeat(ys, len(xs)) * cell_m
    number = np.arange(len(node_x)).reshape(len(ys), len(xs))
    start = np.concatenate([number[:, :-1].ravel(), number[:-1, :].ravel()])
    end = np.concatenate([number[:, 1:].ravel(), number[1:, :].ravel()])
    ends = np.stack([np.stack([node_x[start], node_y[start]], 1), np.stack([node_x[end], node_y[end]], 1)], 1)
    across, along = np.repeat(np.arange(len(ys)) % 6 == 3, len(xs) - 1), np.tile(xs // step % 8 == 4, len(ys) - 1)
    major = np.concatenate([across, along])
    return Roads(
        node_x_m=node_x.astype(np.float64),
        node_y_m=node_y.astype(np.float64),
        id=strings([f"r{i:05d}" for i in range(len(start))]),
        from_node=start.astype(np.int64),
        to_node=end.astype(np.int64),
        length_m=np.full(len(start), step * cell_m),
        road_class=np.where(major, 2, 5).astype(np.uint8),
        shape=np.asarray(shapely.linestrings(ends), dtype=object),
    )


def _facilities(rng: np.random.Generator, bounds: tuple[float, float, float, float]) -> ExistingFacilities:
    kinds = np.array([0] * 6 + [1] * 2 + [2], dtype=np.uint8)
    k = len(kinds)
    return ExistingFacilities(
        id=strings([f"f{i:02d}" for i in range(k)]),
        kind=kinds,
        x_m=rng.uniform(bounds[0], bounds[2], k),
        y_m=rng.uniform(bounds[1], bounds[3], k),
        height_m=np.full(k, 25.0),
        bands=strings(["700"] * 6 + [""] * 3),
        source=strings(["assumed: made up"] * k),
    )


def _parameters() -> Parameters:
    rows = (
        ("radio.cost.tower_new", 180_000.0, "currency", 120_000.0, 260_000.0, "derived"),
        ("radio.energy.site", 3.7, "kW", 3.0, 4.5, "sourced"),
        ("fibre.trench.open_trench", 120.0, "currency/m", 60.0, 180.0, "user must confirm"),
        ("compute.server", 900_000.0, "currency", 5e5, 2e6, "assumption"),
        ("demand.mobile.growth", 0.15, "1/year", 0.05, 0.25, "sourced"),
    )
    entries = {
        key: Parameter(key, value, unit, "2024", low, high, status, f"Source of {key}", "https://example.org/a?b=1&c=2")
        for key, value, unit, low, high, status in rows
    }
    return Parameters("cn", entries)


@dataclass(frozen=True)
class Wish:
    """What a made-up study plans with."""

    sites: int = 12
    rooms: int = 2
    budget: float = 2_000_000.0
    question: str = "most_value"
    seed: int = 3


def made_up_study(region: Region | None = None, wish: Wish | None = None) -> Study:
    """Return a study whose plan is greedy, feasible within its budgets and exact to the cent."""
    region, wish = region or made_up_region(), wish or Wish()
    policy = Policy(
        years=YEARS,
        budget=(wish.budget,) * len(YEARS),
        carry_over=True,
        priority={"industrial_cluster": 2.0, "urban": 1.5, "town": 1.0, "rural": 0.8},
        floors=(Floor("rural", "mobile_outdoor", 2028, 0.2), Floor("all", "gigabit", 2030, 0.99)),
        question=wish.question,
    )
    demand, trenches = _demand(region), _trenches(region)
    offers = _offers(region, wish)
    problem, row_cell, row_service = _problem(region, policy, demand, trenches, offers)
    offer_number = np.repeat(np.arange(len(offers)), [len(o) for o in offers]).astype(np.int64)
    place = np.concatenate([np.arange(len(o)) for o in offers]).astype(np.int64)
    first = _greedy(problem, np.random.default_rng(wish.seed).random(len(problem.option_id)))
    second = _greedy(problem, offer_number.astype(np.float64))
    plans = [_plan(problem, stages) for stages in (first, second)]
    outcomes = [_outcome(region, demand, problem, plan, offer_number, row_cell, row_service) for plan in plans]
    return Study(
        region, policy, demand, trenches, offers, problem, offer_number, place, row_cell, row_service,
        plans[0], outcomes[0], plans[1], outcomes[1],
    )  # fmt: skip


def _demand(region: Region) -> Demand:
    cells, years = region.cells, len(YEARS)
    people = np.stack([cells.residents, cells.residents, cells.residents, cells.workers, cells.workers], axis=1)
    users = np.repeat(people[:, :, None], years, axis=2)
    growth = 1.15 ** np.arange(years)
    amount = users[..., None] * growth[None, None, :, None] * np.array([0.2, 0.05, 0.001])
    return Demand(users, amount, np.array([np.inf, np.inf, np.inf, np.inf, 5.0]))


def _trenches(region: Region) -> Trenches:
    roads = region.roads
    m = len(roads)
    pops = region.facilities.of_kind("fibre_pop")
    tree = cKDTree(np.stack([roads.node_x_m, roads.node_y_m], 1))
    _, roots = tree.query(np.stack([region.facilities.x_m[pops], region.facilities.y_m[pops]], 1))
    return Trenches(
        node_x_m=roads.node_x_m.copy(),
        node_y_m=roads.node_y_m.copy(),
        id=strings([f"trench-{name}" for name in roads.id]),
        from_node=roads.from_node.copy(),
        to_node=roads.to_node.copy(),
        length_m=roads.length_m.copy(),
        capex=roads.length_m * 61.37,
        opex=roads.length_m * 1.21,
        built=np.full(m, -1, dtype=np.int64),
        road=np.arange(m, dtype=np.int64),
        method=strings(["micro_trench" if c >= 5 else "open_trench" for c in roads.road_class]),
        payer="operator",
        roots=np.unique(roots).astype(np.int64),
        lateral_capex_per_m=50.0,
        lateral_opex_per_m=1.0,
    )


def _offers(region: Region, wish: Wish) -> tuple[Offer, ...]:
    rng = np.random.default_rng(wish.seed)
    cells = region.cells
    return (_radio(cells, rng, wish.sites), _gigabit(cells), _rooms(cells, rng, wish.rooms))


def _radio(cells: Cells, rng: np.random.Generator, sites: int) -> Offer:
    spot = rng.choice(len(cells), sites, replace=sites > len(cells))
    sx, sy = cells.x_m[spot] + rng.uniform(-90, 90, sites), cells.y_m[spot] + rng.uniform(-90, 90, sites)
    old = np.arange(sites) < sites // 4
    kind = [("tower_shared", "tower_new", "rooftop")[0 if o else 1 + i % 2] for i, o in enumerate(old)]
    ids, arcs = [f"site-{i:04d}" for i in range(sites)], []
    tree = cKDTree(np.stack([cells.x_m, cells.y_m], 1))
    for k, (name, reach_m, _) in enumerate(CARRIERS):
        ids += [f"site-{i:04d}/{name}" for i in range(sites)]
        for i in range(sites):
            near = tree.query_ball_point((sx[i], sy[i]), reach_m / 2)
            arcs += [(c, s, sites * (k + 1) + i, 0.95 if s != 1 else 0.7) for c in near for s in (0, 1, 3, 4)]
    many = 1 + len(CARRIERS)
    capex = np.concatenate([np.where(old, 0.0, 182_345.67), *(np.full(sites, price) for _, _, price in CARRIERS)])
    return _offer(
        "radio", ids, kind + [name for name, _, _ in CARRIERS for _ in range(sites)],
        np.tile(sx, many), np.tile(sy, many), capex, np.full(sites * many, 12_000.49),
        host=np.concatenate([np.full(sites, -1), *(np.arange(sites) for _ in CARRIERS)]),
        fibre=np.arange(sites * many) < sites,
        built=np.concatenate([np.where(old, 0, -1), np.full(sites * len(CARRIERS), -1)]),
        arcs=arcs,
    )  # fmt: skip


def _gigabit(cells: Cells) -> Offer:
    home = np.flatnonzero(cells.residents > 0)
    n = len(home)
    ids = [f"gigabit-{cells.id[c]}" for c in home]
    return _offer(
        "fibre", ids, ["gigabit_cell"] * n, cells.x_m[home], cells.y_m[home],
        20_000.0 + cells.residents[home] * 310.17, np.full(n, 900.5), host=np.full(n, -1), fibre=np.ones(n, dtype=bool),
        built=np.full(n, -1), arcs=[(int(c), 2, i, 1.0) for i, c in enumerate(home)],
    )  # fmt: skip


def _rooms(cells: Cells, rng: np.random.Generator, rooms: int) -> Offer:
    spot = rng.choice(len(cells), rooms, replace=False)
    return _offer(
        "compute", [f"edge-{i}" for i in range(rooms)], ["edge_module"] * rooms, cells.x_m[spot], cells.y_m[spot],
        np.full(rooms, 400_000.0), np.full(rooms, 30_000.0), host=np.full(rooms, -1), fibre=np.ones(rooms, dtype=bool),
        built=np.full(rooms, -1), arcs=[],
    )  # fmt: skip


def _offer(  # noqa: PLR0913
    technology: str, ids: list[str], kind: list[str], x: Floats, y: Floats, capex: Floats, opex: Floats,
    *, host: Ints, fibre: Bools, built: Ints, arcs: list[tuple[int, int, int, float]],
) -> Offer:  # fmt: skip
    n = len(ids)
    cell, service, option, share = np.array(arcs, dtype=np.float64).reshape(-1, 4).T
    payer = {"radio": "operator", "fibre": "operator", "compute": "district"}[technology]
    return Offer(
        technology, strings(ids), strings(kind), strings([payer] * n), x, y, capex, opex,
        host.astype(np.int64), fibre, built.astype(np.int64), np.full((n, len(RESOURCES)), np.inf),
        cell.astype(np.int64), service.astype(np.uint8), option.astype(np.int64), share.copy(),
        np.where(service == 4, 20_000.0, np.inf),
    )  # fmt: skip


def _problem(
    region: Region, policy: Policy, demand: Demand, trenches: Trenches, offers: tuple[Offer, ...]
) -> tuple[Problem, Ints, Ints]:
    start = np.cumsum([0, *(len(o) for o in offers)])
    row_of = np.full(demand.users.shape[:2], -1, dtype=np.int64)
    row_cell, row_service = np.nonzero(demand.users.sum(axis=2) > 0)
    row_of[row_cell, row_service] = np.arange(len(row_cell))
    discount = (1 + policy.discount_rate) ** -np.arange(len(YEARS), dtype=np.float64)
    weight = np.array([policy.priority[name] for name in GROUPS])[region.cells.group[row_cell]]
    tree = cKDTree(np.stack([trenches.node_x_m, trenches.node_y_m], 1))
    arc_row = np.concatenate([row_of[o.arc_cell, o.arc_service] for o in offers])
    arc_service = np.concatenate([o.arc_service for o in offers])
    keep = arc_row >= 0

    def all_of(name: str) -> AnyArray:
        return np.concatenate([getattr(o, name) for o in offers])

    place = np.stack([all_of("x_m"), all_of("y_m")], 1)
    node = np.where(all_of("needs_fibre"), tree.query(place)[1], -1).astype(np.int64)
    arc_option = np.concatenate([o.arc_option + s for o, s in zip(offers, start, strict=False)])
    floor_weight = np.stack([_floor_row(f, region, demand, row_cell, row_service) for f in policy.floors])
    problem = Problem(
        years=np.array(YEARS), discount=discount, budget=_cents(np.array(policy.budget)), carry_over=policy.carry_over,
        goal=policy.question, option_id=all_of("id"), capex=_cents(all_of("capex")), opex=_cents(all_of("opex")),
        host=np.concatenate([np.where(o.host >= 0, o.host + s, -1) for o, s in zip(offers, start, strict=False)]),
        node=node, built=all_of("built"), capacity=all_of("capacity"), node_count=len(trenches.node_x_m),
        roots=trenches.roots, trench_id=trenches.id, from_node=trenches.from_node, to_node=trenches.to_node,
        trench_length_m=trenches.length_m, trench_capex=_cents(trenches.capex), trench_opex=_cents(trenches.opex),
        trench_built=trenches.built, value=demand.users[row_cell, row_service] * weight[:, None] * discount,
        amount=demand.amount[row_cell, row_service], arc_row=arc_row[keep], arc_option=arc_option[keep],
        arc_partner=np.where(arc_service[keep] == 4, start[2], -1).astype(np.int64),
        arc_share=all_of("arc_share")[keep],
        arc_limit_m=all_of("arc_path_limit_m")[keep],
        floor_name=strings([f"{f.group}.{f.service}.{f.year}" for f in policy.floors]),
        floor_stage=np.array([YEARS.index(f.year) + 1 for f in policy.floors]),
        floor_weight=floor_weight, floor_amount=np.array([f.share for f in policy.floors]),
    )  # fmt: skip
    return problem, row_cell.astype(np.int64), row_service.astype(np.int64)


def _floor_row(floor: Floor, region: Region, demand: Demand, row_cell: Ints, row_service: Ints) -> Floats:
    names = [service.name for service in SERVICES]
    mine = row_service == names.index(floor.service)
    if floor.group != "all":
        mine &= region.cells.group[row_cell] == GROUPS.index(floor.group)
    users = np.where(mine, demand.users[row_cell, row_service, -1], 0.0)
    weight: Floats = users / max(users.sum(), 1.0)
    return weight


def _cents(money: Floats) -> Ints:
    return np.rint(money * 100).astype(np.int64)


def _greedy(problem: Problem, rank: Floats) -> tuple[Ints, Ints]:
    """Return stages of options and trenches: in the order of ``rank``, each as early as money allows."""
    stage, trench = problem.built.copy(), problem.trench_built.copy()
    size = (problem.node_count,) * 2
    cost = np.maximum(problem.trench_capex, 1).astype(np.float64)
    graph = csr_array((cost, (problem.from_node, problem.to_node)), shape=size)
    _, back, _ = dijkstra(graph, directed=False, indices=problem.roots, return_predecessors=True, min_only=True)
    pairs = zip(problem.from_node.tolist(), problem.to_node.tolist(), strict=True)
    edge = {frozenset(pair): i for i, pair in enumerate(pairs)}
    left = np.cumsum(problem.budget - problem.opex[stage == 0].sum())
    first_rank = np.where(problem.host >= 0, rank[problem.host], rank)
    for i in np.lexsort((problem.host, first_rank)).tolist():
        if stage[i] >= 0 or (problem.host[i] >= 0 and stage[problem.host[i]] < 0):
            continue
        path, node = [], int(problem.node[i])
        while node >= 0 and back[node] >= 0:
            path.append(edge[frozenset((node, int(back[node])))])
            node = int(back[node])
        dig = [e for e in path if trench[e] < 0]
        first = max([1, int(stage[problem.host[i]]) if problem.host[i] >= 0 else 1, *(int(trench[e]) for e in path)])
        for t in range(first, problem.stages + 1):
            years = np.maximum(np.arange(1, problem.stages + 1) - t + 1, 0)
            capex = problem.capex[i] + problem.trench_capex[dig].sum()
            need = np.where(years > 0, capex, 0) + years * (problem.opex[i] + problem.trench_opex[dig].sum())
            if (need <= left).all():
                left, stage[i] = left - need, t
                trench[dig] = t
                break
    return stage, trench


def _plan(problem: Problem, stages: tuple[Ints, Ints]) -> Plan:
    stage, trench = stages
    t = np.arange(1, problem.stages + 1)
    on = (stage[:, None] >= 0) & (stage[:, None] <= t)
    partner = np.where(problem.arc_partner[:, None] >= 0, on[problem.arc_partner], np.True_)
    reach = problem.arc_share[:, None] * (on[problem.arc_option] & partner)
    served = np.zeros_like(reach)
    for k in range(problem.stages):
        order = np.argsort(-reach[:, k], kind="stable")
        _, first = np.unique(problem.arc_row[order], return_index=True)
        best = order[first]
        served[best, k] = reach[best, k]
    worth = np.zeros((len(problem.option_id), problem.stages))
    np.add.at(worth, problem.arc_option, problem.value[problem.arc_row] * np.maximum(served, 0.02))
    value = float((problem.value[problem.arc_row] * served).sum())
    price = (problem.capex + problem.opex * 3) / 100.0
    n = len(stage)
    out = np.where(problem.host >= 0, np.where(stage[problem.host] < 0, "host_out", "outbid"), "outbid")
    built = np.where(stage == 0, "existing", np.where(problem.host < 0, "hosts_others", "worth_it"))
    code = np.where(stage < 0, out, built)
    code = np.where((stage < 0) & (worth.sum(1) == 0), "no_demand_left", code)
    # Nothing here reads the proof, so an empty one serves whatever its fields are.
    empty: dict[str, AnyArray] = {item.name: np.zeros(0) for item in fields(Certificate)}
    certificate = Certificate(**empty)
    reasons = Reasons(code.astype(np.str_), worth.sum(1) * 0.3 + 5.0, price, worth.sum(1))
    capex, opex = _money(problem, stage, trench, np.zeros(n, dtype=np.int64), 1)
    return Plan(
        stage, trench, served, value, value * 1.081, 0.081, (capex + opex).sum(axis=1), seconds=12.5, optimal=False,
        interrupted=False, fingerprint=problem.fingerprint, certificate=certificate, reasons=reasons,
        notes={"start": "greedy"},
    )  # fmt: skip


def _money(problem: Problem, stage: Ints, trench: Ints, column: Ints, trench_column: int) -> tuple[Ints, Ints]:
    capex = np.zeros((problem.stages, max(int(column.max()), trench_column) + 1), dtype=np.int64)
    opex = np.zeros_like(capex)
    for t in range(1, problem.stages + 1):
        np.add.at(capex[t - 1], column[stage == t], problem.capex[stage == t])
        np.add.at(opex[t - 1], column[(stage >= 0) & (stage <= t)], problem.opex[(stage >= 0) & (stage <= t)])
        capex[t - 1, trench_column] += problem.trench_capex[trench == t].sum()
        opex[t - 1, trench_column] += problem.trench_opex[(trench >= 0) & (trench <= t)].sum()
    return capex, opex


def _outcome(
    region: Region, demand: Demand, problem: Problem, plan: Plan, column: Ints, row_cell: Ints, row_service: Ints
) -> Outcome:
    row_served = np.zeros((len(row_cell), problem.stages))
    np.add.at(row_served, problem.arc_row, plan.served)
    cell_served = np.zeros(demand.users.shape)
    cell_served[row_cell, row_service] = row_served
    members = np.stack([region.cells.group == g for g in range(len(GROUPS))]).astype(np.float64)
    users = np.einsum("gc,cst->gst", members, demand.users)
    served = np.einsum("gc,cst->gst", members, demand.users * cell_served)
    return Outcome(users, served, cell_served, *_money(problem, plan.stage, plan.trench_stage, column, 3))
