"""How long a planning run searches, from what is asked of it."""

from __future__ import annotations

import pytest

from xinji.plan.choose.improve import Effort
from xinji.workflow import planning


@pytest.mark.parametrize(("tries", "quick"), [(0, True), (10, True), (49, True), (50, False), (100, False)])
def test_a_quick_look_grows_fewer_cores(tries: int, *, quick: bool) -> None:
    told: list[tuple[str, int, int]] = []
    settings = planning.PlanSettings(tries=tries, seconds=3.0, seed=5)
    effort = planning._effort(settings, lambda *step: told.append(step), "compare", 2)
    assert (effort.tries, effort.seconds, effort.seed) == (tries, 3.0, 5)
    assert (effort.rounds < Effort().rounds) == quick
    assert effort.rounds >= 1
    assert effort.progress is not None
    for done, total in ((1, 2), (2, 2), (1, 2), (2, 2)):
        effort.progress(done, total)
    assert told == [("compare", 1, 4), ("compare", 2, 4), ("compare", 3, 4), ("compare", 4, 4)]
