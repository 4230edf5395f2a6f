"""What prices prove about covering at least cost, in plain numpy: nothing here is shared with the solver."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from xinji.core.arrays import Floats
from xinji.errors import Fault, InputError
from xinji.plan.design.covering.covers import Covers


def cheapest_bound(covers: Covers, *, price: Floats, spared: float = 0.0, spared_price: float = 0.0) -> float:
    """Return a cost that no choice of sites can undercut which leaves at most the weight ``spared`` uncovered.

    ``price`` (n,) >= 0 is what covering a point earns, ``spared_price`` >= 0 what each unit of weight
    left uncovered costs. Whole sites then cost at least the prices earned, less what sites earn over
    their cost and what points would rather pay than be covered (Lagrangian duality: Geoffrion,
    Math. Prog. Study 2, 1974). With ``spared`` 0 every point with a list must be covered, and the
    second price has no say. Raises InputError for prices below 0 or not finite.
    """
    faults = []
    if price.shape != covers.weight.shape or not (np.isfinite(price) & (price >= 0.0)).all():
        faults.append(Fault("certificate", "a point's price is not a number of at least 0", "Give one a point."))
    if not (np.isfinite(spared_price) and spared_price >= 0.0 and spared >= 0.0):
        found = f"weight spared {spared} at the price {spared_price}"
        faults.append(Fault("certificate", found, "Give numbers of at least 0."))
    if faults:
        raise InputError(faults)
    ones = np.ones(len(covers.site))
    matrix = csr_array((ones, covers.site, covers.start), shape=(covers.points, covers.sites))
    sites = np.minimum(covers.cost - matrix.T @ price, 0.0).sum()
    if spared <= 0.0:
        return float(price.sum() + sites)
    points = np.minimum(spared_price * covers.weight - price, 0.0).sum()
    return float(price.sum() + sites + points - spared_price * spared)
