from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from calibration.drive_test import Truth, drive
from xinji.core.calibration import Calibration
from xinji.core.vocabulary import LAND_USES
from xinji.errors import InputError
from xinji.io.calibration_file import read_calibration, write_calibration
from xinji.io.parameters import load
from xinji.plan.radio.calibration import calibrate
from xinji.plan.radio.calibration_settings import read_settings

SETTINGS = read_settings(load("cn"))


@pytest.fixture(scope="module")
def found() -> Calibration:
    return calibrate(drive(1, Truth(sites=8, routes=3, slope_db=12.0)), SETTINGS)


def test_it_reads_back_equal(found: Calibration, tmp_path: Path) -> None:
    points = drive(1, Truth(sites=2, routes=1, points=40))
    strange = replace(found.verdicts[0], message='a "quoted" \\ 站点\nline\x7f')
    odd = replace(found, verdicts=(*found.verdicts, strange), slope_db=0.1 + 0.2)
    for one in (found, odd, calibrate(points, SETTINGS), replace(found, evidence=(), verdicts=())):
        path = tmp_path / "calibration.toml"
        write_calibration(path, one)
        back = read_calibration(path)
        for field in fields(Calibration):
            # NaN is no equal of itself, but its text is.
            first, second = (getattr(each, field.name) for each in (one, back))
            assert repr(first) == repr(second), field.name
            if isinstance(first, np.ndarray):
                np.testing.assert_array_equal(first, second)


def test_refused_data_give_a_file_that_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "calibration.toml"
    write_calibration(path, calibrate(drive(1, Truth(sites=2, routes=1, points=40)), SETTINGS))
    back = read_calibration(path)
    assert not back.applied.any()
    assert "are needed" in back.verdicts[0].message


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("format = 1", "format = 2", "format"),
        ("slope_db = ", "slop_db = ", "slop_db"),
        ("[land_use.road]", "[land_use.rail]", "land_use.road is missing"),
        ("[land_use.road]", "[land_use.rail]", "land_use.rail is unknown"),
        ("applied = true", "applied = 1", "applied"),
        ('model = "', 'model = "no ', "model is 'no "),
        ("[[verdict]]", "[[verdict]", "not valid TOML"),
        ("reference_m = ", "reference_m = -", "distances"),
        ('kind = "enough"', 'kind = "fine"', "a verdict is of kind 'fine'"),
        ("applied = true\noffset_db = ", "applied = true\noffset_db = nan #", "an offset or the slope is missing"),
    ],
)
def test_a_changed_file_is_refused_with_its_fault(
    found: Calibration, tmp_path: Path, old: str, new: str, message: str
) -> None:
    path = tmp_path / "calibration.toml"
    write_calibration(path, found)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError, match=message.replace("[", r"\[")):
        read_calibration(path)


def test_no_file_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file"):
        read_calibration(tmp_path / "absent.toml")
    with pytest.raises(InputError, match="cannot be read"):
        read_calibration(tmp_path)


def test_offsets_can_be_changed_by_hand(found: Calibration, tmp_path: Path) -> None:
    path = tmp_path / "calibration.toml"
    write_calibration(path, found)
    text = path.read_text(encoding="utf-8")
    start = text.index("offset_db = ", text.index("[land_use.park_greenspace]"))
    path.write_text(text[:start] + "offset_db = 4.25\n" + text[text.index("sigma_db", start) :], encoding="utf-8")
    assert read_calibration(path).offset_db[LAND_USES.index("park_greenspace")] == 4.25
