"""Write a commented region.toml for the user to fill in."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from xinji.errors import Fault, OutputError, RegionError
from xinji.io.atomic import atomic_file
from xinji.io.config import CONFIG_FILE

_NAME = re.compile(r"[a-z0-9_-]+")


def write_template(folder: Path, name: str) -> Path:
    """Write a commented region.toml called ``name`` into ``folder`` and return its path.

    Raises RegionError where the name will not do, OutputError where there is one already or the
    disk refuses.
    """
    if not _NAME.fullmatch(name):
        remedy = "Use lower-case letters, digits, - and _ only, for example 'new_district'."
        raise RegionError([Fault("region name", f"found {name!r}", remedy)])
    path = folder / CONFIG_FILE
    if path.exists():
        raise OutputError(f"{path}: there is one already. Name another folder, or move the file away.")
    text = (files("xinji") / "data" / "templates" / CONFIG_FILE).read_text(encoding="utf-8")
    with atomic_file(path) as fresh:
        fresh.write_text(text.replace("@NAME@", name), encoding="utf-8")
    return path
