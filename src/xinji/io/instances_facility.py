"""Location problems in the formats of the OR-Library: capacitated facility location and p-median.

Beasley, OR-Library: distributing test problems by electronic mail, J. Oper. Res. Soc. 41 (1990).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import shortest_path

from xinji.core.arrays import Floats, freeze
from xinji.errors import Fault
from xinji.io.instances_files import Known, Words, numbers
from xinji.io.validation_tables import number

PUBLISHED_CAPACITIES = {
    "capa": ("8000", "10000", "12000", "14000"),
    "capb": ("5000", "6000", "7000", "8000"),
    "capc": ("5000", "5750", "6500", "7250"),
}
"""The capacities that the OR-Library's problems capa, capb and capc are to be solved with."""

_WORD = "capacity"
_LARGEST = 1e9
_SPECK = 1e-300
_WHOLE = "Copy the file anew, or correct its first numbers."


@dataclass(frozen=True, slots=True, eq=False)
class FacilityInstance:
    """Open sites (m) to serve customers (n): ``opening`` (m,), ``capacity`` (m,), ``demand`` (n,).

    ``cost`` (n, m) is that of serving all of a customer from a site; a customer may be split.
    """

    name: str
    file: str
    opening: Floats
    capacity: Floats
    demand: Floats
    cost: Floats
    known: Known | None

    def __post_init__(self) -> None:
        freeze(self.opening, self.capacity, self.demand, self.cost)


@dataclass(frozen=True, slots=True, eq=False)
class MedianInstance:
    """Open ``sites`` of m sites so that customers (n) are nearest: ``distance`` (n, m), infinite where no way leads."""

    name: str
    file: str
    distance: Floats
    sites: int
    known: Known | None

    def __post_init__(self) -> None:
        freeze(self.distance)


Lookup = Callable[[str], Known | None]
"""Returns what is known of an instance, by name."""


def read_facility(
    words: Words, name: str, known: Lookup, capacities: Sequence[str], faults: list[Fault]
) -> tuple[FacilityInstance, ...]:
    """Return the problem in ``words``: one, or one for each of ``capacities`` where the file says "capacity".

    The file holds the numbers of sites and customers, capacity and opening cost of each site, and for each
    customer its demand and the cost of serving all of it from each site.
    """
    open_ended = any(word.lower() == _WORD for word in words.words)
    stem, mark, end = name.rpartition("_")
    if open_ended and mark and number(end) is not None:
        asked: Sequence[str] = (end,)
    else:
        stem = name
        asked = capacities or PUBLISHED_CAPACITIES.get(name.lower(), ())
    if open_ended and not asked:
        remedy = f"Add a line {name}_NUMBER LOWER UPPER to bounds.txt, or write numbers for the word."
        faults.append(Fault(words.file, "the capacity is the word 'capacity', and no number is given for it", remedy))
        return ()
    filled = tuple("0" if word.lower() == _WORD else word for word in words.words)
    values = numbers(replace(words, words=filled), "a number", faults)
    if values is None or not _facility_fits(words, values, faults):
        return ()
    sites, customers = int(values[0]), int(values[1])
    own = values[2 : 2 + 2 * sites].reshape(sites, 2)
    rows = values[2 + 2 * sites :].reshape(customers, 1 + sites)
    base = FacilityInstance(
        name=name,
        file=words.file,
        opening=own[:, 1].copy(),
        capacity=own[:, 0].copy(),
        demand=rows[:, 0].copy(),
        cost=rows[:, 1:].copy(),
        known=known(name),
    )
    if not open_ended:
        return (base,)
    ended = np.array([word.lower() == _WORD for word in words.words[2 : 2 + 2 * sites : 2]])
    return tuple(
        replace(
            base,
            name=f"{stem}_{capacity}",
            capacity=np.where(ended, float(capacity), base.capacity),
            known=known(f"{stem}_{capacity}"),
        )
        for capacity in asked
    )


def _facility_fits(words: Words, values: Floats, faults: list[Fault]) -> bool:
    sites, customers = (values[0], values[1]) if len(values) > 1 else (0.0, 0.0)
    if not _counts(words.file, "sites and customers", (sites, customers), faults):
        return False
    expected = 2 + 2 * int(sites) + int(customers) * (1 + int(sites))
    if len(values) != expected:
        message = f"{sites:.0f} sites and {customers:.0f} customers take {expected} numbers, the file has {len(values)}"
        faults.append(Fault(words.file, message, _WHOLE))
        return False
    return _not_negative(words, values, faults)


def read_median(words: Words, name: str, known: Known | None, faults: list[Fault]) -> MedianInstance | None:
    """Return the problem in ``words``; its first numbers are nodes, sites or edges, and how many sites to open.

    What follows is a matrix with a row for each site (led by its number, or by its number and an opening cost
    of 0), or lines of an edge's two ends and length: then distances are shortest paths, and of two edges
    between the same ends the later counts.
    """
    values = numbers(words, "a number", faults)
    if values is None:
        return None
    head = tuple(values[:3]) if len(values) > 2 else (0.0, 0.0, 0.0)
    if not _counts(words.file, "nodes, edges (or sites) and open sites", head, faults):
        return None
    first, second, opened = (int(value) for value in head)
    body = values[3:]
    lead = {first * (second + extra): extra for extra in (0, 1, 2)}
    if len(body) == 3 * second and _edge_list(body, first):
        distance = _paths(words, first, body.reshape(second, 3), faults)
    elif len(body) in lead:
        distance = _matrix(words, body.reshape(first, -1), lead[len(body)], faults)
    else:
        message = f"{len(body)} numbers follow the first three; a matrix takes {first * second}, edges {3 * second}"
        faults.append(Fault(words.file, message, _WHOLE))
        return None
    if distance is not None and opened > distance.shape[1]:
        faults.append(Fault(words.file, f"{opened} sites of {distance.shape[1]} are to be opened", "Ask for fewer."))
        return None
    return None if distance is None else MedianInstance(name, words.file, distance, opened, known)


def _edge_list(body: Floats, nodes: int) -> bool:
    ends = body.reshape(-1, 3)[:, :2]
    return bool(((ends >= 1) & (ends <= nodes) & (ends == np.floor(ends))).all())


def _paths(words: Words, nodes: int, edges: Floats, faults: list[Fault]) -> Floats | None:
    if not _not_negative(words, edges.ravel(), faults):
        return None
    low = np.minimum(edges[:, 0], edges[:, 1]).astype(np.int64) - 1
    high = np.maximum(edges[:, 0], edges[:, 1]).astype(np.int64) - 1
    # The last of each pair: unique returns the first, so look from behind.
    _, last = np.unique((low * nodes + high)[::-1], return_index=True)
    kept = len(edges) - 1 - last
    # The graph routines take a stored zero for no edge.
    length = np.maximum(edges[kept, 2], _SPECK)
    graph = csr_array((length, (low[kept], high[kept])), shape=(nodes, nodes))
    found: Floats = np.asarray(shortest_path(graph, directed=False), dtype=np.float64)
    return np.where(found <= _SPECK * nodes, 0.0, found)


def _matrix(words: Words, rows: Floats, lead: int, faults: list[Fault]) -> Floats | None:
    if lead == 2 and rows[:, 1].any():
        message = "sites have opening costs, which is another problem"
        faults.append(Fault(words.file, message, "Set them to 0, or take the file out."))
        return None
    if lead and not np.array_equal(np.sort(rows[:, 0]), np.arange(1, len(rows) + 1)):
        faults.append(Fault(words.file, f"rows are not led by 1 to {len(rows)}", _WHOLE))
        return None
    ordered = rows[np.argsort(rows[:, 0], kind="stable")] if lead else rows
    return np.ascontiguousarray(ordered[:, lead:].T) if _not_negative(words, ordered.ravel(), faults) else None


def _counts(file: str, what: str, values: Sequence[float], faults: list[Fault]) -> bool:
    good = all(1 <= value <= _LARGEST and value == int(value) for value in values)
    if not good:
        found = ", ".join(f"{value:g}" for value in values)
        faults.append(Fault(file, f"the numbers of {what} are {found}", "Begin with whole numbers above 0."))
    return good


def _not_negative(words: Words, values: Floats, faults: list[Fault]) -> bool:
    if (values < 0).any():
        message = f"{int((values < 0).sum())} numbers are below 0, the least {values.min():g}"
        faults.append(Fault(words.file, message, "Demands, capacities, costs and distances are at least 0."))
        return False
    return True
