"""A store's file holds what was registered and nothing else of the process that wrote it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SECRET = b"SECRET-IN-MEMORY"

WRITER = """
import sys
from pathlib import Path
from xinji.use.identity.changes import Change
from xinji.use.identity.record import Value
from xinji.use.identity.store import open_store

def leave_in_memory():
    pages = [b"SECRET-IN-MEMORY" * 248 + bytes([number % 256]) for number in range(4_000)]
    del pages

leave_in_memory()
with open_store(Path(sys.argv[1]), create=True) as store:
    leave_in_memory()
    for number in range(20):
        store.apply(Change("create", f"88.1/{number}", (Value(index=1, type="URL", data=b"x"),)))
"""
"""Holds the secret in many pages of memory and lets go of them, as a key that was read is let go of."""


def test_freed_memory_does_not_come_to_lie_in_the_file(tmp_path: Path) -> None:
    # In a process of its own, whose memory holds little else.
    subprocess.run([sys.executable, "-c", WRITER, str(tmp_path / "node")], check=True, timeout=300)  # noqa: S603
    written = (tmp_path / "node" / "data.mdb").read_bytes()
    assert b"88.1/7" in written
    assert SECRET not in written
