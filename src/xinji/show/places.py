"""Where a plan builds, stage by stage: sites and edge nodes as places, trenches as lines, gigabit areas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from xinji.core.arrays import Bools, Floats, Ints, Shapes
from xinji.core.assets import Assets, assets_of, offer_of
from xinji.core.offer import EXISTING
from xinji.core.study import Study
from xinji.core.vocabulary import TECHNOLOGIES

SIMPLIFY_M = 8.0
"""Bends smaller than this cannot be seen on a map of a district."""


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Places (p) where options stand together: position [m], whether the place exists, and what is added.

    ``added`` (p, T + 1) says whether something is built there in stage 1..T (column 0 is unused).
    """

    x_m: Floats
    y_m: Floats
    exists: Bools
    added: Bools

    @property
    def first(self) -> Ints:
        """First stage (p,) in which something is added, 0 where nothing is."""
        return np.where(self.added.any(axis=1), self.added.argmax(axis=1), 0)

    def new_in(self, stage: int) -> Bools:
        """Return whether something is added at a place in ``stage`` (p,)."""
        return self.added[:, stage]

    def before(self, stage: int) -> Bools:
        """Return whether something was added at a place before ``stage`` (p,)."""
        before: Bools = np.asarray(self.added[:, :stage].any(axis=1))
        return before


def places_of(study: Study, technology: str) -> Places:
    """Return the places of ``technology``: each option without a host, with all that stand on it."""
    assets, stage = assets_of(study), study.plan.stage
    mine = np.flatnonzero(assets.technology == technology)
    foot = feet(assets)[mine]
    feet_here, place = np.unique(foot, return_inverse=True)
    added = np.zeros((len(feet_here), study.problem.stages + 1), dtype=bool)
    built = stage[mine] >= 1
    added[place[built], stage[mine][built]] = True
    return Places(assets.x_m[feet_here], assets.y_m[feet_here], stage[feet_here] == EXISTING, added)


def feet(assets: Assets) -> Ints:
    """Return the option (n,) at the foot of each option's chain of hosts."""
    foot = np.arange(len(assets))
    while (assets.host[foot] >= 0).any():
        foot = np.where(assets.host[foot] >= 0, assets.host[foot], foot)
    return foot


def trench_lines(study: Study) -> Shapes:
    """Return the line of each trench (m,), simplified for drawing; straight where it follows no road."""
    trenches, roads = study.trenches, study.region.roads.shape
    ends = np.stack([trenches.from_node, trenches.to_node], axis=1)
    xy = np.stack([trenches.node_x_m[ends], trenches.node_y_m[ends]], axis=2)
    straight = np.asarray(shapely.linestrings(xy), dtype=object)
    if not len(roads):
        return straight
    lines = np.where(trenches.road >= 0, roads[np.maximum(trenches.road, 0)], straight)
    return np.asarray(shapely.simplify(lines, SIMPLIFY_M), dtype=object)


def gigabit_stage(study: Study) -> Ints:
    """Return the first stage (cells,) in which a cell has gigabit access; -1 never, 0 already."""
    stage = np.full(len(study.region.cells), np.iinfo(np.int64).max)
    if any(offer.technology == TECHNOLOGIES[1] for offer in study.offers):
        offer, option = offer_of(study, TECHNOLOGIES[1])
        built = study.plan.stage[option[offer.arc_option]]
        np.minimum.at(stage, offer.arc_cell[built >= 0], built[built >= 0])
    return np.where(stage == np.iinfo(np.int64).max, -1, stage)
