"""The parameter registry: every cost and technical default with its unit, range and source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from xinji.errors import Fault, ParameterError, raise_if

STATUSES = ("sourced", "derived", "assumption", "user must confirm")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One figure: value, unit, year, plausible range, source and status.

    ``low`` and ``high`` bound what the source or the field reports; ``status`` is one of
    ``STATUSES``.
    """

    key: str
    value: float
    unit: str
    year: str
    low: float
    high: float
    status: str
    source: str
    url: str = ""
    note: str = ""

    def faults(self) -> Iterator[Fault]:
        """Yield what is wrong with this figure."""
        place = f"parameter {self.key}"
        if self.status not in STATUSES:
            yield Fault(place, f"status is {self.status!r}", f"Use one of {', '.join(STATUSES)}.")
        if not self.low <= self.value <= self.high:
            message = f"value {self.value:g} is not within {self.low:g} to {self.high:g} {self.unit}"
            yield Fault(place, message, "Mend the value, or widen low and high with a source.")
        if not self.source:
            yield Fault(place, "no source is given", "Name the document the figure was read from.")


@dataclass(frozen=True, slots=True)
class Parameters:
    """The figures of one country profile, with the region's own in place of the profile's."""

    profile: str
    entries: Mapping[str, Parameter]

    def __post_init__(self) -> None:
        raise_if([f for entry in self.entries.values() for f in entry.faults()], ParameterError)

    def value(self, key: str, unit: str) -> float:
        """Return the value of ``key``, which must be kept in ``unit``.

        Raises ParameterError if the key is unknown or kept in another unit.
        """
        entry = self.entries.get(key)
        if entry is None:
            remedy = f"Add it to the profile {self.profile!r} or to [parameters] in region.toml."
            raise ParameterError([Fault(f"parameter {key}", "the key is unknown", remedy)])
        if entry.unit != unit:
            message = f"kept in {entry.unit!r}, asked for in {unit!r}"
            raise ParameterError([Fault(f"parameter {key}", message, "Use the registry's unit.")])
        return entry.value

    def override(self, overrides: Mapping[str, Parameter]) -> Parameters:
        """Return a registry with ``overrides`` in place; keys and units must be known already."""
        faults = []
        for key, new in overrides.items():
            old = self.entries.get(key)
            if old is None:
                faults.append(Fault(f"parameter {key}", "the key is unknown", "See `xinji parameters`."))
            elif old.unit != new.unit:
                message = f"unit is {new.unit!r}, the registry keeps {old.unit!r}"
                faults.append(Fault(f"parameter {key}", message, f"Give the value in {old.unit}."))
        raise_if(faults, ParameterError)
        return replace(self, entries={**self.entries, **overrides})
