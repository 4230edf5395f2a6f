"""A writer that tells what is on disk as it goes, for tests that kill it: ``crash_writer.py STORE ROUND``."""

from __future__ import annotations

import sys
from pathlib import Path

from xinji.use.identity.changes import Change
from xinji.use.identity.record import Value
from xinji.use.identity.store import open_store

TOGETHER = 20


def values(number: int) -> tuple[Value, ...]:
    """Return the values of record ``number``: two that must agree, of which one is long."""
    data = b"%d " % number
    return (
        Value(index=1, type="N", data=data),
        Value(index=2, type="LONG", data=data * (number % 300)),
        Value(index=3, type="HIDDEN", data=data, permissions=12),
    )


def main() -> None:
    """Create records and change each once, and say of each step, after it is on disk, that it was made."""
    with open_store(Path(sys.argv[1]), create=True) as store:
        print("ready", flush=True)  # noqa: T201 - the pipe is what the test reads
        number = 0
        while True:
            batch = range(number, number + TOGETHER)
            handles = {n: f"88.{sys.argv[2]}/n{n}" for n in batch}
            made = [(n, store.submit(Change("create", handles[n], values(n)))) for n in batch]
            for n, future in made:
                future.result()
                print(f"made {n}", flush=True)  # noqa: T201
            changed = [(n, store.submit(Change("modify", handles[n], values(n + 1)))) for n in batch if n % 2]
            for n, future in changed:
                future.result()
                print(f"changed {n}", flush=True)  # noqa: T201
            number += TOGETHER


if __name__ == "__main__":
    main()
