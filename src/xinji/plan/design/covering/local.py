"""Local search on a choice of sites while a temperature falls (Kirkpatrick et al., Science 220, 1983).

Where all costs are the same, sites move one by one (``moves.py``). Otherwise a step takes one or two chosen
sites out and refills the budget, each draw with the probabilities of Boltzmann from all sites that share a
point with those that left, and from a pool of the sites that would gain most anywhere. What each site
would gain is kept exactly, so a step costs one pass over the points that the leaving sites alone cover.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, TypeAlias

import numpy as np

from xinji.core.arrays import Floats, Ints
from xinji.plan.design.covering.covers import Covers, Reach
from xinji.plan.design.covering.moves import Land, Seeds, draw, land_of, move, stand_of
from xinji.plan.design.covering.pdhg import Lists, Marks, lists_of
from xinji.plan.design.proof import Clock
from xinji.plan.jit import compiled

_PAIRS_PER_SECOND = 600_000_000
_BLOCKS = 256
_POOL = 64
_RENEW = 256
_FAR = 12.0
_HOT, _COLD, _COLD_HALF = 0.02, 0.002, 0.5
_TOUCH = 4
_SLACK = 1e-9
_TWO = 0.5
_MOVES = 64
_LEAST_S = 1e-3


Step: TypeAlias = Callable[[tuple[float, float, float], Ints, Seeds], tuple[float, float]]


class Field(NamedTuple):
    """An instance as the search reads it: lists by point and by site, weights (n,), costs (m,), the budget.

    ``price`` is the worth of a unit of budget in the search: 0 where all costs are the same.
    """

    lists: Lists
    reach: Lists
    weight: Floats
    cost: Floats
    budget: float
    price: float


class Choice(NamedTuple):
    """A choice of sites, kept up to date.

    ``gain`` (m,): weight that the site would add; ``times`` (n,): chosen sites that cover the
    point; ``member`` (m,): the chosen sites, first ones first; ``place`` (m,): where a site stands
    there, or -1; ``total``: sites chosen, weight covered and cost; ``common``, ``touched`` (m,) are
    room for a step; ``pool`` (pool,).
    """

    gain: Floats
    times: Marks
    member: Ints
    place: Ints
    total: Floats
    common: Floats
    touched: Ints
    pool: Ints


@dataclass(frozen=True, slots=True)
class Search:
    """When to stop: at the value ``bound``, after ``seconds``; ``seed`` and the worth of a unit of budget."""

    bound: float
    seconds: float
    seed: int
    price: float


class Ground(NamedTuple):
    """What the anneals of one instance share: its lists, and the sites near each other where all costs are the same."""

    covers: Covers
    reach: Reach
    budget: float
    land: Land | None


def ground_of(covers: Covers, reach: Reach, budget: float) -> Ground:
    """Return ``covers`` made ready for any number of anneals within ``budget``."""
    even = covers.sites == 0 or bool((covers.cost == covers.cost[0]).all())
    return Ground(covers, reach, budget, land_of(covers, reach) if even else None)


def improve(ground: Ground, sites: Ints, search: Search) -> Ints:
    """Return the best sites (rising) within the budget met in the colder half of an anneal that begins at ``sites``.

    They may cover less than ``sites``: whoever merges answers wants another one.
    """
    if not 0 < len(sites) < ground.covers.sites:
        return np.sort(sites)
    if ground.land is None:
        field = field_of(ground.covers, ground.reach, ground.budget, search.price)
        choice = choice_of(field, sites)
        return _anneal(partial(exchange, field, choice), choice.member, choice.total[1:2], search)
    stand = stand_of(ground.land, sites)
    return _anneal(partial(move, ground.land, stand), stand.member, stand.total, search)


def _anneal(step: Step, member: Ints, total: Floats, search: Search) -> Ints:
    """Return the best sites (rising) met in the colder half of an anneal of ``member``, worth ``total`` (1,)."""
    best, top, cold = member.copy(), np.inf, False
    begun = np.random.SeedSequence(search.seed).generate_state(1, np.uint64)[0] | np.uint64(1)
    state = np.array([begun, 0], dtype=np.uint64)
    limit, mean = max(search.seconds, _LEAST_S), float(total[0]) / int((member >= 0).sum())
    clock, planned, done, part = Clock(limit), _PAIRS_PER_SECOND * limit, 0.0, 0.0
    while part < 1.0 and max(float(total[0]), top if cold else 0.0) < search.bound * (1.0 - _SLACK):
        if part >= _COLD_HALF and not cold:
            best[:], top, cold = member, float(total[0]), True
        temperature = mean * _HOT * (_COLD / _HOT) ** part
        top, read = step((temperature, top, planned / _BLOCKS), best, state)
        done += read
        part = max(done / planned, clock.spent / limit)
    if not cold:
        best[:] = member
    return np.sort(best[best >= 0])


def field_of(covers: Covers, reach: Reach, budget: float, price: float = 0.0) -> Field:
    """Return ``covers`` as the search reads it."""
    by_site = Lists(reach.start.view(np.uint64), reach.point.view(np.uint32))
    return Field(lists_of(covers), by_site, covers.weight, covers.cost, budget * (1.0 + _SLACK), price)


def choice_of(field: Field, sites: Ints) -> Choice:
    """Return the choice of ``sites`` (any number of positions)."""
    points, count = len(field.weight), len(field.cost)
    choice = Choice(
        gain=np.zeros(count),
        times=np.zeros(points, dtype=np.uint32),
        member=np.full(count, -1, dtype=np.int64),
        place=np.full(count, -1, dtype=np.int64),
        total=np.zeros(3),
        common=np.zeros(count),
        touched=np.zeros(count, dtype=np.int64),
        pool=np.zeros(min(_POOL, count), dtype=np.int64),
    )
    _all_gains(field, choice.gain)
    for site in sites.tolist():
        put(field, choice, site)
    return choice


@compiled
def _all_gains(field: Field, gain: Floats) -> None:
    for i in range(len(field.weight)):
        for k in range(field.lists.start[i], field.lists.start[i + 1]):
            gain[field.lists.site[k]] += field.weight[i]


@compiled
def put(field: Field, choice: Choice, site: int) -> int:
    """Choose ``site``, not yet chosen; return the number of pairs read."""
    lists, reach, work = field.lists, field.reach, 0
    choice.total[1] += choice.gain[site]
    choice.total[2] += field.cost[site]
    for q in range(reach.start[site], reach.start[site + 1]):
        i = reach.site[q]
        if choice.times[i] == 0:
            for k in range(lists.start[i], lists.start[i + 1]):
                choice.gain[lists.site[k]] -= field.weight[i]
            work += lists.start[i + 1] - lists.start[i]
        choice.times[i] += 1
    last = np.int64(choice.total[0])
    choice.member[last], choice.place[site] = site, last
    choice.total[0] += 1
    return work


@compiled
def leave(field: Field, choice: Choice, site: int) -> int:
    """Take ``site`` out of the choice; return the number of pairs read."""
    lists, reach, work = field.lists, field.reach, 0
    for q in range(reach.start[site], reach.start[site + 1]):
        i = reach.site[q]
        choice.times[i] -= 1
        if choice.times[i] == 0:
            for k in range(lists.start[i], lists.start[i + 1]):
                choice.gain[lists.site[k]] += field.weight[i]
            work += lists.start[i + 1] - lists.start[i]
    choice.total[0] -= 1
    choice.total[1] -= choice.gain[site]
    choice.total[2] -= field.cost[site]
    last, hole = np.int64(choice.total[0]), choice.place[site]
    moved = choice.member[last]
    choice.member[hole], choice.place[moved] = moved, hole
    choice.member[last], choice.place[site] = -1, -1
    return work


@compiled
def _net(field: Field, choice: Choice, site: int) -> float:
    """Return the gain of ``site`` less what its cost is worth."""
    return float(choice.gain[site] - field.price * field.cost[site])


@compiled
def _renew_pool(field: Field, choice: Choice) -> None:
    """Fill the pool with the sites of most net gain."""
    pool, held, least = choice.pool, 0, 0.0
    size = len(pool)
    for j in range(len(choice.gain)):
        value = _net(field, choice, j)
        if choice.place[j] >= 0 or (held == size and value <= least):
            continue
        t = held if held < size else size - 1
        while t > 0 and _net(field, choice, int(pool[t - 1])) < value:
            pool[t] = pool[t - 1]
            t -= 1
        pool[t] = j
        held = min(held + 1, size)
        least = _net(field, choice, int(pool[held - 1]))
    for t in range(held, size):
        pool[t] = -1


@compiled
def _shared(field: Field, choice: Choice, site: int) -> tuple[int, int]:
    """Fill ``common`` with what each site shares of what ``site`` alone covers; return sites touched and pairs read."""
    lists, reach, work, held = field.lists, field.reach, 0, 0
    for q in range(reach.start[site], reach.start[site + 1]):
        i = reach.site[q]
        if choice.times[i] == 1 and field.weight[i] > 0.0:
            for k in range(lists.start[i], lists.start[i + 1]):
                j = lists.site[k]
                if choice.common[j] == 0.0:
                    choice.touched[held] = j
                    held += 1
                choice.common[j] += field.weight[i]
            work += lists.start[i + 1] - lists.start[i]
    return held, work


@compiled
def _pick(field: Field, choice: Choice, place: tuple[int, int, float], temperature: float, state: Seeds) -> int:
    """Draw a site that is not chosen: weights of Boltzmann over the touched and the pool; -1 for none.

    ``place``: a chosen site that may be drawn as well, or -1; number of sites touched; money left.
    """
    site, held, money = place
    best, drawn, total = -np.inf, -1, 0.0
    for turn in range(2):
        for t in range(held + len(choice.pool)):
            j = np.int64(choice.touched[t] if t < held else choice.pool[t - held])
            if j < 0 or (choice.place[j] >= 0 and j != site) or (t >= held and choice.common[j] != 0.0):
                continue
            value = _net(field, choice, int(j)) + choice.common[j]
            if field.cost[j] > money:
                continue
            if turn == 0:
                best = max(best, value)
            elif value >= best - _FAR * temperature:
                chance = np.exp((value - best) / temperature)
                total += chance
                if draw(state) * total < chance:
                    drawn = int(j)
    return drawn


@compiled
def _clear(choice: Choice, held: int) -> None:
    for t in range(held):
        choice.common[choice.touched[t]] = 0.0


@compiled
def exchange(
    field: Field, choice: Choice, goal: tuple[float, float, float], best: Ints, state: Seeds
) -> tuple[float, float]:
    """Take one or two sites out and refill the budget, again and again; return the best value known and the pairs read.

    ``goal``: temperature, the best value known, the pairs to read. ``best`` (m,) receives every better choice, -1
    behind it. A step that loses net worth stays with the probability of Metropolis.
    """
    temperature, top, enough = goal
    done, turn = 0.0, 0
    out, new = np.full(2, -1, dtype=np.int64), np.full(_MOVES, -1, dtype=np.int64)
    while done < enough:
        if turn % _RENEW == 0:
            _renew_pool(field, choice)
            done += len(choice.gain)
        turn += 1
        before = choice.total[1] - field.price * choice.total[2]
        removed, held, read = _take_out(field, choice, out, state)
        added, read_too = _refill(field, choice, (held, temperature), new, state)
        done += read + read_too
        loss = before - (choice.total[1] - field.price * choice.total[2])
        if choice.total[1] > top:
            top = choice.total[1]
            best[:] = choice.member
        elif loss > 0.0 and draw(state) >= np.exp(-loss / temperature):
            for t in range(added):
                done += leave(field, choice, new[t])
            for t in range(removed):
                done += put(field, choice, out[t])
    return top, done


@compiled
def _take_out(field: Field, choice: Choice, out: Ints, state: Seeds) -> tuple[int, int, float]:
    """Take one or two chosen sites out, the second near the first; return them, the sites touched, pairs read."""
    out[0] = choice.member[np.int64(draw(state) * choice.total[0])]
    held, read = _shared(field, choice, out[0])
    _clear(choice, held)
    work = float(read + leave(field, choice, out[0]))
    removed = 1
    if choice.total[0] > 0 and draw(state) < _TWO:
        near, seen = int(choice.member[np.int64(draw(state) * choice.total[0])]), 0
        for t in range(held):
            if choice.place[choice.touched[t]] >= 0:
                seen += 1
                if draw(state) * seen < 1.0:
                    near = int(choice.touched[t])
        out[1] = near
        work += leave(field, choice, near)
        choice.touched[held] = near
        held += held < len(choice.touched) - 1
        removed = 2
    return removed, held, work


@compiled
def _refill(field: Field, choice: Choice, draw: tuple[int, float], new: Ints, state: Seeds) -> tuple[int, float]:
    """Put in sites while one that gains is affordable; return their number, filled into ``new``, and pairs read."""
    added, work = 0, 0.0
    while added < len(new):
        work += _TOUCH * (draw[0] + len(choice.pool))
        money = field.budget - choice.total[2]
        site = _pick(field, choice, (-1, draw[0], money), draw[1], state)
        if site < 0 or choice.gain[site] <= 0.0:
            break
        work += put(field, choice, site)
        new[added] = site
        added += 1
    return added, work
