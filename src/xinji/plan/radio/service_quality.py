"""What a level and a SINR mean to users: rates both ways, and the chance of coverage outdoors and inside buildings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Floats
from xinji.core.parameters import Parameters
from xinji.core.radio import Sectors
from xinji.errors import Fault, ParameterError
from xinji.plan.radio.bands import Band
from xinji.plan.radio.indoor import QUANTILES, EntryTable, entry_table, outdoor_probability
from xinji.plan.radio.link import Carrier, LinkCurve, curve_of, read_carrier, read_noise_dbm, throughput_mbps
from xinji.plan.radio.p2109 import THERMALLY_EFFICIENT, TRADITIONAL, elevation_loss_db, entry_loss_db
from xinji.plan.radio.rules import require_chain
from xinji.plan.radio.service import Levels, Reception
from xinji.plan.radio.shadowing import read_shadowing
from xinji.plan.radio.uplink import UplinkCurve, coupling_loss_db, read_margin_db, read_power_control, uplink_curve

PLACES = ("outdoor", "residential", "industrial")
"""Where a user is: outside, in a dwelling or office, in a factory hall."""

LAYERS = (
    "rsrp_dbm",
    "sinr_db",
    "down_mbps",
    "up_mbps",
    "outdoor_probability",
    "residential_probability",
    "industrial_probability",
    "residential_rsrp_dbm",
    "industrial_rsrp_dbm",
)
"""The rasters of one band, beside the best server's; levels inside are medians over places."""


@dataclass(frozen=True, slots=True, eq=False)
class Quality:
    """One band's figures.

    ``noise_dbm`` is the terminal's in one subcarrier, ``rsrp_min_dbm`` the level that counts as covered;
    ``sigma_db`` the spread of levels over places outdoors; ``entry`` and ``entry_median_db`` the loss into
    buildings by place; ``gain_dbi`` that of the antenna less feeder, for the way up.
    """

    band: Band
    noise_dbm: float
    rsrp_min_dbm: float
    sigma_db: float
    entry: Mapping[str, EntryTable]
    entry_median_db: Mapping[str, float]
    carrier: Carrier
    curve: LinkCurve
    uplink: UplinkCurve
    gain_dbi: float


def read_quality(parameters: Parameters, band: Band) -> Quality:
    """Return the figures of ``band``. Raises ParameterError if one is missing.

    Walls are those of ITU-R P.2109 onto the loss outdoors, checked against the rules on what may be added.
    """
    require_chain(("P.1812", "P.2109"))
    read, key = parameters.value, f"radio.band.{band.mhz}"
    sigma = read_shadowing(parameters).sigma_db
    if not sigma > 0:
        message = "without any spread of levels a chance of coverage means nothing"
        raise ParameterError([Fault("parameter radio.shadowing.sigma", message, "Give a spread above 0 dB.")])
    efficient = {place: read(f"radio.thermally_efficient_share.{place}", "share") for place in PLACES[1:]}
    down, up = (read_carrier(parameters, band.mhz, way) for way in ("down", "up"))
    return Quality(
        band=band,
        noise_dbm=read_noise_dbm(parameters, band.mhz, "down"),
        rsrp_min_dbm=read("radio.rsrp_min", "dBm"),
        sigma_db=sigma,
        entry={place: entry_table(band.frequency_ghz, share, sigma) for place, share in efficient.items()},
        entry_median_db={place: entry_median_db(band.frequency_ghz, share) for place, share in efficient.items()},
        carrier=down,
        curve=curve_of(down, "down"),
        uplink=uplink_curve(
            up,
            read_power_control(parameters, band.mhz),
            noise_dbm=read_noise_dbm(parameters, band.mhz, "up"),
            margin_db=read_margin_db(parameters),
        ),
        gain_dbi=read(f"{key}.antenna_gain", "dBi") - read(f"{key}.feeder_loss", "dB"),
    )


def entry_median_db(frequency_ghz: float, thermally_efficient_share: float) -> float:
    """Return the median building entry loss [dB] at horizontal incidence over a mix of buildings (ITU-R P.2109-2)."""
    places = (np.arange(QUANTILES) + 0.5) / QUANTILES
    frequency, level = np.full(QUANTILES, frequency_ghz), np.zeros(QUANTILES)
    mix = ((TRADITIONAL, 1.0 - thermally_efficient_share), (THERMALLY_EFFICIENT, thermally_efficient_share))
    loss = np.concatenate([entry_loss_db(building, frequency, places, level) for building, _ in mix])
    weight = np.repeat([share / QUANTILES for _, share in mix], QUANTILES)
    order = np.argsort(loss, kind="stable")
    return float(np.interp(0.5, np.cumsum(weight[order]) - 0.5 * weight[order], loss[order]))


def layers(reception: Reception, quality: Quality, sectors: Sectors) -> dict[str, Levels]:
    """Return the rasters of ``LAYERS`` for one block, NaN where no sector is received.

    Rates are those of one user alone in the cell, disturbed by the others as loaded as they are.
    """
    served = reception.sector >= 0
    rsrp, sinr = reception.rsrp_dbm, reception.sinr_db
    margin = (rsrp - quality.rsrp_min_dbm).astype(np.float64)
    slant = elevation_loss_db(np.nan_to_num(reception.depression_deg, nan=0.0).astype(np.float64))
    found: dict[str, Floats | Levels] = {
        "rsrp_dbm": rsrp,
        "sinr_db": sinr,
        "down_mbps": throughput_mbps(sinr, quality.curve, quality.carrier),
        "up_mbps": _up_mbps(reception, quality, sectors),
        "outdoor_probability": outdoor_probability(margin, np.full(1, quality.sigma_db)),
    }
    for place in PLACES[1:]:
        found[f"{place}_probability"] = quality.entry[place].read(margin - slant)
        found[f"{place}_rsrp_dbm"] = rsrp - quality.entry_median_db[place] - slant
    return {name: np.where(served, found[name], np.nan).astype(np.float32) for name in LAYERS}


def _up_mbps(reception: Reception, quality: Quality, sectors: Sectors) -> Levels:
    eirp = sectors.eirp_dbm[reception.sector].astype(np.float32)
    loss = coupling_loss_db(reception.rsrp_dbm - eirp, 0.0, quality.gain_dbi)
    return quality.uplink.read(loss).rate_mbps
