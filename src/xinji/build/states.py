"""Which state of a facility or project may follow which, and why."""

from __future__ import annotations

from collections import deque
from functools import cache

from xinji.core.facilities import (
    ACCEPTED,
    APPROVED,
    BUILT,
    CANCELLED,
    CONTRACTED,
    IN_USE,
    PLANNED,
    RETIRED,
    STATES,
    UNDER_CONSTRUCTION,
)

STEPS = {
    (PLANNED, APPROVED): "it has been released for procurement",
    (APPROVED, CONTRACTED): "a contract has been let for it; from here on it is frozen for plans",
    (CONTRACTED, UNDER_CONSTRUCTION): "work on site has begun",
    (UNDER_CONSTRUCTION, BUILT): "work on site is complete",
    (BUILT, ACCEPTED): "the owner has inspected it and taken it over",
    (ACCEPTED, IN_USE): "it carries traffic",
    (ACCEPTED, RETIRED): "it was taken over but is given up before use",
    (IN_USE, RETIRED): "it is out of service for good",
    (PLANNED, CANCELLED): "the plan no longer needs it",
    (APPROVED, CANCELLED): "the release is withdrawn",
    (CONTRACTED, CANCELLED): "the contract is ended before work begins",
    (UNDER_CONSTRUCTION, CANCELLED): "work is abandoned; what is built is retired instead",
    (CANCELLED, PLANNED): "a later plan chooses it again",
}
"""Each step that a state may take, as codes (from, to), with the reason that the step exists."""

RETURNS = {
    (APPROVED, PLANNED): "the release is withdrawn, the need stays",
    (CONTRACTED, APPROVED): "the contract fails, the release stays",
    (UNDER_CONSTRUCTION, CONTRACTED): "the site is handed back before work is done",
    (BUILT, UNDER_CONSTRUCTION): "an inspection finds work that is not complete",
    (ACCEPTED, BUILT): "the acceptance is withdrawn",
    (IN_USE, ACCEPTED): "the service is suspended",
}
"""Each step back by one, taken only by an event of its own that gives a reason."""


def may_advance(old: int, new: int) -> bool:
    """Return whether state ``new`` may follow ``old`` (codes of ``STATES``)."""
    return (old, new) in STEPS


def may_return(old: int, new: int) -> bool:
    """Return whether ``old`` may be set back to ``new`` for a reason (codes of ``STATES``)."""
    return (old, new) in RETURNS


def ends_contract(old: int, new: int) -> bool:
    """Return whether contracts let before the step from ``old`` to ``new`` no longer count after it."""
    return (old, new) in ((CONTRACTED, APPROVED), (CANCELLED, PLANNED))


def next_states(old: int) -> tuple[int, ...]:
    """Return the states that may follow ``old``, in the order of a facility's life."""
    return tuple(new for new in range(len(STATES)) if (old, new) in STEPS)


@cache
def steps_between(old: int, new: int) -> tuple[int, ...]:
    """Return the states to enter one after the other to come from ``old`` to ``new``; the last is ``new``.

    Empty where there is no way, or none is needed. Nothing is cancelled on the way.
    """
    ways: deque[tuple[int, ...]] = deque([(old,)])
    while ways:
        way = ways.popleft()
        if way[-1] == new:
            return way[1:]
        if way[-1] != CANCELLED or len(way) == 1:
            ways.extend((*way, state) for state in next_states(way[-1]) if state not in way)
    return ()
