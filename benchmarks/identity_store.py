"""The identifier store: time and disk of a bulk load, and what one answer takes out of it.

Facilities of nine values each, about 450 octets as a list on the wire, are written as a table
(CSV, a record a row) and loaded by two processes into an empty store. Then the same answers are read at
random from it and from a store that keeps each record as it goes on the wire, in turns: what the shapes
cost in processor time and what they save on disk.

    python benchmarks/identity_store.py [RECORDS] [FOLDER]
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from xinji.use.identity.bulk import load_csv
from xinji.use.identity.entry import HEAD, Entry
from xinji.use.identity.shape_table import RAW
from xinji.use.identity.store import Reader, Store, open_store

RECORDS, LOOKUPS, ROUNDS = 200_000, 20_000, 7
HEADER = "handle,1:URL,100:HS_ADMIN,2001:NAME,2002:MODEL,2003:PLACE,2004:STATE,2005:SINCE,2006:OWNER,2007:PLAN\n"
MODELS, STATES = ("AAU5613", "AAU5639w", "A9622A", "RRU5909"), ("in_use", "built", "accepted")


def rows(records: int) -> Iterator[str]:
    """Yield made-up facilities in no order of their handles."""
    dice = random.Random(1)  # noqa: S311 - made-up records
    for number in range(records):
        serial = f"{dice.getrandbits(48):012X}"
        place = f'"{31 + dice.random():.5f},{120 + dice.random():.5f}"'
        since = f"20{dice.randrange(10, 26)}-0{dice.randrange(1, 10)}-1{dice.randrange(10)}"
        yield (
            f"88.123.10/{serial},https://id.xinwu.cn/asset/{serial},200:0.NA/88.123.10,"
            f"gNB 64T64R {number % 100_000:05d},{dice.choice(MODELS)},{place},{dice.choice(STATES)},{since},"
            f"office@xinwu.example.cn,xinwu-2026/option-{dice.randrange(10**6):06d}\n"
        )


def per_lookup_us(look: Callable[[bytes], bytes | None], keys: list[bytes]) -> float:
    """Return the processor time of one lookup [us]."""
    start = time.process_time()
    for key in keys:
        look(key)
    return (time.process_time() - start) / len(keys) * 1e6


def unshaped(reader: Reader, folder: Path) -> Store:
    """Return a store with the records of ``reader`` as they go on the wire."""
    store = open_store(folder, create=True)
    head = HEAD.pack(RAW, 0, 0, 0) + b"\0"
    store.write_sorted(Entry(key, head + (reader.body(key) or b""), b"") for key, _ in reader.pairs())
    return store


def main(records: int, folder: Path) -> None:
    """Load, look up and print."""
    table = folder / "table.csv"
    with table.open("w", encoding="utf-8") as out:
        out.write(HEADER)
        out.writelines(rows(records))
    with open_store(folder / "shaped", create=True) as store:
        loaded = load_csv(store, table)
        reader = store.reader()
        keys = [key for key, _ in islice(reader.pairs(), 10 * LOOKUPS)]
        random.Random(2).shuffle(keys)  # noqa: S311 - any order will do
        keys = keys[:LOOKUPS]
        plain = unshaped(reader, folder / "raw") if records <= RECORDS else None
        looks = [reader.body, *([plain.reader().body] if plain else [])]
        times = zip(*([per_lookup_us(look, keys) for look in looks] for _ in range(ROUNDS)), strict=True)
        best = [min(column) for column in times]
        size = sum(len(reader.body(key) or b"") for key in keys) / len(keys)
        each = store.statistics().bytes_each
        print(
            f"{loaded.records} records in {loaded.seconds:.1f} s, {each:.0f} B each on disk, {size:.0f} B on the wire"
        )
        print(f"lookup {best[0]:.2f} us of processor time each")
        if plain:
            print(f"as on the wire: {plain.statistics().bytes_each:.0f} B each on disk, lookup {best[1]:.2f} us")
            plain.close()


if __name__ == "__main__":
    many = int(sys.argv[1]) if len(sys.argv) > 1 else RECORDS
    if len(sys.argv) > 2:
        main(many, Path(sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory() as own:
            main(many, Path(own))
