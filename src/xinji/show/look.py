"""How figures look, and how they become SVG and PNG: colours that keep their order in grey, one type face."""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text

INK, SOFT, FAINT, PAPER = "#20262b", "#5b666e", "#c3cacf", "#ffffff"
"""Text, secondary text, rules, ground."""

TECHNOLOGY_COLOURS = {"radio": "#20355b", "fibre": "#3f8f8b", "compute": "#e0a63c", "trench": "#a9bcc6"}
"""Dark, middle, light middle and light: told apart in grey as well."""

GROUP_STYLES = {
    "industrial_cluster": ("#20355b", "-", "o"),
    "urban": ("#b73779", "-", "s"),
    "town": ("#3f8f8b", "--", "^"),
    "rural": ("#d08a1d", ":", "D"),
}
"""Colour, line and marker of each group: the line and the marker carry it where colour cannot."""

CHINESE_STACK = "'Noto Sans CJK SC','Source Han Sans SC','Microsoft YaHei','PingFang SC','DejaVu Sans',sans-serif"
LATIN_STACK = f"'Segoe UI','Helvetica Neue','Noto Sans',Arial,'DejaVu Sans',{CHINESE_STACK}"
"""Chinese faces set the quotation marks of English wide, so they come last there."""

CJK_FONTS = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans SC", "Source Han Sans CN", "Noto Sans SC",
    "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Microsoft YaHei", "PingFang SC", "SimHei",
)  # fmt: skip
_MEASURED = "DejaVu Sans"
"""Ships with matplotlib: text is laid out with it on every machine."""

_YEAR_SCALE = LinearSegmentedColormap.from_list("years", ["#2d1160", "#8c2981", "#de4968", "#f8a561"])
BASE_DPI = 170


def year_colours(years: Sequence[int]) -> dict[int, str]:
    """Return a colour for each year, from dark (early) to light (late)."""
    last = max(len(years) - 1, 1)
    return {year: to_hex(_YEAR_SCALE(k / last)) for k, year in enumerate(years)}


def new_figure(width_in: float, height_in: float) -> Figure:
    """Return an empty figure [inches] on white."""
    return Figure(figsize=(width_in, height_in), facecolor=PAPER)


def quiet(ax: Axes, *, grid: bool = True) -> None:
    """Take from ``ax`` what says nothing: frame, ticks; leave faint lines to read heights by."""
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    ax.spines["bottom"].set_color(SOFT)
    ax.tick_params(length=0, labelsize=8, labelcolor=SOFT)
    ax.set_axisbelow(True)
    if grid:
        ax.grid(axis="y", color=FAINT, linewidth=0.5)


def to_svg(figure: Figure, name: str, title: str) -> str:
    """Return ``figure`` as an ``<svg>`` element whose text stays text, in the browser's own fonts.

    ``name`` keeps the ids of several figures on one page apart; ``title`` is read out to those who
    cannot see. The same figure gives the same bytes on every machine.
    """
    out = io.StringIO()
    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": name, "font.family": _MEASURED, "hatch.linewidth": 0.5}
    with mpl.rc_context(settings), _stand_ins(figure) as real:
        figure.savefig(out, format="svg", dpi=BASE_DPI, metadata={"Date": None, "Creator": None})
    return _tidy(out.getvalue(), real, title)


@contextmanager
def _stand_ins(figure: Figure) -> Iterator[dict[str, str]]:
    """Put letters of the same width in place of those that the measuring font lacks.

    Yields the real texts by the id of their group in the SVG.
    """
    real: dict[str, str] = {}
    changed: list[tuple[Text, str]] = []
    for artist in figure.findobj(Text):
        text = artist.get_text() if isinstance(artist, Text) else ""
        if isinstance(artist, Text) and is_wide(text):
            key = f"label-{len(real)}"
            real[key] = text
            changed.append((artist, text))
            artist.set_gid(key)
            artist.set_text("".join("W" if is_wide(letter) else letter for letter in text))
    try:
        yield real
    finally:
        for artist, text in changed:
            artist.set_text(text)


def is_wide(text: str) -> bool:
    """Return whether ``text`` holds a letter as wide as it is high (Chinese and its punctuation)."""
    return any(unicodedata.east_asian_width(letter) in "WF" for letter in text)


def _tidy(svg: str, real: dict[str, str], title: str) -> str:
    svg = svg[svg.index("<svg") :]
    for key, text in real.items():
        lines = iter(text.split("\n"))
        place = re.compile(rf'(<g id="{key}">.*?</g>)', re.DOTALL)
        found = place.search(svg)
        if found:
            filled = re.sub(r"(<text[^>]*>)[^<]*", lambda m: m[1] + escape(next(lines, "")), found[1])  # noqa: B023
            svg = svg.replace(found[1], filled, 1)
    svg = svg.replace(f"'{_MEASURED}'", f"var(--face,{CHINESE_STACK})".replace("'", "&#39;"))
    used = set(re.findall(r'(?:url\(#|href="#)([^")]+)', svg))
    svg = re.sub(r' id="([^"]+)"', lambda m: m[0] if m[1] in used else "", svg)
    head = f'<svg role="img" aria-label="{escape(title)}" '
    svg = re.sub(r'^<svg (?:width|height)="[^"]*" ', "<svg ", svg)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    return svg.replace("<svg ", head, 1)


def cjk_font() -> str | None:
    """Return the first font of this machine that writes Chinese, or None."""
    here = {entry.name for entry in font_manager.fontManager.ttflist}
    return next((name for name in CJK_FONTS if name in here), None)


def to_png(figure: Figure, path: Path, *, dpi: int = 200) -> Path:
    """Write ``figure`` to ``path`` as PNG and return it; Chinese text needs a font (``cjk_font``)."""
    FigureCanvasAgg(figure)
    family = [name for name in (cjk_font(), _MEASURED) if name]
    for artist in figure.findobj(Text):
        if isinstance(artist, Text):
            artist.set_fontfamily(family)
    with mpl.rc_context({"hatch.linewidth": 0.5}):
        figure.savefig(path, format="png", dpi=dpi, metadata={"Software": None})
    return path
