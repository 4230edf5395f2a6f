"""Active antennas: 3GPP TR 38.901 V17.0.0, clause 7.3, one panel and polarization of M x N elements.

A beam is a set of complex weights on the elements; its field towards a direction is the weights'
sum with the phases of the plane wave, times the element's field (Table 7.3-1). Gains are dBi from
integration over the sphere, so that no beam radiates more than it is fed; the table's 8 dBi of an
element plus 10 lg of their number, as often added up, is not used.

Angles are those of ``antenna``: clockwise off the panel's axis, and below its horizon.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from xinji.core.arrays import Floats, Ints
from xinji.core.radio import AntennaCuts
from xinji.errors import Fault, InputError, raise_if
from xinji.plan.radio.antenna import Pattern, sector_db

Weights: TypeAlias = npt.NDArray[np.complex128]
"""Beams as weights (beams, rows, columns), rows from the lowest element upwards, columns clockwise."""

ELEMENT = Pattern(65.0, 65.0, 0.0, 30.0, 30.0)
"""One element of TR 38.901, Table 7.3-1 (65 deg both ways, 30 dB side lobe and front-to-back)."""

_RINGS, _BEARINGS = 180, 360


@dataclass(frozen=True, slots=True)
class Panel:
    """A rectangular panel: ``rows`` x ``columns`` elements and their spacing in wavelengths.

    Raises InputError for fewer than one row or column or a spacing that is not positive.
    """

    rows: int
    columns: int
    row_spacing: float
    column_spacing: float
    element: Pattern = ELEMENT

    def __post_init__(self) -> None:
        raise_if(self._faults(), InputError)

    def _faults(self) -> Iterator[Fault]:
        for name in ("rows", "columns"):
            if getattr(self, name) < 1:
                yield Fault("panel", f"{name} is {getattr(self, name)}", "Give at least one.")
        for name in ("row_spacing", "column_spacing"):
            if not getattr(self, name) > 0.0:
                yield Fault("panel", f"{name} is {getattr(self, name):g}", "Give wavelengths, such as 0.5.")


def steered_beams(panel: Panel, off_axis_deg: Floats, depression_deg: Floats) -> Weights:
    """Return weights (b, rows, columns) of total power 1 that point beams at directions (b,) each."""
    off, below = np.broadcast_arrays(np.radians(off_axis_deg), np.radians(depression_deg))
    rise = _phases(panel.rows, -panel.row_spacing * np.sin(below))
    turn = _phases(panel.columns, panel.column_spacing * np.cos(below) * np.sin(off))
    return np.asarray(np.conj(rise[:, :, None] * turn[:, None, :]) / np.sqrt(panel.rows * panel.columns))


def dft_beams(panel: Panel, row_oversampling: int, column_oversampling: int) -> Weights:
    """Return the whole DFT beam set (b, rows, columns), b the elements times both oversamplings.

    Beams v_(l,m) of 3GPP TS 38.214, clause 5.2.2.2.1, with total power 1; vertical index first.
    Beams whose direction is not in real space (spacing below half a wavelength) are among them.
    Raises InputError for an oversampling below 1.
    """
    factors = (("row_oversampling", row_oversampling), ("column_oversampling", column_oversampling))
    faults = [Fault("panel", f"{name} is {factor}", "Give 1 or more.") for name, factor in factors if factor < 1]
    raise_if(faults, InputError)
    rows, columns = panel.rows * row_oversampling, panel.columns * column_oversampling
    rise = _phases(panel.rows, np.arange(rows) / rows)
    turn = _phases(panel.columns, np.arange(columns) / columns)
    beams = rise[:, None, :, None] * turn[None, :, None, :]
    return np.asarray(beams.reshape(-1, panel.rows, panel.columns) / np.sqrt(panel.rows * panel.columns))


def beam_gain_dbi(panel: Panel, weights: Weights, off_axis_deg: Floats, depression_deg: Floats) -> Floats:
    """Return the gain [dBi] of each beam towards points: (b, points) for directions (points,).

    Raises InputError if the weights do not fit the panel.
    """
    raise_if(_weight_faults(panel, weights), InputError)
    off, below = np.broadcast_arrays(off_axis_deg, depression_deg)
    field = np.empty((len(weights), off.size), dtype=np.complex128)
    rise = _phases(panel.rows, -panel.row_spacing * np.sin(np.radians(below)))
    turn = _phases(panel.columns, panel.column_spacing * np.cos(np.radians(below)) * np.sin(np.radians(off)))
    for k, beam in enumerate(weights):
        field[k] = ((rise @ beam) * turn).sum(axis=1)
    element = 10.0 ** (0.1 * sector_db(panel.element, off, below))
    power = np.abs(field) ** 2 * element / radiated_power(panel, weights)[:, None]
    return np.asarray(10.0 * np.log10(np.maximum(power, np.finfo(np.float64).tiny)))


def radiated_power(panel: Panel, weights: Weights) -> Floats:
    """Return the mean over the sphere of each beam's power pattern (b,); gain is power over this.

    The pattern's mean is the sum, over all pairs of elements, of one's weight times the other's
    conjugate times what both share by their distance alone, so that one integral serves all beams.
    Raises InputError if the weights do not fit the panel.
    """
    raise_if(_weight_faults(panel, weights), InputError)
    shared = _shared_power(panel)
    spectrum = np.abs(np.fft.fft2(weights, shared.shape)) ** 2
    return np.asarray((np.fft.ifft2(spectrum) * shared).sum(axis=(1, 2)).real)


def _shared_power(panel: Panel) -> npt.NDArray[np.complex128]:
    """Return the mean of the element's power times the phase between elements, by their lags.

    Shape (2 rows - 1, 2 columns - 1), lags 0, 1, ... and then the negative ones. Gauss-Legendre rings
    in the sine of the depression times even bearings.
    """
    sine, share = np.polynomial.legendre.leggauss(_RINGS)
    bearing = 360.0 * (np.arange(_BEARINGS) + 0.5) / _BEARINGS - 180.0
    across = panel.column_spacing * np.sqrt(1.0 - sine[:, None] ** 2) * np.sin(np.radians(bearing))
    element = 10.0 ** (0.1 * sector_db(panel.element, bearing, np.degrees(np.arcsin(sine))[:, None]))
    lags = _lags(panel.columns)
    turn = np.stack([(element * np.exp(2j * np.pi * lag * across)).mean(axis=1) for lag in lags])
    rise = np.exp(-2j * np.pi * panel.row_spacing * _lags(panel.rows)[:, None] * sine)
    return np.asarray(np.einsum("pr,r,qr->pq", rise, share / 2.0, turn))


def _lags(count: int) -> Ints:
    """Return the distances between ``count`` elements in a row: 0 up, then the negative ones up to -1."""
    return np.concatenate([np.arange(count), np.arange(1 - count, 0)])


def envelope_dbi(panel: Panel, weights: Weights, off_axis_deg: Floats, depression_deg: Floats) -> Floats:
    """Return the gain [dBi] of the best beam of a set towards each direction (points,)."""
    return np.asarray(beam_gain_dbi(panel, weights, off_axis_deg, depression_deg).max(axis=0))


def envelope_cuts(name: str, panel: Panel, weights: Weights, frequency_mhz: float) -> AntennaCuts:
    """Return the cuts of a set's envelope, to be used as any antenna's.

    The vertical cut runs through the axis; the horizontal one at its depression of highest gain,
    relative to the value there. ``gain_dbi`` is the highest of both, ``electrical_tilt_deg`` that depression.
    """
    angle = np.arange(360.0)
    off, below = vertical_circle(angle)
    vertical = envelope_dbi(panel, weights, off, below)
    front = np.flatnonzero(off == 0.0)
    tilt = float(below[front[np.argmax(vertical[front])]])
    horizontal = envelope_dbi(panel, weights, angle, np.full(360, tilt))
    gain = float(max(horizontal.max(), vertical.max()))
    return AntennaCuts(name, gain, frequency_mhz, tilt, horizontal_db=gain - horizontal, vertical_db=gain - vertical)


def vertical_circle(angle_deg: Floats) -> tuple[Floats, Floats]:
    """Return angles off the axis and below the horizon [deg] of the vertical cut's angles 0 to 360.

    Downwards from the horizon in front: 90 is the ground, 180 the horizon behind, 270 the sky.
    """
    behind = (angle_deg > 90.0) & (angle_deg < 270.0)
    below = np.where(behind, 180.0 - angle_deg, (angle_deg + 180.0) % 360.0 - 180.0)
    return np.where(behind, 180.0, 0.0), below


def _phases(count: int, cycles: Floats) -> Weights:
    """Return the plane wave's phases (n, count) for ``cycles`` (n,) from one element to the next."""
    return np.asarray(np.exp(2j * np.pi * cycles[:, None] * np.arange(count)))


def _weight_faults(panel: Panel, weights: Weights) -> Iterator[Fault]:
    expected = (panel.rows, panel.columns)
    if weights.ndim != 3 or weights.shape[1:] != expected:
        found = f"weights have shape {weights.shape}, expected (beams, {panel.rows}, {panel.columns})"
        yield Fault("panel", found, "Give one weight for each element and beam.")
