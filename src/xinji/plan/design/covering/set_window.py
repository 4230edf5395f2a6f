"""Set covering, one neighbourhood after another solved exactly by HiGHS while the rest stands."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from xinji.core.arrays import Bools, Floats, Ints
from xinji.plan.design.covering.covers import Covers
from xinji.plan.design.model import AT_LEAST, Columns, Model, make_rows
from xinji.plan.design.proof import Clock
from xinji.plan.design.solver import maximise

_WIDTHS = (20, 40, 80)
_PASSES = 2.0
_WINDOW_S = 4.0
_WITHIN = 1e-9


def refine_cover(covers: Covers, chosen: Bools, *, clock: Clock, seed: int) -> Bools:
    """Return ``chosen`` (m,), a cover of every point, after windows of its sites were chosen anew at least cost."""
    ones = np.ones(len(covers.site))
    matrix = csr_array((ones, covers.site, covers.start), shape=(covers.points, covers.sites))
    by_site = csr_array(matrix.T)
    rng = np.random.default_rng(seed)
    best = chosen.copy()
    for width in _WIDTHS:
        for _ in range(int(np.ceil(_PASSES * best.sum() / width))):
            if clock.left <= 0.0 or not best.any():
                return best
            window = _window(matrix, by_site, best, int(rng.choice(np.flatnonzero(best))), width)
            best = _renewed(covers, matrix, best, window, min(_WINDOW_S, clock.left))
            if best.sum() == len(window):
                return best
    return best


def _window(matrix: csr_array, by_site: csr_array, chosen: Bools, seed: int, width: int) -> Ints:
    """Return up to ``width`` chosen sites around ``seed``: those that share most points with it or its neighbours."""
    inside = np.zeros(len(chosen))
    inside[seed] = 1.0
    for _ in range(width):
        near = by_site @ (matrix @ inside)
        near[~chosen] = 0.0
        reached = np.flatnonzero(near > 0.0)
        if len(reached) == int(inside.sum()):
            # No chosen sites overlap any more: go on over sites that are not chosen.
            far = by_site @ (matrix @ (by_site @ (matrix @ inside) > 0.0))
            far[~chosen] = 0.0
            reached = np.flatnonzero(far > 0.0)
            if len(reached) == int(inside.sum()):
                return reached
            near = far
        if len(reached) >= width:
            order = np.lexsort((reached, -near[reached], inside[reached] == 0.0))
            return np.sort(reached[order[:width]])
        inside[:] = 0.0
        inside[reached] = 1.0
    return np.flatnonzero(inside)


def _renewed(covers: Covers, matrix: csr_array, chosen: Bools, window: Ints, seconds: float) -> Bools:
    """Return ``chosen`` with the ``window`` sites replaced by the cheapest that cover what only they covered."""
    rest = chosen.copy()
    rest[window] = False
    free = np.flatnonzero(matrix @ rest.astype(np.float64) == 0.0)
    part = csr_array(matrix[free])
    sites, column = np.unique(part.indices, return_inverse=True)
    start = np.asarray(part.indptr, dtype=np.int64)
    answer = maximise(
        _model(covers.cost[sites], start, np.asarray(column, dtype=np.int64)),
        seconds=seconds,
        start=chosen[sites].astype(np.float64),
    )
    if not answer.found:
        return chosen
    taken = sites[answer.values > 0.5]
    if covers.cost[taken].sum() >= covers.cost[window].sum() * (1.0 - _WITHIN):
        return chosen
    rest[taken] = True
    return rest


def _model(cost: Floats, start: Ints, column: Ints) -> Model:
    sites, points = len(cost), len(start) - 1
    columns = Columns(
        name=np.array([f"site_{j}" for j in range(sites)], dtype=np.str_),
        cost=-cost,
        lower=np.zeros(sites),
        upper=np.ones(sites),
        integer=np.ones(sites, dtype=np.bool_),
    )
    row = np.repeat(np.arange(points), np.diff(start))
    names = [f"cover_{i}" for i in range(points)]
    return Model(columns, make_rows(names, [(row, column, np.ones(len(column)))], AT_LEAST, np.ones(points)))
