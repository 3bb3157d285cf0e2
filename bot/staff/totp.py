"""The second factor: six digits from an app (RFC 6238), each time step used once."""

from __future__ import annotations

import hmac
import io
import time
import unicodedata

import pyotp

STEP_SECONDS = 30
ISSUER = "Helpline"


def new_secret() -> str:
    """Return a new secret: 32 letters and digits (base 32)."""
    return pyotp.random_base32()


def uri(secret: str, login: str) -> str:
    """Return the otpauth:// address that an app reads from the QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=ISSUER)


def qr_svg(secret: str, login: str) -> str:
    """Return the QR code as inline SVG, dark on white in dark mode too (scanners need it)."""
    out = io.BytesIO()
    import segno  # read when somebody enrols

    segno.make(uri(secret, login), error="m").save(
        out, kind="svg", xmldecl=False, svgclass="qr", lineclass=None, omitsize=True, light="#fff", border=4
    )
    return out.getvalue().decode()


def spelled(secret: str) -> str:
    """Return the secret in groups of four, for typing it in."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def digits(code: str) -> str:
    """Return a code as typed on any keyboard (Arabic digits, spaces) in ASCII digits; "" where it is none."""
    found = [unicodedata.decimal(letter, None) for letter in code if not letter.isspace() and letter != "-"]
    return "".join(str(digit) for digit in found) if None not in found and len(found) == 6 else ""


def step_of(secret: str, code: str, last: int, now: float | None = None) -> int | None:
    """Return the time step that `code` is right for, this one or a neighbour and later than `last`; None: wrong."""
    current = int(time.time() if now is None else now) // STEP_SECONDS
    given = digits(code)
    found = None
    for step in (current - 1, current, current + 1):
        right = pyotp.TOTP(secret).at(step * STEP_SECONDS)
        if hmac.compare_digest(right, given) and step > last:
            found = step
    return found
