"""The network-design engines by name. Whatever they return has a ``value`` and a proved ``bound``."""

from __future__ import annotations

from xinji.plan.design.covering.maximal import max_covering
from xinji.plan.design.covering.partial import partial_covering
from xinji.plan.design.covering.set_cover import set_covering
from xinji.plan.design.covering.staged import staged_covering
from xinji.plan.design.facility.capacitated import capacitated_location
from xinji.plan.design.facility.p_median import p_median
from xinji.plan.design.facility.single_source import single_source_location
from xinji.plan.design.facility.staged import staged_location
from xinji.plan.design.steiner.node_weighted import node_weighted
from xinji.plan.design.steiner.prize import prize_collecting
from xinji.plan.design.steiner.solve import steiner_tree

__all__ = [
    "capacitated_location",
    "max_covering",
    "node_weighted",
    "p_median",
    "partial_covering",
    "prize_collecting",
    "set_covering",
    "single_source_location",
    "staged_covering",
    "staged_location",
    "steiner_tree",
]
