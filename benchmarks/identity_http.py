"""Resolution over HTTP: requests a CPU second of one worker, against nginx and FastAPI in the same run.

Ours resolves random identifiers of a store on disk; nginx (one worker) serves the bytes of one such answer from a
file; FastAPI under uvicorn (one worker, uvloop, httptools) answers the same record from a dict. The load is wrk's,
round by round in turn; CPU seconds are those of the server's process alone. Peers that are not there are named.

    python benchmarks/identity_http.py [--records N] [--seconds S] [--rounds R] [--peers PYTHON]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from xinji.use.identity.bulk import load
from xinji.use.identity.http.faces import site
from xinji.use.identity.node import Node, NodeSettings
from xinji.use.identity.record import Record, Value
from xinji.use.identity.serve_http import event_loop, start_http
from xinji.use.identity.store import open_store

CONNECTIONS = 64
PREFIX = "88.123.1"
TARGET_NGINX, TARGET_FASTAPI = 0.15, 4.0

NGINX = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; {user}
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; open_file_cache max=10 inactive=60s; keepalive_requests 1000000000;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{ listen 127.0.0.1:{port}; root {folder}; default_type application/json;
    location / {{ rewrite ^ /record.json break; }} }}
}}
"""

FASTAPI = """
import json, sys
from fastapi import FastAPI
app = FastAPI()
RECORD = json.loads(open({file!r}).read())
RECORDS = dict.fromkeys(range(1000), RECORD)
@app.get("/api/handles/{{prefix}}/{{suffix}}")
async def resolve(prefix: str, suffix: str):
    return RECORDS[hash(suffix) % 1000]
"""

SCRIPT = """
local n, size = 0, {size}
request = function()
  n = (n * 1103515245 + 12345) % 2147483648
  return wrk.format("GET", "/api/handles/{prefix}/asset-" .. (n % size))
end
"""


@dataclass(frozen=True, slots=True)
class Round:
    """What one round showed of a server: requests, failed ones, CPU seconds of the server, wall seconds."""

    requests: int
    failed: int
    cpu_s: float
    wall_s: float


def record(number: int) -> Record:
    """Return an identifier's record of about 488 octets in DO-IRP form."""
    place = b"120.%05d,31.%05d" % (number % 99_999, number % 88_888)
    data = (
        ("URL", b"https://assets.example.cn/facility/%08d" % number),
        ("NAME", b"5G base station %08d" % number),
        ("STATE", b"in_use"),
        ("PLACE", place),
        ("DESC", b"d" * 210),
    )
    values = (Value(index=i, type=t, data=d, timestamp_s=1_780_000_000) for i, (t, d) in enumerate(data, 1))
    return Record(f"{PREFIX}/asset-{number}", tuple(values))


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds [s] that the process ``pid`` has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def serve(folder: Path, port: int) -> None:
    """Serve the store in ``folder`` until killed."""

    async def run() -> None:
        with open_store(folder, read_only=True) as store:
            await start_http(site(Node(store, NodeSettings())), host="127.0.0.1", port=port)
            await asyncio.Event().wait()

    event_loop().run_until_complete(run())


def fetch(port: int, *, tries: int = 100) -> bytes:
    """Return the answer for one identifier, once the server answers."""
    for _ in range(tries):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/handles/{PREFIX}/asset-7", timeout=5) as answer:
                return bytes(answer.read())
        except OSError:
            time.sleep(0.1)
    message = f"nothing answers on port {port}"
    raise TimeoutError(message)


@contextmanager
def process(command: list[str]) -> Iterator[int]:
    """Run ``command`` and give its process number."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as made:  # noqa: S603
        try:
            yield made.pid
        finally:
            made.terminate()


def nginx_worker(master: int) -> int:
    """Return the process number of nginx's worker."""
    for _ in range(50):
        children = Path(f"/proc/{master}/task/{master}/children").read_text(encoding="ascii").split()
        if children:
            return int(children[0])
        time.sleep(0.1)
    message = "nginx has no worker"
    raise TimeoutError(message)


def measure(pid: int, port: int, script: Path, seconds: float) -> Round:
    """Return what wrk and /proc say of one round."""
    before, start = cpu_seconds(pid), time.perf_counter()
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds:g}s", "-s", str(script), f"http://127.0.0.1:{port}"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603
    spent = cpu_seconds(pid) - before
    found = re.search(r"(\d+) requests in", text)
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    return Round(int(found[1]) if found else 0, int(failed[1]) if failed else 0, spent, time.perf_counter() - start)


def report(name: str, rounds: list[Round]) -> float:
    """Print the rounds of a server and return its median of requests a CPU second [1/s]."""
    rates = [item.requests / item.cpu_s for item in rounds if item.cpu_s > 0]
    middle = statistics.median(rates)
    wall = statistics.median(item.requests / item.wall_s for item in rounds)
    failed = sum(item.failed for item in rounds)
    print(f"{name:8} {middle:10,.0f} requests/CPU s (rounds {min(rates):,.0f} to {max(rates):,.0f}), "
          f"{wall:,.0f}/s of wall time, {failed} failed")  # fmt: skip
    return middle


def main() -> None:
    """Build the store, start the servers, measure in turn, print figures and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", type=Path, default=Path(".venv/bench/bin/python"), help="a Python with FastAPI")
    parser.add_argument("--serve", nargs=2, metavar=("FOLDER", "PORT"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        serve(Path(asked.serve[0]), int(asked.serve[1]))
        return
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed: apt install wrk")
    with tempfile.TemporaryDirectory() as made:
        run(Path(made), asked)


def run(folder: Path, asked: argparse.Namespace) -> None:
    """Measure in ``folder`` as ``asked``."""
    folder.chmod(0o755)
    with open_store(folder / "store", create=True) as store:
        load(store, (record(number) for number in range(asked.records)))
    script = folder / "load.lua"
    script.write_text(SCRIPT.format(size=asked.records, prefix=PREFIX), encoding="ascii")
    ports = {name: free_port() for name in ("xinji", "nginx", "fastapi")}
    print(f"{platform.machine()}, Python {platform.python_version()}, {asked.records:,} identifiers, "
          f"{CONNECTIONS} connections, {asked.rounds} rounds of {asked.seconds:g} s")  # fmt: skip
    own = [sys.executable, __file__, "--serve", str(folder / "store"), str(ports["xinji"])]
    with process(own) as ours:
        body = fetch(ports["xinji"])
        (folder / "record.json").write_bytes(body)
        print(f"answers of {len(body)} bytes")
        with peers(folder, asked.peers, ports) as found:
            pids = {"xinji": ours, **found}
            results: dict[str, list[Round]] = {name: [] for name in pids}
            for _ in range(asked.rounds):
                for name, pid in pids.items():
                    results[name].append(measure(pid, ports[name], script, asked.seconds))
    rates = {name: report(name, rounds) for name, rounds in results.items()}
    for name, target in (("nginx", TARGET_NGINX), ("fastapi", TARGET_FASTAPI)):
        if name in rates:
            print(f"xinji / {name}: {rates['xinji'] / rates[name]:.3f} (target {target:g})")
        else:
            print(f"xinji / {name}: not measured, {name} is not here")


@contextmanager
def peers(folder: Path, python: Path, ports: dict[str, int]) -> Iterator[dict[str, int]]:
    """Start those peers that are installed and give the numbers of their processes."""
    found: dict[str, int] = {}
    commands: dict[str, list[str]] = {}
    nginx = shutil.which("nginx")
    if nginx is not None:
        user = "user root;" if os.geteuid() == 0 else ""
        conf = folder / "nginx.conf"
        conf.write_text(NGINX.format(folder=folder, port=ports["nginx"], user=user), encoding="ascii")
        commands["nginx"] = [nginx, "-c", str(conf)]
    has_fastapi = (
        python.exists()
        and not subprocess.run(  # noqa: S603
            [str(python), "-c", "import fastapi, uvicorn"], capture_output=True, check=False
        ).returncode
    )
    if has_fastapi:
        (folder / "app.py").write_text(FASTAPI.format(file=str(folder / "record.json")), encoding="ascii")
        commands["fastapi"] = [str(python), "-m", "uvicorn", "app:app", "--app-dir", str(folder), "--port",
                               str(ports["fastapi"]), "--log-level", "error", "--no-access-log"]  # fmt: skip
    with _all(list(commands.values())) as pids:
        for name, pid in zip(commands, pids, strict=True):
            answer = fetch(ports[name])
            same = json.loads(answer) == json.loads((folder / "record.json").read_bytes())
            print(f"{name} answers {'the same' if same else 'SOMETHING ELSE'}, {len(answer)} bytes")
            found[name] = nginx_worker(pid) if name == "nginx" else pid
        yield found


@contextmanager
def _all(commands: list[list[str]]) -> Iterator[list[int]]:
    if not commands:
        yield []
        return
    with process(commands[0]) as first, _all(commands[1:]) as rest:
        yield [first, *rest]


if __name__ == "__main__":
    main()
