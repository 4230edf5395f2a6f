"""Cloud-optimised GeoTIFFs: what a map server or QGIS reads in parts, over the network too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
import rasterio.shutil
from rasterio.errors import RasterioError
from rasterio.io import MemoryFile

from xinji.core.arrays import AnyArray
from xinji.core.grid import Raster
from xinji.errors import Fault, InputError, OutputError, raise_if
from xinji.io.atomic import atomic_file

STEP = 1.0 / 128.0
"""Floats are rounded to this step; a power of two leaves zero bits behind, which compress best."""

Colours = Mapping[int, tuple[int, int, int, int]]
"""Red, green, blue and opacity (0 to 255) of each code."""

_TYPES = ("uint8", "uint16", "int16", "int32", "float32")


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """One band of a file: its raster, what it shows in words, and its unit ('' for codes)."""

    raster: Raster
    description: str
    unit: str


def write_cog(
    path: Path,
    bands: Sequence[Band],
    *,
    nodata: float | None = None,
    step: float | None = STEP,
    colormap: Colours | None = None,
    tags: Mapping[str, str] | None = None,
) -> None:
    """Write ``bands`` as a cloud-optimised GeoTIFF with overviews, whole or not at all.

    Floats become float32 rounded to ``step`` (None: as they are) with NaN for no data; integers stay
    as they are, with ``nodata`` and ``colormap`` if given. Overviews average floats and pick codes.
    Raises InputError where the bands do not belong together, OutputError where the disk refuses.
    """
    arrays = [_plain(band.raster.values, step) for band in bands]
    raise_if(_faults(path, bands, arrays, nodata, colormap))
    grid, is_float = bands[0].raster.grid, arrays[0].dtype.kind == "f"
    profile = {
        "driver": "GTiff",
        "height": grid.rows,
        "width": grid.columns,
        "count": len(bands),
        "dtype": arrays[0].dtype.name,
        "nodata": np.nan if is_float else nodata,
        "crs": grid.crs,
        "transform": rasterio.Affine(grid.cell_m, 0.0, grid.west_m, 0.0, -grid.cell_m, grid.north_m),
    }
    with atomic_file(path) as fresh, MemoryFile() as memory:
        try:
            with memory.open(**profile) as target:
                for number, (band, values) in enumerate(zip(bands, arrays, strict=True), 1):
                    target.write(values, number)
                    target.set_band_description(number, band.description)
                    target.set_band_unit(number, band.unit)
                if colormap is not None:
                    target.write_colormap(1, dict(colormap))
                target.update_tags(**dict(tags or {}))
            options = {"compress": "deflate", "predictor": "yes", "blocksize": 512, "bigtiff": "if_safer"}
            resampling = "average" if is_float else "nearest"
            with memory.open() as source:
                rasterio.shutil.copy(source, fresh, driver="COG", overview_resampling=resampling, **options)
        except RasterioError as error:
            message = f"{path} could not be written: {str(error).splitlines()[0]}"
            raise OutputError(f"{message}. Check the path and the disk. Nothing half-written is left.") from error


def _plain(values: AnyArray, step: float | None) -> AnyArray:
    if values.dtype.kind != "f":
        return values
    if step is None:
        return values.astype(np.float32)
    rounded: AnyArray = (np.round(values / step) * step).astype(np.float32)
    return rounded


def _faults(
    path: Path, bands: Sequence[Band], arrays: Sequence[AnyArray], nodata: float | None, colormap: Colours | None
) -> Iterator[Fault]:
    if not bands:
        raise InputError([Fault(path.name, "there is no band to write", "Give at least one.")])
    kinds = sorted({values.dtype.name for values in arrays})
    if len({band.raster.grid for band in bands}) > 1 or len(kinds) > 1:
        message = f"the bands lie on different pixels or are of different types ({', '.join(kinds)})"
        yield Fault(path.name, message, "Write them to files of their own.")
    for kind in sorted(set(kinds) - set(_TYPES)):
        yield Fault(path.name, f"the values are {kind}", f"Give one of {', '.join(_TYPES)}.")
    if nodata is not None and arrays[0].dtype.kind == "f":
        yield Fault(path.name, f"no data is {nodata:g}", "Give NaN to pixels without a value; it is what floats use.")
    if colormap is not None and (len(bands) > 1 or kinds not in (["uint8"], ["uint16"])):
        message = f"colours are given for {len(bands)} bands of {', '.join(kinds)}"
        yield Fault(path.name, message, "Give colours to one band of uint8 or uint16 codes.")
