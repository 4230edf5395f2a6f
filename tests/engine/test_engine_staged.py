"""Best stages on a forest against trying every vector of stages."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.engine_graphs import star
from xinji.core.arrays import Floats, Ints
from xinji.core.offer import EXISTING, FORBIDDEN, FREE
from xinji.plan.choose.staged import best_stages, option_nodes


def allowed(parent: Ints, built: Ints, stages: tuple[int, ...]) -> bool:
    """Return whether codes are kept and nothing stands before its parent."""
    for node, stage in enumerate(stages):
        code = int(built[node])
        if (code == FREE and stage == 0) or (code == FORBIDDEN and stage != -1) or (code >= EXISTING and stage != code):
            return False
        above = -1 if parent[node] < 0 else stages[parent[node]]
        if parent[node] >= 0 and stage >= 0 and not 0 <= above <= stage:
            return False
    return True


def worth(gain: Floats, stages: tuple[int, ...]) -> float:
    return sum(float(gain[node, stage]) for node, stage in enumerate(stages) if stage >= 0)


@given(st.integers(0, 100_000), st.integers(1, 5), st.integers(1, 3), st.booleans())
@settings(max_examples=150, deadline=None)
def test_the_best_of_all_stage_vectors_is_found(seed: int, nodes: int, stages: int, codes: bool) -> None:  # noqa: FBT001
    rng = np.random.default_rng(seed)
    # Numbered parents first; the order is turned round below.
    parent = np.array([int(rng.integers(-1, node)) if node else -1 for node in range(nodes)])
    built = rng.integers(FORBIDDEN, stages + 1, nodes) if codes else np.full(nodes, FREE)
    gain = np.round(rng.normal(0.0, 10.0, (nodes, stages + 1)), 3)
    order = np.arange(nodes)[::-1].copy()
    value, chosen = best_stages(order, parent, built, gain)
    every = [s for s in product(range(-1, stages + 1), repeat=nodes) if allowed(parent, built, s)]
    if not every:
        assert value == -np.inf
        return
    assert value == pytest.approx(max(worth(gain, s) for s in every), abs=1e-9)
    assert allowed(parent, built, tuple(chosen.tolist()))
    assert worth(gain, tuple(chosen.tolist())) == pytest.approx(value, abs=1e-9)


def test_the_node_of_an_option_is_its_hosts_where_it_has_none() -> None:
    problem = replace(star([3, -1, -1, 2, -1]), host=np.array([-1, 0, 1, 0, -1]))
    assert option_nodes(problem).tolist() == [3, 3, 3, 2, -1]
