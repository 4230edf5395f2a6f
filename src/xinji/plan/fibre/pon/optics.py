"""Loss budgets of passive optical networks: classes of optics, and what each path loses."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from xinji.core.arrays import Bools, Floats
from xinji.errors import Fault, InputError
from xinji.plan.fibre.pon.prices import Scheme
from xinji.plan.fibre.reach import LossBudget, path_loss_db


@dataclass(frozen=True, slots=True)
class OpticsClass:
    """Least and most loss [dB] between OLT and ONT that a class of optics works with."""

    least_db: float
    most_db: float
    source: str


CLASSES = {
    "B+": OpticsClass(13.0, 28.0, "ITU-T G.984.2 Amendment 1 (GPON)"),
    "C+": OpticsClass(17.0, 32.0, "ITU-T G.984.2 Amendment 2 (GPON)"),
    "N1": OpticsClass(14.0, 29.0, "ITU-T G.9807.1 (XGS-PON)"),
    "N2": OpticsClass(16.0, 31.0, "ITU-T G.9807.1 (XGS-PON)"),
    "E1": OpticsClass(18.0, 33.0, "ITU-T G.9807.1 (XGS-PON)"),
    "E2": OpticsClass(20.0, 35.0, "ITU-T G.9807.1 (XGS-PON)"),
}


def with_class(budget: LossBudget, name: str) -> LossBudget:
    """Return ``budget`` with the most loss of the class ``name`` (a key of ``CLASSES``).

    Raises InputError where there is no such class.
    """
    if name not in CLASSES:
        raise InputError([Fault("optics", f"there is no class {name!r}", f"Use one of {', '.join(CLASSES)}.")])
    return replace(budget, class_db=CLASSES[name].most_db)


def split_loss_db(length_m: Floats, scheme: Scheme, budget: LossBudget) -> Floats:
    """Return the loss [dB], margin included, of paths of ``length_m`` (p,) through both splitters of ``scheme``.

    Each doubling of the split costs the same, wherever the splitters stand.
    """
    return path_loss_db(length_m, replace(budget, split=float(scheme.split)))


def within(length_m: Floats, scheme: Scheme, budget: LossBudget) -> Bools:
    """Return whether paths of ``length_m`` (p,) keep loss class and distance class under ``scheme``."""
    fine: Bools = (split_loss_db(length_m, scheme, budget) <= budget.class_db) & (length_m <= budget.longest_m)
    return fine & np.isfinite(length_m)


def attenuator_db(length_m: Floats, scheme: Scheme, budget: LossBudget, least_db: float) -> Floats:
    """Return what a fixed attenuator must take [dB] (p,) so that short paths do not blind the receivers.

    The margin may not be used up by ageing yet, so it does not count.
    """
    fresh_db = split_loss_db(length_m, scheme, replace(budget, margin_db=0.0))
    return np.asarray(np.maximum(least_db - fresh_db, 0.0), dtype=np.float64)


__all__ = ["CLASSES", "OpticsClass", "attenuator_db", "split_loss_db", "with_class", "within"]
