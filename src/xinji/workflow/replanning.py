"""A plan made again from the ledger: what is frozen stays, past years' money moves, and no cent is lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np

from xinji.core.arrays import Ints
from xinji.core.assets import TRENCH
from xinji.core.facilities import NO_CONTRACT, Facilities
from xinji.core.offer import Offer, Trenches
from xinji.core.parameters import Parameter
from xinji.core.plan import Plan
from xinji.core.policy import Floor, Policy
from xinji.core.problem import Problem
from xinji.core.region import Region
from xinji.core.replanned import FROZEN_TREATMENTS, LearnedCost, Replanned, YearMoney
from xinji.errors import Fault, InputError, PolicyError, raise_if
from xinji.io.config import ParameterOverride, RegionConfig
from xinji.io.plan_decisions import Decisions
from xinji.io.settings import changed_config, toml_value
from xinji.plan.choose.assemble import Assembly, to_cents
from xinji.plan.choose.commit import Commitment, commit
from xinji.plan.choose.commit_facts import Facts, facts_of
from xinji.plan.choose.commit_money import Reckoning, left_to_plan, priced, reckon, reconcile, require_affordable
from xinji.plan.fibre.learned_prices import learned_prices
from xinji.plan.fibre.trench import trenches as trench_graph
from xinji.plan.radio.real_places import HOST_KIND_OF, Masts
from xinji.units import CENTS_PER_UNIT


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """Where a plan begins that is made again: region and policy of the years still to come.

    ``whole`` is the policy of all years; the budgets of ``wishes`` are still those of that policy.
    ``region`` and ``config`` hold the prices ``learned`` from ``ledger``; ``masts`` are the sites that
    were built, at their real places; ``finish`` gives the years to which work slips, by id: those to which the
    ledger has it rescheduled, and what was asked for beyond that.
    """

    ledger: Facilities
    region: Region
    whole: Policy
    wishes: Policy
    config: RegionConfig
    masts: Masts
    finish: Mapping[str, int]
    learned: tuple[LearnedCost, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Frozen:
    """Offers under the ledger, the money that is left, and the policy and region.toml that say so."""

    commitment: Commitment
    money: Reckoning
    wishes: Policy
    config: RegionConfig
    text: str


def begin(
    ledger: Facilities,
    region: Region,
    wishes: Policy,
    config: RegionConfig,
    *,
    learn: bool = False,
    slips: tuple[tuple[str, int], ...] = (),
) -> Start:
    """Return what planning the rest of ``wishes`` begins with, as ``ledger`` stands.

    The first year still to plan is that of ``ledger.at``; floors of years gone by hold from it on. With
    ``learn``, trenches still to dig cost what those that were let did. Raises PolicyError where no year is left.
    """
    first = max(int(ledger.at[:4]), wishes.years[0])
    if first > wishes.years[-1]:
        message = f"the ledger stands at {ledger.at}, the last planned year is {wishes.years[-1]}"
        raise PolicyError([Fault("policy.years", message, "Add years and budgets, or give an earlier --at.")])
    finish = _rescheduled(ledger, first) | dict(slips)
    facts = facts_of(ledger, first, finish)
    learned = _learned(ledger, facts, region) if learn else ()
    changed = {cost.key: _taught(region.parameters.entries[cost.key], cost, ledger.at) for cost in learned}
    place = wishes.years.index(first)
    return Start(
        ledger=ledger,
        region=replace(region, parameters=region.parameters.override(changed)),
        whole=wishes,
        wishes=replace(
            wishes, years=wishes.years[place:], budget=wishes.budget[place:], floors=_floors(wishes.floors, first)
        ),
        config=_with_parameters(config, changed),
        masts=_masts(ledger, facts),
        finish=finish,
        learned=learned,
    )


def _rescheduled(ledger: Facilities, first: int) -> dict[str, int]:
    """Return the year, from ``first`` on, in which what ``ledger`` has rescheduled is complete, by id."""
    rows = np.flatnonzero(ledger.rescheduled).tolist()
    return {str(ledger.id[row]): max(int(str(ledger.completion[row])[:4]), first) for row in rows}


def _floors(floors: tuple[Floor, ...], first: int) -> tuple[Floor, ...]:
    """Return ``floors`` from ``first`` on; of two that are then the same, the higher."""
    kept: dict[tuple[str, str, int], Floor] = {}
    for floor in floors:
        later = replace(floor, year=max(floor.year, first))
        name = (later.group, later.service, later.year)
        if name not in kept or kept[name].share < later.share:
            kept[name] = later
    return tuple(kept.values())


def _learned(ledger: Facilities, facts: Facts, region: Region) -> tuple[LearnedCost, ...]:
    trenches = trench_graph(region)
    place = {str(name): row for row, name in enumerate(trenches.id)}
    mine = ledger.technology == TRENCH
    trench = np.array(
        [place.get(str(name), -1) if dug else -1 for name, dug in zip(ledger.id, mine, strict=True)], dtype=np.int64
    )
    known = facts.frozen & ((ledger.contract_capex != NO_CONTRACT) | (facts.stands & (facts.paid > 0)))
    return learned_prices(trenches, trench, facts.cost - ledger.sunk, known, region.parameters)


def _taught(entry: Parameter, cost: LearnedCost, at: str) -> Parameter:
    source = f"ledger at {at}: {cost.count} trenches cost {cost.real / cost.planned:.3f} times {cost.before:g}"
    return replace(
        entry,
        value=cost.after,
        low=min(entry.low, cost.after),
        high=max(entry.high, cost.after),
        year=at[:4],
        status="derived",
        source=source,
        url="",
    )


def _with_parameters(config: RegionConfig, changed: Mapping[str, Parameter]) -> RegionConfig:
    if not changed:
        return config
    own = {
        key: ParameterOverride(
            value=entry.value, unit=entry.unit, low=entry.low, high=entry.high, year=entry.year,
            source=entry.source, status="derived", url="", note=entry.note,
        )
        for key, entry in changed.items()
    }  # fmt: skip
    return config.model_copy(update={"parameters": {**config.parameters, **own}})


def _masts(ledger: Facilities, facts: Facts) -> Masts:
    """Return the frozen radio hosts whose place is known, where they stand or will."""
    measured = np.isfinite(ledger.x_m) & np.isfinite(ledger.y_m)
    x_m = np.where(measured, ledger.x_m, ledger.planned_x_m)
    y_m = np.where(measured, ledger.y_m, ledger.planned_y_m)
    hosts = (ledger.technology == "radio") & np.isin(ledger.kind, list(HOST_KIND_OF))
    rows = np.flatnonzero(hosts & facts.frozen & np.isfinite(x_m) & np.isfinite(y_m))
    return Masts(ledger.id[rows], ledger.kind[rows], x_m[rows], y_m[rows])


def freeze_offers(start: Start, offers: tuple[Offer, ...], trenches: Trenches) -> Frozen:
    """Return ``offers`` and ``trenches`` under the ledger, with the money that is left for the rest.

    Raises InputError where the ledger contradicts itself or the region.
    """
    commitment = commit(start.ledger, offers, trenches, start.wishes.years, finish=start.finish)
    money = reckon(commitment, offers, start.whole.years, _cents(start.whole.budget))
    left = tuple((left_to_plan(money.available, carry_over=start.wishes.carry_over) / CENTS_PER_UNIT).tolist())
    wishes = replace(start.wishes, budget=left)
    floors = [{"group": f.group, "service": f.service, "year": f.year, "share": f.share} for f in wishes.floors]
    changes = [("policy.years", toml_value(wishes.years)), ("policy.budget", toml_value(left))]
    changes += [("policy.floors", toml_value(floors))] if floors else []
    config, text = changed_config(start.config, changes)
    return Frozen(commitment, money, wishes, config, text)


def _cents(budget: tuple[float, ...]) -> Ints:
    return to_cents(np.array(budget, dtype=np.float64))


def freeze_problem(assembly: Assembly, frozen: Frozen, currency: str) -> Assembly:
    """Return ``assembly`` with what the ledger says of prices.

    Raises InfeasibleError where what is frozen costs more than a year has.
    """
    problem = replace(assembly.problem, capex=priced(assembly.problem, frozen.commitment))
    require_affordable(problem, frozen.money, currency)
    return replace(assembly, problem=problem)


def require_unchanged(decisions: Decisions, commitment: Commitment) -> None:
    """Raise InputError where ``decisions`` of a planner move what the ledger froze."""
    faults = []
    groups = [(offer.id, offer.built) for offer in commitment.offers]
    groups.append((commitment.trenches.id, commitment.trenches.built))
    stage = {str(name): int(code) for names, codes in groups for name, code in zip(names, codes, strict=True)}
    for name, asked in [*decisions.options.items(), *decisions.trenches.items()]:
        if stage[name] >= 1 and asked != stage[name]:
            year = commitment.years[stage[name] - 1]
            message = f"{name} is committed to {year} by the ledger, the plan file asks for something else"
            faults.append(Fault("--keep", message, "Set its decision back to free, or let it slip with --slip."))
    raise_if(faults, InputError)


def replanned_of(start: Start, frozen: Frozen, problem: Problem, plan: Plan) -> Replanned:
    """Return what the ledger left of the plan, with all money to the cent."""
    notes = list(frozen.commitment.notes)
    if frozen.money.before:
        amount = frozen.money.before / CENTS_PER_UNIT
        notes.append(f"{amount:,.2f} were paid before {start.whole.years[0]}, out of earlier budgets")
    return Replanned(
        at=start.ledger.at,
        assets=frozen.commitment.assets,
        reconciliation=reconcile(frozen.commitment, frozen.money, problem, plan),
        learned=start.learned,
        notes=tuple(notes),
    )


_COLUMNS = ("policy", "moved", "paid", "committed", "planned", "opex", "unallocated")


def replanned_text(made: Replanned, currency: str) -> str:
    """Return what was frozen, and where the money goes, in plain words."""
    return "\n".join(_lines(made, currency)) + "\n"


def _lines(made: Replanned, currency: str) -> Iterator[str]:
    frozen = [asset for asset in made.assets if asset.treatment in FROZEN_TREATMENTS]
    yield f"Planned again from the ledger at the end of {made.at}: {len(frozen):,} assets are frozen"
    for treatment in dict.fromkeys(asset.treatment for asset in made.assets):
        mine = [asset for asset in made.assets if asset.treatment == treatment]
        cost = sum(asset.cost for asset in mine) / CENTS_PER_UNIT
        planned = sum(asset.planned_cost for asset in mine) / CENTS_PER_UNIT
        yield f"  {treatment:<10}{len(mine):>7,}   cost {cost:>18,.2f}   as planned {planned:>18,.2f} {currency}"
    for cost_learned in made.learned:
        yield (
            f"  learned: {cost_learned.key} {cost_learned.before:g} -> {cost_learned.after:g} {currency}/m, since "
            f"{cost_learned.count:,} trenches cost {cost_learned.real / cost_learned.planned - 1:+.1%}"
        )
    yield from (f"  note: {note}" for note in made.notes)
    yield f"  budget to the cent [{currency}]: policy + moved = paid + committed + planned + opex + unallocated"
    yield "  year  " + "".join(f"{name:>18}" for name in _COLUMNS)
    for line in made.reconciliation.years:
        yield f"  {line.year:<6}{_row(line)}"
    yield f"  {'all':<6}{_row(made.reconciliation.total)}"


def _row(line: YearMoney) -> str:
    return "".join(f"{getattr(line, name) / CENTS_PER_UNIT:>18,.2f}" for name in _COLUMNS)


def replanned_object(made: Replanned) -> dict[str, object]:
    """Return the same as a JSON object; money in cents."""
    counted: dict[str, int] = {}
    for asset in made.assets:
        counted[asset.treatment] = counted.get(asset.treatment, 0) + 1
    return {
        "at": made.at,
        "assets": counted,
        "learned": [asdict(cost) for cost in made.learned],
        "notes": list(made.notes),
        "money_cents": [asdict(line) for line in made.reconciliation.years],
        "total_cents": {k: v for k, v in asdict(made.reconciliation.total).items() if k != "year"},
    }
