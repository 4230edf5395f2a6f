"""Pixels a second of processor time, warm, medians of a few runs."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
from radio_parts.scenes import FIRST_MHZ, FURTHER_MHZ, Scene

from xinji.core.radio import NOT_COVERED, LossMap

TRIES = 3


def cpu_seconds(work: Callable[[], object], tries: int = TRIES) -> float:
    """Return the median processor time of a few runs [s], all threads together."""
    times = []
    for _ in range(tries):
        begun = time.process_time()
        work()
        times.append(time.process_time() - begun)
    return statistics.median(times)


def pixels_per_second(scene: Scene, band_mhz: float) -> float:
    """Return the speed on one band; the code must have been compiled before."""
    made: list[LossMap] = []

    def work() -> None:
        made[:] = [scene.map(band_mhz)]

    took = cpu_seconds(work)
    return int((made[0].loss != NOT_COVERED).sum()) / took


def further_band_percent(scene: Scene) -> float:
    """Return what the further band costs, in percent of the first alone; runs of both kinds take turns."""
    ratios = []
    for _ in range(TRIES + 2):
        alone = cpu_seconds(lambda: scene.map(FIRST_MHZ), 1)
        both = cpu_seconds(lambda: scene.map(FIRST_MHZ, FURTHER_MHZ), 1)
        ratios.append(both / alone)
    return 100.0 * (float(np.median(ratios)) - 1.0)
