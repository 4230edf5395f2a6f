"""Sites kept whole in the relaxation: a host with all that it hosts, solved exactly over whole options.

A block is a host that serves nothing itself and a few options on it that host nothing. Rows that the
block's options serve are its lines. In one stage, with the set S of options standing, a line is served
at most once, and one resource of the options is kept: what lines take of it is a polymatroid (by Hall's
condition the lines that only U within S can serve take no more than U offers), so that serving lines in
order of worth per amount is best (Edmonds 1970). A line is paid by the best of its arcs on S, so a block is
never worth less than what it stands for, whatever the other prices; nor is it worth more than its arcs
gain one by one. Stages are tied by dynamic
programming over S, which only grows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xinji.core.arrays import Bools, Floats, Ints
from xinji.core.offer import EXISTING, FREE
from xinji.core.problem import Problem
from xinji.plan.choose.index import SERVERS, Index
from xinji.plan.jit import compiled

LARGEST = 5
"""Options of a block at most: its sets are 2 to the power of their number."""


class Blocks(NamedTuple):
    """Blocks (b) and their lines (l), arcs (q) and sets.

    ``host`` (b,); ``child`` from ``child_start`` (b + 1,) on, child i being bit i of a set; ``resource``
    (b,) is the one kept. ``row`` (l,) of the lines from ``line_start`` (b + 1,) on; ``mask`` (l,) the set
    that can serve it; arcs of a line from ``arc_start`` (l + 1,) on, with their place in the Index ``arc``
    and bit ``bit``. ``limit`` from ``limit_start`` (l,) on is what a set can serve of a line, by set.
    ``table`` (b + 1,) is where a block's sets begin in an array over the sets of all blocks.
    ``inside`` (n,) marks the options that are some block's children.
    """

    host: Ints
    child_start: Ints
    child: Ints
    resource: Ints
    line_start: Ints
    row: Ints
    mask: Ints
    arc_start: Ints
    arc: Ints
    bit: Ints
    limit_start: Ints
    limit: Floats
    table: Ints
    inside: Bools


def blocks_of(problem: Problem, index: Index) -> Blocks:
    """Return the blocks of ``problem`` whose arcs ``index`` holds."""
    return _blocks(problem, index, *block_hosts(problem))


def no_blocks(problem: Problem, index: Index) -> Blocks:
    """Return blocks that keep nothing whole."""
    none = np.zeros(0, dtype=np.int64)
    return _blocks(problem, index, none, none)


def needless(problem: Problem, index: Index, blocks: Blocks) -> tuple[Bools, Bools]:
    """Return the capacities (n, resources) and pairs (p,) that blocks keep without a price."""
    capacity = np.zeros(problem.capacity.shape, dtype=bool)
    capacity[blocks.child, np.repeat(blocks.resource, np.diff(blocks.child_start))] = True
    option, pairs = np.repeat(np.arange(len(index.start) - 1), np.diff(index.start)), len(index.pair_row)
    inner = index.pair[blocks.inside[option], 2]
    within = np.bincount(inner[inner >= 0], minlength=pairs)
    everywhere = np.bincount(index.pair[index.pair >= 0], minlength=pairs)
    return capacity, np.asarray((within > 0) & (within == everywhere))


def _blocks(problem: Problem, index: Index, host: Ints, resource: Ints) -> Blocks:
    n = len(problem.option_id)
    child = np.flatnonzero((problem.host >= 0) & np.isin(problem.host, host))
    child = child[np.argsort(problem.host[child], kind="stable")]
    inside = np.zeros(n, dtype=bool)
    inside[child] = True
    child_start = np.searchsorted(problem.host[child], np.append(host, n)).astype(np.int64)
    place = np.searchsorted(host, problem.host)
    bit = np.zeros(n, dtype=np.int64)
    bit[child] = np.arange(len(child)) - child_start[place[child]]
    option = np.repeat(np.arange(n), np.diff(index.start))
    arc = np.flatnonzero(inside[option])
    block = place[option[arc]]
    order = np.lexsort((bit[option[arc]], index.row[arc], block))
    arc, block = arc[order], block[order]
    key = block * max(len(problem.value), 1) + index.row[arc]
    first = np.flatnonzero(np.diff(key, prepend=-1))
    arc_bit = bit[option[arc]]
    sets = 1 << np.diff(child_start)
    line_block = block[first]
    width = sets[line_block]
    limit_start = np.cumsum(width) - width
    arc_start = np.append(first, len(arc)).astype(np.int64)
    mask = np.bitwise_or.reduceat(1 << arc_bit, first) if len(first) else np.zeros(0, dtype=np.int64)
    return Blocks(
        host=host.astype(np.int64),
        child_start=child_start,
        child=child.astype(np.int64),
        resource=resource.astype(np.int64),
        line_start=np.searchsorted(line_block, np.arange(len(host) + 1)).astype(np.int64),
        row=index.row[arc[first]],
        mask=mask.astype(np.int64),
        arc_start=arc_start,
        arc=arc.astype(np.int64),
        bit=arc_bit,
        limit_start=limit_start.astype(np.int64),
        limit=_limits(arc_start, arc_bit, index.share[arc], limit_start, width),
        table=np.append(0, np.cumsum(sets)).astype(np.int64),
        inside=inside,
    )


def block_hosts(problem: Problem) -> tuple[Ints, Ints]:
    """Return the hosts (b,) that blocks keep whole, and the resource (b,) that each keeps: the scarcer one."""
    n = len(problem.option_id)
    children = np.bincount(problem.host[problem.host >= 0], minlength=n)
    grand = np.zeros(n, dtype=bool)
    grand[problem.host[(problem.host >= 0) & (children > 0)]] = True
    serves = np.bincount(problem.arc_option, minlength=n) > 0
    busy = np.zeros(n, dtype=bool)
    busy[problem.host[serves & (problem.host >= 0)]] = True
    host = np.flatnonzero((children > 0) & (children <= LARGEST) & ~grand & ~serves & busy)
    served = np.unique(np.column_stack([problem.host[problem.arc_option], problem.arc_row]), axis=0)
    served = served[served[:, 0] >= 0]
    kept = [k for k in range(problem.capacity.shape[1]) if k != SERVERS]
    need = np.zeros((n, len(kept)))
    np.add.at(need, served[:, 0], problem.amount[served[:, 1], -1][:, kept])
    offer = np.zeros((n, len(kept)))
    on = np.flatnonzero(problem.host >= 0)
    np.add.at(offer, problem.host[on], problem.capacity[on][:, kept])
    scarce = (need / np.maximum(offer, 1e-9))[host].argmax(axis=1)
    return host, np.array(kept)[scarce]


def line_needs(problem: Problem, blocks: Blocks) -> Floats:
    """Return what each line takes of the resource that its block keeps (T, l)."""
    kept = np.repeat(blocks.resource, np.diff(blocks.line_start))
    return np.ascontiguousarray(problem.amount[blocks.row, :, kept].T)


@compiled
def _limits(arc_start: Ints, bit: Ints, share: Floats, limit_start: Ints, width: Ints) -> Floats:
    """Return what each set can serve of each line."""
    limit = np.zeros(width.sum())
    for line in range(len(limit_start)):
        for chosen in range(width[line]):
            total = 0.0
            for q in range(arc_start[line], arc_start[line + 1]):
                if chosen >> bit[q] & 1:
                    total += share[q]
            limit[limit_start[line] + chosen] = min(total, 1.0)
    return limit


class Terms(NamedTuple):
    """What blocks stand for at given prices.

    ``built`` (n,) is that of the Problem; ``standing`` (n, T) what an option gains by standing in a stage, its
    running cost taken off and its arcs apart; ``cost`` (n, T) what building it costs; ``need`` (T, l) what the
    lines take of the resource kept; ``profit`` (a, T) what an arc gains by serving its whole row, ``alone`` (n, T)
    what an option's arcs gain if nothing else limits them.
    """

    built: Ints
    standing: Floats
    cost: Floats
    need: Floats
    profit: Floats
    alone: Floats


class _Bench(NamedTuple):
    """Room to work in, for the lines of one block in one stage.

    ``worth`` (sets, lines) is a line's best on each set. In the order of service on one set: ``order`` (lines,)
    the lines, ``density`` their worth per amount, ``share`` what is served of them; ``first`` holds the order
    on the whole block. ``offer`` and ``room`` (sets,) are what sets offer and what is left of it.
    """

    worth: Floats
    order: Ints
    density: Floats
    first: Ints
    share: Floats
    offer: Floats
    room: Floats


@compiled
def _bench(blocks: Blocks) -> _Bench:
    """Return room for the largest block."""
    lines = 1
    for b in range(len(blocks.host)):
        lines = max(lines, blocks.line_start[b + 1] - blocks.line_start[b])
    order, plain, sets = np.zeros(lines, dtype=np.int64), np.zeros(lines), np.zeros(1 << LARGEST)
    return _Bench(np.zeros((len(sets), lines)), order, plain, order.copy(), plain.copy(), sets, sets.copy())


@compiled
def _offers(blocks: Blocks, index: Index, b: int, offer: Floats) -> None:
    """Fill ``offer`` by set with what the options in it offer of the block's resource."""
    k, low = blocks.resource[b], blocks.child_start[b]
    offer[0] = 0.0
    for i in range(blocks.child_start[b + 1] - low):
        child = blocks.child[low + i]
        own = index.capacity[child, k] if index.limited[child, k] else np.inf
        for less in range(1 << i):
            offer[less | 1 << i] = offer[less] + own


@compiled
def _worths(blocks: Blocks, profit: Floats, b: int, t: int, worth: Floats) -> None:
    """Fill ``worth`` (sets, lines) with the best profit of a line's arcs on each set, at least 0."""
    low, high = blocks.line_start[b], blocks.line_start[b + 1]
    children = blocks.child_start[b + 1] - blocks.child_start[b]
    worth[: 1 << children, : high - low] = 0.0
    for line in range(low, high):
        for q in range(blocks.arc_start[line], blocks.arc_start[line + 1]):
            alone = 1 << blocks.bit[q]
            worth[alone, line - low] = max(worth[alone, line - low], profit[blocks.arc[q], t])
    for i in range(children):
        for less in range(1, 1 << i):
            for line in range(high - low):
                worth[less | 1 << i, line] = max(worth[less, line], worth[1 << i, line])


@compiled
def _sort(worth: Floats, need: Floats, first: Ints, bench: _Bench) -> int:
    """Put the lines of some ``worth`` in order of falling density, quickly where ``first`` is nearly that order."""
    count = 0
    for line in first:
        if worth[line] > 0.0:
            density = worth[line] / need[line] if need[line] > 0.0 else np.inf
            place = count
            while place > 0 and bench.density[place - 1] < density:
                bench.density[place], bench.order[place] = bench.density[place - 1], bench.order[place - 1]
                place -= 1
            bench.density[place], bench.order[place] = density, line
            count += 1
    return count


@compiled
def _take(room: Floats, own: int, rest: int, most: float) -> float:
    """Take up to ``most`` of what the set ``own`` offers, within the ``room`` of it with any of ``rest``."""
    extra = rest
    while True:
        most = min(most, room[own | extra])
        if extra == 0:
            break
        extra = (extra - 1) & rest
    if most <= 0.0:
        return 0.0
    extra = rest
    while True:
        room[own | extra] -= most
        if extra == 0:
            break
        extra = (extra - 1) & rest
    return most


@compiled
def _serve(blocks: Blocks, need: Floats, at: tuple[int, int, int], bench: _Bench) -> float:
    """Return the worth of a set in a stage and fill ``bench.share``; ``at`` is (block, set, lines in order)."""
    b, chosen, count = at
    low, total = blocks.line_start[b], 0.0
    worth, room = bench.worth[chosen], bench.room
    room[:] = bench.offer
    for place in range(count):
        line = bench.order[place]
        part = blocks.limit[blocks.limit_start[low + line] + chosen]
        if need[line] > 0.0:
            own = blocks.mask[low + line] & chosen
            part = _take(room, own, chosen & ~own, part * need[line]) / need[line]
        bench.share[place] = part
        total += part * worth[line]
    return total


@compiled
def _serving(blocks: Blocks, terms: Terms, b: int, bench: _Bench, value: Floats) -> None:
    """Fill ``value`` (sets, T) with what each set of block ``b`` gains by serving."""
    low, high = blocks.line_start[b], blocks.line_start[b + 1]
    whole, child = len(value) - 1, blocks.child[blocks.child_start[b] : blocks.child_start[b + 1]]
    for t in range(value.shape[1]):
        need = terms.need[t, low:high]
        _worths(blocks, terms.profit, b, t, bench.worth)
        first = np.arange(high - low)
        for chosen in range(whole, 0, -1):
            count = _sort(bench.worth[chosen], need, first, bench)
            if chosen == whole:
                bench.first[:count] = bench.order[:count]
                first = bench.first[:count]
            value[chosen, t] = _serve(blocks, need, (b, chosen, count), bench)
            most = 0.0
            for i in range(len(child)):
                most += terms.alone[child[i], t] if chosen >> i & 1 else 0.0
            value[chosen, t] = min(value[chosen, t], most)


@compiled
def _allowed(built: Ints, stage: int) -> tuple[int, int]:
    """Return the set that must stand in a stage, and the set that may."""
    must, may = 0, 0
    for i in range(len(built)):
        if built[i] == FREE:
            may |= 1 << i
        elif built[i] >= EXISTING and built[i] <= stage:
            must |= 1 << i
    return must, may | must


@compiled
def _building(cost: Floats, new: int, t: int) -> float:
    """Return what building the set ``new`` costs in stage index ``t``; ``cost`` (children, T)."""
    total = 0.0
    for i in range(len(cost)):
        if new >> i & 1:
            total += cost[i, t]
    return total


@compiled
def _ahead(value: Floats, built: Ints, cost: Floats) -> tuple[Floats, Ints]:
    """Return the worth of each set (sets, T) from a stage on, and the set of the next stage."""
    sets, stages = value.shape
    best, follow = np.full((sets, stages), -np.inf), np.zeros((sets, stages), dtype=np.int64)
    for t in range(stages - 1, -1, -1):
        must, may = _allowed(built, t + 1)
        for now in range(sets):
            if now & must != must or now & ~may:
                continue
            best[now, t] = value[now, t]
            if t + 1 < stages:
                top = -np.inf
                for then in range(sets):
                    if then & now == now and best[then, t + 1] > -np.inf:
                        worth = best[then, t + 1] - _building(cost, then & ~now, t + 1)
                        if worth > top:
                            top, follow[now, t] = worth, then
                best[now, t] += top
    return best, follow


@compiled
def _enter(best: Floats, built: Ints, cost: Floats, stage: int) -> tuple[float, int]:
    """Return the worth of a block whose host stands from ``stage`` 0..T on, and its first set."""
    t = max(stage - 1, 0)
    free, _ = _allowed(built, 0)
    top, first = -np.inf, 0
    for now in range(len(best)):
        if best[now, t] > -np.inf:
            worth = best[now, t] - _building(cost, now & ~free if stage == 0 else now, t)
            if worth > top:
                top, first = worth, now
    return top, first


@compiled
def block_gains(blocks: Blocks, index: Index, terms: Terms) -> tuple[Floats, Floats]:
    """Return what each block adds by the stage 0..T of its host (b, T + 1), and what each set does in each stage.

    The latter (sets, T) is net of what running the set costs.
    """
    stages, bench = terms.profit.shape[1], _bench(blocks)
    gain, table = np.zeros((len(blocks.host), stages + 1)), np.zeros((blocks.table[-1], stages))
    for b in range(len(blocks.host)):
        child = blocks.child[blocks.child_start[b] : blocks.child_start[b + 1]]
        value = table[blocks.table[b] : blocks.table[b + 1]]
        _offers(blocks, index, b, bench.offer)
        _serving(blocks, terms, b, bench, value)
        for now in range(len(value)):
            for i in range(len(child)):
                if now >> i & 1:
                    value[now] += terms.standing[child[i]]
        built, cost = terms.built[child], terms.cost[child]
        best, _ = _ahead(value, built, cost)
        for stage in range(stages + 1):
            gain[b, stage], _ = _enter(best, built, cost, stage)
    return gain, table


@compiled
def _best_arc(blocks: Blocks, profit: Floats, line: int, at: tuple[int, int]) -> int:
    """Return the arc of ``line`` that gains most; ``at`` is (stage index, set)."""
    t, chosen = at
    best, place = 0.0, -1
    for q in range(blocks.arc_start[line], blocks.arc_start[line + 1]):
        if chosen >> blocks.bit[q] & 1 and profit[blocks.arc[q], t] > best:
            best, place = profit[blocks.arc[q], t], blocks.arc[q]
    return place


@compiled
def _schedule(blocks: Blocks, terms: Terms, table: Floats, b: int, chosen: Ints) -> Ints:
    """Fill the stages ``chosen`` (n,) of the children of block ``b``; return the set of each stage (T,)."""
    child = blocks.child[blocks.child_start[b] : blocks.child_start[b + 1]]
    built, cost = terms.built[child], terms.cost[child]
    stand = np.zeros(table.shape[1], dtype=np.int64)
    begin = chosen[blocks.host[b]]
    chosen[child] = -1
    if begin < 0:
        return stand
    best, follow = _ahead(table[blocks.table[b] : blocks.table[b + 1]], built, cost)
    _, now = _enter(best, built, cost, begin)
    for t in range(max(begin - 1, 0), table.shape[1]):
        for i in range(len(child)):
            if now >> i & 1 and chosen[child[i]] < 0:
                chosen[child[i]] = t + 1 if built[i] != EXISTING else EXISTING
        stand[t] = now
        now = follow[now, t]
    return stand


@compiled
def block_choice(blocks: Blocks, index: Index, terms: Terms, table: Floats, chosen: Ints, served: Floats) -> None:
    """Fill the stages ``chosen`` (n,) of blocks' children and what their arcs serve (a, T).

    ``table`` is that of ``block_gains``; the hosts' stages are in ``chosen`` already.
    """
    bench = _bench(blocks)
    for b in range(len(blocks.host)):
        stand = _schedule(blocks, terms, table, b, chosen)
        low, high = blocks.line_start[b], blocks.line_start[b + 1]
        for q in range(blocks.arc_start[low], blocks.arc_start[high]):
            served[blocks.arc[q]] = 0.0
        _offers(blocks, index, b, bench.offer)
        for t in range(len(stand)):
            now = stand[t]
            if now > 0:
                need = terms.need[t, low:high]
                _worths(blocks, terms.profit, b, t, bench.worth)
                count = _sort(bench.worth[now], need, np.arange(high - low), bench)
                _serve(blocks, need, (b, now, count), bench)
                for place in range(count):
                    arc = _best_arc(blocks, terms.profit, low + bench.order[place], (t, now))
                    served[arc, t] = bench.share[place]
