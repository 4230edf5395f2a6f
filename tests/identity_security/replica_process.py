"""A node of the test of replicas: ``replica_process.py STORE DOIRP_PORT HTTP_PORT [PRIMARY_URL KEY PREFIX...]``."""

from __future__ import annotations

import sys
from pathlib import Path

from xinji.use.identity.client_link import Identity
from xinji.use.identity.keys import read_key
from xinji.use.identity.node import Node, NodeSettings, Role
from xinji.use.identity.record import Reference
from xinji.use.identity.replica import Follower, ReplicaNode
from xinji.use.identity.serve import Listening, Serving, serve
from xinji.use.identity.serve_replica import HttpSource, serve_replica
from xinji.use.identity.store import open_store

ADMIN = "88.1/ADMIN"


def told(_: Listening) -> None:
    """Say that the node listens."""
    print("ready", flush=True)  # noqa: T201 - the pipe is what the test reads


def main() -> None:
    """Serve until killed."""
    folder, doirp_port, http_port, *more = sys.argv[1:]
    settings = NodeSettings(Role.SECONDARY, tuple(more[2:]), (Reference(ADMIN, 0),))
    with open_store(Path(folder), create=True) as store:
        serving = Serving(doirp_port=int(doirp_port), http_port=int(http_port), primary=not more)
        if not more:
            serve(Node(store, settings), serving, told)
            return
        source = HttpSource(more[0], Identity(ADMIN, 301, read_key(Path(more[1]))))
        follower = Follower(store, source, tuple(more[2:]))
        serve_replica(ReplicaNode(store, settings), serving, follower, told, every_s=0.05)


if __name__ == "__main__":
    main()
