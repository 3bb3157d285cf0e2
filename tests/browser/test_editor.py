"""An editor's morning: from the login to a change that a second person has approved and people see."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import create_engine, text

from bot.staff.accounts import Role
from bot.text.catalogue import Catalogue
from tests.browser.test_console import Room
from tests.staffroom import employ
from tests.support import Helpline, running

CATALOGUE = Catalogue()
SHEET = """Organisation;Service;Phone;Country;City;Needs;Languages;Hours;Shelter address
Porto Sicuro;Casa;+39 06 1234 5678;Italy;Roma;need_shelter, need_legal;English, Arabic;24/7;Via Segreta 5
"""


def words(name: str, language: str = "en") -> str:
    return CATALOGUE.text(f"utter_console_{name}", language)


@pytest.fixture(scope="module")
def helpline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Helpline]:
    folder = tmp_path_factory.mktemp("editor")
    with running(folder, HELPLINE_LOG_LEVEL="debug") as helpline:
        (folder / "ours.csv").write_text(SHEET, encoding="utf-8")
        import subprocess
        import sys

        command = [sys.executable, "-m", "bot.cli", "directory", "import", str(folder / "ours.csv")]
        subprocess.run(command, env=helpline.environment, check=True, capture_output=True)
        yield helpline


def service(helpline: Helpline) -> str:
    engine = create_engine(f"sqlite:///{helpline.data / 'helpline.db'}")
    with engine.connect() as connection:
        key = connection.execute(text("SELECT id FROM service WHERE dataset = 'ours'")).scalar()
    engine.dispose()
    return str(key)


@pytest.mark.parametrize(("width", "language"), [("desktop", "en"), ("phone", "ar")])
def test_an_editors_morning(browser: Browser, helpline: Helpline, tmp_path: Path, width: str, language: str) -> None:
    room = Room(browser, helpline)
    name = f"{width}{language}"
    ada = room.operator(employ(helpline, f"ada{name}", Role.ADMINISTRATOR))
    editor = employ(helpline, f"nora{name}", Role.EDITOR, language=language)
    nora = room.operator(editor, width)
    assert nora.page.url.endswith("/console/entries")
    expect(nora.page.locator("#main")).to_contain_text(words("entries_none", language))

    ada.page.goto(f"{helpline.url}/console/accounts/{editor.id}/organizations?words=Porto")
    ada.page.locator("button[value=give]").first.click()
    expect(ada.page.locator("button[value=take]")).to_have_count(1)

    nora.page.goto(f"{helpline.url}/console/entries")
    nora.page.locator("a.button", has_text="").filter(has_text=words("entries_open", language)).first.click()
    nora.page.wait_for_url(f"**/console/entries/{service(helpline)}")
    fits = "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    assert nora.page.evaluate(fits), "nothing reaches beyond the screen"
    assert nora.page.evaluate("document.documentElement.dir") == ("rtl" if language == "ar" else "ltr")
    nora.page.locator("[name=alert]").fill(f"Moved {name}")
    nora.page.locator("[name=hours]").fill("whenever")
    nora.page.locator("button[value=propose]").click()
    expect(nora.page.locator("#wrong-hours")).to_have_text(words("wrong_unknown_hours", language))
    nora.page.locator("[name=hours]").fill("Mo-Fr 09:00-17:00")
    nora.page.locator("button[value=preview]").click()
    expect(nora.page.locator(".entry-text").first).to_contain_text(f"Moved {name}")
    assert "Via Segreta" not in nora.page.locator("section.panel").inner_text()
    assert nora.page.locator("input[value='Via Segreta 5']").count() == 1, "her own organisation's address is there"
    nora.page.locator("button[value=propose]").click()
    expect(nora.page.locator(".done")).to_have_text(words("entry_done_proposed", language))

    vera = room.operator(employ(helpline, f"vera{name}", Role.SUPERVISOR))
    vera.page.goto(f"{helpline.url}/console/proposals")
    vera.page.locator("ul.list a.button").last.click()
    expect(vera.page.locator("table.cards")).to_contain_text(f"Moved {name}")
    vera.page.locator("button[value=approve]").click()
    expect(vera.page.locator(".done")).to_have_text(words("entry_done_approved"))

    nora.page.goto(f"{helpline.url}/console/entries/{service(helpline)}/history")
    expect(nora.page.locator("#main")).to_contain_text(f"Moved {name}")
    person = room.person()
    person.says("I am in Italy")
    person.says("I need a safe place to sleep")
    assert f"Moved {name}" in person.text
    assert re.search(r"\+39 06 1234 5678", person.text)
    assert "Segreta" not in person.text


def test_the_pages_hold_in_every_width_and_direction(browser: Browser, helpline: Helpline) -> None:
    room = Room(browser, helpline)
    for language, width in (("en", "phone"), ("ar", "desktop"), ("vi", "phone")):
        operator = room.operator(employ(helpline, f"sue{language}{width}", Role.SUPERVISOR, language=language), width)
        for path in ("entries", f"entries/{service(helpline)}", "proposals", "review", "round", "health", "import"):
            operator.page.goto(f"{helpline.url}/console/{path}")
            assert operator.page.evaluate(
                "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"
            ), (path, width, language)


def test_a_file_is_looked_at_by_one_and_imported_by_another(browser: Browser, helpline: Helpline) -> None:
    room = Room(browser, helpline)
    ina = room.operator(employ(helpline, "ina", Role.SUPERVISOR), "phone")
    olga = room.operator(employ(helpline, "olga", Role.SUPERVISOR))
    sheet = "Wer;Was;Telefonnr.;Land\nBrücke;Obdach;+49 30 1234567;Deutschland\n"
    ina.page.goto(f"{helpline.url}/console/import")
    file = {"name": "berlin.csv", "mimeType": "text/csv", "buffer": sheet.encode()}
    ina.page.locator("input[type=file]").set_input_files(file)  # type: ignore[arg-type]
    ina.page.locator("main form button.primary").click()
    expect(ina.page.locator(".problem")).to_have_text(words("import_errors"))
    fits = "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    assert ina.page.evaluate(fits), "nothing reaches beyond the screen"
    for column, field in enumerate(("organization", "service", "phone", "country")):
        ina.page.locator(f"[name=column_{column}]").select_option(field)
    ina.page.get_by_role("button", name=words("import_read_again")).click()
    expect(ina.page.locator("#main")).to_contain_text("Obdach")
    expect(ina.page.locator("#main")).to_contain_text(words("import_other_person"))

    olga.page.goto(f"{helpline.url}/console/import")
    olga.page.locator("ul.list a.button").click()
    expect(olga.page.locator(".entry-text").first).to_contain_text("+49 30 1234567")
    olga.page.locator("button[value=apply]").click()
    expect(olga.page.locator(".done")).to_have_text(words("import_done_applied"))
    expect(olga.page.locator(".empty")).to_have_text(words("import_none"))
    engine = create_engine(f"sqlite:///{helpline.data / 'helpline.db'}")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM service WHERE name = 'Obdach'")).scalar() == 1
    engine.dispose()


def test_no_word_of_it_is_logged_and_what_is_closed_is_in_no_file(helpline: Helpline) -> None:
    """After all tests of this file, at the most verbose level."""
    logged = helpline.stdout.read_text() + helpline.stderr.read_text()
    for word in ("Moved", "Segreta", "Casa", "Porto Sicuro", "Obdach", "berlin.csv", "+39 06 1234"):
        assert word not in logged, word
    files = [file for file in helpline.data.rglob("*") if file.is_file()]
    assert len(files) > 2
    for file in files:
        assert b"Segreta" not in file.read_bytes(), file.name
