"""Each family's engine on one instance: solved, timed, and the answer checked."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np

from xinji.core.arrays import Floats, Ints
from xinji.errors import XinjiError
from xinji.io.instances import COVERING, FACILITY, MEDIAN, PRIZE, STEINER, Instance, family_of
from xinji.io.instances_covering import CoveringInstance, CoverLists, make_lists
from xinji.io.instances_facility import FacilityInstance, MedianInstance
from xinji.io.instances_graph import PrizeInstance, SteinerInstance
from xinji.plan.design.covering.certificate import covering_bound
from xinji.plan.design.covering.covers import Covers
from xinji.plan.design.covering.maximal import max_covering
from xinji.plan.design.facility.capacitated import capacitated_location
from xinji.plan.design.facility.certificate import location_bound, median_bound
from xinji.plan.design.facility.p_median import p_median
from xinji.plan.design.steiner.certificate import proved_bound
from xinji.plan.design.steiner.graph import EdgeGraph
from xinji.plan.design.steiner.prize import prize_collecting
from xinji.plan.design.steiner.prize_proof import prove
from xinji.plan.design.steiner.solve import steiner_tree
from xinji.workflow.validate_design_check import (
    Checked,
    check_cover,
    check_medians,
    check_prize_tree,
    check_sites,
    check_tree,
)
from xinji.workflow.validate_design_result import RELATIVE, DesignResult

SEED = 0

_CRASHES = (ArithmeticError, LookupError, MemoryError, RuntimeError, TypeError, ValueError)
"""What an engine must not raise; the instance is then reported as failed and the others go on."""

_WARM_SECONDS, _WARM_SPARE, _WARM_ROUNDS = 1.0, 1.5, 8


@dataclass(frozen=True, slots=True)
class _Answer:
    """What an engine says, and what the check finds."""

    value: float
    bound: float
    checked: Checked


_Data: TypeAlias = SteinerInstance | PrizeInstance | FacilityInstance | MedianInstance | CoverLists

_Check: TypeAlias = Callable[[], _Answer]
"""Checks an answer when called; the engine's clock has stopped then."""


def solve_instance(instance: Instance, seconds: float) -> DesignResult:
    """Return how the engine of the instance's family fares on it within ``seconds`` of processor time.

    Compiled code is warm when the clock starts. An engine that fails is a fault of the result.
    """
    family = family_of(instance)
    known = None if isinstance(instance, CoveringInstance) else instance.known
    begun, spent = time.process_time(), 0.0
    try:
        data = make_lists(instance) if isinstance(instance, CoveringInstance) else instance
        whole = _whole(data)
        _warm(family)
        begun = time.process_time()
        check = _run(data, seconds)
        spent = time.process_time() - begun
        answer = check()
    except (XinjiError, *_CRASHES) as error:
        fault = f"the engine gives no answer ({type(error).__name__}: {error})"
        return DesignResult(
            family, instance.name, None, None, known, time.process_time() - begun, whole=True, faults=(fault,)
        )
    faults = list(answer.checked.faults)
    value = answer.checked.value
    if abs(value - answer.value) > RELATIVE * abs(value) + 1e-6:
        faults.append(f"the engine calls its answer {answer.value:.12g}, worked out again it is {value:.12g}")
    return DesignResult(
        family,
        instance.name,
        value if np.isfinite(value) else None,
        answer.bound if np.isfinite(answer.bound) else None,
        known,
        spent,
        whole,
        tuple(faults),
    )


def _run(data: _Data, seconds: float) -> _Check:
    """Solve ``data`` and return what checks the answer."""
    if isinstance(data, SteinerInstance):
        return _steiner(data, seconds)
    if isinstance(data, PrizeInstance):
        return _prize(data, seconds)
    if isinstance(data, FacilityInstance):
        return _facility(data, seconds)
    return _median(data, seconds) if isinstance(data, MedianInstance) else _covering(data, seconds)


def _steiner(data: SteinerInstance, seconds: float) -> _Check:
    graph = EdgeGraph(data.node_count, data.from_node, data.to_node, data.cost)
    found = steiner_tree(graph, data.terminals, seconds=seconds, seed=SEED)

    def check() -> _Answer:
        proved = proved_bound(graph, np.unique(data.terminals), found.certificate)
        return _Answer(found.value, found.bound, _proved(check_tree(data, found.edges), found.certified, proved))

    return check


def _prize(data: PrizeInstance, seconds: float) -> _Check:
    graph = EdgeGraph(data.node_count, data.from_node, data.to_node, data.cost)
    root = data.root if data.root >= 0 else None
    found = prize_collecting(graph, data.prize, root=root, seconds=seconds, seed=SEED)

    def check() -> _Answer:
        required = np.zeros(data.node_count, dtype=np.bool_)
        if root is not None:
            required[root] = True
        proved = prove(graph, data.prize, np.zeros(data.node_count), required, found.moats)
        checked = check_prize_tree(data, found.edges, found.nodes)
        return _Answer(found.value, found.bound, _proved(checked, found.certified, proved))

    return check


def _facility(data: FacilityInstance, seconds: float) -> _Check:
    found = capacitated_location(data.opening, data.capacity, data.demand, data.cost, seconds=seconds, seed=SEED)

    def check() -> _Answer:
        proved = location_bound(data.opening, data.capacity, data.demand, data.cost, found.certificate)
        return _Answer(
            found.value, found.bound, _proved(check_sites(data, found.open, found.share), found.bound, proved)
        )

    return check


def _median(data: MedianInstance, seconds: float) -> _Check:
    found = p_median(data.distance, data.sites, seconds=seconds, seed=SEED)

    def check() -> _Answer:
        proved = median_bound(data.distance, data.sites, found.certificate)
        return _Answer(
            found.value, found.bound, _proved(check_medians(data, np.flatnonzero(found.open)), found.bound, proved)
        )

    return check


def _covering(data: CoverLists, seconds: float) -> _Check:
    covers = Covers(data.start, data.site, data.weight, np.ones(data.sites))
    found = max_covering(covers, budget=float(data.count), seconds=seconds, seed=SEED)

    def check() -> _Answer:
        proved = covering_bound(covers, float(data.count), found.price, found.cuts)
        return _Answer(found.value, found.bound, _proved(check_cover(data, found.sites), found.bound, proved))

    return check


def _proved(checked: Checked, bound: float, proved: float) -> Checked:
    """Return ``checked`` with a fault where the certificate does not prove the ``bound`` that it is said to.

    Of a tree that is the certified part; what reductions and branching add to it rests on the engine.
    """
    if abs(bound - proved) <= RELATIVE * abs(bound) + 1e-6:
        return checked
    return Checked(checked.value, (*checked.faults, f"the bound is {bound:.12g}, its certificate proves {proved:.12g}"))


def _whole(data: _Data) -> bool:
    """Return whether every cost of ``data`` is a whole number."""
    parts: tuple[Floats, ...]
    if isinstance(data, SteinerInstance):
        parts = (data.cost,)
    elif isinstance(data, PrizeInstance):
        parts = (data.cost, data.prize)
    elif isinstance(data, FacilityInstance):
        # Shares of customers are no whole numbers.
        return False
    else:
        parts = (data.distance if isinstance(data, MedianInstance) else data.weight,)
    return all(bool((part == np.floor(part)).all()) for part in parts)


@cache
def _warm(family: str) -> None:
    """Let the engine of ``family`` compile on an instance of a few dozen nodes, once a process.

    Compiling may use up the engine's time before it comes to its last part; so it runs until it keeps its limit.
    """
    for _ in range(_WARM_ROUNDS):
        begun = time.process_time()
        _run(_SMALL[family](np.random.default_rng(SEED)), _WARM_SECONDS)()
        if time.process_time() - begun < _WARM_SPARE * _WARM_SECONDS:
            return


def _small_graph(rng: np.random.Generator) -> tuple[int, Ints, Ints, Floats]:
    """Return a grid of nodes with costs at random."""
    node = np.arange(_SIDE * _SIDE).reshape(_SIDE, _SIDE)
    tail = np.concatenate([node[:, :-1].ravel(), node[:-1].ravel()])
    head = np.concatenate([node[:, 1:].ravel(), node[1:].ravel()])
    return _SIDE * _SIDE, tail, head, rng.integers(1, 20, len(tail)).astype(np.float64)


def _small_steiner(rng: np.random.Generator) -> SteinerInstance:
    count, tail, head, cost = _small_graph(rng)
    terminals = np.sort(rng.choice(count, count // 8, replace=False))
    return SteinerInstance("small", "", count, tail, head, cost, terminals, None)


def _small_prize(rng: np.random.Generator) -> PrizeInstance:
    count, tail, head, cost = _small_graph(rng)
    prize = np.where(rng.random(count) < 0.3, rng.integers(1, 30, count), 0).astype(np.float64)
    return PrizeInstance("small", "", count, tail, head, cost, prize, -1, None)


def _small_facility(rng: np.random.Generator) -> FacilityInstance:
    sites, customers = rng.random((_SIDE, 2)), rng.random((3 * _SIDE, 2))
    cost = 100.0 * np.hypot(*(customers[:, None] - sites[None]).transpose(2, 0, 1))
    return FacilityInstance(
        "small", "", np.full(_SIDE, 60.0), np.full(_SIDE, 8.0), rng.uniform(0.5, 2.0, 3 * _SIDE), cost, None
    )


def _small_median(rng: np.random.Generator) -> MedianInstance:
    place = rng.random((4 * _SIDE, 2))
    distance = np.round(100.0 * np.hypot(*(place[:, None] - place[None]).transpose(2, 0, 1)))
    return MedianInstance("small", "", distance, _SIDE // 2, None)


def _small_covering(rng: np.random.Generator) -> CoverLists:
    points, sites = 40 * _SIDE, 10 * _SIDE
    near = np.hypot(*(rng.random((points, 1, 2)) - rng.random((1, sites, 2))).transpose(2, 0, 1)) < 0.2
    start = np.zeros(points + 1, dtype=np.int64)
    start[1:] = np.cumsum(near.sum(axis=1))
    site = np.nonzero(near)[1].astype(np.int32)
    return CoverLists(start, site, np.round(rng.lognormal(1.0, 1.0, points) + 1.0), sites, _SIDE)


_SIDE = 12
_SMALL: Mapping[str, Callable[[np.random.Generator], _Data]] = {
    STEINER: _small_steiner,
    PRIZE: _small_prize,
    FACILITY: _small_facility,
    MEDIAN: _small_median,
    COVERING: _small_covering,
}
