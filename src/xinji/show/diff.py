"""The difference between two plans, for people: Markdown, which also reads well as plain text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from xinji.core.difference import AssetChange, Pair, PlanDiff
from xinji.core.problem import NEVER
from xinji.show.diff_reasons import explanation_lines
from xinji.show.numbers import count, exact, money, percent, signed, signed_percent
from xinji.show.text import Words, name_of, words
from xinji.units import CENTS_PER_UNIT

LISTED = 40
"""How many assets of a section are named one by one."""


def render_diff(diff: PlanDiff, *, language: str = "en", listed: int = LISTED) -> str:
    """Return ``diff`` as Markdown in ``language``, naming at most ``listed`` assets a section.

    Raises InputError if the language is unknown.
    """
    text = words(language)
    lines = [f"# {text['diff.title']}", ""]
    assets = (("only_a", diff.only_a), ("only_b", diff.only_b), ("moved", diff.moved))
    if not any(changes for _, changes in assets) and not diff.wishes and not diff.parameters:
        lines += [text["diff.same"], ""]
    if not diff.comparable:
        lines += [text["diff.different_goal"], ""]
    elif not diff.same_problem:
        lines += [text["diff.different_problem"], ""]
    if diff.explained is not None:
        lines += explanation_lines(text, diff.explained, diff.currency, listed)
    lines += _table(text, "figures", [_figure(text, diff, pair) for pair in diff.figures])
    lines += _table(text, "spend", [_money_row(text, diff.currency, pair) for pair in diff.spend])
    lines += _table(text, "served", [_served_row(text, pair) for pair in diff.served if pair.a != pair.b])
    for name, changes in assets:
        lines += _assets(text, diff.currency, name, changes, listed)
    for name, pairs in (("wishes", diff.wishes), ("parameters", diff.parameters)):
        lines += _table(text, name, [_plain_row(text, diff.currency, pair) for pair in pairs])
    return "\n".join(lines).rstrip() + "\n"


Cells = tuple[str, str, str, str]


def _table(text: Words, section: str, rows: Sequence[Cells]) -> list[str]:
    if not rows:
        return []
    heads = (text["diff.figure"], text["diff.a"], text["diff.b"], text["diff.change"])
    drawn = [_line(heads), "|---|---:|---:|---:|", *(_line(row) for row in rows)]
    return [f"## {text[f'diff.{section}']}", "", *drawn, ""]


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _figure(text: Words, diff: PlanDiff, pair: Pair) -> Cells:
    name, a, b = text[f"diff.{pair.name}"], float(pair.a), float(pair.b)
    if pair.name == "gap":
        return name, percent(a), percent(b), signed_percent(b - a)
    change = signed_percent(b / a - 1) if a and diff.comparable else ""
    if diff.question == "least_cost":
        return (
            name, money(text, diff.currency, a * CENTS_PER_UNIT), money(text, diff.currency, b * CENTS_PER_UNIT), change
        )  # fmt: skip
    return name, count(a), count(b), change


def _money_row(text: Words, currency: str, pair: Pair) -> Cells:
    a, b = float(pair.a), float(pair.b)
    change = signed_percent(b / a - 1) if a else ""
    return pair.name, money(text, currency, a), money(text, currency, b), change


def _served_row(text: Words, pair: Pair) -> Cells:
    group, service = pair.name.split(".", 1)
    name = f"{text[f'group.{group}']}{text['language.list']}{text[f'service.{service}']}"
    return name, count(float(pair.a)), count(float(pair.b)), signed(float(pair.b) - float(pair.a))


def _plain_row(text: Words, currency: str, pair: Pair) -> Cells:
    return pair.name, _plain(text, currency, pair.name, pair.a), _plain(text, currency, pair.name, pair.b), ""


def _plain(text: Words, currency: str, name: str, value: float | str) -> str:
    if isinstance(value, str):
        return value
    return money(text, currency, value) if name.startswith("budget.") else exact(value)


def _assets(text: Words, currency: str, name: str, changes: Sequence[AssetChange], listed: int) -> list[str]:
    if not changes:
        return []
    total = text["diff.count_line"].format(
        n=count(len(changes)), capex=money(text, currency, sum(change.capex for change in changes))
    )
    lines = [f"## {text[f'diff.{name}']}{text['language.colon']}{total}", "", *_by_kind(text, changes), ""]
    for change in changes[:listed]:
        what = name_of(text, "kind", change.kind)
        lines.append(f"- `{change.id}` {what} · {_when(text, change)} · {money(text, currency, change.capex)}")
    if len(changes) > listed:
        lines.append(f"- {text['diff.more'].format(n=count(len(changes) - listed))}")
    return [*lines, ""]


def _by_kind(text: Words, changes: Sequence[AssetChange]) -> Iterator[str]:
    counted = Counter((change.technology, change.kind) for change in changes)
    for (technology, kind), number in sorted(counted.items()):
        named = {"technology": text[f"technology.{technology}"], "kind": name_of(text, "kind", kind)}
        yield f"- {text['diff.kind_line'].format(n=count(number), **named)}"


def _when(text: Words, change: AssetChange) -> str:
    years = [text["diff.exists"] if y == 0 else str(y) for y in (change.year_a, change.year_b) if y != NEVER]
    return " → ".join(years)
