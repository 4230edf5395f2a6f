"""From a ray's profile to a few numbers a pixel, none of which depends on the frequency.

A diffraction parameter of ITU-R P.1812-8 is a length over the square root of the wavelength; the
length part, ``clearance`` [m^0.5], is kept: nu = clearance / sqrt(wavelength).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from xinji.plan.jit import greatest, least, vectorised
from xinji.plan.radio.area.profile import Line, Profile

CLEAR = np.float32(-1e3)
"""The clearance of a path that nothing comes near."""


class Ends(NamedTuple):
    """Pixels of one ray (m,): distance [km] and height of the terminal's ground above the mast's foot [m]."""

    distance: Line
    ground: Line


class Reduced(NamedTuple):
    """What is kept of each pixel's path (m,).

    ``clearance`` of the actual profile [m^0.5]; ``mast_m`` and ``terminal_m`` the effective heights
    of Equations (37) and (38) [m]; ``back`` the steepest slope back to bare terrain [m/km]; ``last``
    is the profile's point before the pixel.
    """

    clearance: Line
    back: Line
    mast_m: Line
    terminal_m: Line
    last: npt.NDArray[np.int32]


class Antennas(NamedTuple):
    """Heights above ground [m], 500 C of the median Earth [m/km2], the clearance below which nothing is lost."""

    mast_m: np.float32
    terminal_m: np.float32
    curvature: np.float32
    clear: np.float32


class Backward(NamedTuple):
    """A path seen from its end: how far bare terrain stands above the line of sight [m], and steepest slopes [m/km].

    ``flat`` goes to bare terrain without curvature, ``bare`` and ``top`` to terrain without and with
    clutter over the curved Earth.
    """

    highest: np.float32
    flat: np.float32
    bare: np.float32
    top: np.float32


@vectorised
def look_back(
    profile: Profile, last: int, sight: tuple[np.float32, np.float32, np.float32], curvature: np.float32
) -> Backward:
    """Return what is seen from a path's end; ``sight`` is the line's start [m], slope [m/km] and length [km].

    All in one pass over the points, which takes eight at once: sooner done than tangents to a hull.
    """
    start, slope, length = sight
    level = start + slope * length
    highest, flat, bare, top = np.float32(-1e9), np.float32(-1e9), np.float32(-1e9), np.float32(-1e9)
    for point in range(1, last + 1):
        run = length - profile.distance[point]
        inverse = np.float32(1) / run
        below = profile.ground[point] - level
        highest = greatest(highest, below + slope * run)
        flat = greatest(flat, below * inverse)
        bare = greatest(bare, below * inverse - curvature * run)
        top = greatest(top, (profile.top[point] - level) * inverse - curvature * run)
    return Backward(highest, flat, bare, top)


@vectorised
def look_back_at_top(
    profile: Profile, last: int, end: tuple[np.float32, np.float32], curvature: np.float32
) -> np.float32:
    """Return ``Backward.top`` alone; ``end`` is the path's length [km] and the height there [m]."""
    length, level = end
    top = np.float32(-1e9)
    for point in range(1, last + 1):
        run = length - profile.distance[point]
        top = greatest(top, (profile.top[point] - level) / run - curvature * run)
    return top


@vectorised
def grazing(
    profile: Profile, last: int, sight: tuple[np.float32, np.float32, np.float32], curvature: np.float32
) -> np.float32:
    """Return the least squared depth below the line of sight over d1 d2 (Equation 15, squared, without wavelength).

    ``sight`` is the line's start [m], slope [m/km] over the straightened Earth and length [km].
    """
    start, slope, length = sight
    lowest = np.float32(1e30)
    for point in range(1, last + 1):
        distance = profile.distance[point]
        depth = start + (slope + curvature * distance) * distance - profile.top[point]
        lowest = least(lowest, depth * depth / (distance * (length - distance)))
    return lowest


@vectorised
def clearance(
    profile: Profile,
    slopes: tuple[np.float32, np.float32, np.float32],
    last: int,
    length: np.float32,
    antennas: Antennas,
) -> np.float32:
    """Return the path's clearance [m^0.5] (Equations 13 to 20).

    ``slopes`` [m/km] over the straightened Earth: the steepest from the mast, the direct one, and the
    steepest back from the pixel, ``length`` [km] away.
    """
    rise, slope, back = slopes
    if rise >= slope:
        point = length * (slope + back) / (rise + back)
        point = min(max(point, profile.distance[1] * np.float32(0.01)), length * np.float32(0.99999))
        return np.float32((rise - slope) * np.sqrt(np.float32(0.002) * length * point / (length - point)))
    # No point can be nearer to the line than both slopes allow; most paths end here.
    bound = (slope - rise) * max(-slope - back, np.float32(0))
    reach = np.float32(0.002) * length
    if bound * reach < antennas.clear * antennas.clear:
        bound = grazing(profile, last, (antennas.mast_m, slope, length), antennas.curvature)
    return np.float32(-np.sqrt(bound * reach))


@vectorised
def fitted_ends(profile: Profile, last: int, end: tuple[float, float]) -> tuple[float, float]:
    """Return the ends of the straight line that fits the terrain best [m above the mast's foot] (Equations 85 and 86).

    ``end`` is the pixel's distance [km] and ground above the mast's foot [m].
    """
    length, ground = end
    before, gap = np.float64(profile.distance[last]), np.float64(length - profile.distance[last])
    there = np.float64(profile.ground[last])
    area = profile.area[last] + gap * (ground + there)
    moment = profile.moment[last] + gap * (ground * (2 * length + before) + there * (length + 2 * before))
    shrink = 1.0 / length
    mean = area * shrink
    first = moment * shrink * shrink
    return 2 * mean - first, first - mean


@vectorised
def effective_heights(
    profile: Profile,
    last: int,
    end: tuple[np.float32, np.float32],
    antennas: Antennas,
    seen: tuple[np.float32, Backward],
) -> tuple[np.float32, np.float32]:
    """Return both antennas' heights above the smooth Earth of the diffraction model [m] (Equations 85 to 91).

    ``end`` is the pixel's distance [km] and ground above the mast's foot [m]; ``seen`` the direct slope
    [m/km] and what is seen back from the pixel.
    """
    length, ground = end
    slope, backward = seen
    fitted = fitted_ends(profile, last, (np.float64(length), np.float64(ground)))
    foot, far = np.float32(fitted[0]), np.float32(fitted[1])
    rise = profile.steepest[last] - slope
    if rise > 0:
        back = backward.flat + slope
        foot -= backward.highest * rise / (rise + back)
        far -= backward.highest * back / (rise + back)
    return antennas.mast_m - min(foot, np.float32(0)), antennas.terminal_m + ground - min(far, ground)


@vectorised
def highest_above(profile: Profile, points: tuple[int, int], line: tuple[np.float32, np.float32]) -> np.float32:
    """Return how far terrain from one point to another stands above a line [m] (Equation 93).

    ``line`` is its height above the mast's foot [m] and its slope [m/km].
    """
    first, last = points
    start, slope = line
    highest = np.float32(-1e9)
    for point in range(first, last + 1):
        highest = greatest(highest, profile.ground[point] - start - slope * profile.distance[point])
    return highest


@vectorised
def angular_distance(
    slopes: tuple[np.float32, np.float32], end: tuple[np.float32, np.float32], antennas: Antennas
) -> np.float32:
    """Return the path's angular distance [mrad] (Equations 76 to 84), over terrain without clutter.

    ``slopes`` [m/km]: the steepest from the mast over the straightened Earth, and that back from the
    pixel; ``end`` is the pixel's distance [km] and antenna height above the mast's foot [m].
    """
    length, level = end
    rise, back = slopes
    curved = np.float32(2) * antennas.curvature * length
    direct = (level - antennas.mast_m) / length - antennas.curvature * length
    if rise <= direct:
        rise, back = direct, -direct - curved
    return np.float32(curved + milliradians(rise) + milliradians(back))


@vectorised
def milliradians(slope: np.float32) -> np.float32:
    """Return the angle of a slope [m/km] (error below 1e-3 mrad), by the arctangent's first terms where they do."""
    tan = slope * np.float32(1e-3)
    square = tan * tan
    if square > np.float32(0.0625):
        return np.float32(np.float32(1e3) * np.arctan(tan))
    series = np.float32(1 / 3) - square * (np.float32(1 / 5) - square * np.float32(1 / 7))
    return np.float32(slope * (np.float32(1) - square * series))


@vectorised
def reduce_ray(profile: Profile, top: Line, ends: Ends, antennas: Antennas, found: Reduced) -> None:
    """Fill in what is kept of every pixel of one ray; ``top`` holds the steepest slopes to terrain with clutter."""
    scale = np.float32(1) / profile.distance[1]
    for pixel in range(ends.distance.size):
        length, ground = ends.distance[pixel], ends.ground[pixel]
        last = int(length * scale + np.float32(0.5)) - 1
        found.last[pixel] = np.int32(last)
        bend = antennas.curvature * length
        chord = (ground + antennas.terminal_m - antennas.mast_m) / length
        if last < 1:
            found.clearance[pixel], found.back[pixel] = CLEAR, -chord - bend
            found.mast_m[pixel], found.terminal_m[pixel] = antennas.mast_m, antennas.terminal_m
            continue
        seen = look_back(profile, last, (antennas.mast_m, chord, length), antennas.curvature)
        slopes = (top[last], chord - bend, seen.top + np.float32(2) * bend)
        found.clearance[pixel] = clearance(profile, slopes, last, length, antennas)
        found.back[pixel] = seen.bare
        mast, terminal = effective_heights(profile, last, (length, ground), antennas, (chord, seen))
        found.mast_m[pixel], found.terminal_m[pixel] = mast, terminal


@vectorised
def clear_ray(profile: Profile, top: Line, ends: Ends, antennas: Antennas, found: Reduced) -> None:
    """Fill in every pixel's clearance anew for another curvature, that of ``top`` and ``antennas``."""
    for pixel in range(ends.distance.size):
        last, length = int(found.last[pixel]), ends.distance[pixel]
        if last < 1:
            found.clearance[pixel] = CLEAR
            continue
        level = ends.ground[pixel] + antennas.terminal_m
        bend = antennas.curvature * length
        back = look_back_at_top(profile, last, (length, level), antennas.curvature) + np.float32(2) * bend
        slopes = (top[last], (level - antennas.mast_m) / length - bend, back)
        found.clearance[pixel] = clearance(profile, slopes, last, length, antennas)
