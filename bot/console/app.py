"""The console, put together: one table of pages, one wrapper around all of them, one way to render.

A page that is not in the table does not exist, and a role that is not in a page's row does not get in.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from bot.console import security
from bot.console.security import LARGEST_BODY, MOST_FIELDS, SESSION_COOKIE
from bot.log import get_logger
from bot.staff.accounts import Accounts, Role
from bot.staff.audit import Audit
from bot.staff.errors import StaffError, TryLater
from bot.staff.sessions import Session, Sessions
from bot.text.catalogue import SOURCE_LANGUAGE, Catalogue, fill

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

    from bot.directory.editing import Editing
    from bot.directory.uploads import Uploads
    from bot.staff.recovery import Recovery

log = get_logger(__name__)
_T = TypeVar("_T")

PASSWORDS_AT_ONCE = 12
"""Threads that wait for passwords' keys; more than bot.staff.passwords lets in, so that the rest is refused at once."""
FOLDER = Path(__file__).parent
LOGIN = "/console/login"

Endpoint = Callable[["Console", Request, Any], Awaitable[Response]]
"""Takes the console, the request and the session, which is None only on pages that need no login."""

EVERYBODY = frozenset(Role)
DESK = frozenset({Role.OPERATOR, Role.SUPERVISOR})
SUPERVISORS = frozenset({Role.SUPERVISOR})
ADMINISTRATORS = frozenset({Role.ADMINISTRATOR})


@dataclass(frozen=True)
class Page:
    """A row of the table of pages: who may ask for what."""

    method: str
    path: str
    endpoint: Endpoint
    roles: frozenset[Role] | None
    """None: no login needed."""
    automatic: bool = False
    """Asked for by the page itself, not by a person: it does not keep an idle session alive."""
    largest: int = LARGEST_BODY
    most_fields: int = MOST_FIELDS
    """Of a form: bytes and fields."""
    takes_file: bool = False
    """Its form has a file (`request.state.file`)."""


@dataclass(frozen=True)
class File:
    """A file that came with a form."""

    name: str
    data: bytes


START = {
    Role.OPERATOR: "/console/queue",
    Role.SUPERVISOR: "/console/queue",
    Role.ADMINISTRATOR: "/console/accounts",
    Role.EDITOR: "/console/entries",
}
NAVIGATION = (
    ("queue", "/console/queue"),
    ("shift", "/console/shift"),
    ("directory", "/console/directory"),
    ("entries", "/console/entries"),
    ("proposals", "/console/proposals"),
    ("import", "/console/import"),
    ("review", "/console/review"),
    ("round", "/console/round"),
    ("health", "/console/health"),
    ("accounts", "/console/accounts"),
    ("recovery", "/console/recovery"),
    ("audit", "/console/audit"),
    ("account", "/console/account"),
)
"""Links of the header, in this order; each is shown to the roles of its page."""


async def _start(console: Console, request: Request, session: Session) -> Response:
    """Lead to the page where this role begins."""
    return RedirectResponse(START[session.operator.role], status_code=303)


class Console:
    """The pages and what they need. `routes()` goes into the gateway's application."""

    def __init__(
        self,
        catalogue: Catalogue,
        accounts: Accounts,
        sessions: Sessions,
        audit: Audit,
        recovery: Recovery,
        vault: Any,
        desk: Any,
        directory: Any,
        settings: Any,
    ) -> None:
        from bot.console import account_pages, admin_pages, login_pages

        self.catalogue = catalogue
        self.accounts = accounts
        self.sessions = sessions
        self.audit = audit
        self.recovery = recovery
        self.vault = vault
        self.desk = desk
        self.directory = directory
        self.settings = settings
        self.enrolments = login_pages.Enrolments()
        self._passwords = ThreadPoolExecutor(PASSWORDS_AT_ONCE, "passwords")
        self.pages: list[Page] = [
            Page("GET", "/console", _start, EVERYBODY),
            *login_pages.PAGES,
            *account_pages.PAGES,
            *admin_pages.PAGES,
            *_desk_pages(),
            *_upkeep_pages(),
            *_entry_pages(),
            *_translation_pages(),
            *_import_pages(),
        ]

    @cached_property
    def editing(self) -> Editing:
        """What editors do with the directory; made with the first page that needs it."""
        from bot.directory.editing import Editing

        four_eyes = getattr(self.settings, "directory_four_eyes", True)
        return Editing(self.directory.engine, self.vault, self.audit, self.directory.ages, four_eyes)

    @cached_property
    def uploads(self) -> Uploads:
        """The files that wait to be imported; made with the first page that needs it."""
        from bot.directory.uploads import Uploads

        four_eyes = getattr(self.settings, "directory_four_eyes", True)
        return Uploads(self.directory.engine, self.vault, self.audit, four_eyes)

    @cached_property
    def templates(self) -> Environment:
        """The templates; imported with the first page."""
        from jinja2 import Environment, FileSystemLoader, StrictUndefined

        return Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def routes(self) -> list[BaseRoute]:
        """Return all routes below /console; what is not a page is a 404 of ours."""
        return [
            Mount("/console/static", _Static(directory=FOLDER / "static")),
            *(Route(page.path, self._wrapped(page), methods=[page.method]) for page in self.pages),
            Route("/console/{rest:path}", _Missing(self)),
            Route("/console", _Missing(self)),
        ]

    def _wrapped(self, page: Page) -> Callable[[Request], Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            session = None
            try:
                session = await asyncio.to_thread(self.session, request, touch=not page.automatic)
                response = await self._admit(page, request, session)
            except HTTPException as error:
                response = self.error(request, session, error.status_code)
            except ClientDisconnect:
                response = Response(status_code=400)
            except Exception as error:
                response = self._refused(request, session, error)
            return security.guard(response)

        return serve

    async def _admit(self, page: Page, request: Request, session: Session | None) -> Response:
        """Answer a request, if this session may make it. Raises HTTPException."""
        changes = request.method not in ("GET", "HEAD")
        if changes and not security.ours(request):
            raise HTTPException(403)
        if page.roles is not None:  # before a byte of the body is read: a stranger's file is not
            if session is None:
                return self.to_login(request)
            if session.operator.role not in page.roles:
                raise HTTPException(403)
        if changes:
            read = _fields_and_file if page.takes_file else _fields
            request.state.fields = await read(request, page.largest, page.most_fields)
            if session is not None and page.roles is not None:
                token = request.headers.get("x-csrf") or request.state.fields.get("csrf", "")
                if not security.same(token, session.csrf):
                    raise HTTPException(403)
        return await page.endpoint(self, request, session)

    def _refused(self, request: Request, session: Session | None, error: Exception) -> Response:
        """Answer an error that a page has let through: a refusal in words, anything else as 500."""
        from bot.handoff.desk import Refused

        if isinstance(error, Refused):
            name = f"refused_{error.name}"
            known = f"utter_console_{name}" in self.catalogue
            return self.refusal(request, session, name if known else "refused_other")
        if isinstance(error, StaffError):
            return self.refusal(request, session, f"staff_error_{error.name}", 409, **error.values)
        if isinstance(error, TryLater):
            response = self.refusal(request, session, "try_later", 429, seconds=error.seconds)
            response.headers["Retry-After"] = str(error.seconds)
            return response
        log.error("console_page_failed", exc_info=error)
        return self.error(request, session, 500)

    def close(self) -> None:
        """Let go of the threads."""
        self._passwords.shutdown(wait=False, cancel_futures=True)

    async def slowly(self, what: Callable[..., _T], *values: Any) -> _T:
        """Call what makes a key from a password, in threads of its own: a flood of logins holds up no other page."""
        return await asyncio.get_running_loop().run_in_executor(self._passwords, what, *values)

    def session(self, request: Request, touch: bool = True) -> Session | None:
        """Return the session that this request's cookie opens, if it is still good."""
        token = request.cookies.get(SESSION_COOKIE, "")
        return self.sessions.get(token, request.headers.get("user-agent", ""), touch=touch) if token else None

    @staticmethod
    def to_login(request: Request) -> Response:
        """Lead to the login: a page by redirect, a fragment through HTMX, an event stream by its end."""
        if security.wants_fragment(request):
            return Response(status_code=401, headers={"HX-Redirect": LOGIN})
        if security.wants_events(request):
            return Response(status_code=401)
        return RedirectResponse(LOGIN, status_code=303)

    async def form(self, request: Request) -> dict[str, str]:
        """Return the fields of a form; the wrapper has read and bounded them and checked `csrf`."""
        fields: dict[str, str] = request.state.fields
        return fields

    def language(self, request: Request, session: Session | None) -> str:
        """Return the operator's language; before login the one asked for, the browser's, or English."""
        if session is not None and session.operator.language in self.catalogue.languages:
            return session.operator.language
        fields: dict[str, str] = getattr(request.state, "fields", {})
        asked = [fields.get("language", ""), request.query_params.get("language", "")]
        asked += [each.partition(";")[0].strip() for each in request.headers.get("accept-language", "").split(",")]
        for tag in asked:
            code = tag.partition("-")[0].lower()
            if code in self.catalogue.languages:
                return code
        return SOURCE_LANGUAGE

    def speaks(self, language: str) -> None:
        """Raise StaffError language_bad for a language that the console has no texts in."""
        if language not in self.catalogue.languages:
            raise StaffError("language_bad")

    def text(self, name: str, language: str, /, **values: Any) -> str:
        """Return the console's text `name`."""
        words = self.catalogue.text(f"utter_console_{name}", language)
        return fill(words, {key: str(value) for key, value in values.items()})

    def staff_text(self, request: Request, session: Session | None, error: StaffError) -> str:
        """Return what to tell about something that the accounts refuse."""
        return self.text(f"staff_error_{error.name}", self.language(request, session), **error.values)

    def action(self, request: Request, session: Session | None, word: str) -> str:
        """Return an action of the audit log in words; one without a text of its own is shown as it is."""
        name = f"audit_action_{word}"
        known = f"utter_console_{name}" in self.catalogue
        return self.text(name, self.language(request, session)) if known else word.replace("_", " ")

    def render(
        self, request: Request, session: Session | None, template: str, status: int = 200, **values: Any
    ) -> HTMLResponse:
        """Return a page or fragment. Every template has t, when, language, direction, csrf, operator, role, path."""
        language = self.language(request, session)
        operator = session.operator if session else None

        def t(name: str, /, **fields: Any) -> str:
            return self.text(name, language, **fields)

        html = self.templates.get_template(template).render(
            {
                "t": t,
                "when": lambda at: _when(at, language),
                "language": language,
                "direction": self.catalogue.languages[language].direction,
                "languages": list(self.catalogue.languages.values()),
                "csrf": session.csrf if session else "",
                "operator": operator,
                "role": operator.role.value if operator else "",
                "navigation": self._navigation(session),
                "path": request.url.path,
                "fragment": security.wants_fragment(request),
                **values,
            }
        )
        return HTMLResponse(html, status_code=status)

    def _navigation(self, session: Session | None) -> list[tuple[str, str]]:
        if session is None:
            return []
        allowed = {
            page.path for page in self.pages if page.method == "GET" and session.operator.role in (page.roles or ())
        }
        return [(name, path) for name, path in NAVIGATION if path in allowed]

    def error(self, request: Request, session: Session | None, status: int) -> Response:
        """Return what went wrong and what to do, as a page, or as a fragment for the alerts of the page it is on."""
        known = status if status in (400, 403, 404, 413, 500) else 400
        return self.refusal(request, session, f"error_{known}", status)

    def refusal(
        self, request: Request, session: Session | None, name: str, /, status: int = 409, **values: Any
    ) -> HTMLResponse:
        """Return the text `utter_console_<name>` as the answer to something that can't be done.

        HTMX gets a fragment that goes to the page's alerts (#alerts), whatever the form's target was.
        """
        message = self.text(name, self.language(request, session), **values)
        if security.wants_fragment(request):
            response = self.render(request, session, "refusal.html", status, message=message)
            response.headers["HX-Retarget"] = "#alerts"
            response.headers["HX-Reswap"] = "innerHTML"
            response.headers["HX-Push-Url"] = "false"
            return response
        return self.render(request, session, "error.html", status, message=message)


def _desk_pages() -> list[Page]:
    from bot.console import desk_pages

    return list(desk_pages.PAGES)


def _entry_pages() -> list[Page]:
    from bot.console import entry_pages, organization_pages

    return [*entry_pages.PAGES, *organization_pages.PAGES]


def _translation_pages() -> list[Page]:
    from bot.console import translation_pages

    return list(translation_pages.PAGES)


def _import_pages() -> list[Page]:
    from bot.console import import_pages

    return list(import_pages.PAGES)


def _upkeep_pages() -> list[Page]:
    from bot.console import upkeep_pages

    return list(upkeep_pages.PAGES)


def _when(at: float, language: str) -> Markup:
    """Return a time as a <time> element: in UTC, until the page's script puts the reader's own time there."""
    from babel.dates import format_datetime
    from markupsafe import Markup

    moment = datetime.fromtimestamp(at, timezone.utc)
    words = format_datetime(moment, "short", locale=language) + " UTC"
    return Markup('<time datetime="{}">{}</time>').format(moment.strftime("%Y-%m-%dT%H:%M:%SZ"), words)


async def _fields(request: Request, largest: int, most_fields: int) -> dict[str, str]:
    """Return the fields of a urlencoded body. Raises HTTPException 413 or 400."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > largest:
            raise HTTPException(413)
    try:
        pairs = parse_qsl(
            body.decode("utf-8", "replace"), keep_blank_values=True, errors="replace", max_num_fields=most_fields
        )
    except ValueError:
        raise HTTPException(400) from None
    return dict(pairs)


async def _fields_and_file(request: Request, largest: int, most_fields: int) -> dict[str, str]:
    """Return the fields of a multipart body; the file goes to `request.state.file`. Raises HTTPException 413 or 400.

    All of it stays in memory: Starlette would put a larger file on the disk as it is.
    """
    from starlette.datastructures import UploadFile
    from starlette.formparsers import MultiPartException, MultiPartParser

    class InMemory(MultiPartParser):
        spool_max_size = largest + 1

    size = 0

    async def bounded() -> AsyncGenerator[bytes, None]:
        nonlocal size
        async for chunk in request.stream():
            size += len(chunk)
            if size > largest:
                raise HTTPException(413)
            yield chunk

    request.state.file = None
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await _fields(request, largest, most_fields)
    try:
        form = await InMemory(request.headers, bounded(), max_files=1, max_fields=most_fields).parse()
    except (MultiPartException, KeyError, UnicodeDecodeError):
        raise HTTPException(400) from None
    fields = {}
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            request.state.file = File(value.filename or "", await value.read())
        else:
            fields[name] = value
    await form.close()
    return fields


class _Missing:
    """What is not in the table, asked for in any method. (A plain function would answer GET only.)"""

    def __init__(self, console: Console) -> None:
        self.console = console

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        session = await asyncio.to_thread(self.console.session, request, touch=False)
        await security.guard(self.console.error(request, session, 404))(scope, receive, send)


class _Static(StaticFiles):
    """Files of the console: with its headers, and asked for anew so that an update is seen."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        try:
            return await super().get_response(path, scope)
        except HTTPException as error:
            return security.guard(Response(status_code=error.status_code))

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = security.guard(super().file_response(*args, **kwargs))
        response.headers["Cache-Control"] = "no-cache"
        return response
