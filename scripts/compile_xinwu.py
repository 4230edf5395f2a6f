"""Compile the built-in region xinwu from the open data of its district into the package.

    python scripts/compile_xinwu.py [DATA_FOLDER]

Runs the mapping ``scripts/xinwu.toml``; the outcome is the same on every run.
"""

from __future__ import annotations

import sys
from pathlib import Path

from xinji.io.importing import import_region

ROOT = Path(__file__).resolve().parents[1]
MAX_BYTES = 2_000_000
"""What the region may take up in the package."""


def main(data: Path) -> int:
    """Write the region from ``data`` and print what it holds; return the exit status."""
    folder = ROOT / "src" / "xinji" / "data" / "regions" / "xinwu"
    sources = (ROOT / "scripts" / "xinwu_sources.md").read_text(encoding="utf-8")
    made = import_region(ROOT / "scripts" / "xinwu.toml", folder, data_dir=data, notes={"SOURCES.md": sources})
    print(f"{made.cells} cells, {made.residents:,.0f} residents, {made.workers:,.0f} workers: {dict(made.group_cells)}")
    print(f"{made.road_nodes} nodes, {made.road_edges} edges, {made.road_graph.kept_m / 1000:,.0f} km of road")
    print(f"facilities: {dict(made.facilities)}; {made.bytes:,} bytes")
    for note in (*made.notes, *map(str, made.warnings)):
        print(f"- {note}")
    if made.bytes > MAX_BYTES:
        print(f"the region takes {made.bytes:,} bytes, allowed are {MAX_BYTES:,}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    given = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared" / "regions" / "wuxi_xinwu"
    sys.exit(main(given))
