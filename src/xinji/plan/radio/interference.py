"""Best server, RSRP and SINR of pixels that many sectors reach.

Levels are per resource element. The interference of a sector counts with its load, the busy share
of its resources. A fast kernel in float32 stands beside the float64 reference ``best_server``; it takes
sectors group by group, so that no more than one group is held in memory.

The sum of the interferers is kept apart from the server, never as a difference of a total and the
server, which would cancel near the mast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from xinji.core.arrays import AnyArray, Floats, Ints, freeze
from xinji.core.radio import CODES_PER_DB, Losses
from xinji.errors import Fault, raise_if
from xinji.plan.jit import vectorised

Singles: TypeAlias = NDArray[np.float32]
Numbers: TypeAlias = NDArray[np.int32]

NOT_RECEIVED_DBM = -300.0
"""A level at or below this is none."""

GROUP = 4
"""Sectors that the kernel takes at once, so that a pixel's state is read and written a quarter as often."""

_BLOCK = 1024
_OCTAVES_PER_DB = np.float32(np.log2(10.0) / 10.0)
_DB_PER_OCTAVE = np.float32(10.0 * np.log10(2.0))
_OCTAVES_PER_CODE = np.float32(np.log2(10.0) / 10.0 / CODES_PER_DB)
_BIAS = np.float32(128.0)
_LEAST = np.float32(2.0)
_ROOT = np.float32(np.sqrt(2.0))


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """What ``accumulate_codes`` and ``accumulate_levels`` have met so far; updated in place.

    ``level_dbm`` (n,) of the best sector and its number ``sector`` (n,), -1 while there is none;
    ``serving_mw`` (n,) is that sector's power times its load, ``others_mw`` (n,) the sum of the
    same over all other sectors [mW].
    """

    level_dbm: Singles
    sector: Numbers
    serving_mw: Singles
    others_mw: Singles


@dataclass(frozen=True, slots=True, eq=False)
class Received:
    """Best sector (n,), -1 where none is received, with its RSRP [dBm] (n,) and SINR [dB] (n,), else NaN."""

    sector: Numbers
    rsrp_dbm: Singles
    sinr_db: Singles

    def __post_init__(self) -> None:
        freeze(self.sector, self.rsrp_dbm, self.sinr_db)


def empty_tally(n: int) -> Tally:
    """Return a tally of ``n`` pixels that no sector has reached."""
    return Tally(
        level_dbm=np.full(n, NOT_RECEIVED_DBM, dtype=np.float32),
        sector=np.full(n, -1, dtype=np.int32),
        serving_mw=np.zeros(n, dtype=np.float32),
        others_mw=np.zeros(n, dtype=np.float32),
    )


def accumulate_codes(
    tally: Tally,
    loss: Losses,
    attenuation: Losses,
    *,
    site_of: Ints,
    eirp_dbm: Floats,
    load: Floats,
    first_sector: int = 0,
) -> None:
    """Add sectors to ``tally`` from the path loss of their sites.

    ``loss`` (sites, n) holds codes of ``LossMap``; ``attenuation`` (sectors, n) the antenna's
    attenuation from its axis with all other losses, in hundredths of a decibel; ``site_of``
    (sectors,) the row of ``loss``; ``eirp_dbm`` (sectors,) the level radiated along the axis per
    resource element; ``load`` (sectors,) from 0 to 1. The sectors get the numbers ``first_sector``
    onwards. Of equal levels the lower number serves. Raises InputError if shapes or values contradict.
    """
    sectors, n = attenuation.shape
    faults = [*_shape_faults(tally, n, sectors, (("site_of", site_of), ("eirp_dbm", eirp_dbm), ("load", load)))]
    if loss.dtype != np.uint16 or attenuation.dtype != np.uint16 or loss.shape[1:] != (n,):
        found = f"loss is {loss.dtype} {loss.shape}, attenuation {attenuation.dtype} {attenuation.shape}"
        faults.append(Fault("interference", found, "Give uint16 codes on the same pixels."))
    if len(site_of) and not (site_of.min() >= 0 and site_of.max() < len(loss)):
        faults.append(Fault("interference", f"site_of goes beyond the {len(loss)} sites", "Give rows of loss."))
    raise_if([*faults, *_value_faults(eirp_dbm, load)])
    rows = np.stack([_padded(site_of, 0), _padded(np.arange(sectors), 0)])
    _add_codes(loss, attenuation, rows, _figures(eirp_dbm, load, first_sector), *_state(tally))


def accumulate_levels(tally: Tally, rsrp_dbm: Singles, *, load: Floats, first_sector: int = 0) -> None:
    """Add sectors to ``tally`` from their levels.

    ``rsrp_dbm`` (sectors, n), ``NOT_RECEIVED_DBM`` or less where there is none (infinite and NaN are
    not allowed); ``load`` (sectors,) from 0 to 1. Numbers as in ``accumulate_codes``. Raises
    InputError if shapes or values contradict.
    """
    sectors, n = rsrp_dbm.shape
    faults = [*_shape_faults(tally, n, sectors, (("load", load),))]
    if rsrp_dbm.dtype != np.float32:
        faults.append(Fault("interference", f"rsrp_dbm is {rsrp_dbm.dtype}", "Give float32 levels."))
    raise_if([*faults, *_value_faults(np.zeros(sectors), load)])
    _add_levels(
        rsrp_dbm, _padded(np.arange(sectors), 0), _figures(np.zeros(sectors), load, first_sector), *_state(tally)
    )


def finish(tally: Tally, noise_dbm: float) -> Received:
    """Return server, RSRP and SINR; ``noise_dbm`` is the receiver's noise per resource element."""
    sinr = np.empty(len(tally.sector), dtype=np.float32)
    _ratio(tally.level_dbm, tally.others_mw, np.float32(10.0 ** (noise_dbm / 10.0)), sinr)
    none = tally.sector < 0
    rsrp = tally.level_dbm.copy()
    rsrp[none] = np.nan
    sinr[none] = np.nan
    return Received(tally.sector.copy(), rsrp, sinr)


def best_server(rsrp_dbm: Floats, load: Floats, noise_dbm: float) -> Received:
    """Return server, RSRP and SINR of ``rsrp_dbm`` (sectors, n) in float64; the reference.

    SINR = P_s / (N + sum over k other than s of load_k P_k), s being the strongest sector.
    """
    power = 10.0 ** (rsrp_dbm / 10.0)
    sector = rsrp_dbm.argmax(axis=0)
    column = np.arange(rsrp_dbm.shape[1])
    level = rsrp_dbm[sector, column]
    interference = load[:, None] * power
    interference[sector, column] = 0.0
    sinr = level - 10.0 * np.log10(10.0 ** (noise_dbm / 10.0) + interference.sum(axis=0))
    none = ~(level > NOT_RECEIVED_DBM)
    return Received(
        sector=np.where(none, -1, sector).astype(np.int32),
        rsrp_dbm=np.where(none, np.nan, level).astype(np.float32),
        sinr_db=np.where(none, np.nan, sinr).astype(np.float32),
    )


def _state(tally: Tally) -> tuple[Singles, Numbers, Singles, Singles]:
    return tally.level_dbm, tally.sector, tally.serving_mw, tally.others_mw


def _padded(values: AnyArray, fill: float) -> AnyArray:
    """Return ``values`` (k,) filled up to whole groups."""
    return np.pad(values, (0, -len(values) % GROUP), constant_values=fill)


def _figures(top_dbm: Floats, load: Floats, first: int) -> Singles:
    """Return top level [octaves above 2^-128 mW], load and number of each sector (3, k in whole groups)."""
    number = first + np.arange(len(load))
    # A sector that only fills a group never serves and adds nothing.
    rows = (
        _padded(top_dbm * np.log2(10.0) / 10.0 + 128.0, -1e6),
        _padded(load, 0.0),
        _padded(number.astype(np.float64), -1.0),
    )
    return np.stack(rows).astype(np.float32)


def _shape_faults(tally: Tally, n: int, sectors: int, columns: tuple[tuple[str, AnyArray], ...]) -> list[Fault]:
    faults = [
        Fault("interference", f"{name} has shape {values.shape}, expected ({sectors},)", "Give one value a sector.")
        for name, values in columns
        if values.shape != (sectors,)
    ]
    if len(tally.sector) != n:
        faults.append(Fault("interference", f"the tally has {len(tally.sector)} pixels, not {n}", "Use one block."))
    return faults


def _value_faults(eirp_dbm: Floats, load: Floats) -> list[Fault]:
    faults = []
    if not np.isfinite(eirp_dbm).all():
        faults.append(Fault("interference", "eirp_dbm holds missing numbers", "Give a level for each sector."))
    if not ((load >= 0) & (load <= 1)).all():
        faults.append(Fault("interference", "load is outside 0 to 1", "Give the busy share of resources."))
    return faults


@vectorised
def _power_mw(octaves: np.float32) -> np.float32:
    """Return 2^(octaves - 128), at least 2^-126; relative error 3e-6 (minimax polynomial of degree 4)."""
    whole = np.int32(octaves)
    f = octaves - np.float32(whole)
    p = np.float32(0.24144275) + f * (np.float32(0.05201146) + f * np.float32(0.01353417))
    p = np.float32(np.float32(1.00000259) + f * (np.float32(0.69300384) + f * p))
    return np.int32(p.view(np.int32) + np.int32((whole - np.int32(128)) << np.int32(23))).view(np.float32)


@vectorised
def _log2(x: np.float32) -> np.float32:
    """Return log2 of a positive number; error 2e-6 (series of the inverse hyperbolic tangent)."""
    bits = np.float32(x).view(np.int32)
    exponent = np.float32(np.int32(bits >> np.int32(23)) - np.int32(127))
    m = np.int32(np.int32(bits & np.int32(0x7FFFFF)) | np.int32(0x3F800000)).view(np.float32)
    u = (m - _ROOT) / (m + _ROOT)
    v = u * u
    series = np.float32(2.8853901) + v * (np.float32(0.9617967) + v * np.float32(0.5770780))
    return np.float32(exponent + np.float32(0.5) + u * series)


@vectorised
def _from_codes(top: np.float32, loss: np.uint16, attenuation: np.uint16) -> np.float32:
    """Return the level [octaves above 2^-128 mW], at least 2."""
    code = np.float32(np.int32(loss) + np.int32(attenuation))
    return np.float32(max(top - _OCTAVES_PER_CODE * code, _LEAST))


@vectorised
def _from_level(top: np.float32, level: np.float32) -> np.float32:
    """Return the level [octaves above 2^-128 mW], at least 2."""
    return np.float32(max(top + _OCTAVES_PER_DB * level, _LEAST))


@vectorised
def _join(
    octaves: np.float32,
    load: np.float32,
    number: np.float32,
    state: tuple[np.float32, np.float32, np.float32, np.float32],
) -> tuple[np.float32, np.float32, np.float32, np.float32]:
    """Return best level, its sector, its loaded power and the others' after one more sector."""
    best, sector, serving, others = state
    power = _power_mw(octaves) * load
    wins = octaves > best
    return (
        max(octaves, best),
        number if wins else sector,
        power if wins else serving,
        others + (serving if wins else power),
    )


@vectorised
def _load_block(w: Singles, start: int, level: Singles, sector: Numbers, serving: Singles, others: Singles) -> None:
    for i in range(min(_BLOCK, len(level) - start)):
        w[i] = level[start + i] * _OCTAVES_PER_DB + _BIAS
        w[i + _BLOCK] = np.float32(sector[start + i])
        w[i + 2 * _BLOCK] = serving[start + i]
        w[i + 3 * _BLOCK] = others[start + i]


@vectorised
def _keep_block(w: Singles, start: int, level: Singles, sector: Numbers, serving: Singles, others: Singles) -> None:
    for i in range(min(_BLOCK, len(level) - start)):
        level[start + i] = (w[i] - _BIAS) * _DB_PER_OCTAVE
        sector[start + i] = np.int32(w[i + _BLOCK])
        serving[start + i] = w[i + 2 * _BLOCK]
        others[start + i] = w[i + 3 * _BLOCK]


@vectorised
def _add_codes(
    loss: Losses,
    attenuation: Losses,
    rows: Ints,
    figures: Singles,
    level: Singles,
    sector: Numbers,
    serving: Singles,
    others: Singles,
) -> None:
    """Add whole groups of sectors; the state of a block of pixels lies in one array that stays in the nearest cache.

    One array, because two whose overlap must be ruled out at run time would keep the loop from being vectorised.
    """
    w = np.empty(4 * _BLOCK, dtype=np.float32)
    for start in range(0, len(level), _BLOCK):
        m = min(_BLOCK, len(level) - start)
        _load_block(w, start, level, sector, serving, others)
        for k in range(0, rows.shape[1], 4):
            l0, a0 = loss[rows[0, k], start : start + m], attenuation[rows[1, k], start : start + m]
            l1, a1 = loss[rows[0, k + 1], start : start + m], attenuation[rows[1, k + 1], start : start + m]
            l2, a2 = loss[rows[0, k + 2], start : start + m], attenuation[rows[1, k + 2], start : start + m]
            l3, a3 = loss[rows[0, k + 3], start : start + m], attenuation[rows[1, k + 3], start : start + m]
            t0, p0, n0 = figures[0, k], figures[1, k], figures[2, k]
            t1, p1, n1 = figures[0, k + 1], figures[1, k + 1], figures[2, k + 1]
            t2, p2, n2 = figures[0, k + 2], figures[1, k + 2], figures[2, k + 2]
            t3, p3, n3 = figures[0, k + 3], figures[1, k + 3], figures[2, k + 3]
            for i in range(m):
                state = (w[i], w[i + _BLOCK], w[i + 2 * _BLOCK], w[i + 3 * _BLOCK])
                state = _join(_from_codes(t0, l0[i], a0[i]), p0, n0, state)
                state = _join(_from_codes(t1, l1[i], a1[i]), p1, n1, state)
                state = _join(_from_codes(t2, l2[i], a2[i]), p2, n2, state)
                state = _join(_from_codes(t3, l3[i], a3[i]), p3, n3, state)
                w[i], w[i + _BLOCK], w[i + 2 * _BLOCK], w[i + 3 * _BLOCK] = state
        _keep_block(w, start, level, sector, serving, others)


@vectorised
def _add_levels(
    received: Singles,
    rows: Ints,
    figures: Singles,
    level: Singles,
    sector: Numbers,
    serving: Singles,
    others: Singles,
) -> None:
    """Add whole groups of sectors from levels [dBm]; as ``_add_codes``."""
    w = np.empty(4 * _BLOCK, dtype=np.float32)
    for start in range(0, len(level), _BLOCK):
        m = min(_BLOCK, len(level) - start)
        _load_block(w, start, level, sector, serving, others)
        for k in range(0, len(rows), 4):
            r0, r1 = received[rows[k], start : start + m], received[rows[k + 1], start : start + m]
            r2, r3 = received[rows[k + 2], start : start + m], received[rows[k + 3], start : start + m]
            t0, p0, n0 = figures[0, k], figures[1, k], figures[2, k]
            t1, p1, n1 = figures[0, k + 1], figures[1, k + 1], figures[2, k + 1]
            t2, p2, n2 = figures[0, k + 2], figures[1, k + 2], figures[2, k + 2]
            t3, p3, n3 = figures[0, k + 3], figures[1, k + 3], figures[2, k + 3]
            for i in range(m):
                state = (w[i], w[i + _BLOCK], w[i + 2 * _BLOCK], w[i + 3 * _BLOCK])
                state = _join(_from_level(t0, r0[i]), p0, n0, state)
                state = _join(_from_level(t1, r1[i]), p1, n1, state)
                state = _join(_from_level(t2, r2[i]), p2, n2, state)
                state = _join(_from_level(t3, r3[i]), p3, n3, state)
                w[i], w[i + _BLOCK], w[i + 2 * _BLOCK], w[i + 3 * _BLOCK] = state
        _keep_block(w, start, level, sector, serving, others)


@vectorised
def _ratio(level: Singles, others: Singles, noise: np.float32, sinr: Singles) -> None:
    for i in range(len(level)):
        sinr[i] = level[i] - _DB_PER_OCTAVE * _log2(noise + others[i])
