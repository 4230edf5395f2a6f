"""The picture of coverage: strong reads as strong to everybody, nothing is cut, many sites leave the map free."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

from support.tiny import tiny_region
from xinji.core.arrays import Floats
from xinji.core.grid import Raster
from xinji.core.region import Region
from xinji.show.coverage_map import COLOURS, RSRP_CLASSES_DBM, WIDTH_IN, coverage_map
from xinji.show.ground import boundary_of
from xinji.show.text import words

SEEN_BY = {
    "all": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
"""How linear RGB is seen (Machado, Oliveira and Fernandes, IEEE TVCG 15(6), 2009, severity 1)."""


def lightness(colour: str, seen: Floats) -> float:
    """Return CIE L* of an sRGB colour (IEC 61966-2-1), as ``seen``."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    luminance = float(np.clip(seen @ linear, 0.0, 1.0) @ [0.2126, 0.7152, 0.0722])
    return float(116.0 * np.cbrt(luminance) - 16.0)


@pytest.mark.parametrize("who", SEEN_BY)
def test_stronger_is_darker_to_everybody(who: str) -> None:
    found = [lightness(colour, np.array(SEEN_BY[who])) for colour in COLOURS]
    assert len(COLOURS) == len(RSRP_CLASSES_DBM)
    assert np.diff(found).max() < -7.0
    if who == "all":
        assert np.diff(found) == pytest.approx(-13.8, abs=1.0)


def drawn(region: Region, sites: int, language: str = "en") -> Figure:
    grid, random = region.terrain.grid, np.random.default_rng(1)
    west, south, east, north = boundary_of(region).bounds
    x, y = random.uniform(west, east, sites), random.uniform(south, north, sites)
    level = Raster(grid, np.full((grid.rows, grid.columns), -90.0, dtype=np.float32))
    return coverage_map(region, level, (np.repeat(x, 3), np.repeat(y, 3)), 2600, words(language))


def marks(figure: Figure) -> PathCollection:
    (found,) = (artist for artist in figure.axes[0].collections if isinstance(artist, PathCollection))
    return found


def test_sites_stand_once_and_are_smaller_where_there_are_many() -> None:
    region, _ = tiny_region(1)
    for count in (1, 20, 5_000):
        found = marks(drawn(region, count))
        assert np.shape(found.get_offsets()) == (count, 2)
    few, many, most = (float(marks(drawn(region, count)).get_sizes()[0]) for count in (20, 500, 5_000))
    assert few == 16.0
    assert 3.0 < many < 10.0
    assert most == 3.0


@pytest.mark.parametrize("language", ["en", "zh"])
def test_texts_stand_off_the_edge_and_name_what_is_drawn(language: str) -> None:
    region, _ = tiny_region(1)
    text = words(language)
    figure = drawn(region, 5, language)
    assert min(one.get_position()[0] for one in figure.texts) * WIDTH_IN == pytest.approx(0.12)
    labels = {one.get_text() for one in figure.findobj(Text) if isinstance(one, Text)}
    assert {text["map.water"], text["map.no_build"], "\u2265 \u221275 dBm", "\u2212120 … \u2212110 dBm"} <= labels
    dry = drawn(replace(region, water=region.water[:0], no_build=region.no_build[:0]), 5, language)
    labels = {one.get_text() for one in dry.findobj(Text) if isinstance(one, Text)}
    assert not {text["map.water"], text["map.no_build"]} & labels
