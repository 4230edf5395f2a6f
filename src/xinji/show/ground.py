"""The quiet ground of every map: relief, groups, water and roads, with scale bar and north arrow."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import LightSource
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline

from xinji.core.arrays import Floats, Shapes
from xinji.core.region import Region
from xinji.core.vocabulary import GROUPS, ROAD_CLASSES
from xinji.show.look import INK, SOFT

GROUP_TINTS = {"industrial_cluster": "#e3dbe8", "urban": "#f1e6da", "town": "#f3efdf", "rural": "#eef2e8"}
WATER, WATER_EDGE, NO_BUILD = "#c4d9e6", "#9dbccd", "#cbb3b3"
ROAD_WIDTHS = (1.5, 1.2, 1.0, 0.75, 0.55, 0.35, 0.25, 0.25)
"""Line widths [points] by road class; halved on small maps."""

Extent = tuple[float, float, float, float]

_RASTER = 0
"""Artists below this height in the drawing order are put into one picture inside the SVG."""


def extent_of(region: Region, *, margin: float = 0.03) -> Extent:
    """Return west, south, east and north [m] of a map of ``region``, with a margin of its size."""
    west, south, east, north = boundary_of(region).bounds
    pad = margin * max(east - west, north - south)
    return west - pad, south - pad, east + pad, north + pad


def boundary_of(region: Region) -> shapely.Polygon | shapely.MultiPolygon:
    """Return the outline of ``region`` as the shape that it is. Raises TypeError if it is none."""
    if isinstance(region.boundary, shapely.Polygon | shapely.MultiPolygon):
        return region.boundary
    raise TypeError(f"the boundary is a {type(region.boundary).__name__}, not a polygon")


def draw_ground(ax: Axes, region: Region, *, scale: float = 1.0) -> None:
    """Draw the ground of ``region`` on ``ax``; ``scale`` thins the lines of small maps."""
    west, south, east, north = extent_of(region)
    ax.set_xlim(west, east)
    ax.set_ylim(south, north)
    ax.set_aspect("equal")
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.set_rasterization_zorder(_RASTER)
    ax.set_facecolor("white")
    _groups(ax, region)
    _relief(ax, region)
    # Water lies over what may not be built on: a lake is one, and needs no hatching to say so.
    _areas(ax, region.no_build, "none", zorder=-8, edge=NO_BUILD, hatch="////", width=0.3 * scale)
    _areas(ax, region.water, WATER, zorder=-7, edge=WATER_EDGE)
    _roads(ax, region, scale)
    _fade_outside(ax, region, (west, south, east, north))
    outline = outline_of([region.boundary])
    ax.add_patch(PathPatch(outline, facecolor="none", edgecolor="white", linewidth=2.2 * scale, zorder=1))
    dashes = (0, (7, 2, 1.5, 2))
    ax.add_patch(
        PathPatch(outline, facecolor="none", edgecolor=SOFT, linewidth=0.9 * scale, linestyle=dashes, zorder=1.1)
    )


def _groups(ax: Axes, region: Region) -> None:
    cells = region.cells
    tints = np.array([GROUP_TINTS[name] for name in GROUPS])[cells.group]
    for tint in np.unique(tints).tolist():
        # No edge, and smoothing off: neighbours would show a hairline between them.
        mine = cells.shape[tints == tint]
        rings = [np.asarray(shapely.get_coordinates(shapely.get_exterior_ring(part))) for part in _parts(mine)]
        ax.add_collection(
            PolyCollection(rings, facecolors=tint, edgecolors="none", antialiaseds=False, zorder=-10), autolim=False
        )


def _parts(shapes: Shapes) -> list[shapely.Geometry]:
    parts: list[shapely.Geometry] = np.asarray(shapely.get_parts(shapes), dtype=object).tolist()
    return parts


def _relief(ax: Axes, region: Region) -> None:
    """Shade the terrain from the north-west, lightly, so that it never fights with the plan."""
    grid, height = region.terrain.grid, region.terrain.values.astype(np.float64)
    if min(height.shape) < 2:
        return
    fine = np.where(np.isfinite(height), height, np.nanmin(height))
    # Flat land is drawn out, mountains are not: relief should be seen, not felt.
    stretch = np.clip(400.0 / max(float(np.ptp(fine)), 1.0), 1.0, 12.0)
    shade = LightSource(315, 45).hillshade(fine, vert_exag=stretch, dx=grid.cell_m, dy=grid.cell_m)
    layer = np.zeros((*shade.shape, 4))
    layer[..., 3] = np.clip(0.72 - shade, 0.0, 1.0) * 0.35
    box = (grid.west_m, grid.west_m + grid.columns * grid.cell_m, grid.north_m - grid.rows * grid.cell_m, grid.north_m)
    picture = ax.imshow(layer, extent=box, zorder=-9, interpolation="bilinear", aspect="auto")
    picture.set_clip_path(outline_of([region.boundary]), ax.transData)
    _reset(ax, region)


def _reset(ax: Axes, region: Region) -> None:
    """Bring back the extent that a picture has changed."""
    west, south, east, north = extent_of(region)
    ax.set_xlim(west, east)
    ax.set_ylim(south, north)
    ax.set_aspect("equal")


def outline_of(shapes: Iterable[object]) -> Outline:
    """Return the rings of polygons as one path, holes and all."""
    points: list[Floats] = []
    codes: list[int] = []
    for part in shapely.get_parts(np.array(list(shapes), dtype=object)):
        for ring in (part.exterior, *part.interiors):
            xy = np.asarray(ring.coords)[:, :2]
            points.append(xy)
            codes += [int(Outline.MOVETO), *([int(Outline.LINETO)] * (len(xy) - 2)), int(Outline.CLOSEPOLY)]
    return Outline(np.concatenate(points), np.array(codes, dtype=Outline.code_type))


def _areas(
    ax: Axes, shapes: Shapes, fill: str, *, zorder: float, edge: str, hatch: str | None = None, width: float = 0.4
) -> None:
    polygons = [part for part in _parts(shapes) if isinstance(part, shapely.Polygon) and not part.is_empty]
    if polygons:
        style = {"facecolor": fill, "edgecolor": edge, "linewidth": width, "hatch": hatch}
        ax.add_patch(PathPatch(outline_of(polygons), zorder=zorder, **style))


def _roads(ax: Axes, region: Region, scale: float) -> None:
    """Draw roads from the least to the first, the greater ones as white lines in a grey casing."""
    roads = region.roads
    for code in range(len(ROAD_CLASSES) - 1, -1, -1):
        lines = [shapely.get_coordinates(line) for line in roads.shape[roads.road_class == code]]
        if not lines:
            continue
        width = ROAD_WIDTHS[code] * scale
        if code <= ROAD_CLASSES.index("secondary"):
            ax.add_collection(
                LineCollection(lines, colors="#b4b8ba", linewidths=width + 0.7 * scale, zorder=-6), autolim=False
            )
            ax.add_collection(LineCollection(lines, colors="#ffffff", linewidths=width, zorder=-5.5), autolim=False)
        else:
            ax.add_collection(LineCollection(lines, colors="#ccd0d1", linewidths=width, zorder=-6.5), autolim=False)


def _fade_outside(ax: Axes, region: Region, extent: Extent) -> None:
    frame = shapely.box(*extent).buffer(max(extent[2] - extent[0], extent[3] - extent[1]) * 0.01)
    outside = shapely.difference(frame, boundary_of(region))
    ax.add_patch(PathPatch(outline_of([outside]), facecolor="white", edgecolor="none", alpha=0.85, zorder=-2))


def draw_furniture(ax: Axes, region: Region, letter: str, *, size: float = 7.5) -> None:
    """Draw scale bar and north arrow in that corner of the map where the region is least in the way."""
    west, south, east, north = extent_of(region)
    wide, high = 0.3 * (east - west), 0.2 * (north - south)
    corners = [(west, south), (east - wide, south), (east - wide, north - high), (west, north - high)]
    boxes = [shapely.box(x, y, x + wide, y + high) for x, y in corners]
    # The lower left comes first: there a reader looks for them, if it is as good as any.
    covered = [shapely.area(shapely.intersection(box, boundary_of(region))) for box in boxes]
    x, y = corners[int(np.argmin(np.round(covered, -3)))]
    _scale_bar(ax, (x + 0.08 * wide, y + 0.18 * high), east - west, size)
    _north_arrow(ax, (x + 0.14 * wide, y + 0.88 * high), 0.4 * high, letter, size)


def _scale_bar(ax: Axes, corner: tuple[float, float], width: float, size: float) -> None:
    length = round_length(width / 5)
    (x, y), height = corner, 0.005 * width
    for k, fill in enumerate((INK, "white")):
        left = x + k * length / 2
        xs, ys = [left, left + length / 2, left + length / 2, left], [y, y, y + height, y + height]
        ax.fill(xs, ys, fc=fill, ec=INK, lw=0.6, zorder=20)
    label = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    for place, word in ((x, "0"), (x + length, label)):
        ax.text(place, y + 2.2 * height, word, fontsize=size, color=INK, ha="center", va="bottom", zorder=20)


def _north_arrow(ax: Axes, tip: tuple[float, float], tall: float, letter: str, size: float) -> None:
    (x, top), half = tip, 0.3 * tall
    ax.fill([x, x + half, x], [top, top - tall, top - 0.75 * tall], fc=INK, ec=INK, lw=0.6, zorder=20)
    ax.fill([x, x - half, x], [top, top - tall, top - 0.75 * tall], fc="white", ec=INK, lw=0.6, zorder=20)
    ax.text(x + 1.3 * half, top - 0.45 * tall, letter, fontsize=size, ha="left", va="center", color=INK, zorder=20)


def round_length(metres: float) -> float:
    """Return the greatest of 1, 2 or 5 times a power of ten that is at most ``metres``."""
    # 0.5 is there for a length just below a power of ten, whose logarithm rounds up to it.
    power = 10.0 ** math.floor(math.log10(metres))
    return max(step * power for step in (0.5, 1.0, 2.0, 5.0) if step * power <= metres)
