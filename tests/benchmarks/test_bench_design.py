"""The benchmark of the design engines runs from end to end; what it measures in a test means nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "design.py"


def test_the_quick_run_prints_every_row_of_the_table(tmp_path: Path) -> None:
    """Without data and peers too: what is left out is said."""
    out = tmp_path / "report.md"
    command = [sys.executable, str(SCRIPT), "--quick", "--shared", str(tmp_path / "none"), "--out", str(out)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert ended.returncode == 0, ended.stderr
    said = out.read_text(encoding="utf-8")
    assert said == ended.stdout
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in said.splitlines() if line.startswith("| ")]
    table = {(row[0].partition(",")[0], row[1]): row for row in rows[1:]}
    kinds = ("covering", "staged covering", "Steiner tree", "facilities with capacities")
    for kind in kinds:
        ours = table[kind, "xinji"]
        assert float(ours[4]) >= 0.0, f"{kind}: no proved bound"
    for kind in ("covering", "facilities with capacities"):
        assert float(table[kind, "HiGHS"][3]) >= 0.0
    for kind, peer in (
        ("covering", "spopt with HiGHS"),
        ("Steiner tree", "networkx, Mehlhorn"),
        ("Steiner tree", "rustworkx"),
    ):
        row = table[kind, peer]
        assert row[-1].startswith("not installed") or float(row[3]) >= 0.0
    assert "Published instances are skipped" in said
