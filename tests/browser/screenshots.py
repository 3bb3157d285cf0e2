"""Pictures of the screens, for the README and for looking at: `make screenshots`.

Usage: python -m tests.browser.screenshots FOLDER [LANGUAGE …]
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import yaml
from playwright.sync_api import Page, sync_playwright

from bot.text.catalogue import Catalogue
from bot.vault.keys import load
from bot.vault.vault import Vault
from tests.browser.conftest import DESKTOP, PHONE
from tests.support import ROOT, running

CATALOGUE = Catalogue()
PHRASES = yaml.load((ROOT / "tests" / "conversations" / "phrases.yml").read_bytes(), Loader=yaml.BaseLoader)
LINES = {
    "opening": [],
    "referral": ["passport", "shelter", "place"],
    "danger": ["danger"],
    "rights": ["place", '/show{"screen":"rights_who"}'],
    "signs": ['/walk{"walk":"signs"}'],
    "card": ["place", '/card{"card":"police"}'],
    "hidden": ["passport", "!word", "mimosa", "!word_skip", "!lock"],
    "units": [],
}
"""The screens, and what brings the page there: phrases, and buttons' payloads."""


def show(page: Page, url: str, screen: str, language: str, vault: Vault) -> None:
    """Bring the page to one of the screens."""
    page.goto(url + ("/units?amount=5&unit=kg" if screen == "units" else "/"))
    for line in LINES[screen]:
        if line.startswith(("/", "!")):  # as a button of an older message
            page.evaluate("token => turn({conversation: conversation.value, choice: token}, '')", vault.token(line))
        else:
            page.locator("#text").fill(PHRASES[language].get(line, line))
            page.keyboard.press("Enter")
        page.wait_for_timeout(200)
        page.wait_for_function("() => !document.querySelector('.typing')")
    if screen == "card":
        page.locator(".card + button").click()
    page.wait_for_timeout(200)


def main() -> None:
    folder = Path(sys.argv[1])
    languages = sys.argv[2:] or ["en", "ar"]
    folder.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or sys.exit("the screenshots need Chromium: apt-get install chromium")
    with running(Path(tempfile.mkdtemp())) as helpline, sync_playwright() as playwright:
        vault = Vault(load(helpline.data / "master.key"))
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for language in languages:
            for width, viewport in (("phone", PHONE), ("desktop", DESKTOP)):
                for screen in LINES:
                    context = browser.new_context(viewport=viewport, locale=language)  # type: ignore[arg-type]
                    page = context.new_page()
                    show(page, helpline.url, screen, language, vault)
                    page.screenshot(path=str(folder / f"{screen}-{language}-{width}.png"))
                    context.close()
        browser.close()


if __name__ == "__main__":
    main()
