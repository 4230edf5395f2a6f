"""Many people at once, and a writer that dies in the middle of its work."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from support.ledger_stores import Places
from support.ledger_writers import BATCH, processes, write_endlessly, write_many
from support.small_ledger import new_ledger, registered
from xinji.build.ledger import Ledger

WRITERS, ROUNDS = 8, 4

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs processes as POSIX has them")


def test_eight_writers_at_once_lose_nothing(ledger_place: Places) -> None:
    place = ledger_place()
    names = [f"writer {number}" for number in range(WRITERS)]
    with new_ledger(place) as ledger:
        ledger.append(registered("shared"))
        running = [processes().Process(target=write_many, args=(place, name, ROUNDS)) for name in names]
        for process in running:
            process.start()
        for process in running:
            process.join(120)
        assert [process.exitcode for process in running] == [0] * WRITERS
        found, audit = ledger.facilities(), ledger.verify()
        paid = dict(zip(found.id.tolist(), found.paid.tolist(), strict=True))
        assert paid == {"shared": WRITERS * ROUNDS} | {f"own-{name}": ROUNDS for name in names}
        assert audit.sound
        assert audit.events == 2 + WRITERS * (1 + 2 * ROUNDS)
        assert {event.who for event in ledger.events()} == {"li", *names}


def test_a_killed_writer_leaves_whole_batches(ledger_place: Places, tmp_path: Path) -> None:
    place = ledger_place()
    with new_ledger(place) as ledger:
        ledger.append(registered("shared"))
    for turn, delay in enumerate((0.003, 0.011, 0.02, 0.037)):
        told = tmp_path / f"told-{turn}"
        process = processes().Process(target=write_endlessly, args=(place, told))
        process.start()
        while not (told.exists() and told.read_bytes()):
            assert process.is_alive()
            time.sleep(0.002)
        time.sleep(delay)
        process.kill()
        process.join()
        said = [int(line) for line in told.read_text(encoding="ascii").splitlines(keepends=True) if line[-1] == "\n"]
        with Ledger.open(place, who="li") as ledger:
            audit = ledger.verify()
            assert audit.sound
            assert audit.events >= said[-1]
            assert (audit.events - 2) % BATCH == 0
            assert ledger.facilities().paid.tolist() == [audit.events - 2]
