"""Every parser of strangers' octets refuses what it cannot read with the one error, whatever it is fed."""

from __future__ import annotations

import random

import pytest

from support.parsers import PARSERS, SEEDS
from xinji.errors import InputError


def outcome(name: str, octets: bytes) -> str:
    """What the parser ``name`` makes of ``octets``."""
    try:
        PARSERS[name](octets)
    except InputError:
        return "refused"
    return "read"


@pytest.mark.parametrize("name", PARSERS)
def test_parsers_refuse_in_words(name: str) -> None:
    chance = random.Random(name)  # noqa: S311 (not for secrets)
    seeds = [*SEEDS.get(name, ()), bytes(8), b"\xff" * 40]
    for _ in range(150):
        octets = bytearray(chance.choice(seeds))
        for _change in range(chance.randrange(4)):
            if octets:
                octets[chance.randrange(len(octets))] = chance.choice((0, 1, 127, 128, 255, chance.randrange(256)))
        assert outcome(name, bytes(octets[: chance.randrange(len(octets) + 1)])) in ("read", "refused")


@pytest.mark.parametrize("name", [name for name in SEEDS if name.startswith("doirp")])
def test_seeds_lead_past_the_first_check(name: str) -> None:
    assert "read" in {outcome(name, octets) for octets in SEEDS[name]}
