"""A whole node at work: DO-IRP over TCP and UDP, and all HTTP faces, in one thread of one process."""

from __future__ import annotations

import asyncio
import logging
import resource
import signal
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from xinji.errors import Fault, InputError
from xinji.use.identity.audit import AuditLog
from xinji.use.identity.audit_node import AuditedNode, watched, wrong_proof
from xinji.use.identity.cache import CacheSettings, RecordCache
from xinji.use.identity.client import Resolver
from xinji.use.identity.doirp.codes import OpCode
from xinji.use.identity.doirp.operations import service_of
from xinji.use.identity.http.faces import SiteSettings, site
from xinji.use.identity.keys import SigningKey
from xinji.use.identity.limits import CONNECTIONS_EACH, Allowance, Places, RateLimiter
from xinji.use.identity.metrics import NodeMetrics
from xinji.use.identity.node import Node
from xinji.use.identity.serve_cached import CachingResolver, elsewhere, recursive
from xinji.use.identity.serve_doirp import DoirpOptions, DoirpServer, start_doirp
from xinji.use.identity.serve_http import HttpOptions, HttpServer, event_loop, start_http
from xinji.use.identity.value_data import Site

LOGGER = logging.getLogger(__name__)

GRACE_S = 5.0
"""How long answers under way may take once the node is told to stop [s]."""

OPEN_FILES = 20_000
"""Files that a node may need open at once: 8,192 and 10,000 connections, two lobbies of 256, and its store."""

RATE = Allowance(rate_per_s=2_000.0, burst=10_000.0)
"""Requests that a network may make: the whole nation resolves 1,400 a second, so that 2,000 is ample for one."""


@dataclass(frozen=True, slots=True)
class Serving:
    """Where and how a node is served.

    Ports of 0 pick free ones. ``key`` signs DO-IRP answers where that is asked for; ``service_site`` is what
    clients are told of the node's servers; ``allowance`` limits each network over both protocols together, None
    limits nobody; ``connections_each`` [count] may be open for each, None means any number. ``primary`` says whether
    changes are taken. ``reuse_port`` lets several processes share the ports. ``audit`` is told of every change that is
    asked for and of failed proofs; ``silence_s`` says for how long a replica's primary has not answered. Where
    ``root`` names the root of other nodes, handles that they serve are asked of them and kept as ``cache`` says.
    """

    host: str = "127.0.0.1"
    doirp_port: int = 2641
    http_port: int = 8000
    allowance: Allowance | None = RATE
    connections_each: int | None = CONNECTIONS_EACH
    tls: ssl.SSLContext | None = None
    key: SigningKey | None = None
    service_site: Site | None = None
    site: SiteSettings = field(default_factory=SiteSettings)
    primary: bool = True
    reuse_port: bool = False
    audit: AuditLog | None = None
    silence_s: Callable[[], float] | None = None
    root: Site | None = None
    cache: CacheSettings = field(default_factory=CacheSettings)


@dataclass(frozen=True, slots=True)
class Listening:
    """Where a node listens."""

    host: str
    doirp_port: int
    http_port: int


def serve(node: Node, serving: Serving, told: Callable[[Listening], None]) -> None:
    """Serve ``node`` until SIGTERM or SIGINT; ``told`` is called once it listens.

    Answers under way are finished, for up to ``GRACE_S``. Raises InputError where an address cannot be had.
    """
    open_files()
    loop = event_loop()
    try:
        loop.run_until_complete(_serve(node, serving, told))
    finally:
        loop.close()


def open_files() -> int:
    """Let this process have as many files open as both servers may have connections; return how many it may.

    Systems often begin at 1,024: a few hundred silent clients would take them all. Logs where the system's own limit
    is lower than that.
    """
    least, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = OPEN_FILES if most == resource.RLIM_INFINITY else min(OPEN_FILES, most)
    if least != resource.RLIM_INFINITY and least < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))
    if allowed < OPEN_FILES:
        LOGGER.warning("the system allows %d open files; that many connections end it (ulimit -Hn)", allowed)
    return allowed


async def _serve(node: Node, serving: Serving, told: Callable[[Listening], None]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    doirp, http = await start(node, serving)
    try:
        told(Listening(serving.host, doirp.port, http.port))
        await stop.wait()
    finally:
        await asyncio.gather(doirp.stop(GRACE_S), http.stop(GRACE_S))
        # What other nodes are being asked for, nobody waits for any more.
        asking = asyncio.all_tasks() - {asyncio.current_task()}
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)


async def start(node: Node, serving: Serving) -> tuple[DoirpServer, HttpServer]:
    """Start both servers of ``node`` in the running event loop; the caller stops them.

    Raises InputError where an address cannot be had.
    """
    limiter = None if serving.allowance is None else RateLimiter(serving.allowance)
    places = None if serving.connections_each is None else Places(serving.connections_each)
    metrics = NodeMetrics(node.store, limiter)
    metrics.audit, metrics.places = serving.audit, places
    caching = _caching(serving)
    settings = serving.site if caching is None else replace(serving.site, elsewhere=elsewhere(caching))
    if serving.audit is not None:
        settings = _audited(settings, node, serving.audit)
        node = AuditedNode(node, serving.audit)
    whole = site(node, settings, more=metrics.faces())
    metrics.name_faces(whole.faces)
    service = service_of(
        node, key=serving.key, site=serving.service_site, primary=serving.primary, failures=serving.site.failures
    )
    if caching is not None and settings.elsewhere is not None:
        metrics.cache = caching.cache
        service.handlers = {**service.handlers, OpCode.RESOLUTION: recursive(settings.elsewhere)}
    if serving.audit is not None:
        proving = watched(service.handlers[OpCode.CHALLENGE_RESPONSE], serving.audit)
        service.handlers = {**service.handlers, OpCode.CHALLENGE_RESPONSE: proving}
    doirp_options = DoirpOptions(limiter=limiter, places=places, reuse_port=serving.reuse_port)
    http_options = HttpOptions(
        serving.tls, limiter=limiter, places=places, hook=metrics.hook, reuse_port=serving.reuse_port
    )
    try:
        doirp = await start_doirp(service, host=serving.host, port=serving.doirp_port, options=doirp_options)
    except OSError as error:
        raise _taken("DO-IRP", serving.host, serving.doirp_port, error) from error
    try:
        http = await start_http(whole, host=serving.host, port=serving.http_port, options=http_options)
    except OSError as error:
        await doirp.stop(0.0)
        raise _taken("HTTP", serving.host, serving.http_port, error) from error
    metrics.doirp = doirp.counts
    metrics.silence_s = serving.silence_s
    metrics.servers = {"doirp": doirp, "http": http}
    return doirp, http


def _caching(serving: Serving) -> CachingResolver | None:
    if serving.root is None:
        return None
    return CachingResolver(Resolver((serving.root,)).resolve, RecordCache(serving.cache))


def _audited(settings: SiteSettings, node: Node, log: AuditLog) -> SiteSettings:
    """Return ``settings`` by which ``log`` is told of wrong proofs."""
    return replace(settings, failures=replace(settings.failures, told=wrong_proof(node.store, log)))


def _taken(what: str, host: str, port: int, error: OSError) -> InputError:
    reason = error.strerror or type(error).__name__
    remedy = "Name another port, or stop what listens there; ports below 1024 need privileges."
    return InputError([Fault(what, f"{host}, port {port} cannot be listened on ({reason})", remedy)])
