from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

BREACHES = [
    ("errors.py", "import xinji.core.grid", "core -> errors"),
    ("core/grid.py", "import xinji.io.atomic", "core -> errors"),
    ("plan/demand.py", "import xinji.io.region", "wings, io, show"),
    ("show/look.py", "import xinji.io.atomic", "wings, io, show"),
    ("io/atomic.py", "import xinji.workflow", "cli -> workflow"),
    ("workflow/planning.py", "import xinji.cli", "cli -> workflow"),
    ("stray.py", "", "cli -> workflow"),
    ("plan/radio/bands.py", "import xinji.plan.fibre.access", "never import one another"),
    ("plan/choose/index.py", "import xinji.plan.compute.energy", "never import one another"),
    ("plan/effect/__init__.py", "import xinji.plan.choose.index", "never import one another"),
    ("build/__init__.py", "import xinji.plan.demand", "wings, io, show"),
    ("plan/choose/index.py", "import xinji.plan.demand", "choose knows no demand model"),
    ("core/grid.py", "import pandas", "models compute on arrays"),
    ("plan/fibre/trench.py", "import socket", "models compute on arrays"),
    ("workflow/planning.py", "import geopandas", "data frames, file formats"),
    ("io/atomic.py", "import matplotlib", "io draws nothing"),
    ("plan/choose/bound.py", "import highspy", "one file touches the solver"),
    ("plan/choose/certificate.py", "import xinji.plan.jit", "what proves a plan again"),
    ("build/ledger.py", "import sqlalchemy", "the ledger's databases"),
    ("workflow/identity.py", "import lmdb", "the identifiers' database"),
    ("use/identity/node.py", "import cryptography", "where keys are kept"),
    ("use/identity/doirp/service.py", "import socket", "knows no socket"),
    ("use/identity/node.py", "import xinji.build.ledger", "wings, io, show"),
]
"""A file, the import that it must not hold, and words of the contract that says so."""


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the package under ``folder``."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(folder / "src"), "COLUMNS": "200"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)  # noqa: S603


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("walls")
    only_code = shutil.ignore_patterns("__pycache__", "data")
    shutil.copytree(ROOT / "src", folder / "src", ignore=only_code)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def test_every_wall_stands(copy: Path) -> None:
    result = lint(copy)
    assert result.returncode == 0, result.stdout
    assert "0 broken" in result.stdout


def test_every_wall_bites(copy: Path) -> None:
    """Breach one wall after the other in a copy; each contract must name its own breach."""
    for place, line, contract in BREACHES:
        file = copy / "src" / "xinji" / place
        before = file.read_text(encoding="utf-8") if file.exists() else None
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"{before or ''}\n{line}\n", encoding="utf-8")
        result = lint(copy)
        broken = [row for row in result.stdout.splitlines() if "BROKEN" in row]
        if before is None:
            file.unlink()
            if not place.startswith("stray"):
                file.parent.rmdir()
        else:
            file.write_text(before, encoding="utf-8")
        assert result.returncode == 1, f"{place}: {line} was let through"
        assert any(contract in row for row in broken), f"{place}: {line} broke only {broken}\n{result.stdout}"


def test_every_contract_has_its_breach(copy: Path) -> None:
    kept = [row for row in lint(copy).stdout.splitlines() if row.endswith("KEPT") or "KEPT (" in row]
    assert len(kept) == 12
    for row in kept:
        assert any(contract in row for _, _, contract in BREACHES), row
