"""Legends drawn by hand: every entry looks exactly as it does on the map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from xinji.core.vocabulary import GROUPS
from xinji.show.ground import GROUP_TINTS, NO_BUILD, WATER, WATER_EDGE
from xinji.show.look import INK, SOFT
from xinji.show.text import Words

_LINE = 0.165
"""Height of one entry [inch]."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a legend: a heading, or a sign with its label.

    ``sign`` is ``heading``, ``gap``, ``marker``, ``line``, ``casing`` or ``area``.
    """

    sign: str
    label: str = ""
    colour: str = INK
    marker: str = "o"
    size: float = 22.0
    edge: str = "white"


def draw_legend(ax: Axes, figure: Figure, entries: Sequence[Entry]) -> None:
    """Draw ``entries`` from the top of ``ax`` on ``figure`` down, at their own size whatever that of the axes."""
    ax.set_axis_off()
    box = ax.get_position()
    wide, high = box.width * figure.get_figwidth(), box.height * figure.get_figheight()
    ax.set_xlim(0, wide)
    ax.set_ylim(-high, 0)
    y = -0.5 * _LINE
    for entry in entries:
        if entry.sign == "gap":
            y -= 0.45 * _LINE
            continue
        _draw(ax, entry, y)
        y -= _LINE


def _draw(ax: Axes, entry: Entry, y: float) -> None:
    left, middle, right = 0.08, 0.2, 0.32
    if entry.sign == "heading":
        ax.text(left, y, entry.label, fontsize=7.2, weight="bold", color=INK, va="center")
        return
    if entry.sign == "marker":
        ax.scatter(
            [middle], [y], s=entry.size, marker=entry.marker, c=entry.colour, edgecolors=entry.edge, linewidths=0.7
        )
    elif entry.sign == "pop":
        ax.scatter([middle], [y], s=40, marker="s", c="white", edgecolors=INK, linewidths=1.0)
        ax.scatter([middle], [y], s=14, marker="x", c=INK, linewidths=0.9)
    elif entry.sign == "line":
        ax.plot([left, right], [y, y], color=entry.colour, linewidth=entry.size, solid_capstyle="round")
    elif entry.sign == "casing":
        ax.plot([left, right], [y, y], color="#b4b8ba", linewidth=2.4)
        ax.plot([left, right], [y, y], color="white", linewidth=1.4)
    elif entry.sign == "dashes":
        ax.plot([left, right], [y, y], color=SOFT, linewidth=0.9, linestyle=(0, (7, 2, 1.5, 2)))
    else:
        hatch = "////" if entry.sign == "hatch" else None
        ax.add_patch(
            Rectangle((left, y - 0.05), right - left, 0.1, fc=entry.colour, ec=entry.edge, lw=0.5, hatch=hatch)
        )
    ax.text(right + 0.09, y, entry.label, fontsize=7, color=INK, va="center")


def overview_columns(text: Words, colours: Mapping[int, str], present: Mapping[str, bool]) -> list[list[Entry]]:
    """Return the legend of the map by year in four columns; ``present`` names what the map shows."""
    return [
        [
            Entry("heading", text["map.legend_year"]),
            *(Entry("line", str(year), colour, size=3.2) for year, colour in colours.items()),
        ],
        [Entry("heading", text["map.legend_marks"]), *_marks(text, present, "#555555")],
        [Entry("heading", text["map.legend_groups"]), *_groups(text, present)],
        [Entry("heading", text["map.legend_ground"]), *_ground(text, present)],
    ]


def stage_entries(text: Words, present: Mapping[str, bool]) -> list[Entry]:
    """Return the legend of the maps of what each year adds."""
    return [
        Entry("line", text["map.new"], "#111111", size=2.4),
        Entry("line", text["map.earlier"], "#9aa3a9", size=1.4),
        Entry("gap"),
        *_marks(text, {**present, "existing": False}, "#111111"),
        Entry("gap"),
        Entry("heading", text["map.legend_ground"]),
        *_groups(text, present),
        *_ground(text, present),
    ]


def _marks(text: Words, present: Mapping[str, bool], colour: str) -> Iterator[Entry]:
    if present.get("new"):
        yield Entry("marker", text["map.new_site"], colour, "^")
    if present.get("upgraded"):
        yield Entry("marker", text["map.upgraded_site"], colour, "o", 18)
    if present.get("existing"):
        yield Entry("marker", text["map.existing_site"], "white", "o", 12, SOFT)
    if present.get("edge"):
        yield Entry("marker", text["map.edge"], colour, "D", 38)
    yield Entry("pop", text["map.pop"])
    yield Entry("line", text["map.trench"], colour, size=1.3)
    if present.get("gigabit"):
        yield Entry("marker", text["map.gigabit"], colour, "o", 3.5, "none")


def _groups(text: Words, present: Mapping[str, bool]) -> Iterator[Entry]:
    for code, group in enumerate(GROUPS):
        if present.get(f"group.{code}"):
            yield Entry("area", text[f"group.{group}"], GROUP_TINTS[group], edge="#c9c4bd")


def _ground(text: Words, present: Mapping[str, bool]) -> Iterator[Entry]:
    yield Entry("casing", text["map.main_road"])
    if present.get("water"):
        yield Entry("area", text["map.water"], WATER, edge=WATER_EDGE)
    if present.get("no_build"):
        yield Entry("hatch", text["map.no_build"], "none", edge=NO_BUILD)
    yield Entry("dashes", text["map.boundary"])
