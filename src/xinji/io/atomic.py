"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from xinji.errors import OutputError

_PREFIX = ".xinji-"

_REMEDIES = {
    errno.ENOSPC: "Free some space, or write to another disk.",
    errno.EDQUOT: "Free some of your quota, or write to another disk.",
    errno.EACCES: "Choose a folder that you may write to.",
    errno.EPERM: "Choose a folder that you may write to.",
    errno.EROFS: "Choose a disk that can be written to.",
}


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that takes its place when the block ends well.

    Whatever ends the block early (an interrupt too) removes the temporary file and leaves
    ``path`` as it was. Raises OutputError where the disk refuses.
    """
    path = path.resolve()
    with _plain_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        holder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=path.parent))
        try:
            # The suffix stays: some writers choose the format by it.
            yield holder / path.name
            (holder / path.name).replace(path)
        finally:
            shutil.rmtree(holder, ignore_errors=True)


@contextmanager
def atomic_folder(path: Path, *, marker: str, overwrite: bool = False) -> Iterator[Path]:
    """Yield a temporary folder beside ``path`` that takes its place when the block ends well.

    An existing folder is replaced only if it is empty, holds ``marker`` (a file that says it is
    one of ours), or ``overwrite`` is true. Raises OutputError where it may not be replaced or the
    disk refuses; then, and on an interrupt, ``path`` stays as it was.
    """
    path = path.resolve()
    _refuse_strangers(path, marker, overwrite=overwrite)
    with _plain_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        holder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=path.parent))
        try:
            fresh = holder / path.name
            fresh.mkdir()
            yield fresh
            _swap(fresh, path, holder / "old")
        finally:
            shutil.rmtree(holder, ignore_errors=True)


def _refuse_strangers(path: Path, marker: str, *, overwrite: bool) -> None:
    if not path.exists():
        return
    if not path.is_dir():
        raise OutputError(f"{path}: a file of this name is in the way. Name another folder, or remove it.")
    ours = overwrite or (path / marker).is_file() or not any(path.iterdir())
    if not ours:
        message = f"{path}: the folder is not empty and holds no {marker}, so it was not written by Xinji"
        raise OutputError(f"{message}. Name another folder, empty it, or allow overwriting.")


def _swap(fresh: Path, path: Path, old: Path) -> None:
    if not path.exists():
        fresh.replace(path)
        return
    try:
        path.replace(old)
        fresh.replace(path)
    finally:
        if old.exists() and not path.exists():
            with suppress(OSError):
                old.replace(path)


@contextmanager
def _plain_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        code = error.errno or 0
        found = os.strerror(code) if code else str(error)
        remedy = _REMEDIES.get(code, "Check the path and the disk.")
        message = f"{path} could not be written: {found}. {remedy} Nothing half-written is left."
        raise OutputError(message) from error
