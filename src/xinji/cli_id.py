"""What `xinji id` does: make, fill, serve, ask and copy identifier nodes, and say what came of it."""

from __future__ import annotations

import base64
import json
import sys
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from xinji.build.signature import read_key as read_signing_key
from xinji.cli_build_arguments import who_of
from xinji.errors import Fault, InputError, raise_if
from xinji.use.identity.backup import back_up, restore
from xinji.use.identity.client_link import Identity
from xinji.use.identity.errors import IdentifierError
from xinji.use.identity.keys import new_key, read_key, write_key
from xinji.use.identity.limits import Allowance
from xinji.use.identity.names import handle_of
from xinji.use.identity.node import Node, NodeSettings, Role
from xinji.use.identity.record import PRIVATE, PUBLIC, Record, Value
from xinji.use.identity.serve import Listening, Serving, serve
from xinji.use.identity.serve_http import tls_context
from xinji.use.identity.store import open_store
from xinji.use.identity.value_data import ADMIN, decode_admin
from xinji.workflow import identity as nodes
from xinji.workflow.identity_assets import Naming, name_ledger

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
    rulers = tuple(nodes.reference_of(text) for text in arguments.administrators)
    root = None if arguments.cache is None else nodes.site_at(nodes.address_of(arguments.cache))
    with open_store(arguments.store, read_only=arguments.read_only) as store:
        prefixes = tuple(arguments.prefixes) or nodes.held_prefixes(store)
        node = Node(store, NodeSettings(Role(arguments.role), prefixes, rulers))
        serving = Serving(
            host=arguments.host,
            doirp_port=arguments.doirp_port,
            http_port=arguments.http_port,
            allowance=Allowance(arguments.rate, arguments.burst) if arguments.rate else None,
            tls=tls,
            key=None if arguments.key is None else read_key(arguments.key),
            service_site=nodes.service_site(store, prefixes),
            primary=not arguments.read_only,
            root=root,
        )
        serve(node, serving, lambda listening: _listens(listening, arguments.store, secure=tls is not None))
    sys.stderr.write("Stopped.\n")


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
        yield from _faults_of(nodes.reference_of, text)
    if arguments.cache is not None:
        yield from _faults_of(nodes.address_of, arguments.cache)
    if arguments.role != Role.ENTERPRISE and not arguments.prefixes:
        message = f"a {arguments.role} node holds the records of others' prefixes too"
        yield Fault("--prefix", message, "Say with --prefix which it answers for itself.")
    if (arguments.tls is None) != (arguments.tls_key is None):
        yield Fault("tls", "a certificate and its key go together", "Give both --tls and --tls-key, or neither.")
    if arguments.tls_clients is not None and arguments.tls is None:
        yield Fault("tls", "clients can only prove themselves over TLS", "Give --tls and --tls-key as well.")


def _faults_of(read: Callable[[str], object], text: str) -> tuple[Fault, ...]:
    """Return what ``read`` finds wrong with ``text``."""
    try:
        read(text)
    except InputError as error:
        return tuple(error.faults)
    return ()


def _resolve(arguments: Namespace) -> None:
    types, indexes = tuple(arguments.types), tuple(arguments.indexes)
    raise_if(_where_faults(arguments), InputError)
    if arguments.store is not None:
        record = nodes.resolve_here(arguments.store, arguments.name, types=types, indexes=indexes)
    else:
        address = nodes.address_of(arguments.server)
        identity = _identity(arguments) if arguments.identity else None
        record = nodes.resolve_there(address, arguments.name, types=types, indexes=indexes, identity=identity)
    text = "\n".join([record.handle, *(_value_line(value) for value in record.values)])
    facts = {"handle": record.handle, "values": [_value_facts(value) for value in record.values]}
    _tell(arguments, text, facts)


def _where_faults(arguments: Namespace) -> Iterator[Fault]:
    yield from _faults_of(handle_of, arguments.name)
    if (arguments.store is None) == (arguments.server is None):
        yield Fault("resolve", "it is not said where to look", "Give --store STORE or --server HOST, one of them.")
    yield from _identity_faults(arguments)


def _identity_faults(arguments: Namespace) -> Iterator[Fault]:
    if (arguments.identity is None) != (arguments.key is None):
        yield Fault("identity", "an identity and its key go together", "Give both --identity and --key.")
    if arguments.identity is not None and arguments.server is None:
        yield Fault("identity", "an identity is for asking a node", "Give --server HOST as well.")
    if arguments.identity is not None:
        yield from _faults_of(nodes.reference_of, arguments.identity)
    if arguments.server is not None:
        yield from _faults_of(nodes.address_of, arguments.server)


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
        nodes.register_there(nodes.address_of(arguments.server), record, _identity(arguments))
    else:
        nodes.register_here(Path(arguments.names[0]), record, replace=arguments.replace)
    _tell(arguments, f"Registered {record.handle}.", {"handle": record.handle, "values": len(values)})


def _register_faults(arguments: Namespace) -> Iterator[Fault]:
    wanted = 1 if arguments.server is not None else 2
    if len(arguments.names) != wanted:
        message = f"{len(arguments.names)} words were given"
        yield Fault("register", message, "Give STORE NAME, or NAME with --server, or STORE with --ledger.")
    else:
        yield from _faults_of(handle_of, arguments.names[-1])
    if not arguments.values and not arguments.privates:
        yield Fault("register", "there is no value", "Give one, as --value 1:URL=https://plant.example/pump-7.")
    if arguments.server is not None and arguments.identity is None:
        yield Fault("register", "a node takes changes from its administrators", "Give --identity and --key.")
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
