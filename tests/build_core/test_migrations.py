"""Ledgers of an older version are brought up to date, those of a newer one refused; on both databases."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from support.ledger_stores import Places
from support.small_ledger import DAY, built, new_ledger, registered
from xinji.build import event_drafts as drafts
from xinji.build import store as stores
from xinji.build.chain import Head
from xinji.build.ledger import Ledger
from xinji.build.store import VERSION
from xinji.build.store_migrations import FOLDER, migrate
from xinji.core.facilities import BUILT
from xinji.errors import InputError

SITE = (
    '{"area":"north","baseline":"first","kind":"macro","length_m":null,"planned_capex":25000000,'
    '"planned_opex":1200000,"planned_x_m":500000.25,"planned_y_m":3400000.5,"planned_year":2027,"state":"planned",'
    '"technology":"radio"}'
)
VERSION_1 = (
    (1, "region_opened", "", '{"crs":"EPSG:32650","currency":"CNY","region":"tiny","years":[2026,2027]}'),
    (2, "facility_registered", "a", SITE),
    (3, "state_advanced", "a", '{"reason":"","state":"approved"}'),
)
HASHES = (
    "4333532256edcb1338cdb2151d828006807757c0d5ec2258048441337f7b80b8",
    "105a656f7f4b5fdb98957f260a31bf3e9b3d64b8fdb49b75cb74779cc5b3e65c",
    "9216494a232699504c55bfce75399451674d087d0fe8e05eeac7913594012f8d",
)
"""Three events as version 1 recorded them, with the hashes that they had: no later version may read them otherwise."""


def make_version_1(place: str) -> None:
    """Make a database as version 1 made it, with three events in it."""
    url = stores._url(place)
    engine = stores._engine(url, create=True)
    insert = sa.text(
        "INSERT INTO event (number, kind, day, recorded, who, facility, project, payload, key, hash, signature)"
        " VALUES (:number, :kind, '2026-01-01', '2026-01-01T08:00:00.000000Z', 'li', :facility, '', :payload, '',"
        " :hash, '')"
    )
    with stores._begun(engine, write=True) as connection:
        migrate(connection, version="0001")
        for (number, kind, facility, payload), digest in zip(VERSION_1, HASHES, strict=True):
            row = {"number": number, "kind": kind, "facility": facility, "payload": payload, "hash": digest}
            connection.execute(insert, row)
    engine.dispose()


def set_version(place: str, version: str) -> None:
    engine = stores._engine(stores._url(place), create=False)
    with stores._begun(engine, write=True) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :version"), {"version": version})
    engine.dispose()


def test_version_1_is_brought_up_to_date_as_it_was(ledger_place: Places) -> None:
    place = ledger_place()
    make_version_1(place)
    with Ledger.open(place, who="li") as ledger:
        assert ledger.head() == Head(3, HASHES[-1])
        assert ledger.verify(head=Head(3, HASHES[-1])).sound
        assert {index["name"] for index in sa.inspect(ledger.store.engine).get_indexes("event")} == {
            "event_facility",
            "event_kind",
            "event_project",
        }
        ledger.append([*registered("b"), *built("b"), drafts.advanced("a", "cancelled", day=DAY, reason="x")])
        assert ledger.facilities().state[1] == BUILT
        assert ledger.verify(head=Head(3, HASHES[-1])).sound
    with Ledger.open(place) as again:
        assert again.verify().sound


@pytest.mark.parametrize("version", ["0004", "9999", "abcdef"])
def test_a_newer_version_is_refused_in_words(ledger_place: Places, version: str) -> None:
    place = ledger_place()
    new_ledger(place).close()
    set_version(place, version)
    with pytest.raises(InputError, match=f"has version {version}, and this Xinji knows versions up to {VERSION}"):
        Ledger.open(place)


def test_the_newest_migration_is_the_version() -> None:
    files = sorted(path.stem for path in (FOLDER / "versions").glob("v[0-9]*.py"))
    assert files[-1].startswith(f"v{VERSION}_")
    assert [file[1:5] for file in files] == [f"{number:04d}" for number in range(1, len(files) + 1)]
