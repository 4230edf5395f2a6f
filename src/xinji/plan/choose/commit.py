"""A ledger laid over the offers: what stands, what is committed to which year, and what is free again.

What is built stands, what is let is committed to the year in which it is finished, what was retired is not
built again, and what was cancelled is free. A plan that starts from here changes no frozen asset.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from xinji.core.arrays import Bools, Floats, Ints, Strings
from xinji.core.assets import TRENCH
from xinji.core.facilities import ACCEPTED, CANCELLED, IN_USE, RETIRED, STATES, Facilities
from xinji.core.offer import EXISTING, FORBIDDEN, FREE, Offer, Trenches
from xinji.core.replanned import LedgerAsset
from xinji.errors import Fault, InputError, raise_if
from xinji.plan.choose.commit_facts import Facts, facts_of, ledger_faults
from xinji.plan.choose.commit_list import asset_notes, assets_of_ledger, listed
from xinji.units import CENTS_PER_UNIT

AS_OFFERED = -1
"""Capex of an option that the ledger does not price."""


@dataclass(frozen=True, slots=True, eq=False)
class Commitment:
    """Offers and trenches under a ledger, and the money that it holds.

    ``offers`` and ``trenches`` carry the codes of what is frozen; the trenches their real lengths and
    what is still to pay. ``option_capex`` (n,) [cents] prices the options, ``AS_OFFERED`` where the ledger
    says nothing. ``option`` and ``trench`` (k,) are the positions of each facility, -1 where it is none;
    ``offered`` (k,) says that the region has it standing from the start. ``aside`` (k,) [cents] is
    owed in the facility's ``due`` year, but not in the problem's capex.
    """

    facilities: Facilities
    facts: Facts
    years: Ints
    offers: tuple[Offer, ...]
    trenches: Trenches
    option: Ints
    trench: Ints
    offered: Bools
    option_capex: Ints
    aside: Ints
    assets: tuple[LedgerAsset, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Options:
    """The options (n) of all offers, joined: codes before and after the ledger is laid over them."""

    id: Strings
    before: Ints
    built: Ints
    host: Ints
    needs: Bools
    x_m: Floats
    y_m: Floats


def commit(
    facilities: Facilities,
    offers: Sequence[Offer],
    trenches: Trenches,
    years: Sequence[int],
    *,
    finish: Mapping[str, int] | None = None,
) -> Commitment:
    """Return ``offers`` and ``trenches`` with all that ``facilities`` leave no choice about.

    ``years`` are those still to plan; ``finish`` gives the year of completion by id where it is not the
    ledger's. Raises InputError with every fault: a facility stands on one that does not, a trench is
    finished after the last year, an unknown facility has no place, a payment lies in the future.
    """
    finish = finish or {}
    facts = facts_of(facilities, years[0], finish)
    raise_if(ledger_faults(facilities, facts, finish, years[-1]), InputError)
    options = _joined(offers)
    option, trench = _positions(facilities, options.id, trenches.id)
    raise_if(_unknown_faults(facilities, facts, option, trench), InputError)
    dug, trench_faults = _trench_codes(facilities, facts, trenches, trench, years)
    options = _laid_over(facilities, facts, options, option, len(years))
    raise_if([*trench_faults, *_standing_faults(facilities, options, option)], InputError)
    served, notes = _in_service(facilities, facts, options, option, (trenches, dug))
    offered = (option >= 0) & (options.before[option] == EXISTING)
    priced = _prices(facts, option, served, years)
    aside = np.where(facts.frozen & ~priced & (trench < 0) & (facts.due <= years[-1]), facts.owed, 0)
    aside = np.where(((trench >= 0) & facts.stands) | (facilities.state == RETIRED), facts.owed, aside)
    capex = np.full(len(options.id), AS_OFFERED, dtype=np.int64)
    known = np.flatnonzero(facts.frozen & (option >= 0) & ~offered)
    capex[option[known]] = np.where(
        served[option[known]] == EXISTING, facts.cost[known], np.where(priced[known], facts.owed[known], 0)
    )
    assets = tuple(assets_of_ledger(facilities, facts, (option, trench), (served, dug), years))
    return Commitment(
        facilities=facilities,
        facts=facts,
        years=np.array(years, dtype=np.int64),
        offers=_with_codes(offers, served),
        trenches=_with_costs(facilities, facts, trenches, trench, dug),
        option=option,
        trench=trench,
        offered=offered,
        option_capex=capex,
        aside=aside,
        assets=assets,
        notes=(*notes, *asset_notes(assets)),
    )


def _joined(offers: Sequence[Offer]) -> _Options:
    start = np.cumsum([0, *(len(offer) for offer in offers)])[:-1]
    columns = {name: np.concatenate([getattr(offer, name) for offer in offers]) for name in ("id", "x_m", "y_m")}
    built = np.concatenate([offer.built for offer in offers]).astype(np.int64)
    return _Options(
        **columns,
        before=built,
        built=built,
        host=np.concatenate([np.where(o.host >= 0, o.host + s, -1) for o, s in zip(offers, start, strict=True)]),
        needs=np.concatenate([offer.needs_fibre for offer in offers]),
    )


def _positions(facilities: Facilities, options: Strings, trenches: Strings) -> tuple[Ints, Ints]:
    """Return the option and the trench (k,) of each facility, -1 where it is none."""
    is_trench = facilities.technology == TRENCH
    found = []
    for names, asked in ((options, ~is_trench), (trenches, is_trench)):
        place = {str(name): row for row, name in enumerate(names)}
        rows = [place.get(str(name), -1) if mine else -1 for name, mine in zip(facilities.id, asked, strict=True)]
        found.append(np.array(rows, dtype=np.int64))
    return found[0], found[1]


def _unknown_faults(facilities: Facilities, facts: Facts, option: Ints, trench: Ints) -> Iterator[Fault]:
    """Yield frozen facilities that the region does not offer and that nothing can be said of."""
    placed = np.isfinite(facilities.x_m) | np.isfinite(facilities.planned_x_m)
    lost = facts.frozen & (option < 0) & (trench < 0) & (~placed | (facilities.technology == TRENCH))
    for row in np.flatnonzero(lost).tolist():
        message = f"{facilities.id[row]} is {_state(facilities, row)}, but the region offers nothing of that id"
        remedy = "Plan the region that the ledger's plan was made of, or record the place where it stands."
        if facilities.technology[row] == TRENCH:
            remedy = "Plan the region that the ledger's plan was made of: a trench follows one of its roads."
        yield Fault("ledger", message, remedy, row)


def _state(facilities: Facilities, row: int) -> str:
    return STATES[int(facilities.state[row])].replace("_", " ")


def _trench_codes(
    facilities: Facilities, facts: Facts, trenches: Trenches, trench: Ints, years: Sequence[int]
) -> tuple[Ints, list[Fault]]:
    """Return the code (m,) of every trench, and a fault for each that is finished too late to be planned with."""
    dug = trenches.built.copy()
    rows = np.flatnonzero(facts.frozen & (trench >= 0))
    stage = np.where(facts.stands[rows], EXISTING, facts.year[rows] - years[0] + 1)
    late = rows[stage > len(years)]
    dug[trench[rows]] = np.minimum(stage, len(years))
    remedy = f"Add years to policy.years: a trench that is let cannot be left out, and the last year is {years[-1]}."
    faults = [Fault("ledger", f"{facilities.id[r]} is finished in {facts.year[r]}", remedy, int(r)) for r in late]
    return dug, faults


def _laid_over(facilities: Facilities, facts: Facts, options: _Options, option: Ints, stages: int) -> _Options:
    built = options.before.copy()
    rows = np.flatnonzero(facts.frozen & (option >= 0))
    rows = rows[options.before[option[rows]] != EXISTING]
    stage = facts.year[rows] - facts.first + 1
    code = np.where(facts.stands[rows], EXISTING, np.where(stage > stages, FORBIDDEN, stage))
    built[option[rows]] = code
    gone = np.flatnonzero((facilities.state == RETIRED) & (option >= 0))
    built[option[gone]] = FORBIDDEN
    return replace(options, built=built)


def _standing_faults(facilities: Facilities, options: _Options, option: Ints) -> Iterator[Fault]:
    """Yield what is let or built on something that is neither."""
    row_of = np.full(len(options.id), -1, dtype=np.int64)
    row_of[option[option >= 0]] = np.flatnonzero(option >= 0)
    host, built = options.host, options.built
    refused = np.zeros(len(options.id), dtype=bool)
    refused[option[np.isin(facilities.state, (RETIRED, CANCELLED)) & (option >= 0)]] = True
    bare = (host >= 0) & ((built == EXISTING) & (built[host] == FREE) | (built >= EXISTING) & refused[host])
    for place in np.flatnonzero(bare).tolist():
        below, row = int(host[place]), int(row_of[place])
        what = "is built" if built[place] == EXISTING else "is let"
        state = _state(facilities, int(row_of[below])) if row_of[below] >= 0 else "not in the ledger"
        message = f"{options.id[place]} {what}, but {options.id[below]}, on which it stands, is {state}"
        remedy = f"Bring the states of the two into line, that of {options.id[below]} first."
        yield Fault("ledger", message, remedy, row if row >= 0 else None)


def _in_service(
    facilities: Facilities, facts: Facts, options: _Options, option: Ints, fibre: tuple[Trenches, Ints]
) -> tuple[Ints, list[str]]:
    """Return the code (n,) from which each option serves, and notes on what has to wait.

    What stands but is not accepted serves once trenches of the ledger join it; where they never do, the
    plan has to dig at once. Nothing serves before what it stands on, and what is let has a host.
    """
    served, stages = options.built.copy(), int(fibre[1].max(initial=0))
    rows = np.flatnonzero(facts.frozen & (option >= 0))
    mine = option[rows]
    asked = options.needs[mine] & (served[mine] >= EXISTING) & (options.before[mine] != EXISTING)
    asked &= ~np.isin(facilities.state[rows], (ACCEPTED, IN_USE))
    rows, mine = rows[asked], mine[asked]
    places = np.column_stack([options.x_m[mine], options.y_m[mine]])
    planned = np.column_stack([facilities.planned_x_m[rows], facilities.planned_y_m[rows]])
    planned = np.where(np.isfinite(planned), planned, places)
    joined = _joined_from(fibre[0], fibre[1], (places, planned), stages)
    stands = facts.stands[rows]
    served[mine] = np.where(joined >= 0, np.maximum(served[mine], joined), np.maximum(served[mine], stands))
    notes = []
    loose = mine[(joined < 0) & stands]
    if len(loose):
        head = "built, but no trench of the ledger joins them, so that the plan digs at once"
        notes.append(f"{head}: {listed(options.id[loose].tolist())}")
    served, implied = _with_hosts(options, served)
    if len(implied):
        notes.append(f"committed since something that is let stands on them: {listed(options.id[implied].tolist())}")
    return served, notes


def _joined_from(trenches: Trenches, dug: Ints, places: tuple[Floats, Floats], stages: int) -> Ints:
    """Return the first stage 0.. in which frozen trenches join one of the two places (h, 2) [m] of each, or -1."""
    first = np.full(len(places[0]), -1, dtype=np.int64)
    if not len(first):
        return first
    tree = cKDTree(np.column_stack([trenches.node_x_m, trenches.node_y_m]))
    nodes = [tree.query(place)[1] for place in places]
    count = len(trenches.node_x_m)
    for t in range(stages, -1, -1):
        there = np.flatnonzero((dug >= EXISTING) & (dug <= t))
        ends = (trenches.from_node[there], trenches.to_node[there])
        graph = coo_array((np.ones(len(there)), ends), shape=(count, count))
        label = connected_components(graph, directed=False)[1]
        rooted = np.isin(label, label[trenches.roots])
        first[rooted[nodes[0]] | rooted[nodes[1]]] = t
    return first


def _with_hosts(options: _Options, served: Ints) -> tuple[Ints, Ints]:
    """Return ``served`` (n,) with no option before its host, and the hosts that had to be committed."""
    served, host = served.copy(), options.host
    implied: list[int] = []
    while True:
        bare = np.flatnonzero((served >= 1) & (host >= 0) & (served[host] == FREE))
        early = np.flatnonzero((served >= 0) & (host >= 0) & (served[host] > served))
        late = np.flatnonzero((served >= EXISTING) & (host >= 0) & (served[host] == FORBIDDEN))
        if not (len(bare) or len(early) or len(late)):
            return served, np.array(implied, dtype=np.int64)
        for option in bare.tolist():
            below = int(host[option])
            served[below] = served[option] if served[below] == FREE else min(served[below], served[option])
            implied.append(below)
        early = early[served[host[early]] > served[early]]
        served[early] = served[host[early]]
        served[late] = FORBIDDEN


def _prices(facts: Facts, option: Ints, served: Ints, years: Sequence[int]) -> Bools:
    """Return whether what is owed for each facility (k,) falls due in the year from which its option serves."""
    code = served[option]
    year = np.array(years, dtype=np.int64)[np.maximum(code, 1) - 1]
    return np.asarray((option >= 0) & facts.frozen & (code >= 1) & (year == facts.due))


def _with_codes(offers: Sequence[Offer], built: Ints) -> tuple[Offer, ...]:
    ends = np.cumsum([len(offer) for offer in offers])[:-1]
    return tuple(replace(offer, built=part) for offer, part in zip(offers, np.split(built, ends), strict=True))


def _with_costs(facilities: Facilities, facts: Facts, trenches: Trenches, trench: Ints, dug: Ints) -> Trenches:
    """Return ``trenches`` with the real lengths and costs of those that are frozen; of the let ones, what is owed."""
    rows = np.flatnonzero(facts.frozen & (trench >= 0))
    length, capex = trenches.length_m.copy(), trenches.capex.copy()
    real = facilities.length_m[rows]
    length[trench[rows]] = np.where(np.isfinite(real), real, length[trench[rows]])
    cents = np.where(facts.stands[rows], facts.cost[rows], facts.owed[rows])
    capex[trench[rows]] = cents / CENTS_PER_UNIT
    return replace(trenches, built=dug, length_m=length, capex=capex)
