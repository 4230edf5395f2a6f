"""The demand of every cell, service and year."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Floats, freeze, shape_faults
from xinji.core.vocabulary import RESOURCES, SERVICES
from xinji.errors import Fault, InputError, raise_if


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """Users and what they use in the busy hour, with the build-ahead margin in it.

    ``users`` [people or workers] has shape (cells, services, years); ``amount`` has shape
    (cells, services, years, resources) in the units of ``RESOURCES`` (busy-hour Mbit/s down and
    up, edge servers); ``latency_ms`` (services,) is the one-way limit of each service, infinite
    where none is asked.
    """

    users: Floats
    amount: Floats
    latency_ms: Floats

    def __post_init__(self) -> None:
        cells, years = self.users.shape[0], self.users.shape[-1]
        expected = [
            ("users", self.users, (cells, len(SERVICES), years)),
            ("amount", self.amount, (cells, len(SERVICES), years, len(RESOURCES))),
            ("latency_ms", self.latency_ms, (len(SERVICES),)),
        ]
        faults = list(shape_faults("demand", expected))
        for name in ("users", "amount"):
            values = getattr(self, name)
            if not (np.isfinite(values).all() and (values >= 0).all()):
                message = f"{name} holds negative or missing numbers"
                faults.append(Fault("demand", message, "Check the cells' people and the parameters."))
        raise_if(faults, InputError)
        freeze(self.users, self.amount, self.latency_ms)
