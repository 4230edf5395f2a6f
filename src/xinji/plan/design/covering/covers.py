"""Cover lists: which sites serve which demand point, compressed, never as a dense matrix."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from xinji.core.arrays import Bools, Floats, Ints, freeze
from xinji.errors import Fault, InputError, raise_if
from xinji.plan.jit import compiled

Places: TypeAlias = NDArray[np.int32]
_ROOM = 2**31 - 1


@dataclass(frozen=True, slots=True, eq=False)
class Covers:
    """Demand points (n) of ``weight`` and sites (m) of ``cost``; those that cover point i are listed.

    They stand at ``start[i]:start[i + 1]`` of ``site`` (pairs,), each once, in any order; a point
    may have none. Costs are in the unit of the budget: all ones where the budget counts sites.
    Raises InputError with every list, weight and cost that is wrong.
    """

    start: Ints
    site: Places
    weight: Floats
    cost: Floats

    def __post_init__(self) -> None:
        raise_if(self._faults(), InputError)
        freeze(self.start, self.site, self.weight, self.cost)

    @property
    def points(self) -> int:
        """Number of demand points n."""
        return len(self.weight)

    @property
    def sites(self) -> int:
        """Number of sites m."""
        return len(self.cost)

    def _faults(self) -> Iterator[Fault]:
        wrong = list(self._shape_faults())
        yield from wrong or self._value_faults()

    def _shape_faults(self) -> Iterator[Fault]:
        kinds = (("start", np.int64), ("site", np.int32), ("weight", np.float64), ("cost", np.float64))
        for name, kind in kinds:
            array = getattr(self, name)
            if array.dtype != kind or array.ndim != 1 or not array.flags.c_contiguous:
                found = f"{name} is an array of {array.dtype} in {array.ndim} dimensions"
                yield Fault("covers", found, f"Give {np.dtype(kind)} in one dimension, contiguous.")
        if len(self.start) != len(self.weight) + 1:
            found = f"start has {len(self.start)} entries for {len(self.weight)} demand points"
            yield Fault("covers", found, "Give one more than there are points.")
        elif self.start[0] != 0 or self.start[-1] != len(self.site) or (np.diff(self.start) < 0).any():
            found = "start does not rise from 0 to the number of pairs"
            yield Fault("covers", found, "Give the place where each list begins, and the end of the last.")
        if max(len(self.weight), len(self.cost)) > _ROOM:
            yield Fault("covers", f"more than {_ROOM} points or sites", "Split the region.")

    def _value_faults(self) -> Iterator[Fault]:
        for name in ("weight", "cost"):
            values = getattr(self, name)
            for row in np.flatnonzero(~(np.isfinite(values) & (values >= 0.0))):
                yield Fault("covers", f"the {name} is {values[row]}", "Give a number of at least 0.", int(row))
        if len(self.site) and not 0 <= int(self.site.min()) <= int(self.site.max()) < len(self.cost):
            found = f"sites reach from {self.site.min()} to {self.site.max()}"
            yield Fault("covers", found, f"There are sites 0 to {len(self.cost) - 1}.")
            return
        repeated = _repeated(self.start, self.site, np.full(len(self.cost), -1, dtype=np.int32))
        for row in np.flatnonzero(repeated):
            yield Fault("covers", "a site is listed twice", "List each site that covers the point once.", int(row))


class Reach(NamedTuple):
    """Cover lists by site: the points that site j covers stand, rising, at ``start[j]:start[j + 1]`` of ``point``."""

    start: Ints
    point: Places


def reach_of(covers: Covers) -> Reach:
    """Return the points that each site covers (m lists)."""
    count = np.bincount(covers.site, minlength=covers.sites)
    start = np.zeros(covers.sites + 1, dtype=np.int64)
    np.cumsum(count, out=start[1:])
    point = np.empty(len(covers.site), dtype=np.int32)
    _transpose(covers.start, covers.site, start[:-1].copy(), point)
    return Reach(start, point)


def covered(covers: Covers, chosen: Bools) -> Bools:
    """Return which points (n,) have at least one of the ``chosen`` sites (m,) in their list."""
    met = np.zeros(covers.points, dtype=np.bool_)
    _mark(covers.start, covers.site, chosen, met)
    return met


def covered_weight(covers: Covers, sites: Ints) -> float:
    """Return the weight of the points that the ``sites`` (any number of positions) cover."""
    chosen = np.zeros(covers.sites, dtype=np.bool_)
    chosen[sites] = True
    return float(covers.weight[covered(covers, chosen)].sum())


@compiled
def _repeated(start: Ints, site: Places, last: Places) -> Bools:
    found = np.zeros(len(start) - 1, dtype=np.bool_)
    for i in range(len(start) - 1):
        for k in range(start[i], start[i + 1]):
            if last[site[k]] == i:
                found[i] = True
            last[site[k]] = i
    return found


@compiled
def _transpose(start: Ints, site: Places, place: Ints, point: Places) -> None:
    for i in range(len(start) - 1):
        for k in range(start[i], start[i + 1]):
            j = site[k]
            point[place[j]] = i
            place[j] += 1


@compiled
def _mark(start: Ints, site: Places, chosen: Bools, met: Bools) -> None:
    for i in range(len(start) - 1):
        for k in range(start[i], start[i + 1]):
            if chosen[site[k]]:
                met[i] = True
                break
