"""The linear relaxation of maximal covering by a restarted primal-dual hybrid gradient method.

Maximise over shares x of sites, within the budget, the least over prices u in [0, w] of
``sum of w - u + u (A x)``: a saddle point whose prices prove a bound, whatever they are
(``certificate.py``). The step is that of Chambolle and Pock (J. Math. Imaging Vis. 40, 2011) with
the diagonal scaling of Pock and Chambolle (ICCV 2011); it is reflected and drawn towards the start
of the period (Halpern), and restarted when the distance travelled by one step has fallen enough:
Lu and Yang, arXiv:2407.16144, and Applegate et al., arXiv:2105.12715. Only the certificate needs
float64, so the sweeps run in float32 and read the cover lists once a round.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from xinji.core.arrays import Floats, Ints
from xinji.plan.design.covering.covers import Covers
from xinji.plan.design.proof import Clock
from xinji.plan.jit import compiled, vectorised

Singles: TypeAlias = NDArray[np.float32]
Marks: TypeAlias = NDArray[np.uint32]

_LOOK = 20
_BALANCE = 0.1
_FALL, _ENOUGH, _LONG = 0.2, 0.8, 0.36
_CLOSE = 1e-7
_NEWTON = 60
_TINY = 1e-30


class Lists(NamedTuple):
    """Cover lists as the sweeps read them: unsigned, so that no index is looked at for its sign."""

    start: Ints
    site: Marks


@dataclass(frozen=True, slots=True, eq=False)
class Relaxed:
    """The relaxation's answer, as near as the rounds allowed.

    ``price`` (n,) within [0, weight] proves ``bound``; ``share`` (m,) in [0, 1] keeps the budget and
    is worth ``value`` in the relaxation, so the relaxation's optimum lies between the two.
    ``gain`` (m,) is the price of the points that a site covers, ``budget_price`` what one more
    unit of budget is worth; ``balance`` is the ratio of the steps at the end.
    """

    price: Floats
    share: Floats
    gain: Floats
    bound: float
    value: float
    budget_price: float
    rounds: int
    balance: float


class Begin(NamedTuple):
    """Where to begin: prices (n,), shares (m,) within the budget and the ratio of the steps."""

    price: Floats
    share: Floats
    balance: float


@dataclass(slots=True, eq=False)
class _State:
    """Where the method stands; ``u`` may leave [0, w] between looks, ``kept`` never does."""

    x: Floats
    u: Singles
    gain: Singles
    x_first: Floats
    u_first: Singles
    kept: Singles
    budget_price: float = 0.0
    balance: float = _BALANCE
    since: int = 0
    travelled: float = 0.0
    begun: float = 0.0


def lists_of(covers: Covers) -> Lists:
    """Return the cover lists for the sweeps, without a copy."""
    return Lists(covers.start.view(np.uint64), covers.site.view(np.uint32))


def relax(
    covers: Covers, budget: float, *, seconds: float, gap: float, rounds: int, first: Begin | None = None
) -> Relaxed:
    """Return the relaxation of choosing sites within ``budget``, until ``gap`` (relative), ``rounds`` or ``seconds``.

    ``first`` is where to begin: even shares and half the weights without it.
    """
    clock, scale, lists = Clock(seconds), _scale(covers), lists_of(covers)
    state = _begin(covers, scale, budget, first)
    best = look(lists, covers, budget, state.kept, state.x)
    done = 0
    while done < rounds and best.bound > best.value * (1.0 + gap) and (clock.left > 0.0 or not done):
        for _ in range(_LOOK):
            shares = _round(lists, scale, budget, state)
        done += _LOOK
        seen = look(lists, covers, budget, state.kept, shares)
        best = _better(best, seen)
        _maybe_restart(scale, state, shares, seen, done)
    return Relaxed(best.price, best.share, best.gain, best.bound, best.value, best.budget_price, done, state.balance)


class Look(NamedTuple):
    """What a pair of prices and shares is worth, in float64."""

    price: Floats
    share: Floats
    gain: Floats
    bound: float
    value: float
    budget_price: float


class _Scale(NamedTuple):
    """Steps: of shares (m,) and of prices (n,) at balance 1; limits of prices (n,); costs (m,); ones (n,)."""

    share: Floats
    price: Singles
    weight: Singles
    cost: Floats
    goal: Singles


def look(lists: Lists, covers: Covers, budget: float, price: Singles, share: Floats) -> Look:
    """Return the bound that ``price`` (n,) proves and the relaxed value of ``share`` (m,)."""
    prices = np.minimum(price.astype(np.float64), covers.weight)
    gain = np.zeros(covers.sites)
    value = weigh(lists, covers.weight, share, prices, gain)
    most, budget_price = knapsack(gain, covers.cost, budget)
    return Look(prices, share, gain, float((covers.weight - prices).sum()) + most, value, budget_price)


def knapsack(gain: Floats, cost: Floats, budget: float) -> tuple[float, float]:
    """Return the most gain (m,) that shares of sites within ``budget`` bring, and the gain of one unit more."""
    free = cost <= 0.0
    total = float(gain[free].sum())
    paid = np.flatnonzero(~free & (gain > 0.0))
    order = paid[np.argsort(-gain[paid] / cost[paid], kind="stable")]
    spent = np.cumsum(cost[order])
    full = int(np.searchsorted(spent, budget, side="right"))
    total += float(gain[order[:full]].sum())
    if full == len(order):
        return total, 0.0
    left = budget - (float(spent[full - 1]) if full else 0.0)
    ratio = float(gain[order[full]] / cost[order[full]])
    return total + left * ratio, ratio


def _better(best: Look, seen: Look) -> Look:
    """Return the better bound with its prices, and the better shares with their value."""
    if seen.bound < best.bound:
        best = best._replace(price=seen.price, gain=seen.gain, bound=seen.bound, budget_price=seen.budget_price)
    if seen.value > best.value:
        best = best._replace(share=seen.share, value=seen.value)
    return best


def _scale(covers: Covers) -> _Scale:
    length = np.diff(covers.start)
    weight = covers.weight.astype(np.float32)
    column = np.zeros(covers.sites)
    add_prices(lists_of(covers), covers.weight, column)
    share = np.where(column > 0.0, 1.0 / np.maximum(column, _TINY), 0.0)
    step = (weight / np.maximum(length, 1)).astype(np.float32)
    return _Scale(share, step, weight, covers.cost, np.ones(covers.points, dtype=np.float32))


def _begin(covers: Covers, scale: _Scale, budget: float, first: Begin | None) -> _State:
    """Return a state at ``first``, or at even shares and half the weights.

    A site that covers no weight never moves, so it begins at 0.
    """
    even = min(budget / max(float(covers.cost.sum()), _TINY), 1.0)
    start, begun = (covers.weight * 0.5, np.where(covers.cost > 0.0, even, 1.0)) if first is None else first[:2]
    shares = np.where(scale.share > 0.0, begun, 0.0)
    price = np.where(np.diff(covers.start) > 0, start, covers.weight).astype(np.float32)
    gain = np.zeros(covers.sites, dtype=np.float32)
    add_prices(lists_of(covers), price, gain)
    balance = _BALANCE if first is None else first.balance
    return _State(shares, price, gain, shares.copy(), price.copy(), price.copy(), balance=balance)


def _round(lists: Lists, scale: _Scale, budget: float, state: _State) -> Floats:
    """Take one step; return the shares (m,) that it proposes."""
    step = scale.share * state.balance
    shares = np.empty_like(state.x)
    target = state.x + step * state.gain
    state.budget_price = project(target, step * scale.cost, scale.cost, budget, state.budget_price, shares)
    forward = (2.0 * shares - state.x).astype(np.float32)
    weight = (state.since + 1.0) / (state.since + 2.0)
    moves = np.array([2.0 * weight, -weight, 1.0 - weight, 1.0 / state.balance], dtype=np.float32)
    prices = (state.u, state.u_first, state.kept, scale.weight, scale.price, scale.goal)
    square = sweep(lists, forward, moves, prices, state.gain)
    moved = shares - state.x
    state.travelled = float(np.sqrt(square + (moved * moved / np.maximum(step, _TINY)).sum()))
    state.x = weight * (2.0 * shares - state.x) + (1.0 - weight) * state.x_first
    state.since += 1
    return shares


def _maybe_restart(scale: _Scale, state: _State, shares: Floats, seen: Look, done: int) -> None:
    """Begin a new period at the last step, if the steps have shortened enough or the period is long."""
    begun, state.begun = state.begun, state.begun or state.travelled
    short = state.travelled < _FALL * begun or state.since > _LONG * done
    if not begun or not short:
        return
    share_way = np.sqrt(((shares - state.x_first) ** 2 / np.maximum(scale.share, _TINY)).sum())
    price_way = np.sqrt(((state.kept - state.u_first) ** 2 / np.maximum(scale.price, _TINY)).sum(dtype=np.float64))
    if min(share_way, price_way) > _CLOSE:
        state.balance = float(np.sqrt(state.balance * share_way / price_way))
    state.x, state.x_first = shares.copy(), shares.copy()
    state.u[:], state.u_first[:] = state.kept, state.kept
    state.gain[:] = seen.gain
    state.since, state.begun = 0, 0.0


@compiled
def sweep(
    lists: Lists,
    forward: Singles,
    moves: Singles,
    prices: tuple[Singles, Singles, Singles, Singles, Singles, Singles],
    gain: Singles,
) -> float:
    """Step the prices against the shares ``forward`` (m,) and refill ``gain`` (m,) with what sites then cover.

    ``prices``: those to move, the period's first, the step's own (filled), their limits, their step
    lengths and the covers at which they rest (1), each (n,). ``moves``: weights of the step, of the
    old and of the first price, and the step's factor. Returns the squared length of the move, scaled.
    """
    price, first, kept, limit, length, goal = prices
    zero, square = np.float32(0.0), 0.0
    gain[:] = zero
    for i in range(len(price)):
        low, high = lists.start[i], lists.start[i + 1]
        met, met_too = zero, zero
        k = low
        while k + np.uint64(1) < high:
            met += forward[lists.site[k]]
            met_too += forward[lists.site[k + np.uint64(1)]]
            k += np.uint64(2)
        if k < high:
            met += forward[lists.site[k]]
        step = length[i] * moves[3]
        old = price[i]
        new = min(max(old + step * (goal[i] - (met + met_too)), zero), limit[i])
        kept[i] = new
        if step > zero:
            square += (new - old) * (new - old) / step
        now = moves[0] * new + moves[1] * old + moves[2] * first[i]
        price[i] = now
        if now != zero:
            for k in range(low, high):
                gain[lists.site[k]] += now
    return square


@compiled
def add_prices(lists: Lists, price: Floats | Singles, gain: Floats | Singles) -> None:
    """Add to ``gain`` (m,) the ``price`` (n,) of the points that each site covers."""
    for i in range(len(price)):
        for k in range(lists.start[i], lists.start[i + 1]):
            gain[lists.site[k]] += price[i]


@compiled
def weigh(lists: Lists, weight: Floats, share: Floats, price: Floats, gain: Floats) -> float:
    """Return the relaxed value of ``share`` (m,); add to ``gain`` (m,) the ``price`` (n,) of what sites cover."""
    value = 0.0
    for i in range(len(weight)):
        met = 0.0
        for k in range(lists.start[i], lists.start[i + 1]):
            met += share[lists.site[k]]
            gain[lists.site[k]] += price[i]
        value += weight[i] * min(met, 1.0)
    return value


@vectorised
def project(target: Floats, step: Floats, cost: Floats, budget: float, guess: float, shares: Floats) -> float:
    """Fill ``shares`` with the point of [0, 1] within ``budget`` nearest to ``target`` (all (m,)); return its price.

    Nearest in the norm that divides by the step lengths; ``step`` is each of them times the cost.
    """
    low, high, price = 0.0, -1.0, guess
    for _ in range(_NEWTON):
        spent, slope = -budget, 0.0
        for j in range(len(target)):
            place = target[j] - price * step[j]
            spent += cost[j] * min(max(place, 0.0), 1.0)
            slope += cost[j] * step[j] if 0.0 < place < 1.0 else 0.0
        if abs(spent) <= _CLOSE * budget or (spent < 0.0 and price <= 0.0):
            break
        if spent > 0.0:
            low = price
        else:
            high = price
        price += spent / slope if slope > 0.0 else 0.0
        if price <= low or (high >= 0.0 and price >= high):
            price = 0.5 * (low + high) if high >= 0.0 else 2.0 * low + _CLOSE
    for j in range(len(target)):
        shares[j] = min(max(target[j] - price * step[j], 0.0), 1.0)
    return price
