"""Evidence files: their hash when they are handed in, and whether they still match it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from xinji.io.acceptance_values import CellError

FOUND, CHANGED, MISSING = "matches", "changed", "missing"


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """A file that proves something: its name, SHA-256 in hexadecimal and size [bytes]."""

    name: str
    sha256: str
    size: int


def evidence_of(path: Path, root: Path | None) -> EvidenceFile:
    """Return the file at ``path``, named relative to the folder ``root`` where it lies in it, else in full.

    Raises CellError where it cannot be read or is empty.
    """
    try:
        with path.open("rb") as source:
            digest = hashlib.file_digest(source, "sha256").hexdigest()
            size = source.tell()
    except FileNotFoundError as error:
        raise CellError("is not there", f"Put the file into {path.parent}, or mend its name.") from error
    except (OSError, ValueError) as error:
        raise CellError(f"cannot be read ({error})", "Name a file that you may read.") from error
    if not size:
        raise CellError("is empty", "Hand in the file again.")
    full = path.resolve()
    inside = root is not None and full.is_relative_to(root.resolve())
    return EvidenceFile((full.relative_to(root.resolve()) if root and inside else full).as_posix(), digest, size)


def evidence_state(name: str, sha256: str, root: Path) -> str:
    """Return whether the file ``name`` (relative names lie in ``root``) is there and matches ``sha256``."""
    path = root / name
    try:
        with path.open("rb") as source:
            same = hashlib.file_digest(source, "sha256").hexdigest() == sha256
    except OSError:
        return MISSING
    return FOUND if same else CHANGED
