"""What tells the audit log: every change that a node is asked for, and every proof that fails, over all faces."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace
from urllib.parse import unquote

from xinji.errors import XinjiError
from xinji.use.identity.audit import AuditLog, Event
from xinji.use.identity.doirp.bodies import ChallengeAnswer
from xinji.use.identity.doirp.codes import PUBLIC_KEY, SECRET_KEY, ResponseCode
from xinji.use.identity.doirp.service import Ask, Handler, Pending, Service, Step
from xinji.use.identity.doirp.service import Outcome as Answered
from xinji.use.identity.errors import Code, IdentifierError
from xinji.use.identity.http.login import handle_parameters
from xinji.use.identity.http.login import identity_of as claimed_of
from xinji.use.identity.http.message import Request
from xinji.use.identity.node import Node, Outcome
from xinji.use.identity.record import Value
from xinji.use.identity.store import Store
from xinji.use.identity.trust import Requester, Standing

FACE = "DO-IRP"

MOST_CLAIMED = 300
"""Longest name that is looked up [characters]."""

NAMES = ("username", "handle", "id")
"""Where the body of a login says who wants to log in."""

MOST_BODY = 4_096
"""Longest body of a login that is looked into [octets]."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is at work: over which ``face``, from which ``network``, proved ``how``; ``claims`` gives who it says to be.

    ``claims`` may give anything that a client sent.
    """

    face: str
    network: int
    how: str
    claims: Callable[[], str]


CALLER: ContextVar[Caller | None] = ContextVar("caller", default=None)
"""Who asked for what is being done; set by the servers, kept by the tasks that they start."""


def http_caller(request: Request, face: str) -> Caller:
    """Return who sends ``request`` to ``face``."""
    scheme, _, rest = request.headers.get(b"authorization", b"").decode("latin-1").strip().partition(" ")
    scheme = scheme.lower()
    how = scheme if scheme in ("basic", "handle") else f"token {_token_name(rest)}" if scheme == "bearer" else ""
    return Caller(face, request.client.network, how, lambda: _claimed(request, scheme, rest))


def _token_name(token: str) -> str:
    """Return the beginning of a token's own number (jti), which says which it is and is no use to anybody."""
    with suppress(ValueError, IndexError, binascii.Error, RecursionError):
        found = json.loads(base64.urlsafe_b64decode(token.split(".")[1][:MOST_BODY] + "=="))
        number = found.get("jti") if isinstance(found, dict) else None
        if isinstance(number, str) and all(letter in "0123456789abcdef" for letter in number):
            return number[:8]
    return "unknown"


def _claimed(request: Request, scheme: str, rest: str) -> str:
    """Return the name in the credentials of ``request``, or in the body of a login."""
    with suppress(ValueError, binascii.Error, IdentifierError, RecursionError):
        if scheme == "basic":
            return unquote(base64.b64decode(rest).partition(b":")[0].decode())
        if scheme == "handle":
            return handle_parameters(rest).get("id", "")
        if not scheme and len(request.body) <= MOST_BODY:
            found = json.loads(request.body)
            names = (found.get(name) for name in NAMES) if isinstance(found, dict) else ()
            return next((name for name in names if isinstance(name, str)), "")
    return ""


def registered(store: Store, name: str) -> str:
    """Return ``name`` (index:handle or handle) where there is such a handle in ``store``, else "unknown".

    A password in the place of the name must not come into the log.
    """
    if not name:
        return ""
    known = False
    if len(name) <= MOST_CLAIMED:
        with suppress(UnicodeEncodeError):
            known = store.record(claimed_of(name)[1]) is not None
    return name if known else "unknown"


class AuditedNode(Node):
    """A node that does what ``node`` does and tells ``log`` of every change, made or refused."""

    def __init__(self, node: Node, log: AuditLog) -> None:
        super().__init__(node.store, node.settings)
        self._node = node
        self._log = log

    def create(
        self, handle: str, values: tuple[Value, ...], requester: Requester, *, overwrite: bool = False
    ) -> Outcome:
        """Do what the node does, and tell."""
        event = self._event("replace" if overwrite else "create", handle, _indexes(values), requester)
        return self._told(event, lambda: self._node.create(handle, values, requester, overwrite=overwrite))

    def delete(self, handle: str, requester: Requester) -> Outcome:
        """Do what the node does, and tell."""
        return self._told(self._event("delete", handle, (), requester), lambda: self._node.delete(handle, requester))

    def add(self, handle: str, values: tuple[Value, ...], requester: Requester, *, overwrite: bool = False) -> Outcome:
        """Do what the node does, and tell."""
        event = self._event("put" if overwrite else "add", handle, _indexes(values), requester)
        return self._told(event, lambda: self._node.add(handle, values, requester, overwrite=overwrite))

    def modify(self, handle: str, values: tuple[Value, ...], requester: Requester) -> Outcome:
        """Do what the node does, and tell."""
        event = self._event("modify", handle, _indexes(values), requester)
        return self._told(event, lambda: self._node.modify(handle, values, requester))

    def remove(self, handle: str, indexes: tuple[int, ...], requester: Requester) -> Outcome:
        """Do what the node does, and tell."""
        event = self._event("remove", handle, indexes, requester)
        return self._told(event, lambda: self._node.remove(handle, indexes, requester))

    def _event(self, what: str, handle: str, indexes: tuple[int, ...], requester: Requester) -> Event:
        caller = CALLER.get()
        proved = requester.standing >= Standing.AUTHENTICATED
        who = f"{requester.index}:{requester.handle}" if proved else ""
        event = Event(what, handle, indexes, who)
        if caller is None:
            return event
        return replace(event, how=caller.how if proved else "", face=caller.face, network=caller.network)

    def _told(self, event: Event, change: Callable[[], Outcome]) -> Outcome:
        try:
            outcome = change()
        except XinjiError as error:
            self._log.write(_refused(event, error))
            raise
        told: Outcome = Future()
        # Whoever asked for it is told by another future, so that nobody hears of a change before the log does.
        told.set_running_or_notify_cancel()
        outcome.add_done_callback(lambda done: self._finish(event, done, told))
        return told

    def _finish(self, event: Event, done: Outcome, told: Outcome) -> None:
        error = CancelledError() if done.cancelled() else done.exception()
        try:
            self._log.write(_refused(event, error))
        finally:
            if error is None:
                told.set_result(done.result())
            else:
                told.set_exception(error)


def _indexes(values: Iterable[Value]) -> tuple[int, ...]:
    return tuple(value.index for value in values)


def _refused(event: Event, error: BaseException | None) -> Event:
    """Return ``event`` with why it was refused; never with the words of the error, which may hold what was sent."""
    if error is None:
        return event
    reason = type(error).__name__
    if isinstance(error, IdentifierError):
        reason = Code(error.code).name
    return replace(event, refused=reason)


def wrong_proof(store: Store, log: AuditLog) -> Callable[[int], None]:
    """Return what is told of each wrong proof over HTTP, by its network."""

    def told(network: int) -> None:
        event = Event("prove", network=network, refused=Code.AUTHENTICATION_FAILED.name)
        caller = CALLER.get()
        if caller is not None:
            event = replace(event, claims=registered(store, caller.claims()), how=caller.how, face=caller.face)
        log.write(event)

    return told


def watched(proving: Handler, log: AuditLog) -> Handler:
    """Return the handler ``proving`` of answers to challenges, watched: who is proved is kept, who is not is told."""

    def handle(service: Service, ask: Ask) -> Step:
        answer = ask.body
        claimed, how = "", ""
        if isinstance(answer, ChallengeAnswer):
            claimed = f"{answer.index}:{answer.handle}"
            how = answer.kind if answer.kind in (PUBLIC_KEY, SECRET_KEY) else ""
        CALLER.set(Caller(FACE, ask.network, how, lambda: claimed))

        def seen(step: Step) -> Step:
            if isinstance(step, Answered) and step.code != ResponseCode.SUCCESS:
                claims, refused = registered(service.node.store, claimed), Code(step.code).name
                log.write(Event("prove", claims=claims, how=how, face=FACE, network=ask.network, refused=refused))
            return step

        step = proving(service, ask)
        if isinstance(step, Pending):
            then = step.then
            return Pending(step.future, lambda: seen(then()))
        return seen(step)

    return handle
