"""What a report says of a plan, as rows and sentences; no mark-up."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from xinji.core.assets import assets_of, bill_of, existing_opex
from xinji.core.policy import Floor
from xinji.core.study import SPEND_COLUMNS, Outcome, Study
from xinji.core.vocabulary import GROUPS, SERVICE_NAMES, SERVICES
from xinji.show.marks import COSTS, COVERAGE, VALUE, Mark, basis_of_kind, marks
from xinji.show.numbers import (
    count,
    currency_name,
    exact,
    in_unit,
    money,
    money_unit,
    percent,
    short,
    signed,
    signed_percent,
)
from xinji.show.places import places_of
from xinji.show.text import Words, name_of
from xinji.units import CENTS_PER_UNIT

TOP_OUT = 20
"""How many options that are out a report lists."""

Numbers = dict[str, int]


@dataclass(frozen=True, slots=True)
class Tile:
    """A key figure: what it is, the figure, a note beneath, and what it rests on."""

    label: str
    value: str
    note: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: its cells, whether it adds up others, and what it rests on."""

    cells: tuple[str, ...]
    total: bool = False
    marks: tuple[Mark, ...] = ()


def objective_text(study: Study, text: Words, value: float) -> str:
    """Return an objective or a bound in words: weighted user-years, or money."""
    if study.policy.question == "least_cost":
        return money(text, study.region.currency, value * CENTS_PER_UNIT)
    return count(value)


def reached(outcome: Outcome, group: str, service: str) -> tuple[float, ...]:
    """Return the served share of a group (or ``"all"``) by stage; 1 where there are no users."""
    chosen = list(range(len(GROUPS))) if group == "all" else [GROUPS.index(group)]
    s = SERVICE_NAMES.index(service)
    served, users = outcome.served[chosen, s].sum(axis=0), outcome.users[chosen, s].sum(axis=0)
    return tuple(float(v) for v in np.divide(served, users, out=np.ones_like(served), where=users > 0))


def tiles(study: Study, text: Words, numbers: Numbers) -> tuple[Tile, ...]:
    """Return the key figures of ``study``."""
    plan, policy, currency = study.plan, study.policy, study.region.currency
    value, costs, cover = marks(numbers, VALUE), marks(numbers, COSTS), marks(numbers, COVERAGE)
    last = str(policy.years[-1])
    least = policy.question == "least_cost"
    sites = int(places_of(study, "radio").added.any(axis=1).sum())
    length_km = float(study.problem.trench_length_m[plan.trench_stage >= 1].sum()) / 1000
    spent, budget = money(text, currency, int(plan.spend.sum())), money(text, currency, int(study.problem.budget.sum()))
    return (
        Tile(
            text["key.cost" if least else "key.value"], objective_text(study, text, plan.objective),
            "" if least else text["key.value_unit"], value,
        ),
        Tile(text["key.spend"].format(n=len(policy.years)), spent, text["key.spend_of"].format(budget=budget), costs),
        Tile(text["key.gap"], percent(plan.gap), text["key.gap_note"], ()),
        Tile(
            text["key.seconds"], text["key.seconds_value"].format(n=short(plan.seconds)), text["key.seconds_note"], (),
        ),
        Tile(text["key.built"], count(sites), text["key.built_note"], ()),
        Tile(text["key.trench"], f"{length_km:,.1f} {text['unit.km']}", "", ()),
        *(
            Tile(
                text[f"key.{key}"].format(year=last), percent(reached(study.outcome, "all", service)[-1]),
                text[f"key.of_{unit}"], cover,
            )
            for key, service, unit in (
                ("indoor", "mobile_indoor", "people"), ("gigabit", "gigabit", "people"),
                ("edge", "industrial_edge", "workers"),
            )
            if study.outcome.users[:, SERVICE_NAMES.index(service), -1].any()
        ),
    )  # fmt: skip


def summary(study: Study, text: Words) -> tuple[str, ...]:
    """Return the summary, a sentence or two a paragraph."""
    plan, policy, currency = study.plan, study.policy, study.region.currency
    least = policy.question == "least_cost"
    said = {
        "first": str(policy.years[0]), "last": str(policy.years[-1]), "gap": percent(plan.gap),
        "spend": money(text, currency, int(plan.spend.sum())), "served": count(plan.objective),
        "all": count(float(study.problem.value.sum())), "bound": objective_text(study, text, plan.bound),
        "cost": objective_text(study, text, plan.objective),
    }  # fmt: skip
    ended = [text[f"report.{word}"] for word in ("interrupted", "optimal") if getattr(plan, word)]
    stop = " " if text["language.code"] == "en" else ""
    first = stop.join([text[f"summary.{policy.question}"].format(**said), *ended])
    bound = text["summary.bound_cost" if least else "summary.bound"].format(**said)
    return first, bound, compared(study, text), floors_said(study, text), weights_said(study, text)


def compared(study: Study, text: Words) -> str:
    """Return what planning one technology after the other gives, whichever is better."""
    joint, alone = study.plan.objective, study.sequential.objective
    other = objective_text(study, text, alone)
    if alone <= 0 or round(joint / alone - 1, 4) == 0:
        word = "same" if alone > 0 or joint == alone else "more"
        share = 0.0 if word == "same" else 1.0
    else:
        share = joint / alone - 1
        better, worse = ("dearer", "cheaper") if study.policy.question == "least_cost" else ("more", "less")
        word = better if share > 0 else worse
    return text[f"summary.compare_{word}"].format(other=other, percent=percent(abs(share)))


def floors_said(study: Study, text: Words) -> str:
    """Return in one sentence whether the floors are met."""
    floors = study.policy.floors
    if not floors:
        return text["summary.no_floors"]
    missed = sum(not floor_met(study, floor) for floor in floors)
    key = "summary.floors_unmet" if missed else "summary.floors_met"
    return text[key].format(n=len(floors), k=missed, section=text["floors.title"])


def floor_met(study: Study, floor: Floor) -> bool:
    """Return whether a floor is reached in each year from its own on, to a millionth."""
    start = study.policy.years.index(floor.year)
    return min(reached(study.outcome, floor.group, floor.service)[start:]) >= floor.share - 1e-6


def weights_said(study: Study, text: Words) -> str:
    """Return what counts how much."""
    policy = study.policy
    parts = [f"{text[f'group.{group}']} {exact(policy.priority[group])}" for group in GROUPS]
    said = [
        text["summary.weights"].format(discount=percent(policy.discount_rate)),
        text["summary.weight_list"].format(weights=text["language.list"].join(parts)),
        text["summary.ahead"].format(ahead=percent(policy.build_ahead, 0)),
    ]
    return (" " if text["language.code"] == "en" else "").join(said)


def coverage_heads(text: Words) -> tuple[str, ...]:
    """Return the headings of ``coverage_rows``."""
    first = (text["floors.service"], text["coverage.users"], text["coverage.served"])
    return (*first, *(text[f"group.{group}"] for group in GROUPS), text["group.all"])


def coverage_rows(study: Study, text: Words) -> tuple[Row, ...]:
    """Return users, served and the shares of the groups and of all in the last year, by service."""
    users, served = study.outcome.users[:, :, -1], study.outcome.served[:, :, -1]
    rows = []
    for s, service in enumerate(SERVICES):
        pairs = [*zip(served[:, s], users[:, s], strict=True), (served[:, s].sum(), users[:, s].sum())]
        shown = (percent(some / all_users) if all_users > 0 else "–" for some, all_users in pairs)
        unit = text[f"users.{service.unit}"]
        name = text["coverage.of"].format(service=text[f"service.{service.name}"], users=unit)
        rows.append(Row((name, count(users[:, s].sum()), count(served[:, s].sum()), *shown)))
    return tuple(rows)


def money_said(study: Study, text: Words) -> str:
    """Return how the budgets are counted, and what existing assets take of them."""
    said = [text["money.lead_carry" if study.policy.carry_over else "money.lead_plain"]]
    running = existing_opex(study.problem, study.plan)
    if running:
        said.append(text["money.lead_existing"].format(opex=money(text, study.region.currency, running)))
    return (" " if text["language.code"] == "en" else "").join(said)


def spend_rows(study: Study, text: Words) -> tuple[Row, ...]:
    """Return capex by where it goes, opex, total, budget and what is unspent, by year."""
    _, unit = money_unit(text, study.region.currency)
    outcome, plan, budget = study.outcome, study.plan, study.problem.budget
    columns = np.column_stack([outcome.capex, outcome.opex.sum(axis=1), plan.spend, budget, budget - plan.spend])
    rows = [
        Row((str(year), *(in_unit(value, unit) for value in columns[k].tolist())))
        for k, year in enumerate(study.policy.years)
    ]
    total = (text["table.total"], *(in_unit(value, unit) for value in columns.sum(axis=0).tolist()))
    return (*rows, Row(total, total=True))


def spend_heads(text: Words) -> tuple[str, ...]:
    """Return the headings of ``spend_rows``."""
    parts = [f"{text['table.capex']}{text['language.colon']}{text[f'technology.{name}']}" for name in SPEND_COLUMNS]
    rest = [text[f"table.{key}"] for key in ("opex", "spend_total", "budget", "unspent")]
    return (text["table.year"], *parts, *rest)


def bill_rows(study: Study, text: Words, numbers: Numbers) -> tuple[Row, ...]:
    """Return the bill of materials over all years, by technology, kind and payer."""
    _, unit = money_unit(text, study.region.currency)
    lines = bill_of(study)
    keys = dict.fromkeys((line.technology, line.kind, line.payer, line.unit) for line in sorted(lines, key=_order))
    rows = []
    for technology, kind, payer, measure in keys:
        mine = [line for line in lines if (line.technology, line.kind, line.payer) == (technology, kind, payer)]
        quantity = sum(line.quantity for line in mine)
        amount = (
            f"{quantity / 1000:,.1f} {text['unit.km']}" if measure == "m" else f"{count(quantity)} {text['unit.pcs']}"
        )
        named = (text[f"technology.{technology}"], name_of(text, "kind", kind), name_of(text, "kind", payer))
        costs = (in_unit(sum(line.capex for line in mine), unit), in_unit(sum(line.opex for line in mine), unit))
        rows.append(Row((*named, amount, *costs), marks=marks(numbers, basis_of_kind(technology, kind))))
    sums = (in_unit(sum(line.capex for line in lines), unit), in_unit(sum(line.opex for line in lines), unit))
    return (*rows, Row((text["table.total"], "", "", "", *sums), total=True))


def _order(line: object) -> tuple[int, str]:
    technology, kind = getattr(line, "technology", ""), getattr(line, "kind", "")
    return SPEND_COLUMNS.index(technology), kind


def compare_rows(study: Study, text: Words) -> tuple[Row, ...]:
    """Return objective, spending and people served: planned jointly, one after the other, and the difference."""
    label, unit = money_unit(text, study.region.currency)
    least = study.policy.question == "least_cost"
    joint, alone = study.plan.objective, study.sequential.objective
    values = (joint, alone) if not least else (joint * CENTS_PER_UNIT / unit, alone * CENTS_PER_UNIT / unit)
    show = count if not least else short
    rows = [_against(text[f"compare.objective_{study.policy.question}"].format(money=label), *values, show)]
    spent = (study.plan.spend.sum() / unit, study.sequential.spend.sum() / unit)
    rows.append(_against(text["compare.spend"].format(money=label), float(spent[0]), float(spent[1]), short))
    year = study.policy.years[-1]
    for s, service in enumerate(SERVICES):
        both = [float(o.served[:, s, -1].sum()) for o in (study.outcome, study.sequential_outcome)]
        if any(both):
            name = text["compare.served_in"].format(service=text[f"service.{service.name}"], year=year)
            rows.append(_against(name, both[0], both[1], count))
    return tuple(rows)


def _against(name: str, joint: float, alone: float, show: object) -> Row:
    written = [show(value) if callable(show) else str(value) for value in (joint, alone)]
    change = signed_percent(joint / alone - 1) if alone else signed(joint - alone)
    return Row((name, *written, change))


def floor_rows(study: Study, text: Words) -> tuple[Row, ...]:
    """Return each floor with what is reached in the worst year from its own on; ``total`` marks what is missed."""
    rows = []
    for floor in study.policy.floors:
        start = study.policy.years.index(floor.year)
        least = min(reached(study.outcome, floor.group, floor.service)[start:])
        met = floor_met(study, floor)
        verdict = text["floors.met" if met else "floors.unmet"]
        named = (text[f"group.{floor.group}"], text[f"service.{floor.service}"], str(floor.year))
        rows.append(Row((*named, percent(floor.share), percent(least), verdict), total=not met))
    return tuple(rows)


def reason_rows(study: Study, text: Words) -> tuple[Row, ...]:
    """Return how many options stand for each reason, by technology, most first."""
    assets, code = assets_of(study), study.plan.reasons.code
    counted = Counter(zip(code.tolist(), assets.technology.tolist(), strict=True))
    ordered = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return tuple(
        Row((text[f"reason.{reason}"], text[f"technology.{technology}"], count(number)))
        for (reason, technology), number in ordered
    )


def out_rows(study: Study, text: Words) -> tuple[Row, ...]:
    """Return the most valuable options that are out, and what would bring each of them in."""
    assets, reasons = assets_of(study), study.plan.reasons
    out = np.flatnonzero(study.plan.stage < 0)
    order = out[np.argsort(-np.nan_to_num(reasons.worth[out]), kind="stable")][:TOP_OUT]
    currency = study.region.currency
    return tuple(
        Row(
            (
                str(assets.id[i]), name_of(text, "kind", str(assets.kind[i])), short(float(reasons.worth[i])),
                money(text, currency, float(reasons.price[i]) * CENTS_PER_UNIT), need_said(study, text, i),
            )
        )
        for i in order.tolist()
    )  # fmt: skip


def need_said(study: Study, text: Words, option: int) -> str:
    """Return what would bring an option in that is out.

    An option is outbid when its price times the worth of money exceeds what it adds; the cost to
    force it is the difference. So it breaks even at price x worth / (worth + cost to force).
    """
    reasons, currency = study.plan.reasons, study.region.currency
    code, price = str(reasons.code[option]), float(reasons.price[option])
    worth, loss = float(reasons.worth[option]), float(reasons.cost_to_force[option])
    least = study.policy.question == "least_cost"
    lost = money(text, currency, loss * CENTS_PER_UNIT) if least else f"{short(loss)} {text['key.value_unit']}"
    if code == "outbid" and not least and worth > 0 and loss >= 0 and np.isfinite(loss):
        even = money(text, currency, price * worth / (worth + loss) * CENTS_PER_UNIT)
        return text["needs.outbid"].format(price=even, loss=lost)
    key = f"needs.{code}" if f"needs.{code}" in text else "needs.other"
    return text["needs.outbid_open" if code == "outbid" else key].format(price="", loss=lost)


def assumption_rows(study: Study, text: Words, numbers: Numbers) -> tuple[tuple[str, tuple[str, ...], str], ...]:
    """Return key, cells and web address of every parameter, in the order of their numbers."""
    rows = []
    for key, number in numbers.items():
        entry = study.region.parameters.entries[key]
        unit = unit_said(text, entry.unit, study.region.currency)
        span = "" if entry.low == entry.high else f"{exact(entry.low)} – {exact(entry.high)}"
        source = entry.source + (f" ({entry.year})" if entry.year and entry.year not in entry.source else "")
        cells = (str(number), key, exact(entry.value), unit, span, text[f"status.{entry.status}"], source)
        rows.append((key, cells, entry.url if entry.url.startswith("http") and " " not in entry.url else ""))
    return tuple(rows)


def unit_said(text: Words, unit: str, currency: str) -> str:
    """Return a unit in the reader's words, part by part; symbols such as ``dBm`` stay."""
    words = {"currency": currency_name(text, currency)}
    parts: list[str] = []
    for piece in unit.replace("/", " / ").split():
        known = text.get(f"unit.{piece}")
        parts.append(words.get(piece, piece) if known is None or piece == "currency" else known)
    return " ".join(parts).replace(" / ", "/")


def assumption_counts(study: Study, text: Words) -> str:
    """Return how many parameters have which status, in one sentence."""
    counted = Counter(entry.status for entry in study.region.parameters.entries.values())
    parts = [f"{text[f'status.{status}']} {number}" for status, number in counted.most_common()]
    total = count(sum(counted.values()))
    return text["assume.counts"].format(total=total, counts=text["language.list"].join(parts))
