"""A ledger laid over offers: codes, costs, hosts, fibre, and every fault at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from replanning.made_ledgers import (
    ACCEPTED,
    BUILT,
    CANCELLED,
    CONTRACTED,
    IN_USE,
    RETIRED,
    UNDER_CONSTRUCTION,
    Row,
    built,
    ledger,
    let,
)
from xinji.core.facilities import Facilities
from xinji.core.offer import EXISTING, FORBIDDEN, FREE
from xinji.core.replanned import LedgerAsset
from xinji.core.study import Study
from xinji.errors import InputError
from xinji.plan.choose.commit import AS_OFFERED, Commitment, commit
from xinji.workflow.planning import PlanRun

LATER = (2027, 2028)
AT = "2027-03-31"


@pytest.fixture(scope="module")
def study(first: PlanRun) -> Study:
    return first.study


def laid(study: Study, facilities: Facilities, finish: dict[str, int] | None = None) -> Commitment:
    return commit(facilities, study.offers, study.trenches, LATER, finish=finish)


def code_of(made: Commitment, name: str) -> int:
    for offer in made.offers:
        if name in offer.id:
            return int(offer.built[offer.id == name][0])
    return int(made.trenches.built[made.trenches.id == name][0])


def asset_of(made: Commitment, name: str) -> LedgerAsset:
    return next(asset for asset in made.assets if asset.id == name)


def tower(rows: dict[str, Row], study: Study) -> tuple[Row, Row]:
    """Return a planned host that needs fibre and one planned carrier on it, both of 2026."""
    radio = study.offers[0]
    for place in np.flatnonzero((radio.host >= 0) & radio.needs_fibre[radio.host]).tolist():
        host, carrier = str(radio.id[radio.host[place]]), str(radio.id[place])
        if host in rows and carrier in rows:
            return replace(rows[host], year=2026), replace(rows[carrier], year=2026)
    raise AssertionError("the plan builds no new site")


def faults(study: Study, facilities: Facilities, finish: dict[str, int] | None = None) -> str:
    with pytest.raises(InputError) as caught:
        laid(study, facilities, finish)
    return str(caught.value)


def test_states_decide_what_is_frozen(study: Study, rows: dict[str, Row]) -> None:
    host, carrier = tower(rows, study)
    for state, code in ((ACCEPTED, EXISTING), (IN_USE, EXISTING), (CONTRACTED, 1), (UNDER_CONSTRUCTION, 1)):
        made = laid(study, ledger([replace(built(host, 2026), state=state)], AT))
        assert code_of(made, host.id) == code
        assert code_of(made, carrier.id) == FREE
    assert code_of(laid(study, ledger([host], AT)), host.id) == FREE
    cancelled = laid(study, ledger([replace(let(host, paid={2026: 700}), state=CANCELLED)], AT))
    assert code_of(cancelled, host.id) == FREE
    assert asset_of(cancelled, host.id).treatment == "cancelled"
    assert asset_of(cancelled, host.id).cost == 700
    gone = replace(built(host, 2026), state=RETIRED, since={BUILT: "2026-02-01", RETIRED: "2027-01-05"})
    assert code_of(laid(study, ledger([gone], AT)), host.id) == FORBIDDEN


def test_what_is_let_is_finished_when_the_ledger_says_and_never_in_the_past(study: Study, rows: dict[str, Row]) -> None:
    host, _ = tower(rows, study)
    for planned, slip, code in ((2026, {}, 1), (2028, {}, 2), (2026, {host.id: 2028}, 2), (2027, {}, 1)):
        made = laid(study, ledger([let(replace(host, year=planned))], AT), slip)
        assert code_of(made, host.id) == code
        assert asset_of(made, host.id).year == LATER[code - 1]
    beyond = laid(study, ledger([let(replace(host, year=2031), paid={2026: 400})], AT))
    assert code_of(beyond, host.id) == FORBIDDEN
    found = asset_of(beyond, host.id)
    assert (found.treatment, found.due, found.serves) == ("beyond", 2031, -1)
    assert beyond.aside.sum() == 0
    assert any("after the planned years" in note for note in beyond.notes)


def test_costs_are_the_real_ones(study: Study, rows: dict[str, Row]) -> None:
    host, _ = tower(rows, study)
    k = int(np.flatnonzero(np.concatenate([offer.id for offer in study.offers]) == host.id)[0])
    cases = (
        (let(host, paid={2026: 300}, share=1.5), round(host.capex * 1.5) - 300, round(host.capex * 1.5)),
        (let(host, paid={2026: 10 * host.capex}), 0, 10 * host.capex),
        (replace(let(host), contract=-1), host.capex, host.capex),
        (let(host, paid={2026: 500, 2027: -200}), host.capex - 300, host.capex),
    )
    for row, owed, cost in cases:
        made = laid(study, ledger([row], AT))
        found = asset_of(made, host.id)
        assert (made.option_capex[k], found.owed, found.cost) == (owed, owed, cost)
        assert made.aside.sum() == 0
    done = replace(built(host, 2026), contract=-1, paid={2026: 123_45})
    assert asset_of(laid(study, ledger([done], AT)), host.id).cost == 123_45
    held_back = replace(built(host, 2026), contract=1000, paid={2026: 900})
    made = laid(study, ledger([held_back], AT))
    assert made.aside.tolist() == [100]
    assert (made.option_capex[k], asset_of(made, host.id).due) == (1000, 2027)
    assert (laid(study, ledger([host], AT)).option_capex == AS_OFFERED).all()


def test_trenches_have_their_real_cost_and_length(study: Study, rows: dict[str, Row]) -> None:
    trench = next(row for row in rows.values() if row.technology == "trench")
    at = int(np.flatnonzero(study.trenches.id == trench.id)[0])
    stands = laid(study, ledger([replace(built(trench, 2026, share=1.18), length_m=777.0)], AT)).trenches
    assert (stands.built[at], stands.length_m[at]) == (EXISTING, 777.0)
    assert round(stands.capex[at] * 100) == round(trench.capex * 1.18)
    half = laid(study, ledger([let(trench, paid={2026: 1000})], AT)).trenches
    assert (half.built[at], round(half.capex[at] * 100)) == (1, trench.capex - 1000)
    assert half.length_m[at] == trench.length_m
    late = faults(study, ledger([let(replace(trench, year=2031))], AT))
    assert "finished in 2031" in late
    assert "policy.years" in late


def test_what_is_built_serves_when_its_fibre_does(study: Study, rows: dict[str, Row]) -> None:
    host, carrier = tower(rows, study)
    dug = [row for row in rows.values() if row.technology == "trench"]
    done, waiting = built(host, 2026, state=BUILT), built(carrier, 2026, state=BUILT)
    joined = laid(study, ledger([done, waiting, *(built(row, 2026) for row in dug)], AT))
    assert (code_of(joined, host.id), code_of(joined, carrier.id)) == (EXISTING, EXISTING)
    later = laid(study, ledger([done, waiting, *(let(replace(row, year=2028)) for row in dug)], AT))
    assert (code_of(later, host.id), code_of(later, carrier.id)) == (2, 2)
    assert {asset_of(later, row.id).treatment for row in (host, carrier)} == {"waits"}
    accepted = [built(host, 2026), built(carrier, 2026)]
    assert code_of(laid(study, ledger([*accepted, *(let(row) for row in dug)], AT)), host.id) == EXISTING
    bare = laid(study, ledger([done, waiting], AT))
    assert (code_of(bare, host.id), code_of(bare, carrier.id)) == (1, 1)
    assert any("digs at once" in note for note in bare.notes)


def test_what_waits_costs_in_the_year_it_is_owed(study: Study, rows: dict[str, Row]) -> None:
    host, carrier = tower(rows, study)
    made = laid(study, ledger([let(replace(host, year=2028)), let(replace(carrier, year=2027))], AT))
    assert (code_of(made, host.id), code_of(made, carrier.id)) == (2, 2)
    assert made.aside.tolist() == [0, carrier.capex]
    found = asset_of(made, carrier.id)
    assert (found.year, found.serves, found.due, found.treatment) == (2027, 2028, 2027, "waits")


def test_what_is_built_on_something_unfinished_waits_for_it(study: Study, rows: dict[str, Row]) -> None:
    host, carrier = tower(rows, study)
    owed = replace(built(carrier, 2026), paid={2026: carrier.capex - 400})
    made = laid(study, ledger([let(replace(host, year=2028)), owed], AT))
    assert (code_of(made, host.id), code_of(made, carrier.id)) == (2, 2)
    found = asset_of(made, carrier.id)
    assert (found.treatment, found.serves, found.due, found.owed) == ("waits", 2028, 2027, 400)
    assert made.aside.tolist() == [0, 400]
    gone = laid(study, ledger([let(replace(host, year=2031)), owed], AT))
    assert (code_of(gone, host.id), code_of(gone, carrier.id)) == (FORBIDDEN, FORBIDDEN)


def test_a_host_that_nobody_let_is_committed_with_what_stands_on_it(study: Study, rows: dict[str, Row]) -> None:
    host, carrier = tower(rows, study)
    made = laid(study, ledger([host, let(replace(carrier, year=2028))], AT))
    assert (code_of(made, host.id), code_of(made, carrier.id)) == (2, 2)
    assert any(host.id in note for note in made.notes)


def test_what_cannot_be_is_refused_with_every_fault(study: Study, rows: dict[str, Row]) -> None:
    host, carrier = tower(rows, study)
    assert f"{carrier.id} is built, but {host.id}, on which it stands, is planned" in faults(
        study, ledger([host, built(carrier, 2026)], AT)
    )
    assert "is cancelled" in faults(study, ledger([replace(host, state=CANCELLED), let(carrier)], AT))
    lost = let(Row("R-nowhere", "radio", "rooftop", 2026, 500))
    trench = let(Row("T-nowhere", "trench", "aerial", 2026, 500, x_m=1.0, y_m=1.0))
    both = faults(study, ledger([lost, trench], AT))
    assert "R-nowhere" in both
    assert "T-nowhere" in both
    assert "payments after 2027-03-31" in faults(study, ledger([let(host, paid={2029: 5})], AT))
    assert "not in the ledger" in faults(study, ledger([host], AT), {"X": 2028})
    assert "can slip" in faults(study, ledger([host], AT), {host.id: 2028})
    assert "before 2027" in faults(study, ledger([let(host)], AT), {host.id: 2026})


def test_what_the_region_does_not_offer_counts_as_money_alone(study: Study) -> None:
    other = let(Row("G-gone", "fibre", "gigabit_cell", 2027, 5000, opex=70, x_m=1.0, y_m=2.0), paid={2026: 2000})
    made = laid(study, ledger([other], AT))
    found = made.assets[0]
    assert (found.treatment, found.owed, found.serves) == ("outside", 3000, -1)
    assert made.aside.tolist() == [3000]
    assert any("their service does not" in note for note in made.notes)
