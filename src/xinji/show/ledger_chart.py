"""The chart of a plan made again from a ledger: where each year's money goes, against the budget and what moved."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter

from xinji.core.arrays import Floats
from xinji.core.replanned import Replanned, YearMoney
from xinji.show.look import INK, SOFT, new_figure, quiet
from xinji.show.maps import WIDTH_IN
from xinji.show.numbers import in_unit, money_unit
from xinji.show.text import Words

_PARTS = (
    ("paid", "#4d5a63", None),
    ("committed", "#b9c4ca", None),
    ("planned", "#3f8f8b", None),
    ("opex", "#d7e7e5", "/////"),
)
"""What money becomes, from the surest up: field of ``YearMoney``, colour, hatch; told apart in grey as well."""

_WIDE, _HEIGHT_IN = 0.56, 3.1


def ledger_chart(made: Replanned, text: Words, currency: str) -> Figure:
    """Return where each year's money goes, stacked, against its budget and against that with what was moved."""
    unit, cents = money_unit(text, currency)
    lines = made.reconciliation.years
    figure = new_figure(WIDTH_IN, _HEIGHT_IN)
    ax = figure.add_axes((0.075, 0.1, 0.68, 0.78))
    quiet(ax)
    base = _stack(ax, lines, cents)
    budget = np.array([line.policy for line in lines]) / cents
    available = np.array([line.policy + line.moved for line in lines]) / cents
    for k, (asked, there) in enumerate(zip(budget, available, strict=True)):
        ax.plot([k - 0.38, k + 0.38], [asked, asked], color=INK, linewidth=1.8)
        if there != asked:
            ax.plot([k - 0.38, k + 0.38], [there, there], color=INK, linewidth=1.2, linestyle=(0, (2, 1.5)))
    top = max(float(base.max()), float(budget.max()), float(available.max())) or 1.0
    for k, total in enumerate(base):
        near = [limit for limit in (budget[k], available[k]) if abs(total - limit) < 0.08 * top]
        above = max([total, *near]) + 0.02 * top
        ax.text(k, above, in_unit(total * cents, cents), ha="center", va="bottom", fontsize=8, weight="bold", color=INK)
    ax.set_xticks(range(len(lines)), [str(line.year) for line in lines])
    ax.tick_params(axis="x", labelsize=8.5, labelcolor=INK)
    ax.set_ylim(min(0.0, 1.12 * float(available.min())), top * 1.14)
    ax.set_xlim(-0.6, len(lines) - 0.4)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}" if top >= 5 else f"{value:,.1f}"))
    figure.text(0.0, 0.945, unit, fontsize=7.5, color=SOFT)
    _key(figure, text)
    return figure


def _stack(ax: Axes, lines: tuple[YearMoney, ...], cents: float) -> Floats:
    """Draw the parts of each year upon one another and return their sums (years,) in units of ``cents``."""
    base = np.zeros(len(lines))
    for name, colour, hatch in _PARTS:
        tall = np.array([getattr(line, name) for line in lines]) / cents
        ax.bar(range(len(lines)), tall, _WIDE, bottom=base, color=colour, edgecolor="white", linewidth=0.5, hatch=hatch)
        base = base + tall
    return base


def _key(figure: Figure, text: Words) -> None:
    key = figure.add_axes((0.775, 0.1, 0.225, 0.78))
    key.set_axis_off()
    key.set_xlim(0, 1)
    key.set_ylim(0, 1)
    y = 0.93
    for name, colour, hatch in reversed(_PARTS):
        key.add_patch(Rectangle((0.0, y - 0.03), 0.12, 0.06, facecolor=colour, edgecolor="white", hatch=hatch))
        key.text(0.17, y, text[f"replan.{name}"], fontsize=7.5, color=INK, va="center")
        y -= 0.095
    for label, width, style in (("replan.policy", 1.8, "-"), ("ledger.available", 1.2, (0, (2, 1.5)))):
        key.plot([0.0, 0.12], [y, y], color=INK, linewidth=width, linestyle=style)
        key.text(0.17, y, text[label], fontsize=7.5, color=INK, va="center")
        y -= 0.095
