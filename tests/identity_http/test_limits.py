from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinji.errors import InputError
from xinji.use.identity.limits import Allowance, RateLimiter, network_of


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_network_gets_its_burst_then_its_rate() -> None:
    clock = Clock()
    limiter = RateLimiter(Allowance(rate_per_s=10, burst=5), clock=clock)
    assert [limiter.admit(7) for _ in range(6)] == [True] * 5 + [False]
    clock.now = 0.1
    assert limiter.admit(7)
    assert not limiter.admit(7)
    assert limiter.admit(8)


def test_room_is_seen_without_taking_it() -> None:
    limiter = RateLimiter(Allowance(rate_per_s=1, burst=1), clock=Clock())
    assert limiter.has_room(1)
    assert limiter.has_room(1)
    assert limiter.admit(1)
    assert not limiter.has_room(1)


@given(st.lists(st.tuples(st.floats(0, 3), st.sampled_from([1.0, 2.0, 0.5])), max_size=60))
def test_it_is_the_token_bucket(steps: list[tuple[float, float]]) -> None:
    clock = Clock()
    limiter = RateLimiter(Allowance(rate_per_s=2, burst=4), clock=clock)
    tokens, before = 4.0, 0.0
    for wait, cost in steps:
        clock.now += wait
        tokens = min(4.0, tokens + 2 * (clock.now - before))
        before = clock.now
        if abs(tokens - cost) < 1e-6:
            # Equal but for rounding: either answer is right, and both ways must go on alike.
            tokens -= cost if limiter.admit(1, cost) else 0.0
            continue
        admitted = limiter.admit(1, cost)
        assert admitted == (tokens > cost)
        tokens -= cost if admitted else 0.0


def test_ten_thousand_hostile_networks_take_bounded_memory_and_no_one_elses_share() -> None:
    clock = Clock()
    limiter = RateLimiter(Allowance(rate_per_s=1, burst=2, networks=1_000), clock=clock)
    assert limiter.admit(1)
    admitted = sum(limiter.admit(10_000 + network % 10_000) for network in range(50_000))
    assert len(limiter) <= 1_001
    # All that came after the table was full shared one bucket.
    assert admitted <= 2 * 1_000 + 2
    assert limiter.admit(1)
    assert not limiter.admit(1)
    clock.now = 10.0
    assert limiter.admit(99)
    assert len(limiter) <= 1_001


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.254", True),
        ("192.0.2.1", "192.0.3.1", False),
        ("2001:db8:0:ff00::1", "2001:db8:0:ff42::9", True),
        ("2001:db8:0:ff00::1", "2001:db8:0:fe00::1", False),
        ("::ffff:192.0.2.9", "192.0.2.1", True),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("", "no address", True),
    ],
)
def test_networks(one: str, other: str, *, same: bool) -> None:
    assert (network_of(one) == network_of(other)) == same


@given(st.ip_addresses(v=4), st.ip_addresses(v=6))
def test_no_ipv4_network_is_an_ipv6_one(four: ipaddress.IPv4Address, six: ipaddress.IPv6Address) -> None:
    if six.ipv4_mapped is None:
        assert network_of(str(four)) != network_of(str(six))


def test_figures_must_be_positive() -> None:
    with pytest.raises(InputError, match=r"rate_per_s is 0.*\n.*networks is -1"):
        Allowance(rate_per_s=0, burst=1, networks=-1)
