"""Keys of the identifier node: files, signatures and proofs; nothing here is ever shown.

DO-IRP knows RSA and DSA keys (type HS_PUBKEY) and shared secrets (HS_SECKEY). It defines no form for
keys on elliptic curves, so Ed25519 is refused. Sources: RFC 3652, sections 2.2.4 and 3.5.2; RFC 3651,
section 3.2; where these leave it open, Handle.Net 9.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, padding, rsa

from xinji.use.identity.doirp.codes import NONCE_OCTETS, PUBLIC_KEY, SECRET_KEY, Mac
from xinji.use.identity.errors import Code, IdentifierError, refuse
from xinji.use.identity.value_data import DsaPublicKey, RsaPublicKey, decode_public_key, encode_public_key
from xinji.use.identity.wire import Cursor, string, u32

DIGESTS: Mapping[str, Callable[[], hashes.HashAlgorithm]] = {"SHA1": hashes.SHA1, "SHA256": hashes.SHA256}
"""Digests for signatures; names are compared without hyphens and case."""

LEAST_RSA_BITS, MOST_RSA_BITS = 2048, 8192
"""RSA keys accepted: shorter ones are weak (NIST SP 800-131A), longer ones cost a server too much [bits]."""

NEW_RSA_BITS = 3072
"""Length of new keys: 128 bits of security (NIST SP 800-57 part 1, table 2) [bits]."""

OTHERS = 0o077
"""Rights of others on a file."""

ITERATIONS, MOST_ITERATIONS = 10_000, 10_000
"""PBKDF2 rounds: those of Handle.Net 9, and the most a client may make a server compute."""

LEAST_KEY_BITS, MOST_KEY_BITS = 160, 512
"""Keys that a client may have derived: as long as SHA-1's digest, so that none can be guessed, or longer [bits]."""

SALT_OCTETS = 16
"""Length of a salt, as Handle.Net 9 has it [octets]."""

PrivateKey = rsa.RSAPrivateKey | dsa.DSAPrivateKey


def _refused(message: str, remedy: str) -> IdentifierError:
    return refuse(Code.INVALID_CREDENTIAL, "key", message, remedy)


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A shared secret: the data of a value HS_SECKEY; never shown."""

    octets: bytes

    def __repr__(self) -> str:
        return "Secret(hidden)"


@dataclass(frozen=True, slots=True, repr=False)
class SigningKey:
    """A private RSA or DSA key; shows its kind and length only."""

    private: PrivateKey

    def __repr__(self) -> str:
        kind = "RSA" if isinstance(self.private, rsa.RSAPrivateKey) else "DSA"
        return f"SigningKey({kind}, {self.private.key_size} bits)"

    @property
    def public(self) -> bytes:
        """The public half as data of a value HS_PUBKEY."""
        if isinstance(self.private, rsa.RSAPrivateKey):
            figures = self.private.public_key().public_numbers()
            return encode_public_key(RsaPublicKey(figures.e, figures.n))
        numbers = self.private.public_key().public_numbers()
        group = numbers.parameter_numbers
        return encode_public_key(DsaPublicKey(group.q, group.p, group.g, numbers.y))

    def sign(self, octets: bytes, digest: str = "SHA-256") -> bytes:
        """Return the signature: PKCS #1 version 1.5 for RSA, the DER pair of r and s for DSA."""
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(octets, padding.PKCS1v15(), algorithm_of(digest))
        return self.private.sign(octets, algorithm_of(digest))


def algorithm_of(digest: str) -> hashes.HashAlgorithm:
    """Return the digest called ``digest``; raises IdentifierError if it is not offered."""
    made = DIGESTS.get(digest.upper().replace("-", ""))
    if made is None:
        raise _refused(f"the digest {digest[:20]!r} is not offered", "Use SHA-256 or SHA-1.")
    return made()


def new_key(bits: int = NEW_RSA_BITS) -> SigningKey:
    """Return a new RSA key of ``bits``."""
    if not LEAST_RSA_BITS <= bits <= MOST_RSA_BITS:
        raise _refused(f"{bits} bits were asked for", f"Ask for {LEAST_RSA_BITS} to {MOST_RSA_BITS}.")
    return SigningKey(rsa.generate_private_key(public_exponent=65537, key_size=bits))


def new_secret() -> Secret:
    """Return a new shared secret of 256 bits, in letters and digits."""
    return Secret(secrets.token_hex(32).encode())


def new_nonce() -> bytes:
    """Return a new nonce for a challenge."""
    return secrets.token_bytes(NONCE_OCTETS)


def _write(path: Path, octets: bytes) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise _refused(f"{path} exists", "Choose another path; a key is never overwritten.") from None
    with os.fdopen(handle, "wb") as file:
        file.write(octets)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if mode & OTHERS:
                raise _refused(f"{path} has mode {mode & 0o777:o}", f"Run `chmod 600 {path}`.")
            return file.read()
    except OSError as error:
        raise _refused(f"{path} cannot be read: {error.strerror}", "Give the path of a key file.") from None


def write_key(path: Path, key: SigningKey) -> None:
    """Write ``key`` to the new file ``path`` (PEM, PKCS #8), which only its owner may read."""
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    _write(path, key.private.private_bytes(serialization.Encoding.PEM, form, plain))


def read_key(path: Path, password: bytes | None = None) -> SigningKey:
    """Return the key in ``path`` (PEM); raises IdentifierError, also where others may read the file."""
    octets = _read(path)
    try:
        private = serialization.load_pem_private_key(octets, password)
    except (ValueError, TypeError):
        # The library's own words may quote the file.
        raise _refused(f"{path} holds no private key, or the password is wrong", "Give a PEM file.") from None
    if not isinstance(private, rsa.RSAPrivateKey | dsa.DSAPrivateKey):
        raise _refused(f"{path} holds a key that DO-IRP has no form for", "Use an RSA or DSA key.")
    return SigningKey(private)


def write_secret(path: Path, secret: Secret) -> None:
    """Write ``secret`` to the new file ``path``, which only its owner may read."""
    _write(path, secret.octets)


def read_secret(path: Path) -> Secret:
    """Return the secret in ``path`` without a newline at its end; raises IdentifierError."""
    octets = _read(path).removesuffix(b"\n")
    if not octets:
        raise _refused(f"{path} is empty", "Write the secret into it.")
    return Secret(octets)


def verify(public: bytes, octets: bytes, signature: bytes, digest: str = "SHA-256") -> bool:
    """Whether ``signature`` over ``octets`` was made with the private half of ``public`` (data of HS_PUBKEY).

    Raises IdentifierError if the key or the digest is not of a kind that is offered.
    """
    key, algorithm = decode_public_key(public), algorithm_of(digest)
    try:
        if isinstance(key, RsaPublicKey):
            if not LEAST_RSA_BITS <= key.modulus.bit_length() <= MOST_RSA_BITS:
                raise _refused(f"the key has {key.modulus.bit_length()} bits", f"Use {NEW_RSA_BITS}.")
            figures = rsa.RSAPublicNumbers(key.exponent, key.modulus).public_key()
            figures.verify(signature, octets, padding.PKCS1v15(), algorithm)
        else:
            group = dsa.DSAParameterNumbers(key.p, key.q, key.g)
            dsa.DSAPublicNumbers(key.y, group).public_key().verify(signature, octets, algorithm)
    except InvalidSignature:
        return False
    except ValueError:
        raise _refused("the public key is not one", "Register the key again.") from None
    return True


def _derived(secret: Secret, salt: bytes, iterations: int, bits: int) -> bytes:
    # Java takes each octet for a letter and derives from the letters in UTF-8.
    letters = secret.octets.decode("latin-1").encode()
    return hashlib.pbkdf2_hmac("sha1", letters, salt, iterations, bits // 8)


def _mac(kind: Mac, challenge: bytes, key: bytes) -> bytes:
    if kind is Mac.HMAC_SHA256:
        return hmac.digest(key, challenge, "sha256")
    if kind in (Mac.HMAC_SHA1, Mac.PBKDF2_HMAC_SHA1):
        return hmac.digest(key, challenge, "sha1")
    made = hashlib.sha256 if kind is Mac.SHA256 else hashlib.sha1
    return made(key + challenge + key).digest()


def prove_secret(secret: Secret, challenge: bytes, kind: Mac = Mac.HMAC_SHA256) -> bytes:
    """Return the proof that ``secret`` is known: the octet of ``kind`` and the code over ``challenge``."""
    if kind is not Mac.PBKDF2_HMAC_SHA1:
        return bytes((kind,)) + _mac(kind, challenge, secret.octets)
    salt = secrets.token_bytes(SALT_OCTETS)
    code = _mac(kind, challenge, _derived(secret, salt, ITERATIONS, 160))
    return bytes((kind,)) + string(salt) + u32(ITERATIONS) + u32(160) + string(code)


def check_secret(secret: Secret, challenge: bytes, proof: bytes) -> bool:
    """Whether ``proof`` over ``challenge`` was made with ``secret``; raises IdentifierError if it is malformed."""
    cursor = Cursor(proof)
    number = cursor.u8()
    if number not in set(Mac):
        raise _refused(f"the code 0x{number:02x} is not offered", "Use HMAC with SHA-256 (0x13).")
    kind, key = Mac(number), secret.octets
    code = proof[1:]
    if kind is Mac.PBKDF2_HMAC_SHA1:
        salt, iterations, bits = cursor.string(), cursor.u32(), cursor.u32()
        code = cursor.string()
        cursor.done()
        if not 1 <= iterations <= MOST_ITERATIONS or not LEAST_KEY_BITS <= bits <= MOST_KEY_BITS:
            raise _refused(f"{iterations} rounds for {bits} bits are asked for", f"Use {ITERATIONS} for 160.")
        key = _derived(secret, salt, iterations, bits)
    return hmac.compare_digest(_mac(kind, challenge, key), code)


def prove_key(key: SigningKey, challenge: bytes, digest: str = "SHA-256") -> bytes:
    """Return the proof that ``key`` is held: the digest's name and the signature over ``challenge``."""
    return string(digest) + string(key.sign(challenge, digest))


def check_key(public: bytes, challenge: bytes, proof: bytes) -> bool:
    """Whether ``proof`` over ``challenge`` was made with the private half of ``public``; may raise IdentifierError."""
    cursor = Cursor(proof)
    digest, signature = cursor.text(), cursor.string()
    cursor.done()
    return verify(public, challenge, signature, digest)


def check_proof(kind: str, key: bytes, challenge: bytes, proof: bytes) -> bool:
    """Whether ``proof`` over ``challenge`` was made with the ``key`` of a value of type ``kind``.

    Raises IdentifierError if the kind is unknown, or key or proof are malformed.
    """
    if kind == SECRET_KEY:
        return check_secret(Secret(key), challenge, proof)
    if kind == PUBLIC_KEY:
        return check_key(key, challenge, proof)
    raise _refused(f"authentication by {kind[:20]!r} is not offered", "Use HS_PUBKEY or HS_SECKEY.")
