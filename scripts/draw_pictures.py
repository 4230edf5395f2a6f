"""Draw the pictures of README and documentation from a plan and from its coverage.

    python scripts/draw_pictures.py plan out/xinwu [LANGUAGE]
    python scripts/draw_pictures.py coverage REGION_FOLDER out/xinwu_coverage MHZ [LANGUAGE [rsrp|sinr|server ...]]

Writes docs/images/<region>_<picture>.png; needs nothing but the folders.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import BoundaryNorm, ListedColormap, hsv_to_rgb, to_hex
from matplotlib.figure import Figure
from PIL import Image
from scipy.spatial import cKDTree

from xinji.core.arrays import AnyArray, Floats
from xinji.core.region import Region
from xinji.io.region import read
from xinji.show.charts import compare_chart, coverage_chart, marginal_curve, spend_chart
from xinji.show.coverage_map import COLOURS, RSRP_CLASSES_DBM
from xinji.show.ground import NO_BUILD, WATER, WATER_EDGE, draw_furniture, draw_ground, extent_of, outline_of
from xinji.show.legend import Entry, draw_legend
from xinji.show.look import INK, SOFT, new_figure, to_png
from xinji.show.maps import overview_map, stage_maps
from xinji.show.text import Words, words
from xinji.workflow.planning import load_study

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
PICTURES = {
    "plan": overview_map,
    "stages": stage_maps,
    "coverage": coverage_chart,
    "spend": spend_chart,
    "curve": marginal_curve,
    "compare": compare_chart,
}
DPI = 120
SHADES = 256
"""Colours that a PNG keeps, so that it stays small."""

WIDTH_IN, LEGEND_IN, HEAD_IN, FOOT_IN = 7.6, 2.05, 0.4, 0.42
ARM_SHARE = 0.008
"""Length of the stroke along a sector's axis, as a share of the map's width."""

SINR_CLASSES_DB = (-200.0, -5.0, 0.0, 5.0, 10.0, 15.0, 20.0)
SINR_COLOURS = ("#fde725", "#90d743", "#35b779", "#21918c", "#31688e", "#443983", "#440154")
"""From bad to good, as dark as good levels are: Matplotlib's viridis, reversed."""
CLASSES = {
    "rsrp": ("rsrp_dbm", RSRP_CLASSES_DBM, COLOURS, "dBm"),
    "sinr": ("sinr_db", SINR_CLASSES_DB, SINR_COLOURS, "dB"),
}
"""Pictures in classes: the run's raster, edges of the classes, colours, unit."""

KINDS = (*CLASSES, "server")

TEXT = {
    "en": {
        "rsrp": "{region}: RSRP outdoors, {mhz} MHz",
        "sinr": "{region}: SINR outdoors, {mhz} MHz",
        "server": "{region}: best server outdoors, {mhz} MHz",
        "rsrp_legend": "RSRP of the best server",
        "sinr_legend": "SINR of the best server",
        "server_legend": "Best server",
        "server_entry": "a colour for each sector",
        "none": "weaker, or no signal",
        "sector": "Site, axes of its sectors",
        "note": "ITU-R P.1812-8; 3GPP TR 38.901 below 0.5 km. Median level 1.5 m above ground; pixel {cell:g} m. "
        "Water is left out.",
    },
    "zh": {
        "rsrp": "{region}：{mhz} MHz 室外 RSRP",
        "sinr": "{region}：{mhz} MHz 室外 SINR",
        "server": "{region}：{mhz} MHz 室外最佳服务小区",
        "rsrp_legend": "最佳服务小区 RSRP",
        "sinr_legend": "最佳服务小区 SINR",
        "server_legend": "最佳服务小区",
        "server_entry": "每个扇区一种颜色",
        "none": "更弱或无信号",
        "sector": "站址及扇区方位",
        "note": "ITU-R P.1812-8；0.5 km 以内用 3GPP TR 38.901。地面以上 1.5 m 的中值电平；像元 {cell:g} m。水面未示。",
    },
}


@dataclass(frozen=True, slots=True)
class Covered:
    """A coverage run's band: where it is, its sectors (x, y [m] and azimuth [deg], each (n,)), and the language."""

    region: Region
    folder: Path
    mhz: int
    sectors: tuple[Floats, Floats, Floats]
    language: str

    @property
    def says(self) -> dict[str, str]:
        """The words of the pictures."""
        return TEXT[self.language]


def draw_plan(folder: Path, language: str) -> None:
    """Draw every picture of the plan in ``folder``."""
    study, text = load_study(folder), words(language)
    for name, draw in PICTURES.items():
        small(to_png(draw(study, text), IMAGES / f"{study.region.name}_{name}.png", dpi=DPI))


def draw_coverage(covered: Covered, kinds: Sequence[str]) -> None:
    """Draw ``kinds`` of one band: level, SINR, best server."""
    for kind in kinds:
        figure = draw_server(covered) if kind == "server" else draw_classes(covered, kind)
        name = f"{covered.region.name}_{kind}_{covered.mhz}_{covered.language}.png"
        small(to_png(figure, IMAGES / name, dpi=DPI))


def draw_classes(covered: Covered, kind: str) -> Figure:
    """Return the map of level or SINR in classes."""
    raster, edges, colours, unit = CLASSES[kind]
    values, box, cell_m = raster_of(covered, raster)
    drawn = np.ma.masked_invalid(np.where(values >= edges[0], values, np.nan))
    legend = [Entry("heading", covered.says[f"{kind}_legend"]), *class_entries(edges, colours, unit)]
    if kind == "rsrp":
        legend.append(Entry("area", covered.says["none"], "white", edge=SOFT))
    picture = (drawn, box, ListedColormap(colours), BoundaryNorm([*edges, 1e3], len(colours)))
    return map_of(covered, kind, picture, legend, cell_m)


def draw_server(covered: Covered) -> Figure:
    """Return the map of the best server."""
    codes, box, cell_m = raster_of(covered, "server")
    numbers = np.ma.masked_less(codes, 0)
    hues = server_colours(int(numbers.max()) + 1)
    say = covered.says
    legend = [Entry("heading", say["server_legend"]), Entry("area", say["server_entry"], to_hex(hues[0]), edge="none")]
    picture = (numbers, box, ListedColormap(hues), BoundaryNorm(np.arange(len(hues) + 1) - 0.5, len(hues)))
    return map_of(covered, "server", picture, legend, cell_m)


def map_of(
    covered: Covered, name: str, picture: tuple[AnyArray, Floats, ListedColormap, BoundaryNorm],
    legend: Sequence[Entry], cell_m: float,
) -> Figure:  # fmt: skip
    """Return the map of one raster: ``picture`` is its values, west, east, south and north [m], and its colours."""
    region, say, text = covered.region, covered.says, words(covered.language)
    west, south, east, north = extent_of(region)
    wide = WIDTH_IN - LEGEND_IN
    high = wide * (north - south) / (east - west)
    total = HEAD_IN + high + FOOT_IN
    figure = new_figure(WIDTH_IN, total)
    ax = figure.add_axes((0.01, FOOT_IN / total, wide / WIDTH_IN, high / total))
    draw_ground(ax, region, scale=0.45)
    values, (left, right, bottom, top), colours, norm = picture
    # Roads and water lie above, so that a reader finds the place again.
    drawn = ax.imshow(values, extent=(left, right, bottom, top), cmap=colours, norm=norm, interpolation="nearest",
                      zorder=-9.5, aspect="auto")  # fmt: skip
    drawn.set_clip_path(outline_of([region.boundary]), ax.transData)
    draw_sectors(ax, covered.sectors, ARM_SHARE * (east - west))
    ax.set_aspect("equal")
    ax.set_xlim(west, east)
    ax.set_ylim(south, north)
    draw_furniture(ax, region, text["map.north"])
    head = say[name].format(region=getattr(region, text["language.title"]), mhz=covered.mhz)
    figure.text(0.01, 1 - 0.2 / total, head, fontsize=10.5, weight="bold", color=INK, va="center")
    place = ((wide + 0.15) / WIDTH_IN, FOOT_IN / total, (LEGEND_IN - 0.15) / WIDTH_IN, high / total)
    draw_legend(figure.add_axes(place), figure, [*legend, *common_entries(covered, text)])
    foot = [say["note"].format(cell=cell_m), *textwrap.wrap(" · ".join(region.attribution), 150)[:2]]
    figure.text(0.01, 0.05 / total, "\n".join(foot), fontsize=5.8, color=SOFT, va="bottom", linespacing=1.35)
    return figure


def draw_sectors(ax: Axes, sectors: tuple[Floats, Floats, Floats], arm_m: float) -> None:
    """Draw sites as dots with a stroke along each sector's axis."""
    x, y, azimuth = sectors
    ends = np.column_stack([x + arm_m * np.sin(np.radians(azimuth)), y + arm_m * np.cos(np.radians(azimuth))])
    strokes = np.stack([np.column_stack([x, y]), ends], axis=1)
    for colour, width in ((INK, 1.5), ("white", 0.8)):
        ax.add_collection(LineCollection(list(strokes), colors=colour, linewidths=width, zorder=5, capstyle="round"))
    ax.scatter(x, y, s=3.0, c="white", edgecolors=INK, linewidths=0.5, zorder=6)


def raster_of(covered: Covered, name: str) -> tuple[AnyArray, Floats, float]:
    """Return a raster of the run, its west, east, south and north [m], and its pixel [m]."""
    with rasterio.open(covered.folder / f"{name}_{covered.mhz}.tif") as source:
        bounds = source.bounds
        box = np.array([bounds.left, bounds.right, bounds.bottom, bounds.top])
        return source.read(1), box, float(source.res[0])


def class_entries(edges: Sequence[float], colours: Sequence[str], unit: str) -> list[Entry]:
    """Return a legend entry for each class, the best on top."""
    shown = [f"{edge:g}".replace("-", "\N{MINUS SIGN}") for edge in edges]
    labels = [*(f"{low} … {high} {unit}" for low, high in pairwise(shown)), f"≥ {shown[-1]} {unit}"]
    if edges is SINR_CLASSES_DB:
        labels[0] = f"< {shown[1]} {unit}"
    return [Entry("area", label, colour, edge="none") for label, colour in zip(labels, colours, strict=True)][::-1]


def common_entries(covered: Covered, text: Words) -> list[Entry]:
    """Return what every map's legend ends with."""
    return [
        Entry("gap"),
        Entry("marker", covered.says["sector"], "white", "o", 6, INK),
        Entry("casing", text["map.main_road"]),
        *([Entry("area", text["map.water"], WATER, edge=WATER_EDGE)] if len(covered.region.water) else []),
        *([Entry("hatch", text["map.no_build"], "none", edge=NO_BUILD)] if len(covered.region.no_build) else []),
        Entry("dashes", text["map.boundary"]),
    ]


def server_colours(servers: int) -> Floats:
    """Return a colour for each of ``servers`` (servers, 3); numbers that follow one another are far apart."""
    number = np.arange(servers, dtype=np.float64)
    hue = (number * 0.618034) % 1.0
    return np.asarray(hsv_to_rgb(np.column_stack([hue, 0.35 + 0.25 * (number % 2), 0.95 - 0.12 * (number % 3)])))


def small(file: Path) -> None:
    """Keep the ``SHADES`` most frequent colours of a PNG, so that no tint of a legend is merged with another."""
    with Image.open(file) as picture:
        full = np.asarray(picture.convert("RGB"))
    colours, position, count = np.unique(full.reshape(-1, 3), axis=0, return_inverse=True, return_counts=True)
    common = colours[np.argsort(-count, kind="stable")[:SHADES]]
    nearest = np.asarray(cKDTree(common).query(colours)[1])
    reduced = Image.fromarray(nearest[position].reshape(full.shape[:2]).astype(np.uint8)).convert("P")
    reduced.putpalette(common.ravel().tolist())
    reduced.save(file, optimize=True)
    tell(file)


def tell(file: Path) -> None:
    """Print a picture's name and size."""
    print(f"{file.relative_to(IMAGES.parents[1])}: {file.stat().st_size:,} bytes")


def covered_of(region: Path, folder: Path, mhz: int, language: str) -> Covered:
    """Return what a coverage run wrote."""
    table = gpd.read_file(folder / "sectors.gpkg")
    table = table[table["band_mhz"] == mhz]
    columns = (table.geometry.x, table.geometry.y, table["azimuth_deg"])
    x, y, azimuth = (np.asarray(column, dtype=np.float64) for column in columns)
    return Covered(read(region)[0], folder, mhz, (x, y, azimuth), language)


def main(arguments: Sequence[str]) -> int:
    """Draw what is asked for; return the exit status."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    match list(arguments):
        case ["plan", folder, *rest]:
            draw_plan(Path(folder), rest[0] if rest else "en")
        case ["coverage", region, folder, mhz, *rest]:
            covered = covered_of(Path(region), Path(folder), int(mhz), rest[0] if rest else "en")
            draw_coverage(covered, rest[1:] or KINDS)
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
