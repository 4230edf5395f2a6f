"""Path loss kept in files, so that tilt, azimuth, power and site choice never run propagation again.

A store is a folder. ``store.json`` says what every map was computed on (CRS, surface, climate,
terminal height, model); ``maps.jsonl`` holds one line for each map, the last line of a site and
height being the one in force; each map is a tiled GeoTIFF with one band a frequency: uint16
hundredths of a decibel, scale 0.01, no-data 65535, Zstandard level 1 with horizontal differences.

A map's file is named by its own digest and is complete before its line is written; a file that it
replaces goes last. Whatever ends a run early leaves every earlier map in force.

Measured on 40 km x 40 km at 30 m: 6 to 8 bits a pixel, written at over 100 and read at over 180
million pixels/s per core; DEFLATE saves 2 % of that size at half the speed. Whole decibels in one
byte would take a fifth of the room, but err by up to 0.5 dB where the models agree within 0.02 dB.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import rasterio
from rasterio.errors import RasterioError
from rasterio.io import MemoryFile
from rasterio.windows import Window

from xinji.core.arrays import AnyArray
from xinji.core.grid import Grid
from xinji.core.radio import CODES_PER_DB, NOT_COVERED, Losses, LossMap
from xinji.errors import Fault, InputError, OutputError, raise_if
from xinji.io.atomic import atomic_file

FORMAT = 1
"""Version of the store's layout."""

ABOUT_FILE = "store.json"
MAPS_FILE = "maps.jsonl"

_TILE = 256
_AGAIN = "Run the coverage again; it computes what is missing."

Key: TypeAlias = tuple[str, float]
"""Site and antenna height [m] of a map."""


@dataclass(frozen=True, slots=True)
class StoreAbout:
    """What all maps of a store were computed on.

    ``surface`` is the ``surface_fingerprint`` of the ground, ``climate`` the model's figures by name,
    ``terminal_m`` the terminal's height above ground [m], ``model`` the engine and its version.
    """

    crs: str
    surface: str
    climate: Mapping[str, float]
    terminal_m: float
    model: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A map that a run needs: its site, place [m, the store's CRS], height, radius [m] and bands."""

    site: str
    x_m: float
    y_m: float
    height_m: float
    radius_m: float
    frequency_mhz: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One map of a store: what it shows, on which pixels, and the file with its size and digest.

    The frame (``west_m``, ``north_m``, ``cell_m``, ``rows``, ``columns``) is that of ``Grid``;
    ``frequency_mhz`` ascends, one band of the file each; ``bytes`` is the file's size.
    """

    site: str
    x_m: float
    y_m: float
    height_m: float
    radius_m: float
    frequency_mhz: tuple[float, ...]
    west_m: float
    north_m: float
    cell_m: float
    rows: int
    columns: int
    file: str
    bytes: int
    digest: str

    def grid(self, crs: str) -> Grid:
        """Return the map's frame in ``crs``."""
        return Grid(crs, self.west_m, self.north_m, self.cell_m, self.rows, self.columns)


@dataclass(frozen=True, slots=True)
class LossStore:
    """An open store: its folder, what it was computed on, and the maps in force by ``Key``."""

    folder: Path
    about: StoreAbout
    entries: Mapping[Key, Entry]

    def missing(self, wanted: Iterable[Wanted]) -> tuple[Wanted, ...]:
        """Return what of ``wanted`` must still be computed, each with the bands that are missing.

        A map of another place or radius, or whose file is gone or cut short, counts as missing.
        """
        found = ((want, self._bands_kept(want)) for want in wanted)
        rest = (
            replace(want, frequency_mhz=tuple(band for band in want.frequency_mhz if band not in kept))
            for want, kept in found
        )
        return tuple(want for want in rest if want.frequency_mhz)

    def read(
        self, site: str, *, height_m: float | None = None, frequency_mhz: Sequence[float] | None = None
    ) -> LossMap:
        """Return the map of ``site``; ``height_m`` may be left out where the site has one height.

        All bands in ascending order, or those of ``frequency_mhz``. Raises InputError where the store
        has no such map, or its file is gone or is not what was written.
        """
        entry = self._entry(site, height_m)
        bands = _bands(entry, frequency_mhz)
        loss = _decoded(self.folder / entry.file, self._content(entry), bands, None)
        return self._map(entry, bands, entry.grid(self.about.crs), loss)

    def read_window(
        self, site: str, grid: Grid, *, height_m: float | None = None, frequency_mhz: Sequence[float] | None = None
    ) -> LossMap:
        """Return the map of ``site`` on ``grid``, ``NOT_COVERED`` beyond its own window; see ``read``.

        Raises InputError also where the pixels of ``grid`` are not those of the map.
        """
        entry = self._entry(site, height_m)
        bands = _bands(entry, frequency_mhz)
        row, column = _offset(entry, grid, self.about.crs)
        top, bottom = max(row, 0), min(row + grid.rows, entry.rows)
        left, right = max(column, 0), min(column + grid.columns, entry.columns)
        loss = np.full((len(bands), grid.rows, grid.columns), NOT_COVERED, dtype=np.uint16)
        if top < bottom and left < right:
            window = Window(left, top, right - left, bottom - top)
            part = _decoded(self.folder / entry.file, self._content(entry), bands, window)
            loss[:, top - row : bottom - row, left - column : right - column] = part
        return self._map(entry, bands, grid, loss)

    def verify(self) -> tuple[Fault, ...]:
        """Return a fault for each file that is gone or is not what was written."""
        faults: list[Fault] = []
        for entry in self.entries.values():
            try:
                self._content(entry)
            except InputError as error:
                faults += error.faults
        return tuple(faults)

    def _bands_kept(self, want: Wanted) -> tuple[float, ...]:
        entry = self.entries.get((want.site, want.height_m))
        if entry is None or (entry.x_m, entry.y_m, entry.radius_m) != (want.x_m, want.y_m, want.radius_m):
            return ()
        path = self.folder / entry.file
        return entry.frequency_mhz if path.is_file() and path.stat().st_size == entry.bytes else ()

    def _entry(self, site: str, height_m: float | None) -> Entry:
        heights = sorted(height for name, height in self.entries if name == site) if height_m is None else [height_m]
        if len(heights) > 1:
            listed = ", ".join(f"{height:g}" for height in heights)
            message = f"site {site} has maps at {listed} m above ground"
            raise InputError([Fault(str(self.folder), message, "Say which height is meant.")])
        if not heights or (site, heights[0]) not in self.entries:
            at = f" at {heights[0]:g} m" if heights else ""
            raise InputError([Fault(str(self.folder), f"there is no path loss of site {site}{at}", _AGAIN)])
        return self.entries[site, heights[0]]

    def _content(self, entry: Entry) -> bytes:
        path = self.folder / entry.file
        try:
            content = path.read_bytes()
        except OSError as error:
            message = f"the path loss of site {entry.site} cannot be read ({error.strerror})"
            raise InputError([Fault(str(path), message, _AGAIN)]) from None
        if len(content) != entry.bytes or _digest(content) != entry.digest:
            message = f"the path loss of site {entry.site} is not what was written ({len(content)} bytes)"
            remedy = f"Remove the file; then run the coverage again, which computes it anew ({entry.bytes} bytes)."
            raise InputError([Fault(str(path), message, remedy)])
        return content

    def _map(self, entry: Entry, bands: Iterable[float], grid: Grid, loss: Losses) -> LossMap:
        place = (entry.site, entry.x_m, entry.y_m, entry.height_m)
        return LossMap(*place, self.about.terminal_m, tuple(bands), grid, loss)


def surface_fingerprint(grid: Grid, *layers: AnyArray) -> str:
    """Return a digest of ``grid`` and of ``layers`` on it, of their types and order too."""
    state = blake2b(repr(grid).encode(), digest_size=16)
    for layer in layers:
        state.update(f"{layer.dtype.str}{layer.shape}".encode())
        state.update(np.ascontiguousarray(layer).data)
    return state.hexdigest()


def open_store(folder: Path, about: StoreAbout | None = None) -> LossStore:
    """Open the store in ``folder``; with ``about``, one that does not exist yet opens empty.

    Raises InputError where there is no store, its format is unknown, a line of it is damaged, or it
    was computed on something else than ``about``. A last line cut short is left out: its map is
    missing.
    """
    path = folder / ABOUT_FILE
    if about is not None and not path.exists():
        return LossStore(folder, about, {})
    kept = _read_about(path)
    if about is not None:
        raise_if(_differences(path, kept, about))
    entries = {(entry.site, entry.height_m): entry for entry in _read_entries(folder / MAPS_FILE)}
    return LossStore(folder, kept, entries)


def write_loss_maps(folder: Path, maps: Iterable[LossMap], about: StoreAbout, *, radius_m: float) -> LossStore:
    """Add ``maps``, each computed to ``radius_m`` [m], to the store in ``folder``; return it as it then is.

    Each map is on disk before the next is asked for. Bands of a site and height that are kept already
    stay, unless they were computed at another place, to another radius or on other pixels: then the
    new map takes their place. Raises InputError where the store was computed on something else than
    ``about`` or a map was, OutputError where the disk refuses; maps written before stay.
    """
    store = open_store(folder, about)
    path = folder / ABOUT_FILE
    if not path.exists():
        with atomic_file(path) as fresh:
            fresh.write_text(json.dumps({"format": FORMAT, **_table(about)}, indent=1) + "\n", encoding="utf-8")
    entries = dict(store.entries)
    for loss_map in maps:
        raise_if(_map_faults(loss_map, about))
        key = (loss_map.site, loss_map.height_m)
        before = entries.get(key)
        whole = _with_kept(loss_map, before, radius_m, LossStore(folder, about, entries))
        entries[key] = _write(folder, whole, radius_m)
        if before is not None and before.file != entries[key].file:
            (folder / before.file).unlink(missing_ok=True)
    return LossStore(folder, about, entries)


def _with_kept(fresh: LossMap, before: Entry | None, radius_m: float, store: LossStore) -> LossMap:
    """Return ``fresh`` with the other bands of the map ``before``, if they show the same pixels from the same place."""
    maps = [fresh]
    if before is not None:
        same = (before.x_m, before.y_m, before.radius_m) == (fresh.x_m, fresh.y_m, radius_m)
        others = tuple(band for band in before.frequency_mhz if band not in fresh.frequency_mhz)
        readable = (store.folder / before.file).is_file()
        if same and others and readable and before.grid(store.about.crs) == fresh.grid:
            maps.append(store.read(fresh.site, height_m=fresh.height_m, frequency_mhz=others))
    order = sorted((band, part, n) for part, kept in enumerate(maps) for n, band in enumerate(kept.frequency_mhz))
    loss = np.stack([maps[part].loss[n] for _, part, n in order])
    return replace(fresh, frequency_mhz=tuple(band for band, _, _ in order), loss=loss)


def _write(folder: Path, loss_map: LossMap, radius_m: float) -> Entry:
    content = _encoded(loss_map)
    digest, grid = _digest(content), loss_map.grid
    slug = re.sub(r"[^A-Za-z0-9-]+", "_", loss_map.site)[:40]
    entry = Entry(
        site=loss_map.site,
        x_m=float(loss_map.x_m),
        y_m=float(loss_map.y_m),
        height_m=float(loss_map.height_m),
        radius_m=float(radius_m),
        frequency_mhz=tuple(map(float, loss_map.frequency_mhz)),
        west_m=grid.west_m,
        north_m=grid.north_m,
        cell_m=grid.cell_m,
        rows=grid.rows,
        columns=grid.columns,
        file=f"{slug}_{loss_map.height_m:g}m_{digest[:12]}.tif",
        bytes=len(content),
        digest=digest,
    )
    with atomic_file(folder / entry.file) as fresh:
        fresh.write_bytes(content)
    _append(folder / MAPS_FILE, json.dumps(asdict(entry), ensure_ascii=False))
    return entry


def _append(path: Path, line: str) -> None:
    """Add ``line`` to ``path``, after cutting off a last line that an interrupted run left unfinished."""
    try:
        with path.open("a+b") as target:
            end = target.tell()
            target.seek(max(end - 1, 0))
            if end and target.read(1) != b"\n":
                target.seek(0)
                target.truncate(target.read().rfind(b"\n") + 1)
            target.write(line.encode() + b"\n")
    except OSError as error:
        message = f"{path} could not be written: {error.strerror}. Free some space or check your rights."
        raise OutputError(f"{message} Maps written before stay.") from error


def _encoded(loss_map: LossMap) -> bytes:
    grid, count = loss_map.grid, len(loss_map.frequency_mhz)
    profile: dict[str, Any] = {
        "driver": "GTiff",
        "height": grid.rows,
        "width": grid.columns,
        "count": count,
        "dtype": "uint16",
        "nodata": NOT_COVERED,
        "crs": grid.crs,
        "transform": rasterio.Affine(grid.cell_m, 0.0, grid.west_m, 0.0, -grid.cell_m, grid.north_m),
        "tiled": True,
        "blockxsize": _TILE,
        "blockysize": _TILE,
        "interleave": "band",
        "compress": "zstd",
        "zstd_level": 1,
        "predictor": 2,
        "bigtiff": "if_safer",
    }
    with MemoryFile() as memory:
        with memory.open(**profile) as target:
            target.write(loss_map.loss)
            target.scales = (1.0 / CODES_PER_DB,) * count
            target.units = ("dB",) * count
            target.descriptions = tuple(f"{band:g} MHz" for band in loss_map.frequency_mhz)
            target.update_tags(SITE=loss_map.site, HEIGHT_M=repr(loss_map.height_m), X_M=loss_map.x_m, Y_M=loss_map.y_m)
        return bytes(memory.getbuffer())


def _decoded(path: Path, content: bytes, bands: Mapping[float, int], window: Window | None) -> Losses:
    try:
        with MemoryFile(content) as memory, memory.open() as source:
            loss: Losses = source.read(list(bands.values()), window=window)
    except RasterioError as error:
        message = f"the file cannot be read as GeoTIFF ({str(error).splitlines()[0]})"
        raise InputError(
            [Fault(str(path), message, "Read it with a GDAL that knows Zstandard (3.0 or later).")]
        ) from None
    return loss


def _bands(entry: Entry, frequency_mhz: Sequence[float] | None) -> dict[float, int]:
    """Return the file's band (from 1) of each frequency asked for."""
    kept = {band: n + 1 for n, band in enumerate(entry.frequency_mhz)}
    wanted = entry.frequency_mhz if frequency_mhz is None else frequency_mhz
    unknown = [band for band in wanted if band not in kept]
    if unknown:
        has = ", ".join(f"{band:g}" for band in kept)
        message = f"site {entry.site} has no path loss at {', '.join(f'{band:g}' for band in unknown)} MHz, only {has}"
        raise InputError([Fault(entry.file, message, _AGAIN)])
    return {band: kept[band] for band in wanted}


def _offset(entry: Entry, grid: Grid, crs: str) -> tuple[int, int]:
    """Return the row and column of the map that the first pixel of ``grid`` is."""
    row, column = (entry.north_m - grid.north_m) / entry.cell_m, (grid.west_m - entry.west_m) / entry.cell_m
    # A millionth of a pixel is what sums of floating-point steps may leave.
    aligned = abs(row - round(row)) < 1e-6 and abs(column - round(column)) < 1e-6
    if grid.crs != crs or grid.cell_m != entry.cell_m or not aligned:
        wanted = f"{grid.cell_m:g} m from ({grid.west_m:.10g}, {grid.north_m:.10g}) in {grid.crs}"
        kept = f"{entry.cell_m:g} m from ({entry.west_m:.10g}, {entry.north_m:.10g}) in {crs}"
        message = f"pixels of {wanted} are asked for, the map's are {kept}"
        raise InputError([Fault(entry.file, message, "Ask for pixels of the surface that the map was computed on.")])
    return round(row), round(column)


def _map_faults(loss_map: LossMap, about: StoreAbout) -> Iterator[Fault]:
    place = f"path loss of site {loss_map.site}"
    if loss_map.grid.crs != about.crs:
        yield Fault(place, f"the CRS is {loss_map.grid.crs}, the store's {about.crs}", "Compute it in the store's CRS.")
    if loss_map.terminal_m != about.terminal_m:
        message = f"the terminal is at {loss_map.terminal_m:g} m, the store's at {about.terminal_m:g} m"
        yield Fault(place, message, "Keep maps of another terminal height in a store of their own.")
    if not loss_map.frequency_mhz or len(set(loss_map.frequency_mhz)) < len(loss_map.frequency_mhz):
        yield Fault(place, f"the bands are {loss_map.frequency_mhz}", "Give each band once, and at least one.")


def _differences(path: Path, kept: StoreAbout, about: StoreAbout) -> Iterator[Fault]:
    remedy = "Name another folder for this one, or remove the store to have it computed again."
    names = {"crs": "CRS", "surface": "ground or clutter", "terminal_m": "terminal height", "model": "model"}
    for name, said in names.items():
        old, new = getattr(kept, name), getattr(about, name)
        if old != new:
            yield Fault(str(path), f"the path loss was computed with another {said} ({old}; now {new})", remedy)
    for name in sorted({*kept.climate, *about.climate}):
        old, new = kept.climate.get(name), about.climate.get(name)
        if old != new:
            yield Fault(str(path), f"the path loss was computed with {name} = {old}; now it is {new}", remedy)


def _read_about(path: Path) -> StoreAbout:
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        version = table.pop("format")
        if version != FORMAT:
            message = f"the store's format is {version}, this version reads {FORMAT}"
            raise InputError([Fault(str(path), message, "Compute it again in another folder.")])
        return StoreAbout(**table)
    except FileNotFoundError:
        message, remedy = "there is no path-loss store", "Name a folder that `xinji coverage` has written."
    except OSError as error:
        message, remedy = f"the file cannot be read ({error.strerror})", "Check the path and your rights."
    except (ValueError, TypeError, KeyError, AttributeError):
        message, remedy = "the file is not that of a path-loss store", "Remove the store; then compute it again."
    raise InputError([Fault(str(path), message, remedy)])


def _read_entries(path: Path) -> list[Entry]:
    if not path.exists():
        return []
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        message = f"the file cannot be read ({error.strerror})"
        raise InputError([Fault(str(path), message, "Check the path and your rights.")]) from None
    entries, faults = [], []
    # What follows the last line's end is empty, or a line that an interrupted run left unfinished.
    for row, line in enumerate(lines[:-1]):
        try:
            table = json.loads(line)
            entries.append(Entry(**{**table, "frequency_mhz": tuple(table["frequency_mhz"])}))
        except (ValueError, TypeError, KeyError):
            remedy = "Remove the line; the map counts as missing then and is computed again."
            faults.append(Fault(str(path), "the line is damaged", remedy, row))
    raise_if(faults)
    return entries


def _table(about: StoreAbout) -> dict[str, object]:
    return {name: getattr(about, name) for name in about.__slots__} | {"climate": dict(about.climate)}


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=16).hexdigest()
