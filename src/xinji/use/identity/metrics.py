"""What a node tells of itself over HTTP: `/metrics` for Prometheus, `/healthz` for whoever keeps it running.

Names follow Prometheus' own rules (base units, ``_total`` of counters). Nothing that a client sent becomes a
label, so that no client can make the table grow.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from xinji.errors import XinjiError
from xinji.use.identity.audit import AuditLog, Result
from xinji.use.identity.cache import RecordCache
from xinji.use.identity.doirp.codes import OpCode, ResponseCode
from xinji.use.identity.http.message import Face, Request, Response, problem, write_json
from xinji.use.identity.limits import Places, RateLimiter
from xinji.use.identity.serve_clients import Refusal, StreamServer
from xinji.use.identity.store import Store

HEALTH_PATH = b"/healthz"
METRICS_PATH = b"/metrics"

_READ_ERRORS = (XinjiError, OSError, RuntimeError, ValueError)


class NodeMetrics(Collector):
    """Counts of one node; ``servers`` (by protocol), ``doirp`` and ``cache`` are looked at when Prometheus asks."""

    def __init__(self, store: Store, limiter: RateLimiter | None, *, clock: Callable[[], float] = time.time) -> None:
        self.http: Counter[tuple[str, int]] = Counter()
        self.doirp: Counter[tuple[int, int]] = Counter()
        self.servers: Mapping[str, StreamServer] = {}
        self.cache: RecordCache | None = None
        self.silence_s: Callable[[], float] | None = None
        self.audit: AuditLog | None = None
        self.places: Places | None = None
        self._store = store
        self._limiter = limiter
        self._started_s = clock()
        self._faces: tuple[tuple[tuple[bytes, ...], str], ...] = ()
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def name_faces(self, faces: tuple[Face, ...]) -> None:
        """Count requests under the first path prefix of each of ``faces``, tried in this order."""
        self._faces = tuple((face.prefixes, face.prefixes[0].decode("ascii")) for face in faces)

    def hook(self, request: Request, response: Response) -> None:
        """Count one answer."""
        path = request.path
        for prefixes, name in self._faces:
            if path.startswith(prefixes):
                self.http[name, response.status] += 1
                return
        self.http["none", response.status] += 1

    def collect(self) -> Iterator[Metric]:
        """Yield all figures as they stand."""
        yield self._http()
        yield self._doirp()
        yield from self._connections()
        held = self._store.statistics()
        yield GaugeMetricFamily("xinji_store_records", "Identifiers that are registered.", value=held.records)
        yield GaugeMetricFamily("xinji_store_bytes", "Size of the store on disk.", value=held.used_bytes)
        if self.cache is not None:
            yield from _of_cache(self.cache)
        if self.audit is not None:
            text = "Changes and attempts by what became of them in the audit log."
            entries = CounterMetricFamily("xinji_audit_entries", text, labels=["result"])
            for result in Result:
                entries.add_metric([result], self.audit.counts[result])
            yield entries
        if self.silence_s is not None:
            text = "For how long a replica's primary has not answered."
            yield GaugeMetricFamily("xinji_replica_silence_seconds", text, value=self.silence_s())
        networks = 0 if self._limiter is None else len(self._limiter)
        yield GaugeMetricFamily("xinji_limited_networks", "Networks whose requests are being counted.", value=networks)
        yield GaugeMetricFamily("xinji_start_time_seconds", "When the node was started.", value=self._started_s)

    def _connections(self) -> Iterator[Metric]:
        open_now = GaugeMetricFamily("xinji_connections", "Connections that are open.", labels=["protocol"])
        text = "Connections that were not served: too many of all, or of one network."
        refused = CounterMetricFamily("xinji_refused_connections", text, labels=["protocol", "reason"])
        for protocol, server in self.servers.items():
            open_now.add_metric([protocol], server.connections)
            for reason in (Refusal.FULL, Refusal.NETWORK):
                refused.add_metric([protocol, reason], server.refused[reason])
        yield open_now
        yield refused
        if self.places is not None:
            text = "Connections of the network that has the most open."
            yield GaugeMetricFamily("xinji_network_connections_most", text, value=self.places.fullest())

    def _http(self) -> Metric:
        text = "HTTP answers by face and status; 429 is the rate limit's."
        family = CounterMetricFamily("xinji_http_answers", text, labels=["face", "status"])
        for (face, status), count in sorted(self.http.items()):
            family.add_metric([face, str(status)], count)
        return family

    def _doirp(self) -> Metric:
        text = "DO-IRP answers by operation and response code."
        family = CounterMetricFamily("xinji_doirp_answers", text, labels=["operation", "response"])
        counts: Counter[tuple[str, str]] = Counter()
        for (operation, response), count in self.doirp.items():
            counts[_name(OpCode, operation), _name(ResponseCode, response)] += count
        for (operation_name, response_name), count in sorted(counts.items()):
            family.add_metric([operation_name, response_name], count)
        return family

    def faces(self) -> tuple[Face, ...]:
        """Return the two faces."""
        return (
            Face((METRICS_PATH,), self._answer_metrics, problem),
            Face((HEALTH_PATH,), self._answer_health, problem),
        )

    def _answer_metrics(self, request: Request) -> Response:
        if request.method not in {b"GET", b"HEAD"} or request.path != METRICS_PATH:
            return _refused(request, METRICS_PATH)
        body = generate_latest(self._registry)
        return Response(200, body, CONTENT_TYPE_LATEST.encode("ascii"), ((b"Cache-Control", b"no-store"),))

    def _answer_health(self, request: Request) -> Response:
        if request.method not in {b"GET", b"HEAD"} or request.path != HEALTH_PATH:
            return _refused(request, HEALTH_PATH)
        try:
            records = self._store.statistics().records
        except _READ_ERRORS as error:
            return problem(503, f"the store cannot be read ({type(error).__name__})")
        return Response(
            200, write_json({"status": "ok", "records": records}), headers=((b"Cache-Control", b"no-store"),)
        )


def _of_cache(cache: RecordCache) -> Iterator[Metric]:
    text = "Questions for other nodes' identifiers: answered from the cache (a record, or that there is none) or not."
    family = CounterMetricFamily("xinji_cache_answers", text, labels=["kind"])
    counts = cache.counts
    for kind, count in (("hit", counts.hits), ("absent", counts.absent), ("miss", counts.misses)):
        family.add_metric([kind], count)
    yield family
    yield CounterMetricFamily("xinji_cache_evictions", "Answers that went for want of room.", value=counts.evicted)
    yield GaugeMetricFamily("xinji_cache_records", "Answers that are kept.", value=len(cache))


def _refused(request: Request, path: bytes) -> Response:
    return problem(404 if request.path != path else 405, f"GET {path.decode('ascii')} is all that is served here")


def _name(kind: type[OpCode | ResponseCode], number: int) -> str:
    """Return the name of a code; all that are unknown count as one."""
    try:
        return kind(number).name.lower()
    except ValueError:
        return "unknown"
