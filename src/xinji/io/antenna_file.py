"""Antenna patterns in MSI Planet files (``.msi``, ``.pln``, ``.txt``).

Lines of a key and its value (NAME, MAKE, FREQUENCY, H_WIDTH, V_WIDTH, FRONT_TO_BACK, GAIN, TILT,
ELECTRICAL_TILT, POLARIZATION, COMMENT and what a maker adds), then HORIZONTAL and VERTICAL with a count
and as many rows of an angle and an attenuation below the peak [dB]. Keys in any case, blank lines,
any line ends, UTF-8 or Latin-1. Gain is dBd unless it says dBi, frequency MHz unless it says GHz.
Angles run once round in whole or half degrees, from any start. What lacks or contradicts is named with its
line, never filled in.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from xinji.core.arrays import Floats
from xinji.core.radio import AntennaCuts
from xinji.errors import Fault, InputError, raise_if

DIPOLE_DBI = 2.15
"""Gain of a half-wave dipole over an isotropic antenna: what dBd is relative to."""

PEAK_WITHIN_DB = 1.0
"""Cuts whose least attenuation is above this are not relative to the antenna's peak."""

_SECTIONS = ("HORIZONTAL", "VERTICAL")
_ONCE = ("NAME", "FREQUENCY", "GAIN", "TILT", "ELECTRICAL_TILT")
_KEYS = (*_ONCE, *_SECTIONS, "MAKE", "H_WIDTH", "V_WIDTH", "FRONT_TO_BACK", "POLARIZATION", "COMMENT")
_NUMBER = r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
_TURN = 360
_SHOWN = 8


@dataclass(frozen=True, slots=True, eq=False)
class AntennaFile:
    """What a file says: ``cuts`` at whole degrees, and how they came about.

    ``gain_unit`` is the unit that the file's gain counts as, dBd or dBi; ``step_deg`` (horizontal, vertical) the
    steps of its rows, 1 or 0.5 (the half degrees are read and checked, the cuts hold the whole ones); ``header``
    all its other lines as (key, value), in order.
    """

    cuts: AntennaCuts
    gain_unit: str
    step_deg: tuple[float, float]
    header: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Section:
    """Rows of one cut: line, angle in half degrees, attenuation; ``line`` and ``count`` as declared."""

    name: str
    line: int
    count: int | None
    rows: list[tuple[int, int, float]] = field(default_factory=list)
    read: int = 0


@dataclass(slots=True)
class _Reader:
    """One file while it is read: its key lines, its cuts, and the faults so far."""

    layer: str
    keys: list[tuple[int, str, str]] = field(default_factory=list)
    sections: list[_Section] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, line: int, message: str, remedy: str) -> None:
        self.faults.append(Fault(self.layer, f"line {line}: {message}", remedy))

    def values(self, key: str) -> list[tuple[int, str]]:
        return [(line, value) for line, name, value in self.keys if name == key]


def read_antenna(path: Path) -> AntennaFile:
    """Return the antenna of an MSI Planet file.

    Raises InputError listing every fault: a key or cut that lacks or is there twice, a number that
    is none, angles that lack, repeat or are not whole or half degrees, a count that is not that of the
    rows, a negative attenuation, cuts that are not relative to the peak.
    """
    reader = _Reader(path.name)
    raise_if(_file_faults(path), InputError)
    _split(reader, _text(path.read_bytes()))
    for key in _ONCE:
        for line, _ in reader.values(key)[1:]:
            reader.fault(line, f"{key} is given before", "Keep one line of it.")
    gain_dbi, unit = _gain(reader)
    frequency_mhz, tilt_deg = _frequency(reader), _tilt(reader)
    names = reader.values("NAME")
    if not names or not names[0][1]:
        reader.faults.append(Fault(path.name, "NAME is missing", "Add a line NAME and the antenna's name."))
    horizontal, vertical = (_cut(reader, name) for name in _SECTIONS)
    raise_if(reader.faults, InputError)
    cuts = AntennaCuts(names[0][1], gain_dbi, frequency_mhz, tilt_deg, horizontal[0], vertical[0])
    return AntennaFile(cuts, unit, (horizontal[1], vertical[1]), tuple((key, value) for _, key, value in reader.keys))


def _file_faults(path: Path) -> Iterator[Fault]:
    if not path.is_file():
        yield Fault(path.name, "there is no such file", "Give the path of an MSI Planet file.")


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _split(reader: _Reader, text: str) -> None:
    """Sort lines into keys and the rows of cuts; the first line may be the name without its key."""
    current: _Section | None = None
    named = re.search(r"(?im)^\s*NAME\b", text) is not None
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), 1):
        words = line.split(None, 1)
        if not words:
            continue
        key, value = words[0].upper(), words[1].strip() if len(words) > 1 else ""
        if key in _SECTIONS:
            current = _section(reader, number, key, value)
        elif current is not None and (key not in _KEYS) and not _done(current):
            current.read += 1
            _row(reader, current, number, line)
        elif not named and not reader.keys and key not in _KEYS:
            reader.keys.append((number, "NAME", line.strip()))
        elif current is not None and re.fullmatch(_NUMBER, words[0]):
            current.read += 1
            _row(reader, current, number, line)
        else:
            reader.keys.append((number, key, value))


def _done(section: _Section) -> bool:
    return section.count is not None and section.read >= section.count


def _section(reader: _Reader, line: int, name: str, value: str) -> _Section:
    count = int(value) if re.fullmatch(r"\d{1,6}", value) else None
    if count is None:
        reader.fault(line, f"{name} is followed by {value!r}", f"Give the number of its rows, such as {name} 360.")
    if any(section.name == name for section in reader.sections):
        reader.fault(line, f"{name} is given before", "Keep one of the two cuts.")
    reader.sections.append(_Section(name, line, count))
    return reader.sections[-1]


def _row(reader: _Reader, section: _Section, line: int, text: str) -> None:
    found = re.fullmatch(rf"\s*{_NUMBER}(?:\s*[\t ,;]\s*){_NUMBER}\s*[,;]?\s*", text)
    if found is None:
        remedy = "Give two numbers with decimal points, an angle and an attenuation."
        reader.fault(line, f"{text.strip()[:40]!r} in {section.name} is no row", remedy)
        return
    angle, loss = float(found[1]), float(found[2])
    if not (-_TURN <= angle <= _TURN and math.isfinite(loss)):
        reader.fault(line, f"angle {angle:g} or attenuation {loss:g} is out of range", "Give -180 to 360 degrees.")
    elif angle * 2.0 != round(angle * 2.0):
        reader.fault(line, f"angle {angle:g} is neither a whole nor a half degree", "Resample to whole degrees.")
    elif loss < 0.0:
        reader.fault(line, f"attenuation {loss:g} dB is negative", "Give dB below the peak, without a sign.")
    else:
        section.rows.append((line, round(angle * 2.0), loss))


def _cut(reader: _Reader, name: str) -> tuple[Floats, float]:
    """Return a cut (360,) and its step [deg]; faults go to ``reader``."""
    sections = [section for section in reader.sections if section.name == name]
    if not sections:
        reader.faults.append(Fault(reader.layer, f"{name} is missing", f"Add {name} 360 and its rows."))
        return np.zeros(_TURN), 1.0
    section = sections[0]
    if section.count is not None and section.count != section.read:
        remedy = "Mend the count, or the rows."
        reader.fault(section.line, f"{name} announces {section.count} rows, {section.read} follow", remedy)
    cut = _by_angle(reader, section)
    step = 1 if any(half % 2 for half in cut) else 2
    lacking = [half / 2 for half in range(0, 2 * _TURN, step) if half not in cut]
    if lacking:
        shown = ", ".join(f"{angle:g}" for angle in lacking[:_SHOWN])
        more = f" and {len(lacking) - _SHOWN} more" if len(lacking) > _SHOWN else ""
        remedy = "Add their rows from the maker's data; nothing is interpolated."
        reader.fault(section.line, f"{name} lacks {len(lacking)} angles: {shown}{more}", remedy)
        return np.zeros(_TURN), step / 2
    if min(cut.values()) > PEAK_WITHIN_DB:
        found = f"{name} is nowhere less than {min(cut.values()):g} dB below the peak"
        reader.fault(section.line, found, "Give attenuations relative to the antenna's highest gain.")
    return np.array([cut[2 * degree] for degree in range(_TURN)]), step / 2


def _by_angle(reader: _Reader, section: _Section) -> dict[int, float]:
    """Return the attenuation [dB] by angle in half degrees from 0 to 719; repeated angles go to ``reader``."""
    cut: dict[int, float] = {}
    for line, half, loss in section.rows:
        if half % (2 * _TURN) in cut:
            found = f"angle {half / 2:g} of {section.name} is given before (360 is 0)"
            reader.fault(line, found, "Keep one of its rows.")
        cut.setdefault(half % (2 * _TURN), loss)
    return cut


def _first(reader: _Reader, key: str, remedy: str) -> tuple[int, str]:
    """Return line and value of a key that must be there; an empty value where it is not."""
    values = reader.values(key)
    if not values:
        reader.faults.append(Fault(reader.layer, f"{key} is missing", remedy))
        return 0, ""
    return values[0]


def _gain(reader: _Reader) -> tuple[float, str]:
    """Return the gain [dBi] and the unit that the file gave it in."""
    remedy = "Give a line GAIN with a number in dBd, or with dBi after it."
    line, value = _first(reader, "GAIN", remedy)
    found = re.fullmatch(rf"{_NUMBER}\s*\(?\s*(dBd|dBi|dB)?\s*\)?", value, re.IGNORECASE)
    if found is None:
        if line:
            reader.fault(line, f"GAIN is {value!r}", remedy)
        return 0.0, "dBd"
    if (found[2] or "").lower() == "dbi":
        return float(found[1]), "dBi"
    return float(found[1]) + DIPOLE_DBI, "dBd"


def _frequency(reader: _Reader) -> float:
    """Return the pattern's frequency [MHz]."""
    remedy = "Give one frequency in MHz, that of the pattern."
    line, value = _first(reader, "FREQUENCY", remedy)
    found = re.fullmatch(rf"{_NUMBER}\s*(MHz|GHz)?", value, re.IGNORECASE)
    if found is not None and float(found[1]) > 0.0:
        return float(found[1]) * (1_000.0 if (found[2] or "").lower() == "ghz" else 1.0)
    if line:
        reader.fault(line, f"FREQUENCY is {value!r}", remedy)
    return 0.0


def _tilt(reader: _Reader) -> float:
    """Return the electrical tilt [deg]; 0 where the file states none, which the format has mean none."""
    stated: list[tuple[int, float]] = []
    electrical_without = 0
    for key in ("ELECTRICAL_TILT", "TILT"):
        for line, value in reader.values(key):
            found = re.fullmatch(
                rf"(?:ELECTRICAL|MECHANICAL)?\s*{_NUMBER}?\s*(?:deg(?:rees)?|°)?", value, re.IGNORECASE
            )
            if found is None or (found[1] is not None and abs(float(found[1])) > 90.0):
                remedy = "Give ELECTRICAL, MECHANICAL or degrees up to 90."
                reader.fault(line, f"{key} is {value!r}", remedy)
            elif found[1] is not None and not value.upper().startswith("MECHANICAL"):
                stated.append((line, float(found[1])))
            elif value.upper().startswith("ELECTRICAL"):
                electrical_without = line
    if electrical_without and not stated:
        reader.fault(
            electrical_without, "TILT is ELECTRICAL without degrees", "Add a line ELECTRICAL_TILT and degrees."
        )
    contradicting = [(line, tilt) for line, tilt in stated if tilt != stated[0][1]]
    for line, tilt in contradicting:
        reader.fault(line, f"tilt {tilt:g} contradicts line {stated[0][0]}", "Give the electrical tilt once.")
    return stated[0][1] if stated else 0.0
