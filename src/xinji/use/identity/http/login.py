"""Who sends a request: Basic, Handle.Net's challenge and response, client certificates, tokens.

Credentials are taken only where nobody can listen: over TLS, or from the same machine. Source: Handle.Net
technical manual 9 section 14.6.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from xinji.use.identity import value_data as hs
from xinji.use.identity.certificates import certificate_identity
from xinji.use.identity.doirp.codes import Mac
from xinji.use.identity.errors import Code, IdentifierError, refuse
from xinji.use.identity.http.message import Client, Headers, Request
from xinji.use.identity.http.sessions import Session, Sessions
from xinji.use.identity.keys import check_proof
from xinji.use.identity.limits import RateLimiter
from xinji.use.identity.record import Record, Value
from xinji.use.identity.trust import ANONYMOUS_REQUESTER, Requester, Standing
from xinji.use.identity.wire import string, u32

_PARAMETER = re.compile(r'\s*([-\w]{1,40})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))\s*(?:,|$)')
_IDENTITY = re.compile(r"(?:(\d{1,10}):)?(.+)", re.DOTALL)
_MACS = {
    "SHA": Mac.SHA1,
    "SHA1": Mac.SHA1,
    "SHA2": Mac.SHA256,
    "SHA256": Mac.SHA256,
    "HMACSHA1": Mac.HMAC_SHA1,
    "HMACSHA256": Mac.HMAC_SHA256,
    "PBKDF2HMACSHA1": Mac.PBKDF2_HMAC_SHA1,
    "PBKDF2WITHHMACSHA1": Mac.PBKDF2_HMAC_SHA1,
}
_REMEDY = "Give the identity as index:handle and what is registered under it."


@dataclass(frozen=True, slots=True)
class Login:
    """How a node knows its requesters.

    ``find`` returns the record of a handle with its private values; ``bearer`` whom a token was given to, None
    for a token that is not good; ``failures`` how many wrong proofs a network may offer.
    """

    find: Callable[[str], Record | None]
    sessions: Sessions
    bearer: Callable[[str], Requester | None]
    failures: RateLimiter

    def requester(self, request: Request) -> Requester:
        """Return who sends ``request``, anonymous where it does not say.

        Raises IdentifierError: AUTHENTICATION_FAILED for a wrong proof, INVALID_ADMIN where credentials came
        over a connection that others can read, SERVER_BUSY after too many wrong ones.
        """
        header = request.headers.get(b"authorization")
        if header is None:
            return ANONYMOUS_REQUESTER
        scheme, _, rest = header.decode("latin-1").strip().partition(" ")
        return self.prove(request.client, lambda: self._by_scheme(scheme.lower(), rest.strip(), request.client))

    def prove(self, client: Client, attempt: Callable[[], Requester | None]) -> Requester:
        """Return whom ``attempt`` proves; count it against the client's network where it proves nobody.

        Raises IdentifierError as `requester` does.
        """
        if not client.secure:
            message = "credentials came over a connection that others can read"
            raise refuse(Code.INVALID_ADMIN, "credentials", message, "Use HTTPS, and renew what you sent.")
        if not self.failures.has_room(client.network):
            message = "too many wrong credentials came from this network"
            raise refuse(Code.SERVER_BUSY, "credentials", message, "Wait some minutes.")
        try:
            found = attempt()
        except IdentifierError:
            found = None
        if found is None:
            self.failures.admit(client.network)
            raise refuse(Code.AUTHENTICATION_FAILED, "credentials", "they do not prove an identity", _REMEDY)
        return found

    def challenge(self) -> Headers:
        """Return the header fields that ask for credentials, with fresh octets to sign."""
        session = self.sessions.start()
        return (
            (b"WWW-Authenticate", b'Basic realm="handle"'),
            (b"WWW-Authenticate", handle_challenge(session)),
        )

    def by_password(self, name: str, password: bytes) -> Requester | None:
        """Return the requester whose secret is ``password``; ``name`` is index:handle, or a handle for any index."""
        return self.by_secret(name, lambda secret: hmac.compare_digest(secret, password))

    def by_secret(self, name: str, fits: Callable[[bytes], bool]) -> Requester | None:
        """Return the requester one of whose secrets ``fits``; ``name`` as for `by_password`."""
        reference = identity_of(name)
        for value in self._values(reference, hs.SECKEY):
            if fits(value.data):
                return _proved(reference, value)
        return None

    def by_signature(self, name: str, octets: bytes, proof: bytes, kind: str = hs.PUBKEY) -> Requester | None:
        """Return the requester ``name`` where ``proof`` over ``octets`` was made with its key of type ``kind``.

        Raises IdentifierError where key or proof are malformed.
        """
        reference = identity_of(name)
        for value in self._values(reference, kind):
            if check_proof(kind, value.data, octets, proof):
                return _proved(reference, value)
        return None

    def by_handle_header(self, parameters: dict[str, str], client: Client) -> tuple[Requester | None, Session | None]:
        """Return whom the ``parameters`` of an Authorization: Handle header prove, and their session.

        Raises IdentifierError where they are malformed.
        """
        session = self.sessions.find(parameters["sessionid"]) if "sessionid" in parameters else None
        if parameters.get("clientcert", "").lower() == "true":
            return self._by_certificate(client), session
        if session is None:
            return None, None
        if "signature" not in parameters:
            return session.requester, session
        if not session.nonce:
            return None, session
        challenge = session.nonce + _octets(parameters, "cnonce")
        kind = parameters.get("type", "")
        found = self.by_signature(parameters.get("id", ""), challenge, _proof(kind, parameters), kind)
        return found, session if found is None else self.sessions.prove(session, found)

    def _by_scheme(self, scheme: str, rest: str, client: Client) -> Requester | None:
        if scheme == "basic":
            name, _, password = _unbase64(rest).partition(b":")
            return self.by_password(unquote(name.decode("utf-8", "replace")), password)
        if scheme == "bearer":
            return self.bearer(rest)
        if scheme == "handle":
            return self.by_handle_header(handle_parameters(rest), client)[0]
        return None

    def _by_certificate(self, client: Client) -> Requester | None:
        if not client.certificate:
            return None
        name, public = certificate_identity(client.certificate)
        reference = identity_of(name)
        for value in self._values(reference, hs.PUBKEY):
            if hs.decode_public_key(value.data) == hs.decode_public_key(public):
                return _proved(reference, value)
        return None

    def _values(self, reference: tuple[int, str], kind: str) -> tuple[Value, ...]:
        index, handle = reference
        record = self.find(handle)
        values = () if record is None else record.of_type(kind)
        return tuple(value for value in values if index in (0, value.index))


def identity_of(name: str) -> tuple[int, str]:
    """Return index (0 where none is given) and handle of ``name``: 300:prefix/suffix."""
    found = _IDENTITY.fullmatch(name)
    return (0, name) if found is None else (int(found[1] or 0), found[2])


def handle_parameters(text: str) -> dict[str, str]:
    """Return the parameters of an Authorization: Handle header by their names in lower case.

    Raises IdentifierError (protocol error) where ``text`` is not made of them.
    """
    found: dict[str, str] = {}
    place = 0
    while place < len(text):
        match = _PARAMETER.match(text, place)
        if match is None:
            message = 'it is not made of name="value" pairs'
            raise refuse(Code.PROTOCOL_ERROR, "Authorization", message, 'Write Handle sessionId="...", id="...".')
        value = match[3] if match[2] is None else re.sub(r"\\(.)", r"\1", match[2])
        name = match[1].lower()
        found[name] = unquote(value) if name == "id" else value
        place = match.end()
    return found


def handle_challenge(session: Session) -> bytes:
    """Return the WWW-Authenticate field that asks for a proof in ``session``."""
    nonce = base64.b64encode(session.nonce).decode("ascii")
    return f'Handle sessionId="{session.name}", nonce="{nonce}"'.encode("ascii")


def _proved(reference: tuple[int, str], value: Value) -> Requester:
    return Requester(Standing.AUTHENTICATED, reference[1], value.index)


def _proof(kind: str, parameters: dict[str, str]) -> bytes:
    """Return the proof in an Authorization header in the form that the protocol itself uses."""
    alg = re.sub(r"[-_]", "", parameters.get("alg", "")).upper()
    signature = _octets(parameters, "signature")
    if kind == hs.PUBKEY:
        return string(alg) + string(signature)
    mac = _MACS.get(alg)
    if mac is None:
        message = f"alg {alg[:20]!r} is not offered"
        raise refuse(Code.PROTOCOL_ERROR, "Authorization", message, "Use HMAC-SHA256.")
    if mac is not Mac.PBKDF2_HMAC_SHA1:
        return bytes((mac,)) + signature
    rounds, bits = parameters.get("iterations", ""), parameters.get("length", "")
    if not (rounds + bits).isascii() or not rounds.isdecimal() or not bits.isdecimal() or len(rounds + bits) > 12:
        message = "PBKDF2 needs salt, iterations and length"
        raise refuse(Code.PROTOCOL_ERROR, "Authorization", message, "Give all three.")
    derived = string(_octets(parameters, "salt")) + u32(int(rounds)) + u32(int(bits))
    return bytes((mac,)) + derived + string(signature)


def _octets(parameters: dict[str, str], name: str) -> bytes:
    return _unbase64(parameters.get(name, ""))


def _unbase64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise refuse(Code.PROTOCOL_ERROR, "Authorization", "it is not base64", "Encode it as base64.") from error
