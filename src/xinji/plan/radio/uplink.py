"""Uplink: what a terminal reaches with the power it has, and the interference that terminals make.

Levels are per resource element unless named otherwise. The coupling loss is everything between the two
antenna connectors: path loss, walls and feeders less the gains of both antennas.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Floats, Ints, freeze
from xinji.core.parameters import Parameters
from xinji.errors import Fault, raise_if
from xinji.plan.radio.interference import Numbers, Singles
from xinji.plan.radio.link import SUBCARRIERS_PER_BLOCK, Carrier, curve_of

_FIRST_DB, _LAST_DB, _STEP_DB = 30.0, 220.0, 0.05


@dataclass(frozen=True, slots=True)
class PowerControl:
    """Open-loop power control of PUSCH.

    ``power_max_dbm`` of the terminal, ``p0_dbm`` in one resource block of 180 kHz, and ``alpha``
    (0 to 1), the share of the coupling loss that is made up for.
    """

    power_max_dbm: float
    p0_dbm: float
    alpha: float

    def __post_init__(self) -> None:
        if not 0 <= self.alpha <= 1:
            raise_if([Fault("power control", f"alpha is {self.alpha}", "Give a share from 0 to 1.")])


@dataclass(frozen=True, slots=True, eq=False)
class Uplink:
    """What terminals get, each array of one shape.

    Throughput of a user alone in the cell ``rate_mbps`` [Mbit/s], resource ``blocks`` at which it is
    greatest (0 in outage), transmit ``power_dbm`` in all of them, and ``sinr_db`` of one layer. In
    outage power and SINR are NaN.
    """

    rate_mbps: Singles
    blocks: Numbers
    power_dbm: Singles
    sinr_db: Singles

    def __post_init__(self) -> None:
        freeze(self.rate_mbps, self.blocks, self.power_dbm, self.sinr_db)

    def density_dbm(self) -> Singles:
        """Return the transmit power in one resource element [dBm], NaN in outage."""
        subcarriers = np.maximum(SUBCARRIERS_PER_BLOCK * self.blocks, 1).astype(np.float32)
        return np.asarray(self.power_dbm - np.float32(10.0) * np.log10(subcarriers))


@dataclass(frozen=True, slots=True, eq=False)
class UplinkCurve:
    """The uplink over coupling loss, as a table of even steps: ``start_db`` + i ``step_db``."""

    start_db: float
    step_db: float
    table: Uplink

    def read(self, coupling_loss_db: Singles) -> Uplink:
        """Return the uplink at each coupling loss [dB] (float32 of any shape), of the next worse step.

        A loss beyond the table, infinite or NaN is an outage.
        """
        last = len(self.table.rate_mbps) - 1
        place = np.ceil((coupling_loss_db - np.float32(self.start_db)) * np.float32(1.0 / self.step_db))
        row = np.where(place <= last, np.maximum(place, 0.0), last).astype(np.int64)
        table = self.table
        return Uplink(table.rate_mbps[row], table.blocks[row], table.power_dbm[row], table.sinr_db[row])


def read_power_control(parameters: Parameters, mhz: int) -> PowerControl:
    """Return the power control of band ``mhz``. Raises ParameterError or InputError."""
    return PowerControl(
        power_max_dbm=parameters.value(f"radio.band.{mhz}.terminal_power", "dBm"),
        p0_dbm=parameters.value("radio.uplink.p0", "dBm"),
        alpha=parameters.value("radio.uplink.alpha", "share"),
    )


def read_margin_db(parameters: Parameters) -> float:
    """Return the interference over thermal noise that the uplink is planned with [dB]."""
    return parameters.value("radio.uplink.interference_margin", "dB")


def coupling_loss_db(rsrp_dbm: Singles, eirp_dbm: float, antenna_gain_dbi: float) -> Singles:
    """Return the coupling loss [dB] of a sector, from the RSRP that it is received with (any shape).

    ``eirp_dbm`` is radiated along its axis per resource element with ``antenna_gain_dbi``; path and antennas
    are the same both ways.
    """
    return np.asarray(np.float32(eirp_dbm - antenna_gain_dbi) - rsrp_dbm, dtype=np.float32)


def transmit_power_dbm(coupling_loss: Floats, blocks: Floats, subcarrier_khz: float, control: PowerControl) -> Floats:
    """Return the terminal's power [dBm] (arrays broadcast; 3GPP TS 38.213, 7.1.1).

    P = min(P_CMAX, P_0 + 10 log10(2^mu M) + alpha PL), without closed-loop and format terms; 2^mu
    is the spacing over 15 kHz.
    """
    wide = 10.0 * np.log10(subcarrier_khz / 15.0 * blocks)
    return np.minimum(control.power_max_dbm, control.p0_dbm + wide + control.alpha * coupling_loss)


def sinr_by_blocks_db(
    coupling_loss: Floats, blocks: Floats, subcarrier_khz: float, control: PowerControl, *, floor_dbm: float
) -> Floats:
    """Return the SINR at the site [dB] with ``blocks`` resource blocks (arrays broadcast).

    ``floor_dbm`` is noise and interference in one resource element.
    """
    power = transmit_power_dbm(coupling_loss, blocks, subcarrier_khz, control)
    return np.asarray(power - 10.0 * np.log10(SUBCARRIERS_PER_BLOCK * blocks) - coupling_loss - floor_dbm)


def uplink_curve(carrier: Carrier, control: PowerControl, *, noise_dbm: float, margin_db: float) -> UplinkCurve:
    """Return the uplink over coupling loss, with the number of blocks of the greatest throughput.

    Far out the power is at its limit, and fewer blocks hold the SINR up. ``noise_dbm`` is the site's
    per resource element, ``margin_db`` the interference over it. Raises InputError for a
    modulation without a table.
    """
    loss = np.arange(_FIRST_DB, _LAST_DB + _STEP_DB / 2.0, _STEP_DB)
    blocks = np.arange(1.0, carrier.resource_blocks + 1.0)
    rules = (blocks[None, :], carrier.subcarrier_khz, control)
    sinr = sinr_by_blocks_db(loss[:, None], *rules, floor_dbm=noise_dbm + margin_db)
    rate = curve_of(carrier, "up").read(sinr.astype(np.float32)) * blocks * (carrier.block_elements_per_s / 1e6)
    best = rate.argmax(axis=1)
    row = np.arange(len(loss))
    reached = rate[row, best] > 0
    power = transmit_power_dbm(loss, blocks[best], carrier.subcarrier_khz, control)
    table = Uplink(
        rate_mbps=rate[row, best].astype(np.float32),
        blocks=np.where(reached, best + 1, 0).astype(np.int32),
        power_dbm=np.where(reached, power, np.nan).astype(np.float32),
        sinr_db=np.where(reached, sinr[row, best], np.nan).astype(np.float32),
    )
    if table.rate_mbps[-1] > 0:
        found = f"a coupling loss of {_LAST_DB:g} dB is still carried"
        raise_if([Fault("uplink", found, "Check noise figure, power and P0.")])
    return UplinkCurve(_FIRST_DB, _STEP_DB, table)


def interference_mw(coupling_loss: Singles, server: Ints, weight: Floats, load: Floats, density_dbm: Singles) -> Floats:
    """Return the mean interference at each sector in one resource element [mW] (sectors,).

    ``coupling_loss`` (sectors, n) [dB] from every point to every sector, infinite where there is no path;
    ``server`` (n,), -1 for none; ``weight`` (n,) the users of a point; ``density_dbm`` (n,) their
    transmit power per resource element, NaN in outage. A sector's users are busy for its ``load``
    (sectors,), one after the other by weight.
    """
    sending = (server >= 0) & np.isfinite(density_dbm) & (weight > 0)
    cell = server[sending]
    users = np.bincount(cell, weights=weight[sending], minlength=len(load))
    share = weight[sending] * load[cell] / users[cell]
    sent_mw = share * 10.0 ** (density_dbm[sending].astype(np.float64) / 10.0)
    received = np.empty(len(load))
    for victim in range(len(load)):
        gain = 10.0 ** (-coupling_loss[victim, sending].astype(np.float64) / 10.0)
        received[victim] = (sent_mw * gain)[cell != victim].sum()
    return received


def noise_rise_db(interference: Floats, noise_dbm: float) -> Floats:
    """Return noise and interference over noise [dB]; ``interference`` [mW] (any shape)."""
    return np.asarray(10.0 * np.log10(1.0 + interference / 10.0 ** (noise_dbm / 10.0)))
