"""What proves a Steiner tree's bound on the first graph: one potential a terminal, checked in one pass.

Orient a tree away from the root. Terminal k's potential is 0 at the root and height h at k, so that the
tree's arcs climb by h on the way to k. What all potentials together climb along an arc in its direction
is paid by its cost, and where it is more, the excess is taken off the bound; so that the sum of heights
less all excess bounds every tree from below, whatever the potentials are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Floats, Ints, freeze
from xinji.errors import Fault, InputError, raise_if
from xinji.plan.design.steiner.ascent import Ascent
from xinji.plan.design.steiner.graph import EdgeGraph, Star, star
from xinji.plan.jit import compiled


@dataclass(frozen=True, slots=True, eq=False)
class Potentials:
    """Potentials that vanish at ``root`` and outside what is listed.

    That of terminal number k is ``height[i]`` at ``node[i]`` for i from start[k] to start[k + 1]; ``terminals`` (t,).
    """

    root: int
    terminals: Ints
    start: Ints
    node: Ints
    height: Floats

    def __post_init__(self) -> None:
        freeze(self.terminals, self.start, self.node, self.height)


def potentials_of(ascent: Ascent, root: int, terminals: Ints) -> Potentials:
    """Return the potentials of an ``ascent`` from ``root`` for ``terminals`` (t,)."""
    own = np.repeat(ascent.height, np.diff(ascent.start))
    return Potentials(root, np.array(terminals), ascent.start.copy(), ascent.node.copy(), own - ascent.since)


def proved_bound(graph: EdgeGraph, terminals: Ints, potentials: Potentials) -> float:
    """Return what every tree in ``graph`` that spans ``terminals`` costs at least, as ``potentials`` prove.

    Raises InputError where a potential is no number of at least 0, lies on the root, or is no terminal's.
    """
    raise_if(_faults(graph, terminals, potentials), InputError)
    arrays = (potentials.terminals, potentials.start, potentials.node, potentials.height)
    climbed, own = _climbed(star(graph), graph.from_node, len(graph.cost), arrays)
    excess = np.maximum(climbed - np.repeat(graph.cost, 2), 0.0).reshape(-1, 2).max(axis=1)
    return max(float(own.sum() - excess.sum()), 0.0)


def _faults(graph: EdgeGraph, terminals: Ints, potentials: Potentials) -> Iterator[Fault]:
    layer = "potentials"
    known = set(np.asarray(terminals).tolist())
    if potentials.root not in known:
        yield Fault(layer, f"the root {potentials.root} is no terminal", "Use one of the terminals as root.")
    strangers = sorted(set(potentials.terminals.tolist()) - known)
    if strangers:
        yield Fault(layer, f"nodes {strangers[:5]} are no terminals", "Give potentials of terminals only.")
    if len(np.unique(potentials.terminals)) < len(potentials.terminals):
        yield Fault(layer, "a terminal occurs twice", "Give one potential for each terminal.")
    start, size = potentials.start, len(potentials.node)
    if len(start) != len(potentials.terminals) + 1 or start[0] != 0 or start[-1] != size or (np.diff(start) < 0).any():
        yield Fault(layer, "the starts do not divide the nodes among the terminals", "Give them in rising order.")
    if size != len(potentials.height) or not (np.isfinite(potentials.height) & (potentials.height >= 0.0)).all():
        yield Fault(layer, "a height is no number of at least 0", "Give one such number for each node.")
    if ((potentials.node < 0) | (potentials.node >= graph.node_count) | (potentials.node == potentials.root)).any():
        yield Fault(layer, "a node is the root or no node of the graph", "Leave the root out, where potentials vanish.")


@compiled
def _climbed(
    by_node: Star, from_node: Ints, edges: int, arrays: tuple[Ints, Ints, Ints, Floats]
) -> tuple[Floats, Floats]:
    """Return what all potentials climb along each edge, forth (2 e) and back (2 e + 1), and each at its terminal."""
    terminals, start, node, height = arrays
    climbed = np.zeros(2 * edges)
    own = np.zeros(len(terminals))
    level = np.zeros(len(by_node.start) - 1)
    for k in range(len(terminals)):
        for place in range(start[k], start[k + 1]):
            level[node[place]] = height[place]
        own[k] = level[terminals[k]]
        for place in range(start[k], start[k + 1]):
            head = node[place]
            for slot in range(by_node.start[head], by_node.start[head + 1]):
                rise = level[head] - level[by_node.neighbour[slot]]
                edge = by_node.edge[slot]
                if rise > 0.0:
                    climbed[2 * edge + (1 if from_node[edge] == head else 0)] += rise
        for place in range(start[k], start[k + 1]):
            level[node[place]] = 0.0
    return climbed, own
