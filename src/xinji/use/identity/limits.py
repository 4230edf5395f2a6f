"""How many requests a network may make: a token bucket per network in a table that hostile clients cannot grow.

A bucket is kept as the one moment at which it will be full again (virtual scheduling, ITU-T I.371 (2004)
Annex A.1, which equals the token bucket): a network at rest needs no entry at all.
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


@dataclass(frozen=True, slots=True)
class Allowance:
    """What each network may ask for: ``rate_per_s`` [cost/s] on average and ``burst`` [cost] at once.

    ``networks`` is the most that are held. Raises InputError for a figure that is not positive.
    """

    rate_per_s: float
    burst: float
    networks: int = 65_536

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


class RateLimiter:
    """Buckets by network; one thread uses it."""

    __slots__ = ("_buckets", "_clock", "_gap_s", "_most", "_slack_s")

    def __init__(self, allowance: Allowance, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._gap_s = 1.0 / allowance.rate_per_s
        self._slack_s = allowance.burst / allowance.rate_per_s
        self._most = allowance.networks
        self._clock = clock
        self._buckets: dict[int, float] = {}

    def __len__(self) -> int:
        return len(self._buckets)

    def admit(self, network: int, cost: float = 1.0) -> bool:
        """Take ``cost`` from the bucket of ``network``; False, and nothing taken, where that is more than it holds."""
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
