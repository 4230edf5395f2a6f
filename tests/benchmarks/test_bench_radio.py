"""The benchmark of the radio engine runs from end to end; what it measures in a test means nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "radio.py"


def test_the_quick_run_prints_every_row_of_the_table(tmp_path: Path) -> None:
    """Without data and peers too: what is left out is said."""
    out = tmp_path / "report.md"
    command = [sys.executable, str(SCRIPT), "--quick", "--shared", str(tmp_path / "none"), "--out", str(out)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert ended.returncode == 0, ended.stderr
    said = out.read_text(encoding="utf-8")
    assert said == ended.stdout
    rows = [line for line in said.splitlines() if line.startswith("| ")]
    for what in (
        "fast kernel against float64",
        "raster against own profile, a point each pixel length",
        "raster against own profile, equal steps",
        "speed, 2.6 GHz",
        "one more band",
        "SINR from path-loss codes",
        "10,000 sites with store, extrapolated",
        "peak memory",
        "xinji, area engine, P.1812-8",
    ):
        assert any(what in row for row in rows), what
    assert said.count("skipped: there is no") == 2
    kernel = [row for row in rows if "fast kernel against float64" in row]
    assert len(kernel) == 2
    assert all(row.endswith("| yes |") for row in kernel)
    for peer in ("pycraf", "itmlogic"):
        assert f"{peer} is not installed" in said or f"| {peer} " in said
