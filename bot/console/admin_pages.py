"""What administrators do: accounts, recovery of forgotten passwords, the audit log. They see no cases."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.console.app import ADMINISTRATORS, Page
from bot.staff.accounts import Operator, Role
from bot.staff.errors import StaffError

if TYPE_CHECKING:
    from bot.console.app import Console
    from bot.staff.audit import AuditLine, AuditResult
    from bot.staff.sessions import Session

LINES = 100
LARGEST_LINE = 2**53
DONE = ("account_saved", "sessions_ended", "recovery_started", "recovery_stopped")
GIVEN_ROLES = (Role.OPERATOR, Role.SUPERVISOR, Role.EDITOR)
"""Roles that an administrator alone can give: administrators are made on the command line."""
_SUBJECT = re.compile(r"[\w.:-]{1,64}", re.ASCII)


def done(request: Request) -> str:
    name = request.query_params.get("done", "")
    return name if name in DONE else ""


async def _operator(console: Console, request: Request) -> Operator:
    """Return the account that the path names. Raises HTTPException 404."""
    operator = await asyncio.to_thread(console.accounts.get, str(request.path_params["id"]))
    if operator is None:
        raise HTTPException(404)
    return operator


def _role(value: str) -> Role:
    try:
        return Role(value)
    except ValueError:
        raise HTTPException(400) from None


def _cap(value: str) -> int:
    """Return a number of cases; what is no number is one that the accounts refuse."""
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 6 else 0


# Accounts


async def accounts(console: Console, request: Request, session: Session) -> Response:
    return await _accounts(console, request, session)


async def _accounts(
    console: Console, request: Request, session: Session, problem: str = "", given: dict[str, str] | None = None
) -> Response:
    given = given or {}
    everybody = await asyncio.to_thread(console.accounts.all)
    return console.render(
        request,
        session,
        "accounts.html",
        409 if problem else 200,
        problem=problem,
        operators=everybody,
        teams=sorted({each.team for each in everybody if each.team}),
        roles=GIVEN_ROLES,
        given={name: given.get(name, "") for name in ("login", "name", "team", "role", "language", "cap")},
    )


async def add(console: Console, request: Request, session: Session) -> Response:
    """Make an account and show its one-time code, once."""
    fields = await console.form(request)
    role = _role(fields.get("role", ""))
    try:
        console.speaks(fields.get("language", ""))
        code = await asyncio.to_thread(
            console.accounts.add,
            fields.get("login", ""),
            role,
            fields.get("team", ""),
            fields.get("name", ""),
            fields.get("language", ""),
            session.operator.id,
            _cap(fields.get("cap", "")),
        )
    except StaffError as error:
        return await _accounts(console, request, session, console.staff_text(request, session, error), fields)
    return _code(console, request, session, fields.get("name", ""), fields.get("login", ""), code)


def _code(console: Console, request: Request, session: Session, name: str, login: str, code: str) -> Response:
    return console.render(request, session, "accounts_code.html", name=name, login=login, code=code)


async def one(console: Console, request: Request, session: Session) -> Response:
    return await _one(console, request, session, await _operator(console, request))


async def _one(console: Console, request: Request, session: Session, operator: Operator, problem: str = "") -> Response:
    def read() -> tuple[bool, list[Session], set[str]]:
        teams = {each.team for each in console.accounts.all() if each.team}
        return console.recovery.ready(operator.id), console.sessions.of(operator.id), teams

    recoverable, sessions, teams = await asyncio.to_thread(read)
    roles = GIVEN_ROLES if operator.role in GIVEN_ROLES else (*GIVEN_ROLES, operator.role)
    return console.render(
        request,
        session,
        "accounts_one.html",
        409 if problem else 200,
        problem=problem,
        done=done(request),
        account=operator,
        own=operator.id == session.operator.id,
        enrolled=operator.public_key is not None,
        recoverable=recoverable,
        sessions=sessions,
        this=session.id,
        teams=sorted(teams),
        roles=roles,
    )


async def change(console: Console, request: Request, session: Session) -> Response:
    """Change an account; what the form does not hold stays."""
    operator = await _operator(console, request)
    fields = await console.form(request)
    wanted: dict[str, Any] = {name: fields[name] for name in ("name", "team", "language") if name in fields}
    if "role" in fields:
        wanted["role"] = _role(fields["role"])
    if "cap" in fields:
        wanted["cap"] = _cap(fields["cap"])
    if fields.get("active") in ("yes", "no"):
        wanted["active"] = fields["active"] == "yes"
    # What stays as it is was not asked for: one's own role, sent along by the form, is not a change of it.
    wanted = {name: value for name, value in wanted.items() if value != getattr(operator, name)}
    try:
        console.speaks(wanted.get("language", operator.language))
        await asyncio.to_thread(lambda: console.accounts.change(operator.id, by=session.operator.id, **wanted))
    except StaffError as error:
        return await _one(console, request, session, operator, console.staff_text(request, session, error))
    return _to_one(operator, "account_saved")


def _to_one(operator: Operator, name: str) -> Response:
    return RedirectResponse(f"/console/accounts/{operator.id}?done={name}", status_code=303)


async def renew_code(console: Console, request: Request, session: Session) -> Response:
    """Show a new one-time code for somebody who has not set up the account yet."""
    operator = await _operator(console, request)
    if operator.public_key is not None:  # this would throw a key away: that is what `reset` is for, after a question
        raise HTTPException(400)
    try:
        code = await asyncio.to_thread(console.accounts.renew_code, operator.id, session.operator.id)
    except StaffError as error:
        return await _one(console, request, session, operator, console.staff_text(request, session, error))
    return _code(console, request, session, operator.name, operator.login, code)


async def reset(console: Console, request: Request, session: Session) -> Response:
    operator = await _operator(console, request)
    _checked(await console.form(request))
    try:
        code = await asyncio.to_thread(console.accounts.reset, operator.id, session.operator.id)
    except StaffError as error:
        return await _one(console, request, session, operator, console.staff_text(request, session, error))
    return _code(console, request, session, operator.name, operator.login, code)


def _checked(fields: dict[str, str]) -> None:
    """Hold to the promise that the administrator has made sure who it is. Raises HTTPException 400."""
    if fields.get("checked") != "yes":
        raise HTTPException(400)


async def end_sessions(console: Console, request: Request, session: Session) -> Response:
    """End one session of somebody, or all (but not the one in which this is asked)."""
    operator = await _operator(console, request)
    fields = await console.form(request)
    if fields.get("session"):
        await asyncio.to_thread(console.sessions.end, operator.id, fields["session"])
    else:
        await asyncio.to_thread(console.sessions.close_all, operator.id, session.id)
    await asyncio.to_thread(console.audit.note, session.operator.id, "sessions_ended", operator.id)
    return _to_one(operator, "sessions_ended")


# Recovery


async def recovery(console: Console, request: Request, session: Session) -> Response:
    return await _recovery(console, request, session)


async def _recovery(console: Console, request: Request, session: Session, problem: str = "") -> Response:
    pending = await asyncio.to_thread(console.recovery.pending)
    return console.render(
        request,
        session,
        "recovery.html",
        409 if problem else 200,
        problem=problem,
        done=done(request),
        pending=pending,
        me=session.operator.id,
    )


async def recover(console: Console, request: Request, session: Session) -> Response:
    """The first administrator starts a recovery."""
    operator = await _operator(console, request)
    try:
        await asyncio.to_thread(console.recovery.begin, session, operator.id)
    except StaffError as error:
        return await _one(console, request, session, operator, console.staff_text(request, session, error))
    return RedirectResponse("/console/recovery?done=recovery_started", status_code=303)


async def withdraw(console: Console, request: Request, session: Session) -> Response:
    operator = await _operator(console, request)
    try:
        await asyncio.to_thread(console.recovery.withdraw, session, operator.id)
    except StaffError as error:
        return await _recovery(console, request, session, console.staff_text(request, session, error))
    return RedirectResponse("/console/recovery?done=recovery_stopped", status_code=303)


async def confirm(console: Console, request: Request, session: Session) -> Response:
    """The second administrator confirms and is shown the one-time code."""
    operator = await _operator(console, request)
    _checked(await console.form(request))
    try:
        code = await asyncio.to_thread(console.recovery.confirm, session, operator.id)
    except StaffError as error:
        return await _recovery(console, request, session, console.staff_text(request, session, error))
    return _code(console, request, session, operator.name, operator.login, code)


# The audit log


async def audit(console: Console, request: Request, session: Session) -> Response:
    return await _audit(console, request, session)


async def verify(console: Console, request: Request, session: Session) -> Response:
    return await _audit(console, request, session, await asyncio.to_thread(console.audit.verify))


async def _audit(console: Console, request: Request, session: Session, result: AuditResult | None = None) -> Response:
    before, subject = request.query_params.get("before", ""), request.query_params.get("subject", "")
    start = int(before) if before.isascii() and before.isdecimal() and len(before) < 16 else None
    subject = subject if _SUBJECT.fullmatch(subject) else ""

    def read() -> tuple[list[AuditLine], dict[str, str]]:
        names = {each.id: each.login for each in console.accounts.all()}
        return console.audit.recent(LINES, start, subject), names

    lines, names = await asyncio.to_thread(read)
    return console.render(
        request,
        session,
        "audit.html",
        lines=lines,
        names=names,
        action=lambda word: console.action(request, session, word),
        result=result,
        subject=subject,
        first=start is None,
        older=lines[-1].n if len(lines) == LINES else None,
    )


PAGES = [
    Page("GET", "/console/accounts", accounts, ADMINISTRATORS),
    Page("POST", "/console/accounts", add, ADMINISTRATORS),
    Page("GET", "/console/accounts/{id}", one, ADMINISTRATORS),
    Page("POST", "/console/accounts/{id}", change, ADMINISTRATORS),
    Page("POST", "/console/accounts/{id}/code", renew_code, ADMINISTRATORS),
    Page("POST", "/console/accounts/{id}/reset", reset, ADMINISTRATORS),
    Page("POST", "/console/accounts/{id}/sessions", end_sessions, ADMINISTRATORS),
    Page("POST", "/console/accounts/{id}/recover", recover, ADMINISTRATORS),
    Page("GET", "/console/recovery", recovery, ADMINISTRATORS),
    Page("POST", "/console/recovery/{id}/withdraw", withdraw, ADMINISTRATORS),
    Page("POST", "/console/recovery/{id}/confirm", confirm, ADMINISTRATORS),
    Page("GET", "/console/audit", audit, ADMINISTRATORS),
    Page("POST", "/console/audit/verify", verify, ADMINISTRATORS),
]
