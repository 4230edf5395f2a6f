"""A replica at work: it serves what it holds while a thread follows the primary over HTTP."""

from __future__ import annotations

import base64
import http.client
import json
import logging
import re
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import quote, urlencode, urlsplit

from xinji.errors import XinjiError
from xinji.use.identity.client_link import Identity
from xinji.use.identity.errors import Code, refuse
from xinji.use.identity.keys import SigningKey
from xinji.use.identity.node import Node
from xinji.use.identity.replica import Follower, Page, page_of
from xinji.use.identity.replica_feed import CHANGES, RECORDS
from xinji.use.identity.serve import Listening, Serving, serve

LOGGER = logging.getLogger(__name__)

MOST_OCTETS = 256 * 2**20
"""Longest answer of a primary that is taken."""

TIMEOUT_S = 10.0
_LOGIN = "/api/v1/doip/public"
_NUMBER = re.compile("[0-9a-f]{32}")


@dataclass(slots=True)
class HttpSource:
    """The primary at ``url``, asked as ``identity``, which must have a key (HS_PUBKEY)."""

    url: str
    identity: Identity = field(repr=False)
    tls: ssl.SSLContext | None = None
    token: str = field(default="", repr=False)

    def changes(self, prefixes: tuple[str, ...], after: int) -> Page:
        """Return what changed after number ``after``."""
        pairs = [("prefix", prefix) for prefix in prefixes]
        return self._page(CHANGES, [*pairs, ("after", str(after))])

    def records(self, prefixes: tuple[str, ...], part: str, after: str) -> Page:
        """Return a page of the records under ``part``, one of ``prefixes`` or 0.NA."""
        pairs = [("prefix", prefix) for prefix in prefixes]
        return self._page(RECORDS, [*pairs, ("part", part), ("after", after)])

    def _page(self, path: bytes, query: list[tuple[str, str]]) -> Page:
        target = f"{path.decode()}?{urlencode(query)}"
        status, octets = self._ask("GET", target, token=self.token)
        if status == 401:
            self.token = self._log_in()
            status, octets = self._ask("GET", target, token=self.token)
        if status != 200:
            raise refuse(Code.ERROR, "primary", f"it answers with HTTP status {status}", "See what its log says.")
        return page_of(octets)

    def _log_in(self) -> str:
        """Return a token for a signed challenge."""
        handle, key = self.identity.handle, self.identity.key
        if not isinstance(key, SigningKey):
            raise refuse(Code.INVALID_CREDENTIAL, handle, "a replica needs a key", "Give a key file, not a secret.")
        number = str(_data(self._ask("GET", f"{_LOGIN}/challenge?handle={quote(handle)}")[1]))
        if not _NUMBER.fullmatch(number):
            message = "what it asks to have signed is no number, but might be a token or a request"
            raise refuse(Code.AUTHENTICATION_FAILED, "primary", message, "See who answers at that address.")
        signature = base64.b64encode(key.sign(number.encode())).decode()
        body = json.dumps({"handle": handle, "signature": signature}).encode()
        found = _data(self._ask("POST", f"{_LOGIN}/verify-response", body)[1])
        if not isinstance(found, Mapping):
            raise refuse(Code.AUTHENTICATION_FAILED, handle, "the primary does not know the key", "Register it there.")
        return str(found["token"])

    def _ask(self, method: str, target: str, body: bytes | None = None, *, token: str = "") -> tuple[int, bytes]:
        place = urlsplit(self.url)
        host, port = place.hostname or "", place.port
        if place.scheme == "https":
            tls = self.tls or ssl.create_default_context()
            link = http.client.HTTPSConnection(host, port, timeout=TIMEOUT_S, context=tls)
        else:
            link = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)  # type: ignore[assignment]
        try:
            link.request(method, target, body, {"Authorization": f"Bearer {token}"} if token else {})
            answer = link.getresponse()
            octets = answer.read(MOST_OCTETS + 1)
        except http.client.HTTPException as error:
            raise refuse(Code.ERROR, "primary", f"no HTTP comes back ({type(error).__name__})", "Check it.") from None
        finally:
            link.close()
        if len(octets) > MOST_OCTETS:
            raise refuse(Code.ERROR, "primary", "its answer is too long", "Check what listens there.")
        return answer.status, octets


def _data(octets: bytes) -> object:
    try:
        found = json.loads(octets)
    except ValueError:
        found = None
    return found.get("data") if isinstance(found, Mapping) else None


@dataclass(slots=True)
class Following:
    """How a replica gets on: when its primary last answered [s of ``clock``], and whether that is to stop."""

    clock: Callable[[], float] = time.monotonic
    answered_s: float = field(init=False)
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.answered_s = self.clock()

    def silence_s(self) -> float:
        """Return for how long the primary has not answered [s]; counted from the start before it first does."""
        return self.clock() - self.answered_s

    def step(self, follower: Follower) -> bool:
        """Take the next changes; return whether there may be more at once. A primary that is lost is waited for."""
        try:
            more = follower.step()
        except (OSError, XinjiError) as error:
            if not self.stop.is_set():
                LOGGER.warning("the primary is not followed: %s", type(error).__name__)
            return False
        self.answered_s = self.clock()
        return more

    def follow(self, follower: Follower, every_s: float, *, until: Callable[[], bool] = lambda: False) -> None:
        """Follow until it is stopped or ``until`` holds: ask every ``every_s`` [s], at once while there is more."""
        while not self.stop.is_set() and not until():
            if not self.step(follower):
                self.stop.wait(every_s)


def serve_replica(
    node: Node, serving: Serving, follower: Follower, told: Callable[[Listening], None], *, every_s: float = 1.0
) -> None:
    """Serve ``node`` until SIGTERM or SIGINT while ``follower`` keeps its store up with the primary.

    It listens once the first copy is whole: of half of one it would say that names do not exist.
    """
    following = Following()
    follower = replace(follower, stopped=following.stop.is_set)
    following.follow(follower, every_s, until=lambda: follower.reached() is not None)
    thread = threading.Thread(target=following.follow, args=(follower, every_s), name="follower")
    thread.start()
    try:
        serve(node, replace(serving, silence_s=following.silence_s), told)
    finally:
        following.stop.set()
        thread.join()
