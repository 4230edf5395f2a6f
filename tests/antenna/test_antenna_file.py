"""MSI Planet files: what is read, in all their spellings, and every fault with its line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xinji.core.arrays import Floats
from xinji.errors import InputError
from xinji.io.antenna_file import AntennaFile, read_antenna

CUT: Floats = np.minimum(12.0 * ((np.linspace(-180.0, 179.0, 360) / 65.0) ** 2), 30.0).round(2)
CUT = np.roll(CUT, 180)
HEAD = ("NAME K 742 215", "MAKE Kathrein", "FREQUENCY 2140", "GAIN 15.85", "TILT ELECTRICAL", "ELECTRICAL_TILT 4")


def rows(cut: Floats, angles: Iterable[float] = range(360)) -> list[str]:
    return [f"{angle:g}\t{cut[int(angle) % 360]:g}" for angle in angles]


def lines(head: tuple[str, ...] = HEAD, angles: Iterable[float] = range(360)) -> list[str]:
    turn = list(angles)
    return [*head, f"HORIZONTAL {len(turn)}", *rows(CUT, turn), f"VERTICAL {len(turn)}", *rows(CUT, turn)]


def read(folder: Path, content: list[str] | bytes, *, end: str = "\n") -> AntennaFile:
    path = folder / "antenna.msi"
    path.write_bytes(content if isinstance(content, bytes) else end.join(content).encode())
    return read_antenna(path)


def faults(folder: Path, content: list[str] | bytes) -> list[str]:
    with pytest.raises(InputError) as caught:
        read(folder, content)
    return [str(fault) for fault in caught.value.faults]


def swapped(old: str, *new: str) -> list[str]:
    """Return the good file with one of its lines replaced."""
    content = lines()
    at = content.index(old)
    return [*content[:at], *new, *content[at + 1 :]]


def test_a_good_file(tmp_path: Path) -> None:
    found = read(tmp_path, lines())
    assert found.cuts.name == "K 742 215"
    assert found.cuts.gain_dbi == pytest.approx(18.0)
    assert found.gain_unit == "dBd"
    assert (found.cuts.frequency_mhz, found.cuts.electrical_tilt_deg, found.step_deg) == (2140.0, 4.0, (1.0, 1.0))
    np.testing.assert_array_equal(found.cuts.horizontal_db, CUT)
    np.testing.assert_array_equal(found.cuts.vertical_db, CUT)
    assert ("MAKE", "Kathrein") in found.header


@pytest.mark.parametrize(
    ("old", "new", "gain", "unit"),
    [
        ("GAIN 15.85", "GAIN 18 dBi", 18.0, "dBi"),
        ("GAIN 15.85", "gain 18.0dBi", 18.0, "dBi"),
        ("GAIN 15.85", "Gain 15.85 (dBd)", 18.0, "dBd"),
        ("GAIN 15.85", "GAIN -2.15", 0.0, "dBd"),
    ],
)
def test_units_of_gain(tmp_path: Path, old: str, new: str, gain: float, unit: str) -> None:
    found = read(tmp_path, swapped(old, new))
    assert found.cuts.gain_dbi == pytest.approx(gain)
    assert found.gain_unit == unit


@pytest.mark.parametrize(
    ("tilt", "expected"),
    [
        (("TILT 6",), 6.0),
        (("TILT ELECTRICAL", "ELECTRICAL_TILT 6.5"), 6.5),
        (("TILT ELECTRICAL 3",), 3.0),
        (("TILT MECHANICAL",), 0.0),
        (("TILT MECHANICAL 3",), 0.0),
        (("TILT",), 0.0),
        (("ELECTRICAL_TILT 2 deg", "TILT 2"), 2.0),
        ((), 0.0),
    ],
)
def test_tilts(tmp_path: Path, tilt: tuple[str, ...], expected: float) -> None:
    assert read(tmp_path, lines((*HEAD[:4], *tilt))).cuts.electrical_tilt_deg == expected


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n\n", "  \n"])
def test_line_ends_blank_lines_and_case(tmp_path: Path, end: str) -> None:
    content = [line.lower() if line[0].isalpha() else line for line in lines()]
    found = read(tmp_path, content, end=end)
    np.testing.assert_array_equal(found.cuts.vertical_db, CUT)


@pytest.mark.parametrize(
    "angles", [range(1, 361), range(-180, 180), np.roll(np.arange(360), 90), np.arange(359, -1, -1)]
)
def test_any_start_of_the_turn(tmp_path: Path, angles: Iterable[float]) -> None:
    np.testing.assert_array_equal(read(tmp_path, lines(angles=angles)).cuts.horizontal_db, CUT)


def test_half_degrees(tmp_path: Path) -> None:
    found = read(tmp_path, lines(angles=np.arange(0.0, 360.0, 0.5)))
    assert found.step_deg == (0.5, 0.5)
    np.testing.assert_array_equal(found.cuts.horizontal_db, CUT)


def test_latin_1_a_mark_at_the_start_and_ghz(tmp_path: Path) -> None:
    content = "\n".join(swapped("MAKE Kathrein", "MAKE Müller", "COMMENT 4° élec")).replace("2140", "2.14 GHz")
    for raw in (content.encode("latin-1"), b"\xef\xbb\xbf" + content.encode()):
        found = read(tmp_path, raw)
        assert found.cuts.name == "K 742 215"
        assert ("MAKE", "Müller") in found.header
        assert found.cuts.frequency_mhz == pytest.approx(2140.0)


def test_name_without_its_key_and_cuts_in_any_order(tmp_path: Path) -> None:
    body = lines()[6:]
    found = read(tmp_path, ["Panel 65", *HEAD[1:4], *body[361:], *body[:361], "COMMENT end", "Maker says so"])
    assert found.cuts.name == "Panel 65"
    assert found.header[-1] == ("MAKER", "says so")


def test_missing_angles_are_named(tmp_path: Path) -> None:
    content = [line for line in lines() if line not in (f"12\t{CUT[12]:g}", f"200\t{CUT[200]:g}")]
    found = faults(tmp_path, content)
    assert "line 7: HORIZONTAL announces 360 rows, 358 follow" in found[0]
    assert "line 7: HORIZONTAL lacks 2 angles: 12, 200. Add their rows" in found[1]
    assert len(found) == 4


def test_all_faults_at_once(tmp_path: Path) -> None:
    content = lines(("MAKE x",))
    content[content.index(f"5\t{CUT[5]:g}")] = "5\t-3"
    content[content.index(f"7\t{CUT[7]:g}")] = "7 seven"
    content[content.index(f"8\t{CUT[8]:g}")] = f"9\t{CUT[9]:g}"
    found = faults(tmp_path, content)
    for part in (
        "GAIN is missing",
        "FREQUENCY is missing",
        "NAME is missing",
        "line 8: attenuation -3 dB is negative",
        "line 10: '7 seven' in HORIZONTAL is no row",
        "line 12: angle 9 of HORIZONTAL is given before",
        "lacks 3 angles: 5, 7, 8",
    ):
        assert any(part in fault for fault in found), part


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("GAIN 15.85", ("GAIN 15,85",), "line 4: GAIN is '15,85'"),
        ("GAIN 15.85", ("GAIN",), "line 4: GAIN is ''"),
        ("GAIN 15.85", ("GAIN 15.85", "GAIN 17"), "line 5: GAIN is given before"),
        ("FREQUENCY 2140", ("FREQUENCY 1710-2170",), "line 3: FREQUENCY is '1710-2170'"),
        ("FREQUENCY 2140", ("FREQUENCY 0",), "line 3: FREQUENCY is '0'"),
        ("ELECTRICAL_TILT 4", (), "line 5: TILT is ELECTRICAL without degrees"),
        ("TILT ELECTRICAL", ("TILT 5",), "contradicts"),
        ("TILT ELECTRICAL", ("TILT steep",), "TILT is 'steep'"),
        ("HORIZONTAL 360", ("HORIZONTAL",), "HORIZONTAL is followed by ''"),
        ("VERTICAL 360", ("VERTICAL 361",), "VERTICAL announces 361 rows, 360 follow"),
        (f"180\t{CUT[180]:g}", ("180.25 30",), "neither a whole nor a half degree"),
        (f"180\t{CUT[180]:g}", ("180 nan",), "is no row"),
        (f"180\t{CUT[180]:g}", ("720 3",), "angle 720 or attenuation 3 is out of range"),
        ("NAME K 742 215", ("NAME",), "NAME is missing"),
    ],
)
def test_each_fault(tmp_path: Path, old: str, new: tuple[str, ...], message: str) -> None:
    assert any(message in fault for fault in faults(tmp_path, swapped(old, *new)))


def test_361_rows_repeat_the_first_angle(tmp_path: Path) -> None:
    found = faults(tmp_path, lines(angles=range(361)))
    assert len([fault for fault in found if "angle 360 of" in fault and "(360 is 0)" in fault]) == 2


def test_lacking_and_double_cuts(tmp_path: Path) -> None:
    assert any("VERTICAL is missing" in fault for fault in faults(tmp_path, lines()[:367]))
    double = [*lines(), "VERTICAL 360", *rows(CUT)]
    assert any("VERTICAL is given before" in fault for fault in faults(tmp_path, double))


def test_cuts_must_be_relative_to_the_peak(tmp_path: Path) -> None:
    content = [*HEAD, "HORIZONTAL 360", *rows(CUT), "VERTICAL 360", *rows(CUT + 15.0)]
    assert any("VERTICAL is nowhere less than 15 dB" in fault for fault in faults(tmp_path, content))


def test_no_file_and_no_text(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        read_antenna(tmp_path / "none.msi")
    assert any("HORIZONTAL is missing" in fault for fault in faults(tmp_path, bytes(range(256)) * 10))
    assert any("HORIZONTAL is missing" in fault for fault in faults(tmp_path, b""))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 4_000), min_size=360, max_size=360), st.integers(0, 359), st.sampled_from("\t ;"))
def test_any_cut_comes_back(tmp_path: Path, codes: list[int], start: int, gap: str) -> None:
    cut = np.array(codes) / 100.0
    cut[17] = 0.0
    body = [f"{(start + k) % 360}{gap}{cut[(start + k) % 360]}" for k in range(360)]
    found = read(tmp_path, [*HEAD, "HORIZONTAL 360", *body, "VERTICAL 360", *body])
    np.testing.assert_array_equal(found.cuts.horizontal_db, cut)
    np.testing.assert_array_equal(found.cuts.vertical_db, cut)
