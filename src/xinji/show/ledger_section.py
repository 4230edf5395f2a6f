"""What a report says of the ledger that a plan was made again from: what is fixed, where money goes, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from xinji.core.difference import AssetReason, Explanation
from xinji.core.facilities import STATES
from xinji.core.problem import NEVER
from xinji.core.replanned import FROZEN_TREATMENTS, LearnedCost, LedgerAsset, Replanned, YearMoney
from xinji.show.facts import Row
from xinji.show.numbers import cents_text, count, currency_name, exact, signed_cents, signed_percent
from xinji.show.text import Words, name_of

MONEY_COLUMNS = ("policy", "moved", "paid", "committed", "planned", "opex", "unallocated")
"""Fields of ``YearMoney`` in the order of a table: the first two are the sum of the rest."""

TOP_ASSETS = 12
"""How many assets a report names one by one under the reasons."""

NAMED = 5
"""How many assets a note names."""

MOVED_M = 1.0
"""From here on [m] a measured place is told of as another one than planned."""


@dataclass(frozen=True, slots=True)
class LedgerSection:
    """The sentences and rows of the section; money in tables is exact to the cent.

    ``reasons`` and ``assets`` are empty where the last plan is not known (``explained`` says so).
    """

    lead: str
    cancelled: str
    balanced: str
    states: tuple[Row, ...]
    money: tuple[Row, ...]
    explained: str
    reason_heads: tuple[str, ...]
    reasons: tuple[Row, ...]
    assets: tuple[Row, ...]
    assets_left: str
    notes: tuple[str, ...]


def ledger_section(text: Words, made: Replanned, explained: Explanation | None, currency: str) -> LedgerSection:
    """Return what ``made`` and, where the last plan is known, ``explained`` say, in the words of ``text``."""
    years = () if explained is None else tuple(str(year) for year in explained.years)
    largest = [] if explained is None else sorted(explained.assets, key=_weight)
    left = len(largest) - TOP_ASSETS
    return LedgerSection(
        lead=_lead(text, made, currency),
        cancelled=_cancelled(text, made, currency),
        balanced=_balanced(text, made, currency),
        states=tuple(_states(text, made)),
        money=tuple(_money(text, made)),
        explained=_explained(text, explained, currency),
        reason_heads=(text["replan.reason"], text["replan.assets"], *years, text["replan.all_years"]),
        reasons=() if explained is None else tuple(_reasons(text, explained)),
        assets=tuple(_asset(text, asset) for asset in largest[:TOP_ASSETS]),
        assets_left=text["ledger.more"].format(n=count(left)) if left > 0 else "",
        notes=(*(_learned(text, cost, currency) for cost in made.learned), *_notes(text, made, currency)),
    )


def frozen_of(made: Replanned) -> list[LedgerAsset]:
    """Return the assets that were not the plan's to choose."""
    return [asset for asset in made.assets if asset.treatment in FROZEN_TREATMENTS]


def _sums(assets: Sequence[LedgerAsset]) -> tuple[int, int, int, int]:
    """Return planned cost, cost, what is paid and what is owed of ``assets`` [cents]."""
    paid = sum(cents for asset in assets for _, cents in asset.paid)
    planned, cost = sum(asset.planned_cost for asset in assets), sum(asset.cost for asset in assets)
    return planned, cost, paid, sum(asset.owed for asset in assets)


def _lead(text: Words, made: Replanned, currency: str) -> str:
    frozen = frozen_of(made)
    planned, cost, paid, owed = _sums(frozen)
    said = {"planned": planned, "cost": cost, "paid": paid, "owed": owed}
    amounts = {name: cents_text(cents) for name, cents in said.items()}
    share = signed_percent(cost / planned - 1) if planned else "0.0 %"
    named = {"at": made.at, "n": count(len(frozen)), "share": share, "currency": currency_name(text, currency)}
    return text["ledger.lead"].format(**named, **amounts)


def _cancelled(text: Words, made: Replanned, currency: str) -> str:
    gone = [asset for asset in made.assets if asset.treatment == "cancelled"]
    planned, cost, _, _ = _sums(gone)
    if not gone:
        return text["ledger.none_cancelled"]
    sums = {"given": cents_text(planned - cost), "lost": cents_text(cost), "currency": currency_name(text, currency)}
    return text["ledger.cancelled_said"].format(n=count(len(gone)), **sums)


def _balanced(text: Words, made: Replanned, currency: str) -> str:
    total = made.reconciliation.total
    parts = {name: cents_text(getattr(total, name)) for name in MONEY_COLUMNS}
    return text["ledger.balanced"].format(currency=currency_name(text, currency), **parts)


def _states(text: Words, made: Replanned) -> Iterator[Row]:
    """Yield a row for each state of what is frozen, their total, and one for each state of the rest."""
    frozen = frozen_of(made)
    rest = [asset for asset in made.assets if asset.treatment not in FROZEN_TREATMENTS]
    yield from _by_state(text, frozen)
    yield Row((text["ledger.frozen_total"], count(len(frozen)), *_state_money(frozen)), total=True)
    yield from _by_state(text, rest)


def _by_state(text: Words, assets: Sequence[LedgerAsset]) -> Iterator[Row]:
    for state in STATES:
        mine = [asset for asset in assets if asset.state == state]
        if mine:
            yield Row((text[f"state.{state}"], count(len(mine)), *_state_money(mine)))


def _state_money(assets: Sequence[LedgerAsset]) -> tuple[str, ...]:
    planned, cost, paid, owed = _sums(assets)
    return cents_text(planned), cents_text(cost), signed_cents(cost - planned), cents_text(paid), cents_text(owed)


def _money(text: Words, made: Replanned) -> Iterator[Row]:
    for line in made.reconciliation.years:
        yield Row((str(line.year), *_money_cells(line)))
    yield Row((text["replan.all_years"], *_money_cells(made.reconciliation.total)), total=True)


def _money_cells(line: YearMoney) -> tuple[str, ...]:
    values = [(name, getattr(line, name)) for name in MONEY_COLUMNS]
    return tuple(signed_cents(cents) if name == "moved" else cents_text(cents) for name, cents in values)


def _explained(text: Words, found: Explanation | None, currency: str) -> str:
    if found is None:
        return text["ledger.no_last"]
    whole = signed_cents(sum(found.whole))
    return text["ledger.explained"].format(
        whole=whole,
        currency=currency_name(text, currency),
        n=count(len({asset.id for asset in found.assets})),
        unchanged=count(found.unchanged),
    )


def _reasons(text: Words, found: Explanation) -> Iterator[Row]:
    for total in found.totals:
        cells = [signed_cents(cents) for cents in (*total.money, total.total)]
        yield Row((text[f"replan.{total.reason}"], count(total.assets) if total.assets else "", *cells))
    whole = [signed_cents(cents) for cents in (*found.whole, sum(found.whole))]
    yield Row((text["replan.whole"], "", *whole), total=True)


def _weight(asset: AssetReason) -> tuple[int, str, str]:
    """Return what sorts ``asset``: the most money moved or changed in any year comes first."""
    return -max(abs(cents) for _, cents in asset.money), asset.id, asset.reason


def _asset(text: Words, asset: AssetReason) -> Row:
    return Row(
        (
            asset.id,
            name_of(text, "kind", asset.kind),
            text[f"replan.{asset.reason}"],
            f"{_year(text, asset.year_a)} → {_year(text, asset.year_b)}",
            cents_text(asset.cost_a),
            cents_text(asset.cost_b),
        )
    )


def _year(text: Words, year: int) -> str:
    return {NEVER: text["replan.never"], 0: text["diff.exists"]}.get(year, str(year))


def _learned(text: Words, cost: LearnedCost, currency: str) -> str:
    return text["ledger.learned"].format(
        key=cost.key,
        before=exact(cost.before),
        after=exact(float(f"{cost.after:.5g}")),
        currency=currency_name(text, currency),
        n=count(cost.count),
        share=signed_percent(cost.real / cost.planned - 1),
    )


def _notes(text: Words, made: Replanned, currency: str) -> Iterator[str]:
    """Yield what a reader of the tables would not expect of the ledger's assets."""
    first = min((line.year for line in made.reconciliation.years), default=0)
    before = sum(cents for asset in made.assets for year, cents in asset.paid if year < first)
    if before:
        said = {"first": str(first), "amount": cents_text(before), "currency": currency_name(text, currency)}
        yield text["ledger.before"].format(**said)
    for treatment in ("outside", "beyond", "waits"):
        mine = [asset for asset in made.assets if asset.treatment == treatment]
        if mine:
            yield text[f"ledger.{treatment}"].format(n=count(len(mine)), ids=_ids(text, mine))
    moved = sorted((asset for asset in frozen_of(made) if asset.moved_m >= MOVED_M), key=_nearness)
    if moved:
        said = {"n": count(len(moved)), "far": f"{moved[0].moved_m:,.0f}", "ids": _ids(text, moved)}
        yield text["ledger.moved"].format(**said)


def _nearness(asset: LedgerAsset) -> tuple[float, str]:
    return -asset.moved_m, asset.id


def _ids(text: Words, assets: Sequence[LedgerAsset]) -> str:
    shown = text["language.list"].join(sorted(asset.id for asset in assets)[:NAMED])
    return shown + (text["ledger.and_more"] if len(assets) > NAMED else "")
