"""Logging in, setting up an account with a one-time code, logging out. The only pages that need no login."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.console import security
from bot.console.app import EVERYBODY, LOGIN, Page
from bot.console.security import DEVICE_COOKIE, SESSION_COOKIE
from bot.staff import totp
from bot.staff.errors import LoginRefused, StaffError, TryLater
from bot.staff.throttle import DEVICE_DAYS

if TYPE_CHECKING:
    from bot.console.app import Console
    from bot.staff.accounts import Admission
    from bot.staff.sessions import Session

ENROL_SECONDS = 900
MOST_ENROLMENTS = 100
LOGIN_REFUSED = 422


@dataclass(repr=False)
class Enrolment:
    """Somebody half-way through setting up an account; in memory only."""

    login: str
    code: str
    password: str = ""
    secret: str = field(default_factory=totp.new_secret)
    until: float = field(default_factory=lambda: time.monotonic() + ENROL_SECONDS)


class Enrolments:
    """The enrolments under way, by a random token that their forms carry."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, Enrolment] = OrderedDict()

    def __repr__(self) -> str:
        return f"Enrolments({len(self._waiting)})"

    def begin(self, login: str, code: str) -> str:
        """Return the token of a new enrolment, whose one-time code has been checked."""
        self._sweep()
        token = secrets.token_urlsafe(32)
        self._waiting[token] = Enrolment(login, code)
        while len(self._waiting) > MOST_ENROLMENTS:
            self._waiting.popitem(last=False)
        return token

    def get(self, token: str) -> Enrolment | None:
        self._sweep()
        return self._waiting.get(token)

    def end(self, token: str) -> None:
        self._waiting.pop(token, None)

    def _sweep(self) -> None:
        now = time.monotonic()
        for token in [token for token, each in self._waiting.items() if each.until < now]:
            del self._waiting[token]


async def login_form(console: Console, request: Request, session: Session | None) -> Response:
    if session is not None:
        return RedirectResponse("/console", status_code=303)
    done = "logged_out" if request.query_params.get("done") == "out" else ""
    return console.render(request, None, "login.html", problem="", done=done, login="")


async def login(console: Console, request: Request, session: Session | None) -> Response:
    """Let somebody in. Every refusal reads the same; only how busy this browser or this server is reads otherwise."""
    fields = await console.form(request)
    try:
        admission = await console.slowly(
            console.accounts.login,
            fields.get("login", ""),
            fields.get("password", ""),
            fields.get("code", ""),
            request.cookies.get(DEVICE_COOKIE, ""),
        )
    except (LoginRefused, TryLater) as error:
        status, problem = _refusal(console, request, error, "login_failed")
        response: Response = console.render(
            request, None, "login.html", status, problem=problem, done="", login=fields.get("login", "")[:80]
        )
        return _later(response, error)
    response = RedirectResponse("/console", status_code=303)
    await _open(console, request, response, admission, session)
    return response


async def _open(
    console: Console, request: Request, response: Response, admission: Admission, old: Session | None
) -> Session:
    """Open a session for somebody let in, in place of the one that this browser had."""
    if old is not None:
        await asyncio.to_thread(console.sessions.close, old)
    agent = request.headers.get("user-agent", "")
    token, session = await asyncio.to_thread(console.sessions.open, admission.operator, admission.private_key, agent)
    security.set_cookie(response, SESSION_COOKIE, token)
    security.set_cookie(response, DEVICE_COOKIE, admission.device_cookie, DEVICE_DAYS * 86_400)
    return session


async def logout(console: Console, request: Request, session: Session) -> Response:
    await asyncio.to_thread(console.sessions.close, session)
    response = RedirectResponse(LOGIN + "?done=out", status_code=303)
    security.drop_cookie(response, SESSION_COOKIE)
    response.headers["Clear-Site-Data"] = '"storage"'
    return response


async def enrol_form(console: Console, request: Request, session: Session | None) -> Response:
    return console.render(request, None, "enrol.html", step=1, problem="", login="")


async def enrol_code(console: Console, request: Request, session: Session | None) -> Response:
    """First step: login and one-time code."""
    fields = await console.form(request)
    given = fields.get("login", ""), fields.get("code", "")
    try:
        await asyncio.to_thread(console.accounts.enrol_check, *given)
    except (LoginRefused, TryLater) as error:
        return _again(console, request, error, given[0])
    token = console.enrolments.begin(*given)
    return console.render(request, None, "enrol.html", step=2, problem="", token=token, login=given[0])


async def enrol_password(console: Console, request: Request, session: Session | None) -> Response:
    """Second step: a password."""
    fields = await console.form(request)
    token = fields.get("enrolment", "")
    enrolment = console.enrolments.get(token)
    if enrolment is None:
        return _lost(console, request)
    problem = await new_password(console, request, None, enrolment.login, fields)
    if problem:
        return console.render(
            request, None, "enrol.html", 409, step=2, problem=problem, token=token, login=enrolment.login
        )
    enrolment.password = fields["password"]
    return _factor(console, request, token, enrolment)


async def enrol_confirm(console: Console, request: Request, session: Session | None) -> Response:
    """Third step: the app's first code. Makes the account's keys and opens a session; shows the recovery codes."""
    fields = await console.form(request)
    token = fields.get("enrolment", "")
    enrolment = console.enrolments.get(token)
    if enrolment is None or not enrolment.password:
        return _lost(console, request)
    try:
        admission = await console.slowly(
            console.accounts.enrol,
            enrolment.login,
            enrolment.code,
            enrolment.password,
            enrolment.secret,
            fields.get("code", ""),
            request.cookies.get(DEVICE_COOKIE, ""),
        )
    except StaffError as error:
        return _factor(console, request, token, enrolment, console.staff_text(request, None, error))
    except TryLater as error:
        return _later(_factor(console, request, token, enrolment, _wait(console, request, error)), error)
    except LoginRefused as error:
        console.enrolments.end(token)
        return _again(console, request, error)
    console.enrolments.end(token)
    cookies = Response()
    new = await _open(console, request, cookies, admission, session)
    page = console.render(request, new, "codes.html", codes=admission.recovery_codes, step=4)
    page.raw_headers += [header for header in cookies.raw_headers if header[0] == b"set-cookie"]
    return page


async def new_password(
    console: Console, request: Request, session: Session | None, login: str, fields: dict[str, str]
) -> str:
    """Return what is wrong with the new password in `password` and `repeat`, or ""."""
    password = fields.get("password", "")
    if password != fields.get("repeat", ""):
        return console.text("password_differs", console.language(request, session))
    try:
        await asyncio.to_thread(console.accounts.check_password, login, password)
    except StaffError as error:
        return console.staff_text(request, session, error)
    return ""


def _factor(console: Console, request: Request, token: str, enrolment: Enrolment, problem: str = "") -> Response:
    return console.render(
        request,
        None,
        "enrol.html",
        409 if problem else 200,
        step=3,
        problem=problem,
        token=token,
        **factor(enrolment.secret, enrolment.login),
    )


def factor(secret: str, login: str) -> dict[str, Any]:
    """Return what a page shows of a second factor that is not confirmed yet."""
    from markupsafe import Markup

    return {"qr": Markup(totp.qr_svg(secret, login)), "spelled": totp.spelled(secret)}  # noqa: S704  drawn by segno


def _again(console: Console, request: Request, error: Exception, login: str = "") -> Response:
    status, problem = _refusal(console, request, error, "enrol_failed")
    return _later(console.render(request, None, "enrol.html", status, step=1, problem=problem, login=login[:80]), error)


def _lost(console: Console, request: Request) -> Response:
    problem = console.text("enrol_lost", console.language(request, None))
    return console.render(request, None, "enrol.html", 409, step=1, problem=problem, login="")


def _refusal(console: Console, request: Request, error: Exception, name: str) -> tuple[int, str]:
    if isinstance(error, TryLater):
        return 429, _wait(console, request, error)
    return LOGIN_REFUSED, console.text(name, console.language(request, None))


def _wait(console: Console, request: Request, error: TryLater) -> str:
    return console.text("try_later", console.language(request, None), seconds=error.seconds)


def _later(response: Response, error: Exception) -> Response:
    if isinstance(error, TryLater):
        response.status_code = 429
        response.headers["Retry-After"] = str(error.seconds)
    return response


PAGES = [
    Page("GET", "/console/login", login_form, None),
    Page("POST", "/console/login", login, None),
    Page("POST", "/console/logout", logout, EVERYBODY),
    Page("GET", "/console/enrol", enrol_form, None),
    Page("POST", "/console/enrol", enrol_code, None),
    Page("POST", "/console/enrol/password", enrol_password, None),
    Page("POST", "/console/enrol/confirm", enrol_confirm, None),
]
