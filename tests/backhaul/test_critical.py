from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backhaul.small_networks import joined, random_network
from xinji.errors import InputError
from xinji.plan.backhaul.critical import critical_points
from xinji.plan.backhaul.network import Network


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_cuts_are_those_found_by_cutting(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = random_network(rng)
    weight = rng.integers(0, 9, (network.node_count, 2)).astype(float)
    found = critical_points(network, weight)
    every = set(range(len(network.cost)))
    whole = joined(network, links=every)
    assert set(np.flatnonzero(found.joined).tolist()) == whole
    assert found.unjoined == pytest.approx(weight.sum(axis=0) - weight[sorted(whole)].sum(axis=0))
    lost = {link: whole - joined(network, links=every - {link}) for link in every}
    expected = {link: weight[sorted(nodes)].sum(axis=0).tolist() for link, nodes in lost.items() if nodes}
    assert dict(zip(found.links.tolist(), found.link_loss.tolist(), strict=True)) == expected
    gone = {node: whole - joined(network, links=every, without=node) for node in whole}
    rooms = {node: weight[sorted(nodes)].sum(axis=0).tolist() for node, nodes in gone.items() if len(nodes) > 1}
    assert dict(zip(found.rooms.tolist(), found.room_loss.tolist(), strict=True)) == rooms
    for losses in (found.link_loss, found.room_loss):
        assert all(tuple(worse) >= tuple(better) for worse, better in pairwise(losses.tolist()))


def test_a_line_a_ring_and_a_twin() -> None:
    # 0 is the core; 0-1-2 a line, 1-3-4-1 a ring, 4-5 laid twice.
    ends = np.array([[0, 1], [1, 2], [1, 3], [3, 4], [4, 1], [4, 5], [5, 4]])
    network = Network(6, ends[:, 0], ends[:, 1], np.ones(7), np.array([0]))
    found = critical_points(network, np.array([[0.0], [1.0], [2.0], [4.0], [8.0], [16.0]]))
    assert found.links.tolist() == [0, 1]
    assert found.link_loss[:, 0].tolist() == [31.0, 2.0]
    assert found.rooms.tolist() == [0, 1, 4]
    assert found.room_loss[:, 0].tolist() == [31.0, 31.0, 24.0]


def test_a_long_line_takes_no_recursion() -> None:
    nodes = 200_000
    network = Network(nodes, np.arange(nodes - 1), np.arange(1, nodes), np.ones(nodes - 1), np.array([0]))
    critical_points(network, np.ones((nodes, 1)))
    begun = time.process_time()
    found = critical_points(network, np.ones((nodes, 1)))
    assert time.process_time() - begun < 5.0
    assert len(found.links) == nodes - 1
    assert found.link_loss[0, 0] == nodes - 1


def test_weights_that_do_not_fit_are_refused() -> None:
    network = Network(2, np.array([0]), np.array([1]), np.ones(1), np.array([0]))
    with pytest.raises(InputError, match="expected"):
        critical_points(network, np.ones((3, 1)))
    with pytest.raises(InputError, match="negative or missing"):
        critical_points(network, np.array([[1.0], [np.nan]]))
    with pytest.raises(InputError) as raised:
        Network(2, np.array([0]), np.array([2]), np.array([-1.0]), np.array([], dtype=np.int64))
    assert len(raised.value.faults) == 3
