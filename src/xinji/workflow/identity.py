"""Identifier nodes over folders and addresses: made, opened, filled, asked and copied."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from xinji.errors import Fault, InputError
from xinji.use.identity import value_data as hs
from xinji.use.identity.audit import AuditLog, Event
from xinji.use.identity.bulk import Loaded, export_csv, export_jsonl, load_csv, load_jsonl
from xinji.use.identity.changes import Change
from xinji.use.identity.client import REFERRALS, Resolver, administer
from xinji.use.identity.client_link import Address, Asked, Identity, ask, succeeded
from xinji.use.identity.doirp.bodies import Elements, Query
from xinji.use.identity.doirp.codes import PORT, OpCode, OpFlag
from xinji.use.identity.doirp.message import Header
from xinji.use.identity.errors import Code, refuse
from xinji.use.identity.keys import SigningKey, new_key, read_key, write_key
from xinji.use.identity.names import check_handle, described_prefix, handle_of, prefix_handle, prefix_of
from xinji.use.identity.node import Node, NodeSettings
from xinji.use.identity.record import ADMIN_READ, PUBLIC_READ, Record, Reference, Value
from xinji.use.identity.store import Store, open_store

ADMIN_SUFFIX = "ADMIN"
KEY_INDEX, ADMIN_INDEX, SITE_INDEX = 300, 100, 10
"""Where Handle.Net's own tools put keys, administrators and sites; clients look there first."""

OF_PREFIXES = "0.NA"
"""Prefix of the records of prefixes."""

READ_ONLY = ADMIN_READ | PUBLIC_READ
"""Permissions of what says who may change all else: it is changed through its own operations alone."""

OWN_FILES = "files"
"""How an owner of the files is known: by being able to write them."""

MOST_PORT, INDEX_DIGITS, MOST_SHOWN = 65_535, 10, 80
"""Highest port; digits of the highest index; characters shown of what cannot be read."""

SUFFIXES = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
"""Forms of files by the end of their name."""


@dataclass(frozen=True, slots=True)
class Made:
    """A node that was made: its prefix, its administrator's identity, and that one's key file."""

    prefix: str
    administrator: str
    key: Path


def make_node(folder: Path, prefix: str, key: Path, *, host: str, doirp_port: int, http_port: int) -> Made:
    """Make the store ``folder`` with the record of ``prefix``, its administrator and a new ``key`` file for that.

    ``host`` and the ports are what clients are told. Raises InputError or OutputError; nothing is left then.
    """
    check_handle(f"{prefix}/{ADMIN_SUFFIX}")
    if folder.exists():
        remedy = "Name another folder; to add to this one use `xinji id register`."
        raise InputError([Fault(str(folder), "there is something already", remedy)])
    private = new_key()
    records = node_records(prefix, private, host=host, doirp_port=doirp_port, http_port=http_port)
    write_key(key, private)
    try:
        with open_store(folder, create=True) as store:
            for record in records:
                store.apply(Change("create", record.handle, record.values))
    except BaseException:
        key.unlink()
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Made(prefix, f"{KEY_INDEX}:{prefix}/{ADMIN_SUFFIX}", key)


def node_records(prefix: str, key: SigningKey, *, host: str, doirp_port: int, http_port: int) -> tuple[Record, Record]:
    """Return the record of ``prefix``, which names its site and administrator, and that of the administrator."""
    now_s = int(time.time())
    name = f"{prefix}/{ADMIN_SUFFIX}"
    interfaces = (
        hs.Interface(hs.SERVICE_BOTH, hs.TCP, doirp_port),
        hs.Interface(hs.SERVICE_QUERY, hs.UDP, doirp_port),
        hs.Interface(hs.SERVICE_BOTH, hs.HTTP, http_port),
    )
    site = hs.encode_site(hs.Site((hs.Server(1, host, key.public, interfaces),)))
    admin = Value(
        index=ADMIN_INDEX,
        type=hs.ADMIN,
        data=hs.encode_admin(hs.Admin(name, KEY_INDEX)),
        timestamp_s=now_s,
        permissions=READ_ONLY,
    )
    served = Value(index=SITE_INDEX, type=hs.SITE, data=site, timestamp_s=now_s)
    public = Value(index=KEY_INDEX, type=hs.PUBKEY, data=key.public, timestamp_s=now_s, permissions=READ_ONLY)
    return Record(prefix_handle(prefix), (served, admin)), Record(name, (admin, public))


def held_prefixes(store: Store) -> tuple[str, ...]:
    """Return the prefixes of all that ``store`` holds, and those that it holds the records of."""
    described = (described_prefix(handle) for handle in store.keys(prefix_handle("")))
    return tuple(sorted({*(prefix.upper() for prefix in described), *_filled_prefixes(store)}))


def _filled_prefixes(store: Store) -> tuple[str, ...]:
    return tuple(prefix for prefix in store.prefixes() if prefix != OF_PREFIXES)


def service_site(store: Store, prefixes: Sequence[str]) -> hs.Site | None:
    """Return the site that the record of the first of ``prefixes`` names, None where none does."""
    for prefix in prefixes:
        record = store.record(prefix_handle(prefix))
        for value in record.of_type(hs.SITE) if record is not None else ():
            return hs.decode_site(value.data)
    return None


def resolve_here(folder: Path, name: str, *, types: tuple[str, ...], indexes: tuple[int, ...]) -> Record:
    """Return the public values of what ``name`` stands for in the store ``folder``; raises IdentifierError."""
    handle = handle_of(name)
    with open_store(folder, read_only=True) as store:
        settings = NodeSettings(prefixes=_filled_prefixes(store))
        answer = Node(store, settings).resolve(handle, types=types, indexes=indexes, follow_aliases=True)
    if answer.code is not Code.SUCCESS:
        meaning = answer.code.name.lower().replace("_", " ")
        remedy = "Check the spelling, or ask the responsible node with --server."
        raise refuse(answer.code, handle, meaning, remedy)
    return Record(answer.handle, answer.values)


def resolve_there(
    addresses: Sequence[Address],
    name: str,
    *,
    types: tuple[str, ...],
    indexes: tuple[int, ...],
    identity: Identity | None = None,
) -> Record:
    """Return what the node at ``addresses``, or whom it refers to, says of ``name``; raises IdentifierError.

    Of several addresses the first that answers is the root from which the responsible node is looked for.
    """
    query = Query(handle_of(name), indexes, types)
    if len(addresses) == 1:
        # Whoever proves no identity asks for public values: for all of them the node would want one.
        header = Header(OpCode.RESOLUTION, flags=OpFlag.PO if identity is None else 0)
        answered = asyncio.run(ask(addresses[0], Asked(header, query, identity)))
        if answered.code not in REFERRALS:
            body = succeeded(answered, query.handle)
            if not isinstance(body, Elements):
                raise refuse(Code.ERROR, query.handle, "the answer holds no values", "Ask another node.")
            return Record(body.handle, body.values)
    roots = Resolver(tuple(site_at(address) for address in addresses))
    return asyncio.run(roots.resolve(query.handle, types=types, indexes=indexes, identity=identity))


def site_at(address: Address) -> hs.Site:
    """Return a site with the one server at ``address``, to start resolving from."""
    interfaces = tuple(hs.Interface(hs.SERVICE_BOTH, kind, address.port) for kind in (hs.TCP, hs.UDP))
    return hs.Site((hs.Server(1, address.host, address.public_key, interfaces),))


def register_here(folder: Path, record: Record, *, replace: bool) -> None:
    """Write ``record`` to the store ``folder``, whose files are the caller's; raises IdentifierError.

    Where it names no administrator, those of its prefix administer it.
    """
    with open_store(folder) as store:
        parent = store.record(prefix_handle(prefix_of(record.handle)), private=True)
        values = _administered(record, parent.of_type(hs.ADMIN) if parent is not None else ())
        what = "replace" if replace else "create"
        store.apply(Change(what, record.handle, values))
    note_here(folder, what, record.handle, tuple(value.index for value in values))


def note_here(folder: Path, what: str, handle: str = "", indexes: tuple[int, ...] = ()) -> None:
    """Note in the audit log of the store ``folder`` what its owner did to the files themselves."""
    AuditLog(folder).write(Event(what, handle, indexes, f"user {os.getuid()}", how=OWN_FILES))


def register_there(address: Address, record: Record, identity: Identity) -> None:
    """Have the node at ``address`` register ``record`` for ``identity``; raises IdentifierError.

    Where it names no administrator, ``identity`` administers it.
    """
    data = hs.encode_admin(hs.Admin(identity.handle, identity.index))
    own = Value(index=ADMIN_INDEX, type=hs.ADMIN, data=data, permissions=READ_ONLY)
    body = Elements(record.handle, _administered(record, (own,)))
    asyncio.run(administer(address, OpCode.CREATE_ID, body, identity))


def _administered(record: Record, admins: tuple[Value, ...]) -> tuple[Value, ...]:
    """Return the values of ``record`` with ``admins`` at free indexes, unless it names administrators itself."""
    if record.of_type(hs.ADMIN):
        return record.values
    taken = {value.index for value in record.values}
    free = (index for index in count(ADMIN_INDEX) if index not in taken)
    return (*record.values, *(_at(value, index) for value, index in zip(admins, free, strict=False)))


def _at(value: Value, index: int) -> Value:
    return replace(value, index=index)


def identity_of(text: str, key: Path) -> Identity:
    """Return the identity ``text`` (index:handle) with the key in the file ``key``.

    Raises InputError where ``text`` is none, IdentifierError where the key cannot be used.
    """
    found = reference_of(text)
    return Identity(found.handle, found.index, read_key(key))


def reference_of(text: str) -> Reference:
    """Return what ``text`` (index:handle) refers to; raises InputError where it is no reference."""
    index, _, handle = text.partition(":")
    number = index_of(index)
    if number is None or not handle:
        remedy = f"Give INDEX:HANDLE, as {KEY_INDEX}:88.123.10/{ADMIN_SUFFIX}."
        raise InputError([Fault("identity", f"found {text[:MOST_SHOWN]!r}", remedy)])
    return Reference(check_handle(handle), number)


def index_of(text: str) -> int | None:
    """Return the index that ``text`` writes in digits, None where it is none."""
    plain = text.isascii() and text.isdigit() and len(text) <= INDEX_DIGITS
    return int(text) if plain else None


def faults_of(read: Callable[[str], object], text: str) -> tuple[Fault, ...]:
    """Return what ``read`` finds wrong with ``text``."""
    try:
        read(text)
    except InputError as error:
        return tuple(error.faults)
    return ()


def address_of(text: str) -> Address:
    """Return the address ``text``: host or host:port, IPv6 in brackets. Raises InputError where it is none."""
    host, port = text, str(PORT)
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":") or port
    elif ":" in text:
        host, _, port = text.rpartition(":")
    number = index_of(port)
    if not host or number is None or not 0 < number <= MOST_PORT:
        remedy = f"Give HOST or HOST:PORT, as 127.0.0.1:{PORT} or [::1]:{PORT}."
        raise InputError([Fault("server", f"found {text[:MOST_SHOWN]!r}", remedy)])
    return Address(host, number)


def import_file(folder: Path, source: Path, *, replace: bool, processes: int, create: bool) -> Loaded:
    """Write the records of a CSV or JSON Lines file to the store ``folder``, all or none; raises IdentifierError."""
    form = _form(source)
    made = create and not folder.exists()
    try:
        with open_store(folder, create=create) as store:
            load = load_csv if form == "csv" else load_jsonl
            loaded = load(store, source, processes=processes, replace=replace)
    except BaseException:
        if made:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    note_here(folder, f"import {loaded.records} records")
    return loaded


def export_file(folder: Path, target: Path, *, prefix: str, private: bool) -> int:
    """Write the records of the store ``folder`` to a CSV or JSON Lines file; return how many."""
    form = _form(target)
    with open_store(folder, read_only=True) as store:
        write = export_csv if form == "csv" else export_jsonl
        return write(store, target, prefix=prefix, private=private)


def _form(path: Path) -> str:
    form = SUFFIXES.get(path.suffix.lower())
    if form is None:
        known = ", ".join(SUFFIXES)
        raise InputError([Fault(str(path), f"the name ends in {path.suffix!r}", f"Use one of {known}.")])
    return form
