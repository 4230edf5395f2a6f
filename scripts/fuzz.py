"""Feed every registered parser of strangers' octets with broken input for some minutes.

    nice python scripts/fuzz.py --minutes 10

Inputs are made from the seeds of ``tests/support/parsers.py`` by flipping, cutting, repeating and joining,
and by putting lengths of all sizes where lengths may stand. A parser may return or raise InputError;
any other exception, an input that takes longer than ``--seconds``, or memory beyond ``--megabytes`` ends the
run with status 1 and prints the input, which ``--replay NAME HEX`` feeds again.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.parsers import PARSERS, SEEDS
from xinji.errors import InputError

LENGTHS = (0, 1, 2, 3, 4, 20, 24, 255, 256, 65_535, 65_536, 2**24, 2**31 - 1, 2**31, 2**32 - 1)
LONGEST = 4_096
ROUND = 200


def flip(octets: bytes, chance: random.Random) -> bytes:
    """Change one bit."""
    place = chance.randrange(len(octets))
    return octets[:place] + bytes((octets[place] ^ 1 << chance.randrange(8),)) + octets[place + 1 :]


def put_length(octets: bytes, chance: random.Random) -> bytes:
    """Put a length in four octets somewhere."""
    place = chance.randrange(len(octets))
    return octets[:place] + chance.choice(LENGTHS).to_bytes(4, "big") + octets[place + 4 :]


def cut(octets: bytes, chance: random.Random) -> bytes:
    """Leave a part out."""
    start, end = sorted(chance.choices(range(len(octets) + 1), k=2))
    return octets[:start] + octets[end:]


def repeat(octets: bytes, chance: random.Random) -> bytes:
    """Say a part twice or more."""
    start, end = sorted(chance.choices(range(len(octets) + 1), k=2))
    return octets[:end] + octets[start:end] * chance.randrange(1, 4) + octets[end:]


def scatter(octets: bytes, chance: random.Random) -> bytes:
    """Put random octets somewhere."""
    place = chance.randrange(len(octets) + 1)
    return octets[:place] + chance.randbytes(chance.randrange(1, 9)) + octets[place:]


CHANGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (flip, put_length, cut, repeat, scatter)


def mutated(seeds: Sequence[bytes], chance: random.Random) -> bytes:
    """Return a broken input made from one or two of ``seeds``."""
    octets = chance.choice(seeds)
    if chance.random() < 0.1:
        other = chance.choice(seeds)
        octets = octets[: chance.randrange(len(octets) + 1)] + other[chance.randrange(len(other) + 1) :]
    for _ in range(chance.randrange(1, 6)):
        if octets:
            octets = chance.choice(CHANGES)(octets, chance)
    return octets[:LONGEST]


def feed(name: str, octets: bytes) -> str:
    """Feed ``octets`` to the parser ``name``; return what came of it."""
    try:
        PARSERS[name](octets)
    except InputError:
        return "refused"
    return "read"


def run(minutes: float, seconds: float, megabytes: int, seed: int) -> int:
    """Fuzz all parsers in turn; return the exit status."""
    chance = random.Random(seed)  # noqa: S311 (not for secrets)
    seeds = {name: [*SEEDS.get(name, ()), bytes(4), b"a", chance.randbytes(64)] for name in PARSERS}
    outcomes: dict[str, Counter[str]] = {name: Counter() for name in PARSERS}
    slowest = dict.fromkeys(PARSERS, 0.0)
    end = time.monotonic() + 60 * minutes
    while time.monotonic() < end:
        for name, own in seeds.items():
            for _ in range(ROUND):
                octets = mutated(own, chance)
                start = time.process_time()
                try:
                    outcomes[name][feed(name, octets)] += 1
                except BaseException:
                    print(f"FAULT in {name}: {octets.hex()}")
                    raise
                took = time.process_time() - start
                slowest[name] = max(slowest[name], took)
                memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
                if took > seconds or memory > megabytes:
                    print(f"{name} took {took:.2f} s, memory is {memory} MB: {octets.hex()}")
                    return 1
    for name, counts in outcomes.items():
        print(f"{name:24} {counts.total():10} inputs, {counts['read']:9} read, slowest {1e3 * slowest[name]:.1f} ms")
    print(f"most memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB, seed {seed}, no fault")
    return 0


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seconds", type=float, default=5.0, help="longest for one input")
    parser.add_argument("--megabytes", type=int, default=1_024, help="most memory")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--replay", nargs=2, metavar=("NAME", "HEX"))
    chosen = parser.parse_args()
    if chosen.replay:
        print(feed(chosen.replay[0], bytes.fromhex(chosen.replay[1])))
        return 0
    return run(chosen.minutes, chosen.seconds, chosen.megabytes, chosen.seed)


if __name__ == "__main__":
    sys.exit(main())
