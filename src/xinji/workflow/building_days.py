"""Days that have not come yet: nothing can have happened on them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from xinji.errors import Fault

_EARLIEST_ZONE = dt.timezone(dt.timedelta(hours=14))
"""Where each day begins first (Kiritimati, UTC+14): no build office is refused its own morning."""


def today() -> str:
    """Return the day that it is where it is latest on Earth (ISO 8601)."""
    return dt.datetime.now(tz=_EARLIEST_ZONE).date().isoformat()


def future_faults(layer: str, day: str, row: int | None = None) -> Iterator[Fault]:
    """Yield a fault if ``day`` (ISO 8601) has not come yet anywhere: what lies beyond it would pass for now."""
    last = today()
    if day > last:
        remedy = f"Give a day until {last}; if it is meant so, to rehearse a course of things, say --future."
        yield Fault(layer, f"the day is {day}, which has not come yet", remedy, row)
