"""What makes measurements enough for a calibration, and how they are weighed: ``radio.calibration.*``."""

from __future__ import annotations

from dataclasses import dataclass

from xinji.core.parameters import Parameters


@dataclass(frozen=True, slots=True)
class Settings:
    """Thresholds of a calibration.

    Points nearer than ``distance_min_m`` are left out, the others thinned to medians on squares of
    ``bin_m``. Needed are ``sites_min`` sites of ``site_bins_min`` bins each, ``bins_min`` bins, and no
    site with more than ``site_share_max`` of them; for a land use's own offset ``class_sites_min`` and
    ``class_bins_min``, for a slope ``decades_min`` decades of distance. ``floor_share_max`` of the
    points may lie at the receiver's floor, ``cut_off_share_max`` of the bins within ``floor_sigmas``
    standard deviations of it, and ``outlier_share_max`` of the points be gross outliers. ``folds``
    groups of sites are held out; ``tukey`` is the bisquare's constant. A site is strange beyond
    ``site_score_max`` robust standard deviations and ``site_offset_max_db``; an offset beyond
    ``offset_doubtful_db``, a band's bias beyond ``band_bias_max_db`` and levels that span less than
    ``level_range_min_db`` are doubtful.
    """

    bin_m: float
    distance_min_m: float
    sites_min: int
    bins_min: int
    class_sites_min: int
    class_bins_min: int
    site_bins_min: int
    site_share_max: float
    floor_share_max: float
    cut_off_share_max: float
    outlier_share_max: float
    floor_sigmas: float
    folds: int
    tukey: float
    site_score_max: float
    site_offset_max_db: float
    offset_doubtful_db: float
    band_bias_max_db: float
    decades_min: float
    level_range_min_db: float


def read_settings(parameters: Parameters) -> Settings:
    """Return the settings that a region's parameters hold. Raises ParameterError where one is missing."""

    def read(key: str, unit: str) -> float:
        return parameters.value(f"radio.calibration.{key}", unit)

    return Settings(
        bin_m=read("bin", "m"),
        distance_min_m=read("distance_min", "m"),
        sites_min=int(read("sites_min", "sites")),
        bins_min=int(read("bins_min", "bins")),
        class_sites_min=int(read("class_sites_min", "sites")),
        class_bins_min=int(read("class_bins_min", "bins")),
        site_bins_min=int(read("site_bins_min", "bins")),
        site_share_max=read("site_share_max", "share"),
        floor_share_max=read("floor_share_max", "share"),
        cut_off_share_max=read("cut_off_share_max", "share"),
        outlier_share_max=read("outlier_share_max", "share"),
        floor_sigmas=read("floor_margin", "standard deviations"),
        folds=int(read("folds", "folds")),
        tukey=read("tukey", "standard deviations"),
        site_score_max=read("site_score_max", "standard deviations"),
        site_offset_max_db=read("site_offset_max", "dB"),
        offset_doubtful_db=read("offset_doubtful", "dB"),
        band_bias_max_db=read("band_bias_max", "dB"),
        decades_min=read("decades_min", "decades"),
        level_range_min_db=read("level_range_min", "dB"),
    )
