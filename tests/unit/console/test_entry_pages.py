"""bot/console/entry_pages: an editor's form, a second person's approval, and what neither may."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.directory.search import Directory, Wanted
from bot.staff.accounts import Role
from tests.unit.console.desk_support import Room
from tests.unit.console.support import CATALOGUE, Answer, Browser
from tests.unit.directory.rows import ORGANIZATION, SERVICE, enter, small


def words(name: str, language: str = "en") -> str:
    return CATALOGUE.text(f"utter_console_{name}", language)


class Office(Room):
    """A room whose directory has one service, kept by two editors."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        enter(self.engine, small())
        self.ana, self.ben = (self.editor(name) for name in ("ana", "ben"))

    def editor(self, name: str, given: bool = True, language: str = "en") -> Browser:
        person = self.hire(name, Role.EDITOR, language=language)
        browser, session = self.log_in(person)
        if given:
            self.console.editing.assign(session.operator.id, [ORGANIZATION], session.operator.id)
        return browser


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path)
    yield office
    office.close()


def fields_of(page: Answer) -> dict[str, str]:
    """The entry's form as a browser sends it."""
    form = page.body[page.body.index('<form class="form entry-form"') :]
    found = {}
    for tag in re.findall(r"<input [^>]*>", form):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and ('type="checkbox"' not in tag or " checked" in tag):
            found[html.unescape(name[1])] = html.unescape(value[1]) if value else ""
    for name, text in re.findall(r'<textarea name="([^"]*)"[^>]*>(.*?)</textarea>', form, re.DOTALL):
        found[name] = html.unescape(text)
    for name, options in re.findall(r'<select name="([^"]*)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'<option(?: value="([^"]*)")? selected>([^<]*)', options)
        first = re.search(r'<option(?: value="([^"]*)")?>([^<]*)', options)
        match = chosen or first
        assert match
        found[name] = html.unescape(match[1] if match[1] is not None else match[2])
    return found


def opened(browser: Browser) -> dict[str, str]:
    page = browser.get(f"/console/entries/{SERVICE}")
    assert page.status == 200
    return fields_of(page)


def proposed(browser: Browser, **changes: str) -> Answer:
    return browser.post(f"/console/entries/{SERVICE}", opened(browser) | changes | {"do": "propose"})


def waiting(browser: Browser) -> str:
    match = re.search(r"/console/proposals/([0-9a-f]{32})", browser.get("/console/proposals").body)
    assert match
    return match[1]


def shown(office: Office) -> str:
    return Directory(office.engine).services(Wanted("IT"))[0].name


def test_a_change_is_proposed_seen_by_a_colleague_and_approved(office: Office) -> None:
    assert "Porto Sicuro" in office.ana.get("/console/entries").body
    answer = proposed(office.ana, name="Casa", note="They moved")
    assert (answer.status, answer.location) == (303, "/console/entries?done=proposed")
    assert shown(office) == "service"
    key_ = waiting(office.ben)
    own = office.ana.get(f"/console/proposals/{key_}")
    assert words("proposal_own") in own.body
    assert 'value="approve"' not in own.body
    page = office.ben.get(f"/console/proposals/{key_}")
    for text in ("They moved", "service · name", "<del><bdi>service</bdi></del>", "<ins><bdi>Casa</bdi></ins>"):
        assert text in page.body
    assert office.ana.post(f"/console/proposals/{key_}", {"do": "approve"}).status == 404
    assert office.ben.post(f"/console/proposals/{key_}", {"do": "approve"}).status == 303
    assert shown(office) == "Casa"
    history = office.ana.get(f"/console/entries/{SERVICE}/history")
    assert "Casa" in history.body
    assert (
        office.ana.post(
            f"/console/entries/{SERVICE}/undo", {"n": re.findall(r'name="n" value="(\d+)"', history.body)[0]}
        ).status
        == 303
    )
    office.ben.post(f"/console/proposals/{waiting(office.ben)}", {"do": "approve"})
    assert shown(office) == "service"


def test_the_preview_is_what_a_person_sees_in_each_language_before_anything_is_sent(office: Office) -> None:
    form = opened(office.ana) | {"name": "Casa", "name.ar": "بيت", "fact_anonymous": "yes", "do": "preview"}
    page = office.ana.post(f"/console/entries/{SERVICE}", form)
    assert page.status == 200
    text = html.unescape(re.sub(r"<[^>]+>", "", page.body))
    assert CATALOGUE.text("utter_entry_anonymous", "en") in text
    assert CATALOGUE.text("utter_entry_anonymous", "fr") in text
    assert "بيت" in text
    assert "tel:+390612345678" in page.body
    assert fields_of(page)["name"] == "Casa"
    assert words("proposals_none") in office.ben.get("/console/proposals").body


def test_a_mistake_is_told_beside_its_field_and_what_was_typed_is_kept(office: Office) -> None:
    page = proposed(office.ana, hours="whenever", name="Casa")
    assert page.status == 409
    assert words("wrong_unknown_hours") in html.unescape(page.body)
    assert 'aria-describedby="wrong-hours"' in page.body
    form = fields_of(page)
    assert (form["hours"], form["name"]) == ("whenever", "Casa")
    assert shown(office) == "service"


def test_a_confidential_address_is_in_no_preview_and_not_on_the_pages_of_others(office: Office) -> None:
    new = {"address_new0_address_1": "CANARYSTREET 1", "address_new0_city": "Roma", "address_new0_tier": "confidential"}
    proposed(office.ana, **new)
    office.ben.post(f"/console/proposals/{waiting(office.ben)}", {"do": "approve"})
    page = office.ana.get(f"/console/entries/{SERVICE}")
    assert page.body.count("CANARYSTREET") == 2, "in its field, and in the form as it was sent out"
    assert "CANARYSTREET" not in page.body[page.body.index('id="preview"') :]
    operator, _ = office.operator("otto")
    for path in ("/console/directory", f"/console/entries/{SERVICE}"):
        assert "CANARYSTREET" not in operator.get(path, "country=IT").body


def test_who_left_the_page_open_overwrites_nobody(office: Office) -> None:
    old = opened(office.ana)
    proposed(office.ben, name="Casa")
    supervisor, _ = office.log_in(office.hire("sue", Role.SUPERVISOR))
    supervisor.post(f"/console/proposals/{waiting(supervisor)}", {"do": "approve"})
    answer = office.ana.post(f"/console/entries/{SERVICE}", old | {"alert": "Moved", "do": "propose"})
    assert answer.status == 303
    supervisor.post(f"/console/proposals/{waiting(supervisor)}", {"do": "approve"})
    assert shown(office) == "Casa"
    answer = office.ana.post(f"/console/entries/{SERVICE}", old | {"name": "Haus", "do": "propose"})
    assert answer.status == 409
    assert words("wrong_changed_meanwhile") in html.unescape(answer.body)


def test_a_new_service_and_one_click(office: Office) -> None:
    page = office.ana.post("/console/entries", {"organization": ORGANIZATION, "name": "Linea"})
    assert page.status == 200
    form = fields_of(page) | {
        "countries": "Italia",
        "kind": "labour",
        "phone_new0_number": "800 290 290",
        "do": "propose",
    }
    assert office.ana.post("/console/entries/new", form).status == 303
    office.ben.post(f"/console/proposals/{waiting(office.ben)}", {"do": "approve"})
    assert Directory(office.engine).find(words="linea")[1] == 1
    assert office.ana.post(f"/console/entries/{SERVICE}/quick", {"do": "full"}).status == 303
    office.ben.post(f"/console/proposals/{waiting(office.ben)}", {"do": "approve"})
    found = Directory(office.engine).get(SERVICE)
    assert found
    assert found.facts["full_until"]
    assert office.ana.post(f"/console/entries/{SERVICE}/quick", {"do": "archive"}).status == 303
    office.ben.post(f"/console/proposals/{waiting(office.ben)}", {"do": "approve"})
    assert Directory(office.engine).get(SERVICE) is None


def test_an_editor_of_nothing_and_other_roles_find_nothing(office: Office) -> None:
    eve = office.editor("zoe", given=False)
    operator, _ = office.operator("otto")
    proposed(office.ana, name="Casa")
    key_ = waiting(office.ana)
    for browser, status in ((eve, 404), (operator, 403)):
        for path in (
            f"/console/entries/{SERVICE}",
            f"/console/entries/{SERVICE}/history",
            f"/console/proposals/{key_}",
        ):
            assert browser.get(path).status == status, path
        for path, fields in (
            (f"/console/entries/{SERVICE}", {"do": "propose", "name": "x"}),
            (f"/console/entries/{SERVICE}/quick", {"do": "archive"}),
            (f"/console/entries/{SERVICE}/undo", {"n": "1"}),
            (f"/console/proposals/{key_}", {"do": "approve"}),
            ("/console/entries", {"organization": ORGANIZATION, "name": "x"}),
        ):
            assert browser.post(path, fields).status == status, path
    assert "service" not in re.sub(
        r"<[^>]+>", "", eve.get("/console/entries").body.partition("<main")[2].partition("<ul")[2]
    )


def test_an_administrator_gives_and_takes_organisations(office: Office) -> None:
    administrator, _ = office.log_in(office.hire("ada", Role.ADMINISTRATOR))
    eve_person = office.hire("zoe", Role.EDITOR)
    eve, session = office.log_in(eve_person)
    path = f"/console/accounts/{session.operator.id}/organizations"
    assert "Porto Sicuro" in administrator.get(path).body
    assert administrator.post(path, {"organization": ORGANIZATION, "do": "give"}).status == 303
    assert eve.get(f"/console/entries/{SERVICE}").status == 200
    administrator.post(path, {"organization": ORGANIZATION, "do": "take"})
    assert eve.get(f"/console/entries/{SERVICE}").status == 404


def test_in_arabic_the_page_is_mirrored(office: Office) -> None:
    person = office.hire("amal", Role.EDITOR, language="ar")
    browser, session = office.log_in(person)
    office.console.editing.assign(session.operator.id, [ORGANIZATION], session.operator.id)
    assert '<html lang="ar" dir="rtl">' in browser.get(f"/console/entries/{SERVICE}").body


def test_an_organisations_own_fields_are_proposed_approved_and_taken_back(office: Office) -> None:
    page = office.ana.get("/console/organizations")
    assert f"/console/organizations/{ORGANIZATION}" in page.body
    address = f"/console/organizations/{ORGANIZATION}"
    fields = fields_of(office.ana.get(address))
    fields |= {"name": "Porto Nuovo", "website": "example.org", "phone_new_number": "+39 06 111 2222"}
    done = office.ana.post(address, fields)
    assert (done.status, done.location) == (303, "/console/entries?done=proposed")
    (link,) = re.findall(r'href="(/console/proposals/\w+)"', office.ben.get("/console/proposals").body)
    proposal = office.ben.get(link).body
    assert "Porto Nuovo" in proposal
    assert "+39 06 111 2222" in proposal
    office.ben.post(link, {"do": "approve"})
    assert "Porto Nuovo" in office.ana.get(address).body
    history = office.ana.get(f"{address}/history").body
    assert "https://example.org" in history
    number = re.findall(r'name="n" value="(\d+)"', history)[0]
    assert office.ana.post(f"{address}/undo", {"n": number}).location == "/console/entries?done=proposed"


def test_an_organisations_form_with_mistakes_says_which(office: Office) -> None:
    address = f"/console/organizations/{ORGANIZATION}"
    fields = fields_of(office.ana.get(address)) | {"name": "", "email": "nobody", "phone_new_number": "x"}
    page = office.ana.post(address, fields)
    assert page.status == 409
    for problem in ("wrong_required", "wrong_not_email", "wrong_unknown_phone"):
        assert words(problem) in page.body


def test_nobody_edits_an_organisation_of_others(office: Office) -> None:
    eve = office.editor("mallory", given=False)
    for path in ("", "/history"):
        assert eve.get(f"/console/organizations/{ORGANIZATION}{path}").status == 404
    assert eve.post(f"/console/organizations/{ORGANIZATION}", {"name": "Mine"}).status == 404


def test_prices_access_and_monthly_hours_are_kept_and_told(office: Office) -> None:
    office.console.editing.four_eyes = False
    address = f"/console/entries/{SERVICE}"
    fields = fields_of(office.ana.get(address))
    place = next(name for name in fields if name.startswith("address_") and name.endswith("_access"))
    fields |= {place: "A ramp at the back", "hours": "1st MO 10:00-12:00", "fact_timezone": "Europe/Rome"}
    fields |= {"cost_new0_option": "Course", "cost_new0_amount": "5", "cost_new0_currency": "EUR"}
    fields |= {"minimum_age": "18", "fact_nationality": "UA, MD", "do": "propose"}
    assert office.ana.post(address, fields).status == 303
    page = html.unescape(office.ana.get(address).body)
    for said in ("A ramp at the back", "1st MO 10:00-12:00", "Course 5 EUR", "aged 18 and over", "Ukraine, Moldova"):
        assert said in page
    unchanged = office.ana.post(address, fields_of(office.ana.get(address)) | {"do": "propose"})
    assert unchanged.location.endswith("done=unchanged")


def test_the_desk_sees_what_is_for_staff_and_nobody_else_does(office: Office) -> None:
    office.console.editing.four_eyes = False
    address = f"/console/entries/{SERVICE}"
    fields = fields_of(office.ana.get(address))
    fields |= {"phone_new0_number": "+39 06 111 2222", "phone_new0_tier": "staff"}
    fields |= {"phone_new1_number": "+39 06 333 4444", "phone_new1_tier": "confidential", "do": "propose"}
    assert office.ana.post(address, fields).status == 303
    otto = office.log_in(office.hire("otto", Role.OPERATOR))[0]
    found = otto.get("/console/directory", "country=IT").body
    assert f'href="/console/directory/{SERVICE}"' in found
    assert "111 2222" not in found
    page = otto.get(f"/console/directory/{SERVICE}").body
    assert "+39 06 111 2222" in page
    assert "333 4444" not in page
    for role in (Role.EDITOR, Role.ADMINISTRATOR):
        other = office.log_in(office.hire(role.value, role))[0]
        assert other.get(f"/console/directory/{SERVICE}").status in (403, 404)
        assert SERVICE not in other.get("/console/directory", "country=IT").body
    assert otto.get("/console/directory/nothing").status == 404
