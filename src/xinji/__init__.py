"""Xinji (新基): plans, builds and uses a region's digital infrastructure.

The names below are the whole of what others may rely on. They are loaded when first asked for, so
that ``import xinji`` and ``xinji --help`` do not wait for models and drawing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xinji.core.demand import Demand
    from xinji.core.difference import PlanDiff
    from xinji.core.offer import Offer, Trenches
    from xinji.core.parameters import Parameter, Parameters
    from xinji.core.plan import Plan
    from xinji.core.policy import Floor, Policy
    from xinji.core.problem import Problem
    from xinji.core.region import Region
    from xinji.core.study import Outcome, Study
    from xinji.errors import Fault, InfeasibleError, InputError, XinjiError
    from xinji.workflow.planning import (
        PlanRun,
        PlanSettings,
        check_region,
        diff,
        import_folder,
        load_study,
        new_region,
        plan_region,
        registry,
        report,
        write_study,
    )

__all__ = [
    "Demand",
    "Fault",
    "Floor",
    "InfeasibleError",
    "InputError",
    "Offer",
    "Outcome",
    "Parameter",
    "Parameters",
    "Plan",
    "PlanDiff",
    "PlanRun",
    "PlanSettings",
    "Policy",
    "Problem",
    "Region",
    "Study",
    "Trenches",
    "XinjiError",
    "check_region",
    "diff",
    "import_folder",
    "load_study",
    "new_region",
    "plan_region",
    "registry",
    "report",
    "write_study",
]

_HOMES = {
    "xinji.core.demand": ("Demand",),
    "xinji.core.difference": ("PlanDiff",),
    "xinji.core.offer": ("Offer", "Trenches"),
    "xinji.core.parameters": ("Parameter", "Parameters"),
    "xinji.core.plan": ("Plan",),
    "xinji.core.policy": ("Floor", "Policy"),
    "xinji.core.problem": ("Problem",),
    "xinji.core.region": ("Region",),
    "xinji.core.study": ("Outcome", "Study"),
    "xinji.errors": ("Fault", "InfeasibleError", "InputError", "XinjiError"),
    "xinji.workflow.planning": (
        "PlanRun",
        "PlanSettings",
        "check_region",
        "diff",
        "import_folder",
        "load_study",
        "new_region",
        "plan_region",
        "registry",
        "report",
        "write_study",
    ),
}


if not TYPE_CHECKING:  # type checkers shall refuse a name that is not above

    def __getattr__(name: str) -> object:
        for home, names in _HOMES.items():
            if name in names:
                return getattr(import_module(home), name)
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)


def __dir__() -> list[str]:
    return sorted(__all__)
