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
from tests.browser.conftest import DESKTOP, PHONE
from tests.support import ROOT, running

CATALOGUE = Catalogue()
PHRASES = yaml.safe_load((ROOT / "tests" / "conversations" / "phrases.yml").read_bytes())
SCREENS = ("opening", "referral", "danger")


def show(page: Page, url: str, screen: str, language: str) -> None:
    """Bring the page to one of SCREENS."""
    page.goto(url + "/")
    lines = {"opening": [], "referral": ["passport", "shelter", "place"], "danger": ["danger"]}[screen]
    for line in lines:
        page.locator("#text").fill(PHRASES[language][line])
        page.keyboard.press("Enter")
        page.wait_for_timeout(200)
        page.wait_for_function("() => !document.querySelector('.typing')")
    page.wait_for_timeout(200)


def main() -> None:
    folder = Path(sys.argv[1])
    languages = sys.argv[2:] or ["en", "ar"]
    folder.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or sys.exit("the screenshots need Chromium: apt-get install chromium")
    with running(Path(tempfile.mkdtemp())) as helpline, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for language in languages:
            for width, viewport in (("phone", PHONE), ("desktop", DESKTOP)):
                for screen in SCREENS:
                    context = browser.new_context(viewport=viewport, locale=language)  # type: ignore[arg-type]
                    page = context.new_page()
                    show(page, helpline.url, screen, language)
                    page.screenshot(path=str(folder / f"{screen}-{language}-{width}.png"))
                    context.close()
        browser.close()


if __name__ == "__main__":
    main()
