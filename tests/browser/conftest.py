"""Debian's Chromium, headless."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.support import Helpline

PHONE, DESKTOP = {"width": 360, "height": 640}, {"width": 1280, "height": 800}


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Closed with the last browser test: Playwright keeps an event loop running in the main thread until then."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.fail("the browser tests need Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()


class Tab:
    """A page, with all that it asked for and complained about."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context = context
        self.page: Page = context.new_page()
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "console",
            lambda message: self.complaints.append(message.text) if message.type in ("error", "warning") else None,
        )
        self.page.goto(url + "/")

    def says(self, text: str) -> None:
        self.page.locator("#text").fill(text)
        self.page.keyboard.press("Enter")
        self.answered()

    def taps(self, title: str) -> None:
        self.page.locator(".choices button", has_text=title).last.click()
        self.answered()

    def answered(self) -> None:
        """Wait until what she sent stands there and its answer below it."""
        self.page.wait_for_function(
            "() => { const all = [...document.querySelectorAll('#log .message')];"
            " return all.length && !document.querySelector('.typing')"
            " && !all[all.length - 1].classList.contains('mine'); }",
            timeout=15_000,
        )

    @property
    def text(self) -> str:
        return self.page.locator("#log").inner_text()

    @property
    def last(self) -> str:
        return self.page.locator("#log .message").last.inner_text()


@pytest.fixture(params=["phone", "desktop"])
def width(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Tabs:
    """Opens tabs of separate people."""

    def __init__(self, browser: Browser, helpline: Helpline) -> None:
        self.browser = browser
        self.helpline = helpline
        self.open_ones: list[BrowserContext] = []

    def open(self, language: str = "en", width: str = "phone", scripts: bool = True) -> Tab:
        context = self.browser.new_context(
            viewport=PHONE if width == "phone" else DESKTOP,  # type: ignore[arg-type]
            locale=language,
            java_script_enabled=scripts,
        )
        self.open_ones.append(context)
        return Tab(context, self.helpline.url)


@pytest.fixture
def tabs(browser: Browser, helpline: Helpline) -> Iterator[Tabs]:
    opened = Tabs(browser, helpline)
    yield opened
    for context in opened.open_ones:
        context.close()
