"""Maps of a plan: the whole by year of building, and what each year adds."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline

from xinji.core.arrays import Bools, Shapes
from xinji.core.region import Region
from xinji.core.study import Study
from xinji.show.ground import draw_furniture, draw_ground, extent_of
from xinji.show.legend import draw_legend, overview_columns, stage_entries
from xinji.show.look import INK, SOFT, cjk_font, new_figure, to_png, year_colours
from xinji.show.numbers import count
from xinji.show.places import Places, gigabit_stage, places_of, trench_lines
from xinji.show.text import Words, words

WIDTH_IN = 7.2
"""Width of every figure [inch]: that of the text on an A4 page, so that type prints at its own size."""

NEW, EARLIER = "#111111", "#9aa3a9"
MARKERS = {"new": "^", "upgraded": "o", "edge": "D", "pop": "s"}
_LEGEND_IN, _HEAD_IN, _FOOT_IN = 1.42, 0.36, 0.3
_MOST_HIGH_IN, _MOST_HIGH_STAGE_IN = 6.0, 2.75


def overview_map(study: Study, text: Words) -> Figure:
    """Return the map of all that the plan builds, coloured by the year in which it is built."""
    region, years = study.region, study.policy.years
    high = min(WIDTH_IN * _aspect(region), _MOST_HIGH_IN)
    wide = high / _aspect(region)
    total = _HEAD_IN + high + _LEGEND_IN + _FOOT_IN
    figure = new_figure(WIDTH_IN, total)
    left, bottom = (1 - wide / WIDTH_IN) / 2, (_FOOT_IN + _LEGEND_IN) / total
    ax = figure.add_axes((left, bottom, wide / WIDTH_IN, high / total))
    draw_ground(ax, region)
    colours = year_colours(years)
    by_stage = {0: "#7b858c", **{k: colours[year] for k, year in enumerate(years, start=1)}}
    gigabit = gigabit_stage(study)
    _trenches(ax, study, by_stage)
    for stage, colour in by_stage.items():
        _dots(ax, region, gigabit == stage, colour, 2.2)
    _pops(ax, region, 1.0)
    _sites(ax, places_of(study, "radio"), by_stage)
    _edges(ax, places_of(study, "compute"), by_stage)
    draw_furniture(ax, region, text["map.north"])
    head = text["map.overview"].format(region=getattr(region, text["language.title"]), year=years[-1])
    _head_and_foot(figure, head, region, total)
    columns = overview_columns(text, colours, _present(study))
    for place, entries in zip((0.0, 0.16, 0.45, 0.74), columns, strict=True):
        legend = figure.add_axes((place, _FOOT_IN / total, 0.26, _LEGEND_IN / total))
        draw_legend(legend, figure, entries)
    return figure


def stage_maps(study: Study, text: Words) -> Figure:
    """Return one small map for each stage: what it adds in black, what was built before in grey."""
    region, years = study.region, study.policy.years
    columns = 2
    rows = len(years) // columns + 1
    wide = WIDTH_IN / columns - 0.08
    head = 0.42
    high = min(wide * _aspect(region), _MOST_HIGH_STAGE_IN)
    total = rows * (high + head) + _FOOT_IN
    figure = new_figure(WIDTH_IN, total)
    radio, compute, gigabit = places_of(study, "radio"), places_of(study, "compute"), gigabit_stage(study)
    lines = trench_lines(study)
    for k, year in enumerate(years):
        row, column = divmod(k, columns)
        left, bottom = column / columns + 0.005, 1 - ((row + 1) * (high + head)) / total
        ax = figure.add_axes((left, bottom, wide / WIDTH_IN, high / total))
        draw_ground(ax, region, scale=0.55)
        _stage(ax, study, k + 1, lines, (radio, compute))
        _dots(ax, region, (gigabit >= 0) & (gigabit <= k), EARLIER, 0.7)
        _dots(ax, region, gigabit == k + 1, NEW, 1.0)
        if k == 0:
            draw_furniture(ax, region, text["map.north"], size=6.5)
        top = bottom + high / total
        figure.text(
            left + 0.01,
            top + 0.21 / total,
            text["map.stage"].format(year=year),
            fontsize=10.5,
            weight="bold",
            color=INK,
        )
        figure.text(left + 0.01, top + 0.07 / total, _added(study, k + 1, text), fontsize=7, color=SOFT)
    row, column = divmod(len(years), columns)
    spot = (column / columns + 0.03, 1 - ((row + 1) * (high + head)) / total, 0.42, high / total)
    draw_legend(figure.add_axes(spot), figure, stage_entries(text, _present(study)))
    _head_and_foot(figure, "", region, total)
    return figure


def save_map_png(study: Study, path: Path, *, language: str = "en", which: str = "overview", dpi: int = 200) -> str:
    """Write the ``overview`` or the ``stages`` map of ``study`` to ``path`` as PNG.

    Returns the language of the labels: Chinese ones need a font on this machine and become English
    where there is none.
    """
    shown = language if language != "zh" or cjk_font() else "en"
    draw = {"overview": overview_map, "stages": stage_maps}[which]
    to_png(draw(study, words(shown)), path, dpi=dpi)
    return shown


def _aspect(region: Region) -> float:
    west, south, east, north = extent_of(region)
    return (north - south) / (east - west)


def _present(study: Study) -> Mapping[str, bool]:
    """Return which things the maps show at all, so that a legend lists nothing else."""
    region = study.region
    radio, compute = places_of(study, "radio"), places_of(study, "compute")
    changed = radio.added.any(axis=1)
    return {
        "new": bool((changed & ~radio.exists).any()),
        "upgraded": bool((changed & radio.exists).any()),
        "existing": bool((radio.exists & ~changed).any()),
        "edge": bool(compute.added.any()),
        "gigabit": bool((gigabit_stage(study) >= 0).any()),
        "old_trench": bool((study.plan.trench_stage == 0).any()),
        "water": len(region.water) > 0,
        "no_build": len(region.no_build) > 0,
        **{f"group.{code}": True for code in np.unique(region.cells.group).tolist()},
    }


def _trenches(ax: Axes, study: Study, by_stage: Mapping[int, str]) -> None:
    lines, stage = trench_lines(study), study.plan.trench_stage
    _strokes(ax, lines[stage >= 0], "white", 2.4, 2.0)
    for k in sorted(by_stage, reverse=True):
        _strokes(ax, lines[stage == k], by_stage[k], 0.9 if k == 0 else 1.3, 2.1)


def _strokes(ax: Axes, lines: Shapes, colour: str, width: float, zorder: float) -> None:
    """Draw lines as one path: a fraction of the size of one element a line."""
    if not len(lines):
        return
    points, owner = shapely.get_coordinates(lines, return_index=True)
    codes = np.full(len(points), Outline.LINETO, dtype=Outline.code_type)
    codes[np.flatnonzero(np.diff(owner, prepend=-1))] = Outline.MOVETO
    ax.add_patch(
        PathPatch(
            Outline(points, codes), facecolor="none", edgecolor=colour, linewidth=width, capstyle="round",
            joinstyle="round", zorder=zorder,
        )
    )  # fmt: skip


def _dots(ax: Axes, region: Region, chosen: Bools, colour: str, size: float) -> None:
    """Mark the cells of a gigabit area by a small dot each, in the picture beneath the lines."""
    if chosen.any():
        ax.scatter(region.cells.x_m[chosen], region.cells.y_m[chosen], s=size, c=colour, linewidths=0, zorder=-1)


def _pops(ax: Axes, region: Region, scale: float) -> None:
    pops = region.facilities.of_kind("fibre_pop")
    x, y = region.facilities.x_m[pops], region.facilities.y_m[pops]
    ax.scatter(x, y, s=46 * scale, marker="s", c="white", edgecolors=INK, linewidths=1.1 * scale, zorder=7)
    ax.scatter(x, y, s=16 * scale, marker="x", c=INK, linewidths=1.0 * scale, zorder=7.1)


def _sites(ax: Axes, radio: Places, by_stage: Mapping[int, str]) -> None:
    idle = radio.exists & (radio.first == 0)
    ax.scatter(radio.x_m[idle], radio.y_m[idle], s=9, marker="o", c="white", edgecolors=SOFT, linewidths=0.7, zorder=4)
    for stage in sorted(set(by_stage) - {0}, reverse=True):
        for kind, there in (("upgraded", radio.exists), ("new", ~radio.exists)):
            here = (radio.first == stage) & there
            size = 22 if kind == "new" else 17
            ax.scatter(
                radio.x_m[here], radio.y_m[here], s=size, marker=MARKERS[kind], c=by_stage[stage], edgecolors="white",
                linewidths=0.5, zorder=5,
            )  # fmt: skip


def _edges(ax: Axes, compute: Places, by_stage: Mapping[int, str]) -> None:
    for stage in sorted(set(by_stage) - {0}, reverse=True):
        here = compute.first == stage
        ax.scatter(
            compute.x_m[here], compute.y_m[here], s=60, marker=MARKERS["edge"], c=by_stage[stage], edgecolors="white",
            linewidths=1.0, zorder=8,
        )  # fmt: skip


def _stage(ax: Axes, study: Study, stage: int, lines: Shapes, places: tuple[Places, Places]) -> None:
    radio, compute = places
    dug = study.plan.trench_stage
    _strokes(ax, lines[(dug >= 0) & (dug < stage)], EARLIER, 0.6, 2.0)
    _strokes(ax, lines[dug == stage], NEW, 1.2, 2.1)
    _pops(ax, study.region, 0.4)
    for group, mark, size in ((radio, "", 9.0), (compute, "edge", 26.0)):
        new, old = group.new_in(stage), group.before(stage) & ~group.new_in(stage)
        for chosen, colour, height in ((old, EARLIER, 4), (new, NEW, 5)):
            for there, kind in ((group.exists, "upgraded"), (~group.exists, "new")):
                here = chosen & there
                marker = MARKERS[mark or kind]
                ax.scatter(
                    group.x_m[here], group.y_m[here], s=size, marker=marker, c=colour, edgecolors="white",
                    linewidths=0.35, zorder=height,
                )  # fmt: skip


def _added(study: Study, stage: int, text: Words) -> str:
    """Return what a stage adds, in words."""
    sites = int(places_of(study, "radio").new_in(stage).sum())
    edges = int(places_of(study, "compute").new_in(stage).sum())
    cells = int((gigabit_stage(study) == stage).sum())
    length = float(study.problem.trench_length_m[study.plan.trench_stage == stage].sum()) / 1000
    parts = [
        text[f"map.{key}_count"].format(n=number)
        for key, value, number in (
            ("sites", sites, count(sites)),
            ("trench", length, f"{length:,.1f}"),
            ("gigabit", cells, count(cells)),
            ("edge", edges, count(edges)),
        )
        if value
    ]
    if not parts:
        return text["map.nothing_added"]
    return text["map.stage_note"].format(items=text["language.list"].join(parts))


def _head_and_foot(figure: Figure, head: str, region: Region, total: float) -> None:
    if head:
        figure.text(0.0, 1 - 0.2 / total, head, fontsize=10.5, weight="bold", color=INK, va="center")
    lines = textwrap.wrap(" · ".join(region.attribution), 150)
    figure.text(0.0, 0.05 / total, "\n".join(lines[:2]), fontsize=5.8, color=SOFT, va="bottom", linespacing=1.3)
