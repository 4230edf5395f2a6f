"""The store against a dictionary, its forms on disk, and its readers."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from identity_core.identity_strategies import HANDLES, RECORDS, values
from xinji.errors import OutputError
from xinji.use.identity.changes import KINDS, Change, apply_change
from xinji.use.identity.entry import HEAD, Times, body_of, encode_entry, spelling_of, times_of
from xinji.use.identity.errors import Code, IdentifierError
from xinji.use.identity.names import fold
from xinji.use.identity.record import Record, Reference, Value, decode_values, encode_values
from xinji.use.identity.shape_table import RAW, ShapeTable
from xinji.use.identity.shapes import learn
from xinji.use.identity.store import Store, open_store
from xinji.use.identity.store_writer import LEARN_AFTER
from xinji.use.identity.wire import Cursor

FEW = st.sampled_from(["88.1/a", "88.1/A", "88.1/b", "88.2/c", "88.2/ü"])
CHANGES = st.builds(
    Change,
    st.sampled_from(KINDS),
    FEW,
    st.lists(values(st.integers(1, 4)), max_size=3).map(tuple),
    st.lists(st.integers(1, 4), max_size=2).map(tuple),
    keep_times=st.sampled_from([True]),
)


@settings(max_examples=50, deadline=None)
@given(RECORDS, st.integers(0, 2**32 - 1))
def test_entries_come_back_in_every_form(record: Record, moment: int) -> None:
    public = tuple(value for value in record.values if value.public)
    tables = [ShapeTable()]
    if public:
        tables += [ShapeTable([shape]) for shape in learn([public, public])]
    for table in tables:
        entry = encode_entry(record, Times(moment, 7), table)
        assert body_of(entry.public, table.expanders) == encode_values(public)
        assert spelling_of(entry.key, entry.public) == record.handle
        assert times_of(entry.public) == (moment, 7)
        hidden = decode_values(Cursor(entry.private)) if entry.private else ()
        assert set(hidden) | set(public) == set(record.values)
        assert not any(value.public for value in hidden)


def test_a_shape_leaves_only_what_differs() -> None:
    made = [
        (
            Value(index=1, type="URL", data=b"http://a/%d" % number, timestamp_s=5),
            Value(index=2, type="T", data=b"same", timestamp_s=5),
        )
        for number in range(9)
    ]
    table = ShapeTable(learn(made))
    entry = encode_entry(Record("88.1/X", made[3]), Times(5, 5), table)
    assert len(entry.public) == HEAD.size + 1 + 1 + len(b"http://a/3")
    other = (made[3][0], Value(index=2, type="T", data=b"other", timestamp_s=6))
    loose = encode_entry(Record("88.1/X", other), Times(5, 5), table)
    assert loose.public[:2] != RAW
    assert body_of(loose.public, table.expanders) == encode_values(other)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(CHANGES, st.booleans()), max_size=30))
def test_the_store_is_a_dictionary(changes: list[tuple[Change, bool]]) -> None:
    model: dict[bytes, Record] = {}
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "store", create=True) as store:
        reader = store.reader()
        futures = []
        for change, wait in changes:
            key = fold(change.handle)
            expected: Record | IdentifierError | None
            try:
                expected = apply_change(model.get(key), change, 0)
                model.pop(key, None)
                if expected is not None:
                    model[key] = expected
            except IdentifierError as error:
                expected = error
            futures.append((store.submit(change), expected))
            if wait:
                futures[-1][0].exception()
        for future, expected in futures:
            if isinstance(expected, IdentifierError):
                found = future.exception()
                assert isinstance(found, IdentifierError)
                assert (found.code, found.faults) == (expected.code, expected.faults)
            else:
                assert future.result() == expected
        reader.refresh()
        assert {key: reader.record(key, private=True) for key, _ in reader.pairs()} == model
        assert store.prefixes() == dict(Counter(key.partition(b"/")[0].decode() for key in model))
        for prefix in ("88.1/", "88.2"):
            expected_handles = [model[key].handle for key in sorted(model) if key.startswith(fold(prefix))]
            assert list(store.keys(prefix)) == expected_handles
        for key, record in model.items():
            public = [value for value in record.values if value.public]
            assert reader.body(key) == encode_values(public)
            assert reader.open_body(key) == (encode_values(public) if len(public) == len(record.values) else None)
        reader.rest()


def some(number: int) -> tuple[Value, ...]:
    return (Value(index=1, type="URL", data=b"http://a/%d" % number),)


def test_kinds_get_shapes_as_they_come(tmp_path: Path) -> None:
    with open_store(tmp_path / "s", create=True) as store:
        for number in range(LEARN_AFTER + 5):
            store.apply(Change("create", f"88.1/N{number}", some(number)))
        assert store.statistics().shapes > 0
        newest = store.reader().find(fold(f"88.1/N{LEARN_AFTER + 4}"))
        assert newest is not None
        assert newest.body == encode_values(Record("88.1/x", store.record("88.1/n68").values).values)  # type: ignore[union-attr]
    with open_store(tmp_path / "s", read_only=True) as again:
        assert [record.handle for record in again.records()] == sorted(f"88.1/N{n}" for n in range(LEARN_AFTER + 5))
        with pytest.raises(IdentifierError) as caught:
            again.submit(Change("delete", "88.1/N1"))
        assert caught.value.code == Code.READ_ONLY


def test_a_reader_sees_one_moment_until_it_refreshes(tmp_path: Path) -> None:
    with open_store(tmp_path / "s", create=True) as store:
        reader = store.reader()
        store.apply(Change("create", "88.1/a", some(1)))
        assert reader.body(b"88.1/A") is None
        reader.refresh()
        assert reader.body(b"88.1/A") is not None
        assert reader.body(b"") is None
        assert reader.body(b"x" * 4_000) is None
        assert reader.open_body(b"") is reader.open_body(b"none") is None
        found = reader.find(b"88.1/A")
        assert found is not None
        assert found.handle == "88.1/a"
        assert found.created_s == found.modified_s > 1_700_000_000
        reader.rest()


def test_a_failing_check_does_not_stop_the_others(tmp_path: Path) -> None:
    def no(_: Record | None) -> None:
        raise IdentifierError((), Code.INSUFFICIENT_PERMISSIONS)

    with open_store(tmp_path / "s", create=True) as store:
        futures = [store.submit(Change("create", f"88.1/{n}", some(n), check=no if n % 2 else None)) for n in range(10)]
        assert [future.exception() is None for future in futures] == [n % 2 == 0 for n in range(10)]
        assert store.statistics().records == 5


def test_private_values_lie_apart(tmp_path: Path) -> None:
    secret = Value(index=5, type="HS_SECKEY", data=b"very secret", permissions=15)
    with open_store(tmp_path / "s", create=True) as store:
        store.apply(Change("create", "88.1/a", (*some(1), secret)))
        reader = store.reader()
        assert b"very secret" not in (reader.body(b"88.1/A") or b"")
        assert all(b"very secret" not in entry for _, entry in reader.pairs())
        assert store.record("88.1/a", private=True).by_index(5).data == b"very secret"  # type: ignore[union-attr]
        reader.rest()
        store.apply(Change("remove", "88.1/a", indexes=(5,)))
        assert store.statistics().with_private == 0


def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IdentifierError):
        open_store(tmp_path)
    (tmp_path / "other.txt").write_text("mine")
    with pytest.raises(IdentifierError):
        open_store(tmp_path, create=True)
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "data.mdb").write_bytes(b"no store at all" * 1_000)
    with pytest.raises((IdentifierError, OutputError)):
        open_store(tmp_path / "bad")


def test_a_closed_store_takes_no_changes(tmp_path: Path) -> None:
    store: Store = open_store(tmp_path / "s", create=True)
    waiting = [store.submit(Change("create", f"88.1/{n}", some(n))) for n in range(50)]
    store.close()
    assert all(future.exception() is None for future in waiting)
    with pytest.raises(OutputError):
        store.submit(Change("create", "88.1/z", some(1)))


@given(HANDLES)
def test_every_handle_is_a_key(handle: str) -> None:
    assert 0 < len(fold(handle)) <= 255


CHILD = """
import sys
from pathlib import Path
from xinji.use.identity.names import fold
from xinji.use.identity.store import open_store
with open_store(Path(sys.argv[1]), read_only=True) as store:
    reader = store.reader()
    for line in sys.stdin:
        reader.refresh()
        print((reader.body(fold(line.strip())) or b"").hex(), flush=True)
"""


def test_other_processes_read_what_is_written_meanwhile(tmp_path: Path) -> None:
    """The reading process meets shapes that were made after it opened the store."""
    with open_store(tmp_path / "s", create=True) as store:
        command = [sys.executable, "-c", CHILD, str(tmp_path / "s")]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:  # noqa: S603
            assert child.stdin is not None
            assert child.stdout is not None
            for number in (0, LEARN_AFTER // 2, LEARN_AFTER + 3):
                made = [store.submit(Change("put" if n else "replace", f"88.1/n{number}", some(n))) for n in range(1)]
                made += [store.submit(Change("create", f"88.1/{number}-{n}", some(n))) for n in range(LEARN_AFTER // 2)]
                assert all(future.exception() is None for future in made)
                for handle in (f"88.1/n{number}", f"88.1/{number}-{LEARN_AFTER // 2 - 1}"):
                    child.stdin.write(handle + "\n")
                    child.stdin.flush()
                    held = store.record(handle)
                    assert held is not None
                    assert child.stdout.readline().strip() == encode_values(held.values).hex()
            assert store.statistics().shapes > 0
            child.stdin.close()


def test_records_that_cannot_be_kept_are_refused_and_the_writer_lives_on(tmp_path: Path) -> None:
    unwritable = Value(index=1, type="N", data=b"", references=(Reference("88.1/\ud800", 1),))
    large = tuple(Value(index=n, type="N", data=bytes(2**20)) for n in range(1, 18))
    with open_store(tmp_path / "s", create=True) as store:
        for refused in ((unwritable,), large):
            with pytest.raises(IdentifierError) as caught:
                store.apply(Change("create", "88.1/a", refused))
            assert caught.value.code == Code.INVALID_VALUE
        assert store.apply(Change("create", "88.1/a", some(1))) is not None
