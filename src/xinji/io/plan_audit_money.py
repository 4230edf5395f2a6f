"""The money of a plan made again from a ledger, added up once more from plan.json: what does not reconcile."""

from __future__ import annotations

from collections.abc import Iterator

from xinji.core.replanned import FROZEN_TREATMENTS
from xinji.io.plan_schema import OptionEntry, PlanDocument, ReplannedEntry, TrenchEntry, YearMoneyEntry

_OUTSIDE = "outside"


def money_findings(plan: PlanDocument) -> Iterator[str]:
    """Yield what does not add up between the ledger's assets, the plan's spending and the money by year.

    Nothing where the plan was not made again from a ledger.
    """
    made = plan.replanned
    if made is None:
        return
    yield from _asset_findings(plan, made)
    moved = sum(line.moved for line in made.money.values())
    if moved:
        yield f"replanned.money: {moved} cents are moved that no year misses"
    for year in plan.years:
        if str(year) not in made.money:
            yield f"replanned.money has no line for {year}"
    # What a later year lacks is kept back in an earlier one: only the sums are the same.
    rest = sum(plan.policy.budget.values()) - sum(plan.plan.spend.values())
    said = sum(line.unallocated for line in made.money.values())
    if plan.policy.question == "most_value" and said != rest:
        yield f"replanned.money: {said} cents are unallocated, budgets less spending are {rest}"
    for name, line in made.money.items():
        yield from (f"replanned.money.{name}: {text}" for text in _line_findings(plan, made, int(name), line))


def _asset_findings(plan: PlanDocument, made: ReplannedEntry) -> Iterator[str]:
    for name, asset in made.assets.items():
        place = f"replanned.assets.{name}"
        if asset.cost != sum(asset.paid.values()) + asset.owed:
            yield f"{place} costs {asset.cost} cents, paid and owed add up to {sum(asset.paid.values()) + asset.owed}"
        if asset.treatment not in ("stands", "committed", "waits"):
            continue
        entry = plan.options.get(name) or plan.trenches.get(name)
        year = None if entry is None else entry.year
        if year != asset.serves:
            yield f"{place} is frozen to {asset.serves}, the plan has {year}"


def _line_findings(plan: PlanDocument, made: ReplannedEntry, year: int, line: YearMoneyEntry) -> Iterator[str]:
    spent = line.paid + line.committed + line.planned + line.opex + line.unallocated
    if line.policy + line.moved != spent:
        yield f"{line.policy + line.moved} cents come in, {spent} go out"
    paid = sum(asset.paid.get(str(year), 0) for asset in made.assets.values())
    owed = sum(asset.owed for asset in made.assets.values() if asset.due == year)
    for name, said, found in (("paid", line.paid, paid), ("committed", line.committed, owed)):
        if said != found:
            yield f"{name} is {said} cents, the ledger's assets add up to {found}"
    if year in plan.years:
        yield from _planned_findings(plan, made, year, line)


def _planned_findings(plan: PlanDocument, made: ReplannedEntry, year: int, line: YearMoneyEntry) -> Iterator[str]:
    frozen = {name for name, asset in made.assets.items() if asset.treatment in FROZEN_TREATMENTS}
    bought: dict[str, OptionEntry | TrenchEntry] = {**plan.options, **plan.trenches}
    planned = sum(entry.capex for name, entry in bought.items() if entry.year == year and name not in frozen)
    if line.planned != planned:
        yield f"planned is {line.planned} cents, what the plan chooses adds up to {planned}"
    opex = sum(entry.opex for entry in bought.values() if 0 <= entry.year <= year)
    # What the region does not offer runs, too, and plan.json does not say for how much.
    outside = any(asset.treatment == _OUTSIDE for asset in made.assets.values())
    if line.opex < opex if outside else line.opex != opex:
        yield f"opex is {line.opex} cents, all that stands adds up to {opex}"
    rest = plan.policy.budget[str(year)] - plan.plan.spend[str(year)]
    if plan.policy.question == "most_value" and not plan.policy.carry_over and line.unallocated != rest:
        yield f"unallocated is {line.unallocated} cents, budget less spending is {rest}"
