"""Pseudonyms and encryption: every stored byte about a conversation goes through here.

Each conversation has a random key of its own, stored only wrapped by a key from the master key. Deleting the wrapped
key makes the conversation unreadable for ever, in every copy of its rows that was made without it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bot.vault.keys import KEY_BYTES, derive

KEY_VERSION = 1
_NONCE_BYTES = 12
_SMALLEST = 1024
"""Records are padded to this, doubled as often as needed, so that their length tells nothing."""


class Unreadable(Exception):
    """A stored record does not open: another master key, another row, or damage."""


class Vault:
    """Holds the keys of this installation. Neither `repr` nor errors show them."""

    def __init__(self, master: bytes) -> None:
        self._pseudonym_key = derive(master, "pseudonym")
        self._wrapping = AESGCM(derive(master, "wrapping"))
        self._token_key = derive(master, "button tokens")
        self._word_key = derive(master, "words to return")
        self._digest_key = derive(master, "digests")
        self._protection = AESGCM(derive(master, "protection"))

    def __repr__(self) -> str:
        return "Vault(…)"

    def pseudonym(self, channel: str, address: str) -> str:
        """Return the name under which a conversation is known: 64 hexadecimal digits that lead back to nobody."""
        message = f"{channel}\0{address}".encode("utf-8", "surrogatepass")
        return hmac.new(self._pseudonym_key, message, hashlib.sha256).hexdigest()

    def token(self, payload: str) -> str:
        """Return the short opaque name of a button's payload (16 characters)."""
        digest = hmac.new(self._token_key, payload.encode(), hashlib.sha256).digest()
        return digest[:8].hex()

    def word(self, pseudonym: str, word: str) -> str:
        """Return the keyed digest of a word that somebody chose to come back with: 64 hexadecimal digits."""
        return hmac.new(self._word_key, f"{pseudonym}\0{word}".encode(), hashlib.sha256).hexdigest()

    def digest(self, purpose: str, value: str) -> str:
        """Return the keyed digest by which `value` is found again without being stored: 64 hexadecimal digits."""
        message = f"{purpose}\0{value}".encode("utf-8", "surrogatepass")
        return hmac.new(self._digest_key, message, hashlib.sha256).hexdigest()

    def protect(self, purpose: str, bound: str, plain: bytes) -> bytes:
        """Return `plain`, which belongs to no conversation (staff), padded and encrypted, bound to its row's id."""
        return _encrypt(self._protection, pad(plain), f"{purpose}|{bound}".encode())

    def reveal(self, purpose: str, bound: str, record: bytes) -> bytes:
        """Return what `protect` was given. Raises Unreadable."""
        return unpad(_decrypt(self._protection, record, f"{purpose}|{bound}".encode()))

    @staticmethod
    def same(one: str, other: str) -> bool:
        """Compare two digests in constant time."""
        return hmac.compare_digest(one.encode(), other.encode())

    def new_key(self, pseudonym: str) -> tuple[bytes, bytes]:
        """Return a new conversation key, and the same wrapped for storing."""
        key = secrets.token_bytes(KEY_BYTES)
        return key, _encrypt(self._wrapping, key, _bind("key", pseudonym, KEY_VERSION))

    def unwrap(self, pseudonym: str, wrapped: bytes, version: int) -> bytes:
        """Return the conversation key in `wrapped`. Raises Unreadable."""
        return _decrypt(self._wrapping, wrapped, _bind("key", pseudonym, version))

    @staticmethod
    def seal(key: bytes, pseudonym: str, purpose: str, plain: bytes) -> bytes:
        """Return `plain` padded and encrypted under a conversation key, bound to its row."""
        return _encrypt(AESGCM(key), pad(plain), _bind(purpose, pseudonym, KEY_VERSION))

    @staticmethod
    def open(key: bytes, pseudonym: str, purpose: str, record: bytes) -> bytes:
        """Return what `seal` was given. Raises Unreadable."""
        return unpad(_decrypt(AESGCM(key), record, _bind(purpose, pseudonym, KEY_VERSION)))


def _bind(purpose: str, pseudonym: str, version: int) -> bytes:
    return f"conversation|{pseudonym}|{purpose}|{version}".encode()


def _encrypt(cipher: AESGCM, plain: bytes, associated: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, associated)


def _decrypt(cipher: AESGCM, record: bytes, associated: bytes) -> bytes:
    try:
        return cipher.decrypt(record[:_NONCE_BYTES], record[_NONCE_BYTES:], associated)
    except (InvalidTag, ValueError):
        raise Unreadable from None


def pad(plain: bytes) -> bytes:
    """Return `plain` filled up to a size class."""
    size = _SMALLEST
    while size < len(plain) + 4:
        size *= 2
    return len(plain).to_bytes(4, "big") + plain.ljust(size - 4, b"\0")


def unpad(padded: bytes) -> bytes:
    """Return what `pad` was given."""
    return padded[4 : 4 + int.from_bytes(padded[:4], "big")]
