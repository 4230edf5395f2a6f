"""Where to open facilities and whom they serve, over one or more stages, as arrays.

For fixed open facilities the serving cost of a stage is a transportation problem. With a price on
each customer's demand (Lagrangian relaxation of the rows that serve everyone, Geoffrion 1974;
Beasley, EJOR 33, 1988) the facilities fall apart into knapsack problems, and the prices give a
function of the open facilities that no serving cost falls below: a cut, and with it a bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from xinji.core.arrays import Floats, freeze
from xinji.plan.design.facility.transport import Served, transport
from xinji.plan.jit import compiled

_SHUT = 1e-9
_SPARE = 1.2


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """Choose ``y`` (T, m), open or not by stage: minimise the charges and the serving costs of all stages.

    ``cost`` (T, m, n) is what serving all of a customer's demand from a facility costs, ``spare``
    (T, n) what leaving it unserved costs (infinite: not allowed). ``capacity`` (T, m) is cut at the
    stage's demand. Each row of ``rows`` (r, T * m) keeps y between ``least`` and ``most`` (r,).
    """

    cost: Floats
    demand: Floats
    capacity: Floats
    spare: Floats
    charge: Floats
    rows: csr_array
    least: Floats
    most: Floats

    def __post_init__(self) -> None:
        freeze(self.cost, self.demand, self.capacity, self.spare, self.charge, self.least, self.most)

    @property
    def stages(self) -> int:
        """Number of stages T."""
        return len(self.cost)

    @property
    def shape(self) -> tuple[int, int]:
        """Stages and facilities (T, m)."""
        return len(self.cost), self.capacity.shape[1]


def inside(program: Program) -> Floats:
    """Return a y (T, m) at which all facilities, open in part alike, can serve every stage."""
    load = program.rows @ np.ones(program.charge.size)
    asked = np.where(program.least > 0.0, program.least / np.where(load > 0.0, load, 1.0), 0.0)
    return np.full(program.shape, min(1.0, _SPARE * max(float(asked.max()), 1.0 / program.charge.size)))


class Prices(NamedTuple):
    """What is paid for serving each customer (T, n) and for each row (r,)."""

    customer: Floats
    row: Floats


class Reduced(NamedTuple):
    """No plan costs less than ``constant`` plus ``column`` (T, m) over its open facilities."""

    constant: float
    column: Floats

    def bound(self, lower: Floats, upper: Floats) -> float:
        """Return the least of it for y between ``lower`` and ``upper`` (T, m)."""
        return self.constant + float(np.where(self.column > 0.0, self.column * lower, self.column * upper).sum())


def cut(program: Program, stage: int, price: Floats) -> tuple[float, Floats]:
    """Return constant and slope (m,) of a function that the serving cost of ``stage`` never falls below."""
    capped = np.minimum(price, program.spare[stage])
    slope = _knapsacks(program.cost[stage], program.demand[stage], program.capacity[stage], capped)
    return float(capped.sum()), slope


def reduced(program: Program, prices: Prices) -> Reduced:
    """Return what ``prices`` prove (weak duality); a row's price of the wrong sign counts as 0."""
    parts = [cut(program, stage, prices.customer[stage]) for stage in range(program.stages)]
    up, down = np.maximum(prices.row, 0.0), np.minimum(prices.row, 0.0)
    up, down = np.where(np.isfinite(program.least), up, 0.0), np.where(np.isfinite(program.most), down, 0.0)
    constant = sum(part[0] for part in parts) + float(
        up @ np.where(up > 0.0, program.least, 0.0) + down @ np.where(down < 0.0, program.most, 0.0)
    )
    priced = (program.rows.T @ (up + down)).reshape(program.shape)
    return Reduced(constant, program.charge + np.array([part[1] for part in parts]) - priced)


def serve(program: Program, stage: int, y: Floats) -> Served:
    """Return the cheapest serving of ``stage`` where facilities are open as in ``y`` (m,), possibly in part.

    The shares are by facility (n, m), then one column for what stays unserved.
    """
    count, customers = len(y), program.demand.shape[1]
    used = np.flatnonzero(y > _SHUT)
    cost, room, most = program.cost[stage][used].T, program.capacity[stage][used] * y[used], y[used]
    spare = program.spare[stage]
    if np.isfinite(spare).all():
        cost = np.column_stack([cost, spare])
        room, most = np.append(room, program.demand[stage].sum() + 1.0), np.append(most, 1.0)
    found = transport(cost, program.demand[stage], room, most)
    share, price = np.zeros((customers, count + 1)), np.zeros(count + 1)
    share[:, used], price[used] = found.share[:, : len(used)], found.price[: len(used)]
    share[:, count] = found.share[:, len(used) :].sum(axis=1)
    return found._replace(share=share, price=price)


@compiled
def _knapsacks(cost: Floats, demand: Floats, capacity: Floats, price: Floats) -> Floats:
    """Return for each facility (m,) the most negative ``cost - price`` that its capacity can gather."""
    m, n = cost.shape
    value = np.zeros(m)
    weight, gain = np.empty(n), np.empty(n)
    for j in range(m):
        count, load, total = 0, 0.0, 0.0
        for i in range(n):
            step = price[i] - cost[j, i]
            if step > 0.0:
                weight[count] = demand[i]
                gain[count] = step
                load += demand[i]
                total += step
                count += 1
        value[j] = -total if load <= capacity[j] else -_fill(gain[:count], weight[:count], capacity[j])
    return value


@compiled
def _fill(gain: Floats, weight: Floats, capacity: float) -> float:
    """Return the most gain that items, divisible, bring within ``capacity`` (Dantzig 1957)."""
    rate = np.empty(len(gain))
    for i in range(len(gain)):
        rate[i] = -gain[i] / weight[i] if weight[i] > 0.0 else -np.inf
    total, left = 0.0, capacity
    for i in np.argsort(rate):
        if weight[i] > left:
            total += gain[i] * left / weight[i]
            break
        total += gain[i]
        left -= weight[i]
    return total
