"""Why a plan that was made again from the ledger differs from the last one, for people: Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xinji.core.difference import AssetReason, Explanation
from xinji.core.problem import NEVER
from xinji.core.replanned import YearMoney
from xinji.show.ledger_section import MONEY_COLUMNS
from xinji.show.numbers import cents_text, count, currency_name, signed_cents
from xinji.show.text import Words, name_of


def explanation_lines(text: Words, found: Explanation, currency: str, listed: int) -> Iterator[str]:
    """Yield the explanation: the whole difference by reason and year, the assets, and where the money goes.

    At most ``listed`` assets are named for each reason; amounts are exact to the cent.
    """
    named = {"at": found.at, "currency": currency_name(text, currency)}
    yield from (f"## {text['replan.title'].format(**named)}", "")
    yield text["replan.frozen"].format(n=count(found.frozen), unchanged=count(found.unchanged))
    yield from ("", *_reason_table(text, found, currency), "")
    for total in found.totals:
        mine = [asset for asset in found.assets if asset.reason == total.reason]
        if mine:
            yield from _assets(text, total.reason, mine, listed)
    yield from (f"## {text['replan.budget'].format(**named)}", "", *_budget_table(text, found.budget), "")


def _reason_table(text: Words, found: Explanation, currency: str) -> Iterator[str]:
    years = [str(year) for year in found.years]
    yield _row([f"{text['replan.reason']} [{currency}]", text["replan.assets"], *years, text["replan.all_years"]])
    yield "|---|" + "---:|" * (len(years) + 2)
    for total in found.totals:
        cells = [signed_cents(cents) for cents in (*total.money, total.total)]
        yield _row([text[f"replan.{total.reason}"], count(total.assets) if total.assets else "", *cells])
    yield _row([text["replan.whole"], "", *(signed_cents(cents) for cents in (*found.whole, sum(found.whole)))])


def _assets(text: Words, reason: str, assets: Sequence[AssetReason], listed: int) -> Iterator[str]:
    yield from (f"### {text[f'replan.{reason}']}{text['language.colon']}{count(len(assets))}", "")
    for asset in assets[:listed]:
        what = name_of(text, "kind", asset.kind)
        when = f"{_year(text, asset.year_a)} → {_year(text, asset.year_b)}"
        costs = f"{cents_text(asset.cost_a)} → {cents_text(asset.cost_b)}"
        yield f"- `{asset.id}` {what} · {when} · {costs}"
    if len(assets) > listed:
        yield f"- {text['diff.more'].format(n=count(len(assets) - listed))}"
    yield ""


def _budget_table(text: Words, budget: Sequence[YearMoney]) -> Iterator[str]:
    yield _row([text["replan.year"], *(text[f"replan.{name}"] for name in MONEY_COLUMNS)])
    yield "|---|" + "---:|" * len(MONEY_COLUMNS)
    for line in budget:
        yield _row([str(line.year), *(cents_text(getattr(line, name)) for name in MONEY_COLUMNS)])
    sums = [sum(getattr(line, name) for line in budget) for name in MONEY_COLUMNS]
    yield _row([text["replan.all_years"], *(cents_text(cents) for cents in sums)])


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _year(text: Words, year: int) -> str:
    return {NEVER: text["replan.never"], 0: text["diff.exists"]}.get(year, str(year))
