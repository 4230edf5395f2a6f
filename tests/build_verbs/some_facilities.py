"""Facilities made by hand, and at random, to hold analyses against."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from hypothesis import strategies as st

from xinji.core.facilities import (
    CANCELLED,
    CONTRACTED,
    NO_CONTRACT,
    PLANNED,
    RETIRED,
    STATES,
    Facilities,
)

KINDS = ("radio", "fibre", "compute", "trench")


@dataclass(frozen=True)
class One:
    """One facility; money in cents, ``days`` the day on which each state was entered.

    ``lost`` was paid, beside ``paid``, under contracts that have ended.
    """

    id: str
    planned: int
    year: int = 2027
    state: int = PLANNED
    contract: int = NO_CONTRACT
    paid: tuple[tuple[int, int], ...] = ()
    lost: tuple[tuple[int, int], ...] = ()
    days: tuple[tuple[int, str], ...] = ()
    technology: str = "radio"
    area: str = "east"
    completion: str = "NaT"


def facilities(at: str, *ones: One) -> Facilities:
    """Return ``ones`` as they stand at the end of the day ``at``."""
    n = len(ones)
    since = np.full((n, len(STATES)), np.datetime64("NaT", "D"))
    for row, one in enumerate(ones):
        for state, day in one.days:
            since[row, state] = np.datetime64(day, "D")
    payments = [(row, year, cents) for row, one in enumerate(ones) for year, cents in one.paid]
    counting = len(payments)
    payments += [(row, year, cents) for row, one in enumerate(ones) for year, cents in one.lost]
    unknown = np.full(n, np.nan)
    return Facilities(
        at=at,
        id=np.array([one.id for one in ones], dtype=np.str_),
        technology=np.array([one.technology for one in ones], dtype=np.str_),
        kind=np.array(["macro"] * n, dtype=np.str_),
        area=np.array([one.area for one in ones], dtype=np.str_),
        project=np.array([""] * n, dtype=np.str_),
        identifier=np.array([""] * n, dtype=np.str_),
        state=np.array([one.state for one in ones], dtype=np.uint8),
        since=since,
        planned_year=np.array([one.year for one in ones], dtype=np.int64),
        planned_x_m=unknown.copy(),
        planned_y_m=unknown.copy(),
        x_m=unknown.copy(),
        y_m=unknown.copy(),
        length_m=unknown.copy(),
        planned_capex=np.array([one.planned for one in ones], dtype=np.int64),
        planned_opex=np.zeros(n, dtype=np.int64),
        contract_capex=np.array([one.contract for one in ones], dtype=np.int64),
        completion=np.array([one.completion for one in ones], dtype="datetime64[D]"),
        paid_facility=np.array([row for row, _, _ in payments], dtype=np.int64),
        paid_year=np.array([year for _, year, _ in payments], dtype=np.int64),
        paid_cents=np.array([cents for _, _, cents in payments], dtype=np.int64),
        sunk_payments=np.arange(counting, len(payments), dtype=np.int64),
    )


_CENTS = st.integers(0, 10**11)


@st.composite
def _one(draw: st.DrawFn, number: int) -> One:
    state = draw(st.sampled_from(range(len(STATES))))
    let = CONTRACTED <= state < CANCELLED and (state != RETIRED or draw(st.booleans()))
    paid = draw(st.lists(st.tuples(st.integers(2026, 2031), st.integers(-(10**9), 10**10)), max_size=3))
    return One(
        id=f"f{number}",
        planned=draw(_CENTS),
        year=draw(st.integers(2026, 2030)),
        state=state,
        contract=draw(_CENTS) if let else NO_CONTRACT,
        paid=tuple(paid),
        lost=tuple(draw(st.lists(st.tuples(st.integers(2026, 2031), st.integers(0, 10**10)), max_size=1))),
        days=((state, f"{draw(st.integers(2026, 2029))}-05-17"),),
        technology=draw(st.sampled_from(KINDS)),
        area=draw(st.sampled_from(("", "east", "west"))),
    )


@st.composite
def ledgers(draw: st.DrawFn) -> tuple[Facilities, Facilities]:
    """Return a baseline and what became of it: other years and estimates, facilities added and cancelled."""
    ones = [draw(_one(number)) for number in range(draw(st.integers(1, 12)))]
    known = [one for one in ones if draw(st.booleans())]
    before = [
        replace(
            one, planned=draw(_CENTS), year=draw(st.integers(2026, 2030)), contract=NO_CONTRACT, paid=(), lost=(),
            state=draw(st.sampled_from((PLANNED, PLANNED, CANCELLED))),
        )
        for one in known
    ]  # fmt: skip
    return facilities("2026-01-01", *before), facilities("2029-06-30", *ones)
