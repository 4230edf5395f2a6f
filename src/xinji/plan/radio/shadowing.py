"""Shadow fading that is alike at places near one another and, in part, towards different sites.

Along the ground the correlation is exp(-d / d_cor) (Gudmundson, "Correlation model for shadow fading in
mobile radio systems", Electronics Letters 27(23), 1991; 3GPP TR 38.901 V17.0.0, equation
7.4-5). Towards two sites it is 0.5, towards two sectors of one site 1 (3GPP TR 36.814 V9.2.0, Table
A.2.1.1-2). Fields are drawn on a raster by circulant embedding, which has exactly this correlation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from xinji.core.arrays import Floats
from xinji.core.parameters import Parameters
from xinji.errors import Fault, raise_if

Singles: TypeAlias = NDArray[np.float32]

DECORRELATION_M = {
    ("RMa", "LOS"): 37.0,
    ("RMa", "NLOS"): 120.0,
    ("RMa", "O2I"): 120.0,
    ("UMa", "LOS"): 37.0,
    ("UMa", "NLOS"): 50.0,
    ("UMa", "O2I"): 7.0,
    ("UMi", "LOS"): 10.0,
    ("UMi", "NLOS"): 13.0,
    ("UMi", "O2I"): 7.0,
    ("InH", "LOS"): 10.0,
    ("InH", "NLOS"): 6.0,
    ("InF", "LOS"): 10.0,
    ("InF", "NLOS"): 10.0,
}
"""Distance [m] at which the correlation has fallen to 1/e (TR 38.901, Table 7.5-6, rows SF)."""

_WRAP = 16.0
"""Least side of the torus in decorrelation distances; the seam then alters the correlation by e^-8 at most."""

_NEGATIVE = 1e-3


@dataclass(frozen=True, slots=True)
class Shadowing:
    """Lognormal shadow fading.

    Standard deviation ``sigma_db``, distance ``decorrelation_m`` of the correlation 1/e, and
    correlation ``between_sites`` (0 to 1).
    """

    sigma_db: float
    decorrelation_m: float
    between_sites: float

    def __post_init__(self) -> None:
        checks = (
            ("sigma_db", 0 <= self.sigma_db < np.inf, "at least 0"),
            ("decorrelation_m", 0 < self.decorrelation_m < np.inf, "above 0"),
            ("between_sites", 0 <= self.between_sites <= 1, "0 to 1"),
        )
        raise_if(
            Fault("shadowing", f"{name} is {getattr(self, name)}, expected {expected}", "Mend the figure.")
            for name, good, expected in checks
            if not good
        )


def read_shadowing(parameters: Parameters) -> Shadowing:
    """Return the shadow fading of the registry. Raises ParameterError or InputError."""
    return Shadowing(
        sigma_db=parameters.value("radio.shadowing.sigma", "dB"),
        decorrelation_m=parameters.value("radio.shadowing.decorrelation", "m"),
        between_sites=parameters.value("radio.shadowing.between_sites", "share"),
    )


def correlation(distance_m: Floats, decorrelation_m: float) -> Floats:
    """Return the correlation of shadow fading over a distance [m] (TR 38.901, equation 7.4-5)."""
    return np.asarray(np.exp(-distance_m / decorrelation_m))


def correlated_fields(
    rng: np.random.Generator, count: int, shape: tuple[int, int], *, cell_m: float, decorrelation_m: float
) -> Singles:
    """Return ``count`` independent normal fields of variance 1 (count, rows, columns), correlated in space.

    Circulant embedding (Dietrich and Newsam, SIAM Journal on Scientific Computing 18(4), 1997): white noise
    coloured by the root of the spectrum on a torus, two fields from one transform. Raises InputError if
    ``cell_m`` is not positive or the spectrum is not that of a correlation.
    """
    if not cell_m > 0:
        raise_if([Fault("shadowing", f"cell size is {cell_m} m", "Give a positive cell size.")])
    amplitude = _amplitude(shape, cell_m / decorrelation_m)
    fields = np.empty((count, *shape), dtype=np.float32)
    for first in range(0, count, 2):
        noise = rng.standard_normal((2, *amplitude.shape), dtype=np.float32)
        both = fft.fft2(amplitude * (noise[0] + 1j * noise[1]), overwrite_x=True)[: shape[0], : shape[1]]
        fields[first] = both.real
        fields[first + 1 : first + 2] = both.imag
    return fields


def shadowing_db(
    rng: np.random.Generator, sites: int, shape: tuple[int, int], *, cell_m: float, shadowing: Shadowing
) -> Singles:
    """Return the shadow fading towards each site [dB] (sites, rows, columns), to be added to the path loss.

    A share of the variance is common to all sites, the rest each site's own.
    """
    fields = correlated_fields(rng, sites + 1, shape, cell_m=cell_m, decorrelation_m=shadowing.decorrelation_m)
    own = np.float32(shadowing.sigma_db * np.sqrt(1.0 - shadowing.between_sites))
    common = np.float32(shadowing.sigma_db * np.sqrt(shadowing.between_sites))
    return np.asarray(own * fields[1:] + common * fields[0])


def _amplitude(shape: tuple[int, int], step: float) -> Singles:
    """Return the root of the spectrum on a torus; ``step`` is a pixel's side in decorrelation distances."""
    least = int(np.ceil(_WRAP / step))
    margin = int(np.ceil(_WRAP / 2.0 / step))
    sides = [fft.next_fast_len(max(least, side + margin, 2)) for side in shape]
    rows, columns = (np.minimum(np.arange(side), side - np.arange(side)) * step for side in sides)
    spectrum = fft.fft2(correlation(np.hypot(rows[:, None], columns[None, :]), 1.0)).real
    lost = -spectrum[spectrum < 0].sum() / spectrum.sum()
    if lost > _NEGATIVE:
        raise_if([Fault("shadowing", f"{lost:.1e} of the spectrum is negative", "Use a finer raster.")])
    positive = np.maximum(spectrum, 0.0)
    return np.asarray(np.sqrt(positive / positive.sum()), dtype=np.float32)
