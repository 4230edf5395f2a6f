"""What each operation does, as handlers of ``Service`` (RFC 3652, section 3)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from itertools import islice
from typing import Any, TypeVar

from xinji.use.identity.doirp.bodies import (
    Body,
    ChallengeAnswer,
    Elements,
    Named,
    Names,
    Query,
    Raw,
    Referral,
    Removal,
    RequestDigest,
    Verification,
    Verified,
    decode_body,
)
from xinji.use.identity.doirp.codes import SECRET_KEY, Digest, OpCode, OpFlag, ResponseCode
from xinji.use.identity.doirp.message import decode_message, malformed, request_digest
from xinji.use.identity.doirp.proofs import Proofs
from xinji.use.identity.doirp.service import Ask, Handler, Outcome, Pending, Service, Step, failed
from xinji.use.identity.keys import SigningKey
from xinji.use.identity.limits import WRONG_PROOFS, Allowance, RateLimiter
from xinji.use.identity.names import described_prefix, fold, prefix_handle
from xinji.use.identity.node import Answer, Node
from xinji.use.identity.record import ADMIN_READ, Record, Value, encode_values, select, spans
from xinji.use.identity.trust import Requester, Standing
from xinji.use.identity.value_data import LIST_HANDLES, SITE, SITE_PREFIX, Site, encode_site
from xinji.use.identity.wire import string

MOST_LISTED = 100_000
"""Most handles listed for one request; ``xinji id export`` gives all."""

LISTED_TOGETHER = 2_000
"""Handles in one message of a list."""

MINTED_OCTETS = 16
"""Length of a minted suffix before it is written in hexadecimal [octets]."""

NO_VALUES = encode_values(())

ROOT_RECORD = prefix_handle("0.NA")

REFERRALS = (ResponseCode.SERVICE_REFERRAL, ResponseCode.PREFIX_REFERRAL)

Kind = TypeVar("Kind", bound=Body)

Submit = Callable[[Node, Any, Requester, int], "Future[Record | None]"]
"""Hands a change to the node: node, body, requester, flags."""


def _of(ask: Ask, kind: type[Kind]) -> Kind:
    if not isinstance(ask.body, kind):
        raise malformed("body", f"operation {ask.message.header.op} needs another body")
    return ask.body


def _authenticated(ask: Ask) -> bool:
    return ask.requester.standing >= Standing.AUTHENTICATED


def resolve(service: Service, ask: Ask) -> Step:
    """Answer a query (section 3.2): public values to all, others to whom their administrators allow."""
    query = _of(ask, Query)
    found = service.reader.find(fold(query.handle))
    if found is None or _authenticated(ask):
        answer = service.node.resolve(query.handle, types=query.types, indexes=query.indexes, requester=ask.requester)
        return _resolved(answer, query, no_referral=bool(ask.message.header.flags & OpFlag.DNR))
    public_only = ask.message.header.flags & OpFlag.PO
    if found.private is not None:
        # With PO set, a private value counts only where it is asked for by its index (section 3.2.1).
        asked = not public_only or query.indexes
        hidden = spans(select(found.private, () if public_only else query.types, query.indexes)) if asked else []
        if any(span.permissions & ADMIN_READ for span in hidden):
            return service.challenge(ask)
        if any(span.index in query.indexes for span in hidden):
            return failed(ResponseCode.ACCESS_DENIED, "nobody may read the value")
    values = select(found.body, query.types, query.indexes)
    if values == NO_VALUES and (found.private is not None or found.body != NO_VALUES):
        return failed(ResponseCode.ELEMENT_NOT_FOUND)
    return Outcome(ResponseCode.SUCCESS, Raw(string(query.handle) + values))


def _resolved(answer: Answer, query: Query, *, no_referral: bool) -> Outcome:
    """Return what the node's own ``answer`` comes to on the wire (sections 3.2.2 to 3.4)."""
    if int(answer.code) == ResponseCode.SUCCESS:
        return Outcome(ResponseCode.SUCCESS, Elements(query.handle, answer.values))
    if int(answer.code) in REFERRALS and answer.referral is not None:
        if no_referral:
            return failed(ResponseCode.SERVER_NOT_RESP, f"the prefix {answer.referral.prefix} is served elsewhere")
        below = bool(described_prefix(query.handle))
        code = ResponseCode.PREFIX_REFERRAL if below else ResponseCode.SERVICE_REFERRAL
        sites = tuple(value for value in answer.referral.values if value.type in (SITE, SITE_PREFIX))
        return Outcome(code, Referral("", sites) if sites else Referral(answer.referral.service))
    return failed(int(answer.code))


def site_information(service: Service, _: Ask) -> Step:
    """Hand out the service information (operation 2)."""
    if service.site is None:
        return failed(ResponseCode.OPERATION_DENIED, "this server has no service information to give")
    return Outcome(ResponseCode.SUCCESS, Raw(encode_site(service.site)))


def _changing(kind: type[Body], submit: Submit, answer: Callable[[Any], Body] = lambda _: Raw()) -> Handler:
    """Return the handler of a change: challenge first, then hand the change to the node and wait for the disk."""

    def handle(service: Service, ask: Ask) -> Step:
        body = _of(ask, kind)
        if not service.primary:
            return failed(ResponseCode.SERVER_NOT_RESP, "changes go to the primary site")
        if not _authenticated(ask):
            return service.challenge(ask)
        flags = ask.message.header.flags
        if isinstance(body, Elements) and flags & OpFlag.MNS:
            body = replace(body, handle=body.handle + secrets.token_hex(MINTED_OCTETS))
        if isinstance(body, Removal):
            body = _there(service, body)
            if not body.indexes:
                return Outcome(ResponseCode.SUCCESS)
        future = submit(service.node, body, ask.requester, flags)

        def then() -> Outcome:
            future.result()
            return Outcome(ResponseCode.SUCCESS, answer(body))

        return Pending(future, then)

    return handle


def _there(service: Service, removal: Removal) -> Removal:
    """Return ``removal`` without indexes that do not exist: removing those is no error (section 3.6.2)."""
    record = service.reader.record(fold(removal.handle), private=True)
    if record is None:
        return removal
    known = {value.index for value in record.values}
    return replace(removal, indexes=tuple(index for index in dict.fromkeys(removal.indexes) if index in known))


def _create(node: Node, body: Elements, requester: Requester, flags: int) -> Future[Record | None]:
    return node.create(body.handle, body.values, requester, overwrite=bool(flags & OpFlag.OWE))


def _add(node: Node, body: Elements, requester: Requester, flags: int) -> Future[Record | None]:
    return node.add(body.handle, body.values, requester, overwrite=bool(flags & OpFlag.OWE))


def _modify(node: Node, body: Elements, requester: Requester, _: int) -> Future[Record | None]:
    return node.modify(body.handle, body.values, requester)


def _remove(node: Node, body: Removal, requester: Requester, _: int) -> Future[Record | None]:
    return node.remove(body.handle, body.indexes, requester)


def _delete(node: Node, body: Named, requester: Requester, _: int) -> Future[Record | None]:
    return node.delete(body.handle, requester)


def _listed(handles: list[str]) -> Outcome:
    if len(handles) > MOST_LISTED:
        return failed(ResponseCode.OPERATION_DENIED, f"there are more than {MOST_LISTED}; export them instead")
    starts = range(0, max(len(handles), 1), LISTED_TOGETHER)
    first, *more = [Names(tuple(handles[start : start + LISTED_TOGETHER])) for start in starts]
    return Outcome(ResponseCode.SUCCESS, first, more=tuple(more))


def list_handles(service: Service, ask: Ask) -> Step:
    """List the handles under a prefix to an administrator who may (section 3.7.1)."""
    named = _of(ask, Named)
    if not _authenticated(ask):
        return service.challenge(ask)
    prefix = described_prefix(named.handle) or named.handle.removesuffix("/")
    found = service.node.handles(prefix, ask.requester)
    return _listed(list(islice(found, MOST_LISTED + 1)))


def list_prefixes(service: Service, ask: Ask) -> Step:
    """List the prefixes derived from a prefix to an administrator who may list handles (section 3.7.2)."""
    named = _of(ask, Named)
    if not _authenticated(ask):
        return service.challenge(ask)
    prefix = described_prefix(named.handle) or named.handle
    service.node.handles(prefix, ask.requester)
    return _listed(list(islice(service.node.store.keys(prefix_handle(f"{prefix}.")), MOST_LISTED + 1)))


def list_homed(service: Service, ask: Ask) -> Step:
    """List the prefixes that are served here to an administrator of the node (operation 302)."""
    if not _authenticated(ask):
        return service.challenge(ask)
    if not service.node.permissions_for(Record(ROOT_RECORD, ()), ask.requester) & LIST_HANDLES:
        return failed(ResponseCode.INVALID_ADMIN, "this is for administrators of the node")
    return _listed([prefix_handle(prefix) for prefix in service.node.settings.prefixes])


def _key(service: Service, handle: str, index: int) -> Value | None:
    """Return the key at ``handle`` and ``index``, None where there is none here."""
    record = service.reader.record(fold(handle), private=True)
    return None if record is None else record.by_index(index)


def _forms(nonce: bytes, digest: RequestDigest) -> tuple[bytes, ...]:
    """Return what a proof may be over, both binding the key to this nonce and this request.

    Handle.Net signs nonce and digest; RFC 3652, section 3.5.2, the body of the challenge.
    """
    return nonce + digest.digest, digest.encode() + string(nonce)


def answer_challenge(service: Service, ask: Ask) -> Step:
    """Check the answer to a challenge, then carry out the request that waited for it (section 3.5.2)."""
    answer = _of(ask, ChallengeAnswer)
    challenge = service.challenges.take(ask.message.envelope.session)
    if challenge is None or challenge.network != ask.network:
        return failed(ResponseCode.AUTHEN_TIMEOUT, "no such challenge stands: it was answered before or is too old")
    value = _key(service, answer.handle, answer.index)
    if value is None or value.type != answer.kind:
        return failed(ResponseCode.AUTHEN_FAILED, "the key is not known here, or the proof is wrong")
    original = decode_message(challenge.request)
    _, body = decode_body(original.header, original.body)
    requester = Requester(Standing.AUTHENTICATED, answer.handle, answer.index)
    proved = Ask(challenge.request, original, body, ask.network, requester, ask.message.envelope)
    forms = _forms(challenge.nonce, RequestDigest(challenge.algorithm, challenge.digest))
    unproved = failed(ResponseCode.AUTHEN_FAILED, "the key is not known here, or the proof is wrong")
    return _judged(
        service.proofs, ask, service.proofs.submit(ask.network, value, forms, answer.proof), proved, unproved
    )


def verify_answer(service: Service, ask: Ask) -> Step:
    """Say whether a proof was made with a secret key that is kept here (sections 3.5.3 and 3.5.4)."""
    asked = _of(ask, Verification)
    sizes = {20: Digest.SHA1, 32: Digest.SHA256}
    value = _key(service, asked.handle, asked.index)
    if value is None or value.type != SECRET_KEY or len(asked.digest) not in sizes:
        return failed(ResponseCode.AUTHEN_FAILED, "it cannot be verified here")
    forms = _forms(asked.nonce, RequestDigest(sizes[len(asked.digest)], asked.digest))
    # Who asks must be sure that the answer is to this request, so its digest always goes back.
    own = RequestDigest(Digest.SHA256, request_digest(ask.octets, Digest.SHA256))
    right, wrong = (Outcome(ResponseCode.SUCCESS, Verified(match=match), digest=own) for match in (True, False))
    checks = service.verifications
    return _judged(checks, ask, checks.submit(ask.network, value, forms, asked.proof), right, wrong)


def _judged(proofs: Proofs, ask: Ask, checked: Future[bool] | None, right: Step, wrong: Step) -> Step:
    """Return the step for a proof that is being checked, or could not be taken."""
    if checked is None:
        return failed(ResponseCode.SERVER_BUSY)

    def then() -> Step:
        found = proofs.right(ask.network, checked)
        return failed(ResponseCode.SERVER_BUSY) if found is None else right if found else wrong

    return Pending(checked, then)


def no_session(_: Service, __: Ask) -> Step:
    """Refuse sessions: each request proves itself."""
    return failed(ResponseCode.SESSION_FAILED, "sessions are not offered; each request is authenticated by itself")


def settled_at_start(_: Service, __: Ask) -> Step:
    """Refuse to take prefixes in or out: that is settled when the node starts."""
    return failed(ResponseCode.OPERATION_DENIED, "the prefixes are set where the node is started")


HANDLERS: Mapping[int, Handler] = {
    OpCode.RESOLUTION: resolve,
    OpCode.GET_SITEINFO: site_information,
    OpCode.CREATE_ID: _changing(Elements, _create, lambda body: Named(body.handle)),
    OpCode.DELETE_ID: _changing(Named, _delete),
    OpCode.ADD_ELEMENT: _changing(Elements, _add),
    OpCode.REMOVE_ELEMENT: _changing(Removal, _remove),
    OpCode.MODIFY_ELEMENT: _changing(Elements, _modify),
    OpCode.LIST_IDS: list_handles,
    OpCode.LIST_DERIVED_PREFIXES: list_prefixes,
    OpCode.CHALLENGE_RESPONSE: answer_challenge,
    OpCode.VERIFY_RESPONSE: verify_answer,
    OpCode.HOME_PREFIX: settled_at_start,
    OpCode.UNHOME_PREFIX: settled_at_start,
    OpCode.LIST_HOMED_PREFIXES: list_homed,
    OpCode.SESSION_SETUP: no_session,
    OpCode.SESSION_TERMINATE: no_session,
    OpCode.SESSION_EXCHANGEKEY: no_session,
}
"""What each operation does."""


def service_of(
    node: Node,
    *,
    key: SigningKey | None = None,
    site: Site | None = None,
    primary: bool = True,
    failures: Allowance = WRONG_PROOFS,
) -> Service:
    """Return the DO-IRP face of ``node`` for the calling thread.

    ``key`` signs answers where it is asked for, ``site`` is handed out as service information; a mirror is
    not ``primary`` and takes no changes. ``failures`` is how many wrong proofs a network may offer.
    """
    proofs, verifications = (Proofs(wrong=RateLimiter(failures)) for _ in range(2))
    return Service(node, node.store.reader(), HANDLERS, proofs, verifications, key, site, primary)
