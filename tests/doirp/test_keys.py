"""Keys: their files, what they show, and proofs."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ed25519, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from support.doirp_world import SECRET, key, server_key
from xinji.use.identity.client_link import Identity
from xinji.use.identity.doirp.codes import Mac
from xinji.use.identity.errors import IdentifierError
from xinji.use.identity.keys import (
    Secret,
    SigningKey,
    check_proof,
    new_key,
    new_nonce,
    new_secret,
    prove_key,
    prove_secret,
    read_key,
    read_secret,
    verify,
    write_key,
    write_secret,
)
from xinji.use.identity.value_data import RsaPublicKey, encode_public_key


def pem(private: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey, password: bytes | None = None) -> bytes:
    how = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)


def private_file(path: Path, octets: bytes) -> Path:
    path.touch(0o600)
    path.write_bytes(octets)
    return path


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    path, other = tmp_path / "key.pem", tmp_path / "secret"
    write_key(path, key())
    write_secret(other, SECRET)
    assert path.stat().st_mode & 0o777 == 0o600
    assert other.stat().st_mode & 0o777 == 0o600
    assert read_key(path).public == key().public
    assert read_secret(other) == SECRET
    with pytest.raises(IdentifierError, match="exists"):
        write_key(path, key())
    with pytest.raises(IdentifierError, match="exists"):
        write_secret(other, SECRET)
    path.chmod(0o640)
    with pytest.raises(IdentifierError, match="chmod 600"):
        read_key(path)


def test_files_that_are_no_keys(tmp_path: Path) -> None:
    for number, octets in enumerate((b"", b"no key", pem(ed25519.Ed25519PrivateKey.generate()))):
        with pytest.raises(IdentifierError):
            read_key(private_file(tmp_path / f"{number}.pem", octets))
    with pytest.raises(IdentifierError, match="cannot be read"):
        read_key(tmp_path / "nothing")
    with pytest.raises(IdentifierError, match="empty"):
        read_secret(private_file(tmp_path / "empty", b"\n"))


def test_a_password_opens_a_file(tmp_path: Path) -> None:
    private = key().private
    assert isinstance(private, rsa.RSAPrivateKey)
    path = private_file(tmp_path / "key.pem", pem(private, b"open"))
    assert read_key(path, b"open").public == key().public
    for wrong in (None, b"shut"):
        with pytest.raises(IdentifierError) as caught:
            read_key(path, wrong)
        assert "shut" not in str(caught.value)


def test_nothing_secret_is_shown(caplog: pytest.LogCaptureFixture) -> None:
    hidden = SECRET.octets.decode()
    shown = [repr(SECRET), str(SECRET), repr(Identity("a/b", 1, SECRET)), repr([key()]), f"{key()}"]
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").info("%s %r", SECRET, key())
    shown.append(caplog.text)
    private = key().private
    assert isinstance(private, rsa.RSAPrivateKey)
    figures = private.private_numbers()
    for text in shown:
        assert hidden not in text
        assert str(figures.d) not in text
        assert f"{figures.d:x}" not in text


@pytest.mark.parametrize("kind", Mac)
@settings(deadline=None, max_examples=10)
@given(st.binary(min_size=1, max_size=40), st.binary(max_size=80))
def test_proofs_with_secrets_hold_for_their_challenge_alone(kind: Mac, secret: bytes, challenge: bytes) -> None:
    proof = prove_secret(Secret(secret), challenge, kind)
    assert check_proof("HS_SECKEY", secret, challenge, proof)
    assert not check_proof("HS_SECKEY", secret + b"x", challenge, proof)
    assert not check_proof("HS_SECKEY", secret, challenge + b"x", proof)


@pytest.mark.parametrize("digest", ["SHA-256", "sha1", "SHA-1", "SHA256"])
def test_proofs_with_keys(digest: str) -> None:
    short = dsa.generate_private_key(1024)  # noqa: S505 (the length that DSA began with)
    for own in (key(), SigningKey(short)):
        proof = prove_key(own, b"challenge", digest)
        assert check_proof("HS_PUBKEY", own.public, b"challenge", proof)
        assert not check_proof("HS_PUBKEY", own.public, b"challenges", proof)
        assert not check_proof("HS_PUBKEY", server_key().public, b"challenge", proof)


def test_keys_that_are_too_short_or_too_long() -> None:
    with pytest.raises(IdentifierError, match="bits"):
        new_key(1024)
    for bits in (1_024, 16_384):
        public = encode_public_key(RsaPublicKey(65_537, 2 ** (bits - 1) + 1))
        with pytest.raises(IdentifierError, match="bits"):
            verify(public, b"octets", bytes(bits // 8))
    with pytest.raises(IdentifierError, match="not one"):
        verify(encode_public_key(RsaPublicKey(0, 2**2_047 + 1)), b"octets", bytes(256))


def test_digests_that_are_not_offered() -> None:
    with pytest.raises(IdentifierError, match="not offered"):
        prove_key(key(), b"challenge", "MD5")
    with pytest.raises(IdentifierError, match="not offered"):
        check_proof("HS_OTHER", b"", b"", b"")


def test_what_is_new_is_new() -> None:
    assert new_nonce() != new_nonce()
    assert len(new_nonce()) >= 20
    assert new_secret() != new_secret()
