"""Which cuts a solution breaks: options that no trench joins, and paths that are too long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components, maximum_flow

from xinji.core.arrays import Bools, Floats, Ints
from xinji.core.offer import EXISTING, FORBIDDEN
from xinji.core.problem import Problem
from xinji.plan.choose.bound import all_roots
from xinji.plan.choose.formulation import JoinedCut, PathCut
from xinji.plan.choose.serve import short_paths
from xinji.plan.choose.staged import option_nodes

_UNIT = 1 << 20
_BROKEN = 1e-3
_SERVES = 1e-7


def first_cuts(problem: Problem) -> list[JoinedCut]:
    """Return, for each option, the cuts around its node, around the roots, and around all it could ever reach."""
    options = _to_join(problem)
    there = problem.trench_built == EXISTING
    everything = np.ones(len(there), dtype=bool)
    return _unique([*component_cuts(problem, options, there), *component_cuts(problem, options, everything)])


def component_cuts(problem: Problem, options: Ints, standing: Bools) -> Iterator[JoinedCut]:
    """Yield two cuts for each of ``options`` that the ``standing`` (m,) trenches leave unjoined.

    One follows the edges that leave its component, the other those that leave the roots'.
    """
    label = components(problem, standing)
    rooted = np.isin(label, label[all_roots(problem)])
    for option in options:
        node = problem.node[option]
        if not rooted[node]:
            yield JoinedCut(int(option), crossing(problem, label == label[node]))
            yield JoinedCut(int(option), crossing(problem, rooted))


def unjoined_cuts(problem: Problem, stage: Ints, dug: Ints) -> list[JoinedCut]:
    """Return cuts that the plan ``stage`` (n,), ``dug`` (m,) breaks; none if all that stands is joined."""
    found: list[JoinedCut] = []
    options = _to_join(problem)
    for t in range(1, problem.stages + 1):
        stands = options[(stage[options] >= 0) & (stage[options] <= t)]
        found += component_cuts(problem, stands, (dug >= 0) & (dug <= t))
    return _unique(found)


def flow_cuts(problem: Problem, stands: Floats, dug: Floats) -> list[JoinedCut]:
    """Return the least cuts that the fractional ``stands`` (n, T) and ``dug`` (m, T) break.

    An option may stand by no more than what flows from the roots to its node (max-flow min-cut).
    """
    found: list[JoinedCut] = []
    options = _to_join(problem)
    for t in range(problem.stages):
        wanted = options[stands[options, t] > _BROKEN]
        for node in np.unique(problem.node[wanted]):
            here = wanted[problem.node[wanted] == node]
            for edges in _least_cuts(problem, dug[:, t], int(node)):
                broken = here[stands[here, t] > dug[edges, t].sum() + _BROKEN]
                found += [JoinedCut(int(option), edges) for option in broken]
    return _unique(found)


def long_path_cuts(problem: Problem, served: Floats, dug: Ints) -> list[PathCut]:
    """Return cuts that ``served`` (a, T) breaks by serving over a path that is too long."""
    found: dict[tuple[int, int, bytes], PathCut] = {}
    node = option_nodes(problem)
    for t in range(1, problem.stages + 1):
        used = np.flatnonzero(served[:, t - 1] > _SERVES)
        for arc in used[~short_paths(problem, dug, t, used)]:
            edges = _path_edges(problem, (dug >= 0) & (dug <= t), int(arc))
            ends = (node[problem.arc_option[arc]], node[problem.arc_partner[arc]])
            for other in _same_path(problem, node, ends, float(problem.arc_limit_m[arc])):
                found[int(other), len(edges), edges.tobytes()] = PathCut(int(other), edges)
    return list(found.values())


def components(problem: Problem, standing: Bools) -> Ints:
    """Return the component (v,) of each node under the ``standing`` (m,) trenches."""
    ends = (problem.from_node[standing], problem.to_node[standing])
    matrix = csr_array((np.ones(int(standing.sum())), ends), shape=(problem.node_count,) * 2)
    return np.asarray(connected_components(matrix, directed=False)[1], dtype=np.int64)


def crossing(problem: Problem, inside: Bools) -> Ints:
    """Return the trenches with exactly one end ``inside`` (v,)."""
    return np.flatnonzero(inside[problem.from_node] != inside[problem.to_node]).astype(np.int64)


def _to_join(problem: Problem) -> Ints:
    free = (problem.built != EXISTING) & (problem.built != FORBIDDEN)
    return np.flatnonzero(free & (problem.node >= 0))


def _unique(cuts: Iterable[JoinedCut]) -> list[JoinedCut]:
    return list({(cut.option, cut.edges.tobytes()): cut for cut in cuts}.values())


def _least_cuts(problem: Problem, weight: Floats, node: int) -> list[Ints]:
    """Return the least cuts between ``node`` and the roots, the nearest to either, under ``weight`` (m,)."""
    roots, source = all_roots(problem), problem.node_count
    room = np.rint(np.clip(weight, 0.0, 1.0) * _UNIT).astype(np.int32)
    tail = np.concatenate([problem.from_node, problem.to_node, np.full(len(roots), source)])
    head = np.concatenate([problem.to_node, problem.from_node, roots])
    plenty = np.full(len(roots), 4 * _UNIT, dtype=np.int32)
    matrix = csr_array((np.concatenate([room, room, plenty]), (tail, head)), shape=(source + 1,) * 2)
    result = maximum_flow(matrix, source, node)
    if result.flow_value >= _UNIT:
        return []
    rest = csr_array(matrix - result.flow)
    rest.eliminate_zeros()
    sides = []
    for start, ways in ((source, rest), (node, csr_array(rest.T))):
        inside = np.zeros(source + 1, dtype=bool)
        inside[breadth_first_order(ways, start, return_predecessors=False)] = True
        sides.append(crossing(problem, inside[:source]))
    return sides


def _same_path(problem: Problem, node: Ints, ends: tuple[int, int], limit_m: float) -> Ints:
    """Return the arcs between the same two nodes with a limit no wider than ``limit_m``."""
    same = (problem.arc_partner >= 0) & (problem.arc_limit_m <= limit_m)
    return np.flatnonzero(same & (node[problem.arc_option] == ends[0]) & (node[problem.arc_partner] == ends[1]))


def _path_edges(problem: Problem, standing: Bools, arc: int) -> Ints:
    """Return trenches without which the path of ``arc`` is too long, as few as adding one after another leaves."""
    arcs = np.array([arc])
    blocked = standing.copy()
    for edge in np.flatnonzero(~standing):
        blocked[edge] = True
        if short_paths(problem, np.where(blocked, 0, -1), 0, arcs)[0]:
            blocked[edge] = False
    return np.flatnonzero(~blocked).astype(np.int64)
