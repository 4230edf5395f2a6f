"""Records in bulk, all or none; backups."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from identity_core.identity_strategies import RECORDS
from xinji.errors import OutputError
from xinji.use.identity import bulk, bulk_runs
from xinji.use.identity.backup import back_up, check_backup, restore
from xinji.use.identity.bulk_form import line_of, record_from_line
from xinji.use.identity.changes import Change
from xinji.use.identity.errors import Code, IdentifierError
from xinji.use.identity.names import fold
from xinji.use.identity.record import Record, Value
from xinji.use.identity.store import Store, open_store

MANY = st.lists(RECORDS, max_size=6, unique_by=lambda record: fold(record.handle))


def pumps(number: int) -> list[Record]:
    return [
        Record(
            f"88.1/Pump-{n:04d}",
            (
                Value(index=1, type="URL", data=b"https://a/%d" % n, timestamp_s=77),
                Value(index=2, type="OWNER", data=b"office", timestamp_s=77),
                Value(index=3, type="COST", data=b"%d" % n, permissions=12, timestamp_s=77),
            ),
        )
        for n in range(number)
    ]


def everything(store: Store) -> list[Record]:
    return list(store.records(private=True))


@settings(max_examples=50, deadline=None)
@given(RECORDS)
def test_lines_come_back(record: Record) -> None:
    assert record_from_line(line_of(record), 0) == record
    assert "\n" not in line_of(record)


@settings(
    max_examples=6, deadline=None, phases=(Phase.explicit, Phase.generate), suppress_health_check=[HealthCheck.too_slow]
)
@given(MANY)
def test_what_is_exported_loads_the_same(records: list[Record]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with open_store(folder / "one", create=True) as store:
            assert bulk.load(store, records).records == len(records)
            bulk.export_jsonl(store, folder / "all.jsonl", private=True)
            bulk.export_csv(store, folder / "all.csv", private=True)
            held = everything(store)
        assert held == sorted(records, key=lambda record: fold(record.handle))
        with open_store(folder / "two", create=True) as store:
            bulk.load_jsonl(store, folder / "all.jsonl", processes=1)
            assert everything(store) == held
        with open_store(folder / "three", create=True) as store:
            bulk.load_csv(store, folder / "all.csv", processes=1)
            assert everything(store) == [record for record in held if record.values]


def test_two_processes_load_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "CHUNK", 400)
    path = tmp_path / "all.jsonl"
    path.write_text("".join(line_of(record) + "\n" for record in reversed(pumps(1_500))), encoding="utf-8")
    with open_store(tmp_path / "s", create=True) as store:
        assert bulk.load_jsonl(store, path, processes=2).records == 1_500
        assert everything(store) == pumps(1_500)
        assert store.statistics().bytes_each < 200
        assert store.prefixes() == {"88.1": 1_500}
        assert not list((tmp_path / "s").glob("load-*"))


def test_a_table_loads_a_record_a_row(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    rows = "".join(f'88.1/a{n},https://a/{n},"x,{n}",{n if n % 3 else ""},200:0.NA/88.1\n' for n in range(100))
    path.write_text(f"handle,1:URL,2001:NAME,2002:COST:1100,100:HS_ADMIN\n{rows}", encoding="utf-8")
    with open_store(tmp_path / "s", create=True) as store:
        assert bulk.load_csv(store, path, processes=1).records == 100
        found = store.record("88.1/A7", private=True)
        assert found is not None
        assert {value.index: value.data for value in found.values if value.index != 100} == {
            1: b"https://a/7",
            2_001: b"x,7",
            2_002: b"7",
        }
        assert store.record("88.1/a9", private=True).by_index(2_002) is None  # type: ignore[union-attr]
        assert store.record("88.1/a9").by_index(100).data.endswith(b"\xc8")  # type: ignore[union-attr]


def test_all_faults_are_told_with_their_rows_and_nothing_is_written(tmp_path: Path) -> None:
    lines = [line_of(record) for record in pumps(6)]
    lines[1], lines[4] = "{", '{"handle":"none","values":[]}'
    lines[5] = '{"handle":"88/a","values":[{"index":1,"type":"N","data":"","references":["1:88/\\ud800"]}]}'
    path = tmp_path / "bad.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    with open_store(tmp_path / "s", create=True) as store:
        with pytest.raises(IdentifierError) as caught:
            bulk.load_jsonl(store, path, processes=1)
        assert [fault.row for fault in caught.value.faults] == [1, 4, 5]
        with pytest.raises(IdentifierError) as caught:
            bulk.load(store, [*pumps(5), *pumps(3)])
        assert [fault.row for fault in caught.value.faults] == [5, 6, 7]
        assert store.statistics().records == 0
        store.apply(Change("create", "88.1/PUMP-0002"))
        with pytest.raises(IdentifierError) as caught:
            bulk.load(store, pumps(5))
        assert caught.value.code == Code.HANDLE_EXISTS
        assert [fault.row for fault in caught.value.faults] == [2]
        assert store.statistics().records == 1
        assert bulk.load(store, pumps(5), replace=True).records == 5
        assert everything(store) == pumps(5)
        assert store.prefixes() == {"88.1": 5}


def test_faults_are_bounded_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("handle,1:URL\n" + "bad,x\n" * 500, encoding="utf-8")
    with open_store(tmp_path / "s", create=True) as store, pytest.raises(IdentifierError) as caught:
        bulk.load_csv(store, path, processes=1)
    assert len(caught.value.faults) == bulk_runs.FAULTS_KEPT + 1
    assert "500 faults" in caught.value.faults[-1].message


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"handle,index\n",
        b"handle,index,type,data,colour\n",
        b"handle,1:URL,1:NAME\n",
        b"handle,x:URL\n",
        b"handle,1:URL:2\n",
        b"handle,1:URL\n88.1/a\n",
        b"handle,index,type,data\n88.1/a,1,URL\n",
        b"handle,index,type,data,format\n88.1/a,1,URL,zz,hex\n",
        b"handle,index,type,data,references\n88.1/a,1,URL,zz,x\n",
        b"handle,100:HS_ADMIN\n88.1/a,me\n",
        b"handle,1:URL\n88.1/\xff,x\n",
        b'handle,1:URL\n88.1/a,"' + b"x" * 200_000,
    ],
)
def test_bad_tables_are_refused_whole(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    with open_store(tmp_path / "s", create=True) as store:
        with pytest.raises(IdentifierError):
            bulk.load_csv(store, path, processes=1)
        assert store.statistics().records == 0


def test_exports_write_over_nothing_and_keep_secrets(tmp_path: Path) -> None:
    with open_store(tmp_path / "s", create=True) as store:
        bulk.load(store, pumps(3))
        assert bulk.export_jsonl(store, tmp_path / "out.jsonl", prefix="88.1/pump-0001") == 1
        assert "COST" not in (tmp_path / "out.jsonl").read_text()
        with pytest.raises(OutputError):
            bulk.export_jsonl(store, tmp_path / "out.jsonl")
        with pytest.raises(OutputError):
            bulk.export_csv(store, tmp_path / "none" / "out.csv")


def test_a_backup_is_one_moment_and_comes_back(tmp_path: Path) -> None:
    with open_store(tmp_path / "s", create=True) as store:
        bulk.load(store, pumps(200))
        futures = [store.submit(Change("create", f"88.2/{n}")) for n in range(200)]
        note = back_up(store, tmp_path / "backup")
        assert all(future.exception() is None for future in futures)
        assert 200 <= note.records <= 400
        assert check_backup(tmp_path / "backup") == note
        with pytest.raises(OutputError):
            back_up(store, tmp_path / "backup")
    assert restore(tmp_path / "backup", tmp_path / "again") == note
    with pytest.raises(OutputError):
        restore(tmp_path / "backup", tmp_path / "again")
    with open_store(tmp_path / "again") as store:
        assert list(store.records("88.1/", private=True)) == pumps(200)
        store.apply(Change("create", "88.3/a"))
    file = tmp_path / "backup" / "data.mdb"
    octets = bytearray(file.read_bytes())
    octets[len(octets) // 2] ^= 1
    file.write_bytes(octets)
    with pytest.raises(IdentifierError):
        restore(tmp_path / "backup", tmp_path / "third")
    with pytest.raises(IdentifierError):
        check_backup(tmp_path / "again")
    assert not (tmp_path / "third").exists()
    assert not list(tmp_path.glob(".*.part"))


def test_copies_are_their_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with open_store(tmp_path / "s", create=True) as store:
            bulk.load(store, pumps(3))
            back_up(store, tmp_path / "backup")
        restore(tmp_path / "backup", tmp_path / "again")
    finally:
        os.umask(before)
    modes = {
        f"{name}/{path.name}": stat.S_IMODE(path.stat().st_mode)
        for name in ("backup", "again")
        for path in (tmp_path / name).iterdir()
    }
    assert modes == {"backup/data.mdb": 0o600, "backup/backup.json": 0o600, "again/data.mdb": 0o600}


def test_cells_of_many_lines_are_cut_where_rows_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "SAMPLE", 2)
    monkeypatch.setattr(bulk, "CHUNK", 3)
    path = tmp_path / "lines.csv"
    rows = [f'88.1/a{n},"line {n}\nand ""{n}""\n\n, end"\n' for n in range(20)]
    path.write_text("handle,1:NAME\n" + "".join(rows), encoding="utf-8")
    with open_store(tmp_path / "s", create=True) as store:
        assert bulk.load_csv(store, path, processes=1).records == 20
        assert store.record("88.1/A13").values[0].text == 'line 13\nand "13"\n\n, end'  # type: ignore[union-attr]
    rows[7], rows[16] = "88.1/a7\n", "none,x\n"
    path.write_text("handle,1:NAME\n" + "".join(rows), encoding="utf-8")
    with open_store(tmp_path / "t", create=True) as store, pytest.raises(IdentifierError) as caught:
        bulk.load_csv(store, path, processes=1)
    assert [fault.row for fault in caught.value.faults] == [7, 16]
