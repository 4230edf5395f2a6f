"""The staged choice as arrays: no geometry, no technology."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

from xinji.core.arrays import (
    Bools,
    Floats,
    Ints,
    Strings,
    freeze,
    row_faults,
    shape_faults,
)
from xinji.core.offer import EXISTING, FORBIDDEN, FREE
from xinji.errors import Fault, OfferError, raise_if

NEVER = -1
"""Stage of an option or trench that a plan never builds."""


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """What can be built (options n, trenches m), for whom (rows r), under which limits (stages T).

    Options: ``capex`` [cents], ``opex`` [cents/stage] (integers: money is exact), ``host`` (an
    option that must stand first, -1 none), ``node`` (trench node that must be joined to a root, -1
    none), ``built`` (``FREE``, ``FORBIDDEN``, ``EXISTING`` or a committed stage from 1), ``capacity`` (n,
    resources).
    An existing option is joined already: its node counts as a root.
    Trenches: undirected edges ``from_node``-``to_node`` of a graph with ``roots``; an edge is paid
    once.
    Rows: a cell and service. ``value`` (r, T) is the discounted, weighted worth of serving the
    whole row in a stage; ``amount`` (r, T, resources) what it then uses.
    Arcs (a): ``arc_option`` can serve up to ``arc_share`` of ``arc_row``; where ``arc_partner`` is
    not -1 that option must stand too, carries the row's ``servers``, and the built fibre between
    the two may be at most ``arc_limit_m`` long.
    Floors (f): from stage ``floor_stage`` on (1..T), the ``floor_weight`` (f, r)-weighted served
    share must reach ``floor_amount``.
    ``goal`` is ``most_value`` (maximise worth) or ``least_cost`` (minimise discounted spending with
    factor ``discount`` (T,)).
    """

    years: Ints
    discount: Floats
    budget: Ints
    carry_over: bool
    goal: str
    option_id: Strings
    capex: Ints
    opex: Ints
    host: Ints
    node: Ints
    built: Ints
    capacity: Floats
    node_count: int
    roots: Ints
    trench_id: Strings
    from_node: Ints
    to_node: Ints
    trench_length_m: Floats
    trench_capex: Ints
    trench_opex: Ints
    trench_built: Ints
    value: Floats
    amount: Floats
    arc_row: Ints
    arc_option: Ints
    arc_partner: Ints
    arc_share: Floats
    arc_limit_m: Floats
    floor_name: Strings
    floor_stage: Ints
    floor_weight: Floats
    floor_amount: Floats

    def __post_init__(self) -> None:
        raise_if(self._faults(), OfferError)
        freeze(*(value for item in fields(self) if isinstance(value := getattr(self, item.name), np.ndarray)))

    @property
    def stages(self) -> int:
        """Number of stages T."""
        return len(self.years)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over every array and scalar, in hexadecimal."""
        digest = hashlib.sha256()
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, np.ndarray):
                plain = value.astype("U") if value.dtype.kind == "U" else np.ascontiguousarray(value)
                content = "\0".join(plain.tolist()).encode() if plain.dtype.kind == "U" else plain.tobytes()
                digest.update(f"{item.name}{value.shape}{value.dtype.kind}".encode() + content)
            else:
                digest.update(f"{item.name}={value!r}".encode())
        return digest.hexdigest()

    def _faults(self) -> Iterator[Fault]:
        t, n, m = len(self.years), len(self.option_id), len(self.trench_id)
        r, a, f = len(self.value), len(self.arc_row), len(self.floor_name)
        resources = self.capacity.shape[-1] if self.capacity.ndim else 0
        groups = (
            (("discount", "budget"), (t,)),
            (("capex", "opex", "host", "node", "built"), (n,)),
            (("capacity",), (n, resources)),
            (("from_node", "to_node", "trench_length_m", "trench_capex", "trench_opex", "trench_built"), (m,)),
            (("value",), (r, t)),
            (("amount",), (r, t, resources)),
            (("arc_option", "arc_partner", "arc_share", "arc_limit_m"), (a,)),
            (("floor_stage", "floor_amount"), (f,)),
            (("floor_weight",), (f, r)),
        )
        expected = [(name, getattr(self, name), shape) for names, shape in groups for name in names]
        wrong = list(shape_faults("problem", expected))
        yield from wrong
        if wrong:
            return
        places = (
            ("options", self.host, -1, n),
            ("options", self.node, -1, self.node_count),
            ("options", self.built, FORBIDDEN, t + 1),
            ("trenches", self.from_node, 0, self.node_count),
            ("trenches", self.to_node, 0, self.node_count),
            ("trenches", self.trench_built, FREE, t + 1),
            ("roots", self.roots, 0, self.node_count),
            ("arcs", self.arc_row, 0, r),
            ("arcs", self.arc_option, 0, n),
            ("arcs", self.arc_partner, -1, n),
            ("floors", self.floor_stage, 1, t + 1),
        )
        for layer, position, low, high in places:
            bad = (position < low) | (position >= high)
            yield from row_faults(f"problem {layer}", bad, "a position is out of range", "Assemble the problem again.")
        sums = (("options", self.capex), ("options", self.opex))
        for layer, money in (*sums, ("trenches", self.trench_capex), ("trenches", self.trench_opex)):
            yield from row_faults(f"problem {layer}", money < 0, "an amount is negative", "Costs are at least 0.")
        yield from self._host_faults()

    def _host_faults(self) -> Iterator[Fault]:
        depth_left, reached = len(self.host), self.host.copy()
        while (reached >= 0).any() and depth_left:
            reached = np.where(reached >= 0, self.host[reached], -1)
            depth_left -= 1
        bad: Bools = reached >= 0
        yield from row_faults("problem options", bad, "hosts form a circle", "Let hosts end at an option without one.")


__all__ = ["EXISTING", "FORBIDDEN", "FREE", "NEVER", "Problem"]
