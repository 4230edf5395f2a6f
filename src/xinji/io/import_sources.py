"""Read one vector source of a mapping: open it, place it, keep its rows, translate its columns."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import pyproj
import shapely
from shapely.errors import ShapelyError

from xinji.core.arrays import Bools, Floats, Shapes
from xinji.errors import Fault, RegionError
from xinji.io.check_gcj import gcj02
from xinji.io.check_layers import same_crs
from xinji.io.check_rows import each_row, shapes_of
from xinji.io.import_config import DROP, OTHERS, Range, Source
from xinji.io.osm import OSM_LAYERS, read_pbf

_UNREADABLE = (OSError, ValueError, KeyError, TypeError, RuntimeError, pa.ArrowException, ShapelyError)
_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Column:
    """One of our columns: ``kind`` "text", "number" or "list" (as it stands).

    ``default`` stands where a mapping does not give the column; without one it must.
    ``words`` are the only texts allowed; ``known`` translates words that a mapping leaves out.
    """

    kind: str
    default: str | float | None = None
    words: tuple[str, ...] = ()
    known: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Bench:
    """Where an import works: the data's folder and the region's CRS; faults and notes as they come."""

    folder: Path
    crs: str
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    pbf: dict[Path, dict[str, gpd.GeoDataFrame]] = field(default_factory=dict)

    def fault(self, place: str, message: str, remedy: str) -> None:
        """Add a fault."""
        self.faults.append(Fault(place, message, remedy))


def read_source(source: Source, place: str, columns: Mapping[str, Column], bench: Bench) -> gpd.GeoDataFrame | None:
    """Return ``source`` with our ``columns`` and ``geometry``, in the region's CRS; None if faulty.

    ``place`` (``import.roads.0``) names the source in the faults, which go to ``bench``.
    """
    before = len(bench.faults)
    bench.faults += _mapping_faults(source, place, columns)
    frame = _open(source, place, bench)
    if frame is None:
        return None
    frame = _where(frame, source, place, bench)
    bench.faults += _column_faults(frame, source, place)
    placed = _place(frame, source, place, bench)
    if placed is None or len(bench.faults) > before:
        return None
    values = {name: _values(placed, source, name, column, place, bench) for name, column in columns.items()}
    result = gpd.GeoDataFrame(values, geometry=placed.geometry.to_numpy(), crs=bench.crs)
    for name, column in columns.items():
        if column.words:
            result = _dropped(result, name, place, bench)
    if not len(result):
        bench.fault(place, f"{source.file} gives no row", "Check `where` and `translate`.")
    return None if len(bench.faults) > before else result.reset_index(drop=True)


def polygons_of(shapes: Shapes) -> Shapes:
    """Return valid polygons or multipolygons in place of ``shapes``; lines and points of a repair go."""
    mended: Shapes = np.array(shapes, dtype=object)
    wrong = ~shapely.is_valid(mended)
    mended[wrong] = shapely.make_valid(mended[wrong])
    mixed = np.flatnonzero(shapely.get_type_id(mended) == 7)
    for row in mixed:
        parts = shapely.get_parts(mended[row])
        mended[row] = shapely.union_all(parts[shapely.get_dimensions(parts) == 2])
    return mended


def _open(source: Source, place: str, bench: Bench) -> gpd.GeoDataFrame | None:
    path = bench.folder / source.file
    if not path.exists():
        bench.fault(place, f"there is no file {path}", "Mend `file`, or name the data's folder.")
        return None
    try:
        with warnings.catch_warnings():
            # GDAL warns of what it mends by itself (unclosed rings, odd DBF fields); faults it raises.
            warnings.simplefilter("ignore", RuntimeWarning)
            frame = _opener(path)(path, source, bench)
    except RegionError as error:
        bench.faults += [Fault(place, f"{f.layer}: {f.message}", f.remedy) for f in error.faults]
        return None
    except _UNREADABLE as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        remedy = "Check that the file is whole and its ending tells its format, its layer and its encoding."
        bench.fault(place, f"{path.name} cannot be read ({reason})", remedy)
        return None
    if not len(frame):
        bench.fault(place, f"{path.name} has no row", "Name the file or the layer that holds the data.")
        return None
    return frame.reset_index(drop=True)


def _opener(path: Path) -> Callable[[Path, Source, Bench], gpd.GeoDataFrame]:
    return {".parquet": _open_parquet, ".csv": _open_csv, ".pbf": _open_pbf}.get(path.suffix.lower(), _open_ogr)


def _open_parquet(path: Path, source: Source, bench: Bench) -> gpd.GeoDataFrame:
    _refuse(source, "layer", "encoding")
    del bench
    return gpd.read_parquet(path)


def _open_ogr(path: Path, source: Source, bench: Bench) -> gpd.GeoDataFrame:
    del bench
    names = [str(name) for name in pyogrio.list_layers(path)[:, 0]]
    if source.layer is None and len(names) > 1:
        raise ValueError(f"it holds the layers {', '.join(names)}; name one with `layer`")
    if source.layer is not None and source.layer not in names:
        raise ValueError(f"it holds no layer {source.layer!r}, but {', '.join(names)}")
    return pyogrio.read_dataframe(path, layer=source.layer or names[0], encoding=source.encoding)


def _open_csv(path: Path, source: Source, bench: Bench) -> gpd.GeoDataFrame:
    _refuse(source, "layer")
    del bench
    table = pd.read_csv(path, encoding=source.encoding or "utf-8-sig")
    absent = [name for name in (source.x, source.y) if name not in table.columns]
    if absent:
        raise ValueError(f"it has no column {', '.join(absent)}; name the coordinates with `x` and `y`")
    points = gpd.points_from_xy(table[source.x], table[source.y])
    points[table[[source.x, source.y]].isna().any(axis=1).to_numpy()] = None
    return gpd.GeoDataFrame(table, geometry=points, crs=source.crs or "EPSG:4326")


def _open_pbf(path: Path, source: Source, bench: Bench) -> gpd.GeoDataFrame:
    _refuse(source, "encoding")
    if source.layer not in OSM_LAYERS:
        raise ValueError(f"layer is {source.layer!r}; a PBF is read as {', '.join(OSM_LAYERS)}")
    if path not in bench.pbf:
        bench.pbf[path] = read_pbf(path)
    return bench.pbf[path][source.layer]


def _refuse(source: Source, *keys: str) -> None:
    given = [key for key in keys if getattr(source, key) is not None]
    if given:
        raise ValueError(f"{', '.join(given)} means nothing for this format; remove it")


def _dropped(frame: gpd.GeoDataFrame, name: str, place: str, bench: Bench) -> gpd.GeoDataFrame:
    drop = (frame[name] == DROP).to_numpy(bool)
    if drop.any():
        bench.notes.append(f"{place}: {int(drop.sum()):,} of {len(frame):,} rows are left out by their {name}")
    return frame[~drop]


def _mapping_faults(source: Source, place: str, columns: Mapping[str, Column]) -> Iterator[Fault]:
    given = {*source.columns, *source.constants}
    for name in sorted(given - set(columns)):
        close = difflib.get_close_matches(name, columns, 1)
        hint = f"Did you mean {close[0]!r}?" if close else f"Columns here are: {', '.join(columns)}."
        yield Fault(place, f"{name!r} is no column of this layer", hint)
    for name, column in columns.items():
        if name not in given and column.default is None:
            yield Fault(place, f"the column {name!r} is not mapped", "Add it to `columns` or `constants`.")


def _column_faults(frame: gpd.GeoDataFrame, source: Source, place: str) -> Iterator[Fault]:
    known = [str(name) for name in frame.columns if name != frame.geometry.name]
    for ours, theirs in source.columns.items():
        if theirs not in known:
            close = difflib.get_close_matches(theirs, known, 1)
            hint = f"Did you mean {close[0]!r}?" if close else f"The file has: {', '.join(known)}."
            yield Fault(place, f"{source.file} has no column {theirs!r} (for {ours})", hint)


def _where(frame: gpd.GeoDataFrame, source: Source, place: str, bench: Bench) -> gpd.GeoDataFrame:
    keep = np.ones(len(frame), dtype=bool)
    for name, wanted in source.where.items():
        if name not in frame.columns:
            known = [str(column) for column in frame.columns if column != frame.geometry.name]
            remedy = f"The file has: {', '.join(known)}."
            bench.fault(place, f"{source.file} has no column {name!r} (in where)", remedy)
        elif isinstance(wanted, Range):
            numbers = pd.to_numeric(frame[name], errors="coerce").to_numpy(np.float64)
            low, high = wanted.min, wanted.max
            keep &= (numbers >= (-np.inf if low is None else low)) & (numbers <= (np.inf if high is None else high))
        else:
            keep &= frame[name].isin(wanted if isinstance(wanted, tuple) else [wanted]).to_numpy(bool)
    if not keep.any():
        bench.fault(place, f"`where` keeps no row of {source.file}", "Check names and values in `where`.")
    return frame[keep]


def _place(frame: gpd.GeoDataFrame, source: Source, place: str, bench: Bench) -> gpd.GeoDataFrame | None:
    """Bring ``frame`` into the region's CRS, with sound geometry; None if it cannot be placed."""
    crs = frame.crs
    if source.crs is not None:
        try:
            given = pyproj.CRS.from_user_input(source.crs)
        except pyproj.exceptions.CRSError:
            bench.fault(place, f"{source.crs!r} is no coordinate reference system", 'Write it like "EPSG:4326".')
            return None
        if crs is not None and not same_crs(crs, given):
            message = f"the file says its CRS is {crs.to_string()[:60]}, the mapping says {source.crs}"
            bench.fault(place, message, "Remove `crs`; it is for files that name none.")
            return None
        crs = given
    if crs is None:
        bench.fault(place, f"{source.file} names no CRS", 'Add crs = "EPSG:..." if you know it.')
        return None
    shapes = shapes_of(frame)
    gone: Bools = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    rows = frame.index.to_numpy()
    lost = np.zeros(int(rows.max()) + 1 if len(rows) else 0, dtype=bool)
    lost[rows[gone]] = True
    remedy = "Mend the file, or leave the row out with `where`."
    bench.faults += each_row(place, lost, lambda _: "the geometry is missing or empty", remedy)
    if gone.any():
        return None
    area = shapely.get_dimensions(shapes) == 2
    broken = int((~shapely.is_valid(shapes[area])).sum())
    if broken:
        bench.notes.append(f"{place}: {broken} invalid polygons were repaired")
        shapes[area] = polygons_of(shapes[area])
    placed = frame.set_geometry(gpd.GeoSeries(shapely.force_2d(shapes), index=frame.index, crs=crs))
    if source.coordinate_system == "gcj02":
        placed = placed.to_crs("EPSG:4326")
        placed = placed.set_geometry(gpd.GeoSeries(unshift(placed.geometry.to_numpy()), index=frame.index, crs=4326))
    return placed.to_crs(bench.crs)


def unshift(shapes: Shapes) -> Shapes:
    """Return shapes [degrees] in WGS-84 for shapes in GCJ-02, by fixed-point iteration to 1e-9 degrees."""

    def back(xy: Floats) -> Floats:
        found = xy
        for _ in range(6):
            shifted = np.column_stack(gcj02(found[:, 0], found[:, 1]))
            found = found + xy - shifted
        return found

    moved: Shapes = shapely.transform(np.array(shapes, dtype=object), back)
    return moved


def _values(
    frame: gpd.GeoDataFrame, source: Source, name: str, column: Column, place: str, bench: Bench
) -> np.ndarray | pd.Series:
    if name in source.constants or name not in source.columns:
        value = source.constants.get(name, column.default)
        found = pd.Series([value] * len(frame), dtype=object)
    else:
        found = frame[source.columns[name]].reset_index(drop=True).astype(object)
        if name in source.defaults:
            found = found.where(found.notna(), source.defaults[name])
    if column.kind == "list":
        return found
    if column.kind == "number":
        numbers = pd.to_numeric(found, errors="coerce").to_numpy(np.float64)
        bad = np.isnan(numbers) & found.notna().to_numpy() & np.array([v == v for v in found])  # noqa: PLR0124
        say = f"{name} holds text that is no number"
        wrong = sorted({repr(value) for value in found[bad]})[:_SHOWN]
        if wrong:
            bench.fault(place, f"{say}: {', '.join(wrong)}", "Mend the file or the mapping.")
        return numbers * source.factors.get(name, 1.0)
    words = found.map(lambda value: "" if pd.isna(value) else _text(value))
    return _translated(words, source.translate.get(name, {}), name, column, place, bench)


def _text(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _translated(
    words: pd.Series, given: Mapping[str, str], name: str, column: Column, place: str, bench: Bench
) -> pd.Series:
    table = {**column.known, **given}
    if table:
        rest = given.get(OTHERS)
        words = words.map(lambda word: table.get(word, word if rest is None else rest))
    if column.words:
        counts = words[~words.isin([*column.words, DROP])].value_counts()
        if len(counts):
            shown = ", ".join(f"{value!r} ({count})" for value, count in counts.items())
            message = f"{name} has {len(counts)} unknown values: {shown}"
            remedy = f'Translate them under translate.{name}, to "{DROP}" or one of: {", ".join(column.words)}.'
            bench.fault(place, message, remedy)
    return words
