"""What a ledger left of a plan, out of its plan.json."""

from __future__ import annotations

from xinji.core.replanned import LearnedCost, LedgerAsset, Reconciliation, Replanned, YearMoney
from xinji.io.plan_schema import PlanDocument


def replanned_in(document: PlanDocument) -> Replanned | None:
    """Return what a ledger left of the plan ``document``; None where the plan was made without one.

    Raises InputError where its money does not add up.
    """
    made = document.replanned
    if made is None:
        return None
    assets = []
    for name, entry in made.assets.items():
        paid = tuple(sorted((int(year), cents) for year, cents in entry.paid.items()))
        assets.append(LedgerAsset(id=name, **(entry.model_dump() | {"paid": paid})))
    lines = sorted((int(year), entry) for year, entry in made.money.items())
    return Replanned(
        at=made.at,
        assets=tuple(assets),
        reconciliation=Reconciliation(tuple(YearMoney(year, **entry.model_dump()) for year, entry in lines)),
        learned=tuple(LearnedCost(**cost.model_dump()) for cost in made.learned),
        notes=tuple(made.notes),
    )
