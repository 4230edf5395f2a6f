"""The façade: few names, all of them there, typed and described."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import xinji

FILE = Path(xinji.__file__)
PAGE = FILE.parents[2] / "docs" / "reference" / "python-api.md"


def test_the_facade_is_small_and_sorted() -> None:
    assert len(xinji.__all__) <= 30
    assert xinji.__all__ == sorted(set(xinji.__all__))
    assert dir(xinji) == xinji.__all__


@pytest.mark.parametrize("name", xinji.__all__)
def test_every_name_is_there_described_and_typed(name: str) -> None:
    thing = getattr(xinji, name)
    assert inspect.isclass(thing) or inspect.isfunction(thing)
    assert thing.__name__ == name
    assert inspect.getdoc(thing)
    if inspect.isfunction(thing):
        signature = inspect.signature(thing)
        assert signature.return_annotation is not inspect.Signature.empty
        assert all(p.annotation is not inspect.Parameter.empty for p in signature.parameters.values())


def test_type_checkers_see_the_same_names() -> None:
    """The imports that only type checkers see name exactly what is loaded on demand."""
    tree = ast.parse(FILE.read_text(encoding="utf-8"))
    guarded = [node for node in tree.body if isinstance(node, ast.If)]
    imports = [node for block in guarded for node in block.body if isinstance(node, ast.ImportFrom)]
    seen = {alias.name: node.module for node in imports for alias in node.names}
    assert sorted(seen) == xinji.__all__
    for name, module in seen.items():
        assert getattr(xinji, name).__module__ == module


def test_unknown_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = xinji.nothing  # type: ignore[attr-defined]  # that is the point


def test_importing_loads_no_models() -> None:
    code = "import sys, xinji; sys.exit(any(m in sys.modules for m in ('numpy', 'matplotlib', 'xinji.workflow')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603


def test_the_reference_sets_all_of_them() -> None:
    assert ".. automodule:: xinji\n   :members:" in PAGE.read_text(encoding="utf-8")
