"""The store after kill -9: what was acknowledged is there, nothing is torn, and it opens at once."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

from identity_core.crash_writer import values
from xinji.use.identity.record import Value
from xinji.use.identity.store import open_store

ROUNDS = int(os.environ.get("XINJI_KILLS", "8"))
"""How often the writer is killed; the figure of 100 is kept in docs/benchmarks.md."""

WRITER = Path(__file__).with_name("crash_writer.py")


def acknowledged(store: Path, round_number: int, after_s: float) -> tuple[set[int], set[int]]:
    """Run the writer, kill it after ``after_s`` of writing, and return what it said was made and changed."""
    command = [sys.executable, str(WRITER), str(store), str(round_number)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:  # noqa: S603
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        time.sleep(after_s)
        writer.kill()
        lines = writer.stdout.read().splitlines(keepends=True)
    said = [line.split() for line in lines if line.endswith("\n")]
    return {int(n) for what, n in said if what == "made"}, {int(n) for what, n in said if what == "changed"}


def plain(held: tuple[Value, ...]) -> list[tuple[int, bytes]]:
    return [(value.index, value.data) for value in held]


def test_no_acknowledged_write_is_lost(tmp_path: Path) -> None:
    dice = random.Random(7)  # noqa: S311 - moments to kill at
    total, slowest_s = 0, 0.0
    for round_number in range(ROUNDS):
        made, changed = acknowledged(tmp_path / "store", round_number, dice.uniform(0.01, 0.25))
        total += len(made)
        start = time.monotonic()
        with open_store(tmp_path / "store") as store:
            found = {int(r.handle.partition("/n")[2]): r for r in store.records(f"88.{round_number}/", private=True)}
            slowest_s = max(slowest_s, time.monotonic() - start)
            assert made <= set(found), "an acknowledged record is gone"
            for number, record in found.items():
                # Either the record as made or as changed, whole; if the change was acknowledged, that one.
                states = [plain(values(number + 1))] + ([] if number in changed else [plain(values(number))])
                assert plain(record.values) in states
            assert store.prefixes().get(f"88.{round_number}", 0) == len(found)
    assert total > 0
    assert slowest_s < 2
