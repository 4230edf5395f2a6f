"""One technology's options, and the trench graph that they share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import (
    Bools,
    Codes,
    Floats,
    Ints,
    Strings,
    duplicate_rows,
    freeze,
    row_faults,
    shape_faults,
)
from xinji.core.vocabulary import RESOURCES, SERVICES, TECHNOLOGIES
from xinji.errors import Fault, OfferError, raise_if

FORBIDDEN = -2
FREE = -1
EXISTING = 0


@dataclass(frozen=True, slots=True, eq=False)
class Offer:
    """Options (n) of one technology and the service arcs (a) from options to cells.

    Options: ``id`` is stable across runs; ``kind`` names what is bought (for the bill of
    materials); ``payer`` who pays; ``capex`` [currency], ``opex`` [currency/year]; ``host`` is the
    position of the option in this offer that must be built first, or -1; ``needs_fibre`` says that
    the option itself must be joined to a point of presence along the trench graph; ``built`` is
    ``FREE`` (-1), ``EXISTING`` (0) or the stage 1..T in which it is committed; ``capacity`` has
    shape (n, resources), infinite where there is no limit.

    Arcs: option ``arc_option`` can serve up to ``arc_share`` of service ``arc_service`` in cell
    ``arc_cell`` (positions). ``arc_path_limit_m`` bounds the length of fibre between this option
    and the other technology's option that serves the same flow; infinite where none is asked.
    """

    technology: str
    id: Strings
    kind: Strings
    payer: Strings
    x_m: Floats
    y_m: Floats
    capex: Floats
    opex: Floats
    host: Ints
    needs_fibre: Bools
    built: Ints
    capacity: Floats
    arc_cell: Ints
    arc_service: Codes
    arc_option: Ints
    arc_share: Floats
    arc_path_limit_m: Floats

    def __post_init__(self) -> None:
        raise_if(self._faults(), OfferError)
        freeze(self.id, self.kind, self.payer, self.x_m, self.y_m, self.capex, self.opex, self.host)
        freeze(self.needs_fibre, self.built, self.capacity, self.arc_cell, self.arc_service)
        freeze(self.arc_option, self.arc_share, self.arc_path_limit_m)

    def __len__(self) -> int:
        return len(self.id)

    def _faults(self) -> Iterator[Fault]:
        layer, n, a = f"{self.technology} offer", (len(self.id),), (len(self.arc_cell),)
        option_names = ("kind", "payer", "x_m", "y_m", "capex", "opex", "host", "needs_fibre", "built")
        arc_names = ("arc_service", "arc_option", "arc_share", "arc_path_limit_m")
        wrong = list(shape_faults(layer, [(name, getattr(self, name), n) for name in option_names]))
        wrong += shape_faults(layer, [(name, getattr(self, name), a) for name in arc_names])
        wrong += shape_faults(layer, [("capacity", self.capacity, (*n, len(RESOURCES)))])
        yield from wrong
        if wrong:
            return
        if self.technology not in TECHNOLOGIES:
            yield Fault(layer, "the technology is unknown", f"Use one of {', '.join(TECHNOLOGIES)}.")
        yield from row_faults(layer, duplicate_rows(self.id), "the id is used before", "Make ids unique.")
        for name in ("capex", "opex"):
            values = getattr(self, name)
            bad = ~(np.isfinite(values) & (values >= 0))
            yield from row_faults(layer, bad, f"{name} is negative or missing", "Give an amount of at least 0.")
        bad = (self.host < -1) | (self.host >= n[0]) | (self.host == np.arange(n[0]))
        yield from row_faults(layer, bad, "the host is not another option", "Give a position in this offer or -1.")
        bad = (self.arc_option < 0) | (self.arc_option >= n[0])
        yield from row_faults(f"{layer} arcs", bad, "the option is unknown", "Give a position in this offer.")
        bad = self.arc_service >= len(SERVICES)
        yield from row_faults(f"{layer} arcs", bad, "the service is unknown", "Give a code of SERVICES.")
        bad = ~((self.arc_share > 0) & (self.arc_share <= 1))
        yield from row_faults(f"{layer} arcs", bad, "the share is not in (0, 1]", "Leave out what serves nobody.")


@dataclass(frozen=True, slots=True, eq=False)
class Trenches:
    """The trench graph: nodes (n) on the ground and edges (m) that can be dug, or are there.

    ``road`` is the position of the road edge that the trench follows; ``method`` names how it is
    dug; ``built`` is ``FREE``, ``EXISTING`` or a committed stage; ``roots`` are the nodes of the
    points of presence; ``lateral_capex_per_m`` and ``lateral_opex_per_m`` price the last metres
    from a node to an option beside it.
    """

    node_x_m: Floats
    node_y_m: Floats
    id: Strings
    from_node: Ints
    to_node: Ints
    length_m: Floats
    capex: Floats
    opex: Floats
    built: Ints
    road: Ints
    method: Strings
    payer: str
    roots: Ints
    lateral_capex_per_m: float
    lateral_opex_per_m: float

    def __post_init__(self) -> None:
        raise_if(self._faults(), OfferError)
        freeze(self.node_x_m, self.node_y_m, self.id, self.from_node, self.to_node, self.length_m)
        freeze(self.capex, self.opex, self.built, self.road, self.method, self.roots)

    def __len__(self) -> int:
        return len(self.id)

    def _faults(self) -> Iterator[Fault]:
        layer, n, m = "trench graph", (len(self.node_x_m),), (len(self.id),)
        names = ("from_node", "to_node", "length_m", "capex", "opex", "built", "road", "method")
        wrong = list(shape_faults(layer, [(name, getattr(self, name), m) for name in names]))
        wrong += shape_faults(layer, [("node_y_m", self.node_y_m, n)])
        yield from wrong
        if wrong:
            return
        if not len(self.roots):
            remedy = "Add a facility of kind fibre_pop: everything built must be joined to one."
            yield Fault(layer, "there is no fibre point of presence", remedy)
        for name in ("capex", "opex", "length_m"):
            values = getattr(self, name)
            bad = ~(np.isfinite(values) & (values >= 0))
            yield from row_faults(layer, bad, f"{name} is negative or missing", "Give a number of at least 0.")
        bad = (np.minimum(self.from_node, self.to_node) < 0) | (np.maximum(self.from_node, self.to_node) >= n[0])
        yield from row_faults(layer, bad, "an end is not a node", "Give node positions.")
