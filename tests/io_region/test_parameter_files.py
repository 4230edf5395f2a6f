from __future__ import annotations

from pathlib import Path

import pytest

from xinji.errors import ParameterError
from xinji.io.parameters import COLUMNS, PROFILES, load, load_from

HEADER = ",".join(COLUMNS)
ROWS = (
    "a.any,any,1,m,2020,0,2,sourced,book,,",
    "a.both,any,1,m,2020,0,2,sourced,book,,",
    'a.both,cn,1.5,m,2021,1,2,derived,"a book, page 3",,"note, with comma"',
    "a.own,cn,7,currency,2021,7,7,assumption,us,,",
    "a.own,lmic,1,currency,2021,1,1,assumption,us,,",
)


def folder(tmp_path: Path, *rows: str, header: str = HEADER) -> Path:
    (tmp_path / "a.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return tmp_path


def test_a_profile_overlays_what_holds_for_any(tmp_path: Path) -> None:
    china = load_from(folder(tmp_path, *ROWS), "cn")
    assert (china.value("a.any", "m"), china.value("a.both", "m"), china.value("a.own", "currency")) == (1, 1.5, 7)
    assert china.entries["a.both"].note == "note, with comma"
    poor = load_from(tmp_path, "lmic")
    assert (poor.value("a.both", "m"), poor.value("a.own", "currency")) == (1, 1)


def test_every_bad_row_is_named_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("key;value\n", encoding="utf-8")
    (tmp_path / "c.csv").write_bytes(b"\xff")
    bad = (
        "a.any,any,1,m,2020,0,2,sourced,book,,",
        "x,de,1,m,2020,0,2,sourced,book,,",
        "x,any,one,m,2020,0,2,sourced,book,,",
        "x,any,nan,m,2020,0,2,sourced,book,,",
        "x,any,5,m,2020,0,2,sourced,book,,",
        "x,any,1,m,2020,0,2,guessed,book,,",
        "x,any,1,m,2020,0,2,sourced,,,",
        "x,any,1,,2020,0,2,sourced,book,,",
        "x,any,1,m,2020,0,2,sourced,a,b,c,d",
    )
    with pytest.raises(ParameterError) as refused:
        load_from(folder(tmp_path, ROWS[0], *bad), "cn")
    found = [(fault.layer, fault.row) for fault in refused.value.faults]
    assert found == [*(("a.csv", row) for row in range(2, 10)), ("b.csv", None), ("c.csv", None), ("a.csv", 1)]
    text = str(refused.value)
    for words in ("already in a.csv, row 0", "'de' is unknown", "'one', not a number", "not within 0 to 2"):
        assert words in text


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(ParameterError, match="Use one of cn, lmic"):
        load("de")


def test_the_shipped_registry_is_sound_and_the_same_for_every_profile() -> None:
    first, *others = (load(profile) for profile in PROFILES)
    for other in others:
        assert other.entries.keys() == first.entries.keys()
        assert all(other.entries[key].unit == entry.unit for key, entry in first.entries.items())
