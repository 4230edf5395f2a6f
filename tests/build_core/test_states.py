from __future__ import annotations

from itertools import pairwise

import pytest

from xinji.build.states import RETURNS, STEPS, ends_contract, may_advance, may_return, next_states, steps_between
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

LIFE = (PLANNED, APPROVED, CONTRACTED, UNDER_CONSTRUCTION, BUILT, ACCEPTED, IN_USE, RETIRED)


def test_a_life_goes_one_step_at_a_time() -> None:
    for place, old in enumerate(LIFE):
        forward = {new for new in LIFE if may_advance(old, new)}
        assert forward == set(LIFE[place + 1 : place + 2]) | ({RETIRED} if old == ACCEPTED else set())


def test_cancelled_only_before_built_and_retired_only_after_accepted() -> None:
    assert {old for old in range(len(STATES)) if may_advance(old, CANCELLED)} == set(LIFE[:4])
    assert {old for old in range(len(STATES)) if may_advance(old, RETIRED)} == {ACCEPTED, IN_USE}
    assert next_states(RETIRED) == ()
    assert next_states(CANCELLED) == (PLANNED,)


def test_only_one_step_goes_back() -> None:
    assert set(RETURNS) == {(new, old) for old, new in pairwise(LIFE[:-1])}
    assert not set(RETURNS) & set(STEPS)
    assert may_return(ACCEPTED, BUILT)
    assert not may_return(ACCEPTED, UNDER_CONSTRUCTION)


@pytest.mark.parametrize("why", [*STEPS.values(), *RETURNS.values()])
def test_every_step_has_its_own_reason(why: str) -> None:
    assert [*STEPS.values(), *RETURNS.values()].count(why) == 1


@pytest.mark.parametrize(
    ("old", "new", "way"),
    [
        (PLANNED, BUILT, (APPROVED, CONTRACTED, UNDER_CONSTRUCTION, BUILT)),
        (APPROVED, CANCELLED, (CANCELLED,)),
        (APPROVED, PLANNED, ()),
        (CANCELLED, APPROVED, (PLANNED, APPROVED)),
        (IN_USE, BUILT, ()),
        (BUILT, BUILT, ()),
        (BUILT, RETIRED, (ACCEPTED, RETIRED)),
    ],
)
def test_the_way_from_one_state_to_another(old: int, new: int, way: tuple[int, ...]) -> None:
    assert steps_between(old, new) == way


def test_contracts_end_with_what_they_were_for() -> None:
    ends = {(a, b) for a in range(len(STATES)) for b in range(len(STATES)) if ends_contract(a, b)}
    assert ends == {(CONTRACTED, APPROVED), (CANCELLED, PLANNED)}
