"""`xinji id register --ledger`: every facility of a ledger gets a name."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import Future
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from support.small_ledger import asset, registered
from xinji.build import event_drafts as drafts
from xinji.build.event_drafts import PlannedAsset
from xinji.build.ledger import Filter, Ledger
from xinji.build.signature import make_key
from xinji.cli import main
from xinji.use.identity import value_data as hs
from xinji.use.identity.changes import Change
from xinji.use.identity.record import Record, Value
from xinji.use.identity.store import Store, open_store

PREFIX = "88.123.10"

Name = Callable[..., tuple[int, str, str]]


@pytest.fixture
def name(node: Path, ledger: str, capsys: pytest.CaptureFixture[str]) -> Name:
    def call(*more: str, prefix: str = PREFIX) -> tuple[int, str, str]:
        capsys.readouterr()
        own = ("--prefix", prefix, "--who", "li", "--endpoint", "https://assets.example/facility/")
        status = main(["id", "register", str(node), "--ledger", ledger, *own, *more, "--json"])
        out, err = capsys.readouterr()
        return status, out, err

    return call


def counts(answer: tuple[int, str, str]) -> tuple[int, int, int, int]:
    status, out, err = answer
    assert status == 0, err
    found: dict[str, Any] = json.loads(out)
    return found["new"], found["changed"], found["same"], found["identified"]


def texts(node: Path, handle: str, *, private: bool = False) -> dict[str, str]:
    with open_store(node, read_only=True) as store:
        record = store.record(handle, private=private)
    assert isinstance(record, Record)
    return {value.type: value.text for value in record.values if not value.type.startswith("HS_")}


def held(node: Path) -> list[Record]:
    with open_store(node, read_only=True) as store:
        return list(store.records(private=True))


def data(node: Path) -> bytes:
    return (node / "data.mdb").read_bytes()


def test_facilities_say_what_they_are_and_keep_their_money_to_themselves(name: Name, node: Path, ledger: str) -> None:
    assert counts(name()) == (2, 0, 0, 2)
    public = texts(node, f"{PREFIX}/R-1")
    place = public.pop("PLACE")
    assert public == {
        "URL": "https://assets.example/facility/R-1",
        "NAME": "R-1",
        "TECHNOLOGY": "radio",
        "KIND": "macro",
        "AREA": "north",
        "STATE": "built",
        "STATE_SINCE": "2026-06-01",
        "PLANNED_YEAR": "2027",
        "PLACE_SOURCE": "as built",
    }
    # Zone 50's central meridian runs at easting 500 km; 3400 km from the equator is some 30.7 degrees.
    latitude, longitude = map(float, place.removeprefix("geo:").split(","))
    assert abs(longitude - 117.0) < 1e-4
    assert abs(latitude - 30.73) < 0.01
    private = texts(node, f"{PREFIX}/R-1", private=True)
    money = {"PLANNED_CAPEX": "250000.00", "PLANNED_OPEX": "12000.00", "CONTRACT_CAPEX": "260000.00"}
    assert {key: private[key] for key in private if key not in public and key != "PLACE"} == money | {
        "PAID": "130000.00",
        "CURRENCY": "CNY",
    }
    assert texts(node, f"{PREFIX}/R-2")["PLACE_SOURCE"] == "planned"
    with Ledger.open(ledger) as opened:
        assert opened.facilities().identifier.tolist() == [f"{PREFIX}/R-1", f"{PREFIX}/R-2"]
        events = opened.events(Filter(kinds=("identifier_assigned",)))
        assert [event.who for event in events] == ["li", "li"]
        assert opened.verify().sound


def test_a_second_run_writes_nothing(name: Name, node: Path, ledger: str) -> None:
    assert counts(name()) == (2, 0, 0, 2)
    before = data(node)
    with Ledger.open(ledger) as opened:
        head = opened.head()
    assert counts(name()) == (0, 0, 2, 0)
    assert data(node) == before
    with Ledger.open(ledger) as opened:
        assert opened.head() == head


def test_a_changed_state_changes_one_record_and_leaves_others_values(name: Name, node: Path, ledger: str) -> None:
    assert counts(name()) == (2, 0, 0, 2)
    theirs = Value(index=500, type="PHOTO", data=b"of the site")
    with open_store(node) as store:
        store.apply(Change("add", f"{PREFIX}/R-2", (theirs,)))
        untouched = store.record(f"{PREFIX}/R-1", private=True)
    assert counts(name()) == (0, 0, 2, 0)
    with Ledger.open(ledger, who="li") as opened:
        day = opened.facilities().at
        opened.append([drafts.advanced("R-2", "approved", day=day), *registered("R-3")])
    assert counts(name()) == (1, 1, 1, 1)
    found = texts(node, f"{PREFIX}/R-2")
    assert (found["STATE"], found["PHOTO"]) == ("approved", "of the site")
    with open_store(node, read_only=True) as store:
        assert store.record(f"{PREFIX}/R-1", private=True) == untouched


def test_what_is_registered_for_a_later_day_is_named_too(name: Name, ledger: str) -> None:
    later = PlannedAsset("R-9", "radio", "macro", "north", 2999, 1.0, 2.0, float("nan"), 1, 1)
    with Ledger.open(ledger, who="li") as opened:
        opened.append([drafts.registered(later, day="2999-01-01", baseline="first")])
    assert counts(name()) == (3, 0, 0, 3)
    assert counts(name()) == (0, 0, 3, 0)


def test_names_that_cannot_be_are_all_told_and_nothing_is_written(name: Name, node: Path, ledger: str) -> None:
    with Ledger.open(ledger, who="li") as opened:
        opened.append([drafts.registered(asset(bad), day="2026-01-01", baseline="first") for bad in ("r-1", "admin")])
        head = opened.head()
    before = data(node)
    status, out, err = name()
    assert (status, out) == (2, "")
    assert "r-1 would have the name of R-1" in err
    assert "admin would have the name of the administrator" in err
    status, _, err = name(prefix="88.5")
    assert status == 2
    assert "does not hold the prefix 88.5" in err
    assert data(node) == before
    with Ledger.open(ledger) as opened:
        assert opened.head() == head


def test_a_name_is_for_good(name: Name, node: Path) -> None:
    assert counts(name()) == (2, 0, 0, 2)
    with open_store(node) as store:
        store.apply(Change("create", "0.NA/88.5", ()))
    status, _, err = name(prefix="88.5")
    assert status == 2
    assert err.count("is named") == 2


def test_an_endpoint_is_an_address(node: Path, ledger: str, capsys: pytest.CaptureFixture[str]) -> None:
    bad = ("--prefix", PREFIX, "--who", "li", "--endpoint", "javascript:alert(1)")
    assert main(["id", "register", str(node), "--ledger", ledger, *bad]) == 2
    assert "javascript" in capsys.readouterr().err
    assert main(["id", "register", str(node), "--ledger", f"{ledger}.none", "--prefix", PREFIX, "--who", "li"]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_names_are_signed_where_there_is_a_key(name: Name, node: Path, ledger: str, tmp_path: Path) -> None:
    key, before = make_key(tmp_path / "li.pem"), held(node)
    status, _, err = name("--sign", str(tmp_path / "li.pem"))
    assert status == 2
    assert "not trusted" in err
    assert held(node) == before
    with Ledger.open(ledger, who="li", key=key) as opened:
        opened.append([drafts.key_trusted("li", key.public, day="2026-01-01")])
    assert counts(name("--sign", str(tmp_path / "li.pem"))) == (2, 0, 0, 2)
    with Ledger.open(ledger) as opened:
        events = opened.events(Filter(kinds=("identifier_assigned",)))
        assert all(event.signature for event in events)
        assert opened.verify().sound


def _admin(handle: str, index: int) -> Value:
    return Value(index=index, type=hs.ADMIN, data=hs.encode_admin(hs.Admin(handle, 300)))


@pytest.mark.parametrize(
    "values",
    [
        (_admin(f"{PREFIX}/APP", 150),),
        (_admin(f"{PREFIX}/ADMIN", 100), _admin(f"{PREFIX}/APP", 150)),
        (Value(index=1, type="URL", data=b"https://elsewhere.example"),),
        (_admin(f"{PREFIX}/ADMIN", 100), Value(index=7, type="HS_ALIAS", data=b"88.1/x")),
    ],
    ids=["own rights", "rights beside the owner's", "no rights", "an alias"],
)
def test_a_name_that_somebody_took_is_not_filled(
    name: Name, node: Path, ledger: str, values: tuple[Value, ...]
) -> None:
    taken = f"{PREFIX}/R-2"
    with open_store(node) as store:
        store.apply(Change("create", taken, values))
        before = store.record(taken, private=True)
    status, _, err = name()
    assert status == 2
    assert f"{taken} is registered, but not by this ledger" in err
    with open_store(node, read_only=True) as store:
        assert store.record(taken, private=True) == before
        assert store.record(f"{PREFIX}/R-1") is None
    with Ledger.open(ledger) as opened:
        assert not opened.events(Filter(kinds=("identifier_assigned",)))


def test_records_that_the_ledger_could_not_note_are_found_again(
    name: Name, ledger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "append", killed)
        assert name()[0] != 0
    assert counts(name()) == (0, 0, 2, 2)
    with Ledger.open(ledger) as opened:
        assert opened.verify().sound


def test_what_a_node_writes_meanwhile_stays(
    name: Name, node: Path, ledger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert counts(name()) == (2, 0, 0, 2)
    with Ledger.open(ledger, who="li") as opened:
        opened.append([drafts.advanced("R-2", "approved", day=opened.facilities().at)])
    submit = Store.submit
    written: list[Record | None] = []

    def meanwhile(store: Store, change: Change) -> Future[Record | None]:
        if len(written) < 3:
            value = Value(index=500 + len(written), type="PHOTO", data=b"acknowledged")
            written.append(submit(store, Change("add", change.handle, (value,))).result())
        return submit(store, change)

    monkeypatch.setattr(Store, "submit", meanwhile)
    assert counts(name()) == (0, 1, 1, 0)
    with open_store(node, read_only=True) as store:
        found = store.record(f"{PREFIX}/R-2")
    assert found is not None
    assert len(found.of_type("PHOTO")) == 3
    assert found.of_type("STATE")[0].text == "approved"


def test_a_record_that_never_rests_is_left(name: Name, ledger: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert counts(name()) == (2, 0, 0, 2)
    with Ledger.open(ledger, who="li") as opened:
        opened.append([drafts.advanced("R-2", "approved", day=opened.facilities().at)])
    submit, indexes = Store.submit, count(500)

    def always(store: Store, change: Change) -> Future[Record | None]:
        value = Value(index=next(indexes), type="PHOTO", data=b"acknowledged")
        submit(store, Change("add", change.handle, (value,))).result()
        return submit(store, change)

    monkeypatch.setattr(Store, "submit", always)
    status, _, err = name()
    assert status == 2
    assert "change it all the time" in err
