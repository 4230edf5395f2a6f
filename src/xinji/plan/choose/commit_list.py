"""The assets of a ledger one by one, with what becomes of each, and what a reader would not expect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xinji.core.arrays import Ints
from xinji.core.assets import TRENCH
from xinji.core.facilities import CANCELLED, RETIRED, STATES, Facilities
from xinji.core.offer import EXISTING
from xinji.core.problem import NEVER
from xinji.core.replanned import LedgerAsset
from xinji.plan.choose.commit_facts import Facts, payments

MOVED_M = 1.0
"""From here on [m] a measured place is told of as another one; it is used in any case."""

NAMED = 5

_HEADS = {
    "outside": "let or built, but not offered by the region: their money counts, their service does not",
    "beyond": "let, but finished after the planned years: they serve nobody in them",
    "waits": "serve later than they are finished, when their fibre or what they stand on is there",
}
_MASTS = "built elsewhere than planned, coverage computed where they stand"
_OTHERS = "built elsewhere than planned, service computed for the planned place"


def listed(ids: Sequence[object]) -> str:
    """Return how many ``ids`` there are, and the first of them."""
    some = ", ".join(str(name) for name in ids[:NAMED])
    return f"{len(ids)} ({some}{', ...' if len(ids) > NAMED else ''})"


def assets_of_ledger(
    facilities: Facilities, facts: Facts, place: tuple[Ints, Ints], codes: tuple[Ints, Ints], years: Sequence[int]
) -> Iterator[LedgerAsset]:
    """Yield what is frozen, cancelled, retired or was paid for.

    ``place`` holds the option and the trench (k,) of each facility, ``codes`` the stage from which options
    (n,) and trenches (m,) serve in ``years``. What stood before the plan and cost nothing is left out.
    """
    ended = np.isin(facilities.state, (CANCELLED, RETIRED))
    spent = facts.cost != 0
    spent[facilities.paid_facility] = True
    told = (facts.frozen & ~facts.stands) | ended | spent
    for row in np.flatnonzero(told).tolist():
        code = _code(row, place, codes)
        treatment = _treatment(facilities, facts, row, code, years)
        yield LedgerAsset(
            id=str(facilities.id[row]),
            technology=str(facilities.technology[row]),
            kind=str(facilities.kind[row]),
            state=STATES[int(facilities.state[row])],
            treatment=treatment,
            year=int(facts.year[row]),
            serves=_serves(treatment, code, years),
            planned_cost=int(facilities.planned_capex[row]),
            cost=int(facts.cost[row]),
            paid=payments(facilities, row),
            owed=int(facts.owed[row]),
            due=int(facts.due[row]),
            moved_m=round(float(facts.moved_m[row]), 1),
        )


def _code(row: int, place: tuple[Ints, Ints], codes: tuple[Ints, Ints]) -> int | None:
    """Return the stage of the facility's option or trench; None where it has neither."""
    for where, stage in zip(place, codes, strict=True):
        if where[row] >= 0:
            return int(stage[where[row]])
    return None


def _treatment(facilities: Facilities, facts: Facts, row: int, code: int | None, years: Sequence[int]) -> str:
    if not facts.frozen[row]:
        return {CANCELLED: "cancelled", RETIRED: "retired"}.get(int(facilities.state[row]), "paid")
    if code is None:
        return "outside"
    if code == EXISTING:
        return "stands"
    if code < EXISTING:
        return "beyond"
    return "committed" if not facts.stands[row] and years[code - 1] == facts.year[row] else "waits"


def _serves(treatment: str, code: int | None, years: Sequence[int]) -> int:
    if code is None or treatment in ("cancelled", "retired", "paid", "beyond"):
        return NEVER
    return EXISTING if code == EXISTING else years[code - 1]


def asset_notes(assets: Sequence[LedgerAsset]) -> Iterator[str]:
    """Yield, in words, what the ledger's ``assets`` bring that a reader would not expect."""
    moved = [asset for asset in assets if asset.moved_m > MOVED_M]
    groups = [(head, [a.id for a in assets if a.treatment == treatment]) for treatment, head in _HEADS.items()]
    for head, radio in ((_MASTS, True), (_OTHERS, False)):
        mine = [asset for asset in moved if (asset.technology == "radio") == radio]
        groups.append((head, [f"{asset.id} by {asset.moved_m:,.0f} m" for asset in mine]))
    dug = [asset.id for asset in assets if (asset.treatment, asset.technology) == ("retired", TRENCH)]
    groups.append(("trenches that were retired may be dug again", dug))
    yield from (f"{head}: {listed(found)}" for head, found in groups if found)
