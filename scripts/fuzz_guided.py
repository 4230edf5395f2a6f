"""Feed every registered parser of strangers' octets with input that atheris grows towards unseen code.

    pip install --group fuzz && nice python scripts/fuzz_guided.py --minutes 10

The first octet of an input chooses the parser of ``tests/support/parsers.py``. Anything but InputError, an
input that takes longer than ``--seconds``, or memory beyond ``--megabytes`` ends the run and is written down.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

with atheris.instrument_imports(include=["xinji.use", "xinji.build"]):
    from support.parsers import PARSERS, SEEDS

from xinji.errors import InputError

NAMES = sorted(PARSERS)
LONGEST = 4_096


def feed(octets: bytes) -> None:
    """Give all but the first octet to the parser that it chooses."""
    if octets:
        with suppress(InputError):
            PARSERS[NAMES[octets[0] % len(NAMES)]](octets[1:])


def plant(folder: Path) -> None:
    """Write the seeds of every parser into ``folder``."""
    for place, name in enumerate(NAMES):
        for number, octets in enumerate(SEEDS.get(name, ())):
            (folder / f"{place}-{number}").write_bytes(bytes([place]) + octets)


def main() -> None:
    """Read the command line and fuzz; libFuzzer ends the process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seconds", type=int, default=5, help="longest for one input")
    parser.add_argument("--megabytes", type=int, default=1_024, help="most memory")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    # libFuzzer ends the process: nobody would take the folder away, and what it found is worth keeping.
    corpus = Path(tempfile.mkdtemp(prefix="xinji-fuzz-"))
    plant(corpus)
    print(f"{len(NAMES)} parsers, seed {asked.seed}, corpus in {corpus}", flush=True)
    limits = (
        f"-max_total_time={60 * asked.minutes:.0f}",
        f"-timeout={asked.seconds}",
        f"-rss_limit_mb={asked.megabytes}",
    )
    atheris.Setup([sys.argv[0], *limits, f"-seed={asked.seed}", f"-max_len={LONGEST}", str(corpus)], feed)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
