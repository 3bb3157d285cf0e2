"""Staff and a person at the same time, each in a Chromium of their own."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect

from bot.staff.accounts import Role
from bot.text.catalogue import Catalogue
from tests.browser.conftest import DESKTOP, PHONE, Tab
from tests.staffroom import PASSWORD, Employee, employ
from tests.support import Helpline, running

CATALOGUE = Catalogue()
SLOW = 15_000
expect.set_options(timeout=SLOW)


class Operator:
    """Somebody of the staff at a screen."""

    def __init__(self, browser: Browser, helpline: Helpline, employee: Employee, width: str = "desktop") -> None:
        self.helpline = helpline
        self.employee = employee
        self.context: BrowserContext = browser.new_context(
            viewport=DESKTOP if width == "desktop" else PHONE,  # type: ignore[arg-type]
        )
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(SLOW)
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "console", lambda message: self.complaints.append(message.text) if message.type == "error" else None
        )
        self.logs_in()

    def logs_in(self) -> None:
        self.page.goto(f"{self.helpline.url}/console/login")
        self.page.locator("[name=login]").fill(self.employee.login)
        self.page.locator("[name=password]").fill(PASSWORD)
        self.page.locator("[name=code]").fill(self.employee.code())
        self.page.locator("button.primary").click()
        self.page.wait_for_url("**/console/*")

    def goes(self, path: str) -> None:
        """Open a page; the page left may be on its way somewhere itself (the queue follows what happens)."""
        with contextlib.suppress(Error):
            self.page.goto(f"{self.helpline.url}{path}")
            return
        self.page.wait_for_load_state()
        self.page.goto(f"{self.helpline.url}{path}")

    def on_duty(self) -> Operator:
        self.goes("/console/queue")
        button = self.page.locator(".notice button[value=duty]")
        if button.count():
            button.click()
        expect(self.page.locator(".notice button[value=duty]")).to_have_count(0)
        return self

    def takes(self) -> str:
        """Take the first case of the queue; return its id."""
        self.goes("/console/queue")
        self.page.locator(".entry[data-kind=waiting] button.take").first.click()
        self.page.wait_for_url("**/console/case/*")
        return re.sub(r".*/case/([0-9a-f]+).*", r"\1", self.page.url)

    def opens(self, case: str, panel: str = "chat") -> None:
        self.goes(f"/console/case/{case}?panel={panel}")

    def says(self, text: str) -> None:
        self.page.locator("#text").fill(text)
        self.page.keyboard.press("Enter")
        expect(self.page.locator("#lines")).to_contain_text(text)

    def sends_phrase(self, name: str) -> None:
        self.page.locator(f"button.phrase[value={name}]").click()
        expect(self.page.locator("#lines .line.phrase").last).to_be_attached()

    def does(self, action: str, button: str) -> None:
        """Open a part of the case's panel and press its button."""
        form = self.page.locator(f"form[action$='/{action}']")
        form.locator("xpath=..").locator("summary").click()
        form.locator(button).click()

    @property
    def lines(self) -> str:
        return self.page.locator("#lines").inner_text()


class Room:
    """A helpline of its own, its staff, and the browsers of all."""

    def __init__(self, browser: Browser, helpline: Helpline) -> None:
        self.browser = browser
        self.helpline = helpline
        self.contexts: list[BrowserContext] = []
        self.folder = helpline.folder
        """Where pictures go."""

    def employs(self, login: str, role: Role = Role.OPERATOR, language: str = "en") -> Employee:
        return employ(self.helpline, login, role, language=language)

    def operator(self, employee: Employee, width: str = "desktop") -> Operator:
        operator = Operator(self.browser, self.helpline, employee, width)
        self.contexts.append(operator.context)
        return operator

    def person(self, language: str = "en", width: str = "phone") -> Tab:
        context = self.browser.new_context(
            viewport=PHONE if width == "phone" else DESKTOP,  # type: ignore[arg-type]
            locale=language,
        )
        self.contexts.append(context)
        tab = Tab(context, self.helpline.url)
        tab.page.set_default_timeout(SLOW)
        return tab


def title(payload: str, language: str) -> str:
    """Return the title of the button with `payload`."""
    for name in CATALOGUE.responses:
        for button in CATALOGUE.say(name, language, notice=False).buttons:
            if button.payload == payload:
                return button.title
    raise AssertionError(payload)


def asks_for_a_person(tab: Tab, language: str = "en") -> None:
    tab.says({"en": "I want to talk to a real person", "ar": "أريد التحدث مع شخص حقيقي"}[language])
    tab.taps(title("!human_yes", language))
    expect(tab.page.locator("#status")).to_be_visible()


@pytest.fixture(scope="module")
def helpline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Helpline]:
    with running(tmp_path_factory.mktemp("console"), HELPLINE_LOG_LEVEL="debug") as helpline:
        yield helpline


@pytest.fixture
def room(browser: Browser, helpline: Helpline) -> Iterator[Room]:
    room = Room(browser, helpline)
    yield room
    for context in room.contexts:
        context.close()


@pytest.fixture(scope="module")
def staff(helpline: Helpline) -> dict[str, Employee]:
    return {
        "olena": employ(helpline, "olena", language="uk"),
        "ben": employ(helpline, "ben"),
        "vera": employ(helpline, "vera", Role.SUPERVISOR),
    }


def test_ukrainian_and_arabic_meet_through_the_phrasebook(room: Room, staff: dict[str, Employee]) -> None:
    """From waiting to a plan, by two people who share no language."""
    person = room.person("ar")
    olena = room.operator(staff["olena"]).on_duty()
    asks_for_a_person(person, "ar")
    expect(olena.page.locator(".entry[data-kind=waiting]")).to_have_count(1)
    expect(olena.page).to_have_title(re.compile(r"^\(1\) "))
    case = olena.takes()
    expect(person.page.locator("#log")).to_contain_text("Olena")
    expect(person.page.locator("#status")).to_contain_text("Olena")
    person.page.locator("#text").fill("أنا في إيطاليا")
    person.page.keyboard.press("Enter")
    expect(person.page.locator(".tick")).to_have_count(1)
    expect(olena.page.locator("#lines")).to_contain_text("أنا في إيطاليا")
    expect(olena.page.locator(".understood").last).to_contain_text("Італія")
    olena.opens(case, "phrases")
    olena.sends_phrase("safety_now")
    shown = CATALOGUE.say("utter_phrase_safety_now", "ar")
    expect(person.page.locator(".human p").last).to_have_text(shown.text)
    person.page.get_by_role("button", name=shown.buttons[1].title, exact=True).last.click()
    answer = CATALOGUE.say("utter_phrase_safety_now", "uk").buttons[1].title
    expect(olena.page.locator("#lines .line.answer").last).to_contain_text(answer)
    assert not person.complaints
    assert not olena.complaints
    person.page.locator("#exit").click()
    person.page.wait_for_url("**/units")


def test_a_talk_is_handed_on_given_back_and_closed(room: Room, staff: dict[str, Employee]) -> None:
    person = room.person()
    ben = room.operator(staff["ben"]).on_duty()
    vera = room.operator(staff["vera"]).on_duty()
    asks_for_a_person(person)
    case = ben.takes()
    expect(person.page.locator("#log")).to_contain_text("Ben is here now")
    ben.says("Good morning, I am here")
    expect(person.page.locator(".human").last).to_contain_text("Good morning, I am here")
    expect(person.page.locator(".sender").last).to_have_text("Ben (a person)")
    ben.opens(case, "case")
    form = ben.page.locator("form[action$='/offer']")
    ben.page.locator("details", has=form).locator("summary").click()
    form.locator("select").select_option(staff["vera"].id)
    form.locator("button").click()
    vera.goes("/console/queue")
    vera.page.locator(".entry[data-kind=offered] button.take").click()
    vera.page.wait_for_url("**/console/case/*")
    expect(vera.page.locator("#lines")).to_contain_text("Good morning, I am here")
    vera.says("I go on from here")
    expect(person.page.locator(".sender").last).to_have_text("Vera (a person)")
    assert "Vera is here now" not in person.text, "a transfer does not greet again"
    vera.opens(case, "case")
    form = vera.page.locator("form[action$='/back']")
    vera.page.locator("details", has=form).locator("summary").click()
    form.locator("button").click()
    expect(person.page.locator("#log")).to_contain_text("Vera has left")
    person.says("what are my rights")
    assert not person.page.locator(".message").last.locator(".sender").count(), "the machine answers again"
    asks_for_a_person(person)
    ben.takes()
    ben.says("Once more, and goodbye")
    ben.opens(case, "case")
    form = ben.page.locator("form[action$='/close']")
    ben.page.locator("details", has=form).locator("summary").click()
    form.locator("select").select_option("helped")
    form.locator("[name=hard]").check()
    form.locator("button").click()
    expect(person.page.locator("#log")).to_contain_text("has ended the talk")
    expect(person.page.locator("#status")).to_contain_text("7 days")
    ben.goes("/console/queue")
    expect(ben.page.locator("#lists")).to_contain_text(CATALOGUE.text("utter_console_debrief_due", "en"))
    assert not person.complaints


def test_she_sees_that_somebody_writes_and_erases_everything_in_the_middle(
    room: Room, staff: dict[str, Employee]
) -> None:
    person = room.person()
    ben = room.operator(staff["ben"]).on_duty()
    asks_for_a_person(person)
    ben.takes()
    person.page.locator("#text").fill("my words to staff")
    person.page.keyboard.press("Enter")
    expect(ben.page.locator("#lines")).to_contain_text("my words to staff")
    ben.page.locator("#text").press_sequentially("I am wri")
    expect(person.page.locator("#status")).to_contain_text(re.compile("Ben.? is writing"))
    person.page.locator("#privacy").click()
    expect(person.page.locator("#log")).to_contain_text("so I stay silent")
    person.page.locator(".choices button", has_text="Erase everything").last.click()
    expect(person.page.locator("#log")).not_to_contain_text("my words to staff")
    expect(person.page.locator("#log")).to_contain_text("Done")
    expect(person.page.locator("#status")).to_be_hidden()
    ben.page.locator("#text").fill("are you there")
    ben.page.keyboard.press("Enter")
    expect(ben.page.locator("#alerts")).not_to_be_empty()
    ben.goes("/console/closed")
    expect(ben.page.locator("#main")).to_contain_text(CATALOGUE.text("utter_console_reason_left_hidden", "en"))
    expect(ben.page.locator("#main")).not_to_contain_text("my words to staff")


def test_her_exit_closes_the_case_at_once(room: Room, staff: dict[str, Employee]) -> None:
    person = room.person()
    ben = room.operator(staff["ben"]).on_duty()
    asks_for_a_person(person)
    ben.takes()
    expect(person.page.locator("#log")).to_contain_text("Ben is here now")
    person.page.locator("#exit").click()
    person.page.wait_for_url("**/units")
    reason = CATALOGUE.text("utter_console_reason_left_hidden", "en")
    expect(ben.page.locator("#case")).to_contain_text(reason)
    expect(ben.page.locator("#text")).to_have_count(0)


def test_an_operators_browser_dies_and_another_goes_on(room: Room, staff: dict[str, Employee]) -> None:
    person = room.person()
    ben = room.operator(staff["ben"]).on_duty()
    asks_for_a_person(person)
    case = ben.takes()
    ben.says("I am here")
    ben.context.close()
    room.contexts.remove(ben.context)
    person.page.locator("#text").fill("are you still there")
    person.page.keyboard.press("Enter")
    expect(person.page.locator(".tick")).to_have_count(1)
    vera = room.operator(staff["vera"]).on_duty()
    vera.opens(case)
    expect(vera.page.locator("#lines")).to_contain_text("are you still there")
    vera.page.locator("#writing form[action$='/take'] button").click()
    vera.page.wait_for_url("**/console/case/*")
    vera.says("I take over")
    expect(person.page.locator(".human").last).to_contain_text("I take over")


def test_killed_while_messages_cross_none_is_lost_doubled_or_moved(browser: Browser, tmp_path: Path) -> None:
    """kill -9 between messages in both directions; the page and the console go on by themselves, after a new login."""
    with running(tmp_path) as helpline:
        room = Room(browser, helpline)
        employee = room.employs("ben")
        ben = room.operator(employee).on_duty()
        person = room.person()
        asks_for_a_person(person)
        case = ben.takes()
        expect(person.page.locator("#log")).to_contain_text("Ben is here now")
        hers, his = [], []
        for number in range(6):
            hers.append(f"from her {number}")
            person.page.locator("#text").fill(hers[-1])
            person.page.keyboard.press("Enter")
            his.append(f"from him {number}")
            ben.page.locator("#text").fill(his[-1])
            ben.page.keyboard.press("Enter")
            if number == 2:
                helpline.kill()
                helpline.start(ready=False)
                expect(person.page.locator(".tick")).to_have_count(3, timeout=30_000)
                ben.logs_in()
                ben.on_duty()
                ben.opens(case)
                for text in his:
                    if text not in ben.lines:  # it never left his browser: he sees that, and sends it again
                        ben.says(text)
                for button in ben.page.locator("form[action$='/again'] button").all():
                    button.click()
            else:
                expect(ben.page.locator("#lines")).to_contain_text(his[-1])
                expect(person.page.locator(".tick")).to_have_count(number + 1)
        for text in hers:
            expect(ben.page.locator("#lines")).to_contain_text(text)
        for text in his:
            expect(person.page.locator("#log")).to_contain_text(text)
        on_his = re.findall(r"from her \d", ben.lines)
        on_hers = re.findall(r"from him \d", person.text)
        assert on_his == hers
        assert on_hers == his
        for context in room.contexts:
            context.close()


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_queue_and_a_case_fit_a_phone_and_are_used_by_keyboard(
    browser: Browser, helpline: Helpline, language: str
) -> None:
    room = Room(browser, helpline)
    employee = room.employs(f"kim-{language}", language=language)
    person = room.person()
    kim = room.operator(employee, "phone").on_duty()
    asks_for_a_person(person)
    kim.goes("/console/queue")
    assert kim.page.evaluate("document.documentElement.dir") == ("rtl" if language == "ar" else "ltr")
    fits = "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    assert kim.page.evaluate(fits)
    kim.page.keyboard.press("j")
    kim.page.keyboard.press("t")
    kim.page.wait_for_url("**/console/case/*")
    for panel in ("chat", "phrases", "referral", "case"):
        kim.page.locator(f".tabs a[data-panel={panel}]").click()
        assert kim.page.evaluate(fits), panel
    kim.page.keyboard.press("/")
    assert kim.page.evaluate("document.activeElement.id") == "phrase-search"
    assert not kim.complaints
    person.page.locator("#exit").click()
    for context in room.contexts:
        context.close()
