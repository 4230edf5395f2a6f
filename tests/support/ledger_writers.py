"""What other processes do to a ledger in tests; they start from one that has loaded all this already."""

from __future__ import annotations

import multiprocessing
from multiprocessing.context import ForkServerContext
from pathlib import Path

from support.small_ledger import DAY, registered
from xinji.build import event_drafts as drafts
from xinji.build.ledger import Ledger

BATCH = 400


def processes() -> ForkServerContext:
    """Return what makes processes that need not load everything again."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def write_many(place: str, who: str, rounds: int) -> None:
    """Register a facility of one's own, then pay for it and for one that all share, again and again."""
    with Ledger.open(place, who=who) as ledger:
        ledger.append(registered(f"own-{who}"))
        for turn in range(rounds):
            names = (f"own-{who}", "shared")
            ledger.append([drafts.paid(name, day=DAY, cents=1, reference=str(turn)) for name in names])


def write_endlessly(place: str, told: Path) -> None:
    """Record payments in batches until killed, telling the file ``told`` each time what is recorded."""
    with Ledger.open(place, who="li") as ledger, told.open("w", encoding="ascii") as file:
        while True:
            events = ledger.append([drafts.paid("shared", day=DAY, cents=1, reference="")] * BATCH)
            file.write(f"{events[-1].number}\n")
            file.flush()
