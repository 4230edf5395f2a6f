"""Draw the pictures of README and tutorial from a plan of the built-in region.

    python scripts/draw_pictures.py out/xinwu [LANGUAGE]

Writes docs/images/xinwu_<picture>.png; needs nothing but the plan's folder.
"""

from __future__ import annotations

import sys
from pathlib import Path

from xinji.show.charts import compare_chart, coverage_chart, marginal_curve, spend_chart
from xinji.show.look import to_png
from xinji.show.maps import overview_map, stage_maps
from xinji.show.text import words
from xinji.workflow.planning import load_study

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
PICTURES = {
    "plan": overview_map,
    "stages": stage_maps,
    "coverage": coverage_chart,
    "spend": spend_chart,
    "curve": marginal_curve,
    "compare": compare_chart,
}
DPI = 120


def main(folder: Path, language: str) -> int:
    """Draw every picture of the plan in ``folder``; return the exit status."""
    study, text = load_study(folder), words(language)
    IMAGES.mkdir(parents=True, exist_ok=True)
    for name, draw in PICTURES.items():
        path = to_png(draw(study, text), IMAGES / f"xinwu_{name}.png", dpi=DPI)
        print(f"{path.relative_to(IMAGES.parents[1])}: {path.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    sys.exit(main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "en"))
