"""Sites where they were really built: candidates that a ledger knows better."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from xinji.core.arrays import Bools, Floats, Strings, freeze
from xinji.core.region import Region
from xinji.core.vocabulary import GROUPS
from xinji.plan.radio.candidates import KINDS, Candidates

HOST_KIND_OF = {"tower_shared": "existing", "rooftop": "roof", "tower_new": "roadside"}
"""The kind of candidate that becomes each kind of host."""

_HEIGHTS = {"roof": "roof", "roadside": "tower", "existing": "tower"}


@dataclass(frozen=True, slots=True, eq=False)
class Masts:
    """Hosts (k) that were built, with the places where they stand [m]; ``kind`` is the option's."""

    id: Strings
    kind: Strings
    x_m: Floats
    y_m: Floats

    def __post_init__(self) -> None:
        freeze(self.id, self.kind, self.x_m, self.y_m)

    def __len__(self) -> int:
        return len(self.id)


def at_real_places(region: Region, candidates: Candidates, masts: Masts) -> Candidates:
    """Return ``candidates`` with those that ``masts`` names at their real places, and the others added.

    What is added has the antenna height that ``radio.height.*`` gives its kind and the group of the
    nearest cell. Spacing is not asked for again: ids of other candidates stay.
    """
    place = {str(name): row for row, name in enumerate(candidates.id)}
    known = np.array([str(name) in place for name in masts.id], dtype=bool)
    x_m, y_m = candidates.x_m.copy(), candidates.y_m.copy()
    rows = np.array([place[str(name)] for name in masts.id[known]], dtype=np.int64)
    x_m[rows], y_m[rows] = masts.x_m[known], masts.y_m[known]
    moved = replace(candidates, x_m=x_m, y_m=y_m)
    return moved if known.all() else _with(moved, _added(region, masts, ~known))


def _with(candidates: Candidates, more: Candidates) -> Candidates:
    names = Candidates.__dataclass_fields__
    return Candidates(**{name: np.concatenate([getattr(candidates, name), getattr(more, name)]) for name in names})


def _added(region: Region, masts: Masts, chosen: Bools) -> Candidates:
    cells, x_m, y_m = region.cells, masts.x_m[chosen], masts.y_m[chosen]
    _, cell = cKDTree(np.column_stack([cells.x_m, cells.y_m])).query(np.column_stack([x_m, y_m]))
    group = cells.group[cell]
    kinds = [HOST_KIND_OF[kind] for kind in masts.kind[chosen].tolist()]
    heights = [
        region.parameters.value(f"radio.height.{_HEIGHTS[kind]}.{GROUPS[code]}", "m")
        for kind, code in zip(kinds, group.tolist(), strict=True)
    ]
    return Candidates(
        id=masts.id[chosen],
        kind=np.array([KINDS.index(kind) for kind in kinds], dtype=np.uint8),
        x_m=x_m,
        y_m=y_m,
        height_m=np.array(heights, dtype=np.float64),
        group=group,
        facility=np.full(len(x_m), -1, dtype=np.int64),
    )
