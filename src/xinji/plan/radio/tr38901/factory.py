"""3GPP TR 38.901 V17.0.0: path loss, line of sight and shadow fading inside a factory (InF).

The name of a hall says how it is filled and where its antennas hang: S sparse or D dense clutter,
L antenna and terminal among the clutter or H the antenna above it; HH has both above. Arrays are
float64 and broadcast together. A value outside the range of its table raises InputError.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Floats
from xinji.errors import Fault, InputError, raise_if
from xinji.plan.radio.tr38901.ranges import TR_FREQUENCY_GHZ, range_faults, require_known

FACTORIES = ("InF-SL", "InF-DL", "InF-SH", "InF-DH", "InF-HH")

FACTORY_DISTANCE_M = (1.0, 600.0)
"""Straight distances of Table 7.4.1-1, InF."""

FACTORY_SIGMA_DB = {"InF-SL": 5.7, "InF-DL": 7.2, "InF-SH": 5.9, "InF-DH": 4.0}
"""Standard deviation [dB] of shadow fading without sight (Table 7.4.1-1)."""

FACTORY_LOS_SIGMA_DB = 4.3
"""Standard deviation [dB] of shadow fading with sight (Table 7.4.1-1)."""

DENSE_FROM = 0.4
"""Share of the floor from which clutter counts as dense (Table 7.2-4)."""

CLUTTER_HEIGHT_MAX_M = 10.0
"""Highest effective clutter (Table 7.2-4)."""

_NLOS = {"InF-SL": (33.0, 25.5), "InF-DL": (18.6, 35.7), "InF-SH": (32.4, 23.0), "InF-DH": (33.63, 21.9)}


@dataclass(frozen=True, slots=True)
class Clutter:
    """What stands in a hall: ``density`` is the share of the floor it covers, ``size_m`` its typical size.

    ``height_m`` is the effective clutter height (TR 38.901, Table 7.2-4). Raises InputError for a
    density outside 0 to 1 or a size or height that is not positive.
    """

    density: float
    size_m: float
    height_m: float

    def __post_init__(self) -> None:
        raise_if(self._faults(), InputError)

    def _faults(self) -> Iterator[Fault]:
        if not 0.0 < self.density < 1.0:
            yield Fault("clutter", f"density is {self.density:g}", "Give a share between 0 and 1, both excluded.")
        if not self.size_m > 0.0:
            yield Fault("clutter", f"size is {self.size_m:g} m", "Give the typical size in metres, 10 or 2 m.")
        if not 0.0 < self.height_m <= CLUTTER_HEIGHT_MAX_M:
            remedy = f"Give more than 0 and at most {CLUTTER_HEIGHT_MAX_M:g} m."
            yield Fault("clutter", f"effective height is {self.height_m:g} m", remedy)


def factory_path_loss_db(factory: str, distance_3d_m: Floats, frequency_ghz: Floats, *, los: bool) -> Floats:
    """Return the median path loss [dB] at a straight distance [m] (TR 38.901, Table 7.4.1-1, InF).

    ``factory`` is one of ``FACTORIES``. Raises InputError for an unknown one, for InF-HH without
    sight (the table has no such row), a distance outside 1 to 600 m or a frequency outside 0.5 to
    100 GHz.
    """
    require_known("factory", factory, FACTORIES)
    raise_if(_sight_faults(factory, los=los), InputError)
    checks = [
        ("distance_3d_m", distance_3d_m, FACTORY_DISTANCE_M),
        ("frequency_ghz", frequency_ghz, TR_FREQUENCY_GHZ),
    ]
    raise_if(range_faults(f"TR 38.901 {factory}", checks), InputError)
    return factory_formula_db(factory, distance_3d_m, frequency_ghz, los=los)


def factory_formula_db(factory: str, distance_3d_m: Floats, frequency_ghz: Floats, *, los: bool) -> Floats:
    """Return the path loss [dB] of Table 7.4.1-1, InF, for any values.

    Without sight InF-DL is never below InF-SL, and none is below the loss with sight.
    """
    decades = np.log10(distance_3d_m)
    loss = np.asarray(31.84 + 21.5 * decades + 19.0 * np.log10(frequency_ghz))
    if los:
        return loss
    for name in ("InF-SL", "InF-DL") if factory == "InF-DL" else (factory,):
        constant, slope = _NLOS[name]
        loss = np.maximum(loss, constant + slope * decades + 20.0 * np.log10(frequency_ghz))
    return loss


def factory_k_m(factory: str, clutter: Clutter, h_bs_m: Floats, h_ut_m: Floats) -> Floats:
    """Return k_subsce [m], over which sight is lost (TR 38.901, Table 7.4.2-1); infinite for InF-HH.

    Raises InputError where the clutter is sparse in a dense hall or the reverse (Table 7.2-4), or
    where heights contradict the name: L has antenna and terminal below the clutter, H the antenna
    above it and the terminal below, HH both above.
    """
    require_known("factory", factory, FACTORIES)
    raise_if(_place_faults(factory, clutter, h_bs_m, h_ut_m), InputError)
    shape = np.broadcast_shapes(h_bs_m.shape, h_ut_m.shape)
    if factory == "InF-HH":
        return np.full(shape, np.inf)
    flat = -clutter.size_m / np.log1p(-clutter.density)
    if factory.endswith("L"):
        return np.full(shape, flat)
    return np.asarray(flat * (h_bs_m - h_ut_m) / (clutter.height_m - h_ut_m))


def factory_los_probability(
    factory: str, distance_2d_m: Floats, clutter: Clutter, h_bs_m: Floats, h_ut_m: Floats
) -> Floats:
    """Return the probability of line of sight in a factory (TR 38.901, Table 7.4.2-1).

    Raises InputError as ``factory_k_m`` does.
    """
    return np.exp(-distance_2d_m / factory_k_m(factory, clutter, h_bs_m, h_ut_m))


def factory_shadow_fading_db(factory: str, distance_2d_m: Floats, *, los: bool) -> Floats:
    """Return the standard deviation [dB] of shadow fading (TR 38.901, Table 7.4.1-1, InF).

    Raises InputError for an unknown factory, and for InF-HH without sight.
    """
    require_known("factory", factory, FACTORIES)
    raise_if(_sight_faults(factory, los=los), InputError)
    return np.full(distance_2d_m.shape, FACTORY_LOS_SIGMA_DB if los else FACTORY_SIGMA_DB[factory])


def _sight_faults(factory: str, *, los: bool) -> Iterator[Fault]:
    if factory == "InF-HH" and not los:
        remedy = "Both antennas are above the clutter: give los=True, or name another hall."
        yield Fault("TR 38.901 InF-HH", "has no path loss without sight", remedy)


def _place_faults(factory: str, clutter: Clutter, h_bs_m: Floats, h_ut_m: Floats) -> Iterator[Fault]:
    layer, top = f"TR 38.901 {factory}", clutter.height_m
    if factory != "InF-HH" and (clutter.density >= DENSE_FROM) != (factory[4] == "D"):
        found = f"clutter density is {clutter.density:g}"
        yield Fault(layer, found, f"Halls S have less than {DENSE_FROM:g}, halls D at least that: name the other one.")
    wanted = (("h_bs_m", h_bs_m, factory[4:] in ("HH", "SH", "DH")), ("h_ut_m", h_ut_m, factory == "InF-HH"))
    for name, height, above in wanted:
        bad = ~(height > top) if above else ~((height > 0.0) & (height < top))
        if bad.any():
            side = "above" if above else "below"
            found = f"{name} has {int(bad.sum())} values not {side} the clutter of {top:g} m"
            yield Fault(
                layer, found, f"Such as {height[bad].flat[0]:g} m; name the hall that fits, or mend the heights."
            )
