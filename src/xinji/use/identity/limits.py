"""What a network may take of a node: so many requests, and so many connections, in tables that nobody can grow.

Requests go by a token bucket for each network. It is kept as the one moment at which it will be full again (virtual
scheduling, ITU-T I.371 (2004) Annex A.1, which equals the token bucket): a network at rest needs no entry at all.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable
from dataclasses import dataclass

from xinji.errors import Fault, InputError, raise_if

_IPV4_HOST_BITS = 8
_IPV6_HOST_BITS = 72
_IPV6_MARK = 1 << 120
_LOOKS = 8
"""Entries looked at for room when the table is full; each new network pays at most this."""
SHARED = -1
"""The bucket that newcomers share while the table is full of networks in use."""

CONNECTIONS_EACH = 512
"""Connections that a network may have open at once, over both protocols.

More than double what keeping to the default rate takes: 2,000 requests a second, each on a connection of its own that
lingers for 0.1 s, are 200. Little enough for one network to fill no more than a sixteenth of either server (8,192 and
10,000 connections).
"""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What each network may ask for: ``rate_per_s`` [cost/s] on average and ``burst`` [cost] at once.

    ``networks`` is the most that are held; ``told`` is told the network of every one that asks. Raises InputError for
    a figure that is not positive.
    """

    rate_per_s: float
    burst: float
    networks: int = 65_536
    told: Callable[[int], None] | None = None

    def __post_init__(self) -> None:
        figures = (("rate_per_s", self.rate_per_s), ("burst", self.burst), ("networks", self.networks))
        remedy = "Give a figure above 0."
        raise_if((Fault("limits", f"{n} is {found:g}", remedy) for n, found in figures if found <= 0), InputError)


def network_of(address: str) -> int:
    """Return a number for the network of ``address``: its /24 (IPv4) or /56 (IPv6), what one customer is given.

    An IPv4 address written in IPv6 counts as IPv4; what is no address at all (a UNIX socket) counts as one network.
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return 0
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is None:
            return (int(found) >> _IPV6_HOST_BITS) | _IPV6_MARK
        found = found.ipv4_mapped
    return int(found) >> _IPV4_HOST_BITS


WRONG_PROOFS = Allowance(rate_per_s=0.1, burst=20)
"""Wrong credentials that a network may offer: twenty at once, then one in ten seconds."""


def network_text(network: int) -> str:
    """Return the network of number ``network`` (`network_of`) in words: 192.0.2.0/24, 2001:db8::/56, or "none"."""
    if not network:
        return "none"
    if network & _IPV6_MARK:
        address = ipaddress.IPv6Address((network ^ _IPV6_MARK) << _IPV6_HOST_BITS)
        return f"{address}/{128 - _IPV6_HOST_BITS}"
    return f"{ipaddress.IPv4Address(network << _IPV4_HOST_BITS)}/{32 - _IPV4_HOST_BITS}"


class Places:
    """How many connections each network has open, at most ``each``; one thread uses it.

    The table holds networks with an open connection only, so that the servers' own bounds are its bound too.
    Raises InputError where ``each`` is not positive.
    """

    __slots__ = ("_each", "_taken")

    def __init__(self, each: int = CONNECTIONS_EACH) -> None:
        if each <= 0:
            raise InputError([Fault("limits", f"connections is {each}", "Give a figure above 0.")])
        self._each = each
        self._taken: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._taken)

    def take(self, network: int) -> bool:
        """Count one more connection of ``network``; False, and nothing counted, where it has as many as it may."""
        taken = self._taken.get(network, 0)
        if taken >= self._each:
            return False
        self._taken[network] = taken + 1
        return True

    def leave(self, network: int) -> None:
        """Count one connection of ``network`` less."""
        taken = self._taken[network] - 1
        if taken:
            self._taken[network] = taken
        else:
            del self._taken[network]

    def fullest(self) -> int:
        """Return how many connections the network with the most has open."""
        return max(self._taken.values(), default=0)


class RateLimiter:
    """Buckets by network; one thread uses it."""

    __slots__ = ("_buckets", "_clock", "_gap_s", "_most", "_slack_s", "_told")

    def __init__(self, allowance: Allowance, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._gap_s = 1.0 / allowance.rate_per_s
        self._slack_s = allowance.burst / allowance.rate_per_s
        self._most = allowance.networks
        self._clock = clock
        self._told = allowance.told
        self._buckets: dict[int, float] = {}

    def __len__(self) -> int:
        return len(self._buckets)

    def admit(self, network: int, cost: float = 1.0) -> bool:
        """Take ``cost`` from the bucket of ``network``; False, and nothing taken, where that is more than it holds."""
        if self._told is not None:
            self._told(network)
        now = self._clock()
        buckets = self._buckets
        full_at = buckets.get(network)
        if full_at is None:
            if len(buckets) >= self._most and not self._make_room(now):
                network = SHARED
                full_at = buckets.get(SHARED, now)
            else:
                full_at = now
        fresh = max(now, full_at) + cost * self._gap_s
        if fresh - now > self._slack_s:
            return False
        buckets[network] = fresh
        return True

    def has_room(self, network: int) -> bool:
        """Return whether one more would be admitted; takes nothing."""
        now = self._clock()
        full_at = self._buckets.get(network)
        if full_at is None and len(self._buckets) >= self._most:
            full_at = self._buckets.get(SHARED)
        return full_at is None or max(0.0, full_at - now) + self._gap_s <= self._slack_s

    def _make_room(self, now: float) -> bool:
        """Drop one bucket that is full again; those seen still in use go to the back of the table."""
        buckets = self._buckets
        for _ in range(min(_LOOKS, len(buckets))):
            oldest = next(iter(buckets))
            full_at = buckets.pop(oldest)
            if full_at <= now:
                return True
            buckets[oldest] = full_at
        return False
