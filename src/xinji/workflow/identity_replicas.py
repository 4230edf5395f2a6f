"""Further prefixes and replicas of an identifier node: what a primary registers for them, and how a replica follows."""

from __future__ import annotations

import ipaddress
import ssl
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

from xinji.errors import Fault, InputError, raise_if
from xinji.use.identity import value_data as hs
from xinji.use.identity.changes import Change
from xinji.use.identity.client_link import Identity
from xinji.use.identity.keys import SigningKey, new_key, write_key
from xinji.use.identity.names import check_handle, prefix_handle
from xinji.use.identity.record import Record, Value
from xinji.use.identity.replica import Follower
from xinji.use.identity.replica_feed import MOST_PREFIXES
from xinji.use.identity.serve_replica import HttpSource
from xinji.use.identity.store import Store, open_store
from xinji.workflow.identity import ADMIN_INDEX, KEY_INDEX, MOST_PORT, MOST_SHOWN, READ_ONLY, SITE_INDEX, note_here

HTTP_PORT = 8000
"""Port of a primary's HTTP faces where none is given."""

SCHEMES = ("http", "https")


@dataclass(frozen=True, slots=True)
class NewReplica:
    """A replica to be: its ``name`` below the first of the ``prefixes`` that it follows, and where it will listen."""

    name: str
    prefixes: tuple[str, ...]
    host: str
    doirp_port: int
    http_port: int

    @property
    def handle(self) -> str:
        """The handle of its identity."""
        return f"{self.prefixes[0]}/{self.name}"


def take_prefix(folder: Path, prefix: str, like: str) -> Record:
    """Register the record of ``prefix`` in the store ``folder``: served and administered as the prefix ``like`` is.

    Raises InputError where ``like`` is not registered, IdentifierError where ``prefix`` is.
    """
    with open_store(folder) as store:
        model = _records(store, (like,))[0]
        values = tuple(value for value in model.values if value.type in (hs.SITE, hs.ADMIN))
        made = Record(check_handle(prefix_handle(prefix)), values)
        store.apply(Change("create", made.handle, made.values))
    note_here(folder, "create", made.handle, tuple(value.index for value in made.values))
    return made


def add_replica(folder: Path, replica: NewReplica, key: Path) -> str:
    """Have the primary in ``folder`` know ``replica``; return its identity, whose new key goes to the file ``key``.

    Its prefixes' records name it as a site for queries, after those that are there, and let it list what lies under
    them; its key is registered. Raises InputError or IdentifierError; the key's file is not left then.
    """
    check_handle(replica.handle)
    site = _site(replica)
    with open_store(folder) as store:
        records = _records(store, replica.prefixes)
        private = new_key()
        write_key(key, private)
        try:
            _register(store, replica.handle, private, records[0])
            for record in records:
                new = (_value(record, SITE_INDEX, hs.SITE, site), _lister(record, replica.handle))
                store.apply(Change("add", record.handle, new))
                note_here(folder, "add", record.handle, tuple(value.index for value in new))
        except BaseException:
            key.unlink()
            raise
    return f"{KEY_INDEX}:{replica.handle}"


def _records(store: Store, prefixes: Sequence[str]) -> tuple[Record, ...]:
    """Return the records of ``prefixes``; raises InputError with each that is not registered."""
    found = {prefix: store.record(prefix_handle(prefix), private=True) for prefix in prefixes}
    remedy = "Take it in with `xinji id prefix`, or name another."
    missing = (Fault(f"prefix {p[:MOST_SHOWN]}", "it is not registered", remedy) for p, r in found.items() if r is None)
    raise_if(missing, InputError)
    return tuple(record for record in found.values() if record is not None)


def _register(store: Store, handle: str, key: SigningKey, prefix: Record) -> None:
    """Register the identity of a replica; the administrators of its prefix may take it away again."""
    public = Value(index=KEY_INDEX, type=hs.PUBKEY, data=key.public, timestamp_s=_now_s(), permissions=READ_ONLY)
    store.apply(Change("create", handle, (*prefix.of_type(hs.ADMIN), public)))
    note_here(store.folder, "create", handle, (KEY_INDEX,))


def _site(replica: NewReplica) -> bytes:
    interfaces = (
        hs.Interface(hs.SERVICE_QUERY, hs.TCP, replica.doirp_port),
        hs.Interface(hs.SERVICE_QUERY, hs.UDP, replica.doirp_port),
        hs.Interface(hs.SERVICE_QUERY, hs.HTTP, replica.http_port),
    )
    return hs.encode_site(hs.Site((hs.Server(1, replica.host, b"", interfaces),), primary=False))


def _lister(record: Record, handle: str) -> Value:
    data = hs.encode_admin(hs.Admin(handle, KEY_INDEX, hs.LIST_HANDLES))
    return _value(record, ADMIN_INDEX, hs.ADMIN, data, READ_ONLY)


def _value(record: Record, first: int, kind: str, data: bytes, permissions: int | None = None) -> Value:
    """Return a value at the first index from ``first`` on that ``record`` has free."""
    index = next(index for index in count(first) if record.by_index(index) is None)
    if permissions is None:
        return Value(index=index, type=kind, data=data, timestamp_s=_now_s())
    return Value(index=index, type=kind, data=data, timestamp_s=_now_s(), permissions=permissions)


def _now_s() -> int:
    return int(time.time())


def primary_url(text: str) -> str:
    """Return the address of a primary: ``text`` itself where it is one, else that of HOST or HOST:PORT.

    HTTPS, but HTTP on this machine: a primary takes proofs where nobody else can listen. Raises InputError where
    ``text`` is neither.
    """
    whole = text if "://" in text else f"//{text}"
    try:
        place = urlsplit(whole)
        host, port = place.hostname or "", place.port or HTTP_PORT
    except ValueError:
        host, port, place = "", 0, urlsplit("")
    plain = not (place.path or place.query or place.fragment or place.username)
    if not host or not plain or not 0 < port <= MOST_PORT or place.scheme not in ("", *SCHEMES):
        message, remedy = (
            f"found {text[:MOST_SHOWN]!r}",
            f"Give HOST:PORT or https://HOST:PORT, as 10.0.0.5:{HTTP_PORT}.",
        )
        raise InputError([Fault("--replica-of", message, remedy)])
    scheme = place.scheme or ("http" if _here(host) else "https")
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}:{port}"


def _here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def follower_of(store: Store, url: str, identity: Identity, prefixes: tuple[str, ...], ca: Path | None) -> Follower:
    """Return what keeps ``store`` up with the primary at ``url``, whose certificate ``ca`` (PEM) vouches for.

    Without ``ca`` the system's own authorities do. Raises InputError where the file cannot be used.
    """
    try:
        tls = None if ca is None else ssl.create_default_context(cafile=str(ca))
    except (OSError, ssl.SSLError) as error:
        message = f"{ca} cannot be used: {type(error).__name__}"
        raise InputError([Fault("--primary-ca", message, "Give certificates in PEM.")]) from error
    return Follower(store, HttpSource(url, identity, tls), prefixes)


def replica_faults(
    prefixes: Sequence[str], *, read_only: bool, identity: str | None, key: Path | None
) -> Iterator[Fault]:
    """Yield what is missing or too much to follow a primary."""
    if not 0 < len(prefixes) <= MOST_PREFIXES:
        message = f"a replica follows {len(prefixes)} prefixes"
        yield Fault("--prefix", message, f"Say with --prefix which to follow, 1 to {MOST_PREFIXES} of them.")
    if identity is None or key is None:
        remedy = "Give --identity and --identity-key, as `xinji id replica` on the primary made them."
        yield Fault("--replica-of", "the primary hands out its records to those it knows", remedy)
    if read_only:
        yield Fault("--read-only", "a replica writes what it follows, and takes no changes anyway", "Leave it out.")
