"""Small random problems with sites of several carriers, that share rows, partners and two resources."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from support.small_problem import ROOM, SERVER, SITE_A, SITE_B, small_problem
from xinji.core.arrays import Ints
from xinji.core.offer import EXISTING, FORBIDDEN, FREE
from xinji.core.problem import Problem

_MORE = 3


def site_problem(seed: int, *, whole_shares: bool = False) -> Problem:
    """Return ``small_problem(seed)`` with three more carriers, two on one site and one on the other.

    Now and then one of them is forbidden or committed, or exists with its site. With ``whole_shares``
    every arc can serve its whole row.
    """
    rng = np.random.default_rng(1000 + seed)
    problem = small_problem(seed)
    host = np.array([SITE_A, SITE_A, SITE_B])
    built = np.where(problem.built[host] == EXISTING, rng.choice([FREE, EXISTING], _MORE), FREE)
    if rng.random() < 0.5:
        late = problem.built[host[0]] in (FREE, EXISTING)
        built[0] = rng.choice([FORBIDDEN, problem.stages]) if late else FORBIDDEN
    room = np.where(rng.random((_MORE, 3)) < 0.3, np.inf, rng.integers(4, 20, (_MORE, 3)))
    more = _arcs(rng, len(problem.option_id))
    share = rng.integers(3, 11, len(more[0])) / 10.0
    share = np.concatenate([problem.arc_share, share])
    return replace(
        problem,
        option_id=np.append(problem.option_id, ["carrier_a2", "carrier_a3", "carrier_b2"]),
        capex=np.append(problem.capex, rng.integers(200, 2000, _MORE) * 100),
        opex=np.append(problem.opex, rng.integers(0, 6000, _MORE)),
        host=np.append(problem.host, host),
        node=np.append(problem.node, np.full(_MORE, -1)),
        built=np.append(problem.built, built),
        capacity=np.vstack([problem.capacity, room]),
        arc_row=np.append(problem.arc_row, more[0]),
        arc_option=np.append(problem.arc_option, more[1]),
        arc_partner=np.append(problem.arc_partner, more[2]),
        arc_share=np.ones(len(share)) if whole_shares else share,
        arc_limit_m=np.append(problem.arc_limit_m, np.full(len(more[0]), np.inf)),
    )


def _arcs(rng: np.random.Generator, first: int) -> tuple[Ints, Ints, Ints]:
    """Return row, option and partner of the carriers' arcs; every carrier has one at least."""
    plain = [(row, first + i, -1) for row in (0, 1, 4) for i in range(_MORE) if row == i % 2 or rng.random() < 0.7]
    pairs = [(row, first + i, p) for row in (2, 3) for i in range(_MORE) for p in (ROOM, SERVER) if rng.random() < 0.4]
    row, option, partner = np.array(sorted({*plain, *pairs})).T
    return row.astype(np.int64), option.astype(np.int64), partner.astype(np.int64)
