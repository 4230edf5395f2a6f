"""Setting up on a machine that lacks something says what, and how to get it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from house.pages import ROOT

OLD = '#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.2" && exit 0\nexit 1\n'
BARE = (
    '#!/bin/sh\ncase "$2" in *ensurepip*|*"import pip"*) exit 1 ;; esac\n[ "$1" != --version ] || echo Python 3.11.2\n'
)


def make_environment(python: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [shutil.which("bash") or "/bin/bash", str(ROOT / "scripts" / "environment.sh"), python, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603


@pytest.mark.parametrize(
    ("script", "found", "remedy"),
    [
        (None, "there is no", "sudo apt install python3 python3-venv"),
        (OLD, "Python 3.9.2 is too old", "PYTHON=python3.11"),
        (BARE, "ensurepip is missing", "sudo apt install python3-venv"),
    ],
)
def test_what_is_missing_is_named_with_its_remedy(tmp_path: Path, script: str | None, found: str, remedy: str) -> None:
    python = tmp_path / "python"
    if script is not None:
        python.write_text(script, encoding="utf-8")
        python.chmod(0o755)
    result = make_environment(str(python), tmp_path / "environment")
    assert result.returncode == 2
    assert found in result.stderr
    assert remedy in result.stderr
    assert not (tmp_path / "environment").exists()


def test_a_second_make_installs_nothing(tmp_path: Path) -> None:
    """With the stamps in place, only the work itself is left to do."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / ".venv").mkdir()
    for stamp in ("created", "installed", "installed-lint"):
        (tmp_path / ".venv" / stamp).touch()
    for target, work in (("run", "xinji plan xinwu"), ("test", "-m pytest")):
        command = [shutil.which("make") or "make", "--dry-run", "--no-print-directory", target]
        said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout  # noqa: S603
        assert work in said
        assert "install" not in said.replace(".venv/installed", "")
