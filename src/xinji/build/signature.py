"""Ed25519 signatures (RFC 8032): make and read key files, sign, verify, read lists of trusted keys."""

from __future__ import annotations

import base64
import binascii
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from xinji.errors import Fault, InputError, OutputError, raise_if

PREFIX = "ed25519:"
_PURPOSE = b"xinji ledger event\n"


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A private key; ``public`` is the text of its public half, ``ed25519:`` and 64 hexadecimal digits."""

    public: str
    secret: Ed25519PrivateKey = field(repr=False, compare=False)

    def sign(self, digest: str) -> str:
        """Return the signature (base64) over an event's hash ``digest`` (hexadecimal)."""
        return base64.b64encode(self.secret.sign(_PURPOSE + bytes.fromhex(digest))).decode("ascii")


def make_key(path: Path) -> PrivateKey:
    """Make a key, keep it in the new file ``path`` (PEM, only the owner may read it) and return it.

    Raises InputError if the file exists, OutputError if it cannot be written.
    """
    secret = Ed25519PrivateKey.generate()
    text = secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR)
    except FileExistsError:
        fault = Fault("key", f"{path} exists already", "Give another file; keys are not replaced.")
        raise InputError([fault]) from None
    except OSError as error:
        raise OutputError(f"The key cannot be written to {path}: {error.strerror}.") from error
    with os.fdopen(handle, "wb") as file:
        file.write(text)
    return _private(secret)


def read_key(path: Path) -> PrivateKey:
    """Return the key kept in ``path``; raises InputError if it is missing, no such key, or open to others."""
    try:
        mode, text = path.stat().st_mode, path.read_bytes()
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}"
        raise InputError([Fault("key", message, "Make a key with `make_key` or name its file.")]) from error
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise InputError([Fault("key", f"others may open {path}", f"Run `chmod 600 {path}`.")])
    try:
        secret = load_pem_private_key(text, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        secret = None
    if not isinstance(secret, Ed25519PrivateKey):
        raise InputError([Fault("key", f"{path} holds no Ed25519 key without password", "Give a PEM file (PKCS 8).")])
    return _private(secret)


def verify(public: str, digest: str, signature: str) -> bool:
    """Return whether ``signature`` was made over the hash ``digest`` with the private half of ``public``."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public.removeprefix(PREFIX)))
        key.verify(base64.b64decode(signature, validate=True), _PURPOSE + bytes.fromhex(digest))
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True


def is_public(text: str) -> bool:
    """Return whether ``text`` is a public key as ``PrivateKey.public`` writes it."""
    digits = text.removeprefix(PREFIX)
    return text.startswith(PREFIX) and len(digits) == 64 and set(digits) <= set("0123456789abcdef")


def read_trusted(path: Path) -> dict[str, tuple[str, ...]]:
    """Return the keys trusted for each name from lines ``ed25519:... NAME`` of ``path``; ``#`` begins a comment.

    Raises InputError with all faults if the file cannot be read or a line holds no key and name.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError([Fault("trusted keys", f"{path} cannot be read: {error}", "Give a text file.")]) from error
    rows = [(row, *line.strip().partition(" ")) for row, line in enumerate(lines) if line.strip()]
    rows = [row for row in rows if not row[1].startswith("#")]
    raise_if(_line_faults(rows))
    trusted: dict[str, tuple[str, ...]] = {}
    for _, key, _, name in rows:
        trusted[name.strip()] = (*trusted.get(name.strip(), ()), key)
    return trusted


def _line_faults(rows: list[tuple[int, str, str, str]]) -> Iterator[Fault]:
    for row, key, _, name in rows:
        if not (is_public(key) and name.strip()):
            yield Fault("trusted keys", "the line holds no key and name", f"Write `{PREFIX}... NAME`.", row)


def _private(secret: Ed25519PrivateKey) -> PrivateKey:
    return PrivateKey(PREFIX + secret.public_key().public_bytes_raw().hex(), secret)
