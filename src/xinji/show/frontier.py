"""The chart of a frontier: what more money brings, and what weight on clusters takes from whom."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from xinji.core.frontier import Frontier, Point
from xinji.core.study import Study
from xinji.show.look import GROUP_STYLES, INK, SOFT, TECHNOLOGY_COLOURS, new_figure, quiet
from xinji.show.maps import WIDTH_IN
from xinji.show.numbers import money_unit
from xinji.show.text import Words

_LINES = (
    ("clusters", GROUP_STYLES["industrial_cluster"]),
    ("residents", GROUP_STYLES["urban"]),
    ("worst_group_share", GROUP_STYLES["town"]),
    ("worst_tenth", GROUP_STYLES["rural"]),
)
"""Figures drawn over priorities, each with colour, line and marker."""

_HEIGHT_IN = 3.1


def frontier_chart(study: Study, found: Frontier, text: Words) -> Figure:
    """Return worth and its bound over the budgets, and served shares over the priorities, side by side."""
    figure = new_figure(WIDTH_IN, _HEIGHT_IN)
    left, right = figure.add_axes((0.095, 0.15, 0.385, 0.68)), figure.add_axes((0.56, 0.15, 0.42, 0.68))
    _budget_panel(left, study, [point for point in found.budget if point.plan], text)
    _priority_panel(right, [point for point in found.priority if point.plan], text)
    for ax, key in ((left, "frontier.budget"), (right, "frontier.priority")):
        ax.set_title(text[key], fontsize=8.5, weight="bold", color=INK, loc="left", pad=8)
    unit = money_unit(text, study.region.currency)[0]
    figure.text(0.48, 0.02, text["frontier.budget_axis"].format(money=unit), fontsize=7.5, color=SOFT, ha="right")
    figure.text(0.98, 0.02, text["frontier.priority_axis"], fontsize=7.5, color=SOFT, ha="right")
    return figure


def _budget_panel(ax: Axes, study: Study, points: Sequence[Point], text: Words) -> None:
    quiet(ax)
    cents = money_unit(text, study.region.currency)[1]
    money = [float(point.budget.sum()) / cents for point in points]
    value = [point.plan.objective for point in points if point.plan]
    bound = [point.plan.bound for point in points if point.plan]
    colour = TECHNOLOGY_COLOURS["radio"]
    ax.fill_between(money, value, bound, color=TECHNOLOGY_COLOURS["trench"], alpha=0.45, linewidth=0)
    ax.plot(money, bound, color=SOFT, linestyle=":", linewidth=1.2, label=text["frontier.bound"])
    ax.plot(money, value, color=colour, marker="o", markersize=4, linewidth=1.5, label=text["frontier.value"])
    ax.set_ylim(0, 1.08 * max([1e-9, *bound]))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda worth, _: f"{worth:,.0f}"))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda amount, _: f"{amount:,.4g}"))
    ax.legend(loc="lower right", fontsize=7.5, frameon=False, labelcolor=INK)


def _priority_panel(ax: Axes, points: Sequence[Point], text: Words) -> None:
    quiet(ax)
    level = [point.level for point in points]
    for name, (colour, line, marker) in _LINES:
        share = [100 * float(getattr(point.figures, name)) for point in points]
        label = text[f"frontier.{name}"]
        ax.plot(level, share, color=colour, linestyle=line, marker=marker, markersize=3.5, linewidth=1.5, label=label)
    ax.set_ylim(0, 100)
    ax.set_yticks(np.arange(0, 101, 25))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share:.0f} %"))
    ax.legend(loc="best", fontsize=7, frameon=False, labelcolor=INK)
