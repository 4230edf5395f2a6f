"""What measured levels say of the propagation model: a correction by land use, and the evidence for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Bools, Floats, freeze
from xinji.core.vocabulary import LAND_USES
from xinji.errors import Fault, InputError, raise_if

ALL = "all"
"""Stands beside the names of ``LAND_USES`` where evidence is of all land uses together."""

MODELS = ("none", "offset", "offset by class", "offset and slope", "offset by class and slope")
"""The corrections that are tried, from the simplest; ``"none"`` leaves the model as it is."""

VERDICT_KINDS = ("enough", "refused", "doubt")
"""``refused``: the data do not allow it; ``doubt``: they do, but something is to be looked into."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One plain sentence on the data: of what (a land use, a site, a band, ``"all"``), and its kind."""

    subject: str
    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class Errors:
    """Errors [dB] of predicted less measured level: mean absolute, root mean square, and mean."""

    mae_db: float
    rmse_db: float
    bias_db: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the data say of one land use, or of ``"all"``.

    ``points`` were measured, ``bins`` are their local medians, ``effective_bins`` as many
    uncorrelated ones, at ``sites``. ``offset_db`` is the further loss that was found, with its
    standard error, whether or not it is applied; ``spread_before_db`` and ``spread_after_db`` are
    standard deviations of the residuals; ``before`` and ``after`` the errors at sites held out of the
    fit. Figures that no bin stands behind are NaN.
    """

    subject: str
    points: int
    bins: int
    effective_bins: float
    sites: int
    offset_db: float
    stderr_db: float
    spread_before_db: float
    spread_after_db: float
    before: Errors
    after: Errors


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """A correction of basic transmission loss, by land use of the receiver.

    Where ``applied`` (land uses,), loss grows by ``offset_db`` (land uses,) and by ``slope_db``
    [dB a decade] times the decades of distance from ``reference_m``; beyond ``distance_m`` (nearest,
    farthest measured) the distance counts as at its end. ``sigma_db`` (land uses,) is the standard
    deviation of local medians about the corrected level within a site, ``site_sigma_db`` of the
    sites' own offsets; NaN where nothing is applied. ``model`` is one of ``MODELS``; ``bands_mhz`` are
    those measured.
    """

    model: str
    offset_db: Floats
    applied: Bools
    slope_db: float
    reference_m: float
    distance_m: tuple[float, float]
    sigma_db: Floats
    site_sigma_db: float
    bands_mhz: tuple[int, ...]
    evidence: tuple[Evidence, ...]
    verdicts: tuple[Verdict, ...]

    def __post_init__(self) -> None:
        raise_if(self._faults(), InputError)
        freeze(self.offset_db, self.applied, self.sigma_db)

    def _faults(self) -> Iterator[Fault]:
        if self.model not in MODELS:
            yield Fault("calibration", f"model is {self.model!r}", f"Use one of {', '.join(MODELS)}.")
        for name in ("offset_db", "applied", "sigma_db"):
            shape = getattr(self, name).shape
            if shape != (len(LAND_USES),):
                yield Fault("calibration", f"{name} has shape {shape}", "Give one value for each land use.")
                return
        if not np.isfinite(self.offset_db).all() or not np.isfinite(self.slope_db):
            yield Fault("calibration", "an offset or the slope is missing", "Give decibels.")
        spread = np.append(self.sigma_db[self.applied], self.site_sigma_db if self.applied.any() else 0.0)
        if not (np.isfinite(spread) & (spread >= 0)).all():
            yield Fault("calibration", "a standard deviation is negative or missing", "Give decibels of at least 0.")
        nearest, farthest = self.distance_m
        if not 0 < nearest <= self.reference_m <= farthest < np.inf:
            found = f"distances are {nearest:g}, {self.reference_m:g} and {farthest:g} m"
            yield Fault("calibration", found, "Give nearest, reference and farthest in rising order, above 0.")
        if self.model == MODELS[0] and self.applied.any():
            yield Fault("calibration", "the model is 'none' but a class is corrected", "Set applied to false.")
        for verdict in self.verdicts:
            if verdict.kind not in VERDICT_KINDS:
                remedy = f"Use one of {', '.join(VERDICT_KINDS)}."
                yield Fault("calibration", f"a verdict is of kind {verdict.kind!r}", remedy)
