"""Passwords: which are refused, and the key that comes out of one.

Nothing of a password is stored, not even a hash: that its key opens the private key is the proof of it.
"""

from __future__ import annotations

import base64
import secrets
import string
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bot.staff.errors import StaffError, TryLater
from bot.vault.vault import Unreadable

LEAST_CHARACTERS = 12
MOST_CHARACTERS = 200
_FEWEST_DIFFERENT = 5
_COMMON = Path(__file__).parent / "common_passwords.txt"
_NONCE_BYTES = 12
SALT_BYTES = 16


@dataclass(frozen=True)
class Cost:
    """What Argon2id costs. The default is the second choice of RFC 9106: 64 MiB and about 0.3 s."""

    memory_kib: int = 65536
    iterations: int = 3
    lanes: int = 4


class Kitchen:
    """Where keys are made from passwords: one at a time for strangers, and one for people who are known.

    So at most two run at once (128 MiB), and a flood of strangers never stands in the way of those who work here. Who
    would have to queue for long is told to try later instead of holding a thread.
    """

    def __init__(self, patience: float = 15.0) -> None:
        self.patience = patience
        self._known = _Lane(waiting=6)
        self._strangers = _Lane(waiting=2)

    def key(self, password: str, salt: bytes, cost: Cost, known: bool) -> bytes:
        """Return the key of a password. Raises TryLater where too many others are waiting."""
        lane = self._known if known else self._strangers
        with lane.turn(self.patience):
            stretched = Argon2id(
                salt=salt, length=32, iterations=cost.iterations, lanes=cost.lanes, memory_cost=cost.memory_kib
            ).derive(_normalise(password).encode("utf-8", "surrogatepass"))
        return _expand(stretched, "password")


class _Lane:
    def __init__(self, waiting: int) -> None:
        self._places = threading.BoundedSemaphore(waiting + 1)
        self._turn = threading.Lock()

    @contextmanager
    def turn(self, patience: float) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise TryLater(5)
        try:
            if not self._turn.acquire(timeout=patience):
                raise TryLater(5)
            try:
                yield
            finally:
                self._turn.release()
        finally:
            self._places.release()


def check(password: str, login: str) -> None:
    """Raise StaffError for a password that is too easy to guess. There are no rules about kinds of characters."""
    plain = _normalise(password)
    if len(plain) < LEAST_CHARACTERS:
        raise StaffError("password_short", least=LEAST_CHARACTERS)
    if len(plain) > MOST_CHARACTERS:
        raise StaffError("password_long", most=MOST_CHARACTERS)
    folded = plain.casefold()
    core = folded.strip(string.digits + string.punctuation + string.whitespace)
    if len(set(folded)) < _FEWEST_DIFFERENT or folded in _common() or core in _common():
        raise StaffError("password_common")
    if len(login) > 2 and login in folded:
        raise StaffError("password_holds_login")


def lock(key: bytes, bound: str, plain: bytes) -> bytes:
    """Return a private key encrypted under the key of a password or a code, bound to its operator."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, f"staff key|{bound}".encode())


def unlock(key: bytes, bound: str, locked: bytes) -> bytes:
    """Return what `lock` was given. Raises Unreadable: that is a wrong password."""
    try:
        return AESGCM(key).decrypt(locked[:_NONCE_BYTES], locked[_NONCE_BYTES:], f"staff key|{bound}".encode())
    except (InvalidTag, ValueError):
        raise Unreadable from None


def new_code(groups: int, letters: int) -> str:
    """Return a random code for people to type: groups of letters and digits, 5 bits a letter."""
    count = groups * letters
    text = base64.b32encode(secrets.token_bytes((count * 5 + 7) // 8)).decode()[:count]
    return "-".join(text[at : at + letters] for at in range(0, count, letters))


def plain_code(code: str) -> str:
    """Return a code as it was made, however it was typed: case, spaces and hyphens don't matter, nor 0 for O."""
    text = "".join(letter for letter in code[:100].upper() if letter.isascii() and letter.isalnum())
    return text.translate(str.maketrans("018", "OIB"))


def code_key(code: str) -> bytes:
    """Return the key of an enrolment code. Its 125 bits need no stretching."""
    return _expand(plain_code(code).encode(), "enrolment code")


def _expand(secret: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"helpline/staff {purpose}".encode()).derive(secret)


def _normalise(password: str) -> str:
    return unicodedata.normalize("NFKC", password)


@cache
def _common() -> frozenset[str]:
    lines = _COMMON.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))
