"""The certificate of a prize-collecting bound and its check, in plain numpy.

A certificate is a dual solution of the cut formulation: moats around the prizes. The check shares no code
with the search.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints, freeze
from xinji.errors import CheckError
from xinji.plan.design.steiner.graph import EdgeGraph

_TOLERANCE = 1e-7


@dataclass(frozen=True, slots=True, eq=False)
class Moats:
    """What each of the ``terminals`` (t,) pays for cuts around itself: ``height`` (t,), towards ``root``.

    Terminal k's moat holds ``node[start[k]:start[k + 1]]``, each ``since`` the height at which it came in; all
    other nodes lie outside to the end. ``root`` is -1 where the tree has none: then ``entry`` is what the
    moats may pay at most for arcs from outside into each prized node, and the bound is less by as much.
    """

    root: int
    entry: float
    terminals: Ints
    height: Floats
    start: Ints
    node: Ints
    since: Floats

    def __post_init__(self) -> None:
        freeze(self.terminals, self.height, self.start, self.node, self.since)


def prove(graph: EdgeGraph, prize: Floats, node_cost: Floats, required: Bools, moats: Moats) -> float:
    """Return the bound that ``moats`` prove on every tree's edges + costs of its nodes + prizes (v,) left out.

    ``required`` (v,) nodes are in every tree. Raises CheckError where a moat holds the root, pays more than
    its prize, or an arc carries more than its cost.
    """
    paid = np.where(required, node_cost, np.minimum(prize, node_cost))
    gain = np.where(required, np.inf, prize - node_cost)
    owner = np.repeat(np.arange(len(moats.terminals)), np.diff(moats.start))
    _check_moats(gain, moats, owner)
    scale = 1.0 + float(graph.cost.max()) if len(graph.cost) else 1.0
    toll = np.where(required, 0.0, np.maximum(node_cost - prize, 0.0))
    for tail, head in ((graph.from_node, graph.to_node), (graph.to_node, graph.from_node)):
        over = _load(graph.node_count, tail, head, moats, owner) - graph.cost - toll[head]
        over[(tail == head) | (head == moats.root)] = 0.0
        if (over > _TOLERANCE * scale).any():
            raise CheckError(f"an arc carries {over.max()} more than its cost")
    if moats.root < 0 and len(owner):
        doors = np.bincount(moats.node, moats.height[owner] - moats.since, minlength=graph.node_count)
        if (doors[gain > 0.0] > moats.entry + _TOLERANCE * scale).any():
            raise CheckError("the moats pay more for the way in than the certificate says")
    return float(paid.sum() + moats.height.sum() - moats.entry)


def _check_moats(gain: Floats, moats: Moats, owner: Ints) -> None:
    terminals, height = moats.terminals, moats.height
    if len(np.unique(terminals)) != len(terminals) or (height < 0.0).any():
        raise CheckError("a terminal has two moats, or one of negative height")
    if (height > gain[terminals] + _TOLERANCE * (1.0 + height)).any():
        raise CheckError("a moat pays more than its terminal's prize")
    if moats.root >= 0 and (moats.node == moats.root).any():
        raise CheckError("a moat holds the root")
    if (moats.since < 0.0).any() or (moats.since > height[owner]).any():
        raise CheckError("a node comes into a moat before it begins or after it ends")
    home = np.zeros(len(terminals), dtype=np.bool_)
    home[owner[(moats.node == terminals[owner]) & (moats.since == 0.0)]] = True
    if not home.all():
        raise CheckError("a moat does not hold its own terminal from the beginning")


def _load(count: int, tail: Ints, head: Ints, moats: Moats, owner: Ints) -> Floats:
    """Return what the moats pay for each arc ``tail`` -> ``head``: from the entry of its head to that of its tail."""
    key = owner * count + moats.node
    order = np.argsort(key)
    key, since = key[order], moats.since[order]
    by_head = np.argsort(head, kind="stable")
    first = np.searchsorted(head[by_head], moats.node)
    many = np.searchsorted(head[by_head], moats.node, side="right") - first
    row = np.repeat(np.arange(len(moats.node)), many)
    arc = by_head[np.arange(len(row)) - np.repeat(np.cumsum(many) - many, many) + first[row]]
    wanted = owner[row] * count + tail[arc]
    place = np.minimum(np.searchsorted(key, wanted), max(len(key) - 1, 0))
    leaves = np.where(key[place] == wanted, since[place], moats.height[owner[row]]) if len(key) else np.zeros(0)
    return np.asarray(np.bincount(arc, np.maximum(leaves - moats.since[row], 0.0), minlength=len(head)))
