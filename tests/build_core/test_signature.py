from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from support.ledger_stores import Places
from support.small_ledger import DAY, new_ledger, registered
from xinji.build import event_drafts as drafts
from xinji.build.chain import GENESIS, event_bytes, link
from xinji.build.event import Record
from xinji.build.ledger import Ledger
from xinji.build.signature import PREFIX, PrivateKey, is_public, make_key, read_key, read_trusted, verify
from xinji.build.store import Filter
from xinji.errors import InputError, OutputError

HASH = "ab" * 32


def test_a_key_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    key = make_key(tmp_path / "li.key")
    assert stat.S_IMODE((tmp_path / "li.key").stat().st_mode) == 0o600
    assert read_key(tmp_path / "li.key") == key
    assert is_public(key.public)
    assert "secret" not in repr(key)
    assert verify(key.public, HASH, key.sign(HASH))
    assert not verify(key.public, "cd" * 32, key.sign(HASH))
    with pytest.raises(InputError, match="exists already"):
        make_key(tmp_path / "li.key")
    with pytest.raises(OutputError, match="cannot be written"):
        make_key(tmp_path / "none" / "li.key")


def test_the_signature_is_ed25519_as_published() -> None:
    """RFC 8032 section 7.1, test 1: this secret has this public key."""
    secret = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    public = PREFIX + "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    key = PrivateKey(public, Ed25519PrivateKey.from_private_bytes(secret))
    assert verify(public, HASH, key.sign(HASH))


def test_keys_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_key(tmp_path / "none")
    for text in (b"", b"no key", rsa()):
        path = tmp_path / "bad.key"
        path.unlink(missing_ok=True)
        path.write_bytes(text)
        path.chmod(0o600)
        with pytest.raises(InputError, match="holds no Ed25519 key"):
            read_key(path)


def rsa() -> bytes:
    key = generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")
def test_a_key_that_others_may_open_is_refused(tmp_path: Path) -> None:
    make_key(tmp_path / "li.key")
    (tmp_path / "li.key").chmod(0o640)
    with pytest.raises(InputError, match="others may open"):
        read_key(tmp_path / "li.key")


@pytest.mark.parametrize("public", ["", "ed25519:", "ed25519:" + "0" * 63, "ed25519:" + "G" * 64, "0" * 64])
def test_what_is_no_key_or_signature_verifies_nothing(public: str) -> None:
    assert not is_public(public)
    assert not verify(public, HASH, "")
    assert not verify(PREFIX + "0" * 64, HASH, "not base64 at all")
    assert not verify(PREFIX + "0" * 64, "zz", "AAAA")


def test_trusted_keys_from_a_file(tmp_path: Path) -> None:
    one, two = make_key(tmp_path / "1").public, make_key(tmp_path / "2").public
    path = tmp_path / "trusted.txt"
    path.write_text(f"# the office\n{one} li ming\n\n{two}  li ming\n{two} wang\n", encoding="utf-8")
    assert read_trusted(path) == {"li ming": (one, two), "wang": (two,)}
    path.write_text(f"{one}\nwang {two}\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_trusted(path)
    assert [fault.row for fault in caught.value.faults] == [0, 1]
    with pytest.raises(InputError, match="cannot be read"):
        read_trusted(tmp_path / "none")


@pytest.fixture
def keys(tmp_path: Path) -> tuple[PrivateKey, PrivateKey]:
    return make_key(tmp_path / "li.key"), make_key(tmp_path / "wang.key")


def test_who_has_a_key_must_sign(ledger_place: Places, keys: tuple[PrivateKey, PrivateKey]) -> None:
    place = ledger_place()
    li_key, wang_key = keys
    with new_ledger(place, who="li", key=li_key) as li, Ledger.open(place, who="wang") as wang:
        li.append(registered("a"))
        wang.append(registered("b"))
        with Ledger.open(place, who="li") as plain, pytest.raises(InputError, match="li has a key but did not sign"):
            plain.append(registered("c"))
        with Ledger.open(place, who="li", key=wang_key) as other, pytest.raises(InputError, match="not trusted"):
            other.append(registered("c"))
        with Ledger.open(place, who="wang", key=li_key) as other, pytest.raises(InputError, match="not trusted"):
            other.append(registered("c"))
        with pytest.raises(InputError, match="changed without a signature"):
            wang.append([drafts.key_trusted("wang", wang_key.public, day=DAY)])
        li.append([drafts.key_trusted("wang", wang_key.public, day=DAY)])
        with pytest.raises(InputError, match="wang has a key but did not sign"):
            wang.append(registered("c"))
        with Ledger.open(place, who="wang", key=wang_key) as signing:
            signing.append([*registered("c"), drafts.key_withdrawn(li_key.public, day=DAY, reason="lost")])
        with pytest.raises(InputError, match="not trusted"):
            li.append(registered("d"))
        found = li.verify(trusted={"li": {li_key.public}, "wang": {wang_key.public}})
        assert [finding.number for finding in found.findings] == [4]
        assert li.verify().sound
        assert (li.verify().signed, li.verify().unsigned) == (6, 1)


def test_whoever_is_not_on_the_list_is_a_finding(tmp_path: Path, keys: tuple[PrivateKey, PrivateKey]) -> None:
    """Who can write the file can make it anew, unsigned and under another name: no name may pass beside the list."""
    trusted = {"li": (keys[0].public,)}
    with new_ledger(str(tmp_path / "anew.db"), who="l\u0456") as forged:
        forged.append(registered("a"))
        found = forged.verify(trusted=trusted).findings
        assert [finding.number for finding in found] == [1, 2]
        assert "recorded by l\u0456, for whom you trust no key" in found[0].message
        assert len(forged.verify(trusted={}).findings) == 2
        assert forged.verify().sound
    with new_ledger(str(tmp_path / "true.db"), who="li", key=keys[0]) as ledger:
        assert ledger.verify(trusted=trusted).sound
        with Ledger.open(tmp_path / "true.db", who="zhang") as other:
            (added,) = other.append(registered("a"))
        assert [finding.number for finding in ledger.verify(trusted=trusted).findings] == [added.number]


def forge(file: Path, number: int, **changes: str) -> None:
    """Change event ``number`` and make every hash fit again, as someone with the file but without the key can."""
    with Ledger.open(file) as ledger:
        rows, previous = ledger.store.records(Filter()), GENESIS
    for place, row in enumerate(rows):
        new = Record(**{**row._asdict(), **changes}) if row.number == number else row
        previous = link(previous, event_bytes(new))
        rows[place] = new._replace(hash=previous)
    with closing(sqlite3.connect(file)) as connection, connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("DELETE FROM event")
        connection.executemany("INSERT INTO event VALUES (?,?,?,?,?,?,?,?,?,?,?)", rows)
        for _, sql in triggers:
            connection.execute(sql)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"day": "2026-01-02"}, "the signature of li is forged or damaged"),
        ({"signature": ""}, "its signature is missing"),
        ({"key": "", "signature": ""}, "li has a key but did not sign"),
        ({"key": ""}, "it has a signature without a key"),
        ({"who": "zhang"}, "zhang signed with a key that is not trusted"),
    ],
)
def test_forged_and_missing_signatures_are_named(
    tmp_path: Path, keys: tuple[PrivateKey, PrivateKey], changes: dict[str, str], words: str
) -> None:
    with new_ledger(str(tmp_path / "ledger.db"), who="li", key=keys[0]) as ledger:
        ledger.append(registered("a", "b"))
    forge(tmp_path / "ledger.db", 3, **changes)
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        findings = ledger.verify().findings
    assert findings[0].number == 3
    assert words in " ".join(finding.message for finding in findings if finding.number == 3)


def test_a_key_slipped_in_shows_against_a_list_of_ones_own(tmp_path: Path, keys: tuple[PrivateKey, PrivateKey]) -> None:
    """Who has the file can forge a whole ledger; the keys that one knows oneself tell it from the true one."""
    true, false = keys
    with new_ledger(str(tmp_path / "forged.db"), who="li", key=false) as ledger:
        assert ledger.verify().sound
        assert {finding.number for finding in ledger.verify(trusted={"li": (true.public,)}).findings} == {1, 2}
