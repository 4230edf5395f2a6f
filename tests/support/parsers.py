"""Every parser of octets that strangers send, by name: what the fuzzer and the property tests feed.

A parser returns anything or raises ``InputError`` (``IdentifierError``); any other exception is a fault.
Add yours to ``PARSERS`` and, where it has some, inputs to start from to ``SEEDS``.
"""

from __future__ import annotations

import atexit
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from support import http_parsers, identity_parsers
from support.doirp_world import World, world
from xinji.use.identity.doirp.bodies import Elements, Referral, decode_body
from xinji.use.identity.doirp.codes import Digest, Mac
from xinji.use.identity.doirp.fast import FastPath
from xinji.use.identity.doirp.fragments import Assembly
from xinji.use.identity.doirp.message import decode_credential, decode_message, request_digest
from xinji.use.identity.keys import Secret, check_proof, prove_secret
from xinji.use.identity.record import Value, decode_values, encode_values, spans
from xinji.use.identity.value_data import (
    RsaPublicKey,
    decode_admin,
    decode_public_key,
    decode_site,
    decode_vlist,
    encode_public_key,
)
from xinji.use.identity.wire import Cursor, string

CORPUS = Path(__file__).resolve().parents[1] / "doirp" / "corpus"


def corpus() -> tuple[bytes, ...]:
    """Return the messages of the DO-IRP corpus."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(CORPUS.glob("*.hex"))]
    return tuple(bytes.fromhex("".join(line.partition("#")[0] for line in text.splitlines())) for text in texts)


def values() -> tuple[Value, ...]:
    """Return the values in the corpus."""
    decoded = [decode_message(octets) for octets in corpus()]
    bodies = [decode_body(message.header, message.body)[1] for message in decoded]
    return tuple(value for body in bodies if isinstance(body, Elements | Referral) for value in body.values)


def value_lists() -> tuple[bytes, ...]:
    """Return encoded lists of the values in the corpus."""
    return tuple(encode_values(values()[start:]) for start in range(len(values())))


PUBLIC_KEY = encode_public_key(RsaPublicKey(65_537, 2**2_047 + 3))
KEY_PROOF = len(PUBLIC_KEY).to_bytes(2, "big") + PUBLIC_KEY + string("SHA-256") + string(bytes(256))


def doirp_message(octets: bytes) -> object:
    """Decode a message and its body, and encode both again."""
    message = decode_message(octets)
    digest, body = decode_body(message.header, message.body)
    return message.encode(), digest, body.encode(), request_digest(octets, Digest.SHA256)


def doirp_parts(octets: bytes) -> object:
    """Put together what ``octets`` hold as datagrams of up to 512 octets."""
    assembly = Assembly(most=4, most_octets=4_096)
    return [assembly.add("peer", octets[at : at + 512]) for at in range(0, len(octets), 512)]


def doirp_secret_proof(octets: bytes) -> object:
    """Check a proof made with a secret key."""
    return check_proof("HS_SECKEY", b"secret", b"challenge", octets)


def doirp_key_proof(octets: bytes) -> object:
    """Check a proof made with a public key that stands in front of it, behind its length in two octets."""
    end = 2 + int.from_bytes(octets[:2], "big")
    return check_proof("HS_PUBKEY", octets[2:end], b"challenge", octets[end:])


@cache
def doirp_world() -> World:
    """A service over a store of its own, for as long as the process lives."""
    folder = TemporaryDirectory(prefix="doirp-parsers-")
    made = world(Path(folder.name))

    def end() -> None:
        made.service.close()
        made.store.close()
        folder.cleanup()

    atexit.register(end)
    return made


def doirp_service(octets: bytes) -> object:
    """Have the service answer ``octets``; the answer must be a message."""
    return doirp_world().ask(octets)


def doirp_fast(octets: bytes) -> object:
    """Have the fast path look at ``octets`` from every place on where a message may begin."""
    service = doirp_world().service
    service.refresh()
    fast = FastPath(service.reader.body, service.reader.open_body)
    return [fast.scan(octets, at) for at in range(0, len(octets), 20)]


PARSERS: dict[str, Callable[[bytes], object]] = {
    "doirp message": doirp_message,
    "doirp credential": decode_credential,
    "doirp parts": doirp_parts,
    "doirp secret proof": doirp_secret_proof,
    "doirp key proof": doirp_key_proof,
    "doirp service": doirp_service,
    "doirp fast path": doirp_fast,
    "identity values": lambda octets: decode_values(Cursor(octets)),
    "identity spans": spans,
    "identity admin": decode_admin,
    "identity site": decode_site,
    "identity group": decode_vlist,
    "identity public key": decode_public_key,
    **http_parsers.PARSERS,
    **identity_parsers.PARSERS,
}
"""Parsers by name."""

SEEDS: dict[str, tuple[bytes, ...]] = {
    "doirp message": corpus(),
    "doirp parts": corpus(),
    "doirp service": corpus(),
    "doirp fast path": corpus(),
    "doirp credential": tuple(octets[44:] for octets in corpus()),
    "identity values": value_lists(),
    "identity spans": value_lists(),
    "identity site": tuple(value.data for value in values() if value.type == "HS_SITE"),
    "identity admin": tuple(value.data for value in values() if value.type == "HS_ADMIN"),
    "identity public key": (PUBLIC_KEY,),
    "doirp secret proof": tuple(prove_secret(Secret(b"secret"), b"challenge", kind) for kind in Mac),
    "doirp key proof": (KEY_PROOF,),
    **identity_parsers.SEEDS,
}
"""Inputs to start from."""
