"""Measured levels of a drive test: CSV, Excel, GeoPackage or Parquet into ``Measurements``.

Columns, in any case and order, by any of the names in ``NAMES``: the place (``x`` and ``y`` in the region's
CRS, or ``lon`` and ``lat``; a GeoPackage or GeoParquet gives points instead), ``rsrp`` [dBm], the serving ``site``,
and ``band`` (MHz, or an NR band such as n78), which may be missing where each site has one band. Other
columns of the export are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pyproj
import shapely
from shapely.errors import ShapelyError

from xinji.core.arrays import Bools, Floats, Ints, Shapes, Strings
from xinji.core.grid import Grid
from xinji.core.radio import Measurements
from xinji.errors import Fault, InputError, raise_if
from xinji.io.check_gcj import suspicion
from xinji.io.check_rows import always
from xinji.io.import_sources import unshift
from xinji.io.text_table import TextTable, read_csv

RSRP_DBM = (-156.0, -31.0)
"""The range that SS-RSRP is reported in [dBm] (3GPP TS 38.133, section 10.1.6)."""

NAMES: Mapping[str, tuple[str, ...]] = {
    "x": ("x", "x_m", "easting", "east", "东坐标"),
    "y": ("y", "y_m", "northing", "north", "北坐标"),
    "lon": ("lon", "long", "lng", "longitude", "经度"),
    "lat": ("lat", "latitude", "纬度"),
    "rsrp": ("rsrp", "rsrp_dbm", "ss-rsrp", "ss_rsrp_dbm", "ssb-rsrp", "serving_rsrp", "level", "level_dbm", "电平"),
    "site": ("site", "site_id", "serving_site", "serving_site_id", "site_name", "站点", "基站", "服务基站", "基站编号"),
    "band": ("band", "band_mhz", "frequency_mhz", "freq_mhz", "频段", "频段mhz"),
}
"""Names of each column; case, blanks and punctuation do not matter."""

NR_BANDS_MHZ: Mapping[str, int] = {"n28": 700, "n41": 2600, "n77": 3500, "n78": 3500, "n79": 4900}
"""NR bands (3GPP TS 38.101-1, Table 5.2-1) and the carrier frequency that they are planned under."""

_PCI = ("pci", "physicalcellid", "cellid", "ci", "nci")
_WGS84 = "EPSG:4326"
_UNREADABLE = (OSError, ValueError, KeyError, RuntimeError, pa.ArrowException, ShapelyError)
_PLANE_MAX_M = 2e7


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Where measurements have to lie: the region's grid (its CRS too), the bands [MHz] of each site, the roads.

    ``roads`` are shapely LineStrings in the same CRS, or empty: a drive test follows them.
    """

    grid: Grid
    bands: Mapping[str, tuple[int, ...]]
    roads: Shapes = field(default_factory=lambda: np.zeros(0, dtype=object))


@dataclass(frozen=True, slots=True, eq=False)
class MeasurementFile:
    """What a file holds: the usable measurements, its number of rows, and what was left out or is doubtful."""

    measurements: Measurements
    rows: int
    warnings: tuple[Fault, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Columns:
    """The file's rows (n,): place [m], level [dBm], site, band [MHz] (0 where not given)."""

    x_m: Floats
    y_m: Floats
    rsrp_dbm: Floats
    site: Strings
    band_mhz: Ints


def read_measurements(path: Path, frame: Frame, *, gcj02: bool = False) -> MeasurementFile:
    """Return the measurements of the file at ``path`` in the CRS of ``frame``.

    ``gcj02`` says that its degrees are in GCJ-02. Rows of sites unknown to ``frame``, on bands that the
    site does not have, outside the grid, and repeated rows are left out and counted in the warnings.
    Raises InputError with every fault and its row (from 0 below the header), and where no row is left.
    """
    table, points, points_crs = _table(path)
    table, kinds = _named(table)
    x_m, y_m = _places(table, kinds, (points, points_crs), frame.grid.crs, gcj02=gcj02)
    columns = _Columns(x_m, y_m, _levels(table), _sites(table), _bands(table))
    raise_if(table.faults)
    warnings: list[Fault] = []
    columns = _with_bands(table, columns, frame, warnings)
    keep = _kept(table, columns, frame, warnings)
    raise_if(table.faults)
    found = Measurements(*(getattr(columns, name)[keep] for name in columns.__slots__))
    said = _shifted(found, frame)
    if said and not gcj02:
        remedy = "If the positions are GCJ-02, say so with --gcj02."
        warnings.append(Fault(path.name, f"a GCJ-02 shift against the roads is suspected; {said}", remedy))
    return MeasurementFile(found, table.rows, tuple(warnings))


def _plain(name: str) -> str:
    """Return a column's name without case, blanks, punctuation and unit in brackets."""
    bare = re.sub(r"[\(\[（].*?[\)\]）]", "", name)
    return "".join(letter for letter in bare.casefold() if letter.isalnum())


def _table(path: Path) -> tuple[TextTable, Shapes | None, str]:
    """Return the file's columns as texts, and its points with their CRS where it has any."""
    readers: Mapping[str, Callable[[Path], pd.DataFrame]] = {
        ".xlsx": _excel,
        ".gpkg": _geopackage,
        ".parquet": _parquet,
    }
    suffix = path.suffix.lower()
    if suffix in (".csv", ".txt"):
        return read_csv(path), None, ""
    if suffix not in readers:
        message = f"the ending is {suffix!r}"
        raise InputError([Fault(path.name, message, "Give a .csv, .xlsx, .gpkg or .parquet file.")])
    if not path.is_file():
        raise InputError([Fault(path.name, f"there is no file {path}", "Check the spelling.")])
    try:
        frame = readers[suffix](path)
    except _UNREADABLE as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        remedy = "Check that the file is whole and its ending tells its format."
        raise InputError([Fault(path.name, f"the file cannot be read ({reason})", remedy)]) from None
    if not len(frame):
        raise InputError([Fault(path.name, "the file holds no row", "Give one row for each measured level.")])
    points, crs, geometry = None, "", ""
    if isinstance(frame, gpd.GeoDataFrame):
        geometry = str(frame.geometry.name)
        points = np.array(frame.geometry.to_numpy(), dtype=object)
        crs = "" if frame.crs is None else frame.crs.to_wkt()
    names = [name for name in frame.columns if str(name) != geometry]
    columns = {str(name).strip(): np.array([_text(value) for value in frame[name]], dtype=np.str_) for name in names}
    return TextTable(path.name, len(frame), columns), points, crs


def _excel(path: Path) -> pd.DataFrame:
    sheets = pd.read_excel(path, sheet_name=None, dtype=object)
    filled = {name: sheet for name, sheet in sheets.items() if len(sheet)}
    if len(filled) > 1:
        raise ValueError(f"{len(filled)} sheets hold rows: {', '.join(map(str, filled))}; keep one")
    return next(iter(filled.values()), pd.DataFrame())


def _geopackage(path: Path) -> pd.DataFrame:
    names = [str(name) for name in pyogrio.list_layers(path)[:, 0]]
    if len(names) != 1:
        raise ValueError(f"it holds the layers {', '.join(names)}; keep one")
    frame: pd.DataFrame = pyogrio.read_dataframe(path)
    return frame


def _parquet(path: Path) -> pd.DataFrame:
    metadata = pq.read_schema(path).metadata or {}
    return gpd.read_parquet(path) if b"geo" in metadata else pd.read_parquet(path)


def _text(value: object) -> str:
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _named(table: TextTable) -> tuple[TextTable, set[str]]:
    """Return the table with our names for its columns, and which of them it has."""
    known = {_plain(name): ours for ours, names in NAMES.items() for name in names}
    columns: dict[str, Strings] = {}
    given: dict[str, str] = {}
    for theirs, values in table.columns.items():
        ours = known.get(_plain(theirs))
        if ours in given:
            message = f"the columns {given[ours]!r} and {theirs!r} both tell {ours}"
            table.faults.append(Fault(table.name, message, "Keep one of the two."))
        elif ours is not None:
            given[ours] = theirs
            columns[ours] = values
    for ours in ("rsrp", "site"):
        if ours not in given:
            table.faults.append(_missing(table, ours))
    return TextTable(table.name, table.rows, columns, table.faults), set(given)


def _missing(table: TextTable, ours: str) -> Fault:
    found = ", ".join(table.columns) or "no column"
    if ours == "site" and any(_plain(name) in _PCI for name in table.columns):
        message = "no column tells the serving site; a cell's number is not enough, since PCIs repeat across sites"
        return Fault(table.name, message, "Join the serving site's name to each row by the site list, as column site.")
    what = {"rsrp": "the RSRP in dBm", "site": "the serving site"}[ours]
    return Fault(
        table.name, f"no column tells {what}", f"Name it one of {', '.join(NAMES[ours])}; the file has {found}."
    )


def _places(
    table: TextTable, given: set[str], points: tuple[Shapes | None, str], crs: str, *, gcj02: bool
) -> tuple[Floats, Floats]:
    """Return x and y [m] of each row in ``crs``, NaN where there is a fault."""
    nowhere = np.full(table.rows, np.nan)
    shapes, theirs = points
    if shapes is not None:
        if not theirs:
            table.faults.append(Fault(table.name, "the layer names no CRS", "Write it with its CRS."))
            return nowhere, nowhere
        kinds = shapely.get_type_id(shapes)
        bare = (kinds != shapely.GeometryType.POINT) | shapely.is_empty(shapes)
        table.bad(bare, always("the row has no point"), "Give each measured level a point.")
        # shapely gives NaN for what is no point.
        return _placed(table, (shapely.get_x(shapes), shapely.get_y(shapes)), (theirs, crs), gcj02=gcj02)
    degrees, plane = {"lon", "lat"} <= given, {"x", "y"} <= given
    if degrees == plane:
        message = "the place is given twice, in degrees and in metres" if degrees else "no two columns tell the place"
        remedy = "Give lon and lat in decimal degrees, or x and y in the region's CRS."
        table.faults.append(Fault(table.name, message, remedy))
        return nowhere, nowhere
    if degrees:
        remedy = "Give decimal degrees; lon is east, lat is north."
        longitude = table.numbers("lon", -180.0, 180.0, remedy=remedy)
        latitude = table.numbers("lat", -90.0, 90.0, remedy=remedy)
        return _placed(table, (longitude, latitude), (_WGS84, crs), gcj02=gcj02)
    remedy = f"Give metres in the region's CRS ({crs}), or name the columns lon and lat for degrees."
    x_m, y_m = (table.numbers(name, -_PLANE_MAX_M, _PLANE_MAX_M, remedy=remedy) for name in ("x", "y"))
    return _placed(table, (x_m, y_m), (crs, crs), gcj02=gcj02)


def _placed(
    table: TextTable, place: tuple[Floats, Floats], systems: tuple[str, str], *, gcj02: bool
) -> tuple[Floats, Floats]:
    """Return places brought from the first CRS of ``systems`` to the second, a GCJ-02 shift taken off."""
    (x, y), (theirs, ours) = place, systems
    here = np.isfinite(x) & np.isfinite(y)
    if gcj02:
        to_degrees = pyproj.Transformer.from_crs(theirs, _WGS84, always_xy=True)
        back: Shapes = unshift(shapely.points(*to_degrees.transform(x[here], y[here])))
        x, y, theirs = x.copy(), y.copy(), _WGS84
        x[here], y[here] = shapely.get_x(back), shapely.get_y(back)
    moved_x, moved_y = pyproj.Transformer.from_crs(theirs, ours, always_xy=True).transform(x, y)
    lost = here & ~(np.isfinite(moved_x) & np.isfinite(moved_y))
    table.bad(lost, always(f"the place cannot be told in {ours}"), "Check that longitude and latitude are not swapped.")
    return np.where(here, moved_x, np.nan), np.where(here, moved_y, np.nan)


def _levels(table: TextTable) -> Floats:
    low, high = RSRP_DBM
    texts = table.texts("rsrp")
    remedy = "Give RSRP in dBm (3GPP TS 38.133, section 10.1.6), with its minus sign."
    numbers = pd.to_numeric(pd.Series(texts), errors="coerce").to_numpy(np.float64)
    reported = np.isfinite(numbers) & (numbers >= 0) & (numbers <= 127) & (numbers == np.rint(numbers))
    if reported.all() and table.rows:
        remedy = (
            "These look like reported values 0 to 127: value k stands for k - 157 to k - 156 dBm; or mend the sign."
        )
    return table.numbers("rsrp", low, high, remedy=remedy)


def _sites(table: TextTable) -> Strings:
    sites = table.texts("site")
    if "site" in table.columns:
        remedy = "Name the serving site, or leave the row out."
        table.bad(sites == "", always("the serving site is missing"), remedy)
    return sites


def _bands(table: TextTable) -> Ints:
    texts = table.texts("band")
    if "band" not in table.columns:
        return np.zeros(table.rows, dtype=np.int64)
    bare = [text.casefold().removesuffix("mhz").strip() for text in texts.tolist()]
    values = np.array([NR_BANDS_MHZ.get(text, _whole(text)) for text in bare], dtype=np.int64)
    wrong: Bools = values <= 0
    remedy = f"Give whole MHz, or an NR band: {', '.join(NR_BANDS_MHZ)}."
    table.bad(wrong, lambda row: f"the band is {str(texts[row])!r}", remedy)
    return values


def _whole(text: str) -> int:
    try:
        value = float(text)
    except ValueError:
        return -1
    return int(value) if np.isfinite(value) and value.is_integer() else -1


def _with_bands(table: TextTable, columns: _Columns, frame: Frame, warnings: list[Fault]) -> _Columns:
    """Return the columns with a band for each row of a known site; rows of the others keep 0 or what was given."""
    sites, count = np.unique(columns.site, return_counts=True)
    unknown = [(str(name), int(n)) for name, n in zip(sites, count, strict=True) if name not in frame.bands]
    if unknown:
        listed = ", ".join(f"{name} ({n})" for name, n in sorted(unknown, key=lambda pair: (-pair[1], pair[0])))
        message = f"{len(unknown)} serving sites are not known, with their rows: {listed}"
        remedy = "Spell sites as in the sector list, or add them; their rows are left out."
        warnings.append(Fault(table.name, message, remedy))
    if "band" in table.columns:
        return columns
    several = [
        f"{name} ({', '.join(map(str, bands))})" for name, bands in sorted(frame.bands.items()) if len(bands) > 1
    ]
    mine = [text for text in several if text.split(" (")[0] in set(sites.tolist())]
    if mine:
        message = f"no column tells the band, and these sites have several [MHz]: {', '.join(mine)}"
        table.faults.append(Fault(table.name, message, "Add a column band."))
    sole = np.array([frame.bands.get(str(name), (0,))[0] for name in columns.site], dtype=np.int64)
    return _Columns(columns.x_m, columns.y_m, columns.rsrp_dbm, columns.site, sole)


def _kept(table: TextTable, columns: _Columns, frame: Frame, warnings: list[Fault]) -> Bools:
    """Return which rows are usable; what is left out is told in ``warnings``, or in the faults if that is all."""
    known = np.array([str(name) in frame.bands for name in columns.site], dtype=bool)
    pairs = zip(columns.site.tolist(), columns.band_mhz.tolist(), strict=True)
    fits = np.array([band in frame.bands.get(site, ()) for site, band in pairs], dtype=bool)
    other = known & ~fits
    if other.any():
        wrong = sorted(
            {f"{site} {band}" for site, band in zip(columns.site[other], columns.band_mhz[other], strict=True)}
        )
        message = f"{int(other.sum())} rows are on a band [MHz] that their site does not have: {', '.join(wrong)}"
        warnings.append(Fault(table.name, message, "Check band and sector list; the rows are left out."))
    _, _, inside = frame.grid.locate(columns.x_m, columns.y_m)
    if not inside.all():
        message = f"{int((~inside).sum())} of {table.rows} rows lie outside the region's rasters"
        warnings.append(Fault(table.name, message, "Check their coordinates; the rows are left out."))
    frame_of = pd.DataFrame({name: getattr(columns, name) for name in columns.__slots__})
    repeated = frame_of.duplicated().to_numpy(bool)
    if repeated.any():
        message = f"{int(repeated.sum())} rows repeat an earlier one in place, level, site and band"
        warnings.append(Fault(table.name, message, "They are counted once; check that the log was not joined twice."))
    keep: Bools = fits & inside & ~repeated
    if not keep.any():
        table.faults.extend(warnings)
        message = "no row is left"
        table.faults.append(Fault(table.name, message, "Give levels of known sites within the region."))
    return keep


def _shifted(found: Measurements, frame: Frame) -> str:
    """Return in words whether the points lie on the roads only once a GCJ-02 shift is taken off, else ''."""
    if not len(frame.roads):
        return ""
    tree = shapely.STRtree(frame.roads)

    def misfit(x_m: Floats, y_m: Floats) -> Floats:
        points = shapely.points(x_m, y_m)
        return np.asarray(shapely.distance(points, frame.roads[tree.nearest(points)]))

    return suspicion(frame.grid.crs, found.x_m, found.y_m, misfit)
