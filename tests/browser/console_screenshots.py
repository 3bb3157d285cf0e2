"""Pictures of the console and of the chat beside it, for docs/operators.md and for looking at: `make screenshots`.

Usage: python -m tests.browser.console_screenshots FOLDER
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from bot.staff.accounts import Role
from tests.browser.test_console import Operator, Room, asks_for_a_person
from tests.staffroom import employ
from tests.support import Helpline, running

WIDE = {"width": 1400, "height": 860}


def talk(room: Room, olena: Operator) -> str:
    """Let a person who reads Arabic and an operator who reads Ukrainian talk; return the case."""
    person = room.person("ar")
    person.says("رئيسي أخذ جواز سفري")
    asks_for_a_person(person, "ar")
    case = olena.takes()
    person.page.wait_for_selector(".message:has-text('Olena')")
    olena.opens(case, "phrases")
    for phrase in ("greetings_hello", "safety_now"):
        if olena.page.locator(f"button.phrase[value={phrase}]").count():
            olena.sends_phrase(phrase)
    person.page.wait_for_selector(".human .choices button")
    person.page.locator(".human .choices button").nth(1).click()
    person.page.locator("#text").fill("أنا في إيطاليا، في بيت خارج المدينة")
    person.page.keyboard.press("Enter")
    person.page.wait_for_selector(".tick")
    person.page.wait_for_timeout(800)
    person.page.screenshot(path=str(room.folder / "staff-chat-ar-phone.png"))
    return case


def picture(room: Room, operator: Operator, path: str, name: str, dark: bool = False) -> None:
    operator.page.emulate_media(color_scheme="dark" if dark else "light")
    operator.page.goto(f"{room.helpline.url}{path}")
    operator.page.wait_for_timeout(600)
    operator.page.screenshot(path=str(room.folder / f"{name}.png"))


def take(browser: Browser, helpline: Helpline, folder: Path) -> None:
    room = Room(browser, helpline)
    room.folder = folder
    ben = room.operator(employ(helpline, "ben")).on_duty()
    olena = room.operator(employ(helpline, "olena", language="uk")).on_duty()
    samir = room.operator(employ(helpline, "samir", language="ar"), "phone").on_duty()
    vera = room.operator(employ(helpline, "vera", Role.SUPERVISOR))
    ada = room.operator(employ(helpline, "ada", Role.ADMINISTRATOR))
    for operator in (ben, olena, vera, ada):
        operator.page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    case = talk(room, olena)
    for text in ("he is beating me right now", "I need a safe place to sleep tonight"):
        person = room.person("en")
        person.says(text)
        person.says("I am in Italy")
        asks_for_a_person(person)
    picture(room, ben, "/console/queue", "console-queue")
    picture(room, ben, "/console/queue", "console-queue-dark", dark=True)
    picture(room, olena, f"/console/case/{case}?panel=phrases", "console-case-uk")
    picture(room, vera, f"/console/case/{case}?panel=case", "console-case-en")
    picture(room, samir, "/console/queue", "console-queue-ar-phone")
    mine = samir.takes()
    for panel in ("chat", "phrases"):
        picture(room, samir, f"/console/case/{mine}?panel={panel}", f"console-{panel}-ar-phone")
    picture(room, ben, "/console/phrasebook", "console-phrasebook")
    picture(room, ben, "/console/shift", "console-shift")
    picture(room, ben, "/console/account", "console-account")
    for page in ("accounts", "audit"):
        picture(room, ada, f"/console/{page}", f"console-{page}")
    login = browser.new_context(viewport=WIDE)  # type: ignore[arg-type]
    page = login.new_page()
    page.goto(f"{helpline.url}/console/login")
    page.screenshot(path=str(folder / "console-login.png"))


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or sys.exit("the screenshots need Chromium: apt-get install chromium")
    with running(Path(tempfile.mkdtemp())) as helpline, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        take(browser, helpline, folder)
        browser.close()


if __name__ == "__main__":
    main()
