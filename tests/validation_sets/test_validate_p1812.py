from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from xinji.core.arrays import Floats
from xinji.errors import InputError
from xinji.plan.radio.p1812 import LOG_NAMES, Link, Profile, basic_transmission_loss
from xinji.workflow.validate import SetResult, exit_status, validate_radio

INPUTS = {
    "Ptx (kW)": 2.0,
    "Gtx (dBi)": 0.0,
    "Grx (dBi)": 0.0,
    "f (GHz)": 0.7,
    "p (%)": 10.0,
    "pL (%)": 50.0,
    "sigmaL (dB)": 0.0,
    "phi_t (deg)": 31.5,
    "phi_r (deg)": 31.6,
    "lam_t (deg)": 120.4,
    "lam_r (deg)": 120.5,
    "htg (m)": 30.0,
    "hrg (m)": 2.0,
    "pol": 2.0,
    "DN ": 45.0,
    "N0 ": 325.0,
    "dct (km) ": 500.0,
    "dcr (km) ": 500.0,
}


def hills() -> tuple[Floats, Floats, Floats]:
    distance = np.linspace(0.0, 12.0, 41)
    return distance, 40.0 + 25.0 * np.sin(distance), np.where(distance % 2 > 1, 10.0, 0.0)


def log_text() -> str:
    """Return a log of what the model computes, in the published form."""
    distance, height, clutter = hills()
    # Values read back from a profile file of six decimals.
    profile = Profile(distance.round(6), height.round(6), clutter, np.full(distance.size, 4))
    link = Link(
        frequency_ghz=0.7,
        time_percent=10.0,
        location_percent=50.0,
        sigma_db=0.0,
        tx_height_m=30.0,
        rx_height_m=2.0,
        polarization="vertical",
        tx_latitude_deg=31.5,
        tx_longitude_deg=120.4,
        rx_latitude_deg=31.6,
        rx_longitude_deg=120.5,
        refractivity_gradient=45.0,
        surface_refractivity=325.0,
        tx_coast_km=500.0,
        rx_coast_km=500.0,
    )
    found = basic_transmission_loss(profile, link)
    lines = ["# Parameter,Ref,,Value,", *(f"{label},,,{value:.10g}," for label, value in INPUTS.items())]
    lines += [f"R2 (m) ,,,{clutter[1]:g},", f"Rn-1 (m) ,,,{clutter[-2]:g},", ",,,,"]
    lines += [f"{key},,{getattr(found, name):.10g}," for key, name in LOG_NAMES.items()]
    lines.append(f"Ep (dBuV/m) w.r.t. Ptx, Gtx, Grx,,,{found.field_dbuv_m + 10 * np.log10(2.0):.10g},")
    return "\n".join(lines)


def profile_text(start: str = "T") -> str:
    distance, height, clutter = hills()
    points = np.column_stack((distance, height, clutter))
    if start == "R":
        points = points[::-1]
        points[:, 0] = 12.0 - points[:, 0]
    rows = [f"{d:.6f},{h:.6f},2,{c:.6f},4,,," for d, h, c in points]
    head = ["hills", f"First Point TX or RX:,{start}", "#", "{Begin of Profile},", f"Number of Points:,{len(rows)}"]
    return "\n".join([*head, *rows, "{End of Profile},", "{Begin of Measurements}", "700,30", "{End of Measurements}"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {"profiles/hills.csv": profile_text(), "results/hills_0_log.csv": log_text()}.items():
        path = tmp_path / "p1812" / name
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


LOG, PROFILE = "results/hills_0_log.csv", "profiles/hills.csv"


def rewrite(folder: Path, name: str, edit: Callable[[str], str]) -> None:
    path = folder / "p1812" / name
    before = path.read_text(encoding="utf-8")
    after = edit(before)
    assert after != before
    path.write_text(after, encoding="utf-8", newline="")


def set_value(label: str, change: Callable[[float], float]) -> Callable[[str], str]:
    """Return what changes the value of the row that begins with ``label``."""

    def edit(text: str) -> str:
        lines = text.splitlines()
        (at,) = [number for number, line in enumerate(lines) if line.startswith(label)]
        *head, value, end = lines[at].split(",")
        lines[at] = ",".join([*head, f"{change(float(value)):.12g}", end])
        return "\n".join(lines)

    return edit


def only(folder: Path) -> SetResult:
    (result,) = validate_radio(folder)
    return result


def test_a_log_passes(folder: Path) -> None:
    result = only(folder)
    assert (result.set, result.cases, result.passed, result.unit, result.tolerance) == ("p1812", 1, 1, "dB", 1e-6)
    assert result.worst is not None
    assert result.worst < 1e-6
    assert result.note.startswith("worst intermediate ")


@pytest.mark.parametrize(
    "label", ["Lb (dB)", "Ep (dBuV/m),", "Ep (dBuV/m) w.r.t.", *[k for k in LOG_NAMES if "Lb," not in k][:40:3]]
)
def test_each_figure_is_compared(folder: Path, label: str) -> None:
    rewrite(folder, LOG, set_value(label, lambda value: value + 3e-6 * max(1.0, abs(value))))
    result = only(folder)
    assert (result.passed, exit_status([result])) == (0, 1)
    (failure,) = result.failures
    assert failure.case.startswith("p1812/results/hills_0_log.csv, line ")


def test_wrong_clutter_beside_the_ends_is_told(folder: Path) -> None:
    rewrite(folder, LOG, set_value("R2", lambda value: value + 5.0))
    assert [failure.quantity for failure in only(folder).failures] == ["R2"]


def test_a_profile_may_begin_at_the_receiver(folder: Path) -> None:
    rewrite(folder, PROFILE, lambda _: profile_text("R"))
    assert only(folder).passed == 1


def test_line_ends_and_older_logs(folder: Path) -> None:
    rewrite(folder, PROFILE, lambda text: text.replace("\n", "\r\n"))
    old = ("Gtx (dBi),,,0,\n", "Grx (dBi),,,0,\n")
    rewrite(folder, LOG, lambda text: text.replace(old[0], "").replace(old[1], "").replace(", Gtx, Grx", ""))
    rewrite(folder, LOG, lambda text: text.replace("\n", "\r\n"))
    assert only(folder).passed == 1


def test_what_cannot_be_compared_is_told(folder: Path) -> None:
    rewrite(folder, LOG, lambda text: f"{text}\nLnew (dB),Eq (99),,12.5,\n")
    (folder / "p1812/results/combined_results.csv").write_text("x", encoding="utf-8")
    (folder / "p1812/profiles/idle.csv").write_text(profile_text(), encoding="utf-8")
    result = only(folder)
    assert result.passed == 1
    assert "rows not compared: Lnew" in result.note
    assert "without a case: combined_results.csv, idle" in result.note


def test_a_refused_log_fails(folder: Path) -> None:
    rewrite(folder, LOG, set_value("f (GHz)", lambda _: 60.0))
    result = only(folder)
    assert result.passed == 0
    assert result.failures[0].found is None
    assert "frequency_ghz is 60" in str(result.failures[0])


BROKEN = [
    (LOG, lambda text: text.replace("f (GHz),,,0.7,", "f (GHz),,,,"), r"line 5: f \(GHz\) has no number"),
    (LOG, lambda text: text.replace("f (GHz),,,0.7,\n", ""), "the input f is missing"),
    (LOG, lambda text: text.replace("pol,,,2,", "pol,,,3,"), "pol is 3"),
    (LOG, lambda text: text.replace("Ptx (kW),,,2,", "Ptx (kW),,,-2,"), "Ptx is -2"),
    (LOG, lambda text: "\n".join(t for t in text.splitlines() if not t.startswith("Lb (")), "the result Lb is missing"),
    (PROFILE, lambda text: text.replace("Points:,41", "Points:,40"), "is 40, but 41 follow"),
    (PROFILE, lambda text: text.replace("0.600000,", "0.300000,"), "line 8: the distance 0.3 km is not beyond"),
    (PROFILE, lambda text: text.replace("0.600000,", "far,"), "line 8: the distance is 'far'"),
    (PROFILE, lambda text: text.replace("10.000000,4", "10.000000,2"), "the radio-met code is 2"),
    (PROFILE, lambda text: text.replace("10.000000,4", "-10.0,4"), "the ground cover height is -10 m"),
    (PROFILE, lambda text: text.replace("10.000000,4", ",4"), "the ground cover height is missing"),
    (PROFILE, lambda text: text.replace("RX:,T", "RX:,Q"), "is 'Q'"),
    (PROFILE, lambda text: text.replace("{Begin of Profile}", "{Begin}"), "the profile has 0 points"),
]


@pytest.mark.parametrize(("name", "edit", "words"), BROKEN)
def test_broken_files_are_told(folder: Path, name: str, edit: Callable[[str], str], words: str) -> None:
    rewrite(folder, name, edit)
    with pytest.raises(InputError, match=words):
        validate_radio(folder)


def test_a_log_needs_its_profile(folder: Path) -> None:
    (folder / "p1812" / PROFILE).unlink()
    with pytest.raises(InputError, match=r"p1812/profiles/hills\.csv is not there"):
        validate_radio(folder)
    (folder / "p1812" / LOG).unlink()
    with pytest.raises(InputError, match="the set holds no result"):
        validate_radio(folder)
