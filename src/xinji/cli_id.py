"""What `xinji id` does: make, fill, serve, ask and copy identifier nodes, and say what came of it."""

from __future__ import annotations

import base64
import json
import shlex
import sys
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from ssl import SSLContext

from xinji.build.signature import read_key as read_signing_key
from xinji.cli_build_arguments import who_of
from xinji.errors import Fault, InputError, raise_if
from xinji.use.identity.audit import AuditLog
from xinji.use.identity.backup import back_up, restore
from xinji.use.identity.client_link import Identity
from xinji.use.identity.errors import IdentifierError
from xinji.use.identity.keys import new_key, read_key, write_key
from xinji.use.identity.limits import Allowance
from xinji.use.identity.names import handle_of
from xinji.use.identity.node import Node, NodeSettings, Role
from xinji.use.identity.record import PRIVATE, PUBLIC, Record, Value
from xinji.use.identity.replica import Follower, ReplicaNode
from xinji.use.identity.serve import Listening, Serving, serve
from xinji.use.identity.serve_http import tls_context
from xinji.use.identity.serve_replica import serve_replica
from xinji.use.identity.store import Store, open_store
from xinji.use.identity.value_data import ADMIN, decode_admin
from xinji.workflow import identity as nodes
from xinji.workflow import identity_replicas as replicas

DONE = 0


def run_id(arguments: Namespace) -> int:
    """Run the sub-verb of ``arguments`` and return the exit status. Raises XinjiError for what is refused."""
    verbs: Mapping[str, Callable[[Namespace], None]] = {
        "init": _init,
        "serve": _serve,
        "resolve": _resolve,
        "register": _register,
        "import": _import,
        "export": _export,
        "backup": _backup,
        "restore": _restore,
        "key": _key,
        "prefix": _prefix,
        "replica": _replica,
    }
    verbs[arguments.id_verb](arguments)
    return DONE


def _tell(arguments: Namespace, text: str, facts: Mapping[str, object]) -> None:
    """Print ``facts`` as JSON where that is asked for, else ``text``."""
    said = json.dumps(facts, ensure_ascii=False, indent=1, default=str) if arguments.json else text
    sys.stdout.write(f"{said}\n")


def _port_faults(arguments: Namespace, least: int) -> Iterator[Fault]:
    for name, port in (("--doirp-port", arguments.doirp_port), ("--http-port", arguments.http_port)):
        if not least <= port <= nodes.MOST_PORT:
            yield Fault(name, f"found {port}", f"Give a port from {least} to {nodes.MOST_PORT}.")


def _init(arguments: Namespace) -> None:
    raise_if(_port_faults(arguments, 1), InputError)
    made = nodes.make_node(
        arguments.store,
        arguments.prefix,
        arguments.key,
        host=arguments.host,
        doirp_port=arguments.doirp_port,
        http_port=arguments.http_port,
    )
    text = (
        f"Made {arguments.store}: prefix {made.prefix}, administrator {made.administrator}, its key in {made.key}.\n"
        f"Next: `xinji id register {arguments.store} {made.prefix}/NAME --value 1:URL=...`, "
        f"then `xinji id serve {arguments.store}`."
    )
    _tell(arguments, text, asdict(made))


def _serve(arguments: Namespace) -> None:
    raise_if(_serve_faults(arguments), InputError)
    tls = None
    if arguments.tls is not None:
        tls = tls_context(arguments.tls, arguments.tls_key, clients=arguments.tls_clients)
    following = arguments.replica_of is not None
    rulers = tuple(nodes.reference_of(text) for text in arguments.administrators)
    with open_store(arguments.store, read_only=arguments.read_only, create=following) as store:
        prefixes = tuple(arguments.prefixes) or nodes.held_prefixes(store)
        settings = NodeSettings(Role(arguments.role), prefixes, rulers)
        serving = _serving(arguments, store, prefixes, tls)

        def told(listening: Listening) -> None:
            _listens(listening, arguments.store, secure=tls is not None)

        if following:
            follower = _follower(arguments, store, prefixes)
            sys.stderr.write(f"Following {arguments.replica_of} for {', '.join(prefixes)}.\n")
            serve_replica(ReplicaNode(store, settings), serving, follower, told)
        else:
            serve(Node(store, settings), serving, told)
    sys.stderr.write("Stopped.\n")


def _serving(arguments: Namespace, store: Store, prefixes: tuple[str, ...], tls: SSLContext | None) -> Serving:
    """Return how to serve ``store``."""
    root = None if arguments.cache is None else nodes.site_at(nodes.address_of(arguments.cache))
    # A replica's own site is not the one that the record of its prefix names first.
    primary = not arguments.read_only and arguments.replica_of is None
    return Serving(
        host=arguments.host,
        doirp_port=arguments.doirp_port,
        http_port=arguments.http_port,
        allowance=Allowance(arguments.rate, arguments.burst) if arguments.rate else None,
        connections_each=arguments.connections or None,
        tls=tls,
        key=None if arguments.key is None else read_key(arguments.key),
        service_site=nodes.service_site(store, prefixes) if arguments.replica_of is None else None,
        primary=primary,
        root=root,
        audit=_audit(arguments),
    )


def _audit(arguments: Namespace) -> AuditLog | None:
    """Return the log of changes that is asked for; raises OutputError where the store's folder takes none."""
    # What takes no changes may lie where nothing can be written.
    wanted = not arguments.read_only if arguments.audit_log is None else arguments.audit_log
    if not wanted:
        return None
    log = AuditLog(arguments.store)
    log.check()
    return log


def _listens(listening: Listening, store: Path, *, secure: bool) -> None:
    host = f"[{listening.host}]" if ":" in listening.host else listening.host
    scheme = "https" if secure else "http"
    sys.stderr.write(
        f"Serving {store}: DO-IRP on {host}:{listening.doirp_port} (TCP, UDP), "
        f"HTTP on {scheme}://{host}:{listening.http_port}. Ctrl-C stops it.\n"
    )
    sys.stderr.flush()


def _serve_faults(arguments: Namespace) -> Iterator[Fault]:
    yield from _port_faults(arguments, 0)
    for text in arguments.administrators:
        yield from nodes.faults_of(nodes.reference_of, text)
    if arguments.cache is not None:
        yield from nodes.faults_of(nodes.address_of, arguments.cache)
    if arguments.role != Role.ENTERPRISE and not arguments.prefixes:
        message = f"a {arguments.role} node holds the records of others' prefixes too"
        yield Fault("--prefix", message, "Say with --prefix which it answers for itself.")
    if (arguments.tls is None) != (arguments.tls_key is None):
        yield Fault("tls", "a certificate and its key go together", "Give both --tls and --tls-key, or neither.")
    if arguments.tls_clients is not None and arguments.tls is None:
        yield Fault("tls", "clients can only prove themselves over TLS", "Give --tls and --tls-key as well.")
    yield from _replica_faults(arguments)


def _resolve(arguments: Namespace) -> None:
    types, indexes = tuple(arguments.types), tuple(arguments.indexes)
    raise_if(_where_faults(arguments), InputError)
    if arguments.store is not None:
        record = nodes.resolve_here(arguments.store, arguments.name, types=types, indexes=indexes)
    else:
        addresses = [nodes.address_of(server) for server in arguments.server]
        identity = _identity(arguments) if arguments.identity else None
        record = nodes.resolve_there(addresses, arguments.name, types=types, indexes=indexes, identity=identity)
    text = "\n".join([record.handle, *(_value_line(value) for value in record.values)])
    facts = {"handle": record.handle, "values": [_value_facts(value) for value in record.values]}
    _tell(arguments, text, facts)


def _where_faults(arguments: Namespace) -> Iterator[Fault]:
    yield from nodes.faults_of(handle_of, arguments.name)
    if (arguments.store is None) == (arguments.server is None):
        yield Fault("resolve", "it is not said where to look", "Give --store STORE or --server HOST, one of them.")
    yield from _identity_faults(arguments)


def _identity_faults(arguments: Namespace) -> Iterator[Fault]:
    if (arguments.identity is None) != (arguments.key is None):
        yield Fault("identity", "an identity and its key go together", "Give both --identity and --key.")
    if arguments.identity is not None and arguments.server is None:
        yield Fault("identity", "an identity is for asking a node", "Give --server HOST as well.")
    if arguments.identity is not None:
        yield from nodes.faults_of(nodes.reference_of, arguments.identity)
    for server in arguments.server or ():
        yield from nodes.faults_of(nodes.address_of, server)


def _identity(arguments: Namespace) -> Identity:
    return nodes.identity_of(arguments.identity, arguments.key)


def _value_line(value: Value) -> str:
    hidden = "" if value.public else "  (private)"
    return f"{value.index:>8}  {value.type:<16}  {_shown(value)}{hidden}"


def _shown(value: Value) -> str:
    """Return the data as text where it is printable text, else in base 64."""
    if value.type == ADMIN:
        with suppress(IdentifierError):
            admin = decode_admin(value.data)
            return f"{admin.index}:{admin.handle} may do {admin.permissions:012b}"
    with suppress(UnicodeDecodeError):
        text = value.data.decode()
        if text.isprintable():
            return text
    return f"base64:{base64.b64encode(value.data).decode()}"


def _value_facts(value: Value) -> dict[str, object]:
    return {
        "index": value.index,
        "type": value.type,
        "data": _shown(value),
        "ttl_s": value.ttl_s,
        "timestamp_s": value.timestamp_s,
        "public": value.public,
    }


def _register(arguments: Namespace) -> None:
    if arguments.ledger is not None:
        _register_ledger(arguments)
        return
    faults = list(_register_faults(arguments))
    values = (*_given(arguments.values, PUBLIC, faults), *_given(arguments.privates, PRIVATE, faults))
    raise_if(faults, InputError)
    record = Record(handle_of(arguments.names[-1]), values)
    if arguments.server is not None:
        nodes.register_there(nodes.address_of(arguments.server[0]), record, _identity(arguments))
    else:
        nodes.register_here(Path(arguments.names[0]), record, replace=arguments.replace)
    _tell(arguments, f"Registered {record.handle}.", {"handle": record.handle, "values": len(values)})


def _register_faults(arguments: Namespace) -> Iterator[Fault]:
    wanted = 1 if arguments.server is not None else 2
    if len(arguments.names) != wanted:
        message = f"{len(arguments.names)} words were given"
        yield Fault("register", message, "Give STORE NAME, or NAME with --server, or STORE with --ledger.")
    else:
        yield from nodes.faults_of(handle_of, arguments.names[-1])
    if not arguments.values and not arguments.privates:
        yield Fault("register", "there is no value", "Give one, as --value 1:URL=https://plant.example/pump-7.")
    if arguments.server is not None and arguments.identity is None:
        yield Fault("register", "a node takes changes from its administrators", "Give --identity and --key.")
    if arguments.server is not None and len(arguments.server) > 1:
        yield Fault("register", "several servers were given", "Give the primary alone: changes go to it.")
    if arguments.server is not None and arguments.replace:
        yield Fault("register", "--replace is for a store", "Delete the name on the node first.")
    yield from _identity_faults(arguments)


def _given(texts: Iterable[str], permissions: int, faults: list[Fault]) -> list[Value]:
    """Return the values that ``texts`` write; what is wrong with the others is added to ``faults``."""
    values = []
    for text in texts:
        head, equals, data = text.partition("=")
        index, _, kind = head.partition(":")
        number = nodes.index_of(index)
        if not equals or number is None or not kind:
            # What stands after the =, or where there is none, may be meant for nobody's eyes.
            message = f"found {head[: nodes.MOST_SHOWN]!r} before the =" if equals else "there is no = in it"
            faults.append(Fault("value", message, "Give INDEX:TYPE=TEXT, as 1:URL=https://..."))
            continue
        try:
            values.append(Value(index=number, type=kind, data=data.encode(), permissions=permissions))
        except IdentifierError as error:
            faults.extend(error.faults)
        except UnicodeEncodeError:
            faults.append(Fault(f"value {number}", "its text is not Unicode", "Give it in UTF-8."))
    return values


def _register_ledger(arguments: Namespace) -> None:
    # Maps and databases take seconds to load, which a node that is started has no use for.
    from xinji.workflow.identity_assets import Naming, name_ledger  # noqa: PLC0415

    raise_if(_ledger_faults(arguments), InputError)
    key = None if arguments.sign is None else read_signing_key(arguments.sign)
    naming = Naming(arguments.prefix, who_of(arguments.who), arguments.endpoint, key)
    made = name_ledger(Path(arguments.names[0]), arguments.ledger, naming)
    text = (
        f"{made.new:,} facilities registered, {made.changed:,} changed, {made.same:,} as they were; "
        f"{made.identified:,} names recorded in the ledger; {made.seconds:.1f} s."
    )
    _tell(arguments, text, asdict(made))


def _ledger_faults(arguments: Namespace) -> Iterator[Fault]:
    if len(arguments.names) != 1 or arguments.server is not None:
        yield Fault(
            "register", "a ledger's facilities go into a store", "Give STORE and --ledger, no name or --server."
        )
    if not arguments.prefix:
        yield Fault("register", "there is no prefix", "Give --prefix, as 88.123.10.")
    if arguments.values or arguments.privates:
        yield Fault("register", "values come from the ledger", "Leave out --value and --private.")


def _import(arguments: Namespace) -> None:
    found = nodes.import_file(
        arguments.store,
        arguments.file,
        replace=arguments.replace,
        processes=max(arguments.processes, 1),
        create=arguments.create,
    )
    _tell(arguments, f"{found.records:,} identifiers imported in {found.seconds:.1f} s.", asdict(found))


def _export(arguments: Namespace) -> None:
    count = nodes.export_file(arguments.store, arguments.file, prefix=arguments.under, private=arguments.with_private)
    _tell(arguments, f"{count:,} identifiers written to {arguments.file}.", {"records": count})


def _backup(arguments: Namespace) -> None:
    with open_store(arguments.store, read_only=True) as store:
        made = back_up(store, arguments.folder)
    text = f"{made.records:,} identifiers in {arguments.folder}, SHA-256 {made.fingerprint}."
    _tell(arguments, text, asdict(made))


def _restore(arguments: Namespace) -> None:
    made = restore(arguments.folder, arguments.store)
    _tell(arguments, f"{made.records:,} identifiers of {made.made} restored to {arguments.store}.", asdict(made))


def _key(arguments: Namespace) -> None:
    key = new_key()
    write_key(arguments.file, key)
    public = base64.b64encode(key.public).decode()
    _tell(arguments, f"Wrote {arguments.file}. Public half (HS_PUBKEY, base 64):\n{public}", {"public": public})


def _prefix(arguments: Namespace) -> None:
    made = replicas.take_prefix(arguments.store, arguments.prefix, arguments.like)
    text = f"{arguments.store} serves {arguments.prefix} too, as {arguments.like}; restart it where it is serving."
    _tell(arguments, text, {"handle": made.handle, "values": len(made.values)})


def _replica(arguments: Namespace) -> None:
    prefixes = tuple(dict.fromkeys(arguments.prefixes))
    found = replicas.NewReplica(arguments.name, prefixes, arguments.host, arguments.doirp_port, arguments.http_port)
    identity = replicas.add_replica(arguments.store, found, arguments.key)
    options = " ".join(f"--prefix {shlex.quote(one)}" for one in prefixes)
    text = (
        f"{arguments.store} names {found.host} for {', '.join(prefixes)}: identity {identity}, key {arguments.key}.\n"
        f"Next, there: `xinji id serve FOLDER --replica-of PRIMARY:{replicas.HTTP_PORT} --identity {identity} "
        f"--identity-key {arguments.key} {options} --host {found.host} --doirp-port {found.doirp_port} "
        f"--http-port {found.http_port}`."
    )
    _tell(arguments, text, asdict(found) | {"identity": identity, "key": str(arguments.key)})


def _replica_faults(arguments: Namespace) -> Iterator[Fault]:
    if arguments.replica_of is not None:
        yield from nodes.faults_of(replicas.primary_url, arguments.replica_of)
        yield from replicas.replica_faults(
            arguments.prefixes, read_only=arguments.read_only, identity=arguments.identity, key=arguments.identity_key
        )
    elif arguments.identity is not None or arguments.identity_key is not None or arguments.primary_ca is not None:
        yield Fault("--replica-of", "an identity is for following a primary", "Give --replica-of as well.")
    if arguments.identity is not None:
        yield from nodes.faults_of(nodes.reference_of, arguments.identity)


def _follower(arguments: Namespace, store: Store, prefixes: tuple[str, ...]) -> Follower:
    identity = nodes.identity_of(arguments.identity, Path(arguments.identity_key))
    url = replicas.primary_url(arguments.replica_of)
    return replicas.follower_of(store, url, identity, prefixes, arguments.primary_ca)
