"""Charts of a plan: who is served, what it costs, what one more would cost, and together against one by one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from xinji.core.arrays import Floats, Ints
from xinji.core.assets import assets_of
from xinji.core.offer import EXISTING
from xinji.core.study import SPEND_COLUMNS, Outcome, Study
from xinji.core.vocabulary import GROUPS, SERVICES, TECHNOLOGIES
from xinji.show.look import FAINT, GROUP_STYLES, INK, SOFT, TECHNOLOGY_COLOURS, new_figure, quiet
from xinji.show.maps import WIDTH_IN
from xinji.show.numbers import currency_name, in_unit, money_unit, signed_percent
from xinji.show.text import Words
from xinji.units import CENTS_PER_UNIT

_HATCH = "/////"
_DEAREST = 10.0
"""How much dearer than the dearest built option the curve still goes."""


def shares(outcome: Outcome) -> Floats:
    """Return the served share (groups, services, T); missing where a group has no users."""
    users = outcome.users
    return np.divide(outcome.served, users, out=np.full_like(users, np.nan), where=users > 0)


def coverage_chart(study: Study, text: Words) -> Figure:
    """Return the served share over the years, one panel a service, one line a group."""
    share, years = shares(study.outcome), study.policy.years
    shown = [s for s in range(len(SERVICES)) if np.isfinite(share[:, s]).any()]
    columns = 3
    rows = -(-(len(shown) + 1) // columns)
    figure = new_figure(WIDTH_IN, 2.05 * rows)
    for place, s in enumerate(shown):
        ax = figure.add_axes(_panel(place, columns, rows))
        _coverage_panel(ax, share[:, s], years, place % columns == 0)
        ax.set_title(text[f"service.{SERVICES[s].name}"], fontsize=8.5, weight="bold", color=INK, loc="left", pad=6)
    left, bottom, wide, high = _panel(len(shown), columns, rows)
    key = figure.add_axes((left, bottom, wide, high))
    key.set_axis_off()
    key.set_xlim(-0.03, 1)
    key.set_ylim(0, 1)
    here = [g for g in range(len(GROUPS)) if np.isfinite(share[g]).any()]
    for row, g in enumerate(here):
        colour, line, marker = GROUP_STYLES[GROUPS[g]]
        y = 0.86 - 0.17 * row
        key.plot([0.0, 0.12, 0.24], [y] * 3, color=colour, linestyle=line, marker=marker, markersize=3.5, linewidth=1.5)
        key.text(0.3, y, text[f"group.{GROUPS[g]}"], fontsize=7.5, color=INK, va="center")
    return figure


def _panel(place: int, columns: int, rows: int) -> tuple[float, float, float, float]:
    row, column = divmod(place, columns)
    return (
        0.055 + column * 0.945 / columns, 1 - (row + 1) / rows + 0.13 / rows, 0.945 / columns - 0.035, 0.67 / rows
    )  # fmt: skip


def _coverage_panel(ax: Axes, share: Floats, years: Sequence[int], labelled: bool) -> None:  # noqa: FBT001
    quiet(ax)
    for g, group in enumerate(GROUPS):
        if np.isfinite(share[g]).any():
            colour, line, marker = GROUP_STYLES[group]
            ax.plot(
                years,
                100 * share[g],
                color=colour,
                linestyle=line,
                marker=marker,
                markersize=3.2,
                linewidth=1.5,
                clip_on=False,
            )
    ax.set_ylim(0, 100)
    ax.set_xlim(years[0] - 0.15, years[-1] + 0.15)
    ax.set_xticks([years[0], years[-1]] if len(years) > 1 else [years[0]])
    ax.set_yticks([0, 25, 50, 75, 100])
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f} %" if labelled else ""))
    ax.tick_params(labelsize=7)


def spend_chart(study: Study, text: Words) -> Figure:
    """Return spending by year, stacked by technology (opex hatched), against the budget."""
    outcome, years = study.outcome, study.policy.years
    unit, cents = money_unit(text, study.region.currency)
    figure = new_figure(WIDTH_IN, 3.3)
    ax = figure.add_axes((0.075, 0.1, 0.68, 0.78))
    quiet(ax)
    at, base = np.arange(len(years)), np.zeros(len(years))
    for money, hatch in ((outcome.capex, None), (outcome.opex, _HATCH)):
        for c, name in enumerate(SPEND_COLUMNS):
            tall = money[:, c] / cents
            ax.bar(
                at,
                tall,
                0.56,
                bottom=base,
                color=TECHNOLOGY_COLOURS[name],
                edgecolor="white",
                linewidth=0.5,
                hatch=hatch,
            )
            base = base + tall
    budget = study.problem.budget / cents
    for k, limit in enumerate(budget):
        ax.plot([k - 0.38, k + 0.38], [limit, limit], color=INK, linewidth=1.8)
    # A plan without a budget still has a scale.
    top = max(float(base.max()), float(budget.max())) or 1.0
    for k, total in enumerate(base):
        above = max(total, budget[k]) if abs(total - budget[k]) < 0.12 * top else total
        ax.text(
            k,
            above + 0.02 * top,
            in_unit(total * cents, cents),
            ha="center",
            va="bottom",
            fontsize=8,
            weight="bold",
            color=INK,
        )
    ax.set_xticks(at, [str(year) for year in years])
    ax.tick_params(axis="x", labelsize=8.5, labelcolor=INK)
    ax.set_ylim(0, top * 1.12)
    ax.set_xlim(-0.6, len(years) - 0.4)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}" if top >= 5 else f"{value:,.1f}"))
    figure.text(0.0, 0.945, unit, fontsize=7.5, color=SOFT)
    _spend_key(figure, text, outcome)
    return figure


def _spend_key(figure: Figure, text: Words, outcome: Outcome) -> None:
    key = figure.add_axes((0.775, 0.1, 0.225, 0.78))
    key.set_axis_off()
    key.set_xlim(0, 1)
    key.set_ylim(0, 1)
    rows = [
        (text[f"technology.{name}"], TECHNOLOGY_COLOURS[name], "")
        for c, name in enumerate(SPEND_COLUMNS)
        if outcome.capex[:, c].any() or outcome.opex[:, c].any()
    ]
    y = 0.93
    for label, colour, hatch in (*reversed(rows), (text["chart.opex"], "#8a949a", _HATCH)):
        box = Rectangle((0.0, y - 0.03), 0.12, 0.06, facecolor=colour, edgecolor="white", hatch=hatch or None)
        key.add_patch(box)
        key.text(0.17, y, label, fontsize=7.5, color=INK, va="center")
        y -= 0.095
    key.plot([0.0, 0.12], [y, y], color=INK, linewidth=1.8)
    key.text(0.17, y, text["chart.budget"], fontsize=7.5, color=INK, va="center")


def curve_points(study: Study) -> tuple[Floats, Floats, Ints]:
    """Return price [currency], worth and position of the options that add something, cheapest first.

    What exists is left out, and so is what adds nothing by itself.
    """
    reasons, stage = study.plan.reasons, study.plan.stage
    counts = (reasons.worth > 0) & (reasons.price > 0) & np.isfinite(reasons.price) & (stage != EXISTING)
    order = np.argsort(reasons.price[counts] / reasons.worth[counts], kind="stable")
    chosen = np.flatnonzero(counts)[order]
    return reasons.price[chosen], reasons.worth[chosen], chosen


def marginal_curve(study: Study, text: Words) -> Figure:
    """Return the curve of what one more unit of value costs, built options filled, others hollow."""
    price, worth, chosen = curve_points(study)
    figure = new_figure(WIDTH_IN, 3.3)
    ax = figure.add_axes((0.085, 0.135, 0.9, 0.74))
    quiet(ax)
    if not len(price):
        return figure
    unit, cents = money_unit(text, study.region.currency)
    end = np.cumsum(price) * CENTS_PER_UNIT / cents
    start = np.concatenate([[0.0], end[:-1]])
    each, built = price / worth, study.plan.stage[chosen] >= 1
    technology = assets_of(study).technology[chosen]
    for name in TECHNOLOGIES:
        for inside in (True, False):
            here = (technology == name) & (built == inside)
            fill = TECHNOLOGY_COLOURS[name] if inside else "#eceff0"
            # A picture, not bars: thousands of them would weigh more than all maps together.
            ax.bar(start[here], each[here], (end - start)[here], align="edge", color=fill, zorder=2, rasterized=True)
    ax.plot(np.repeat(np.concatenate([[0.0], end]), 2)[1:-1], np.repeat(each, 2), color=INK, linewidth=0.9, zorder=3)
    ax.set_yscale("log")
    # What is far dearer than anything built would press the rest into a corner.
    top = float(min(each[-1], _DEAREST * each[built].max())) if built.any() else float(each[-1])
    ax.set_xlim(0, end[each <= top][-1])
    ax.set_ylim(each[0] * 0.7, top * 1.3)
    ax.tick_params(which="both", length=0)
    ax.xaxis.set_major_locator(MaxNLocator(7))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}" if value >= 10 else f"{value:,.2g}"))
    ax.yaxis.set_minor_formatter(FuncFormatter(lambda *_: ""))
    figure.text(
        0.0,
        0.945,
        text["chart.curve_y"].format(currency=currency_name(text, study.region.currency)),
        fontsize=7.5,
        color=SOFT,
    )
    figure.text(0.985, 0.01, text["chart.curve_x"].format(money=unit), fontsize=7.5, color=SOFT, ha="right")
    _curve_key(ax, text)
    return figure


def _curve_key(ax: Axes, text: Words) -> None:
    handles = [Patch(facecolor=TECHNOLOGY_COLOURS[name]) for name in TECHNOLOGIES]
    handles += [Patch(facecolor="#eceff0", edgecolor=SOFT, linewidth=0.6)]
    labels = [text["chart.curve_in"].format(technology=text[f"technology.{name}"]) for name in TECHNOLOGIES]
    ax.legend(
        handles, [*labels, text["chart.curve_out"]], loc="upper left", fontsize=7.5, frameon=False, labelcolor=INK
    )


def compare_chart(study: Study, text: Words) -> Figure:
    """Return the user-years served over the plan by service: the joint plan against one after the other."""
    joint = study.outcome.served.sum(axis=(0, 2)) / 1000
    alone = study.sequential_outcome.served.sum(axis=(0, 2)) / 1000
    shown = [s for s in range(len(SERVICES)) if joint[s] > 0 or alone[s] > 0]
    figure = new_figure(WIDTH_IN, 0.62 + 0.42 * max(len(shown), 1))
    ax = figure.add_axes((0.22, 0.42 / figure.get_figheight(), 0.66, 1 - 0.62 / figure.get_figheight()))
    quiet(ax, grid=False)
    ax.grid(axis="x", color=FAINT, linewidth=0.5)
    top = max([1e-9, *joint[shown], *alone[shown]])
    for row, s in enumerate(shown):
        ax.plot([alone[s], joint[s]], [row, row], color=FAINT, linewidth=3.5, solid_capstyle="round", zorder=1)
        ax.scatter(
            [alone[s]], [row], s=34, marker="o", c="white", edgecolors=INK, linewidths=1.2, zorder=2, clip_on=False
        )
        ax.scatter(
            [joint[s]], [row], s=38, marker="o", c=TECHNOLOGY_COLOURS["radio"], linewidths=0, zorder=3, clip_on=False
        )
        ax.text(-0.02 * top, row, text[f"service.{SERVICES[s].name}"], fontsize=8, color=INK, ha="right", va="center")
        change = signed_percent(joint[s] / alone[s] - 1) if alone[s] > 0 else ""
        ax.text(1.08 * top, row, change, fontsize=8, weight="bold", color=INK, ha="left", va="center")
    ax.set_ylim(max(len(shown), 1) - 0.5, -0.5)
    ax.set_xlim(0, 1.05 * top)
    ax.set_yticks([])
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    high = figure.get_figheight()
    figure.text(0.88, 0.03 / high, text["chart.served_axis"], fontsize=7.5, color=SOFT, ha="right", va="bottom")
    _dumbbell_key(figure, text, high)
    return figure


def _dumbbell_key(figure: Figure, text: Words, high: float) -> None:
    key = figure.add_axes((0.22, 1 - 0.2 / high, 0.7, 0.18 / high))
    key.set_axis_off()
    key.set_xlim(0, 7)
    key.set_ylim(0, 1)
    key.scatter([0.1], [0.5], s=38, c=TECHNOLOGY_COLOURS["radio"], linewidths=0)
    key.text(0.25, 0.5, text["chart.joint"], fontsize=7.5, va="center", color=INK)
    key.scatter([1.9], [0.5], s=34, c="white", edgecolors=INK, linewidths=1.2)
    key.text(2.05, 0.5, text["chart.sequential"], fontsize=7.5, va="center", color=INK)
