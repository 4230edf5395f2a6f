"""Sector lists: one antenna on one band a row, from CSV or GeoPackage, and back.

Columns: ``id``, ``site``, ``height_m`` above ground, ``band_mhz``, ``azimuth_deg`` clockwise from
north, ``downtilt_deg`` below the horizon, and the power: ``eirp_dbm`` of one subcarrier along the
axis, or ``carrier_eirp_dbm`` of the whole carrier with its number of ``subcarriers``. A CSV places a
row by ``x_m`` and ``y_m`` in the region's CRS or by ``lon`` and ``lat`` (WGS 84); a GeoPackage by its
points. ``load`` is the busy share of resources; ``antenna`` names a pattern, empty for the band's own.
"""

from __future__ import annotations

import csv
from collections.abc import Collection
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyproj
import shapely
from shapely.errors import ShapelyError

from xinji.core.arrays import Bools, Floats, Strings, duplicate_rows
from xinji.core.radio import Sectors
from xinji.errors import Fault, InputError, raise_if
from xinji.io.atomic import atomic_file
from xinji.io.check_rows import always
from xinji.io.text_table import TextTable, read_csv

HEIGHT_MAX_M = 400.0
"""The tallest mast that a site is expected on [m]; beyond it the unit is usually not metres."""
EIRP_DBM = (-60.0, 100.0)
"""EIRP [dBm] of a subcarrier or a carrier that is believed: from a femtocell to a broadcast mast."""
SAME_SITE_M = 0.5
"""Sectors of one site stand this close [m]: path loss is computed once for all of them."""

_NEEDED = ("id", "site", "height_m", "band_mhz", "azimuth_deg", "downtilt_deg")
_POWER = ("eirp_dbm", "carrier_eirp_dbm", "subcarriers")
_OPTIONAL = ("load", "antenna", *_POWER)
_PLANE, _DEGREES = ("x_m", "y_m"), ("lon", "lat")


def read_sectors(
    path: Path, crs: str, *, load: float | None = None, antennas: Collection[str] | None = None
) -> Sectors:
    """Return the sectors of the CSV or GeoPackage at ``path``, placed in ``crs``.

    ``load`` stands where the file gives none; ``antennas`` are the patterns that ``antenna`` may
    name, if given. Raises InputError with every fault and its row, counted from 0 below the header.
    """
    if path.suffix.lower() == ".gpkg":
        table, x_m, y_m = _read_geopackage(path, crs)
        table.check_columns(_NEEDED, _OPTIONAL)
    else:
        table = read_csv(path)
        degrees = "lon" in table.columns or "lat" in table.columns
        place = _DEGREES if degrees else _PLANE
        table.check_columns((*_NEEDED, *place), _OPTIONAL)
        x_m, y_m = _placed(table, crs) if degrees else _plane(table)
    sectors_of = _columns(table, load)
    _check_ids(table, antennas)
    _check_sites(table, x_m, y_m)
    raise_if(table.faults)
    return Sectors(
        id=table.texts("id"),
        site=table.texts("site"),
        x_m=x_m,
        y_m=y_m,
        height_m=sectors_of["height_m"],
        band_mhz=sectors_of["band_mhz"].astype(np.int64),
        eirp_dbm=sectors_of["eirp_dbm"],
        azimuth_deg=np.mod(sectors_of["azimuth_deg"], 360.0),
        downtilt_deg=sectors_of["downtilt_deg"],
        load=sectors_of["load"],
        antenna=table.texts("antenna"),
    )


def write_sectors(path: Path, sectors: Sectors, crs: str) -> None:
    """Write ``sectors``, placed in ``crs``, as CSV or GeoPackage by the suffix of ``path``; it reads back equal.

    Raises InputError for another suffix, OutputError where the disk refuses.
    """
    suffix = path.suffix.lower()
    if suffix not in (".csv", ".gpkg"):
        raise InputError([Fault(path.name, f"the suffix is {suffix!r}", "Name a .csv or .gpkg file.")])
    kept = [name for name in sectors.__slots__ if suffix == ".csv" or name not in _PLANE]
    columns = {name: getattr(sectors, name).tolist() for name in kept}
    with atomic_file(path) as fresh:
        if suffix == ".csv":
            with fresh.open("w", encoding="utf-8", newline="") as target:
                writer = csv.writer(target, lineterminator="\n")
                writer.writerow(columns)
                writer.writerows(zip(*columns.values(), strict=True))
        else:
            points = shapely.points(sectors.x_m, sectors.y_m)
            frame = gpd.GeoDataFrame(columns, geometry=points, crs=crs)
            frame.to_file(fresh, layer="sectors", driver="GPKG", engine="pyogrio")


def _read_geopackage(path: Path, crs: str) -> tuple[TextTable, Floats, Floats]:
    try:
        frame = gpd.read_file(path, engine="pyogrio")
    except (OSError, ValueError, RuntimeError, ShapelyError, pyogrio.errors.DataSourceError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        message, remedy = f"the file cannot be read as GeoPackage ({reason})", "Check the path, or write it again."
        raise InputError([Fault(path.name, message, remedy)]) from None
    if not isinstance(frame, gpd.GeoDataFrame) or frame.crs is None or not len(frame):
        message = "the layer holds no row, no points or no CRS"
        raise InputError([Fault(path.name, message, "Write it as points with a CRS.")])
    columns = {
        str(name): np.array([_text(value) for value in frame[name]], dtype=np.str_)
        for name in frame.columns
        if name != frame.geometry.name
    }
    table = TextTable(path.name, len(frame), columns)
    shapes = np.array(frame.to_crs(crs).geometry.to_numpy(), dtype=object)
    kinds = shapely.get_type_id(shapes)
    table.bad(kinds != shapely.GeometryType.POINT, lambda _: "the row has no point", "Give each sector a point.")
    # shapely gives NaN for what is no point.
    x_m, y_m = shapely.get_x(shapes), shapely.get_y(shapes)
    lost = (kinds == shapely.GeometryType.POINT) & ~(np.isfinite(x_m) & np.isfinite(y_m))
    table.bad(lost, lambda _: f"the point cannot be placed in {crs}", "Check its coordinates and the layer's CRS.")
    return table, x_m, y_m


def _text(value: object) -> str:
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return ""
    return str(value).strip()


def _plane(table: TextTable) -> tuple[Floats, Floats]:
    remedy = "Give metres in the region's CRS, or name the columns lon and lat for degrees."
    bound = 2e7
    x_m, y_m = (table.numbers(name, -bound, bound, remedy=remedy) for name in _PLANE)
    here = np.isfinite(x_m) & np.isfinite(y_m)
    if here.any() and (np.abs(x_m[here]) <= 180).all() and (np.abs(y_m[here]) <= 90).all():
        message = "x_m and y_m look like degrees: none is beyond 180 and 90"
        table.faults.append(Fault(table.name, message, remedy))
    return x_m, y_m


def _placed(table: TextTable, crs: str) -> tuple[Floats, Floats]:
    remedy = "Give decimal degrees (WGS 84); lon is east, lat is north."
    longitude = table.numbers("lon", -180.0, 180.0, remedy=remedy)
    latitude = table.numbers("lat", -90.0, 90.0, remedy=remedy)
    transformer = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    x_m, y_m = transformer.transform(longitude, latitude)
    lost = np.isfinite(longitude + latitude) & ~(np.isfinite(x_m) & np.isfinite(y_m))
    table.bad(lost, lambda _: f"lon and lat cannot be placed in {crs}", "Check that they are not swapped.")
    return x_m, y_m


def _columns(table: TextTable, load: float | None) -> dict[str, Floats]:
    tall = f"Give metres above ground, above 0 and at most {HEIGHT_MAX_M:g}."
    band = table.numbers("band_mhz", 30.0, 300_000.0, remedy="Give the carrier in whole MHz.")
    whole: Bools = np.isnan(band) | (band == np.round(band))
    table.bad(~whole, lambda row: f"band_mhz is {band[row]:g}", "Give the carrier in whole MHz.")
    if load is None and "load" not in table.columns:
        message = "nothing says how busy the sectors are"
        table.faults.append(Fault(table.name, message, "Add a column load, 0 to 1, or give one load for all."))
    return {
        "height_m": table.numbers("height_m", 0.1, HEIGHT_MAX_M, remedy=tall),
        "band_mhz": band,
        "eirp_dbm": _eirp(table),
        "azimuth_deg": table.numbers("azimuth_deg", -180.0, 360.0, remedy="Give degrees clockwise from north."),
        "downtilt_deg": table.numbers(
            "downtilt_deg", -90.0, 90.0, remedy="Give degrees below the horizon; above it they are negative."
        ),
        "load": table.numbers("load", 0.0, 1.0, remedy="Give the busy share of resources, 0 to 1.", default=load),
    }


def _eirp(table: TextTable) -> Floats:
    """Return the EIRP of one subcarrier [dBm] (rows,)."""
    given = [name for name in _POWER if name in table.columns]
    remedy = "Give eirp_dbm (one subcarrier), or carrier_eirp_dbm and subcarriers (12 a resource block)."
    if given not in (["eirp_dbm"], ["carrier_eirp_dbm", "subcarriers"]):
        message = f"the power is given by {', '.join(given)}" if given else "no column gives the power"
        table.faults.append(Fault(table.name, message, remedy))
        return np.full(table.rows, np.nan)
    if given == ["eirp_dbm"]:
        return table.numbers("eirp_dbm", *EIRP_DBM, remedy=remedy)
    carrier = table.numbers("carrier_eirp_dbm", *EIRP_DBM, remedy=remedy)
    count = table.numbers("subcarriers", 1.0, 1e5, remedy=remedy)
    eirp: Floats = carrier - 10.0 * np.log10(count)
    return eirp


def _check_ids(table: TextTable, antennas: Collection[str] | None) -> None:
    ids = table.texts("id")
    for column in ("id", "site"):
        if column in table.columns:
            table.bad(table.texts(column) == "", always(f"the {column} is missing"), "Give each row one.")
    repeated = duplicate_rows(ids) & (ids != "")
    table.bad(repeated, lambda row: f"the id {str(ids[row])!r} is used before", "Make ids unique.")
    names: Strings = table.texts("antenna")
    if antennas is not None:
        unknown: Bools = ~np.isin(names, ["", *antennas])
        known = ", ".join(sorted(antennas)) or "none"
        remedy = f"Add its pattern file, or name one that is there: {known}."
        table.bad(unknown, lambda row: f"the antenna {str(names[row])!r} has no pattern", remedy)


def _check_sites(table: TextTable, x_m: Floats, y_m: Floats) -> None:
    """Add a fault for each row that stands elsewhere than its site's first row."""
    _, first, site = np.unique(table.texts("site"), return_index=True, return_inverse=True)
    apart = np.hypot(x_m - x_m[first[site]], y_m - y_m[first[site]])
    apart = np.where((table.texts("site") == "") | ~np.isfinite(apart), 0.0, apart)

    def say(row: int) -> str:
        return f"the sector stands {apart[row]:.1f} m from row {first[site[row]]} of the same site"

    table.bad(apart > SAME_SITE_M, say, "Give a site one place, or antennas apart names of their own as sites.")
