"""The file of a ledger: other programs' files stay as they are, its own is its owner's, and no half is left."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from support.ledger_stores import Places
from support.small_ledger import DAY, new_ledger, registered
from xinji.build import event_drafts as drafts
from xinji.build.ledger import Ledger
from xinji.build.store import open_store, shown_place
from xinji.build.store_files import APPLICATION
from xinji.errors import InputError

GEOPACKAGE = 0x47504B47


@pytest.fixture(autouse=True)
def everyone_may_read() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def geopackage(path: Path, *, wal: bool = False) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA application_id = {GEOPACKAGE}")
        if wal:
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE gpkg_contents (table_name TEXT)")
        connection.commit()


def unmarked(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE event (what TEXT)")
        connection.commit()


def in_wal(path: Path) -> None:
    geopackage(path, wal=True)


def seen(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


@pytest.mark.parametrize("make", [geopackage, in_wal, unmarked])
def test_files_of_other_programs_stay_as_they_are(tmp_path: Path, make: Callable[[Path], None]) -> None:
    place = tmp_path / "plan.gpkg"
    make(place)
    before = seen(tmp_path)
    with pytest.raises(InputError, match="holds no ledger, but other data"):
        Ledger.open(place)
    with pytest.raises(InputError, match="holds no ledger, but other data"):
        new_ledger(str(place))
    assert seen(tmp_path) == before


def test_a_geopackage_that_is_being_written_stays_as_it_is(tmp_path: Path) -> None:
    place = tmp_path / "plan.gpkg"
    in_wal(place)
    with closing(sqlite3.connect(place)) as other:
        other.execute("INSERT INTO gpkg_contents VALUES ('sites')")
        other.commit()
        with pytest.raises(InputError, match="holds no ledger, but other data"):
            Ledger.open(place)
        assert other.execute("SELECT COUNT(*) FROM gpkg_contents").fetchone() == (1,)


def test_an_empty_file_becomes_a_ledger_and_holds_none_before(tmp_path: Path) -> None:
    place = tmp_path / "a.ledger"
    place.touch()
    with pytest.raises(InputError, match="holds no ledger"):
        Ledger.open(place)
    assert place.stat().st_size == 0
    new_ledger(str(place)).close()
    with closing(sqlite3.connect(place)) as connection:
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION,)


def test_a_ledger_is_read_while_others_have_it_open(tmp_path: Path) -> None:
    place = str(tmp_path / "a.ledger")
    with new_ledger(place) as one, Ledger.open(place, who="wang") as other:
        one.append(registered("a"))
        with closing(sqlite3.connect(place)):
            other.append(registered("b"))
            with Ledger.open(place) as third:
                assert third.head().number == 3


def test_a_new_file_is_its_owners_alone_with_all_that_lies_beside_it(tmp_path: Path) -> None:
    place = tmp_path / "a.ledger"
    with new_ledger(str(place)), closing(sqlite3.connect(place)) as connection:
        connection.execute("SELECT COUNT(*) FROM event").fetchone()
        assert len(list(tmp_path.iterdir())) == 3
        assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    place.chmod(0o640)
    with Ledger.open(place, who="li") as ledger:
        ledger.append(registered("a"))
        ledger.copy_to(tmp_path / "copy.ledger")
    # Whom else the owner lets in is the owner's to say.
    assert stat.S_IMODE(place.stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "copy.ledger").stat().st_mode) == 0o600


def test_a_ledger_that_cannot_begin_leaves_nothing(ledger_place: Places, tmp_path: Path) -> None:
    opened = drafts.region_opened("tiny", day=DAY, crs="EPSG:32650", currency="CNY", years=(2026,))
    wrong = [opened, *registered("a"), drafts.advanced("a", "built", day=DAY)]
    for place in (ledger_place(), str(tmp_path / "a.ledger")):
        with pytest.raises(InputError, match="cannot become built"):
            Ledger.begin(place, wrong, who="li")
        with pytest.raises(InputError, match=r"holds no ledger|there is no file"):
            Ledger.open(place)
        Ledger.begin(place, wrong[:2], who="li").close()
        with pytest.raises(InputError, match="holds a ledger already"):
            Ledger.begin(place, wrong, who="li")
        with Ledger.open(place) as ledger:
            assert ledger.head().number == 2
    assert [path.name for path in tmp_path.iterdir()] == ["a.ledger"]


def test_what_was_recorded_meanwhile_is_not_taken_away(tmp_path: Path) -> None:
    place = str(tmp_path / "a.ledger")
    slow = open_store(place, create=True)
    new_ledger(place).close()
    slow.discard()
    with Ledger.open(place) as ledger:
        assert ledger.head().number == 1


@pytest.mark.parametrize("name", ["password", "sslpassword", "passfile", "oauth_client_secret"])
def test_a_password_among_a_urls_settings_is_never_shown(name: str) -> None:
    url = f"postgresql://li@127.0.0.1:1/x?connect_timeout=2&{name}=hunter2"
    assert shown_place(url) == "postgresql://li@127.0.0.1:1/x?connect_timeout=2"
    url = "postgresql://li@127.0.0.1:1/x?connect_timeout=2&password=hunter2"
    with pytest.raises(InputError, match="cannot be opened") as caught:
        Ledger.open(url)
    assert "hunter2" not in str(caught.value)


def test_a_url_that_is_none_shows_nothing() -> None:
    with pytest.raises(InputError, match="no URL that is known") as caught:
        shown_place("mysql://li:hunter2@h/x")
    assert "hunter2" not in str(caught.value)
    assert shown_place("sqlite:///a/b.ledger?password=hunter2") == "a/b.ledger"
