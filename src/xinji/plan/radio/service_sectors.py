"""The sectors of sites that carry planned bands, as the registry describes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Floats, Ints, Strings, freeze
from xinji.core.parameters import Parameters
from xinji.core.radio import Sectors
from xinji.core.region import Region
from xinji.core.vocabulary import BANDS_MHZ, GROUPS
from xinji.plan.radio.bands import read_bands
from xinji.plan.radio.candidates import propose
from xinji.plan.radio.offer import bands_in_use


@dataclass(frozen=True, slots=True, eq=False)
class Carriers:
    """Carriers (n): the site that each stands on, where that is, its height [m above ground], and the band [MHz]."""

    site: Strings
    x_m: Floats
    y_m: Floats
    height_m: Floats
    band_mhz: Ints

    def __post_init__(self) -> None:
        freeze(self.site, self.x_m, self.y_m, self.height_m, self.band_mhz)

    def __len__(self) -> int:
        return len(self.site)


def carriers_in_use(region: Region) -> Carriers:
    """Return what the region's existing sites radiate, of the bands that are planned with.

    Raises RegionError if a facility's bands cannot be read.
    """
    sites = propose(region)
    _, in_use = bands_in_use(region, sites)
    site, band = np.nonzero(in_use)
    return Carriers(sites.id[site], sites.x_m[site], sites.y_m[site], sites.height_m[site], np.array(BANDS_MHZ)[band])


def carriers_of_ids(region: Region, site: Strings, band_mhz: Ints) -> Carriers:
    """Return carriers at candidate sites by their ids (n,). Raises KeyError for an id that is no candidate's."""
    sites = propose(region)
    place = {name: row for row, name in enumerate(sites.id.tolist())}
    row = np.array([place[name] for name in site.tolist()], dtype=np.int64)
    return Carriers(site, sites.x_m[row], sites.y_m[row], sites.height_m[row], band_mhz)


def sectors_of(carriers: Carriers, parameters: Parameters) -> Sectors:
    """Return the sectors of ``carriers``, evenly spread from the first azimuth, each as loaded as one that is full.

    Ids are those of the carriers with the sector's number behind. Raises ParameterError if a figure is missing.
    """
    count = int(parameters.value("radio.sectors", "sectors"))
    first = parameters.value("radio.azimuth_first", "deg")
    bands = {band.mhz: band for band in read_bands(parameters)}
    carrier = np.repeat(np.arange(len(carriers)), count)
    number = np.tile(np.arange(count), len(carriers))
    mhz = carriers.band_mhz[carrier]
    names = zip(carriers.site[carrier].tolist(), mhz.tolist(), (number + 1).tolist(), strict=True)
    return Sectors(
        id=np.array([f"{site}-{band}-{k}" for site, band, k in names], dtype=np.str_),
        site=carriers.site[carrier],
        x_m=carriers.x_m[carrier],
        y_m=carriers.y_m[carrier],
        height_m=carriers.height_m[carrier],
        band_mhz=mhz,
        eirp_dbm=np.array([bands[one].eirp_per_subcarrier_dbm for one in mhz.tolist()], dtype=np.float64),
        azimuth_deg=np.mod(first + 360.0 / count * number.astype(np.float64), 360.0),
        downtilt_deg=np.array([bands[one].pattern.downtilt_deg for one in mhz.tolist()], dtype=np.float64),
        load=np.full(len(mhz), parameters.value("radio.load_max", "share")),
        antenna=np.full(len(mhz), "", dtype=np.str_),
    )


def reach_m(parameters: Parameters) -> float:
    """Return the farthest that cells are looked for around a site [m], over all groups."""
    return max(parameters.value(f"radio.range_max.{group}", "m") for group in GROUPS)
