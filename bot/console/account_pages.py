"""One's own account: name, language, password, second factor, recovery codes, sessions."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.console.app import EVERYBODY, LOGIN, Page
from bot.console.login_pages import factor, new_password
from bot.staff import totp
from bot.staff.errors import StaffError

if TYPE_CHECKING:
    from bot.console.app import Console
    from bot.staff.sessions import Session

DONE = ("account_saved", "account_password_done", "account_factor_done", "sessions_ended")
"""Texts that a page may be asked to show after a redirect (`?done=`)."""
NEW_FACTOR = "console_new_factor"


def done(request: Request) -> str:
    """Return the name of what was done, or ""."""
    name = request.query_params.get("done", "")
    return name if name in DONE else ""


async def account(console: Console, request: Request, session: Session) -> Response:
    return await _account(console, request, session)


async def _account(console: Console, request: Request, session: Session, problem: str = "") -> Response:
    left = await asyncio.to_thread(console.accounts.codes_left, session.operator.id)
    return console.render(
        request,
        session,
        "account.html",
        409 if problem else 200,
        done=done(request),
        problem=problem,
        codes_left=left,
        sessions=console.sessions.of(session.operator.id),
        own=session.id,
    )


async def save(console: Console, request: Request, session: Session) -> Response:
    """Change the shown name and the language."""
    fields = await console.form(request)
    try:
        console.speaks(fields.get("language", session.operator.language))
        await asyncio.to_thread(
            console.accounts.change_own,
            session.operator.id,
            name=fields.get("name"),
            language=fields.get("language"),
        )
    except StaffError as error:
        return await _account(console, request, session, console.staff_text(request, session, error))
    return _to_account("account_saved")


async def password(console: Console, request: Request, session: Session) -> Response:
    fields = await console.form(request)
    problem = await new_password(console, request, session, session.operator.login, fields)
    if not problem:
        try:
            await console.slowly(
                console.accounts.set_password,
                session.operator.id,
                fields.get("current", ""),
                fields["password"],
                session.id,
            )
        except StaffError as error:
            problem = console.staff_text(request, session, error)
    if problem:
        return await _account(console, request, session, problem)
    return _to_account("account_password_done")


async def codes(console: Console, request: Request, session: Session) -> Response:
    """Make new recovery codes and show them, once."""
    fields = await console.form(request)
    try:
        new = await console.slowly(console.accounts.new_recovery_codes, session.operator.id, fields.get("current", ""))
    except StaffError as error:
        return await _account(console, request, session, console.staff_text(request, session, error))
    return console.render(request, session, "codes.html", codes=new, step=0)


async def factor_form(console: Console, request: Request, session: Session) -> Response:
    """Show the key of a new second factor. It is kept with the session, and counts for nothing until confirmed."""
    return _factor(console, request, session)


def _factor(console: Console, request: Request, session: Session, problem: str = "") -> Response:
    secret = session.known.setdefault(NEW_FACTOR, totp.new_secret())
    return console.render(
        request,
        session,
        "factor.html",
        409 if problem else 200,
        problem=problem,
        **factor(secret, session.operator.login),
    )


async def factor_confirm(console: Console, request: Request, session: Session) -> Response:
    fields = await console.form(request)
    secret = session.known.get(NEW_FACTOR)
    if secret is None:
        return RedirectResponse("/console/account/factor", status_code=303)
    try:
        await console.slowly(
            console.accounts.set_totp,
            session.operator.id,
            fields.get("current", ""),
            secret,
            fields.get("code", ""),
        )
    except StaffError as error:
        return _factor(console, request, session, console.staff_text(request, session, error))
    session.known.pop(NEW_FACTOR, None)
    return _to_account("account_factor_done")


async def end_sessions(console: Console, request: Request, session: Session) -> Response:
    """End one session of one's own, or all others."""
    fields = await console.form(request)
    one = fields.get("session", "")
    if one:
        await asyncio.to_thread(console.sessions.end, session.operator.id, one)
    else:
        await asyncio.to_thread(console.sessions.close_all, session.operator.id, session.id)
    if one == session.id:
        return RedirectResponse(LOGIN, status_code=303)
    return _to_account("sessions_ended")


def _to_account(name: str) -> Response:
    return RedirectResponse(f"/console/account?done={name}", status_code=303)


PAGES = [
    Page("GET", "/console/account", account, EVERYBODY),
    Page("POST", "/console/account", save, EVERYBODY),
    Page("POST", "/console/account/password", password, EVERYBODY),
    Page("POST", "/console/account/codes", codes, EVERYBODY),
    Page("GET", "/console/account/factor", factor_form, EVERYBODY),
    Page("POST", "/console/account/factor", factor_confirm, EVERYBODY),
    Page("POST", "/console/account/sessions", end_sessions, EVERYBODY),
]
