"""Random legal and illegal work on both databases, against a plain model that shares no code with the ledger."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from support.ledger_stores import Places, postgres_place
from support.small_ledger import DAY, new_ledger, registered
from xinji.build import event_drafts as drafts
from xinji.build.event import Draft
from xinji.build.ledger import Ledger
from xinji.core.facilities import NO_CONTRACT, STATES
from xinji.errors import InputError

LIFE = STATES[:8]
NAMES = ("a", "b", "c")


@dataclass
class Site:
    """A facility of the model: its states with their days, its contracts since the last that ended, its money."""

    steps: list[tuple[int, str, str]]
    contracts: list[tuple[int, str, int]] = field(default_factory=list)
    payments: dict[int, int] = field(default_factory=dict)

    @property
    def state(self) -> str:
        return self.steps[-1][1]

    @property
    def day(self) -> str:
        return self.steps[-1][2]

    def floor(self) -> tuple[int, str]:
        """Return number and day of the step since which contracts count."""
        best = (self.steps[0][0], self.steps[0][2])
        for (_, old, _), (number, new, day) in zip(self.steps, self.steps[1:], strict=False):
            if (old, new) in (("contracted", "approved"), ("cancelled", "planned")):
                best = (number, day)
        return best

    def counted(self) -> list[tuple[str, int, int]]:
        """Return day, number and capex of the contracts that count."""
        return [(day, number, capex) for number, day, capex in self.contracts if number > self.floor()[0]]

    def capex(self) -> int:
        return max(self.counted())[2] if self.counted() else NO_CONTRACT


def follows(site: Site, new: str, reason: str, day: str) -> bool:
    """Return whether the model lets ``site`` advance to ``new`` on ``day``."""
    old = site.state
    if old == "cancelled":
        return new == "planned"
    if new == "cancelled":
        return LIFE.index(old) < LIFE.index("built") and reason != ""
    if new == "retired":
        return old in ("accepted", "in_use")
    if old == "retired" or LIFE.index(new) != LIFE.index(old) + 1:
        return False
    return new != "contracted" or any(let <= day for let, _, _ in site.counted())


class Machine(RuleBasedStateMachine):
    """One ledger, one model, and the days going on."""

    place = ""

    def __init__(self) -> None:
        super().__init__()
        self.today = date.fromisoformat(DAY)
        self.sites: dict[str, Site] = {}
        self.number = 1
        self.past: list[tuple[int, dict[str, tuple[str, int, int]]]] = []

    @initialize()
    def open(self) -> None:
        self.ledger: Ledger = new_ledger(self.places())

    @staticmethod
    def places() -> str:
        raise NotImplementedError

    def teardown(self) -> None:
        for number, seen in self.past[::5]:
            assert self.shown(known=number) == seen
        assert self.ledger.verify().sound
        self.ledger.close()

    def shown(self, known: int | None = None) -> dict[str, tuple[str, int, int]]:
        found = self.ledger.facilities("9999-12-31", known=known)
        money = zip(found.contract_capex.tolist(), found.paid.tolist(), strict=True)
        states = [STATES[state] for state in found.state.tolist()]
        return {name: (state, *pair) for name, state, pair in zip(found.id.tolist(), states, money, strict=True)}

    def take(self, sites: dict[str, Site], draft: Draft, number: int) -> bool:
        """Let the model ``sites`` take ``draft``; False if it may not be."""
        site, said = sites.get(draft.facility), draft.payload
        if draft.kind == "facility_registered":
            sites.setdefault(draft.facility, Site([(number, "planned", draft.day)]))
            return site is None
        if site is None or draft.day < site.steps[0][2]:
            return False
        if draft.kind == "payment_made":
            site.payments[number] = said["cents"]
            return True
        if draft.kind == "contract_let":
            site.contracts.append((number, draft.day, said["capex"]))
            return site.state not in ("cancelled", "retired") and draft.day >= site.floor()[1]
        if draft.day < site.day:
            return False
        if draft.kind == "state_advanced":
            fine = follows(site, said["state"], said["reason"], draft.day)
        else:
            old, new = site.state, said["state"]
            fine = "cancelled" not in (old, new) and old != "retired" and LIFE.index(new) == LIFE.index(old) - 1
        site.steps.append((number, said["state"], draft.day))
        return fine

    @rule(seed=st.integers(0, 2**32))
    def work(self, seed: int) -> None:
        """Record one thing after the other, so that every run grows old."""
        random = Random(seed)  # noqa: S311 - to vary the tests
        for _ in range(20):
            self.append([self.draft(random)])
            self.today += timedelta(days=random.randint(0, 1))

    @rule(seed=st.integers(0, 2**32), size=st.integers(2, 4))
    def work_at_once(self, seed: int, size: int) -> None:
        random = Random(seed)  # noqa: S311 - to vary the tests
        self.append([self.draft(random) for _ in range(size)])

    def append(self, made: list[Draft]) -> None:
        """Record ``made``; the ledger refuses it exactly where the model does."""
        sites = copy.deepcopy(self.sites)
        fine = all([self.take(sites, draft, self.number + 1 + row) for row, draft in enumerate(made)])  # noqa: C419
        try:
            self.ledger.append(made)
        except InputError:
            assert not fine
        else:
            assert fine
            self.sites = sites
            self.number += len(made)

    def draft(self, random: Random) -> Draft:
        """Return something that may or may not fit as the next event."""
        name, state, reason = random.choice(NAMES), random.choice(STATES), random.choice(["", "why"])
        day = (self.today + timedelta(days=random.choice([0, 0, 0, 0, 1, -1, -2]))).isoformat()
        chance = random.random()
        if chance < 0.45:
            return self.likely(name, day)
        if chance < 0.6:
            return self.unlikely(name, day, random)
        if chance < 0.75:
            return drafts.paid(name, day=day, cents=random.randint(-9, 99), reference="")
        if chance < 0.85:
            return drafts.contract_let(name, day=day, contract="C", contractor="", capex=random.randint(0, 99))
        if chance < 0.9:
            return registered(name)[0]
        back = drafts.returned(name, state, day=day, reason="why")
        return back if chance < 0.95 else drafts.advanced(name, state, day=day, reason=reason)

    def likely(self, name: str, day: str) -> Draft:
        """Return a step on for ``name``, so that long lives come up."""
        if name not in self.sites:
            return registered(name)[0]
        site = self.sites[name]
        if site.state in ("cancelled", "retired", "in_use"):
            return drafts.advanced(name, "planned", day=day)
        if site.state == "approved" and not site.counted():
            return drafts.contract_let(name, day=day, contract="C", contractor="", capex=50)
        if site.state == "approved":
            day = max(day, min(let for let, _, _ in site.counted()))
        return drafts.advanced(name, LIFE[LIFE.index(site.state) + 1], day=day)

    def unlikely(self, name: str, day: str, random: Random) -> Draft:
        """Return a step back or an end for ``name``, one that may well be."""
        state = self.sites[name].state if name in self.sites else "planned"
        if state in LIFE[1:7] and random.random() < 0.7:
            return drafts.returned(name, LIFE[LIFE.index(state) - 1], day=day, reason="why")
        return drafts.advanced(name, "cancelled", day=day, reason="why")

    @rule(ago=st.integers(0, 12))
    def void(self, ago: int) -> None:
        number = max(self.number - ago, 1)
        owner = next((site for site in self.sites.values() if self.voidable(site, number)), None)
        try:
            self.ledger.void(number, day=self.today.isoformat(), reason="typo")
        except InputError:
            assert owner is None
        else:
            assert owner is not None
            self.number += 1
            self.sites = {name: site for name, site in self.sites.items() if site.steps[0][0] != number}
            owner.payments.pop(number, None)
            owner.contracts = [contract for contract in owner.contracts if contract[0] != number]
            owner.steps = [step for step in owner.steps if step[0] != number]

    def voidable(self, site: Site, number: int) -> bool:
        """Return whether the model lets event ``number`` of ``site`` be voided."""
        if self.today.isoformat() < site.steps[0][2]:
            return False
        if number == site.steps[0][0]:
            return not (site.steps[1:] or site.contracts or site.payments)
        if number in (step[0] for step in site.steps[1:]):
            return site.steps[-1][0] == number
        if number in (contract[0] for contract in site.contracts):
            frozen = site.state in LIFE[2:7]
            return not (frozen and [item[1] for item in site.counted()] == [number])
        return number in site.payments

    @rule(days=st.integers(0, 40))
    def wait(self, days: int) -> None:
        self.today += timedelta(days=days)

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "ledger"):
            return
        seen = {name: (site.state, site.capex(), sum(site.payments.values())) for name, site in self.sites.items()}
        assert self.shown() == seen
        assert self.ledger.head().number == self.number
        self.past.append((self.number, seen))


def test_the_ledger_does_what_the_model_does(ledger_place: Places) -> None:
    class Here(Machine):
        places = staticmethod(ledger_place)

    fast = settings(
        max_examples=20 if ledger_place is not postgres_place else 5,
        stateful_step_count=8,
        deadline=None,
        # Each run takes long enough that making a failure small would take minutes.
        phases=(Phase.explicit, Phase.reuse, Phase.generate),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    run_state_machine_as_test(Here, settings=fast)
