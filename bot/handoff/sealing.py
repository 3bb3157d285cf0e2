"""Sealing to a public key: HPKE (RFC 9180) with X25519, HKDF-SHA256 and AES-256-GCM.

Who has the database and the master key can seal, and open nothing: the private keys are the operators' own.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from bot.vault.vault import Unreadable, pad, unpad

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def new_pair() -> tuple[X25519PrivateKey, bytes]:
    """Return a new private key and the raw 32 bytes of its public half."""
    private = X25519PrivateKey.generate()
    return private, public_of(private)


def public_of(private: X25519PrivateKey) -> bytes:
    return private.public_key().public_bytes_raw()


def private_from(raw: bytes) -> X25519PrivateKey:
    """Return the private key of 32 raw bytes. Raises Unreadable."""
    try:
        return X25519PrivateKey.from_private_bytes(raw)
    except ValueError:
        raise Unreadable from None


def seal(public: bytes, plain: bytes, info: str) -> bytes:
    """Return `plain`, padded, for the holder of the private half alone; `info` binds it to its place."""
    return _SUITE.encrypt(pad(plain), X25519PublicKey.from_public_bytes(public), info=info.encode())


def unseal(private: X25519PrivateKey, sealed: bytes, info: str) -> bytes:
    """Return what `seal` was given. Raises Unreadable."""
    try:
        return unpad(_SUITE.decrypt(sealed, private, info=info.encode()))
    except (InvalidTag, ValueError):
        raise Unreadable from None
