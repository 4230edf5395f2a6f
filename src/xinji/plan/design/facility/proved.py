"""What every facility engine's answer holds: a value, the bound beside it and what proves that."""

from __future__ import annotations

from dataclasses import dataclass

from xinji.plan.design.facility.tree import Proof
from xinji.plan.design.proof import certified_gap


@dataclass(frozen=True, slots=True, eq=False)
class Proved:
    """An answer of cost ``value``: none costs less than ``bound``, and ``certificate`` proves it."""

    value: float
    bound: float
    certificate: Proof

    @property
    def proof(self) -> str:
        """What proves the bound: ``multipliers`` or ``branch and bound``."""
        return self.certificate.kind

    @property
    def gap(self) -> float:
        """How much better any answer could be, relative to the value."""
        return certified_gap(self.value, self.bound)
