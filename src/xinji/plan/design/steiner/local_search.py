"""Local search on Steiner trees: key path exchange, key node elimination and key node insertion until none gains.

Source: Uchoa & Werneck, Fast local search for the Steiner problem in graphs, ACM Journal of Experimental
Algorithmics 17 (2012).
"""

from __future__ import annotations

import numpy as np

from xinji.core.arrays import Bools, Ints
from xinji.plan.design.steiner.changes import Found, make_changes
from xinji.plan.design.steiner.graph import EdgeGraph
from xinji.plan.design.steiner.key_paths import find_keys, rooted
from xinji.plan.design.steiner.moves import (
    elimination_gains,
    insertion_gain,
    longest_reach,
    no_bypasses,
    scan_borders,
)
from xinji.plan.design.steiner.shortest_path import Net, checked, prepare, spanning, touched, value, voronoi
from xinji.plan.jit import compiled

LEAST_GAIN = 1e-12
"""Changes gain more than this share of the tree's cost, so that rounding cannot make the search run for ever."""


@compiled
def search(net: Net, inside: Bools, passes: int) -> Bools:
    """Return the tree ``inside`` (m,) after at most ``passes`` passes of local search."""
    cost = value(net, inside)
    for _ in range(passes):
        better = spanning(net, touched(net, one_pass(net, inside, LEAST_GAIN * cost)))
        lower = value(net, better)
        if lower >= cost * (1.0 - LEAST_GAIN):
            break
        inside, cost = better, lower
    return inside


@compiled
def one_pass(net: Net, inside: Bools, least: float) -> Bools:
    """Return the tree ``inside`` (m,) after one round of changes that gain more than ``least`` each."""
    tree = rooted(net, inside, net.terminals[0])
    keys = find_keys(net, tree)
    bypasses = no_bypasses(net, tree)
    reach = longest_reach(tree, keys, bypasses)
    regions = voronoi(net, touched(net, inside), reach)
    gains = np.zeros((3, len(net.terminal)))
    exchanges = scan_borders(net, regions, keys, bypasses, reach)
    gains[0] = exchanges.gain
    gains[1] = elimination_gains(net, tree, keys, bypasses)
    for node in range(len(net.terminal)):
        if regions.via[node] >= 0:
            gains[2, node] = insertion_gain(net, regions, keys, node)[0]
    return make_changes(net, Found(regions, tree, keys, exchanges, bypasses), gains, least)


MOST_PASSES = 1000
"""A guard only: every pass but the last one makes the tree cheaper."""


def improve(graph: EdgeGraph, terminals: Ints, edges: Ints) -> Ints:
    """Return a tree at a local optimum, from any ``edges`` that connect the ``terminals``.

    Raises InputError (no terminal) or InfeasibleError (``edges`` do not connect them).
    """
    return np.flatnonzero(improve_on(prepare(graph, terminals), edges))


def improve_on(net: Net, edges: Ints) -> Bools:
    """Return what ``improve`` does as a mask (m,), on a prepared graph."""
    inside = np.zeros(len(net.cost), np.bool_)
    inside[edges] = True
    return search(net, checked(net, spanning(net, touched(net, inside))), MOST_PASSES)
