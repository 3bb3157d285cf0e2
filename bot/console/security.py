"""What every answer of the console carries and every request is held against: headers, cookie, origin."""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

SESSION_COOKIE = "__Host-console"
"""`__Host-`: the browser takes it over HTTPS (or from this machine) only, for this host only, for all paths."""
DEVICE_COOKIE = "__Host-device"
LARGEST_BODY = 32_768
MOST_FIELDS = 60

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}


def ours(request: Request) -> bool:
    """Tell whether a request that changes something comes from one of our own pages.

    Browsers say so in Sec-Fetch-Site, in Origin, or in both. Our pages send no referrer, so a form's Origin is
    "null" there, which is worth nothing without Sec-Fetch-Site. What says neither is no browser: the forms' own
    token decides then. A proxy in front must hand on the Host that the browser asked for.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None and site != "same-origin":
        return False
    if origin is None:
        return True
    if origin == "null":
        return site == "same-origin"
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    host = request.headers.get("host", "").lower()
    return parts.scheme in ("http", "https") and host != "" and parts.netloc.lower() == host


def same(one: str, other: str) -> bool:
    """Compare two secrets in constant time, whatever letters they hold."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))


def wants_fragment(request: Request) -> bool:
    return request.headers.get("hx-request") == "true"


def wants_events(request: Request) -> bool:
    return "text/event-stream" in request.headers.get("accept", "")


def guard(response: Response, headers: dict[str, str] = HEADERS) -> Response:
    """Put the security headers on `response`."""
    for name, value in headers.items():
        response.headers[name] = value
    return response


def set_cookie(response: Response, name: str, value: str, seconds: int | None = None) -> None:
    """Hand the browser a cookie that scripts can't read and that other sites' requests don't carry."""
    response.set_cookie(name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="strict")


def drop_cookie(response: Response, name: str) -> None:
    response.delete_cookie(name, path="/", secure=True, httponly=True, samesite="strict")
