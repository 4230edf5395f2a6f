"""SINR of pixels with 32 interferers: links a second on one core, against plain numpy in the same run.

A link is one pixel and one interferer. The maps are made up from a seed; the kernel takes path-loss
codes and antenna attenuations (uint16 each) or levels (float32), numpy the levels in float32. The
error is against float64 on the same input.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Floats, Ints
from xinji.core.radio import CODES_PER_DB, Losses
from xinji.plan.radio.interference import (
    Received,
    Singles,
    accumulate_codes,
    accumulate_levels,
    best_server,
    empty_tally,
    finish,
)

INTERFERERS, SECTORS_A_SITE = 32, 3
SIZES = (1_000_000, 4_000_000)
SEED, TRIES, CHECKED = 1, 5, 200_000
NOISE_DBM, EIRP_DBM = -120.2, 35.0


@dataclass(frozen=True, slots=True)
class Case:
    """One size: path loss by site, attenuation and level by sector, the site and the load of each sector."""

    loss: Losses
    attenuation: Losses
    rsrp: Singles
    site_of: Ints
    load: Floats

    def codes(self) -> Received:
        """Return what the kernel makes of codes."""
        tally = empty_tally(self.loss.shape[1])
        eirp = np.full(len(self.load), EIRP_DBM)
        accumulate_codes(tally, self.loss, self.attenuation, site_of=self.site_of, eirp_dbm=eirp, load=self.load)
        return finish(tally, NOISE_DBM)

    def levels(self) -> Received:
        """Return what the kernel makes of levels."""
        tally = empty_tally(self.loss.shape[1])
        accumulate_levels(tally, self.rsrp, load=self.load)
        return finish(tally, NOISE_DBM)

    def peer(self) -> Received:
        """Return server and SINR as one would write it first, in float32 numpy."""
        load = self.load.astype(np.float32)[:, None]
        power = np.power(np.float32(10.0), self.rsrp * np.float32(0.1))
        server = power.argmax(axis=0)
        column = np.arange(power.shape[1])
        signal = power[server, column]
        others = (power * load).sum(axis=0) - signal * load[server, 0]
        sinr = np.float32(10.0) * np.log10(signal / (others + np.float32(10.0 ** (NOISE_DBM / 10.0))))
        return Received(server.astype(np.int32), self.rsrp[server, column], sinr)

    def exact(self, n: int) -> Received:
        """Return the first ``n`` pixels in float64."""
        code = self.loss[self.site_of, :n].astype(float) + self.attenuation[:, :n]
        return best_server(EIRP_DBM - code / CODES_PER_DB, self.load, NOISE_DBM)


def case(n: int) -> Case:
    """Return ``n`` pixels of made-up maps."""
    rng = np.random.default_rng(SEED)
    site_of = np.arange(INTERFERERS + 1) // SECTORS_A_SITE
    loss = rng.integers(7_000, 17_000, (site_of[-1] + 1, n), dtype=np.uint16)
    attenuation = rng.integers(0, 3_000, (len(site_of), n), dtype=np.uint16)
    rsrp = np.empty(attenuation.shape, dtype=np.float32)
    for k, site in enumerate(site_of):
        rsrp[k] = EIRP_DBM - (loss[site].astype(np.float32) + attenuation[k]) / np.float32(CODES_PER_DB)
    return Case(loss, attenuation, rsrp, site_of, rng.uniform(0.1, 1.0, len(site_of)))


def seconds(work: Callable[[], Received]) -> float:
    """Return the least time of a few runs, after one that compiles."""
    work()
    times = []
    for _ in range(TRIES):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times)


def error_db(found: Received, wanted: Received) -> float:
    """Return the greatest error of the SINR [dB] where both name the same server, which must be nearly everywhere."""
    n = len(wanted.sector)
    same = found.sector[:n] == wanted.sector
    if same.mean() < 0.999:
        raise SystemExit(f"only {same.mean():.4f} of the servers agree")
    return float(np.abs(found.sinr_db[:n] - wanted.sinr_db)[same].max())


def main() -> None:
    """Print one table."""
    print(f"{platform.machine()}, one core, {INTERFERERS} interferers, {SECTORS_A_SITE} sectors a site, seed {SEED}")
    print(f"{'method':26}{'pixels':>12}{'s':>9}{'M links/s':>12}{'ratio':>8}{'error dB':>11}")
    for n in SIZES:
        made = case(n)
        wanted = made.exact(CHECKED)
        methods = (
            ("numpy, float32", made.peer),
            ("kernel, float32 levels", made.levels),
            ("kernel, uint16 codes", made.codes),
        )
        peer = 0.0
        for name, work in methods:
            took = seconds(work)
            peer = peer or took
            speed = n * INTERFERERS / took / 1e6
            error = error_db(work(), wanted)
            print(f"{name:26}{n:>12,}{took:>9.4f}{speed:>12,.0f}{peer / took:>8.1f}{error:>11.1e}")


if __name__ == "__main__":
    main()
