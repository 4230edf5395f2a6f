"""The chance of coverage behind walls: shadow fading outdoors and building entry loss together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from xinji.core.arrays import Floats, freeze
from xinji.plan.radio.p2109 import THERMALLY_EFFICIENT, TRADITIONAL, entry_loss_db

QUANTILES = 100
_GRID_DB = np.arange(-60.0, 140.25, 0.25)


@dataclass(frozen=True, slots=True, eq=False)
class EntryTable:
    """Probability (m,) that a place indoors is covered, by the median margin outdoors [dB] (m,)."""

    margin_db: Floats
    probability: Floats

    def __post_init__(self) -> None:
        freeze(self.margin_db, self.probability)

    def read(self, margin_db: Floats) -> Floats:
        """Return the probability at each margin (any shape), by linear interpolation."""
        return np.asarray(np.interp(margin_db, self.margin_db, self.probability))


def entry_table(frequency_ghz: float, thermally_efficient_share: float, sigma_db: float) -> EntryTable:
    """Return the table of one band, mix of buildings and shadow fading.

    The probability is the mean over the places of ITU-R P.2109-2 (``QUANTILES`` of them, at
    horizontal incidence) of the chance that lognormal fading with ``sigma_db`` leaves the margin
    above the loss. Raises InputError for a frequency outside the Recommendation.
    """
    places = (np.arange(QUANTILES) + 0.5) / QUANTILES
    frequency, level = np.full(QUANTILES, frequency_ghz), np.zeros(QUANTILES)
    probability = np.zeros(len(_GRID_DB))
    mix = ((TRADITIONAL, 1.0 - thermally_efficient_share), (THERMALLY_EFFICIENT, thermally_efficient_share))
    for building, share in mix:
        loss = entry_loss_db(building, frequency, places, level)
        probability += share * outdoor_probability(_GRID_DB[:, None] - loss, np.full(1, sigma_db)).mean(axis=1)
    return EntryTable(_GRID_DB.copy(), probability)


def outdoor_probability(margin_db: Floats, sigma_db: Floats) -> Floats:
    """Return the chance that lognormal fading leaves the level above its threshold.

    ``margin_db`` is the median level over the threshold; arrays broadcast.
    """
    return np.asarray(ndtr(margin_db / sigma_db))
