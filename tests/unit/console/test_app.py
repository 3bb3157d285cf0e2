"""bot/console/app.py: the wrapper around every page, and rendering."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot.console.app import DESK, EVERYBODY, FOLDER, NAVIGATION, START, Console, Page
from bot.console.security import HEADERS, LARGEST_BODY, MOST_FIELDS
from bot.handoff.desk import Refused
from bot.staff.accounts import Role
from bot.staff.errors import NAMES, StaffError, TryLater
from tests.unit.console.support import CATALOGUE, Browser, Office, Web

ERRORS: dict[str, Exception] = {
    "refused": Refused("taken"),
    "refused_unknown": Refused("for_a_reason_without_a_text"),
    "staff": StaffError("cap_bad", most=50),
    "later": TryLater(7),
    "odd_status": HTTPException(418),
    "crash": ZeroDivisionError("a secret that nobody may see"),
}


async def ping(console: Console, request: Request, session: Any) -> Response:
    return PlainTextResponse("pong")


async def echo(console: Console, request: Request, session: Any) -> Response:
    return PlainTextResponse("|".join(f"{k}={v}" for k, v in (await console.form(request)).items()))


async def fail(console: Console, request: Request, session: Any) -> Response:
    raise ERRORS[request.path_params["how"]]


@pytest.fixture
def trial(office: Office) -> Web:
    """The console with some pages more."""
    office.console.pages += [
        Page("GET", "/console/trial/ping", ping, EVERYBODY, automatic=True),
        Page("POST", "/console/trial/echo", echo, DESK),
        Page("GET", "/console/trial/fail/{how}", fail, EVERYBODY),
    ]
    office.web.app = Starlette(routes=office.console.routes())
    return office.web


def test_without_login_a_page_leads_there_a_fragment_says_so_and_a_stream_ends(office: Office) -> None:
    stranger = Browser(office.web)
    assert (stranger.get("/console").status, stranger.get("/console").location) == (303, "/console/login")
    fragment = stranger.get("/console/queue", HX_Request="true")
    assert (fragment.status, fragment.headers["hx-redirect"]) == (401, "/console/login")
    stream = stranger.get("/console/events", Accept="text/event-stream")
    assert (stream.status, stream.location) == (401, "")
    assert stranger.post("/console/account").location == "/console/login"


@pytest.mark.parametrize("role", list(Role))
def test_each_role_has_a_start_page_and_links_to_nothing_that_is_not_theirs(office: Office, role: Role) -> None:
    browser, _ = office.log_in(office.hire("ana", role))
    assert browser.get("/console").location == START[role]
    links = re.findall(r'<a href="(/console/[a-z]+)"', browser.get("/console/account").body.partition("</nav>")[0])
    allowed = [path for _, path in NAVIGATION if any(
        page.path == path and page.method == "GET" and role in (page.roles or ()) for page in office.console.pages
    )]  # fmt: skip
    assert links == allowed
    assert START[role] in allowed


def test_unknown_addresses_are_pages_of_ours(office: Office) -> None:
    stranger = Browser(office.web)
    for path in ("/console/nothing", "/console/", "/console/a/b/c", "/console/login/"):
        answer = stranger.get(path)
        assert answer.status == 404, path
        assert answer.headers["content-security-policy"] == HEADERS["Content-Security-Policy"]
    for method, path in (("PUT", "/console/login"), ("DELETE", "/console"), ("BREW", "/console/audit")):
        answer = stranger.web.ask(method, path, stranger.headers())
        assert answer.status == 404, method
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_static_files_carry_the_headers_and_nothing_outside_is_served(office: Office) -> None:
    stranger = Browser(office.web)
    for name in ("htmx.min.js", "console.css", "icon.svg"):
        answer = stranger.get(f"/console/static/{name}")
        assert answer.status == 200
        assert {key.lower(): value for key, value in HEADERS.items() if key != "Cache-Control"}.items() <= (
            answer.headers.items()
        )
        assert answer.headers["cache-control"] == "no-cache"
    for path in ("/console/static/../app.py", "/console/static/nothing.js", "/console/static/"):
        answer = stranger.get(path)
        assert (answer.status, answer.headers["x-content-type-options"]) == (404, "nosniff"), path
    assert stranger.post("/console/static/console.css").headers["x-content-type-options"] == "nosniff"


def test_a_body_is_bounded(trial: Web, office: Office) -> None:
    browser, _ = office.log_in(office.hire("ana", Role.OPERATOR))
    assert browser.post("/console/trial/echo", {"text": "a" * 100}).body.endswith("text=" + "a" * 100)
    assert browser.post("/console/trial/echo", {"text": "a" * LARGEST_BODY}).status == 413
    assert browser.post("/console/trial/echo", {f"f{n}": "" for n in range(MOST_FIELDS)}).status == 400
    # Before login too: nobody makes the server hold a long body.
    assert Browser(trial).post("/console/login", {"password": "a" * LARGEST_BODY}).status == 413


def test_the_form_token_goes_in_the_form_or_in_a_header(trial: Web, office: Office) -> None:
    browser, session = office.log_in(office.hire("ana", Role.OPERATOR))
    browser.csrf = ""
    assert browser.post("/console/trial/echo").status == 403
    assert browser.post("/console/trial/echo", {"csrf": session.csrf}).status == 200
    assert browser.post("/console/trial/echo", X_CSRF=session.csrf).status == 200
    assert browser.post("/console/trial/echo", {"csrf": session.csrf}, X_CSRF="wrong").status == 403
    assert browser.web.ask("POST", "/console/trial/echo", browser.headers(), query=f"csrf={session.csrf}").status == 403


@pytest.mark.parametrize(
    ("how", "status", "words"),
    [
        ("refused_unknown", 409, CATALOGUE.text("utter_console_refused_other", "en")),
        ("staff", 409, CATALOGUE.text("utter_console_staff_error_cap_bad", "en", most="50")),
        ("later", 429, CATALOGUE.text("utter_console_try_later", "en", seconds="7")),
        ("odd_status", 418, CATALOGUE.text("utter_console_error_400", "en")),
        ("crash", 500, CATALOGUE.text("utter_console_error_500", "en")),
    ],
)
def test_errors_are_told_in_words_as_page_and_as_fragment(
    trial: Web, office: Office, how: str, status: int, words: str
) -> None:
    browser, _ = office.log_in(office.hire("ana", Role.OPERATOR))
    page = browser.get(f"/console/trial/fail/{how}")
    assert (page.status, words in page.body, "<html" in page.body) == (status, True, True)
    assert "secret" not in page.body
    fragment = browser.get(f"/console/trial/fail/{how}", HX_Request="true")
    assert (fragment.status, words in fragment.body, "<html" in fragment.body) == (status, True, False)
    assert fragment.headers["hx-retarget"] == "#alerts"
    assert fragment.headers["hx-reswap"] == "innerHTML"
    assert page.headers["cache-control"] == fragment.headers["cache-control"] == "no-store"


def test_what_the_page_asks_for_by_itself_keeps_no_session_alive(trial: Web, office: Office) -> None:
    browser, session = office.log_in(office.hire("ana", Role.OPERATOR))
    session.seen -= 1200
    before = session.seen
    assert browser.get("/console/trial/ping").body == "pong"
    assert session.seen == before
    assert browser.get("/console/account").status == 200
    assert session.seen > before + 1000


def test_an_idle_session_is_over(office: Office) -> None:
    browser, session = office.log_in(office.hire("ana", Role.OPERATOR))
    session.seen -= 31 * 60
    assert browser.get("/console/account").location == "/console/login"
    assert session.closed


@pytest.mark.parametrize("asked", ["ar", "ar-EG;q=0.9, en", "xx, ar;q=0.5"])
def test_before_login_the_browser_says_the_language(office: Office, asked: str) -> None:
    page = Browser(office.web).get("/console/login", Accept_Language=asked).body
    assert '<html lang="ar" dir="rtl">' in page


def test_a_language_that_is_chosen_wins_and_stays_with_the_form(office: Office) -> None:
    stranger = Browser(office.web)
    page = stranger.get("/console/login", "language=uk", Accept_Language="ar")
    assert '<html lang="uk"' in page.body
    assert page.field("language") == "uk"
    assert '<html lang="uk"' in stranger.post("/console/login", {"language": "uk"}, Accept_Language="ar").body


def test_names_cannot_break_out_of_a_page(office: Office) -> None:
    ana = office.hire("ana", Role.OPERATOR)
    office.accounts.change(ana.operator.id, by="cli", name='<i title="x">')
    browser, _ = office.log_in(office.hire("root", Role.ADMINISTRATOR))
    for path in ("/console/accounts", f"/console/accounts/{ana.operator.id}"):
        body = browser.get(path).body
        assert "<i title" not in body
        assert "&lt;i title" in body


def test_every_refusal_of_the_accounts_has_a_text() -> None:
    assert [name for name in NAMES if f"utter_console_staff_error_{name}" not in CATALOGUE] == []


def test_templates_use_only_texts_that_exist() -> None:
    used = {
        (file.name, name)
        for file in (FOLDER / "templates").glob("*.html")
        for name in re.findall(r"""\bt\(["'](\w+)["']\s*[,)]""", file.read_text(encoding="utf-8"))
    }
    assert len(used) > 50
    assert sorted(each for each in used if f"utter_console_{each[1]}" not in CATALOGUE) == []


def test_templates_hold_neither_scripts_nor_styles_nor_foreign_addresses() -> None:
    for file in (FOLDER / "templates").glob("*.html"):
        text = file.read_text(encoding="utf-8")
        assert (
            re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|https?://|hx-on|js:|javascript:", text) == []
        )


def test_every_form_that_is_sent_carries_the_token() -> None:
    before_login = {"login.html", "enrol.html"}
    for file in (FOLDER / "templates").glob("*.html"):
        forms = re.findall(r"<form[^>]*method=\"post\".*?</form>", file.read_text(encoding="utf-8"), re.DOTALL)
        if file.name not in before_login:
            assert [form for form in forms if "csrf" not in form] == [], file.name


def test_a_page_that_is_not_in_the_table_is_not_served(office: Office) -> None:
    left = [page for page in office.console.pages if page.path != "/console/audit"]
    office.console.pages = left
    office.web.app = Starlette(routes=office.console.routes())
    browser, _ = office.log_in(office.hire("root", Role.ADMINISTRATOR))
    assert browser.get("/console/audit").status == 404
    assert "/console/audit" not in browser.get("/console/accounts").body


def test_a_flood_of_logins_does_not_hold_up_other_pages(office: Office) -> None:
    """Passwords wait in threads of their own, also where all of them are busy."""
    browser, _ = office.log_in(office.hire("ana", Role.OPERATOR))

    async def both() -> None:
        gate = asyncio.Event()
        loop = asyncio.get_running_loop()

        def wait() -> None:
            asyncio.run_coroutine_threadsafe(gate.wait(), loop).result(20)

        waiting = [asyncio.ensure_future(office.console.slowly(wait)) for _ in range(40)]
        await asyncio.sleep(0)
        answer = await office.web._ask("GET", "/console/account", browser.headers(), b"", "")
        assert answer.status == 200
        assert not any(each.done() for each in waiting)
        gate.set()
        await asyncio.gather(*waiting)

    office.web.loop.run_until_complete(both())


def test_the_table_has_no_row_twice(office: Office) -> None:
    rows = [(page.method, page.path) for page in office.console.pages]
    assert len(rows) == len(set(rows))
