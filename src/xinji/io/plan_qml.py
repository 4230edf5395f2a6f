"""Layer styles in QGIS's own words (QML), so that a plan opens ready to read.

The elements are those that QGIS 3 writes with `Save Style > As QGIS QML Style File`: a
``renderer-v2`` with categories or ranges, and one symbol for each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

HEADER = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"

YEAR_COLOURS = ("#2d1160", "#721f81", "#b73779", "#e5644f", "#f8a561", "#fcd9a0")
"""Dark to light by year, so that the order survives a print in grey."""

EXISTING_COLOUR, NEVER_COLOUR = "#5f6a72", "#c9cdd0"

Properties = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Class:
    """One class of a layer: the value (or, with ``upper``, the range) it holds for, and how it is drawn."""

    value: str
    label: str
    properties: Properties
    upper: str | None = None


@dataclass(frozen=True, slots=True)
class Style:
    """How a layer is drawn: the field that tells the classes apart, their symbol layer and the classes.

    ``geometry`` is ``marker``, ``line`` or ``fill``; ``symbol`` QGIS's name of the symbol layer.
    """

    field: str
    geometry: str
    symbol: str
    classes: tuple[Class, ...]


def qml(style: Style) -> str:
    """Return ``style`` as a QML document."""
    root = ET.Element("qgis", version="3.22.0", styleCategories="Symbology")
    ranged = any(item.upper is not None for item in style.classes)
    renderer = ET.SubElement(
        root, "renderer-v2", attr=style.field, forceraster="0", symbollevels="0", enableorderby="0"
    )
    renderer.set("type", "graduatedSymbol" if ranged else "categorizedSymbol")
    if ranged:
        renderer.set("graduatedMethod", "GraduatedColor")
    classes = ET.SubElement(renderer, "ranges" if ranged else "categories")
    symbols = ET.SubElement(renderer, "symbols")
    for number, item in enumerate(style.classes):
        common = {"symbol": str(number), "label": item.label, "render": "true"}
        if item.upper is not None:
            ET.SubElement(classes, "range", {"lower": item.value, "upper": item.upper, **common})
        else:
            ET.SubElement(classes, "category", {"value": item.value, **common})
        symbols.append(_symbol(str(number), style, item.properties))
    ET.indent(root)
    return HEADER + ET.tostring(root, encoding="unicode") + "\n"


def _symbol(name: str, style: Style, properties: Properties) -> ET.Element:
    symbol = ET.Element("symbol", type=style.geometry, name=name, alpha="1", clip_to_extent="1", force_rhr="0")
    layer = ET.SubElement(symbol, "layer", {"class": style.symbol, "pass": "0", "locked": "0", "enabled": "1"})
    options = ET.SubElement(layer, "Option", type="Map")
    for key, value in properties.items():
        ET.SubElement(options, "Option", type="QString", name=key, value=value)
    return symbol


def rgba(colour: str, alpha: int = 255) -> str:
    """Return ``#rrggbb`` as QGIS writes it: red, green, blue, alpha."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"{red},{green},{blue},{alpha}"


def year_colours(years: Sequence[int]) -> dict[int, str]:
    """Return a colour for each year, dark to light, spread over the scale."""
    last = len(YEAR_COLOURS) - 2 if len(years) < len(YEAR_COLOURS) else len(YEAR_COLOURS) - 1
    steps = max(len(years) - 1, 1)
    return {year: YEAR_COLOURS[round(k * last / steps)] for k, year in enumerate(years)}


def _by_year(years: Sequence[int], words: Mapping[str, str], draw: Mapping[str, str], paint: str) -> tuple[Class, ...]:
    """Return a class for what exists, for each year, and for never; ``paint`` is the property coloured."""
    faint = {**draw, paint: rgba(NEVER_COLOUR, 160), **_thin(draw)}
    return (
        Class("0", words["gis.existing"], {**draw, paint: rgba(EXISTING_COLOUR)}),
        *(Class(str(y), str(y), {**draw, paint: rgba(c)}) for y, c in year_colours(years).items()),
        Class("", words["gis.never"], faint),
    )


def _thin(draw: Mapping[str, str]) -> dict[str, str]:
    """Return the sizes of what is not built, half of what is."""
    return {key: f"{float(draw[key]) / 2:g}" for key in ("size", "line_width") if key in draw}


def _marker(shape: str, size: str) -> dict[str, str]:
    outline = {"outline_color": "255,255,255,255", "outline_width": "0.2", "outline_width_unit": "MM"}
    return {"name": shape, "size": size, "size_unit": "MM", "outline_style": "solid", **outline}


def layer_styles(years: Sequence[int], words: Mapping[str, str]) -> dict[str, Style]:
    """Return the style of each layer of a plan over ``years``, with legends in the words given."""
    line = {"line_width": "0.7", "line_width_unit": "MM", "line_style": "solid", "capstyle": "round"}
    area = {"style": "solid", "outline_color": "255,255,255,90", "outline_width": "0.1", "outline_width_unit": "MM"}
    edge = {"style": "no", "outline_color": "40,40,40,255", "outline_width": "0.6", "outline_width_unit": "MM"}
    greys = ("#f4f4f4", "#dfe6e9", "#b9c8d0", "#839cab", "#4c6a7d")
    limits = ("0", "0.05", "0.35", "0.65", "0.95", "1")
    shares = tuple(
        Class(low, f"{float(low):.0%} – {float(high):.0%}", {**area, "color": rgba(grey, 200)}, high)
        for low, high, grey in zip(limits, limits[1:], greys, strict=False)
    )

    def marked(shape: str, size: str) -> Style:
        return Style("year_built", "marker", "SimpleMarker", _by_year(years, words, _marker(shape, size), "color"))

    return {
        "boundary": Style("name", "fill", "SimpleFill", (Class("", words["gis.boundary"], edge),)),
        "cells": Style("served_mobile_indoor", "fill", "SimpleFill", shares),
        "gigabit": Style("year_built", "fill", "SimpleFill", _faded(_by_year(years, words, area, "color"))),
        "trenches": Style("year_built", "line", "SimpleLine", _by_year(years, words, line, "line_color")),
        "fibre_nodes": marked("square", "2"),
        "sites": marked("triangle", "3.4"),
        "carriers": marked("circle", "1.4"),
        "edge_nodes": marked("diamond", "4.4"),
    }


def _faded(classes: Sequence[Class]) -> tuple[Class, ...]:
    """Return the classes half transparent, so that what lies beneath an area can be seen."""
    faded = []
    for item in classes:
        red, green, blue, _ = item.properties["color"].split(",")
        alpha = "0" if not item.value else "110"
        colour = f"{red},{green},{blue},{alpha}"
        faded.append(Class(item.value, item.label, {**item.properties, "color": colour}))
    return tuple(faded)
