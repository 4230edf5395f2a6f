"""What prices prove about staged covering, in plain numpy: nothing here is shared with the solver."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from xinji.core.arrays import Floats, Ints
from xinji.errors import Fault, InputError
from xinji.plan.design.covering.covers import Covers


def staged_value(covers: Covers, stage: Ints, worth: Floats) -> float:
    """Return what the sites' ``stage`` (m,), -1 for never, earns; ``worth`` (T,): of a unit of weight in a stage."""
    matrix = _matrix(covers)
    value = 0.0
    for t in range(len(worth)):
        standing = ((stage >= 0) & (stage <= t)).astype(np.float64)
        value += float(worth[t] * covers.weight[(matrix @ standing) > 0.0].sum())
    return value


def staged_spending(covers: Covers, stage: Ints, stages: int) -> Floats:
    """Return the money spent up to each of the ``stages`` (T,)."""
    return np.array([covers.cost[(stage >= 0) & (stage <= t)].sum() for t in range(stages)])


def staged_bound(covers: Covers, *, worth: Floats, budget: Floats, price: Floats, money_price: Floats) -> float:
    """Return a value that no staged plan within ``budget`` (T,) can exceed, proved by the prices.

    ``price`` (n, T) in [0, weight * worth] is what being covered costs a point in a stage,
    ``money_price`` (T,) >= 0 what one unit of a stage's budget costs. Points are then worth their
    weight less their price, and each site earns its points' prices from its best opening stage on,
    at which its cost alone keeps within the budget, less its cost in all the stages from there
    (Lagrangian duality: Geoffrion, Math. Prog. Study 2, 1974). Raises InputError for prices out of range.
    """
    limit = np.outer(covers.weight, worth)
    faults = []
    if price.shape != limit.shape or not ((price >= 0.0) & (price <= limit)).all():
        found = "a point's price lies outside 0 to its weight times the stage's worth"
        faults.append(Fault("certificate", found, "Give one price a point and stage within that range."))
    if money_price.shape != worth.shape or not ((money_price >= 0.0) & np.isfinite(money_price)).all():
        faults.append(Fault("certificate", "a budget's price is not a number of at least 0", "Give one a stage."))
    if faults:
        raise InputError(faults)
    earned = _matrix(covers).T @ price - np.outer(covers.cost, money_price)
    from_stage = np.cumsum(earned[:, ::-1], axis=1)[:, ::-1]
    from_stage = np.where(covers.cost[:, None] <= budget[None, :], from_stage, 0.0)
    best = np.maximum(from_stage.max(axis=1, initial=0.0), 0.0)
    return float((limit - price).sum() + best.sum() + money_price @ budget)


def _matrix(covers: Covers) -> csr_array:
    ones = np.ones(len(covers.site))
    return csr_array((ones, covers.site, covers.start), shape=(covers.points, covers.sites))
