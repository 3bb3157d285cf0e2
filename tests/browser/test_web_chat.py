"""The web chat as people see it, in Chromium."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

import pytest

from bot.text.catalogue import load_languages
from tests.browser.conftest import Tab, Tabs
from tests.support import ROOT, until

NO_SIDEWAYS = "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"
OVERFLOWING = """() => [...document.querySelectorAll('button, .message, header *')].filter(e => {
  const r = e.getBoundingClientRect(); return e.checkVisibility({contentVisibilityAuto: true, visibilityProperty: true}) && r.width && (r.left < -1 || r.right > innerWidth + 1); }).length"""


def left(tab: Tab) -> None:
    tab.page.wait_for_url("**/units", timeout=5000)
    assert "Mila" not in tab.page.content()


def test_a_conversation_by_tapping_alone(tabs: Tabs, width: str) -> None:
    tab = tabs.open("en", width)
    assert "machine" in tab.text
    for title in ("I need help now", "No, not this minute", "A safe place to sleep"):
        tab.taps(title)
        assert title in tab.text
    assert tab.page.evaluate(NO_SIDEWAYS)
    assert tab.page.evaluate(OVERFLOWING) == 0
    assert not tab.complaints


def test_the_exit_stays_in_sight_however_long_the_chat(tabs: Tabs, width: str) -> None:
    tab = tabs.open("en", width)
    for text in ("my boss has my passport", "I need a safe place to sleep", "I am in Italy", "what are my rights"):
        tab.says(text)
    for name in ("#exit", "#send"):
        assert tab.page.locator(name).evaluate(
            "e => { const r = e.getBoundingClientRect(); return r.top >= 0 && r.bottom <= innerHeight; }"
        )
    answer = tab.page.locator("#log .message:not(.mine)").last
    assert tab.page.evaluate("scrollY") == 0
    assert answer.is_visible()


def test_writing_in_danger_shows_numbers_to_tap(tabs: Tabs, width: str) -> None:
    tab = tabs.open("fr", width)
    tab.says("au secours il me frappe, je suis en France")
    links = tab.page.locator("#log .message a[href^='tel:']")
    hrefs = [links.nth(i).get_attribute("href") for i in range(links.count())]
    assert "tel:112" in hrefs
    assert tab.page.evaluate(NO_SIDEWAYS)


def test_arabic_stands_right_to_left_with_readable_numbers(tabs: Tabs, width: str) -> None:
    tab = tabs.open("ar", width)
    assert tab.page.evaluate("document.documentElement.dir") == "rtl"
    tab.says("النجدة إنه يضربني الآن")
    number = tab.page.locator("#log a[href^='tel:']").first
    assert number.get_attribute("dir") == "ltr"
    assert tab.page.evaluate(NO_SIDEWAYS)
    assert tab.page.evaluate(OVERFLOWING) == 0
    bubble = tab.page.locator("#log .message:not(.mine)").first.bounding_box()
    mine = tab.page.locator("#log .message.mine").first.bounding_box()
    assert bubble
    assert mine
    assert bubble["x"] + bubble["width"] > mine["x"] + mine["width"]  # hers on the left, ours on the right


def test_the_language_changes_by_its_menu(tabs: Tabs, width: str) -> None:
    tab = tabs.open("en", width)
    tab.page.locator("#languages summary").click()
    tab.page.locator("#languages button", has_text="العربية").click()
    tab.answered()
    assert tab.page.evaluate("document.documentElement.dir") == "rtl"
    assert tab.page.evaluate("document.documentElement.lang") == "ar"


def test_the_keyboard_alone_is_enough(tabs: Tabs) -> None:
    tab = tabs.open("en", "desktop")
    tab.page.keyboard.press("Tab")
    reached = set()
    for _ in range(60):
        name = tab.page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()")
        reached.add(name)
        if name == "I need help now":
            outline = tab.page.evaluate(
                "() => { const s = getComputedStyle(document.activeElement); return s.outlineStyle + s.boxShadow; }"
            )
            assert outline != "nonenone", "the focus can be seen"
            break
        tab.page.keyboard.press("Tab")
    assert {"exit", "privacy", "I need help now"} <= reached
    tab.page.keyboard.press("Enter")
    tab.answered()
    assert "danger" in tab.last
    tab.page.locator("#text").focus()
    tab.page.keyboard.type("stop")
    tab.page.keyboard.press("Enter")
    left(tab)


def test_escape_three_times_leaves(tabs: Tabs, width: str) -> None:
    tab = tabs.open("en", width)
    tab.taps("I need help now")
    for _ in range(3):
        tab.page.keyboard.press("Escape")
    left(tab)
    tab.page.go_back()
    time.sleep(0.5)
    assert "I need help now" not in tab.page.locator("body").inner_text() or "danger" not in tab.page.content()


def test_the_exit_button_leaves_without_waiting_for_the_server(tabs: Tabs, width: str) -> None:
    tab = tabs.open("en", width)
    tab.taps("I need help now")
    tab.context.route("**/leave", lambda route: None)  # the server never answers
    tab.page.locator("#exit").click()
    left(tab)


def test_leaving_forgets_on_the_server(tabs: Tabs) -> None:
    import sqlite3

    tab = tabs.open("en")
    database = tabs.helpline.data / "helpline.db"

    def count() -> int:
        with sqlite3.connect(database) as connection:
            return int(connection.execute("SELECT count(*) FROM conversation").fetchone()[0])

    before = count()
    tab.taps("I need help now")
    until(lambda: count() == before + 1, 5, "the conversation is kept")
    tab.page.locator("#exit").click()
    left(tab)
    until(lambda: count() == before, 5, "the conversation is forgotten")


def test_erasing_empties_the_page_and_begins_anew(tabs: Tabs) -> None:
    tab = tabs.open("en")
    secret = tab.page.locator("[name=conversation]").input_value()
    tab.says("hello there")
    tab.page.locator("#privacy").click()
    tab.answered()
    tab.taps("Erase everything now")
    tab.taps("Erase everything now") if tab.page.locator(
        ".choices button", has_text="Erase everything now"
    ).count() else None
    assert "hello there" not in tab.text
    assert tab.page.locator("[name=conversation]").input_value() != secret


def test_no_cookie_no_storage_no_other_host(tabs: Tabs, width: str) -> None:
    tab = tabs.open("en", width)
    tab.taps("I need help now")
    tab.says("I am in Italy")
    assert tab.context.cookies() == []
    assert tab.page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert tab.page.evaluate("indexedDB.databases().then(all => all.length)") == 0
    assert {urlsplit(url).netloc for url in tab.requests} == {urlsplit(tabs.helpline.url).netloc}
    assert all(not urlsplit(url).query for url in tab.requests)


def test_it_works_without_scripts(tabs: Tabs, width: str) -> None:
    tab = tabs.open("fr", width, scripts=False)
    tab.page.locator(".choices button", has_text="aide").first.click()
    assert tab.page.locator("#log .message").count() >= 1
    tab.page.locator("#text").fill("au secours il me frappe")
    tab.page.locator("#send").click()
    assert "112" in tab.text
    tab.page.locator("#exit").click()
    tab.page.wait_for_url("**/units")


def test_what_she_wrote_is_not_lost_when_the_line_is_down(tabs: Tabs) -> None:
    tab = tabs.open("en")
    tab.context.set_offline(True)
    tab.page.locator("#text").fill("hello from a bad line")
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_function("() => document.querySelector('#log').innerText.includes('112')", timeout=10_000)
    tab.context.set_offline(False)
    tab.answered()
    assert "hello from a bad line" in tab.text


@pytest.mark.parametrize("language", load_languages(ROOT / "locales"))
def test_every_language_fits_the_phone(tabs: Tabs, language: str) -> None:
    tab = tabs.open(language)
    assert tab.page.evaluate("document.documentElement.lang") == language
    assert tab.page.evaluate(NO_SIDEWAYS)
    assert tab.page.evaluate(OVERFLOWING) == 0
    assert tab.page.title()
    assert "traffick" not in tab.page.title().lower()


def shows_card(tab: Tab) -> None:
    tab.says("I am in Italy")
    tab.page.locator(".choices button", has_text="Menu").last.click()
    tab.answered()
    for title in ("I want information", "A card to show", "An officer"):
        tab.taps(title)


def test_a_card_fills_the_screen_and_closes(tabs: Tabs, width: str) -> None:
    tab = tabs.open("en", width)
    shows_card(tab)
    tab.page.locator("button", has_text="Show full screen").click()
    sheet = tab.page.locator("dialog.sheet")
    box = sheet.bounding_box()
    size = tab.page.viewport_size
    assert box
    assert size
    assert (round(box["width"]), round(box["height"])) == (size["width"], size["height"])
    words = sheet.locator("p")
    assert words.nth(0).get_attribute("lang") == "it"
    assert "800 290 290" in words.nth(0).inner_text().replace("\xa0", " ")
    assert words.nth(1).get_attribute("lang") == "en"
    assert tab.page.evaluate("e => e.scrollWidth <= e.clientWidth", sheet.element_handle())
    sheet.locator("button").click()
    tab.page.wait_for_function("() => !document.querySelector('dialog.sheet')")
    assert tab.page.locator("#exit").is_visible()
    assert not tab.complaints


def test_a_card_in_arabic_stands_right_to_left(tabs: Tabs, width: str) -> None:
    tab = tabs.open("ar", width)
    tab.says("أنا في إيطاليا")
    secret = tab.page.locator("[name=conversation]").input_value()
    assert secret
    for title in ("القائمة", "أريد معلومات"):
        tab.page.locator(".choices button", has_text=title).last.click()
        tab.answered()
    tab.page.locator(".choices button", has_text="بطاقة").last.click()
    tab.answered()
    tab.page.locator("#log .message").last.locator(".choices button").first.click()
    tab.answered()
    card = tab.page.locator(".card p")
    assert card.nth(0).get_attribute("dir") == "ltr"
    assert card.nth(1).get_attribute("dir") == "rtl"
    assert tab.page.evaluate(NO_SIDEWAYS)


def test_a_card_is_there_without_scripts(tabs: Tabs) -> None:
    tab = tabs.open("en", scripts=False)
    tab.page.locator("#text").fill("I am in Italy")
    tab.page.locator("#send").click()
    for title in ("Menu", "I want information", "A card to show", "An officer"):
        tab.page.locator(".choices button", has_text=title).last.click()
    assert tab.page.locator(".card p[lang=it]").count() == 1


def test_the_converter_works_with_and_without_scripts(tabs: Tabs, width: str) -> None:
    for scripts in (True, False):
        tab = tabs.open("en", width, scripts=scripts)
        tab.page.goto(tabs.helpline.url + "/units")
        unused = tab.page.locator("main").inner_text()
        tab.page.locator("[name=amount]").fill("5")
        tab.page.locator("[name=unit]").select_option("kg")
        tab.page.locator("button").click()
        assert "11.02" in tab.page.locator(".result").inner_text()
        assert tab.page.evaluate(NO_SIDEWAYS) if scripts else True
        tab.page.goto(tabs.helpline.url + "/")
        tab.page.locator("#exit").click()
        tab.page.wait_for_url("**/units")
        assert tab.page.locator("main").inner_text() == unused, "the same before and after"
        assert "Mila" not in tab.page.content()


@pytest.mark.parametrize("amount", ["", "abc", "1e9", "<script>", "-5", "5,5"])
def test_the_converter_takes_any_amount(tabs: Tabs, amount: str) -> None:
    import httpx

    answer = httpx.get(tabs.helpline.url + "/units", params={"amount": amount, "unit": "kg"})
    assert answer.status_code == 200
    assert "<script>" not in answer.text.replace("<script src", "")


def test_hiding_takes_the_chat_and_the_word_out_of_sight(tabs: Tabs, width: str) -> None:
    tab = tabs.open("en", width)
    tab.taps("Others may read it")
    tab.taps("Set a word to return")
    tab.says("mimosa")
    assert "mimosa" not in tab.text
    tab.taps("Skip")
    tab.says("my boss has my passport")
    tab.taps("Hide it now")
    assert "passport" not in tab.text
    assert "Mila" not in tab.text
    tab.says("5 kg")
    assert "11.02" in tab.last
    tab.says("mimosa")
    assert "You are back" in tab.last
    assert "mimosa" not in tab.text


def test_the_chat_hides_by_itself_after_five_idle_minutes(tabs: Tabs) -> None:
    tab = tabs.open("en")
    tab.page.clock.install()
    tab.page.reload()
    tab.taps("Others may read it")
    tab.taps("Set a word to return")
    tab.says("mimosa")
    tab.taps("Skip")
    tab.says("my boss has my passport")
    tab.page.clock.fast_forward(301_000)
    tab.page.wait_for_function("() => !document.querySelector('#log').innerText.includes('passport')", timeout=10_000)
    tab.says("hello")
    assert "Mila" not in tab.text
