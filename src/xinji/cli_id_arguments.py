"""The arguments of `xinji id`, with help and examples for each of its sub-verbs."""

from __future__ import annotations

import argparse

from xinji.cli_arguments import add_sub_verbs, path, whole
from xinji.use.identity.limits import CONNECTIONS_EACH

HELP = {"id": "run an identifier node: register names for facilities and equipment, and resolve them"}
EXAMPLES = {
    "id": """\
examples:
  xinji id init node --prefix 88.123.10 --key admin.pem      make a node: prefix, administrator and key
  xinji id register node --ledger xinwu.ledger --prefix 88.123.10     name every facility of a ledger
  xinji id serve node                                        DO-IRP on port 2641, HTTP on port 8000
  xinji id resolve 88.123.10/R-1066 --server 127.0.0.1       ask it

`xinji id VERB --help` has more.
""",
}
DONE = {"id": " (each sub-verb's own --help says more)"}

STATUSES = """\
exit status:
  0  done{done}
  2  refused: wrong input, an unknown name, or a disk that refuses; the reasons stand on standard
     error, one a line, and nothing is written
"""

_HELP = {
    "init": "make a node: a store with its prefix, an administrator and that one's key",
    "serve": "serve a node over DO-IRP (TCP and UDP) and HTTP until it is told to stop",
    "resolve": "say what an identifier stands for",
    "register": "register one identifier, or one for every facility of a ledger",
    "import": "register many identifiers from CSV or JSON Lines, all or none",
    "export": "write identifiers to CSV or JSON Lines",
    "backup": "copy a node's store while it is served",
    "restore": "make a store from a backup, checked by its fingerprint",
    "key": "make a key for an identity",
    "prefix": "take another prefix in: served and administered as one that the node holds",
    "replica": "have a node know a replica of some of its prefixes: site records, identity and key",
}
_EXAMPLES = {
    "init": """\
examples:
  xinji id init node --prefix 88.123.10 --key admin.pem
  xinji id init node --prefix 88.123.10 --key admin.pem --host 10.0.0.5      what clients are told
""",
    "serve": """\
examples:
  xinji id serve node                                   this machine only: DO-IRP 2641, HTTP 8000
  xinji id serve node --host 0.0.0.0 --tls chain.pem --tls-key tls.pem
  xinji id serve node --role secondary --prefix 88.123 --admin 300:88.123/ADMIN
  xinji id serve node --rate 200 --burst 1000           for each network (/24 or /56) and second
  xinji id serve node --connections 2000                open at once for each network, as for a proxy in front
  xinji id serve copy --read-only                       answers, takes no changes
  xinji id serve node --no-audit-log                    else all changes are noted in node/audit.jsonl
  xinji id serve east --replica-of 10.0.0.5:8000 --identity 300:88.123.10/EAST --identity-key east.pem \\
      --prefix 88.123.10                                follows a primary (see `xinji id replica`)
  xinji id serve node --cache 10.0.0.5:2641             answers for others' identifiers too, from that root on

Faces: /api/handles (as Handle.Net), /doip, /identityv2 and /api/v1/doip (secondary node), GS1 Digital Link,
/metrics (Prometheus), /healthz. SIGTERM or Ctrl-C lets answers under way be finished. Without TLS, passwords and
tokens are taken from this machine alone.
""",
    "resolve": """\
examples:
  xinji id resolve 88.123.10/R-1066 --store node
  xinji id resolve 88.123.10/R-1066 --server 10.0.0.5:2641 --type URL --type STATE
  xinji id resolve 88.123.10/R-1066 --server 10.0.0.5 --server 10.0.0.6      a replica, where the first is silent
  xinji id resolve 88.123.10/R-1066 --server 10.0.0.5 --identity 300:88.123.10/ADMIN --key admin.pem   private too
  xinji id resolve urn:oid:1.2.156.3088.1 --store node --json

A name may be a handle, hdl:..., an https address of one, urn:oid:..., ecode:... or urn:gs1:01:09506000134352.
""",
    "register": """\
examples:
  xinji id register node 88.123.10/pump-7 --value 1:URL=https://plant.example/pump-7 --private 2:COST=1100
  xinji id register --server 10.0.0.5 --identity 300:88.123.10/ADMIN --key admin.pem \\
      88.123.10/pump-7 --value 1:URL=https://plant.example/pump-7
  xinji id register node --ledger xinwu.ledger --prefix 88.123.10 --endpoint https://assets.example/facility
  xinji id register node --ledger postgresql://li@db/xinwu --prefix 88.123.10 --who li --sign li.pem

With --ledger every facility gets PREFIX/its id: what it is, where, its state and planned year for anybody, money
and project for its administrator. Run it again after each import: what has changed is written, nothing else.
""",
    "import": """\
examples:
  xinji id import node equipment.csv                    handle,2001:NAME,2002:MODEL,3001:COST:1100
  xinji id import node records.jsonl --replace --processes 2
  xinji id import new_node records.jsonl --create

A column is INDEX:TYPE or INDEX:TYPE:PERMISSIONS (1110 public, 1100 private). `xinji id export` writes the same forms.
""",
    "export": """\
examples:
  xinji id export node all.jsonl
  xinji id export node park.csv --under 88.123.10/ --with-private
""",
    "backup": """\
examples:
  xinji id backup node backups/2027-03-01               compact, with a fingerprint; while it is served
""",
    "restore": """\
examples:
  xinji id restore backups/2027-03-01 node
""",
    "key": """\
examples:
  xinji id key li.pem                                   prints the public half, to register as HS_PUBKEY
""",
    "prefix": """\
examples:
  xinji id prefix node 88.123.11 --like 88.123.10
""",
    "replica": """\
examples:
  xinji id replica node EAST --prefix 88.123.10 --prefix 88.123.11 --host 10.0.0.6 --key east.pem
  xinji id serve east --replica-of 10.0.0.5:8000 --identity 300:88.123.10/EAST --identity-key east.pem \\
      --prefix 88.123.10 --prefix 88.123.11 --host 10.0.0.6      then, there: follow and answer

Each prefix's record (0.NA/PREFIX) then names the replica as a further site for queries: clients that find the primary
silent ask it. The node may be serving meanwhile. A replica gets the values that its identity may read: the public ones.
""",
}
_DONE = {"serve": " (told to stop)"}


def add_id_verbs(made: dict[str, argparse.ArgumentParser]) -> None:
    """Add the sub-verbs to the verb ``id`` of ``made``."""
    epilogs = {name: f"{text}\n{STATUSES.format(done=_DONE.get(name, ''))}" for name, text in _EXAMPLES.items()}
    verbs = add_sub_verbs(made["id"], "id_verb", _HELP, epilogs)
    _add_init(verbs["init"])
    _add_serve(verbs["serve"])
    _add_resolve(verbs["resolve"])
    _add_register(verbs["register"])
    _add_files(verbs)
    _add_replica(verbs)
    for name, verb in verbs.items():
        if name != "serve":
            verb.add_argument("--json", action="store_true", help="print one JSON object")


def _add_init(verb: argparse.ArgumentParser) -> None:
    _add_store(verb)
    verb.add_argument("--prefix", required=True, help="the prefix that the node serves, as 88.123.10")
    verb.add_argument("--key", type=path, required=True, metavar="FILE", help="the administrator's new key file")
    verb.add_argument("--host", default="127.0.0.1", help="address that clients are told (default: 127.0.0.1)")
    _add_ports(verb)


def _add_ports(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--doirp-port", type=whole, default=2641, metavar="N", help="TCP and UDP (default: 2641)")
    verb.add_argument("--http-port", type=whole, default=8000, metavar="N", help="(default: 8000)")


def _add_store(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("store", type=path, metavar="STORE", help="the folder of a node's store")


def _add_serve(verb: argparse.ArgumentParser) -> None:
    _add_store(verb)
    verb.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    _add_ports(verb)
    verb.add_argument(
        "--role", choices=("national", "secondary", "enterprise"), default="enterprise", help="(default: enterprise)"
    )
    verb.add_argument(
        "--prefix", dest="prefixes", action="append", default=[], metavar="PREFIX",
        help="a prefix that the node answers for itself (default: whatever it holds); may be given again",
    )  # fmt: skip
    verb.add_argument(
        "--admin", dest="administrators", action="append", default=[], metavar="INDEX:HANDLE",
        help="an identity that administers all of it; may be given again",
    )  # fmt: skip
    verb.add_argument("--key", type=path, metavar="FILE", help="key to sign DO-IRP answers with where asked to")
    verb.add_argument("--tls", type=path, metavar="FILE", help="certificate chain (PEM) for HTTPS")
    verb.add_argument("--tls-key", type=path, metavar="FILE", help="its private key (PEM)")
    verb.add_argument("--tls-clients", type=path, metavar="FILE", help="certificates of clients who prove themselves")
    verb.add_argument(
        "--rate", type=whole, default=2000, metavar="N",
        help="requests a second and network (default: 2000, more than a whole nation asks; 0: no limit)",
    )  # fmt: skip
    verb.add_argument("--burst", type=whole, default=10_000, metavar="N", help="requests at once (default: 10000)")
    verb.add_argument(
        "--connections", type=whole, default=CONNECTIONS_EACH, metavar="N",
        help=f"connections a network may have open (default: {CONNECTIONS_EACH}; 0: no limit)",
    )  # fmt: skip
    verb.add_argument(
        "--cache", metavar="HOST[:PORT]",
        help="ask from this root on (DO-IRP) for identifiers that other nodes serve, and keep the answers",
    )  # fmt: skip
    verb.add_argument("--read-only", action="store_true", help="take no changes")
    verb.add_argument(
        "--audit-log", action=argparse.BooleanOptionalAction,
        help="keep a log of all changes and attempts in STORE (default: yes, but not with --read-only)",
    )  # fmt: skip
    _add_following(verb)


def _add_resolve(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("name", metavar="NAME", help="what to resolve")
    verb.add_argument("--store", type=path, metavar="STORE", help="look in the store itself; public values only")
    _add_server(verb)
    verb.add_argument("--type", dest="types", action="append", default=[], help="values of this type; may be repeated")
    verb.add_argument(
        "--index", dest="indexes", action="append", default=[], type=whole, help="value at this index; may be repeated"
    )


def _add_server(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--server", action="append", metavar="HOST[:PORT]",
        help="ask a node over DO-IRP (port 2641 without); of several given, the first that answers",
    )  # fmt: skip
    verb.add_argument("--identity", metavar="INDEX:HANDLE", help="who asks, as 300:88.123.10/ADMIN")
    verb.add_argument("--key", type=path, metavar="FILE", help="that identity's key")


def _add_register(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("names", nargs="*", metavar="STORE NAME", help="the store, and one name; with --server the name")
    _add_server(verb)
    verb.add_argument(
        "--value", dest="values", action="append", default=[], metavar="INDEX:TYPE=TEXT", help="a public value"
    )
    verb.add_argument(
        "--private", dest="privates", action="append", default=[], metavar="INDEX:TYPE=TEXT", help="a private value"
    )
    verb.add_argument("--replace", action="store_true", help="replace what is registered under the name")
    verb.add_argument("--ledger", metavar="LEDGER", help="name every facility of this ledger")
    verb.add_argument("--prefix", help="under this prefix")
    verb.add_argument("--endpoint", default="", metavar="URL", help="the owner's service; a facility's id is added")
    verb.add_argument("--who", default="", help="who names, for the ledger (default: the login)")
    verb.add_argument("--sign", type=path, metavar="FILE", help="key to sign the ledger's events with")


def _add_files(verbs: dict[str, argparse.ArgumentParser]) -> None:
    source, target = verbs["import"], verbs["export"]
    _add_store(source)
    source.add_argument("file", type=path, metavar="FILE", help="*.csv or *.jsonl")
    source.add_argument("--replace", action="store_true", help="replace records that are there")
    source.add_argument("--create", action="store_true", help="make the store if it is not there")
    source.add_argument("--processes", type=whole, default=2, metavar="N", help="that read the file (default: 2)")
    _add_store(target)
    target.add_argument("file", type=path, metavar="FILE", help="*.csv or *.jsonl, new")
    target.add_argument("--under", default="", metavar="START", help="identifiers that start so only")
    target.add_argument("--with-private", action="store_true", help="private values too; keep the file safe")
    _add_store(verbs["backup"])
    verbs["backup"].add_argument("folder", type=path, metavar="FOLDER", help="the new folder of the backup")
    verbs["restore"].add_argument("folder", type=path, metavar="FOLDER", help="a backup")
    verbs["restore"].add_argument("store", type=path, metavar="STORE", help="the store to make, new")
    verbs["key"].add_argument("file", type=path, metavar="FILE", help="the new key file")


def _add_replica(verbs: dict[str, argparse.ArgumentParser]) -> None:
    prefix, replica = verbs["prefix"], verbs["replica"]
    for verb in (prefix, replica):
        _add_store(verb)
    prefix.add_argument("prefix", metavar="PREFIX", help="the prefix to take in, as 88.123.11")
    prefix.add_argument("--like", required=True, metavar="PREFIX", help="a prefix that it holds, as 88.123.10")
    replica.add_argument("name", metavar="NAME", help="its identity's name under the first prefix, as EAST")
    replica.add_argument(
        "--prefix", dest="prefixes", action="append", required=True, metavar="PREFIX",
        help="a prefix that it follows; may be given again",
    )  # fmt: skip
    replica.add_argument("--host", default="127.0.0.1", help="address that clients are told (default: 127.0.0.1)")
    _add_ports(replica)
    replica.add_argument("--key", type=path, required=True, metavar="FILE", help="the replica's new key file")


def _add_following(verb: argparse.ArgumentParser) -> None:
    # What makes a node that is served a replica.
    verb.add_argument(
        "--replica-of", metavar="HOST[:PORT]",
        help="follow this primary's HTTP (port 8000 without; HTTPS unless it is this machine, or an address with "
        "http:// or https://) for each --prefix; STORE is made where it is not there",
    )  # fmt: skip
    verb.add_argument("--identity", metavar="INDEX:HANDLE", help="the replica's identity, as 300:88.123.10/EAST")
    verb.add_argument("--identity-key", type=path, metavar="FILE", help="that identity's key")
    verb.add_argument("--primary-ca", type=path, metavar="FILE", help="certificates (PEM) that vouch for the primary's")
