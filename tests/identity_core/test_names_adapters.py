"""Object identifiers, Ecodes and GS1 keys on the same handles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinji.use.identity import ecode, names, oid
from xinji.use.identity.errors import Code, IdentifierError

ARCS = st.tuples(st.sampled_from(["0", "1", "2"]), st.integers(0, 39), st.lists(st.integers(0, 2**70), max_size=6)).map(
    lambda arcs: ".".join(map(str, (arcs[0], arcs[1], *arcs[2])))
)


@given(ARCS)
def test_object_identifiers_come_back(name: str) -> None:
    handle = oid.handle_of_oid(name)
    assert oid.oid_of_handle(handle) == name
    assert names.handle_of(oid.urn_of_oid(name)) == handle
    assert oid.decode_oid(oid.encode_oid(name)) == name


@pytest.mark.parametrize(
    ("name", "octets"),
    [("1.2.840.113549", "2a864886f70d"), ("2.100.3", "813403"), ("1.2.156.10197", "2a811ccf55"), ("2.5.4.3", "550403")],
)
def test_object_identifiers_are_encoded_as_published(name: str, octets: str) -> None:
    """X.690 section 8.19.5 (2.100.3) and well-known ones."""
    assert oid.encode_oid(name).hex() == octets
    assert oid.decode_oid(bytes.fromhex(octets)) == name


@pytest.mark.parametrize("name", ["", "3.1", "1.40", "1", "1..2", "1.02", "1.2.", "1.²", f"2.25.{10**40}"])
def test_what_is_no_object_identifier_is_refused(name: str) -> None:
    with pytest.raises(IdentifierError) as caught:
        oid.handle_of_oid(name)
    assert caught.value.code == Code.INVALID_HANDLE


@pytest.mark.parametrize(
    ("key", "digit"), [("629104150021", "3"), ("0950600013435", "2"), ("03600029145", "2"), ("10614141000415", "?")]
)
def test_check_digits_are_those_published(key: str, digit: str) -> None:
    """GS1's worked example 6291041500213, its example GTIN 09506000134352 and UPC 036000291452."""
    if digit == "?":
        with pytest.raises(IdentifierError):
            names.handle_of_gs1("01", key[:-1] + "0")
    else:
        assert names.gs1_check_digit(key) == digit


@given(st.text("0123456789", min_size=13, max_size=13))
def test_gtins_come_back_and_one_wrong_digit_is_seen(body: str) -> None:
    key = body + names.gs1_check_digit(body)
    assert names.gs1_of_handle(names.handle_of_gs1("01", key)) == ("01", key)
    for place in range(14):
        wrong = key[:place] + str((int(key[place]) + 1) % 10) + key[place + 1 :]
        with pytest.raises(IdentifierError):
            names.handle_of_gs1("01", wrong)


def test_other_gs1_keys() -> None:
    assert names.handle_of("urn:gs1:01:9506000134352") == "GS1/01/09506000134352"
    assert names.handle_of_gs1("8003", "09506000134352ABC") == "GS1/8003/09506000134352ABC"
    assert names.handle_of_gs1("8004", "9506000ASSET") == "GS1/8004/9506000ASSET"
    for identifier, key in (("02", "1"), ("00", "12"), ("8004", "é" * 5)):
        with pytest.raises(IdentifierError):
            names.handle_of_gs1(identifier, key)


@given(
    st.sampled_from([("1", 4, "0123456789", 20), ("2", 4, "0123456789", 28), ("3", 5, "0123456789ABCxyz", 39)]),
    st.data(),
)
def test_ecodes_come_back(form: tuple[str, int, str, int], data: st.DataObject) -> None:
    version, length, letters, most = form
    system = data.draw(st.text("0123456789", min_size=length, max_size=length))
    code = data.draw(st.text(letters, min_size=1, max_size=most))
    handle = names.handle_of(f"ecode:{version}{system}{code}")
    assert ecode.ecode_of_handle(handle) == (version, system, code)


@pytest.mark.parametrize(
    "text", ["", "5000012", "1000", "1000A1", "10000" + "1" * 21, "300000-", "0ZZ1", "4" + "00000", "40000012é\n"]
)
def test_what_is_no_ecode_is_refused(text: str) -> None:
    with pytest.raises(IdentifierError):
        ecode.handle_of_ecode(text)


@pytest.mark.parametrize(
    ("name", "handle"),
    [
        ("88.1/a", "88.1/a"),
        ("hdl:88.1/a%20b", "88.1/a b"),
        ("https://hdl.handle.net/88.1/a", "88.1/a"),
        ("urn:oid:1.2.156", "OID/1.2.156"),
    ],
)
def test_names_stand_for_handles(name: str, handle: str) -> None:
    assert names.handle_of(name) == handle


@pytest.mark.parametrize(
    "handle", ["", "a", "/a", "a/", "a..b/c", ".a/b", "a b/c", "a/\0", "a/" + "b" * 254, "a/\ud800"]
)
def test_what_is_no_handle_is_refused(handle: str) -> None:
    with pytest.raises(IdentifierError) as caught:
        names.check_handle(handle)
    assert caught.value.code == Code.INVALID_HANDLE


def test_parts_of_handles() -> None:
    assert (names.prefix_of("88.1/a/b"), names.suffix_of("88.1/a/b")) == ("88.1", "a/b")
    assert names.ancestors("88.1.2") == ("88.1.2", "88.1", "88")
    assert names.described_prefix(names.prefix_handle("88.1")) == "88.1"
