"""The map of received level: classes of RSRP over the quiet ground, with sites, legend, scale and sources."""

from __future__ import annotations

import textwrap
from itertools import pairwise
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure

from xinji.core.arrays import Floats
from xinji.core.grid import Raster
from xinji.core.region import Region
from xinji.show.ground import NO_BUILD, WATER, WATER_EDGE, draw_furniture, draw_ground, extent_of, outline_of
from xinji.show.legend import Entry, draw_legend
from xinji.show.look import INK, SOFT, cjk_font, new_figure, to_png
from xinji.show.text import Words, words

RSRP_CLASSES_DBM = (-120.0, -110.0, -105.0, -95.0, -85.0, -75.0)
"""Edges of the classes: below the first nothing is drawn; -105 dBm is where planning calls a place covered."""

COLOURS = ("#fdebac", "#feb47b", "#f9795d", "#d8456c", "#962c80", "#57157e")
"""From weak to strong: lightness (CIE L*) falls in even steps from 93 to 24, in grey prints and to colour-blind eyes.

Matplotlib's perceptually uniform ``magma``, reversed; it has neither blue nor green, which are water's and land's.
"""

WIDTH_IN = 7.2
_LEGEND_IN, _HEAD_IN, _FOOT_IN = 1.85, 0.4, 0.34
_MARGIN_IN = 0.12
_MOST_HIGH_IN = 6.4
_UNDER_RELIEF = -9.5
_MARKED_SHARE = 0.016
_SITE_POINTS = (3.0, 16.0)


def coverage_map(region: Region, levels: Raster, sites: tuple[Floats, Floats], mhz: int, text: Words) -> Figure:
    """Return the map of ``levels`` (RSRP [dBm], NaN where there is no signal) with ``sites`` (x, y [m], each (n,))."""
    west, south, east, north = extent_of(region)
    aspect = (north - south) / (east - west)
    high = min((WIDTH_IN - _LEGEND_IN) * aspect, _MOST_HIGH_IN)
    wide, total = high / aspect, _HEAD_IN + high + _FOOT_IN
    figure = new_figure(WIDTH_IN, total)
    ax = figure.add_axes((0.0, _FOOT_IN / total, wide / WIDTH_IN, high / total))
    draw_ground(ax, region, scale=0.6)
    _draw_levels(ax, region, levels)
    places = np.unique(np.column_stack(sites), axis=0)
    size = _site_points(len(places), wide * high)
    line = 0.8 * np.sqrt(size / _SITE_POINTS[1])
    ax.scatter(places[:, 0], places[:, 1], s=size, marker="^", c="white", edgecolors=INK, linewidths=line, zorder=5)
    ax.set_xlim(west, east)
    ax.set_ylim(south, north)
    draw_furniture(ax, region, text["map.north"])
    head = text["coverage_map.head"].format(region=getattr(region, text["language.title"]), mhz=mhz)
    left = _MARGIN_IN / WIDTH_IN
    figure.text(left, 1 - 0.24 / total, head, fontsize=10.5, weight="bold", color=INK, va="center")
    place = ((wide + 0.1) / WIDTH_IN, _FOOT_IN / total, _LEGEND_IN / WIDTH_IN, high / total)
    draw_legend(figure.add_axes(place), figure, _entries(region, text, size))
    lines = textwrap.wrap(" · ".join(region.attribution), 150)
    figure.text(left, 0.09 / total, "\n".join(lines[:2]), fontsize=5.8, color=SOFT, va="bottom", linespacing=1.3)
    return figure


def save_coverage_png(
    path: Path, region: Region, levels: Raster, sites: tuple[Floats, Floats], *, mhz: int, language: str = "en"
) -> str:
    """Write the map to ``path`` as PNG and return the language of its labels.

    Chinese ones need a font on this machine and become English where there is none.
    """
    shown = language if language != "zh" or cjk_font() else "en"
    to_png(coverage_map(region, levels, sites, mhz, words(shown)), path)
    return shown


def _draw_levels(ax: Axes, region: Region, levels: Raster) -> None:
    grid = levels.grid
    box = (grid.west_m, grid.west_m + grid.columns * grid.cell_m, grid.north_m - grid.rows * grid.cell_m, grid.north_m)
    shown = np.ma.masked_invalid(np.where(levels.values >= RSRP_CLASSES_DBM[0], levels.values, np.nan))
    norm = BoundaryNorm([*RSRP_CLASSES_DBM, 100.0], len(COLOURS))
    # Roads and water lie above, so that a reader finds the place again.
    picture = ax.imshow(
        shown, extent=box, cmap=ListedColormap(COLOURS), norm=norm, interpolation="nearest", zorder=_UNDER_RELIEF,
        aspect="auto",
    )  # fmt: skip
    picture.set_clip_path(outline_of([region.boundary]), ax.transData)
    ax.set_aspect("equal")


def _site_points(sites: int, area_in2: float) -> float:
    """Return the size of a site's mark [square points]: smaller where many would cover a map of that area."""
    least, most = _SITE_POINTS
    return min(most, max(least, _MARKED_SHARE * area_in2 * 72.0**2 / max(sites, 1)))


def _entries(region: Region, text: Words, size: float) -> list[Entry]:
    edges = [f"{edge:g}".replace("-", "\N{MINUS SIGN}") for edge in RSRP_CLASSES_DBM]
    labels = [f"{low} … {high} dBm" for low, high in pairwise(edges)]
    labels.append(f"≥ {edges[-1]} dBm")
    classes = [Entry("area", label, colour, edge="none") for label, colour in zip(labels, COLOURS, strict=True)]
    return [
        Entry("heading", text["coverage_map.level"]),
        *reversed(classes),
        Entry("area", text["coverage_map.none"], "white", edge=SOFT),
        Entry("gap"),
        Entry("marker", text["coverage_map.site"], "white", "^", size, INK),
        Entry("casing", text["map.main_road"]),
        *([Entry("area", text["map.water"], WATER, edge=WATER_EDGE)] if len(region.water) else []),
        *([Entry("hatch", text["map.no_build"], "none", edge=NO_BUILD)] if len(region.no_build) else []),
        Entry("dashes", text["map.boundary"]),
    ]
