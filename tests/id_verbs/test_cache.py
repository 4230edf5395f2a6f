"""Answers of other nodes, kept for as long as they may be."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xinji.errors import InputError
from xinji.use.identity.cache import CacheCounts, CacheSettings, RecordCache, chosen
from xinji.use.identity.client import Resolver
from xinji.use.identity.client_link import Address
from xinji.use.identity.errors import Code, IdentifierError, refuse
from xinji.use.identity.record import Record, Value
from xinji.use.identity.serve_cached import CachingResolver
from xinji.use.identity.value_data import SERVICE_BOTH, TCP, Interface, Server, Site

START_S = 1_800_000_000.0


@dataclass
class Clock:
    now_s: float = START_S

    def __call__(self) -> float:
        return self.now_s


def record(name: str, *ttls: int, absolute: bool = False, octets: int = 1) -> Record:
    values = (
        Value(index=k, type="URL", data=b"x" * octets, ttl_s=ttl, ttl_absolute=absolute)
        for k, ttl in enumerate(ttls, start=1)
    )
    return Record(name, tuple(values))


def made(clock: Clock, **figures: float) -> RecordCache:
    plain = CacheSettings()
    entries, octets = int(figures.get("entries", plain.entries)), int(figures.get("octets", plain.octets))
    own = CacheSettings(entries, octets, figures.get("most_s", plain.most_s), figures.get("absent_s", plain.absent_s))
    return RecordCache(own, clock=clock)


def test_a_record_is_kept_until_its_first_value_is_too_old() -> None:
    clock = Clock()
    cache = made(clock)
    cache.keep("88.1/a", record("88.1/a", 100, 60))
    clock.now_s += 59.5
    found = cache.find("88.1/A")
    assert found is not None
    # The next cache must not keep it for as long again.
    assert [value.ttl_s for value in found.values] == [41, 1]
    clock.now_s += 0.5
    assert cache.find("88.1/a") is None
    assert cache.counts == CacheCounts(hits=1, misses=1)
    assert (len(cache), cache.octets) == (0, 0)


def test_an_absolute_ttl_names_the_moment() -> None:
    clock = Clock()
    cache = made(clock)
    cache.keep("88.1/a", record("88.1/a", int(START_S) + 10, absolute=True))
    clock.now_s += 9
    found = cache.find("88.1/a")
    assert found is not None
    assert found.values[0].ttl_s == START_S + 10
    clock.now_s += 1
    assert cache.find("88.1/a") is None
    cache.keep("88.1/a", record("88.1/a", int(START_S) + 10, absolute=True))
    assert len(cache) == 0


def test_nothing_is_kept_longer_than_the_cache_allows_nor_without_a_ttl() -> None:
    clock = Clock()
    cache = made(clock, most_s=30)
    cache.keep("88.1/a", record("88.1/a", 1_000))
    cache.keep("88.1/b", record("88.1/b", 1_000, 0))
    assert len(cache) == 1
    clock.now_s += 30
    assert cache.find("88.1/a") is None


def test_a_clock_that_is_set_back_makes_no_record_immortal() -> None:
    clock = Clock()
    cache = made(clock)
    cache.keep("88.1/a", record("88.1/a", 100))
    clock.now_s -= 1
    assert cache.find("88.1/a") is None


def test_absence_has_a_time_of_its_own() -> None:
    clock = Clock()
    cache = made(clock, absent_s=5)
    cache.keep_absent("88.1/none")
    with pytest.raises(IdentifierError) as refused:
        cache.find("88.1/NONE")
    assert refused.value.code == Code.HANDLE_NOT_FOUND
    clock.now_s += 5
    assert cache.find("88.1/none") is None
    assert cache.counts == CacheCounts(absent=1, misses=1)
    cache.keep_absent("88.1/none")
    cache.keep("88.1/none", record("88.1/none", 10))
    assert cache.find("88.1/none") is not None


def test_what_was_not_asked_for_the_longest_goes_first() -> None:
    cache = made(Clock(), entries=2)
    for name in ("a", "b"):
        cache.keep(f"88.1/{name}", record(f"88.1/{name}", 100))
    assert cache.find("88.1/a") is not None
    cache.keep("88.1/c", record("88.1/c", 100))
    assert cache.find("88.1/b") is None
    assert cache.find("88.1/a") is not None
    assert (len(cache), cache.counts.evicted) == (2, 1)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 30_000), st.integers(0, 50)), max_size=40))
def test_neither_count_nor_size_is_passed(steps: list[tuple[int, int, int]]) -> None:
    clock = Clock()
    cache = made(clock, entries=5, octets=40_000)
    for name, octets, later_s in steps:
        clock.now_s += later_s
        cache.keep(f"88.1/{name}", record(f"88.1/{name}", 60, octets=octets))
        assert len(cache) <= 5
        assert cache.octets <= 40_000
    clock.now_s += 100
    for name in range(10):
        assert cache.find(f"88.1/{name}") is None
    assert (len(cache), cache.octets) == (0, 0)


def test_figures_must_be_above_zero() -> None:
    with pytest.raises(InputError) as refused:
        CacheSettings(entries=0, octets=-1, most_s=float("nan"))
    assert len(refused.value.faults) == 3


def test_values_are_chosen_by_type_or_index() -> None:
    whole = Record(
        "88.1/a",
        (
            Value(index=1, type="URL", data=b"x"),
            Value(index=2, type="A.B", data=b"y"),
            Value(index=3, type="EMAIL", data=b"z"),
        ),
    )
    assert chosen(whole, (), ()) is whole
    assert [value.index for value in chosen(whole, ("url", "a."), ()).values] == [1, 2]
    assert [value.index for value in chosen(whole, ("URL",), (3,)).values] == [1, 3]
    with pytest.raises(IdentifierError) as refused:
        chosen(whole, ("NAME",), ())
    assert refused.value.code == Code.VALUES_NOT_FOUND


class Other:
    """Another node; it answers once it is let."""

    def __init__(self, code: Code | None = None) -> None:
        self.asked: list[str] = []
        self.code = code
        self.let = asyncio.Event()

    async def fetch(self, handle: str) -> Record:
        self.asked.append(handle)
        await self.let.wait()
        if self.code is not None:
            raise refuse(self.code, handle, "no", "no")
        return record(handle, 60)


def test_who_asks_meanwhile_waits_for_the_same_answer() -> None:
    async def run() -> None:
        other = Other()
        resolver = CachingResolver(other.fetch, RecordCache())
        tasks = [asyncio.create_task(resolver.resolve(name)) for name in ("88.1/a", "88.1/A", "88.1/a")]
        await asyncio.sleep(0)
        tasks[0].cancel()
        other.let.set()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(answers[0], asyncio.CancelledError)
        assert answers[1] == answers[2] == record("88.1/a", 60)
        assert await resolver.resolve("88.1/a", indexes=(1,)) == record("88.1/a", 60)
        assert other.asked == ["88.1/a"]

    asyncio.run(run())


@pytest.mark.parametrize(("code", "times"), [(Code.HANDLE_NOT_FOUND, 1), (Code.NOT_RESPONSIBLE, 2), (Code.ERROR, 2)])
def test_only_that_there_is_none_is_kept_of_refusals(code: Code, times: int) -> None:
    async def run() -> None:
        other = Other(code)
        other.let.set()
        resolver = CachingResolver(other.fetch, RecordCache())
        for _ in range(2):
            with pytest.raises(IdentifierError) as refused:
                await resolver.resolve("88.1/a")
            assert refused.value.code == code
        assert len(other.asked) == times

    asyncio.run(run())


def test_others_are_asked_for_so_many_handles_at_once_and_no_more() -> None:
    async def run() -> None:
        other = Other()
        resolver = CachingResolver(other.fetch, RecordCache(), most_asked=2)
        tasks = [asyncio.create_task(resolver.resolve(f"88.{number}/a")) for number in range(3)]
        await asyncio.sleep(0)
        other.let.set()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(answers[2], IdentifierError)
        assert answers[2].code == Code.SERVER_BUSY
        assert await resolver.resolve("88.2/a") == record("88.2/a", 60)

    asyncio.run(run())


def test_one_prefix_takes_no_more_than_its_share() -> None:
    async def run() -> None:
        other = Other()
        resolver = CachingResolver(other.fetch, RecordCache(), most_asked=16)
        tasks = [asyncio.create_task(resolver.resolve(f"88.1/{number}")) for number in range(16)]
        tasks.append(asyncio.create_task(resolver.resolve("88.2/a")))
        for _ in range(3):
            await asyncio.sleep(0)
        assert len(other.asked) == 5
        other.let.set()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert [isinstance(answer, Record) for answer in answers] == [True] * 4 + [False] * 12 + [True]
        assert await resolver.resolve("88.1/15") == record("88.1/15", 60)

    asyncio.run(run())


def test_nodes_that_are_silent_are_given_up() -> None:
    async def run() -> None:
        other = Other()
        resolver = CachingResolver(other.fetch, RecordCache(), most_asked=4, deadline_s=0.05)
        for _ in range(3):
            with pytest.raises(IdentifierError, match="not answered") as refused:
                await resolver.resolve("88.1/a")
            assert refused.value.code == Code.SERVER_BUSY
        other.let.set()
        assert await resolver.resolve("88.1/a") == record("88.1/a", 60)

    asyncio.run(run())


def test_few_of_many_sites_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    async def silent(address: Address, _: object) -> None:
        asked.append(address.port)
        raise refuse(Code.ERROR, str(address), "no answer", "no")

    monkeypatch.setattr("xinji.use.identity.client.ask", silent)
    sites = tuple(
        Site((Server(1, "192.0.2.9", interfaces=(Interface(SERVICE_BOTH, TCP, port),)),)) for port in range(1, 100)
    )
    with pytest.raises(IdentifierError, match="no answer"):
        asyncio.run(Resolver(sites).resolve("0.NA/88.1"))
    assert len(asked) == 4
