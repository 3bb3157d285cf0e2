"""bot/console/security.py: where a request comes from, cookies, headers."""

from __future__ import annotations

import pytest
from starlette.requests import Request
from starlette.responses import Response

from bot.console import security


def request(**headers: str) -> Request:
    raw = [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "path": "/console", "headers": raw, "query_string": b""})


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({"Sec_Fetch_Site": "same-origin"}, True),
        ({"Sec_Fetch_Site": "same-origin", "Origin": "null"}, True),  # what Chromium sends from a page without referrer
        ({"Sec_Fetch_Site": "same-origin", "Origin": "https://desk.example.org"}, True),
        ({"Origin": "https://desk.example.org"}, True),
        ({"Origin": "http://DESK.example.org"}, True),  # behind a proxy that speaks TLS
        ({}, True),  # no browser: the form's token decides
        ({"Origin": "null"}, False),
        ({"Origin": ""}, False),
        ({"Origin": "https://desk.example.org:8443"}, False),
        ({"Origin": "https://desk.example.org.evil.example"}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "file://desk.example.org"}, False),
        ({"Origin": "http://["}, False),
        ({"Sec_Fetch_Site": "same-origin", "Origin": "https://evil.example"}, False),
        ({"Sec_Fetch_Site": "same-site"}, False),
        ({"Sec_Fetch_Site": "cross-site"}, False),
        ({"Sec_Fetch_Site": "cross-site", "Origin": "https://desk.example.org"}, False),
        ({"Sec_Fetch_Site": "none"}, False),
        ({"Sec_Fetch_Site": ""}, False),
    ],
)
def test_only_our_own_pages_may_change_anything(headers: dict[str, str], ours: bool) -> None:
    assert security.ours(request(Host="desk.example.org", **headers)) is ours


def test_an_origin_without_a_host_is_not_ours() -> None:
    assert not security.ours(request(Origin="https://"))


def test_secrets_of_any_letters_are_compared() -> None:
    assert security.same("abc", "abc")
    assert not security.same("abc", "abd")
    assert not security.same("\udc80é", "abc")


def test_a_cookie_is_dropped_as_it_was_set() -> None:
    """A browser ignores a `__Host-` cookie without Secure and Path=/, also one that deletes."""
    response = Response()
    security.drop_cookie(response, security.SESSION_COOKIE)
    cookie = response.headers["set-cookie"].lower()
    assert cookie.startswith('__host-console="";')
    assert {"max-age=0", "secure", "path=/", "httponly", "samesite=strict"} <= {
        part.strip() for part in cookie.split(";")
    }


def test_the_policy_lets_nothing_in_from_elsewhere() -> None:
    policy = security.HEADERS["Content-Security-Policy"]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert "*" not in policy
    assert "http" not in policy
