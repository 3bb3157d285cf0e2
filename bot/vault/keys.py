"""The master key, and the keys derived from it.

HKDF-SHA256 derives one key for each purpose; the master key itself encrypts nothing.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32


class MasterKeyError(ValueError):
    """The master key can't be used. The message says which file and what to do, never its content."""


def load_or_create(path: Path) -> bytes:
    """Return the master key in `path`; make a new one, readable by its owner only, where there is none."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
    return load(path)


def load(path: Path) -> bytes:
    """Return the master key in `path`. Raises MasterKeyError where others can read it or it is no key."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        key = path.read_bytes()
    except OSError as error:
        raise MasterKeyError(f"the master key file {path} can't be read: {error.strerror}") from None
    if mode & 0o077:
        raise MasterKeyError(f"the master key file {path} can be read by others: run chmod 600 on it")
    if len(key) != KEY_BYTES:
        raise MasterKeyError(
            f"the master key file {path} must hold exactly {KEY_BYTES} bytes: restore it from its backup"
        )
    return key


def derive(master: bytes, purpose: str) -> bytes:
    """Return the 32-byte key for `purpose`."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"helpline/{purpose}".encode()).derive(master)
