from __future__ import annotations

import base64
import hashlib
import json
from contextlib import suppress
from dataclasses import replace
from functools import cache

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinji.use.identity.certificates import (
    Claims,
    Report,
    Root,
    Tokens,
    certificate_value,
    digest_of,
    issue,
    read_claims,
    sign_values,
    verify_record,
)
from xinji.use.identity.errors import IdentifierError
from xinji.use.identity.keys import SigningKey, new_key
from xinji.use.identity.record import Record, Reference, Value
from xinji.use.identity.trust import Grant, Power, Requester, Standing

NOW = 1_700_000_000
ROOT, MIDDLE, USER = "301:88.111.1/0.0", "301:88.111.5/ca", "301:88.111.5.7/admin"


@cache
def key(name: str) -> SigningKey:
    assert name
    return new_key(2048)


def claims(issuer: str, subject: str, *grants: Grant, own: str = "") -> Claims:
    public = key(own or subject).public
    return Claims(
        issuer=issuer,
        subject=subject,
        not_before_s=NOW - 100,
        expires_s=NOW + 100,
        issued_s=NOW - 100,
        grants=grants,
        public_key=public,
        organisation="泰尔英福",
    )


ROOT_CLAIMS = claims(ROOT, ROOT, Grant(Power.EVERYTHING))
MIDDLE_CLAIMS = claims(ROOT, MIDDLE, Grant(Power.DERIVED_PREFIXES, "88.111"))
USER_CLAIMS = claims(MIDDLE, USER, Grant(Power.HANDLES_UNDER_THIS_PREFIX, "88.111.5.7"))
SIGNER = Claims(issuer=USER, subject="", not_before_s=NOW - 10, expires_s=NOW + 10, issued_s=NOW - 10)
THING = Record(
    "88.111.5.7/pump",
    (
        Value(index=1, type="URL", data=b"https://a.example/"),
        Value(index=2, type="NAME", data="水泵".encode(), references=(Reference("88.1/x", 3),)),
    ),
)


def house(
    root: Claims = ROOT_CLAIMS, middle: Claims = MIDDLE_CLAIMS, user: Claims = USER_CLAIMS, *, forger: str = MIDDLE
) -> dict[str, Record]:
    return {
        "88.111.1/0.0": Record("88.111.1/0.0", (certificate_value(root, key(ROOT)),)),
        "88.111.5/ca": Record("88.111.5/ca", (certificate_value(middle, key(ROOT)),)),
        "88.111.5.7/admin": Record("88.111.5.7/admin", (certificate_value(user, key(forger)),)),
    }


def check(record: Record, records: dict[str, Record], *, now_s: int = NOW, root: str = ROOT) -> Report:
    return verify_record(record, records.get, [Root(ROOT, key(root).public)], now_s=now_s)


def signed(record: Record = THING, signer: Claims = SIGNER, *, by: str = USER) -> Record:
    return Record(record.handle, (*record.values, sign_values(record, signer, key(by))))


def test_a_chain_up_to_a_known_root_is_trusted() -> None:
    report = check(signed(), house())
    assert report == Report((1, 2), (), (), (), ())


def test_the_digest_is_that_of_handle_net() -> None:
    # Written out: TTL type, TTL, permissions, type, data, count of references; neither index nor timestamp.
    octets = b"\0" + (86400).to_bytes(4, "big") + b"\x0e" + b"\0\0\0\3URL" + b"\0\0\0\x12https://a.example/" + bytes(4)
    value = THING.values[0]
    assert digest_of(value) == base64.b64encode(hashlib.sha256(octets).digest()).decode()
    assert digest_of(value) == digest_of(replace(value, index=9, timestamp_s=5))
    assert digest_of(value) != digest_of(replace(value, permissions=12))


def test_the_tokens_are_those_that_others_read() -> None:
    token = issue(USER_CLAIMS, key(MIDDLE))
    header, payload, _ = token.split(".")
    assert json.loads(base64.urlsafe_b64decode(header + "=="))["alg"] == "RS256"
    found = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert found["iss"] == MIDDLE
    assert found["perms"] == [{"perm": "handlesUnderThisPrefix", "handle": "88.111.5.7"}]
    assert set(found["publicKey"]) == {"kty", "n", "e"}
    public = key(MIDDLE).private.public_key()
    assert jwt.decode(token, public, algorithms=["RS256"], options={"verify_exp": False, "verify_nbf": False})  # type: ignore[arg-type]


def test_an_altered_value_is_named_and_the_rest_stays_trusted() -> None:
    whole = signed()
    altered = Record(whole.handle, (replace(whole.values[0], data=b"https://b.example/"), *whole.values[1:]))
    report = check(altered, house())
    assert (report.trusted, report.altered) == ((2,), (1,))
    assert "differs" in str(report.faults[0])


def test_values_that_may_not_be_seen_do_not_hinder_the_others() -> None:
    whole = signed()
    report = check(Record(whole.handle, whole.values[1:]), house())
    assert (report.trusted, report.missing) == ((2,), (1,))


def test_a_value_added_later_is_unsigned() -> None:
    whole = signed()
    report = check(Record(whole.handle, (*whole.values, Value(index=9, type="X", data=b""))), house())
    assert report.unsigned == (9,)


@pytest.mark.parametrize(
    ("record", "records", "words"),
    [
        (signed(by=MIDDLE), house(), "not signed by its issuer's key"),
        (signed(), house(forger=USER), "not signed by its issuer's key"),
        (signed(), house(root=claims(ROOT, ROOT, Grant(Power.EVERYTHING), own="forged")), "not signed"),
        (signed(), {}, "has no certificate"),
        (signed(Record("88.111.5.8/pump", THING.values)), house(), "does not cover 88.111.5.8/pump"),
        (signed(), house(middle=replace(MIDDLE_CLAIMS, issues=False)), "may not sign certificates"),
        (signed(), house(middle=replace(MIDDLE_CLAIMS, grants=())), "does not cover"),
        (
            signed(),
            house(user=replace(USER_CLAIMS, grants=(Grant(Power.EVERYTHING),))),
            "claims everything",
        ),
        (signed(), house(user=replace(USER_CLAIMS, expires_s=NOW - 1)), "its time is over"),
        (signed(), house(middle=replace(MIDDLE_CLAIMS, not_before_s=NOW + 1)), "its time has not begun"),
        (signed(signer=replace(SIGNER, expires_s=NOW - 1)), house(), "its time is over"),
        (signed(), house(middle=replace(MIDDLE_CLAIMS, issuer=MIDDLE), user=USER_CLAIMS), "not signed"),
    ],
)
def test_what_does_not_hold_is_refused_with_its_reason(record: Record, records: dict[str, Record], words: str) -> None:
    report = check(record, records)
    assert report.trusted == ()
    assert any(words in str(fault) for fault in report.faults), report.faults


def test_a_root_that_is_not_known_is_none() -> None:
    report = check(signed(), house(), root="another")
    assert "no root known here" in str(report.faults[0])


def test_a_signature_for_another_handle_is_refused() -> None:
    whole = signed()
    report = check(Record("88.111.5.7/valve", whole.values), house())
    assert report.trusted == ()
    assert "is for" in str(report.faults[0])


def test_a_circle_ends() -> None:
    first = claims("301:88.1/b", "301:88.1/a", Grant(Power.EVERYTHING), own="circle")
    second = claims("301:88.1/a", "301:88.1/b", Grant(Power.EVERYTHING), own="circle")
    records = {
        "88.1/a": Record("88.1/a", (certificate_value(first, key("circle")),)),
        "88.1/b": Record("88.1/b", (certificate_value(second, key("circle")),)),
    }
    record = signed(signer=replace(SIGNER, issuer="301:88.1/a"), by="circle")
    assert "no root within" in str(check(record, records).faults[0])


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_other_algorithms_are_refused(algorithm: str) -> None:
    whole = signed()
    payload = jwt.decode(whole.values[-1].data, options={"verify_signature": False})
    token = jwt.encode(payload, "" if algorithm == "none" else "k" * 32, algorithm=algorithm)
    forged = replace(whole.values[-1], data=token.encode())
    report = check(Record(whole.handle, (*whole.values[:-1], forged)), house())
    assert report.trusted == ()


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))))
def test_no_octets_are_more_than_a_refused_token(octets: bytes) -> None:
    with pytest.raises(IdentifierError):
        read_claims(octets, "token")


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(
                st.sampled_from(["alg", "digests", "index", "digest", "perm", "handle", "kty", "n"]), inner
            ),
        ),
        max_leaves=8,
    ),
    st.sampled_from(["exp", "iss", "sub", "digests", "perms", "publicKey", "chain", "nbf", "org"]),
)
def test_claims_of_any_form_are_read_or_refused(claim: object, name: str) -> None:
    payload = {"iss": "1:a/b", "sub": "a/b", "exp": 1, name: claim}
    parts = (base64.urlsafe_b64encode(json.dumps(item).encode()).rstrip(b"=") for item in ({"alg": "RS256"}, payload))
    with suppress(IdentifierError):
        assert isinstance(read_claims(b".".join((*parts, b"AA")), "token"), Claims)


def test_bearer_tokens_end_and_cannot_be_made_elsewhere() -> None:
    tokens, requester = Tokens(), Requester(Standing.AUTHENTICATED, "88.1/app", 300)
    token = tokens.make(requester, now_s=NOW)
    assert tokens.read(token, now_s=NOW + 86_400) == requester
    assert tokens.read(token, now_s=NOW + 86_401) is None
    assert Tokens().read(token, now_s=NOW) is None
    assert tokens.read("none", now_s=NOW) is None
    none = jwt.encode({"sub": "300:88.1/app", "exp": NOW + 9}, "", algorithm="none")
    assert tokens.read(none, now_s=NOW) is None
    assert "hidden" in repr(tokens)
