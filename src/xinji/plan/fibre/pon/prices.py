"""Prices and sizes of what a passive optical network is made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Floats, Ints, freeze, row_faults, shape_faults
from xinji.core.parameters import Parameters
from xinji.errors import Fault, raise_if
from xinji.plan.fibre.trench import METHODS

CABLE_FIBRES = (12, 24, 48, 96, 144, 288)
"""Fibre counts that cables are made with; each has its price per metre, ``fibre.cable.<count>``."""


POLES = "aerial"
"""The trench method that leads over poles."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """Two levels of splitters: 1:``first`` in a cabinet, then 1:``second`` in a box near the premises."""

    first: int
    second: int

    @property
    def split(self) -> int:
        """Lines that one port could carry."""
        return self.first * self.second


SCHEMES = (Scheme(4, 8), Scheme(8, 8), Scheme(4, 16), Scheme(8, 16))
"""What is tried in each exchange, as far as the total split allows."""


@dataclass(frozen=True, slots=True, eq=False)
class PonPrices:
    """Prices [currency], sizes and habits of one operator.

    ``cable_fibres`` (s,), rising, with ``cable_per_m`` (s,) [currency/m], laid. A ``box`` holds one
    splitter of the second level; a ``cabinet`` up to ``cabinet_splitters`` of the first, in the street
    or in the exchange; a splitter costs ``output`` for each of its outputs. ``port`` is an OLT port,
    one for each splitter of the first level. ``line`` is paid for each line connected (drop and ONT).
    ``fill`` [share] is how much of a splitter of the second level is used before the next is set;
    ``lines_per_port`` what a port can carry, ``split_limit`` how far it may be split.
    ``spare_fibres`` [share] is added to each cable, ``spare_holes`` to each duct;
    ``hole_per_m`` [currency/m] is a hole of duct more than the trench has; ``aerial_factor`` [1]
    what a cable on poles costs more than one in a duct.
    """

    cable_fibres: Ints
    cable_per_m: Floats
    aerial_factor: float
    hole_per_m: float
    spare_holes: int
    spare_fibres: float
    box: float
    cabinet: float
    cabinet_splitters: int
    output: float
    port: float
    line: float
    fill: float
    lines_per_port: float
    split_limit: int

    def __post_init__(self) -> None:
        raise_if(self._faults())
        freeze(self.cable_fibres, self.cable_per_m)

    def _faults(self) -> Iterator[Fault]:
        wrong = list(shape_faults("cables", [("cable_per_m", self.cable_per_m, self.cable_fibres.shape)]))
        yield from wrong
        if wrong:
            return
        bad = np.diff(self.cable_fibres, prepend=0) <= 0
        yield from row_faults("cables", bad, "the fibre count does not rise", "Sort the sizes, each once.")
        bad = np.diff(self.cable_per_m, prepend=0.0) < 0
        yield from row_faults("cables", bad, "a larger cable is cheaper", "Leave out the smaller one.")
        amounts = ("aerial_factor", "hole_per_m", "spare_holes", "spare_fibres", "box", "cabinet", "output", "port")
        for name in (*amounts, "line"):
            if not (np.isfinite(getattr(self, name)) and getattr(self, name) >= 0):
                yield Fault("prices", f"{name} is {getattr(self, name)}", "Give a number of at least 0.")
        for name in ("cabinet_splitters", "split_limit", "lines_per_port"):
            if not getattr(self, name) >= 1:
                yield Fault("prices", f"{name} is {getattr(self, name)}", "Give at least 1.")
        if not 0 < self.fill <= 1:
            yield Fault("prices", f"fill is {self.fill}", "Give a share above 0, at most 1.")


@dataclass(frozen=True, slots=True)
class Sizes:
    """What one scheme holds under ``PonPrices``: lines a box, boxes a splitter of the first level, and those a cabinet.

    ``box_cost``, ``first_cost`` (with its port) and ``cabinet_cost`` [currency].
    """

    box_lines: int
    first_boxes: int
    cabinet_firsts: int
    box_cost: float
    first_cost: float
    cabinet_cost: float


def sizes_of(scheme: Scheme, prices: PonPrices) -> Sizes:
    """Return what ``scheme`` holds: splitters filled to ``fill``, ports loaded to ``lines_per_port``."""
    box_lines = max(1, min(int(scheme.second * prices.fill), int(prices.lines_per_port)))
    return Sizes(
        box_lines=box_lines,
        first_boxes=max(1, min(scheme.first, int(prices.lines_per_port) // box_lines)),
        cabinet_firsts=prices.cabinet_splitters,
        box_cost=prices.box + prices.output * scheme.second,
        first_cost=prices.port + prices.output * scheme.first,
        cabinet_cost=prices.cabinet,
    )


def read_prices(parameters: Parameters, *, peak_mbps: float = 0.0) -> PonPrices:
    """Return the prices in ``parameters``; ``peak_mbps`` is the busy-hour traffic of one line."""
    value = parameters.value
    split = value("fibre.pon.split", "1")
    carried = value("fibre.pon.payload", "Mbit/s") * value("fibre.pon.load", "share")
    return PonPrices(
        cable_fibres=np.array(CABLE_FIBRES, dtype=np.int64),
        cable_per_m=np.array([value(f"fibre.cable.{count}", "currency/m") for count in CABLE_FIBRES]),
        aerial_factor=value("fibre.cable.aerial_factor", "1"),
        hole_per_m=value("fibre.duct.hole", "currency/m"),
        spare_holes=round(value("fibre.duct.spare", "1")),
        spare_fibres=value("fibre.cable.spare", "share"),
        box=value("fibre.pon.box", "currency"),
        cabinet=value("fibre.pon.cabinet", "currency"),
        cabinet_splitters=round(value("fibre.pon.cabinet_splitters", "1")),
        output=value("fibre.pon.splitter_output", "currency"),
        port=value("fibre.pon.port", "currency"),
        line=value("fibre.drop", "currency") + value("fibre.ont", "currency"),
        fill=value("fibre.pon.fill", "share"),
        lines_per_port=min(split, carried / peak_mbps) if peak_mbps > 0.0 else split,
        split_limit=round(split),
    )


def read_holes(parameters: Parameters) -> dict[str, int]:
    """Return the holes of duct that the price of each trench method holds; poles hold none."""
    dug = (method for method in METHODS if method != POLES)
    return {POLES: 0} | {method: round(parameters.value(f"fibre.duct.holes.{method}", "1")) for method in dug}


__all__ = ["CABLE_FIBRES", "POLES", "SCHEMES", "PonPrices", "Scheme", "Sizes", "read_holes", "read_prices", "sizes_of"]
