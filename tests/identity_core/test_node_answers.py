"""What a node answers, to whom, and whom it lets change what."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_core.identity_strategies import values
from xinji.use.identity import trust
from xinji.use.identity.changes import Change
from xinji.use.identity.errors import Code, IdentifierError
from xinji.use.identity.names import prefix_handle
from xinji.use.identity.node import Node, NodeSettings, Role
from xinji.use.identity.permission import readable, standing_for
from xinji.use.identity.record import PRIVATE, PUBLIC, Reference, Value
from xinji.use.identity.store import Store, open_store
from xinji.use.identity.trust import ANONYMOUS_REQUESTER, Grant, Power, Requester, Standing
from xinji.use.identity.value_data import (
    ADD_HANDLE,
    ADD_VALUE,
    DELETE_HANDLE,
    EVERYTHING,
    LIST_HANDLES,
    MODIFY_VALUE,
    READ_VALUE,
    Admin,
    Server,
    Site,
    encode_admin,
    encode_site,
    encode_vlist,
)

BOSS = Requester(Standing.AUTHENTICATED, "0.NA/88.1", 300)
CLERK = Requester(Standing.AUTHENTICATED, "88.1/clerk", 300)
GUEST = Requester(Standing.AUTHENTICATED, "99/guest", 300)
ROOT = Requester(Standing.AUTHENTICATED, "0.NA/0.NA", 1)


def text(index: int, kind: str, data: str, permissions: int = PUBLIC) -> Value:
    return Value(index=index, type=kind, data=data.encode(), permissions=permissions)


def admin(index: int, handle: str, member: int, permissions: int = EVERYTHING) -> Value:
    return Value(index=index, type="HS_ADMIN", data=encode_admin(Admin(handle, member, permissions)))


SITE = Value(index=3, type="HS_SITE", data=encode_site(Site((Server(1, "192.0.2.9"),))))


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    records = {
        prefix_handle("88.1"): (admin(100, "0.NA/88.1", 300), admin(101, "88.1/group", 200, ADD_HANDLE | LIST_HANDLES)),
        prefix_handle("88.1.7"): (SITE,),
        prefix_handle("88.2"): (text(1, "HS_SERV", "0.SERV/two"),),
        "0.SERV/two": (SITE,),
        prefix_handle("88.3"): (text(1, "HS_SERV", "0.SERV/elsewhere"),),
        "88.1/group": (Value(index=200, type="HS_VLIST", data=encode_vlist((Reference("88.1/CLERK", 0),))),),
        "88.1/pump": (
            text(1, "URL", "https://a"),
            text(2, "COST", "17", PRIVATE),
            text(3, "SEALED", "x", 0),
            admin(100, "0.NA/88.1", 300),
            admin(101, "88.1/clerk", 300, READ_VALUE | ADD_VALUE),
        ),
        "88.1/old": (text(1, "HS_ALIAS", "88.1/older"),),
        "88.1/older": (text(1, "HS_ALIAS", "88.1/pump"),),
        "88.1/ring": (text(1, "HS_ALIAS", "88.1/RING"),),
        "88.1/empty": (),
    }
    with open_store(tmp_path / "store", create=True) as store:
        for handle, held in records.items():
            store.apply(Change("create", handle, held))
        yield Node(store, NodeSettings(Role.SECONDARY, ("88.1",), (Reference("0.NA/0.NA", 1),)))


def test_public_values_are_for_all(node: Node) -> None:
    answer = node.resolve("88.1/PUMP")
    assert (answer.code, answer.handle) == (Code.SUCCESS, "88.1/pump")
    assert [value.index for value in answer.values] == [1, 100, 101]
    assert [v.index for v in node.resolve("88.1/pump", types=["url"], indexes=[2]).values] == [1]
    assert node.resolve("88.1/empty").code == Code.SUCCESS


@pytest.mark.parametrize(
    ("question", "code"),
    [
        ({"types": ["EMAIL"]}, Code.VALUES_NOT_FOUND),
        ({"indexes": [2]}, Code.AUTHENTICATION_NEEDED),
        ({"indexes": [2], "requester": Requester(Standing.IDENTIFIED, "0.NA/88.1", 300)}, Code.AUTHENTICATION_NEEDED),
        ({"indexes": [2], "requester": GUEST}, Code.INSUFFICIENT_PERMISSIONS),
        ({"indexes": [2], "requester": Requester(Standing.AUTHORISED, "99/guest", 1)}, Code.INSUFFICIENT_PERMISSIONS),
        ({"indexes": [2], "requester": CLERK}, Code.SUCCESS),
        ({"indexes": [2], "requester": BOSS}, Code.SUCCESS),
        ({"indexes": [2], "requester": ROOT}, Code.SUCCESS),
        ({"indexes": [3], "requester": ROOT}, Code.INSUFFICIENT_PERMISSIONS),
    ],
)
def test_private_values_are_for_the_authorised(node: Node, question: dict[str, object], code: Code) -> None:
    answer = node.resolve("88.1/pump", **question)  # type: ignore[arg-type]
    assert answer.code == code
    assert bool(answer.values) == (code == Code.SUCCESS)


@pytest.mark.parametrize(
    ("handle", "code", "prefix", "service"),
    [
        ("88.1/none", Code.HANDLE_NOT_FOUND, "", ""),
        ("88.1.7/x", Code.PREFIX_REFERRAL, "88.1.7", ""),
        ("88.1.7.8/x", Code.PREFIX_REFERRAL, "88.1.7", ""),
        ("88.1.9/x", Code.HANDLE_NOT_FOUND, "", ""),
        ("88.2/x", Code.SERVICE_REFERRAL, "88.2", "0.SERV/two"),
        ("88.3/x", Code.SERVICE_REFERRAL, "88.3", "0.SERV/elsewhere"),
        ("99/x", Code.NOT_RESPONSIBLE, "", ""),
        ("0.NA/88.1.5", Code.HANDLE_NOT_FOUND, "", ""),
    ],
)
def test_the_longest_known_prefix_is_referred_to(
    node: Node, handle: str, code: Code, prefix: str, service: str
) -> None:
    answer = node.resolve(handle)
    assert answer.code == code
    if prefix:
        assert answer.referral is not None
        assert (answer.referral.prefix, answer.referral.service) == (prefix, service)
        assert answer.referral.values


def test_aliases_are_followed_if_asked(node: Node) -> None:
    assert node.resolve("88.1/old").values[0].type == "HS_ALIAS"
    answer = node.resolve("88.1/old", follow_aliases=True)
    assert (answer.code, answer.handle, answer.aliases) == (Code.SUCCESS, "88.1/pump", ("88.1/old", "88.1/older"))
    assert node.resolve("88.1/old", types=["URL"], follow_aliases=True).values[0].text == "https://a"
    assert node.resolve("88.1/old", types=["HS_ALIAS"], follow_aliases=True).values[0].text == "88.1/older"
    assert node.resolve("88.1/ring", follow_aliases=True).code == Code.RECURSION_LIMIT


def refused(node: Node, action: str, *arguments: object, requester: Requester, **more: object) -> Code:
    with pytest.raises(IdentifierError) as caught:
        getattr(node, action)(*arguments, requester, **more).result()
    return caught.value.code


NEW = (text(1, "URL", "https://b"),)


def test_who_may_register(node: Node) -> None:
    for requester in (ANONYMOUS_REQUESTER, Requester(Standing.IDENTIFIED, "0.NA/88.1", 300)):
        assert refused(node, "create", "88.1/new", NEW, requester=requester) == Code.AUTHENTICATION_NEEDED
    assert refused(node, "create", "88.1/new", NEW, requester=GUEST) == Code.INSUFFICIENT_PERMISSIONS
    assert refused(node, "create", "99/new", NEW, requester=ROOT) == Code.NOT_RESPONSIBLE
    assert node.create("88.1/new", NEW, CLERK).result().handle == "88.1/new"  # type: ignore[union-attr]
    assert refused(node, "create", "88.1/NEW", NEW, requester=CLERK) == Code.HANDLE_EXISTS
    assert refused(node, "create", "88.1/pump", NEW, requester=CLERK, overwrite=True) == Code.INSUFFICIENT_PERMISSIONS
    assert node.create("88.1/pump", NEW, BOSS, overwrite=True).result().values[0].text == "https://b"  # type: ignore[union-attr]
    assert refused(node, "create", "0.NA/88.1.5", NEW, requester=CLERK) == Code.INSUFFICIENT_PERMISSIONS
    assert node.create("0.NA/88.1.5", NEW, BOSS).result() is not None
    assert refused(node, "create", "88.1", NEW, requester=ROOT) == Code.INVALID_HANDLE


def test_who_may_change_values(node: Node) -> None:
    assert refused(node, "add", "88.1/pump", (text(9, "N", ""),), requester=GUEST) == Code.INSUFFICIENT_PERMISSIONS
    assert node.add("88.1/pump", (text(9, "N", ""),), CLERK).result() is not None
    assert refused(node, "add", "88.1/pump", (text(9, "N", ""),), requester=CLERK) == Code.VALUE_EXISTS
    # Who may add values may not make itself an administrator, nor write over one.
    assert refused(node, "add", "88.1/pump", (admin(110, "88.1/clerk", 300),), requester=CLERK) == 401
    assert refused(node, "add", "88.1/pump", (text(100, "N", ""),), requester=CLERK, overwrite=True) == 401
    assert refused(node, "modify", "88.1/pump", (text(100, "N", ""),), requester=CLERK) == 401
    assert refused(node, "modify", "88.1/pump", (text(1, "URL", "x"),), requester=CLERK) == 401
    assert node.modify("88.1/pump", (text(1, "URL", "x"),), BOSS).result() is not None
    assert refused(node, "modify", "88.1/pump", (text(77, "URL", "x"),), requester=BOSS) == Code.VALUES_NOT_FOUND
    assert refused(node, "remove", "88.1/pump", (3,), requester=BOSS) == Code.INSUFFICIENT_PERMISSIONS
    assert node.remove("88.1/pump", (2,), BOSS).result() is not None
    assert refused(node, "remove", "88.1/none", (2,), requester=BOSS) == Code.HANDLE_NOT_FOUND
    assert refused(node, "delete", "88.1/pump", requester=CLERK) == Code.INSUFFICIENT_PERMISSIONS
    assert node.delete("88.1/pump", BOSS).result() is None
    assert refused(node, "delete", "88.1/pump", requester=BOSS) == Code.HANDLE_NOT_FOUND


def test_who_may_list(node: Node) -> None:
    assert "88.1/pump" in list(node.handles("88.1", CLERK))
    with pytest.raises(IdentifierError):
        node.handles("88.1", GUEST)
    with pytest.raises(IdentifierError):
        node.handles("99", BOSS)


def test_a_changed_permission_counts_at_once(node: Node) -> None:
    node.modify("88.1/pump", (admin(101, "88.1/clerk", 300, DELETE_HANDLE | MODIFY_VALUE),), BOSS).result()
    assert node.resolve("88.1/pump", indexes=[2], requester=CLERK).code == Code.INSUFFICIENT_PERMISSIONS
    assert node.delete("88.1/pump", CLERK).result() is None


@given(values(), st.sampled_from(Standing))
def test_nothing_private_is_readable_below_authorised(value: Value, standing: Standing) -> None:
    if readable(value, standing):
        assert value.public or (standing == Standing.AUTHORISED and value.permissions & 8)


@given(st.sampled_from(Standing), st.integers(0, EVERYTHING), st.integers(1, EVERYTHING))
def test_no_one_becomes_authorised_by_saying_so(standing: Standing, held: int, needed: int) -> None:
    reached = standing_for(Requester(standing, "88/a", 1), held, needed)
    assert (reached == Standing.AUTHORISED) == (standing >= Standing.AUTHENTICATED and held & needed == needed)


COVERED = {
    Power.EVERYTHING: {"88.111/x", "88.111.5/x", "0.NA/88.111.5", "0.NA/88.111", "99/x", "88.1112/x"},
    Power.DERIVED_PREFIXES: {"88.111.5/x", "0.NA/88.111.5"},
    Power.HANDLES_UNDER_THIS_PREFIX: {"88.111/x"},
    Power.THIS_HANDLE: set(),
}


@pytest.mark.parametrize("power", Power)
@pytest.mark.parametrize("written", ["88.111", "0.na/88.111"])
def test_what_a_certificate_covers(power: Power, written: str) -> None:
    found = {handle for handle in COVERED[Power.EVERYTHING] if trust.covers(Grant(power, written), handle)}
    expected = COVERED[power] | ({"0.NA/88.111"} if power == Power.THIS_HANDLE and written != "88.111" else set())
    assert found == expected


def test_a_chain_narrows() -> None:
    everything, derived = Grant(Power.EVERYTHING), Grant(Power.DERIVED_PREFIXES, "88")
    under, this = Grant(Power.HANDLES_UNDER_THIS_PREFIX, "88.111"), Grant(Power.THIS_HANDLE, "88.111/x")
    assert trust.implied(derived, (everything,))
    assert trust.implied(under, (derived,))
    assert trust.implied(this, (under,))
    assert trust.implied(under, (under,))
    assert not trust.implied(everything, (derived, under, this))
    assert not trust.implied(under, (this,))
    assert not trust.implied(Grant(Power.DERIVED_PREFIXES, "99"), (derived,))


def test_a_node_without_prefixes_serves_all(tmp_path: Path) -> None:
    with open_store(tmp_path / "s", create=True) as store:
        assert isinstance(store, Store)
        assert Node(store, NodeSettings()).resolve("99/x").code == Code.HANDLE_NOT_FOUND


def test_malformed_administrators_are_refused_and_allow_nothing(node: Node) -> None:
    bad = Value(index=100, type="HS_ADMIN", data=b"\xff\xff")
    with pytest.raises(IdentifierError):
        node.create("88.1/bad", (bad,), BOSS)
    node.store.apply(Change("create", "88.1/bad", (bad, text(2, "COST", "1", PRIVATE))))
    assert node.resolve("88.1/bad", indexes=[2], requester=CLERK).code == Code.INSUFFICIENT_PERMISSIONS
    assert node.resolve("88.1/bad", indexes=[2], requester=ROOT).code == Code.SUCCESS
