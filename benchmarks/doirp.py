"""DO-IRP over TCP against nginx serving the same octets: answers per CPU second of the server, in one run.

    python benchmarks/doirp.py --records 10000000 --store /tmp/identifiers

Both servers have one worker and are asked by the same load generator over the same number of connections
with the same number of requests under way on each. The node answers for random identifiers of its whole
store; nginx has the octets of one record, the value list of 488 octets, as a file kept open and as a text
in memory, and the faster of the two counts. CPU seconds are user and system time of the serving process
from /proc. Rounds alternate, the median counts.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import select
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from xinji.use.identity.bulk import load_csv
from xinji.use.identity.doirp.bodies import Query
from xinji.use.identity.doirp.codes import OpCode, OpFlag
from xinji.use.identity.doirp.message import Envelope, Header, Message
from xinji.use.identity.doirp.operations import service_of
from xinji.use.identity.node import Node, NodeSettings
from xinji.use.identity.record import Value, encode_values
from xinji.use.identity.serve_doirp import start_doirp
from xinji.use.identity.serve_http import event_loop
from xinji.use.identity.store import Store, open_store

PREFIX = "88.123.1"
RECORD_OCTETS = 488
TYPES = ((1, "URL"), (2, "NAME"), (3, "STATE"), (4, "PLACE"), (5, "OWNER"), (6, "PLAN"), (9, "DESC"))
FILLER = "x" * 129
BATCHES = 4_096
TICKS = os.sysconf("SC_CLK_TCK")

NGINX = """
{user} daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log crit;
events {{ worker_connections 1024; use epoll; multi_accept on; }}
http {{
  access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_requests 1000000000; keepalive_timeout 600;
  open_file_cache max=100 inactive=600s; open_file_cache_valid 600s; default_type application/octet-stream;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port} backlog=1024;
    location = /file {{ root {folder}/www; }}
    location = /text {{ return 200 "{text}"; }}
  }}
}}
"""


def handle_of(number: int) -> str:
    """Return the handle of record ``number``."""
    return f"{PREFIX}/asset-{number:010d}"


def texts_of(number: int) -> list[str]:
    """Return the texts of record ``number``, one for each of ``TYPES``."""
    return [
        f"https://assets.example.org/{number:010d}",
        f"Asset {number:010d}",
        "in_use",
        f"POINT({120 + number % 1000 / 1000:.6f} {31 + number % 997 / 1000:.6f})",
        "https://owner.example.org/endpoint",
        f"plan-2026/option-{number % 100_000:06d}",
        FILLER,
    ]


def values_of(number: int) -> tuple[Value, ...]:
    """Return values of record ``number``: together ``RECORD_OCTETS`` on the wire."""
    made = zip(TYPES, texts_of(number), strict=True)
    return tuple(Value(index=i, type=t, data=d.encode(), timestamp_s=1_700_000_000) for (i, t), d in made)


def fill(folder: Path, records: int) -> None:
    """Make a store of ``records`` in ``folder`` unless it is there."""
    if (folder / "data.mdb").is_file():
        return
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=folder.parent) as name, open_store(folder, create=True) as store:
        table = Path(name) / "records.csv"
        with table.open("w", encoding="utf-8") as file:
            file.write("handle," + ",".join(f"{index}:{name}" for index, name in TYPES) + "\n")
            for number in range(records):
                file.write(f"{handle_of(number)},{','.join(texts_of(number))}\n")
        written = time.perf_counter() - start
        load_csv(store, table)
    print(f"table of {records} records in {written:.0f} s, loaded in {time.perf_counter() - start - written:.0f} s")


def count(store: Store) -> int:
    """Return the number of records of ``store``."""
    return store.statistics().records


def serve(folder: Path) -> None:
    """Serve the store in ``folder``; print the port."""

    async def run() -> None:
        with open_store(folder, read_only=True) as store:
            server = await start_doirp(service_of(Node(store, NodeSettings())), host="127.0.0.1", port=0)
            print(server.port, flush=True)
            await asyncio.Event().wait()

    loop = event_loop()
    loop.run_until_complete(run())


def doirp_batches(records: int, chosen: argparse.Namespace) -> list[bytes]:
    """Return batches of queries for random records."""
    chance, depth = random.Random(7), chosen.depth  # noqa: S311 (not for secrets)
    flags = OpFlag.KC if chosen.all_values else OpFlag.PO | OpFlag.KC
    header, made = Header(OpCode.RESOLUTION, flags=flags), []
    for batch in range(BATCHES):
        queries = [
            Message(Envelope(batch * depth + i), header, Query(handle_of(chance.randrange(records))).encode()).encode()
            for i in range(depth)
        ]
        made.append(b"".join(queries))
    return made


def answer_octets(port: int, request: bytes) -> int:
    """Return the length of the answer to ``request``."""
    with socket.create_connection(("127.0.0.1", port)) as peer:
        peer.sendall(request)
        time.sleep(0.5)
        return len(peer.recv(65_536))


def generate(port: int, batches: list[bytes], expected: int, connections: int, seconds: float) -> tuple[int, float]:
    """Keep ``connections`` busy for ``seconds``; return how many batches were answered and the time taken [s]."""
    peers: dict[int, tuple[socket.socket, list[int]]] = {}
    poll, done = select.epoll(), 0
    for _ in range(connections):
        peer = socket.create_connection(("127.0.0.1", port))
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        poll.register(peer.fileno(), select.EPOLLIN)
        peers[peer.fileno()] = (peer, [0])
    buffer = bytearray(1 << 20)
    start = time.perf_counter()
    for place, (peer, _) in enumerate(peers.values()):
        peer.sendall(batches[place % len(batches)])
    turn = connections
    while time.perf_counter() - start < seconds:
        for handle, _ in poll.poll(1.0):
            peer, got = peers[handle]
            got[0] += peer.recv_into(buffer)
            if got[0] >= expected:
                got[0] -= expected
                done += 1
                peer.sendall(batches[turn % len(batches)])
                turn += 1
    took = time.perf_counter() - start
    for peer, _ in peers.values():
        peer.close()
    return done, took


def cpu_seconds(process: int) -> float:
    """Return user and system time of ``process`` [s]."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as peer:
        peer.bind(("127.0.0.1", 0))
        return int(peer.getsockname()[1])


@contextmanager
def running(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """Run ``command`` and end it afterwards."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 (our own commands)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


@contextmanager
def nginx(program: str, content: bytes) -> Iterator[tuple[int, int]]:
    """Run nginx with ``content`` as its only file; give its process and port."""
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        (folder / "www").mkdir()
        folder.chmod(0o755)
        (folder / "www" / "file").write_bytes(content)
        user = "user root;" if os.geteuid() == 0 else ""
        made = NGINX.format(folder=folder, port=port, user=user, text="x" * len(content))
        (folder / "nginx.conf").write_text(made, encoding="ascii")
        with running([program, "-p", name, "-c", str(folder / "nginx.conf")]) as process:
            time.sleep(1.0)
            yield process.pid, port


def measure(process: int, port: int, batches: list[bytes], chosen: argparse.Namespace) -> dict[str, float]:
    """Return answers a second of time and of the server's CPU for one round."""
    depth = chosen.depth
    octets = answer_octets(port, batches[0][: len(batches[0]) // depth]) * depth
    before = cpu_seconds(process)
    done, took = generate(port, batches, octets, chosen.connections, chosen.seconds)
    used = cpu_seconds(process) - before
    return {"per_cpu_second": done * depth / used, "per_second": done * depth / took, "busy": used / took}


def main() -> int:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--store", type=Path, help="folder of the store; made if it is not there")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--depth", type=int, default=64, help="requests under way on each connection")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--all-values", action="store_true", help="ask without the flag for public values only")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve:
        serve(chosen.serve)
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = chosen.store or Path(name) / "store"
        fill(folder, chosen.records)
        with open_store(folder, read_only=True) as store:
            records = count(store)
        report(folder, records, chosen)
    return 0


def report(folder: Path, records: int, chosen: argparse.Namespace) -> None:
    """Measure both and print the ratio."""
    queries = doirp_batches(records, chosen)
    pages = {name: [f"GET /{name} HTTP/1.1\r\nHost: a\r\n\r\n".encode() * chosen.depth] for name in ("file", "text")}
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    rounds: dict[str, list[dict[str, float]]] = {"DO-IRP": [], "nginx file": [], "nginx text": []}
    with running([sys.executable, __file__, "--serve", str(folder)]) as node:
        port = int("" if node.stdout is None else node.stdout.readline())
        measure(node.pid, port, queries, chosen)
        for _ in range(chosen.rounds):
            rounds["DO-IRP"].append(measure(node.pid, port, queries, chosen))
            for name in pages if program else ():
                with nginx(str(program), encode_values(values_of(0))) as (peer, peer_port):
                    rounds[f"nginx {name}"].append(measure(peer, peer_port, pages[name], chosen))
    print(f"store of {records} records, {chosen.connections} connections, {chosen.depth} requests under way on each")
    for name, found in rounds.items():
        for one in found:
            print(f"{name:10} " + json.dumps({key: round(value, 2) for key, value in one.items()}))
    rates = {name: statistics.median(one["per_cpu_second"] for one in found) for name, found in rounds.items() if found}
    ours = rates.pop("DO-IRP")
    if not rates:
        print(f"DO-IRP answers {ours:.0f} a CPU second; nginx is not installed, so there is no ratio")
        return
    best = max(rates, key=lambda name: rates[name])
    print(
        f"DO-IRP {ours:.0f}, {best} {rates[best]:.0f} answers a CPU second: ratio {ours / rates[best]:.2f} (target 0.7)"
    )


if __name__ == "__main__":
    sys.exit(main())
