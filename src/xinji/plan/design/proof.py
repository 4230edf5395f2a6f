"""What every engine of this package says about its own answer: how much better any other could be."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


def certified_gap(value: float, bound: float) -> float:
    """Return the distance of the proved ``bound`` from ``value``, relative to ``value`` (0 where both are 0)."""
    distance = abs(bound - value)
    return distance / max(abs(value), 1e-12) if distance > 0.0 else 0.0


@dataclass(frozen=True, slots=True)
class Clock:
    """A limit of ``seconds`` of this process's own processor time, which other work on the machine cannot shorten."""

    seconds: float = float("inf")
    begun: float = field(default_factory=time.process_time)

    @property
    def spent(self) -> float:
        """Processor seconds since the clock was made."""
        return time.process_time() - self.begun

    @property
    def left(self) -> float:
        """Processor seconds left, at least 0."""
        return max(self.seconds - self.spent, 0.0)
