"""Certificates and signatures in records: HS_CERT and HS_SIGNATURE values, JSON web tokens signed by RS256.

A certificate says which key an identity has and over which handles it may speak; it is signed by the identity
above it, up to a root that is known beforehand. A signature holds a digest for each value of a record, so that
those values that a requester may see can be checked without the others. Bearer tokens of the secondary-node
interfaces are made here too, for they are JSON web tokens.

Source: public guide of China's industrial-Internet identifiers (teleinfo-dev/id-guide, "trusted resolution");
Handle.Net 9, package net.handle.hdllib.trust (forms of claims and digests); RFC 7515, RFC 7519.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, rsa
from cryptography.x509.oid import NameOID
from jwt.types import Options

from xinji.errors import Fault
from xinji.use.identity.errors import Code, IdentifierError, refuse
from xinji.use.identity.keys import LEAST_RSA_BITS, SigningKey
from xinji.use.identity.names import fold
from xinji.use.identity.record import Record, Value, encode_value
from xinji.use.identity.trust import Grant, Power, Requester, Standing, covers, implied
from xinji.use.identity.value_data import (
    CERT,
    SIGNATURE,
    DsaPublicKey,
    RsaPublicKey,
    decode_public_key,
    encode_public_key,
)

FIRST_INDEX = 400
"""Index of a certificate or signature by convention."""
LONGEST_CHAIN = 8
"""Certificates from a signature up to its root, root included."""

_ALGORITHM = "RS256"
_DIGEST = "SHA-256"
_NOT_DIGESTED = 8
"""Octets of an encoded value before what is digested: its index and its timestamp."""
_UNVERIFIED: Options = {"verify_signature": False}
_OWN_CHECKS: Options = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_sub": False,
    "verify_jti": False,
}
"""Dates are checked against a clock that the caller gives; audiences and serial numbers are not used."""
_MOST_TOKEN_OCTETS = 65_536
_NOT_CLAIMS = (
    jwt.PyJWTError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What reading claims of a wrong form can raise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a certificate or signature says.

    ``issuer`` and ``subject`` are identities (index:handle) or, for the subject of a signature, a handle; it holds
    from ``not_before_s`` to ``expires_s`` and was made at ``issued_s`` [s since 1970]. Certificates: ``grants``,
    ``public_key`` (HS_PUBKEY data), ``issues`` (whether it may sign certificates), ``organisation`` and ``name``.
    Signatures: ``digests`` as pairs of index and base64 SHA-256. ``chain`` may name the certificates above.
    """

    issuer: str
    subject: str
    not_before_s: int
    expires_s: int
    issued_s: int
    grants: tuple[Grant, ...] = ()
    public_key: bytes = b""
    issues: bool = True
    organisation: str = ""
    name: str = ""
    digests: tuple[tuple[int, str], ...] = ()
    chain: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Root:
    """A certificate authority that is trusted beforehand: its identity (index:handle) and HS_PUBKEY data."""

    subject: str
    public_key: bytes


@dataclass(frozen=True, slots=True)
class Report:
    """What checking a record's signatures found, by indexes of its values.

    ``trusted`` values are signed along a chain that holds up to a root; ``altered`` ones differ from what was
    signed; ``unsigned`` ones no signature speaks of. ``missing`` were signed and are not there (or not to be
    seen). ``faults`` say what is wrong with signatures and certificates.
    """

    trusted: tuple[int, ...]
    altered: tuple[int, ...]
    unsigned: tuple[int, ...]
    missing: tuple[int, ...]
    faults: tuple[Fault, ...]


def digest_of(value: Value) -> str:
    """Return the base64 SHA-256 of ``value`` without index and timestamp, as HS_SIGNATURE holds it."""
    octets = encode_value(value)[_NOT_DIGESTED:]
    return base64.b64encode(hashlib.sha256(octets).digest()).decode("ascii")


def issue(claims: Claims, key: SigningKey) -> str:
    """Return ``claims`` as a JSON web token signed with the issuer's RSA ``key``: the data of an HS_CERT value.

    Raises IdentifierError (INVALID_CREDENTIAL) where the key is no RSA key.
    """
    if not isinstance(key.private, rsa.RSAPrivateKey):
        raise refuse(Code.INVALID_CREDENTIAL, "key", "certificates are signed by RSA", "Use an RSA key.")
    return jwt.encode(_payload(claims), key.private, algorithm=_ALGORITHM)


def certificate_value(claims: Claims, key: SigningKey, *, index: int = FIRST_INDEX) -> Value:
    """Return the HS_CERT value of ``claims``; raises IdentifierError as `issue` does."""
    return Value(index=index, type=CERT, data=issue(claims, key).encode("ascii"), timestamp_s=claims.issued_s)


def sign_values(record: Record, claims: Claims, key: SigningKey, *, index: int = FIRST_INDEX) -> Value:
    """Return the HS_SIGNATURE value for ``record``.

    Subject and digests of ``claims`` are filled in: every value but signatures is signed. Raises IdentifierError
    as `issue` does.
    """
    digests = tuple((value.index, digest_of(value)) for value in record.values if value.type != SIGNATURE)
    filled = Claims(
        issuer=claims.issuer,
        subject=record.handle,
        not_before_s=claims.not_before_s,
        expires_s=claims.expires_s,
        issued_s=claims.issued_s,
        digests=digests,
        chain=claims.chain,
    )
    return Value(index=index, type=SIGNATURE, data=issue(filled, key).encode("ascii"), timestamp_s=claims.issued_s)


def read_claims(token: bytes | str, place: str) -> Claims:
    """Return what ``token`` claims; whether it is true is another question.

    Raises IdentifierError (INVALID_CREDENTIAL) where it is no token, or its claims are not of the right form.
    """
    text = token.decode("ascii", "replace") if isinstance(token, bytes) else token
    try:
        if len(text) > _MOST_TOKEN_OCTETS:
            raise jwt.InvalidTokenError
        return _claims(jwt.decode(text, options=_UNVERIFIED), place)
    except _NOT_CLAIMS as error:
        message = f"it is no signed token with the right claims ({type(error).__name__})"
        raise refuse(Code.INVALID_CREDENTIAL, place, message, "Sign it again.") from error


def verify_record(record: Record, find: Callable[[str], Record | None], roots: Iterable[Root], *, now_s: int) -> Report:
    """Check every HS_SIGNATURE of ``record`` at ``now_s`` [s since 1970].

    ``find`` returns the record of an identity, with its HS_CERT values. Nothing is raised for what a record or
    certificate holds: what is wrong with it is in the report.
    """
    known = tuple(roots)
    digests = {value.index: digest_of(value) for value in record.values if value.type != SIGNATURE}
    trusted: set[int] = set()
    altered: set[int] = set()
    signed: set[int] = set()
    faults: list[Fault] = []
    for value in record.of_type(SIGNATURE):
        found, wrong = _check_signature(record.handle, value, _Chain(find, known, now_s))
        faults += wrong
        for index, digest in found:
            signed.add(index)
            if index in digests:
                (trusted if hmac.compare_digest(digests[index], digest) else altered).add(index)
    for index in sorted(altered):
        faults.append(Fault(f"value {index}", "it differs from what was signed", "Restore it, or sign it again."))
    return Report(
        tuple(sorted(trusted - altered)),
        tuple(sorted(altered)),
        tuple(sorted(set(digests) - signed)),
        tuple(sorted(signed - set(digests))),
        tuple(faults),
    )


@dataclass(frozen=True, slots=True)
class _Chain:
    """What certificates are checked against."""

    find: Callable[[str], Record | None]
    roots: tuple[Root, ...]
    now_s: int


def _check_signature(handle: str, value: Value, chain: _Chain) -> tuple[tuple[tuple[int, str], ...], list[Fault]]:
    """Return the digests that ``value`` vouches for, none where anything is wrong with it, and what is wrong."""
    place = f"signature {value.index}"
    try:
        claims = read_claims(value.data, place)
        if fold(claims.subject) != fold(handle):
            message = f"it is for {claims.subject[:80]!r}"
            raise refuse(Code.INVALID_CREDENTIAL, place, message, f"Sign {handle}.")
        _check_dates(claims, chain.now_s, place)
        _check_upwards(handle, claims, value.data, chain)
    except IdentifierError as error:
        return (), list(error.faults)
    return claims.digests, []


def _check_upwards(handle: str, claims: Claims, token: bytes, chain: _Chain) -> None:
    """Walk from a signature to a root; raises IdentifierError at the first link that does not hold."""
    below: tuple[Claims, bytes, str] = (claims, token, "signature")
    for _ in range(LONGEST_CHAIN):
        lower, lower_token, place = below
        above, above_token = _certificate_of(lower, chain, place)
        name = f"certificate of {above.subject}"
        _check_token(lower_token, above.public_key, place)
        _check_dates(above, chain.now_s, name)
        _check_scope(handle, lower, above, name)
        if fold(above.subject) == fold(above.issuer):
            _check_token(above_token, above.public_key, name)
            if not any(_is(root, above) for root in chain.roots):
                raise refuse(Code.INVALID_CREDENTIAL, name, "no root known here has this key", "Name the root.")
            return
        below = above, above_token, name
    message = f"no root within {LONGEST_CHAIN} certificates"
    raise refuse(Code.INVALID_CREDENTIAL, "chain", message, "Shorten the chain; look for a circle.")


def _is(root: Root, claims: Claims) -> bool:
    return fold(root.subject) == fold(claims.subject) and decode_public_key(root.public_key) == decode_public_key(
        claims.public_key
    )


def _certificate_of(lower: Claims, chain: _Chain, place: str) -> tuple[Claims, bytes]:
    """Return the certificate of the issuer of ``lower``: the one it names, else the first of that subject."""
    named = lower.chain[0] if lower.chain else lower.issuer
    index, _, handle = named.partition(":") if ":" in named else ("0", "", named)
    record = chain.find(handle)
    values = () if record is None else record.of_type(CERT)
    for value in values:
        if lower.chain and str(value.index) != index:
            continue
        found = read_claims(value.data, f"certificate at {value.index}:{handle}")
        if fold(found.subject) == fold(lower.issuer):
            return found, value.data
    message = f"its issuer {lower.issuer[:80]!r} has no certificate"
    raise refuse(Code.INVALID_CREDENTIAL, place, message, f"Register an HS_CERT value under {handle[:80]}.")


def _check_scope(handle: str, lower: Claims, above: Claims, name: str) -> None:
    if lower.public_key and not above.issues:
        raise refuse(Code.INVALID_CREDENTIAL, name, "it may not sign certificates", "Have an authority sign.")
    if not any(covers(grant, handle) for grant in above.grants):
        raise refuse(Code.INVALID_CREDENTIAL, name, f"it does not cover {handle}", "Have it issued for this prefix.")
    wider = [grant for grant in lower.grants if not implied(grant, above.grants)]
    if wider:
        message = f"{lower.subject} claims {wider[0].power} {wider[0].handle}, which its issuer has not"
        raise refuse(Code.INVALID_CREDENTIAL, name, message, "Issue no more than the issuer holds.")


def _check_dates(claims: Claims, now_s: int, place: str) -> None:
    if not claims.not_before_s <= now_s <= claims.expires_s:
        word = "is over" if now_s > claims.expires_s else "has not begun"
        raise refuse(Code.INVALID_CREDENTIAL, place, f"its time {word}", "Have it issued again.")


def _check_token(token: bytes, public: bytes, place: str) -> None:
    key = decode_public_key(public)
    if not isinstance(key, RsaPublicKey) or key.modulus.bit_length() < LEAST_RSA_BITS:
        message = f"its issuer's key is no RSA key of at least {LEAST_RSA_BITS} bits"
        raise refuse(Code.INVALID_CREDENTIAL, place, message, "Use RSA with 3072 bits.")
    try:
        public_key = rsa.RSAPublicNumbers(key.exponent, key.modulus).public_key()
        jwt.decode(token, public_key, algorithms=[_ALGORITHM], options=_OWN_CHECKS)
    except (jwt.PyJWTError, ValueError) as error:
        message = f"it was not signed by its issuer's key ({type(error).__name__})"
        raise refuse(Code.INVALID_CREDENTIAL, place, message, "Sign it again.") from error


def _payload(claims: Claims) -> dict[str, Any]:
    found: dict[str, Any] = {
        "iss": claims.issuer,
        "sub": claims.subject,
        "exp": claims.expires_s,
        "nbf": claims.not_before_s,
        "iat": claims.issued_s,
    }
    if claims.chain:
        found["chain"] = list(claims.chain)
    if claims.digests:
        entries = [{"index": index, "digest": digest} for index, digest in claims.digests]
        found["digests"] = {"alg": _DIGEST, "digests": entries}
    if claims.public_key:
        found["publicKey"] = _web_key(claims.public_key)
        found["perms"] = [_permission(grant) for grant in claims.grants]
        found["ca"] = claims.issues
        found |= {name: text for name, text in (("org", claims.organisation), ("sn", claims.name)) if text}
    return found


def _permission(grant: Grant) -> dict[str, str]:
    found = {"perm": str(grant.power)}
    return found | {"handle": grant.handle} if grant.handle else found


def _claims(found: dict[str, Any], place: str) -> Claims:
    digests = found.get("digests")
    if digests is not None and digests["alg"] != _DIGEST:
        raise refuse(Code.INVALID_CREDENTIAL, place, "its digests are not SHA-256", "Sign it again with SHA-256.")
    key = found.get("publicKey")
    return Claims(
        issuer=_text(found["iss"]),
        subject=_text(found["sub"]),
        not_before_s=int(found.get("nbf", 0)),
        expires_s=int(found["exp"]),
        issued_s=int(found.get("iat", 0)),
        grants=tuple(_grants(found.get("perms", ()))),
        public_key=b"" if key is None else _public_key(key),
        issues=found.get("ca", True) is True,
        organisation=_text(found.get("org", "")),
        name=_text(found.get("sn", "")),
        digests=() if digests is None else tuple((int(d["index"]), _text(d["digest"])) for d in digests["digests"]),
        chain=tuple(_text(item) for item in found.get("chain") or ()),
    )


def _grants(found: Iterable[dict[str, Any]]) -> Iterator[Grant]:
    for entry in found:
        yield Grant(Power(entry["perm"]), _text(entry.get("handle") or ""))


def _text(found: object) -> str:
    if not isinstance(found, str):
        message = "a claim must be text"
        raise TypeError(message)
    return found


def _web_key(public: bytes) -> dict[str, str]:
    key = decode_public_key(public)
    if not isinstance(key, RsaPublicKey):
        raise refuse(Code.INVALID_CREDENTIAL, "key", "certificates are for RSA keys", "Give an RSA key.")
    return {"kty": "RSA", "n": _unsigned(key.modulus), "e": _unsigned(key.exponent)}


def _public_key(found: dict[str, Any]) -> bytes:
    if found["kty"] != "RSA":
        message = "only RSA keys are certified"
        raise ValueError(message)
    return encode_public_key(RsaPublicKey(_number(found["e"]), _number(found["n"])))


def _unsigned(number: int) -> str:
    octets = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def _number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")


def certificate_identity(der: bytes) -> tuple[str, bytes]:
    """Return the identity (index:handle) that an X.509 certificate (DER) names, and its key as HS_PUBKEY data.

    The identity is the UID of the subject or, without one, its common name. Source: Handle.Net technical manual 9
    section 14.6.2. Raises IdentifierError (INVALID_CREDENTIAL) where there is none, or the key is of another kind.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        names = [
            attribute.value
            for kind in (NameOID.USER_ID, NameOID.COMMON_NAME)
            for attribute in certificate.subject.get_attributes_for_oid(kind)
        ]
        key = certificate.public_key()
    except (ValueError, TypeError) as error:
        raise refuse(Code.INVALID_CREDENTIAL, "certificate", "it is not X.509", "Give another.") from error
    if not names or not isinstance(names[0], str):
        message = "its subject has neither UID nor CN"
        raise refuse(Code.INVALID_CREDENTIAL, "certificate", message, "Give it the subject UID=index:handle.")
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        return names[0], encode_public_key(RsaPublicKey(numbers.e, numbers.n))
    if isinstance(key, dsa.DSAPublicKey):
        figures = key.public_numbers()
        group = figures.parameter_numbers
        return names[0], encode_public_key(DsaPublicKey(group.q, group.p, group.g, figures.y))
    raise refuse(Code.INVALID_CREDENTIAL, "certificate", "its key is neither RSA nor DSA", "Use an RSA key.")


@dataclass(frozen=True, slots=True, repr=False)
class Tokens:
    """Bearer tokens of a node: made with a ``secret`` of its own, good for ``life_s`` [s]."""

    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    life_s: int = 86_400

    def __repr__(self) -> str:
        return f"Tokens(hidden, {self.life_s} s)"

    def make(self, requester: Requester, *, now_s: int) -> str:
        """Return a token for ``requester``, made at ``now_s`` [s since 1970]."""
        subject = f"{requester.index}:{requester.handle}"
        claims = {"sub": subject, "iat": now_s, "exp": now_s + self.life_s, "jti": secrets.token_hex(16)}
        return jwt.encode(claims, self.secret, algorithm="HS256")

    def read(self, token: str, *, now_s: int) -> Requester | None:
        """Return whom ``token`` was made for, None where it is not ours or its time is over."""
        try:
            found = jwt.decode(token, self.secret, algorithms=["HS256"], options=_OWN_CHECKS)
            index, _, handle = _text(found["sub"]).partition(":")
            if int(found["exp"]) < now_s:
                return None
            return Requester(Standing.AUTHENTICATED, handle, int(index))
        except (jwt.PyJWTError, KeyError, TypeError, ValueError):
            return None
