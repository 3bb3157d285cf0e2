"""A console on a real database, and browsers that ask it for pages. Nothing here is a stand-in but the browser."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pyotp
from starlette.applications import Starlette

from bot.console.app import Console
from bot.handoff import tables as _cases  # noqa: F401  its tables are made too
from bot.staff import totp
from bot.staff.accounts import Accounts, Operator, Role
from bot.staff.audit import Audit
from bot.staff.passwords import Cost
from bot.staff.recovery import Recovery
from bot.staff.sessions import Session, Sessions
from bot.store.database import Base, connect
from bot.store.migrate import migrate
from bot.text.catalogue import Catalogue
from bot.vault.vault import Vault

HOST = "desk.example.org"
AGENT = "Mozilla/5.0 (test)"
PASSWORD = "seven boats under a roof"  # the same for everybody; a test's accounts are nobody's
CHEAP = Cost(memory_kib=64, iterations=1, lanes=1)
CATALOGUE = Catalogue()
TEAM = "north"


@dataclass
class Answer:
    """What came back, as bytes on the wire say it."""

    status: int
    headers: dict[str, str]
    cookies: list[str]
    body: str

    @property
    def location(self) -> str:
        return self.headers.get("location", "")

    def field(self, name: str) -> str:
        """Return the value of the page's form field `name`."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.body)
        assert found, f"no field {name}"
        return found[1]


class Web:
    """Asks an ASGI application on one event loop. An answer without an end (events) is left at its first bytes."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.loop = asyncio.new_event_loop()

    def close(self) -> None:
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()

    def ask(self, method: str, path: str, headers: dict[str, str], body: bytes = b"", query: str = "") -> Answer:
        return self.loop.run_until_complete(self._ask(method, path, headers, body, query))

    async def _ask(self, method: str, path: str, headers: dict[str, str], body: bytes, query: str) -> Answer:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "https",
            "path": path,
            "raw_path": path.encode("utf-8", "replace"),
            "query_string": query.encode("utf-8", "replace"),
            "root_path": "",
            "headers": [
                (k.lower().encode("latin-1", "replace"), v.encode("latin-1", "replace")) for k, v in headers.items()
            ],
            "server": (HOST, 443),
            "client": ("203.0.113.9", 4711),
        }
        start: dict[str, Any] = {}
        content = bytearray()
        done = asyncio.Event()
        sent = False

        async def receive() -> dict[str, Any]:
            nonlocal sent
            if not sent:
                sent = True
                return {"type": "http.request", "body": body, "more_body": False}
            await done.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            content.extend(message.get("body", b""))
            endless = any(name == b"content-type" and b"event-stream" in value for name, value in start["headers"])
            if not message.get("more_body") or (endless and content):
                done.set()

        await asyncio.wait_for(self.app(scope, receive, send), 30)
        pairs = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in start["headers"]]
        cookies = [value for name, value in pairs if name == "set-cookie"]
        return Answer(start["status"], dict(pairs), cookies, content.decode("utf-8", "replace"))


class Browser:
    """Keeps cookies and says where its requests come from, as browsers do. Forms carry its session's token."""

    def __init__(self, web: Web, token: str = "", csrf: str = "") -> None:
        self.web = web
        self.cookies: dict[str, str] = {"__Host-console": token} if token else {}
        self.csrf = csrf

    def headers(self, **more: str) -> dict[str, str]:
        headers = {"Host": HOST, "User-Agent": AGENT, "Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return headers | {name.replace("_", "-"): value for name, value in more.items()}

    def get(self, path: str, query: str = "", **headers: str) -> Answer:
        return self._keep(self.web.ask("GET", path, self.headers(**headers), query=query))

    def post(self, path: str, fields: dict[str, str] | None = None, **headers: str) -> Answer:
        """Send a form. `csrf` is the session's, unless `fields` holds another one."""
        body = urlencode(({"csrf": self.csrf} if self.csrf else {}) | (fields or {})).encode()
        form = {"Content-Type": "application/x-www-form-urlencoded", "Origin": "null"}
        return self._keep(self.web.ask("POST", path, self.headers(**(form | headers)), body))

    def _keep(self, answer: Answer) -> Answer:
        for cookie in answer.cookies:
            name, _, value = cookie.partition(";")[0].partition("=")
            if "max-age=0" in cookie.lower():
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        found = re.search(r'data-csrf="([^"]*)"', answer.body)
        if found:
            self.csrf = found[1]
        return answer


@dataclass
class Person:
    """Somebody of the staff, set up, with what only they know."""

    operator: Operator
    secret: str
    codes: tuple[str, ...]

    def next_code(self) -> str:
        """Return the app's code of the next half minute, which is accepted and was not used at setting up."""
        return pyotp.TOTP(self.secret).at(int(time.time()) + totp.STEP_SECONDS)


class Office:
    """Staff, their sessions, and the console, put together on a database of their own."""

    def __init__(self, folder: Path, desk: Any = None, directory: Any = None) -> None:
        self.engine = connect(f"sqlite:///{folder / 'office.db'}")
        migrate(self.engine)
        Base.metadata.create_all(self.engine)
        self.vault = Vault(bytes(32))
        self.audit = Audit(self.engine, self.vault)
        self.accounts = Accounts(self.engine, self.vault, self.audit, CHEAP)
        self.sessions = Sessions(self.accounts, self.audit)
        self.recovery = Recovery(self.engine, self.vault, self.accounts, self.audit)
        self.sessions.on_open.append(self.recovery.at_login)
        self.console = Console(
            CATALOGUE,
            self.accounts,
            self.sessions,
            self.audit,
            self.recovery,
            self.vault,
            desk,
            directory,
            SimpleNamespace(),
        )
        self.web = Web(Starlette(routes=self.console.routes()))

    def close(self) -> None:
        self.web.close()
        self.console.close()
        self.engine.dispose()

    def hire(self, login: str, role: Role, team: str = TEAM, language: str = "en") -> Person:
        """Add somebody and set the account up, as the enrolment pages do."""
        return hire(self.accounts, login, role, team, language)

    def log_in(self, person: Person) -> tuple[Browser, Session]:
        """Return a browser with a session, opened without the login page."""
        token, session = open_session(self.accounts, self.sessions, person)
        return Browser(self.web, token, session.csrf), session


def hire(accounts: Accounts, login: str, role: Role, team: str = TEAM, language: str = "en") -> Person:
    code = accounts.add(login, role, team, login.capitalize(), language)
    secret = totp.new_secret()
    admission = accounts.enrol(login, code, PASSWORD, secret, pyotp.TOTP(secret).now())
    return Person(admission.operator, secret, admission.recovery_codes)


def open_session(accounts: Accounts, sessions: Sessions, person: Person) -> tuple[str, Session]:
    """Open a session with a recovery code: the app's code of this half minute may be used already."""
    code, *left = person.codes
    person.codes = tuple(left)
    admission = accounts.login(person.operator.login, PASSWORD, code)
    return sessions.open(admission.operator, admission.private_key, AGENT)
