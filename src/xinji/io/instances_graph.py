"""Steiner tree problems in graphs, plain and prize-collecting, in the format of SteinLib and PACE 2018.

The format (``.stp``, ``.gr``) has sections: Graph with ``Nodes``, ``Edges`` and lines ``E from to cost``;
Terminals with lines ``T node``, ``TP node prize``, ``RootP node``; nodes count from 1. Keywords have any
case; sections on drawing and tree decompositions are passed over.
Koch, Martin, Voss: SteinLib, an updated library on Steiner tree problems in graphs, 2001.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from xinji.core.arrays import Floats, Ints, freeze
from xinji.errors import Fault
from xinji.io.instances_files import Known, shortened
from xinji.io.validation_tables import number

_PASSED_OVER = ("comment", "comments", "coordinates", "tree", "presolve", "finalresult")
_UNSUPPORTED = {
    "maximumdegrees": "node degrees are limited",
    "obstacles": "the plane has obstacles",
    "nodeweights": "nodes have weights",
}


@dataclass(frozen=True, slots=True, eq=False)
class SteinerInstance:
    """Join ``terminals`` (k,) by edges ``from_node``-``to_node`` (m,) of least total ``cost`` (m,); nodes from 0."""

    name: str
    file: str
    node_count: int
    from_node: Ints
    to_node: Ints
    cost: Floats
    terminals: Ints
    known: Known | None

    def __post_init__(self) -> None:
        freeze(self.from_node, self.to_node, self.cost, self.terminals)


@dataclass(frozen=True, slots=True, eq=False)
class PrizeInstance:
    """Pay the edges of one tree and the ``prize`` (n,) of each node outside it; ``root`` must be in it (-1: none)."""

    name: str
    file: str
    node_count: int
    from_node: Ints
    to_node: Ints
    cost: Floats
    prize: Floats
    root: int
    known: Known | None

    def __post_init__(self) -> None:
        freeze(self.from_node, self.to_node, self.cost, self.prize)


@dataclass(slots=True)
class _Draft:
    """What has been read of a file."""

    file: str
    counts: dict[str, int] = field(default_factory=dict)
    edges: list[tuple[int, int, float]] = field(default_factory=list)
    terminals: list[int] = field(default_factory=list)
    prizes: list[tuple[int, float]] = field(default_factory=list)
    roots: list[int] = field(default_factory=list)
    prize_roots: list[int] = field(default_factory=list)
    lines: dict[str, list[int]] = field(default_factory=lambda: {"edge": [], "terminal": []})
    wrong: list[Fault] = field(default_factory=list)

    def fault(self, line: int, message: str, remedy: str) -> None:
        """Keep a fault of a line (from 1)."""
        self.wrong.append(Fault(self.file, f"line {line}: {message}", remedy, line - 1))


def read_graph(
    text: str, file: str, name: str, known: Known | None, faults: list[Fault]
) -> SteinerInstance | PrizeInstance | None:
    """Return the problem in ``text``; it is prize-collecting if a terminal has a prize. None with faults."""
    draft = _Draft(file)
    _read_sections(text, draft)
    if not draft.wrong:
        _check(draft)
    faults += shortened(draft.wrong, file)
    if draft.wrong:
        return None
    ends = np.array([edge[:2] for edge in draft.edges], dtype=np.int64).reshape(-1, 2) - 1
    cost = np.array([edge[2] for edge in draft.edges], dtype=np.float64)
    tail, head = np.ascontiguousarray(ends[:, 0]), np.ascontiguousarray(ends[:, 1])
    count = draft.counts["nodes"]
    if not (draft.prizes or draft.prize_roots):
        terminals = np.unique(np.array([*draft.terminals, *draft.roots], dtype=np.int64)) - 1
        return SteinerInstance(name, file, count, tail, head, cost, terminals, known)
    prize = np.zeros(count)
    for node, worth in draft.prizes:
        prize[node - 1] += worth
    root = (draft.prize_roots or draft.roots or [0])[0] - 1
    return PrizeInstance(name, file, count, tail, head, cost, prize, root, known)


def _read_sections(text: str, draft: _Draft) -> None:
    section, opened = "", 0
    readers: dict[str, Callable[[list[str], int, _Draft], None]] = {"graph": _graph_line, "terminals": _terminal_line}
    rows = enumerate(text.splitlines(), 1)
    for at, row in rows:
        words = row.split()
        if not words or words[0].startswith("#"):
            continue
        key = words[0].lower()
        if key == "eof":
            break
        if key == "section":
            section, opened = words[1].lower() if len(words) > 1 else "", at
            if section in _UNSUPPORTED:
                draft.fault(at, f"{_UNSUPPORTED[section]}, which is another problem", "Take the file out.")
        elif key == "end":
            section = ""
        elif section in readers:
            readers[section](words, at, draft)
        elif section and section not in (*_PASSED_OVER, *_UNSUPPORTED):
            draft.fault(opened, f"the section {section!r} is unknown", "Use Graph and Terminals.")
            section = _PASSED_OVER[0]


def _graph_line(words: list[str], at: int, draft: _Draft) -> None:
    key = words[0].lower()
    if key == "e":
        _edge_line(words, at, draft)
    elif key in ("nodes", "edges"):
        _count(words, at, draft)
    elif key in ("a", "arcs"):
        draft.fault(at, "the graph is directed", "Give edges (E), or take the file out.")
    elif key not in ("obstacles", "name", "creator"):
        draft.fault(at, f"{words[0]!r} is unknown in the section Graph", "Use Nodes, Edges and E.")


def _edge_line(words: list[str], at: int, draft: _Draft) -> None:
    values: list[float | None]
    if "".join(words[1:]).isdecimal():
        # Nearly every line of nearly every file.
        values = [float(word) for word in words[1:]]
    else:
        values = [number(word) for word in words[1:]]
    ends = [_node(value) for value in values[:2]]
    if len(values) != 3 or None in ends or values[2] is None:
        draft.fault(at, f"{' '.join(words)!r} is no edge", "Write E, two node numbers and a cost.")
    elif values[2] < 0:
        draft.fault(at, f"the cost is {words[3]}", "Give at least 0.")
    else:
        draft.edges.append((ends[0] or 0, ends[1] or 0, values[2]))
        draft.lines["edge"].append(at)


def _terminal_line(words: list[str], at: int, draft: _Draft) -> None:
    key = words[0].lower()
    if key == "terminals":
        _count(words, at, draft)
        return
    # A terminal with a second number has a prize, under whichever keyword.
    key = "tp" if key == "t" and len(words) == 3 else key
    targets = {"t": draft.terminals, "root": draft.roots, "rootp": draft.prize_roots}
    values = [number(word) for word in words[1:]]
    node = _node(values[0]) if len(values) == 1 + (key == "tp") else None
    if key != "tp" and key not in targets:
        draft.fault(at, f"{words[0]!r} is unknown in the section Terminals", "Use Terminals, T, TP, Root and RootP.")
    elif node is None:
        draft.fault(
            at, f"{' '.join(words)!r} names no node or no prize", "Write T and a node, or TP, a node and a prize."
        )
    elif key in targets:
        targets[key].append(node)
        draft.lines["terminal"].append(at)
    else:
        _prize(words, (node, values[1]), at, draft)


def _prize(words: list[str], found: tuple[int, float | None], at: int, draft: _Draft) -> None:
    node, prize = found
    if prize is None or prize < 0:
        draft.fault(at, f"{' '.join(words)!r} has no prize of at least 0", "Write TP, a node number and its prize.")
    else:
        draft.prizes.append((node, prize))
        draft.lines["terminal"].append(at)


def _count(words: list[str], at: int, draft: _Draft) -> None:
    value = _node(number(words[1]) if len(words) == 2 else None)
    if value is None:
        draft.fault(at, f"{' '.join(words)!r} gives no number", "Write how many there are.")
    else:
        draft.counts[words[0].lower()] = value


def _node(value: float | None) -> int | None:
    """Return ``value`` as a whole number of at least 0."""
    return int(value) if value is not None and value >= 0 and value == int(value) else None


def _check(draft: _Draft) -> None:
    """Keep what does not fit together."""
    nodes = draft.counts.get("nodes")
    if nodes is None:
        remedy = "Give the format of SteinLib or PACE 2018 (SECTION Graph, Nodes, Edges, E from to cost)."
        draft.wrong.append(Fault(draft.file, "the number of nodes is missing", remedy))
        return
    places = [*draft.terminals, *draft.roots, *draft.prize_roots, *(node for node, _ in draft.prizes)]
    for at, (tail, head, _) in zip(draft.lines["edge"], draft.edges, strict=True):
        if not (1 <= tail <= nodes and 1 <= head <= nodes):
            draft.fault(at, f"the edge {tail}-{head} leaves the graph", f"Use nodes 1 to {nodes}.")
    if places and not (min(places) >= 1 and max(places) <= nodes):
        outside = ", ".join(str(node) for node in places if not 1 <= node <= nodes)
        draft.wrong.append(Fault(draft.file, f"terminals {outside} are no nodes", f"Use nodes 1 to {nodes}."))
    said = draft.counts.get("edges")
    if said is not None and said != len(draft.edges):
        message = f"Edges says {said}, {len(draft.edges)} lines E follow"
        draft.wrong.append(Fault(draft.file, message, "The file may be cut off: copy it anew."))
    if not places:
        draft.wrong.append(Fault(draft.file, "there is no terminal", "Add SECTION Terminals with lines T or TP."))
