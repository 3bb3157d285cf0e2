"""The console lets in whom its table of pages names, and nobody else, on every page and in every way of asking.

All of it goes through the gateway's own parts (real database, real desk) and the ASGI interface.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot.app import Gateway, create_app
from bot.console.app import Console, Page
from bot.console.security import HEADERS, SESSION_COOKIE
from bot.handoff.cases import Record
from bot.settings import Settings
from bot.staff.accounts import Operator, Role
from bot.staff.sessions import Session
from tests.unit.console.support import AGENT, CHEAP, HOST, PASSWORD, Answer, Browser, Person, Web, hire

REACHED = "the page was reached"
HERE, ELSEWHERE = "north", "south"
SECRET_TEXT = "she wrote this to the southern team"  # must never be seen by anybody of the north
SENT_HEADERS = {name.lower(): value for name, value in HEADERS.items()}
FRAGMENT, STREAM = {"HX_Request": "true"}, {"Accept": "text/event-stream"}


class World:
    """A gateway with a person in each role, a case in each of two teams, and the console of it."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        gateway.accounts.cost = CHEAP
        self.console = Console(
            gateway.catalogue,
            gateway.accounts,
            gateway.sessions,
            gateway.audit,
            gateway.recovery,
            gateway.vault,
            gateway.desk,
            gateway.directory,
            gateway.settings,
        )
        self.web = Web(Starlette(routes=self.console.routes()))
        self.web.loop.run_until_complete(gateway.desk.start())
        self.people: dict[Role, Person] = {role: self.hire(role.value, role) for role in Role}
        self.keys = {role: self._private_key(person) for role, person in self.people.items()}
        self.visits: dict[Role, tuple[Browser, Session]] = {}
        self.other = self.hire("other", Role.OPERATOR)
        """An account that pages with an `{id}` are about; nobody logs in with it."""
        self.hire("far", Role.OPERATOR, ELSEWHERE)
        self.case = self._case("Maple 1", HERE, "she wrote this to the northern team")
        self.far_case = self._case("Birch 2", ELSEWHERE, SECRET_TEXT)

    def close(self) -> None:
        self.web.loop.run_until_complete(self.gateway.stop())
        self.web.close()
        self.console.close()

    def hire(self, login: str, role: Role, team: str = HERE) -> Person:
        return hire(self.gateway.accounts, login, role, team)

    def _private_key(self, person: Person) -> Any:
        return self.gateway.accounts.login(person.operator.login, PASSWORD, person.codes[0]).private_key

    def _case(self, alias: str, team: str, text: str) -> str:
        now = int(time.time())
        record = Record(
            alias, team, pseudonym=alias.encode().hex().ljust(64, "0"), language="uk", opened_at=now,
            waiting_since=now, last_at=now,
        )  # fmt: skip
        holders = [(each.id, each.public_key) for each in self.gateway.accounts.holders(team) if each.public_key]
        case = self.gateway.desk.cases.create(record, holders, None)
        self.gateway.desk.cases.append(case.id, {"kind": "person", "text": text})
        return case.id

    def log_in(self, role: Role) -> tuple[Browser, Session]:
        """Return a browser with a new session. The account is read anew: earlier requests may have changed it."""
        operator: Operator | None = self.gateway.accounts.get(self.people[role].operator.id)
        assert operator is not None
        token, session = self.gateway.sessions.open(operator, self.keys[role], AGENT)
        return Browser(self.web, token, session.csrf), session

    def visit(self, role: Role) -> tuple[Browser, Session]:
        """Return a browser with a session that is good, the last one where it still is."""
        known = self.visits.get(role)
        if known is None or known[1].closed:
            known = self.visits[role] = self.log_in(role)
        return known

    def path(self, page: Page, case: str = "") -> str:
        """Return an address of a page: `{id}` is a real case or a real account."""
        is_case = page.path.startswith("/console/case/")
        return page.path.replace("{id}", (case or self.case) if is_case else self.other.operator.id)

    def ask(self, browser: Browser, page: Page, fields: dict[str, str] | None = None, **headers: str) -> Answer:
        path = self.path(page)
        answer = browser.get(path, **headers) if page.method == "GET" else browser.post(path, fields, **headers)
        return sound(answer)

    def recording(self) -> None:
        """Put in the place of every page one that only says that it was reached: the table and its wrapper are left."""

        async def reached(console: Console, request: Request, session: Session | None) -> Response:
            return PlainTextResponse(REACHED)

        pages = self.console.pages
        self.console.pages = [replace(page, endpoint=reached) for page in pages]
        self.web.app = Starlette(routes=self.console.routes())
        self.console.pages = pages

    def real(self) -> None:
        self.web.app = Starlette(routes=self.console.routes())


def sound(answer: Answer) -> Answer:
    """Hold an answer to what is true of every answer."""
    expected = dict(SENT_HEADERS)
    if answer.headers.get("content-type", "").startswith(("text/css", "text/javascript", "image/")):
        expected["cache-control"] = "no-cache"
    assert {name: answer.headers.get(name) for name in expected} == expected
    assert answer.status < 500
    for cookie in answer.cookies:
        assert cookie.startswith("__Host-")
        assert "; secure" in cookie.lower()
        assert "; httponly" in cookie.lower()
        assert "; samesite=strict" in cookie.lower()
    return answer


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(Gateway(Settings(data_dir=tmp_path_factory.mktemp("console"))))
    yield world
    world.close()


@pytest.fixture
def world(opened: World) -> World:
    """The world with the real pages."""
    opened.real()
    return opened


@pytest.fixture
def table(opened: World) -> World:
    """The world in which pages only say that they were reached."""
    opened.recording()
    return opened


def decided(path: str) -> frozenset[Role] | None:
    """Return who may see a page, as it was decided: written down a second time, so that no slip in the table passes."""
    if path in ("/console/login", "/console/enrol", "/console/enrol/password", "/console/enrol/confirm"):
        return None
    if path in ("/console", "/console/logout", "/console/directory", "/console/account", "/console/translations"):
        return frozenset(Role)
    if re.match(r"/console/(round|health)(/|$)", path):
        return frozenset(Role)
    if re.match(r"/console/(review|entries|proposals|organizations|import)(/|$)", path):
        return frozenset({Role.EDITOR, Role.SUPERVISOR})
    if path.startswith("/console/account/"):
        return frozenset(Role)
    if re.match(r"/console/(accounts|recovery|audit)(/|$)", path):
        return frozenset({Role.ADMINISTRATOR})
    return frozenset({Role.OPERATOR, Role.SUPERVISOR})


def test_the_table_is_what_was_decided(world: World) -> None:
    assert len(world.console.pages) > 40
    assert [page.path for page in world.console.pages if page.roles != decided(page.path)] == []
    assert {page.method for page in world.console.pages} == {"GET", "POST"}


def wrong(world: World, check: Callable[[Page], list[str]]) -> list[str]:
    return [f"{page.method} {page.path}: {each}" for page in world.console.pages for each in check(page)]


def test_without_login_only_the_login_is_there(table: World) -> None:
    def check(page: Page) -> list[str]:
        stranger = Browser(table.web)
        if page.roles is None:
            return [] if table.ask(stranger, page).body == REACHED else ["not reached"]
        plain, fragment, stream = (table.ask(stranger, page, **kind) for kind in ({}, FRAGMENT, STREAM))
        right = {
            "page": (plain.status, plain.location) == (303, "/console/login"),
            "fragment": (fragment.status, fragment.headers.get("hx-redirect")) == (401, "/console/login"),
            "stream": (stream.status, stream.location) == (401, ""),
            "nothing of the page": REACHED not in plain.body + fragment.body + stream.body,
        }
        return [name for name, fine in right.items() if not fine]

    assert wrong(table, check) == []


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("kind", [{}, FRAGMENT, STREAM], ids=["page", "fragment", "stream"])
def test_each_role_reaches_its_pages_and_no_other(table: World, role: Role, kind: dict[str, str]) -> None:
    browser, _ = table.log_in(role)

    def check(page: Page) -> list[str]:
        answer = table.ask(browser, page, **kind)
        allowed = page.roles is None or role in page.roles
        expected = (200, REACHED) if allowed else (403, "")
        got = (answer.status, REACHED if REACHED in answer.body else "")
        return [] if got == expected else [f"{got}, expected {expected}"]

    assert wrong(table, check) == []


def test_a_session_that_is_over_or_not_this_browsers_is_none(table: World) -> None:
    def check(page: Page) -> list[str]:
        if page.roles is None:
            return []
        role = sorted(page.roles)[0]
        idle, old, closed, foreign = (table.log_in(role) for _ in range(4))
        idle[1].seen -= 31 * 60
        old[1].created -= 10 * 3600 + 1
        table.gateway.sessions.close(closed[1])
        answers = {
            "idle": table.ask(idle[0], page),
            "old": table.ask(old[0], page),
            "closed": table.ask(closed[0], page),
            "another browser": table.ask(foreign[0], page, User_Agent="another"),
            "made up": table.ask(Browser(table.web, "A" * 43), page),
            "two cookies": table.ask(Browser(table.web), page, Cookie=f"{SESSION_COOKIE}=x; {SESSION_COOKIE}=y"),
        }
        return [
            f"{name}: {answer.status}"
            for name, answer in answers.items()
            if (answer.status, answer.location) != (303, "/console/login") or REACHED in answer.body
        ]

    assert wrong(table, check) == []


def test_nothing_changes_without_the_sessions_own_token(table: World) -> None:
    def check(page: Page) -> list[str]:
        if page.method == "GET" or page.roles is None:
            return []
        role = sorted(page.roles)[0]
        browser, session = table.log_in(role)
        _, second = table.log_in(role)
        somebody = next(each for each in Role if each is not role)
        _, other = table.log_in(somebody)
        browser.csrf = ""
        answers = {
            "missing": table.ask(browser, page),
            "empty": table.ask(browser, page, {"csrf": ""}),
            "of another session": table.ask(browser, page, {"csrf": second.csrf}),
            "of somebody else": table.ask(browser, page, {"csrf": other.csrf}),
            "shortened": table.ask(browser, page, {"csrf": session.csrf[:-1]}),
            "in the address": sound(browser.web.ask(
                "POST", table.path(page), browser.headers(), query=f"csrf={session.csrf}"
            )),
            "header of another session": table.ask(browser, page, {"csrf": session.csrf}, X_CSRF=second.csrf),
        }  # fmt: skip
        found = [f"{name}: {each.status}" for name, each in answers.items() if each.status != 403]
        reached = table.ask(browser, page, {"csrf": session.csrf})
        return found if reached.body == REACHED else [*found, "the right one is refused"]

    assert wrong(table, check) == []


FOREIGN = {
    "origin": {"Origin": "https://evil.example"},
    "origin of an older browser": {"Origin": "https://evil.example", "Sec_Fetch_Site": ""},
    "another port": {"Origin": f"https://{HOST}:8443"},
    "another site": {"Sec_Fetch_Site": "cross-site"},
    "a neighbour": {"Sec_Fetch_Site": "same-site"},
    "another site that names our origin": {"Sec_Fetch_Site": "cross-site", "Origin": f"https://{HOST}"},
    "a bookmark": {"Sec_Fetch_Site": "none"},
}


def test_nothing_changes_from_another_site(table: World) -> None:
    """The login and the enrolment too: nobody is logged in to somebody else's account by a link."""

    def check(page: Page) -> list[str]:
        if page.method == "GET":
            return []
        browser = table.log_in(sorted(page.roles)[0])[0] if page.roles else Browser(table.web)
        answers = {name: table.ask(browser, page, **headers) for name, headers in FOREIGN.items()}
        return [f"{name}: {answer.status}" for name, answer in answers.items() if answer.status != 403]

    assert wrong(table, check) == []


@pytest.mark.parametrize("method", ["HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_other_methods_reach_nothing(table: World, method: str) -> None:
    browser, _ = table.log_in(Role.ADMINISTRATOR)
    readable = {table.path(page) for page in table.console.pages if page.method == "GET"}
    for page in table.console.pages:
        answer = sound(table.web.ask(method, table.path(page), browser.headers()))
        if method != "HEAD" or table.path(page) not in readable:
            assert answer.status == 404, page.path
        assert REACHED not in answer.body or method == "HEAD"


def test_what_is_not_in_the_table_is_not_there(world: World) -> None:
    visitors = [Browser(world.web), *(world.log_in(role)[0] for role in Role)]
    for path in ("/console/", "/console/nothing", "/console/admin", "/console/case", "/console/accounts/x/y/z"):
        for visitor in visitors:
            assert sound(visitor.get(path)).status == 404, path
            assert sound(visitor.post(path)).status == 404, path


def urls(answer: Answer) -> list[str]:
    found = re.findall(r"(?:href|src|action|hx-get|hx-post|formaction|sse-connect)=\"([^\"]*)\"", answer.body)
    return [*found, answer.location, answer.headers.get("hx-redirect", ""), answer.headers.get("hx-push-url", "")]


@pytest.mark.parametrize("role", list(Role))
def test_the_pages_themselves_work_and_put_no_secret_in_an_address(world: World, role: Role) -> None:
    """With an empty form, as page and as fragment. A page may refuse (409, 404), but not as one that is forbidden."""

    def check(page: Page) -> list[str]:
        found = []
        for kind in ({}, FRAGMENT):
            browser, session = world.log_in(role)  # logging out is one of the pages
            answer = world.ask(browser, page, **kind)
            allowed = page.roles is None or role in page.roles
            if (answer.status in (401, 403) or answer.location == "/console/login") == allowed:
                found.append(f"{answer.status} {answer.location}")
            secrets = (browser.cookies.get(SESSION_COOKIE) or "A" * 40, session.csrf)
            found += [f"a secret in {url}" for url in urls(answer) if any(secret in url for secret in secrets)]
            if not re.fullmatch(r"(/console[\w/-]*(\?[\w&=%-]*)?(#\w+)?)?", answer.location):
                found.append(f"leads elsewhere: {answer.location}")
        return found

    assert wrong(world, check) == []


# Another team's case, on every page about one. The lead adds rows here: cases of an external helpdesk, closed ones,
# cases whose team changed, a colleague who was moved to another team while her session was open.


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.SUPERVISOR])
@pytest.mark.parametrize("kind", [{}, FRAGMENT], ids=["page", "fragment"])
def test_a_case_of_another_team_is_not_there(world: World, role: Role, kind: dict[str, str]) -> None:
    browser, _ = world.log_in(role)
    form = {"text": "x", "key": "k", "operator": world.other.operator.id, "team": HERE, "reason": "other", "days": "7"}
    before = world.gateway.desk.cases.get(world.far_case)
    asked = 0

    def check(page: Page) -> list[str]:
        nonlocal asked
        if not page.path.startswith("/console/case/"):
            return []
        asked += 1
        path = world.path(page, world.far_case)
        answer = sound(browser.get(path, **kind) if page.method == "GET" else browser.post(path, form, **kind))
        seen = SECRET_TEXT in answer.body or "Birch 2" in answer.body
        return ["its words are shown"] if seen else [] if answer.status in (404, 409) else [str(answer.status)]

    assert wrong(world, check) == []
    assert asked > 10
    assert world.gateway.desk.cases.get(world.far_case) == before


def test_lists_show_no_case_of_another_team(world: World) -> None:
    for role in (Role.OPERATOR, Role.SUPERVISOR):
        browser, _ = world.log_in(role)
        for path in ("/console/queue", "/console/queue/lists", "/console/shift", "/console/closed"):
            body = sound(browser.get(path)).body
            assert world.far_case not in body
            assert "Birch 2" not in body
        assert "Maple 1" in browser.get("/console/queue").body


def test_the_gateway_serves_these_pages(world: World) -> None:
    """What is tested here is what `helpline run` serves: not one page is shadowed by another route."""
    world.web.app = create_app(world.gateway)
    stranger = Browser(world.web)
    for page in world.console.pages:
        answer = world.ask(stranger, page)
        if page.roles is not None:
            assert answer.location == "/console/login", page.path
        else:
            assert answer.status in (200, 409, 422), page.path
    assert sound(stranger.get("/console/nothing")).status == 404
    assert sound(stranger.get("/console/static/console.css")).status == 200


NAMES = (
    "login", "password", "repeat", "current", "code", "name", "role", "team", "language", "cap", "active", "checked",
    "session", "enrolment", "text", "key", "phrase", "service", "seq", "operator", "reason", "days", "state", "done",
    "q", "group", "panel", "after", "before", "subject", "hard", "seen", "note", "known", "country", "need",
)  # fmt: skip
TEXT = st.one_of(
    st.text(st.characters(), max_size=60),  # lone surrogates and zero bytes, too
    st.sampled_from(["", "0", "-1", "yes", "operator", "administrator", "en", "ar", "9" * 40, "٣", "1e9", "None"]),
    st.text(max_size=4).map(lambda text: text * 3000),
)
FIELDS = st.dictionaries(st.one_of(st.sampled_from(NAMES), st.text(max_size=8)), TEXT, max_size=8)
HEADER = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=40)
SENT = st.dictionaries(
    st.sampled_from([
        "Accept", "Accept-Language", "Content-Type", "Origin", "Sec-Fetch-Site", "X-CSRF", "HX-Request", "HX-Target",
        "HX-Current-URL", "HX-Trigger", "If-None-Match", "Range", "Last-Event-ID", "Host", "User-Agent",
    ]),
    HEADER,
    max_size=4,
)  # fmt: skip


def encoded(fields: dict[str, str]) -> bytes:
    def quoted(text: str) -> str:
        return quote_plus(text.encode("utf-8", "surrogatepass"))

    return "&".join(f"{quoted(name)}={quoted(value)}" for name, value in fields.items()).encode()


ODD_IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


@given(
    fields=FIELDS,
    query=FIELDS,
    body=st.one_of(st.none(), st.none(), st.none(), st.binary(max_size=400)),
    headers=st.one_of(st.just({}), st.just({"HX-Request": "true"}), SENT),
    odd_id=st.one_of(st.none(), st.none(), ODD_IDS),
    chosen=st.integers(0, 3),
)
@settings(
    deadline=None,
    max_examples=20,
    phases=[
        Phase.explicit,
        Phase.reuse,
        Phase.generate,
    ],  # an example costs sixty requests: a failing one is told as it is
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_nothing_that_is_sent_breaks_a_page(
    world: World,
    fields: dict[str, str],
    query: dict[str, str],
    body: bytes | None,
    headers: dict[str, str],
    odd_id: str | None,
    chosen: int,
) -> None:
    """The same odd request goes to every page, from somebody who may ask for it."""
    for page in world.console.pages:
        roles = sorted(page.roles or Role)
        browser, session = world.visit(roles[chosen % len(roles)])
        path = world.path(page) if odd_id is None else page.path.replace("{id}", odd_id)
        form = encoded(fields | {"csrf": session.csrf}) if body is None else body
        sent = browser.headers() | headers
        sound(world.web.ask(page.method, path, sent, form if page.method == "POST" else b"", encoded(query).decode()))
