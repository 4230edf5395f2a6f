"""What radio engines exchange: path-loss maps, antennas, sectors, measured levels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xinji.core.arrays import Floats, Ints, Strings, duplicate_rows, freeze, row_faults, shape_faults
from xinji.core.grid import Grid
from xinji.errors import Fault, InputError, raise_if

NOT_COVERED = 65_535
"""The code of a pixel without a path loss: beyond the radius, or off the terrain."""

CODES_PER_DB = 100
"""Path loss is kept in hundredths of a decibel."""

Losses = npt.NDArray[np.uint16]


@dataclass(frozen=True, slots=True, eq=False)
class LossMap:
    """Basic transmission loss from one site to the pixels of a window, between isotropic antennas.

    ``grid`` is the window's own frame, on the pixels of the surface it was computed on; ``loss``
    (bands, rows, columns) holds hundredths of a decibel or ``NOT_COVERED``. ``height_m`` is the
    antenna's and ``terminal_m`` the terminal's height above ground [m]; ``frequency_mhz`` (bands,).
    """

    site: str
    x_m: float
    y_m: float
    height_m: float
    terminal_m: float
    frequency_mhz: tuple[float, ...]
    grid: Grid
    loss: Losses

    def __post_init__(self) -> None:
        shape = (len(self.frequency_mhz), self.grid.rows, self.grid.columns)
        if self.loss.shape != shape or self.loss.dtype != np.uint16:
            found = f"loss is {self.loss.dtype} of shape {self.loss.shape}, expected uint16 of shape {shape}"
            raise InputError([Fault("path loss", found, "Give one code for each band and pixel.")])
        freeze(self.loss)

    def loss_db(self) -> npt.NDArray[np.float32]:
        """Return the loss [dB] (bands, rows, columns), infinite where not covered."""
        level = self.loss.astype(np.float32) / np.float32(CODES_PER_DB)
        level[self.loss == NOT_COVERED] = np.inf
        return level


@dataclass(frozen=True, slots=True, eq=False)
class AntennaCuts:
    """An antenna's two principal cuts, as in MSI Planet files.

    ``horizontal_db`` and ``vertical_db`` (360,) are attenuations from the peak [dB, at least 0] at
    whole degrees: clockwise from the axis, and downwards from the horizon (90 looks at the ground,
    270 at the sky), any electrical tilt included. ``frequency_mhz`` is the pattern's own.
    """

    name: str
    gain_dbi: float
    frequency_mhz: float
    electrical_tilt_deg: float
    horizontal_db: Floats
    vertical_db: Floats

    def __post_init__(self) -> None:
        raise_if(self._faults(), InputError)
        freeze(self.horizontal_db, self.vertical_db)

    def _faults(self) -> Iterator[Fault]:
        for name in ("horizontal_db", "vertical_db"):
            values = getattr(self, name)
            if values.shape != (360,):
                yield Fault(f"antenna {self.name}", f"{name} has shape {values.shape}", "Give 360 whole degrees.")
            elif not (np.isfinite(values) & (values >= 0)).all():
                found = f"{name} holds negative or missing attenuations"
                yield Fault(f"antenna {self.name}", found, "Give attenuations of at least 0 dB.")


@dataclass(frozen=True, slots=True, eq=False)
class Sectors:
    """Sectors (n): one antenna at a site, on one band.

    ``site`` names the site (as in its ``LossMap``); ``x_m``, ``y_m`` and ``height_m`` place it;
    ``band_mhz`` (n,); ``eirp_dbm`` (n,) is radiated along the axis in one subcarrier [dBm], so
    that the level received is RSRP; ``azimuth_deg`` clockwise from north; ``downtilt_deg`` below the
    horizon (mechanical and electrical together for the built-in patterns); ``load`` (n,) is the busy
    share of resources, 0 to 1; ``antenna`` names an ``AntennaCuts``, or is empty for the band's own pattern.
    """

    id: Strings
    site: Strings
    x_m: Floats
    y_m: Floats
    height_m: Floats
    band_mhz: Ints
    eirp_dbm: Floats
    azimuth_deg: Floats
    downtilt_deg: Floats
    load: Floats
    antenna: Strings

    def __post_init__(self) -> None:
        raise_if(self._faults(), InputError)
        freeze(*(getattr(self, name) for name in self.__slots__))

    def __len__(self) -> int:
        return len(self.id)

    def _faults(self) -> Iterator[Fault]:
        n = (len(self.id),)
        wrong = list(shape_faults("sectors", [(name, getattr(self, name), n) for name in self.__slots__]))
        yield from wrong
        if wrong:
            return
        yield from row_faults("sectors", duplicate_rows(self.id), "the id is used before", "Make ids unique.")
        for name in ("x_m", "y_m", "height_m", "eirp_dbm", "azimuth_deg", "downtilt_deg", "load"):
            bad = ~np.isfinite(getattr(self, name))
            yield from row_faults("sectors", bad, f"{name} is missing", "Give a number.")
        yield from row_faults("sectors", ~(self.height_m > 0), "height is not positive", "Give metres above ground.")
        outside = ~((self.load >= 0) & (self.load <= 1))
        yield from row_faults("sectors", outside, "load is outside 0 to 1", "Give the busy share of resources.")


@dataclass(frozen=True, slots=True, eq=False)
class Measurements:
    """Measured levels (n): where [m, region's CRS], RSRP [dBm], the serving site, its band."""

    x_m: Floats
    y_m: Floats
    rsrp_dbm: Floats
    site: Strings
    band_mhz: Ints

    def __post_init__(self) -> None:
        raise_if(self._faults(), InputError)
        freeze(*(getattr(self, name) for name in self.__slots__))

    def __len__(self) -> int:
        return len(self.x_m)

    def _faults(self) -> Iterator[Fault]:
        n = (len(self.x_m),)
        wrong = list(shape_faults("measurements", [(name, getattr(self, name), n) for name in self.__slots__]))
        yield from wrong
        if wrong:
            return
        for name in ("x_m", "y_m", "rsrp_dbm"):
            bad = ~np.isfinite(getattr(self, name))
            yield from row_faults("measurements", bad, f"{name} is missing", "Give a number.")


@dataclass(frozen=True, slots=True, eq=False)
class LevelMap:
    """The level of one sector as another tool computed it, in place of our own path loss.

    ``rsrp_dbm`` (rows, columns) float32 is the level of one subcarrier [dBm] on ``grid``, antenna and
    power included; NaN where the sector gives none.
    """

    sector: str
    band_mhz: int
    grid: Grid
    rsrp_dbm: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        shape = (self.grid.rows, self.grid.columns)
        if self.rsrp_dbm.shape != shape or self.rsrp_dbm.dtype != np.float32:
            found = (
                f"levels are {self.rsrp_dbm.dtype} of shape {self.rsrp_dbm.shape}, expected float32 of shape {shape}"
            )
            raise InputError([Fault(f"coverage of {self.sector}", found, "Give one level for each pixel.")])
        freeze(self.rsrp_dbm)
