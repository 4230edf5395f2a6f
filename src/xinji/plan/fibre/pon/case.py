"""What is to be connected, along which trenches, from which exchanges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import AnyArray, Bools, Floats, Ints, freeze, row_faults, shape_faults
from xinji.errors import Fault, raise_if

BURIED, AERIAL = 0, 1
WAYS = ("buried", "aerial")
"""How a cable is carried; the second axis of ``AccessCase.opening``."""


@dataclass(frozen=True, slots=True, eq=False)
class AccessCase:
    """Premises (p) at nodes (n) of a trench graph (edges m), and the exchanges (k) that serve them.

    ``opening`` (m, 2) [currency] is what it costs to open an edge as ``WAYS`` say: 0 where another
    network paid for it already, infinite where it cannot be had. ``holes`` (m,) counts the holes of
    duct in that price, ``other_cables`` (m,) the cables that other networks lay in the same edge
    by the end. Premises stand at ``premises_node``, ``premises_tail_m`` [m] of fibre away from it,
    order ``premises_lines`` lines each and are connected in ``premises_stage`` (1 to ``stages``).
    """

    node_count: int
    from_node: Ints
    to_node: Ints
    length_m: Floats
    opening: Floats
    holes: Ints
    other_cables: Ints
    exchanges: Ints
    premises_node: Ints
    premises_lines: Ints
    premises_stage: Ints
    premises_tail_m: Floats
    stages: int

    def __post_init__(self) -> None:
        raise_if(self._faults())
        freeze(self.from_node, self.to_node, self.length_m, self.opening, self.holes, self.other_cables)
        freeze(self.exchanges, self.premises_node, self.premises_lines, self.premises_stage, self.premises_tail_m)

    def lines_at(self, chosen: Bools) -> Ints:
        """Return the lines of the ``chosen`` premises (p,) at each node (shape (n,))."""
        lines = np.zeros(self.node_count, dtype=np.int64)
        np.add.at(lines, self.premises_node[chosen], self.premises_lines[chosen])
        return lines

    def _faults(self) -> Iterator[Fault]:
        m, p = len(self.from_node), len(self.premises_node)
        edges = ("to_node", "length_m", "holes", "other_cables")
        premises = ("premises_lines", "premises_stage", "premises_tail_m")
        wrong = list(shape_faults("access edges", [(name, getattr(self, name), (m,)) for name in edges]))
        wrong += shape_faults("access edges", [("opening", self.opening, (m, len(WAYS)))])
        wrong += shape_faults("premises", [(name, getattr(self, name), (p,)) for name in premises])
        yield from wrong
        if wrong:
            return
        if not len(self.exchanges):
            yield Fault("exchanges", "there is none", "Name at least one node with an OLT room.")
        for layer, nodes in (
            ("access edges", self.from_node),
            ("access edges", self.to_node),
            ("exchanges", self.exchanges),
            ("premises", self.premises_node),
        ):
            bad = (nodes < 0) | (nodes >= self.node_count)
            yield from row_faults(layer, bad, "the node is not in the graph", f"Give 0 to {self.node_count - 1}.")
        numbers: tuple[tuple[str, str, AnyArray], ...] = (
            ("access edges", "length_m", self.length_m),
            ("access edges", "holes", self.holes),
            ("access edges", "other_cables", self.other_cables),
            ("premises", "premises_lines", self.premises_lines),
            ("premises", "premises_tail_m", self.premises_tail_m),
        )
        for layer, name, values in numbers:
            bad = ~(np.isfinite(values) & (values >= 0))
            yield from row_faults(layer, bad, f"{name} is negative or missing", "Give a number of at least 0.")
        bad = np.asarray((np.isnan(self.opening) | (self.opening < 0)).any(axis=1))
        yield from row_faults(
            "access edges", bad, "opening is negative or missing", "Give infinity where it cannot be."
        )
        bad = (self.premises_stage < 1) | (self.premises_stage > self.stages)
        yield from row_faults("premises", bad, "the stage is unknown", f"Give 1 to {self.stages}.")


__all__ = ["AERIAL", "BURIED", "WAYS", "AccessCase"]
