"""The shape of the package: lengths, parameters and docstrings; all measures where the script lies beside us."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "xinji"
MODULES = sorted(PACKAGE.rglob("*.py"))
GATES = ("fmax=600", "nmax=80", "cmax=15", "amax=8", "cyc=0", "cycP=0")
FULL = ("doc%=100", "typ%=100")


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    """Yield every function and method in ``path``."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def length(function: ast.FunctionDef) -> int:
    """Return the lines of ``function`` without its docstring."""
    first = function.body[0]
    docstring = (first.end_lineno or 0) - first.lineno + 1 if ast.get_docstring(function) is not None else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_and_functions_stay_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 600
    long = {function.name: length(function) for function in functions(path) if length(function) > 80}
    assert not long
    for function in functions(path):
        own = [
            argument.arg for argument in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
        ]
        assert len([name for name in own if name not in ("self", "cls")]) <= 8, function.name
        assert function.args.kwarg is None, f"{function.name} takes **kwargs"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_public_names_are_described(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "the module has no docstring"
    for node in tree.body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef) or node.name.startswith("_"):
            continue
        assert ast.get_docstring(node), f"{node.name} has no docstring"
        if isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, ast.FunctionDef) and not member.name.startswith("_"):
                    assert ast.get_docstring(member), f"{node.name}.{member.name} has no docstring"


def test_full_measure(shared: Path) -> None:
    command = [sys.executable, str(shared / "measure_style.py"), str(PACKAGE), "--max", *GATES, "--min", *FULL]
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert result.returncode == 0, result.stdout + result.stderr
