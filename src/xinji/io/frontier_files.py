"""The frontier of a plan as files: everything as JSON for a page that moves along it, the figures as CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from xinji.io.atomic import atomic_file

FORM, FORM_VERSION = "xinji frontier", 1
"""Named in the file, so that a reader knows what it holds."""


def write_frontier_json(path: Path, content: Mapping[str, object]) -> Path:
    """Write ``content`` with the file's form to ``path``. Raises OutputError where the disk refuses."""
    text = json.dumps({"form": FORM, "form_version": FORM_VERSION, **content}, ensure_ascii=False, allow_nan=False)
    with atomic_file(path) as fresh:
        fresh.write_text(text + "\n", encoding="utf-8")
    return path


def write_frontier_csv(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    """Write ``rows``, which have the same keys, as a table with a heading; missing figures stay empty.

    Raises OutputError where the disk refuses.
    """
    with atomic_file(path) as fresh, fresh.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]) if rows else [])
        writer.writeheader()
        writer.writerows(rows)
    return path
