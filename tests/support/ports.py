"""Ports for servers that a test starts in processes of their own, where "any free port" cannot be asked for.

A port that the system gives out (port 0) comes from the range that it also takes for outgoing connections: between
the asking and the listening, or while a killed server is away, a client may be given it. These lie below that range.
"""

from __future__ import annotations

import random
import socket
from pathlib import Path

_OUTGOING = Path("/proc/sys/net/ipv4/ip_local_port_range")
_WANTED = range(20_000, 32_768)


def _candidates() -> list[int]:
    first, last = map(int, _OUTGOING.read_text(encoding="ascii").split()) if _OUTGOING.exists() else (32_768, 60_999)
    return [port for port in _WANTED if not first <= port <= last] or list(_WANTED)


def free_ports(count: int) -> list[int]:
    """Return ``count`` ports that nobody listens on nor, where the system leaves any, is given to go out."""
    candidates = _candidates()
    random.SystemRandom().shuffle(candidates)
    found: list[int] = []
    while len(found) < count:
        port = candidates.pop()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                found.append(port)
    return found
