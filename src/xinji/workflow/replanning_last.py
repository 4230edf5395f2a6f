"""The last plan, which one that is made again from a ledger is held against."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from xinji.core.difference import Explanation
from xinji.core.replanned import Replanned
from xinji.core.study import Study
from xinji.errors import Fault, InputError, raise_if
from xinji.io.plan_diff_reasons import explain
from xinji.io.plan_json import plan_document, read_plan_json
from xinji.io.plan_schema import PlanDocument, ReplannedEntry

LAST_FILE = "last_plan.json"
"""The copy of the last plan's plan.json in the folder of the plan made again."""


@dataclass(frozen=True, slots=True)
class LastPlan:
    """A plan that was made before: what its plan.json says, and its ``text`` as it was read."""

    document: PlanDocument
    text: str


def read_last(path: Path, *, region: str, currency: str) -> LastPlan:
    """Return the plan at ``path``, a plan's folder or its plan.json.

    Asked before a long search, so that its result is not lost to a wrong file: raises InputError where the
    plan cannot be read, is of another region or currency than is to be planned, or its money does not add up.
    """
    document = read_plan_json(path)
    pairs = (("region", document.region, region), ("currency", document.currency, currency))
    remedy = "Name a plan of the region that is planned."
    raise_if(
        [
            Fault("--last", f"its {name} is {theirs!r}, that of the region to plan is {ours!r}", remedy)
            for name, theirs, ours in pairs
            if theirs != ours
        ],
        InputError,
    )
    # Against a plan of nothing every cent of its own must have a reason.
    nothing = ReplannedEntry(at="", assets={}, money={}, learned=[], notes=[])
    explain(document, document.model_copy(update={"options": {}, "trenches": {}, "replanned": nothing}))
    file = path / "plan.json" if path.is_dir() else path
    return LastPlan(document, file.read_text(encoding="utf-8"))


def explained(last: LastPlan | None, study: Study, replanned: Replanned | None) -> Explanation | None:
    """Return why ``study`` differs from the ``last`` plan; None where there is none, or no ledger."""
    if last is None or replanned is None:
        return None
    return explain(last.document, plan_document(study, replanned=replanned))
