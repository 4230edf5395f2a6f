"""The greedy constructor: the most worth for the priced money first, every cost booked exactly.

A candidate is an option with service arcs, bundled with the hosts that it still lacks and the way
to the nearest joined node. Worth is what the option adds to what stands, capacities and rows' rests
counted; money of each stage has the price that the bound found.
"""

from __future__ import annotations

import heapq
from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Floats, Ints
from xinji.core.offer import FREE
from xinji.core.problem import Problem
from xinji.plan.choose.index import SERVERS, Index, index
from xinji.plan.choose.network import (
    Graph,
    Network,
    affordable,
    book_way,
    dig_way,
    graph_of,
    start_stage,
)
from xinji.plan.jit import compiled

_NOBODY = 1e-9
_ENOUGH = 1.0 - 1e-9


class Task(NamedTuple):
    """What does not change while plans are constructed; arrays as in ``Problem``.

    ``theirs_start`` (n + 1,) and ``theirs`` list the arcs (kernel order) that an option is partner of,
    ``owner`` (a,) is the option of each arc; ``price`` (T,) is the worth of a cent,
    ``room_price`` (n, T, resources) that of a unit of capacity; ``cheapest`` [cents] the least that
    any candidate costs when built.
    """

    arcs: Index
    graph: Graph
    capex: Floats
    opex: Floats
    host: Ints
    node: Ints
    built: Ints
    owner: Ints
    theirs_start: Ints
    theirs: Ints
    children_start: Ints
    children: Ints
    at_node_start: Ints
    at_node: Ints
    price: Floats
    room_price: Floats
    cheapest: float


class State(NamedTuple):
    """A plan under construction; all arrays are written in place.

    ``stage`` (n,) -1 never; ``rest`` (r, T) the share of each row not served yet; ``room`` (n, T,
    resources) the capacity left; ``served`` (a, T) in kernel order.
    """

    stage: Ints
    rest: Floats
    room: Floats
    served: Floats


class Aim(NamedTuple):
    """What a greedy pass is after.

    ``worth`` (r, T) of serving rows; ``noise`` (n,) multiplies the ratios; options under the ratio
    ``least`` are left alone; with ``floor_amount`` above 0 the pass stops once that amount of
    ``floor_weight`` (r,) is served in ``floor_stage``.
    """

    worth: Floats
    noise: Floats
    least: float
    carry_over: bool
    floor_weight: Floats
    floor_amount: float
    floor_stage: int


def task(problem: Problem, price: Floats, room_price: Floats) -> Task:
    """Return the constructor's view of ``problem``.

    ``price`` (T,) is the worth of a cent and ``room_price`` (n, T, resources) of a unit of capacity.
    """
    arcs = index(problem)
    n = len(problem.option_id)
    with_partner = np.flatnonzero(arcs.partner >= 0)
    theirs = with_partner[np.argsort(arcs.partner[with_partner], kind="stable")]
    children = np.argsort(problem.host, kind="stable")
    at_node = np.argsort(problem.node, kind="stable")
    return Task(
        arcs=arcs,
        graph=graph_of(problem),
        capex=problem.capex.astype(float),
        opex=problem.opex.astype(float),
        host=problem.host.copy(),
        node=problem.node.copy(),
        built=problem.built.copy(),
        owner=np.repeat(np.arange(n), np.diff(arcs.start)),
        theirs_start=np.searchsorted(arcs.partner[theirs], np.arange(n + 1)).astype(np.int64),
        theirs=theirs.astype(np.int64),
        children_start=np.searchsorted(problem.host[children], np.arange(n + 1)).astype(np.int64),
        children=children.astype(np.int64),
        at_node_start=np.searchsorted(problem.node[at_node], np.arange(problem.node_count + 1)).astype(np.int64),
        at_node=at_node.astype(np.int64),
        room_price=room_price.copy(),
        cheapest=_cheapest(problem, arcs),
        price=np.maximum(price, price.max() * 1e-6 + 1e-300),
    )


def _cheapest(problem: Problem, arcs: Index) -> float:
    serves = (np.diff(arcs.start) > 0) & (problem.built == FREE)
    serves[arcs.partner[arcs.partner >= 0]] = True
    cost = (problem.capex + problem.opex)[serves]
    return float(cost.min()) if len(cost) else np.inf


def new_state(problem: Problem, arcs: Index) -> State:
    """Return a plan in which nothing stands; under least_cost only rows that a floor counts ask for service."""
    n, resources = problem.capacity.shape
    room = np.where(arcs.limited, arcs.capacity, np.inf)
    counted = (problem.floor_weight.sum(axis=0) > 0).astype(float)
    asked = counted if problem.goal == "least_cost" else np.ones(len(problem.value))
    return State(
        stage=np.full(n, -1, dtype=np.int64),
        rest=np.repeat(asked[:, None], problem.stages, axis=1),
        room=np.repeat(room[:, None, :], problem.stages, axis=1).reshape(n, problem.stages, resources),
        served=np.zeros((len(arcs.row), problem.stages)),
    )


@compiled
def resume(plan: Task, state: State, served: Floats, keep: Ints) -> None:
    """Let the options ``keep`` (n,) stand in a new ``state`` and serve what they already do of ``served`` (a, T)."""
    arcs = plan.arcs
    state.stage[:] = keep
    for arc in range(len(arcs.row)):
        other, row = arcs.partner[arc], arcs.row[arc]
        if keep[plan.owner[arc]] < 0 or (other >= 0 and keep[other] < 0):
            continue
        for t in range(served.shape[1]):
            share = served[arc, t]
            if share > 0.0:
                state.served[arc, t] = share
                state.rest[row, t] -= share
                for k in range(state.room.shape[2]):
                    carrier = other if (k == SERVERS and other >= 0) else plan.owner[arc]
                    state.room[carrier, t, k] -= share * arcs.amount[row, t, k]


@compiled
def _serve(plan: Task, state: State, arc: int, t: int, book: bool) -> float:
    """Return the share that ``arc`` could serve more in stage index ``t``; book it if asked."""
    arcs, option, other, row = plan.arcs, plan.owner[arc], plan.arcs.partner[arc], plan.arcs.row[arc]
    share = min(arcs.share[arc] - state.served[arc, t], state.rest[row, t])
    if share <= _NOBODY:
        return 0.0
    for k in range(state.room.shape[2]):
        amount = arcs.amount[row, t, k]
        if amount > 0.0:
            carrier = other if (k == SERVERS and other >= 0) else option
            share = min(share, state.room[carrier, t, k] / amount)
    if share <= _NOBODY:
        return 0.0
    if book:
        state.served[arc, t] += share
        state.rest[row, t] -= share
        for k in range(state.room.shape[2]):
            carrier = other if (k == SERVERS and other >= 0) else option
            state.room[carrier, t, k] -= share * arcs.amount[row, t, k]
    return float(share)


@compiled
def _own_gain(plan: Task, state: State, worth: Floats, option: int, stage: int, hopeful: bool) -> float:
    """Return an upper estimate of the worth that ``option`` adds from ``stage`` on; nothing is booked.

    If ``hopeful``, partners that may still be built count as standing.
    """
    arcs, gain, resources = plan.arcs, 0.0, state.room.shape[2]
    for t in range(stage - 1, worth.shape[1]):
        used = np.zeros(resources)
        for arc in range(arcs.start[option], arcs.start[option + 1]):
            other, row = arcs.partner[arc], arcs.row[arc]
            if other >= 0 and not (0 <= state.stage[other] <= t + 1 or (hopeful and plan.built[other] == FREE)):
                continue
            share = min(arcs.share[arc], state.rest[row, t])
            for k in range(resources):
                amount = arcs.amount[row, t, k]
                if amount > 0.0:
                    mine = not (k == SERVERS and other >= 0)
                    room = state.room[option, t, k] - used[k] if mine else state.room[other, t, k]
                    share = min(share, max(room, 0.0) / amount)
            if share <= _NOBODY:
                continue
            gain += share * worth[row, t]
            for k in range(resources):
                if not (k == SERVERS and other >= 0):
                    used[k] += share * arcs.amount[row, t, k]
    return gain


@compiled
def _partner_gain(plan: Task, state: State, worth: Floats, option: int, stage: int) -> float:
    """Return the worth that the flows waiting for ``option`` as their partner would add."""
    gain = 0.0
    for t in range(stage - 1, worth.shape[1]):
        room = state.room[option, t, SERVERS]
        for place in range(plan.theirs_start[option], plan.theirs_start[option + 1]):
            arc = plan.theirs[place]
            if not 0 <= state.stage[plan.owner[arc]] <= t + 1:
                continue
            row, owner = plan.arcs.row[arc], plan.owner[arc]
            share = min(plan.arcs.share[arc] - state.served[arc, t], state.rest[row, t])
            profit = worth[row, t]
            for k in range(state.room.shape[2]):
                amount = plan.arcs.amount[row, t, k]
                if k == SERVERS and amount > 0.0:
                    share = min(share, max(room, 0.0) / amount)
                elif state.room[owner, t, k] < share * amount:
                    profit -= amount * plan.room_price[owner, t, k]
            if share > _NOBODY and profit > 0.0:
                room -= share * plan.arcs.amount[row, t, SERVERS]
                gain += share * profit
    return gain


@compiled
def stand(plan: Task, state: State, option: int, stage: int) -> None:
    """Let ``option`` stand from ``stage`` on (0 existing) and serve what it can."""
    state.stage[option] = stage
    for t in range(max(stage - 1, 0), state.rest.shape[1]):
        for arc in range(plan.arcs.start[option], plan.arcs.start[option + 1]):
            other = plan.arcs.partner[arc]
            if other < 0 or 0 <= state.stage[other] <= t + 1:
                _serve(plan, state, arc, t, True)
        for place in range(plan.theirs_start[option], plan.theirs_start[option + 1]):
            arc = plan.theirs[place]
            if 0 <= state.stage[plan.owner[arc]] <= t + 1:
                _serve(plan, state, arc, t, True)


@compiled
def bundle_need(plan: Task, state: State, network: Network, option: int, stage: int) -> tuple[Floats, int]:
    """Return the cost by stage (T,) [cents] of ``option`` with what it lacks, and the node to join (-1 none).

    The first figure is infinite where a host is forbidden or committed later, or no way leads to a root.
    """
    stages = len(network.left)
    need = np.zeros(stages)
    join, at = -1, option
    while at >= 0 and not 0 <= state.stage[at] <= stage:
        if plan.built[at] not in (FREE, stage) or state.stage[at] >= 0:
            need[0] = np.inf
            return need, -1
        need[stage - 1] += plan.capex[at]
        for t in range(stage - 1, stages):
            need[t] += plan.opex[at]
        if plan.node[at] >= 0:
            join = plan.node[at]
            if not np.isfinite(network.distance[join]):
                need[0] = np.inf
                return need, -1
            book_way(plan.graph, network, join, stage, need)
        at = plan.host[at]
    return need, join


@compiled
def build(plan: Task, state: State, network: Network, option: int, stage: int, limit: float) -> Ints:
    """Build ``option`` with its lacking hosts in ``stage``, dig its way, book the cost; return nodes come nearer."""
    need, join = bundle_need(plan, state, network, option, stage)
    network.left[:] -= need
    chain = [option]
    while plan.host[chain[-1]] >= 0 and state.stage[plan.host[chain[-1]]] < 0:
        chain.append(plan.host[chain[-1]])
    for place in range(len(chain) - 1, -1, -1):
        stand(plan, state, chain[place], stage)
    if join >= 0:
        return dig_way(plan.graph, network, join, stage, limit)
    return np.zeros(0, dtype=np.int64)


@compiled
def gain_at(plan: Task, state: State, worth: Floats, option: int, stage: int, hopeful: bool) -> float:
    """Return the worth that ``option`` would add from ``stage`` on; ``hopeful`` as in ``_own_gain``."""
    gain = _own_gain(plan, state, worth, option, stage, hopeful)
    if plan.theirs_start[option + 1] > plan.theirs_start[option]:
        gain += _partner_gain(plan, state, worth, option, stage)
    return gain


@compiled
def out_gains(plan: Task, state: State, worth: Floats, stage: int) -> Floats:
    """Return the worth that each option that does not stand would add from ``stage`` on (n,)."""
    gain = np.zeros(len(state.stage))
    for option in range(len(gain)):
        if state.stage[option] < 0:
            gain[option] = gain_at(plan, state, worth, option, stage, False)
    return gain


@compiled
def _ratio(plan: Task, state: State, network: Network, aim: Aim, option: int, stage: int) -> float:
    """Return the worth that ``option`` adds for each unit of priced money; 0 where it cannot be built."""
    if plan.built[option] != FREE or state.stage[option] >= 0:
        return 0.0
    gain = gain_at(plan, state, aim.worth, option, stage, aim.floor_amount > 0.0)
    if gain <= 0.0:
        return 0.0
    need, _ = bundle_need(plan, state, network, option, stage)
    price = (need * plan.price).sum()
    return gain / max(price, 1e-12) if np.isfinite(price) else 0.0


@compiled
def floor_met(state: State, aim: Aim) -> bool:
    """Return whether the aim's amount of the rows' weight is served in its floor stage."""
    served = ((1.0 - state.rest[:, aim.floor_stage - 1]) * aim.floor_weight).sum()
    return bool(served >= aim.floor_amount * _ENOUGH)


@compiled
def _put_back(heap: list[tuple[float, int]], key: Floats, top: float, option: int) -> None:
    if 0.0 <= key[option] < top:
        key[option] = top
        heapq.heappush(heap, (-top, option))


@compiled
def _touch(plan: Task, heap: list[tuple[float, int]], key: Floats, option: int, nearer: Ints) -> None:
    """Put back on top of the heap whatever a new ``option`` may have made cheaper or more useful."""
    top = -heap[0][0] if len(heap) > 0 else 1e-300
    for arc in range(plan.arcs.start[option], plan.arcs.start[option + 1]):
        if plan.arcs.partner[arc] >= 0:
            _put_back(heap, key, top, plan.arcs.partner[arc])
    for place in range(plan.theirs_start[option], plan.theirs_start[option + 1]):
        _put_back(heap, key, top, plan.owner[plan.theirs[place]])
    for place in range(plan.children_start[option], plan.children_start[option + 1]):
        _put_back(heap, key, top, plan.children[place])
    host = plan.host[option]
    if host >= 0:
        for place in range(plan.children_start[host], plan.children_start[host + 1]):
            _put_back(heap, key, top, plan.children[place])
    for node in nearer:
        for place in range(plan.at_node_start[node], plan.at_node_start[node + 1]):
            other = plan.at_node[place]
            _put_back(heap, key, top, other)
            for child in range(plan.children_start[other], plan.children_start[other + 1]):
                _put_back(heap, key, top, plan.children[child])


@compiled
def _first_keys(plan: Task, state: State, network: Network, aim: Aim, stage: int) -> Floats:
    """Return the ratio of every option (n,), -1 for what the aim leaves out."""
    key = np.full(len(plan.capex), -1.0)
    for option in range(len(key)):
        if aim.noise[option] > 0.0:
            key[option] = _ratio(plan, state, network, aim, option, stage) * aim.noise[option]
    return key


@compiled
def _money(network: Network, stage: int, carry_over: bool) -> float:
    """Return what can still be spent in ``stage`` [cents], later stages left aside."""
    return float(network.left[:stage].sum() if carry_over else network.left[stage - 1])


@compiled
def greedy_stage(plan: Task, state: State, network: Network, aim: Aim, stage: int) -> None:
    """Build in ``stage`` by falling ratio while money lasts, the ratio is enough and the floor is not met.

    Keys on the heap only ever overestimate what was touched since, so a candidate is taken when its
    fresh ratio still tops the heap.
    """
    limit = _money(network, stage, aim.carry_over)
    if limit < plan.cheapest:
        return
    start_stage(plan.graph, network, stage, limit)
    key = _first_keys(plan, state, network, aim, stage)
    heap = [(-key[option], option) for option in range(len(key)) if key[option] > aim.least]
    heapq.heapify(heap)
    while len(heap) > 0 and not (aim.floor_amount > 0.0 and floor_met(state, aim)):
        negative, option = heapq.heappop(heap)
        if -negative < key[option] - 1e-12 or state.stage[option] >= 0:
            continue
        fresh = _ratio(plan, state, network, aim, option, stage) * aim.noise[option]
        key[option] = fresh
        if fresh <= aim.least:
            continue
        if len(heap) > 0 and fresh < -heap[0][0] * (1.0 - 1e-9):
            heapq.heappush(heap, (-fresh, option))
            continue
        need, _ = bundle_need(plan, state, network, option, stage)
        if affordable(network.left, need, aim.carry_over):
            _touch(plan, heap, key, option, build(plan, state, network, option, stage, limit))
            if _money(network, stage, aim.carry_over) < plan.cheapest:
                return


@compiled
def stand_existing(plan: Task, state: State, network: Network) -> None:
    """Let everything that exists stand, its opex booked."""
    for option in np.flatnonzero(plan.built == 0):
        network.left[:] -= plan.opex[option]
        stand(plan, state, int(option), 0)


@compiled
def keep_stage(plan: Task, state: State, network: Network, kept: Ints, stage: int, carry_over: bool) -> None:
    """Build ``kept`` (options) in ``stage``, nearest first, each if it can still be paid for.

    Committed options are built whatever they cost.
    """
    start_stage(plan.graph, network, stage, np.inf)
    heap = [(0.0, -1) for _ in range(0)]
    for option in kept:
        node = plan.node[option] if plan.host[option] < 0 else plan.node[plan.host[option]]
        far = network.distance[node] if node >= 0 else 0.0
        heap.append((-1.0 if plan.built[option] == stage else far, option))
    heapq.heapify(heap)
    while len(heap) > 0:
        _, option = heapq.heappop(heap)
        if state.stage[option] >= 0:
            continue
        need, _ = bundle_need(plan, state, network, option, stage)
        paid = plan.built[option] == stage or affordable(network.left, need, carry_over)
        if paid and np.isfinite(need[0]):
            build(plan, state, network, option, stage, np.inf)
