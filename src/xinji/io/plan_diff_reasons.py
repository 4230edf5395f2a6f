"""Why a plan that was made again from the ledger spends otherwise than the last one: every cent has a reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from xinji.core.assets import TRENCH
from xinji.core.difference import REASONS, AssetReason, Explanation, ReasonTotal
from xinji.core.offer import EXISTING
from xinji.core.problem import NEVER
from xinji.core.replanned import FROZEN_TREATMENTS, YearMoney
from xinji.errors import Fault, InputError
from xinji.io.plan_schema import LedgerAssetEntry, PlanDocument


@dataclass(frozen=True, slots=True)
class _Side:
    """One asset in one plan: year of completion, cost [cents], and money by year.

    ``sunk`` is what the ledger says of it, ``chosen`` what the plan spends on it of its own will.
    """

    year: int
    cost: int
    sunk: Mapping[int, int]
    chosen: Mapping[int, int]
    asset: LedgerAssetEntry | None

    @property
    def frozen(self) -> bool:
        """Whether the plan had no choice."""
        return self.asset is not None and self.asset.treatment in FROZEN_TREATMENTS

    @property
    def flow(self) -> Counter[int]:
        """All its money by year, running it aside [cents]."""
        return _sum(self.sunk, self.chosen)


def built_in(plan: PlanDocument, key: str) -> int:
    """Return the year in which ``plan`` has the option or trench ``key`` finished; 0 stood before, -1 never.

    For what a ledger froze, that is the ledger's year.
    """
    return _side(plan, key).year


def spending(plan: PlanDocument) -> dict[int, int]:
    """Return all spending by calendar year [cents]; of a plan made again, that of the years gone by too."""
    if plan.replanned is None:
        return {int(year): cents for year, cents in plan.plan.spend.items()}
    lines = plan.replanned.money
    total = Counter({int(y): line.paid + line.committed + line.planned + line.opex for y, line in lines.items()})
    for asset in plan.replanned.assets.values():
        beyond = {year: cents for year, cents in _ledger_money(asset).items() if str(year) not in lines}
        total.update(beyond)
    return dict(total)


def explain(a: PlanDocument, b: PlanDocument) -> Explanation | None:
    """Return the reasons for all that ``b`` spends otherwise than ``a``; None where no ledger speaks.

    Raises InputError where they do not add up to the whole difference, so that a file was changed.
    """
    made = b.replanned
    if made is None:
        return None
    keys = sorted({*a.options, *b.options, *a.trenches, *b.trenches, *made.assets, *_ledger_of(a)})
    found = [reason for key in keys for reason in _asset_reasons(key, a, b)]
    years, totals, whole = _sums(found, a, b)
    if whole != tuple(sum(part) for part in zip(*(total.money for total in totals), strict=True)):
        remedy = "Run `xinji verify` on both plans' folders, and plan again what it does not prove."
        raise InputError([Fault("plans", "the money of their assets does not add up to their spending", remedy)])
    frozen = {key for key, asset in made.assets.items() if asset.treatment in FROZEN_TREATMENTS}
    return Explanation(
        at=made.at,
        years=years,
        whole=whole,
        totals=tuple(total for total in totals if total.assets or any(total.money)),
        assets=tuple(sorted(found, key=lambda item: (REASONS.index(item.reason), item.technology, item.id))),
        frozen=len(frozen),
        unchanged=len(frozen - {item.id for item in found}),
        budget=tuple(
            YearMoney(int(y), m.policy, m.moved, m.paid, m.committed, m.planned, m.opex, m.unallocated)
            for y, m in sorted(made.money.items())
        ),
    )


def _sums(
    found: list[AssetReason], a: PlanDocument, b: PlanDocument
) -> tuple[tuple[int, ...], list[ReasonTotal], tuple[int, ...]]:
    """Return the years, what each reason adds in them, and what all spending of ``b`` has over that of ``a``."""
    before, after, running = spending(a), spending(b), _difference(_running(b), _running(a))
    years = tuple(sorted({*before, *after, *running, *(year for item in found for year, _ in item.money)}))
    totals = [_total(reason, [item for item in found if item.reason == reason], years) for reason in REASONS[:-1]]
    totals.append(ReasonTotal(REASONS[-1], 0, tuple(running[year] for year in years)))
    return years, totals, tuple(after.get(year, 0) - before.get(year, 0) for year in years)


def _ledger_of(plan: PlanDocument) -> Mapping[str, LedgerAssetEntry]:
    return {} if plan.replanned is None else plan.replanned.assets


def _ledger_money(asset: LedgerAssetEntry) -> Counter[int]:
    money = Counter({int(year): cents for year, cents in asset.paid.items()})
    if asset.owed:
        money[asset.due] += asset.owed
    return money


def _side(plan: PlanDocument, key: str) -> _Side:
    asset, entry = _ledger_of(plan).get(key), plan.options.get(key) or plan.trenches.get(key)
    sunk = {} if asset is None else _ledger_money(asset)
    if asset is not None and asset.treatment in FROZEN_TREATMENTS:
        return _Side(asset.year, asset.cost, sunk, {}, asset)
    year = NEVER if entry is None else entry.year
    bought = {year: entry.capex} if entry is not None and year > EXISTING else {}
    return _Side(year, sum(bought.values()), sunk, bought, asset)


def _asset_reasons(key: str, a: PlanDocument, b: PlanDocument) -> Iterator[AssetReason]:
    """Yield why the money of one asset differs; what they add is the whole of its difference."""
    old, new = _side(a, key), _side(b, key)
    whole = _difference(new.flow, old.flow)
    if not whole:
        return
    entry = b.options.get(key) or a.options.get(key)
    dug = b.trenches.get(key) or a.trenches.get(key)
    asset = new.asset or old.asset
    technology, kind = (entry.technology, entry.kind) if entry else (TRENCH, dug.method) if dug else ("", "")
    if asset is not None:
        technology, kind = asset.technology, asset.kind
    for reason, money in _split(old, new, whole, b.years[0]):
        if money:
            pairs = tuple(sorted(money.items()))
            yield AssetReason(key, technology, kind, reason, old.year, new.year, old.cost, new.cost, pairs)


def _split(old: _Side, new: _Side, whole: Counter[int], first: int) -> Iterator[tuple[str, Counter[int]]]:
    """Yield parts of ``whole`` (money by year) with their reasons; ``first`` is the first year still planned."""
    if new.frozen:
        yield from _frozen_parts(old, new, whole)
        return
    ended = new.asset is not None and new.asset.treatment in ("cancelled", "retired")
    again = old.asset is not None and new.asset is not None and old.asset.treatment == new.asset.treatment
    if ended and not again and new.asset is not None:
        yield new.asset.treatment, _difference(new.sunk, old.flow)
        yield "re_optimised", Counter(new.chosen)
        return
    sunk = _difference(new.sunk, old.sunk)
    if old.frozen:
        # Its contract was taken back in the ledger: what it was to cost is the plan's to decide again.
        yield "re_optimised", whole
        return
    for cents, reason in ((1, "dearer"), (-1, "cheaper")):
        yield reason, Counter({year: part for year, part in sunk.items() if part * cents > 0})
    rest = _difference(new.chosen, old.chosen)
    yield ("not_begun" if EXISTING < old.year < first else "re_optimised"), rest


def _frozen_parts(old: _Side, new: _Side, whole: Counter[int]) -> Iterator[tuple[str, Counter[int]]]:
    """Yield the parts of an asset that is let or built: its year, its price, and when it is paid."""
    if old.year <= EXISTING:
        yield "added", whole
        return
    slip = _difference({new.year: old.cost}, {old.year: old.cost})
    dearer = Counter({new.year: new.cost - old.cost}) if new.cost != old.cost else Counter()
    yield ("slipped" if new.year > old.year else "earlier"), slip
    yield ("dearer" if new.cost > old.cost else "cheaper"), dearer
    yield "paid_otherwise", _difference(whole, _sum(slip, dearer))


def _running(plan: PlanDocument) -> dict[int, int]:
    """Return what running all that stands costs by year [cents]."""
    if plan.replanned is not None:
        return {int(year): line.opex for year, line in plan.replanned.money.items()}
    return {int(year): sum(columns.values()) for year, columns in plan.plan.outcome.opex.items()}


def _sum(one: Mapping[int, int], other: Mapping[int, int]) -> Counter[int]:
    total = Counter(one)
    total.update(other)
    return total


def _difference(one: Mapping[int, int], other: Mapping[int, int]) -> Counter[int]:
    """Return ``one`` less ``other`` by year, without the years in which they are the same."""
    years = {*one, *other}
    return Counter({y: one.get(y, 0) - other.get(y, 0) for y in years if one.get(y, 0) != other.get(y, 0)})


def _total(reason: str, items: list[AssetReason], years: tuple[int, ...]) -> ReasonTotal:
    money: Counter[int] = Counter()
    for item in items:
        money.update(dict(item.money))
    return ReasonTotal(reason, len(items), tuple(money[year] for year in years))
