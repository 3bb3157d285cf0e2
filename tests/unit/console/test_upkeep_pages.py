"""The review list, the call round and the coverage page, as a browser sees them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from bot.directory.models import EditorOrganization, Service
from bot.directory.search import Directory
from bot.staff.accounts import Role
from tests.unit.console.support import Browser, Office
from tests.unit.directory.rows import ORGANIZATION, add_service, enter, key, small

TODAY = datetime.now(timezone.utc).date()


def ago(days: int) -> str:
    return (TODAY - timedelta(days=days)).isoformat()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Office]:
    """An office whose directory has an entry of every age, of two organisations."""
    office = Office(tmp_path)
    office.console.directory = Directory(office.engine)
    bundle = small()
    bundle["service"][key("service")]["assured_date"] = ago(1)
    bundle.add("organization", {"id": key("other"), "name": "Other House", "description": "x"})
    for number, (name, days) in enumerate((("due entry", 95), ("warned entry", 130), ("hidden entry", 300))):
        add_service(bundle, name, needs=("need_legal",), assured_date=ago(days), facts={"checked": ago(days)})
        bundle["phone"][key(name, "phone")]["number"] = f"+39 06 1111 {number}000"
    foreign = add_service(bundle, "foreign entry", country="FR", assured_date=ago(95))
    bundle["service"][foreign]["organization_id"] = key("other")
    bundle["phone"][key("foreign entry", "phone")]["number"] = "+33 1 23 45 67 89"
    enter(office.engine, bundle)
    yield office
    office.close()


def staff(office: Office, role: Role, login: str = "") -> Browser:
    person = office.hire(login or role.value, role)
    if role is Role.EDITOR:
        with office.engine.begin() as connection:
            mine = {"operator_id": person.operator.id, "organization_id": ORGANIZATION}
            connection.execute(insert(EditorOrganization).values(**mine))
    return office.log_in(person)[0]


def assured(office: Office, name: str) -> str | None:
    with office.engine.connect() as connection:
        return connection.scalar(select(Service.assured_date).where(Service.id == key(name)))


def test_an_editor_sees_and_confirms_only_what_is_of_her_organisation(desk: Office) -> None:
    editor = staff(desk, Role.EDITOR)
    body = editor.get("/console/review").body
    assert "due entry" in body
    assert "foreign entry" not in body
    assert "warned entry" in editor.get("/console/review", "state=warned").body
    assert "hidden entry" in editor.get("/console/review", "state=hidden").body
    done = editor.post(f"/console/review/{key('due entry')}")
    assert (done.status, done.location) == (303, "/console/review?done=confirmed")
    assert assured(desk, "due entry") == TODAY.isoformat()
    assert editor.post(f"/console/review/{key('foreign entry')}").status == 404
    assert assured(desk, "foreign entry") == ago(95)
    assert editor.post("/console/review/nothing").status == 404


def test_a_supervisor_sees_all(desk: Office) -> None:
    body = staff(desk, Role.SUPERVISOR).get("/console/review", "state=due").body
    assert "due entry" in body
    assert "foreign entry" in body
    assert "Other House" in body


def number_of(body: str) -> str:
    found = re.search(r'href="tel:([^"]+)"', body)
    assert found, body
    return found[1]


def phone_of(body: str) -> str:
    found = re.search(r'action="/console/round/([^"]+)"', body)
    assert found
    return found[1]


def test_the_round_gives_each_volunteer_another_number_oldest_first(desk: Office) -> None:
    ann, bob = staff(desk, Role.OPERATOR, "ann"), staff(desk, Role.EDITOR, "bob")
    first = ann.get("/console/round").body
    second = bob.get("/console/round").body
    assert "hidden entry" in first
    assert "warned entry" in second
    assert number_of(first) == "+390611112000"
    assert number_of(ann.get("/console/round").body) == number_of(first)
    assert "4 entries wait" in first
    refused = bob.post(f"/console/round/{phone_of(first)}", {"outcome": "right"})
    assert refused.status == 409
    assert ann.post(f"/console/round/{phone_of(first)}", {"outcome": "fine"}).status == 400
    done = ann.post(f"/console/round/{phone_of(first)}", {"outcome": "right"})
    assert done.location == "/console/round?done=confirmed"
    assert assured(desk, "hidden entry") == TODAY.isoformat()
    assert "3 entries wait" in ann.get("/console/round").body


def test_a_wrong_number_is_in_the_list_of_its_editors_until_they_confirm(desk: Office) -> None:
    ann, editor = staff(desk, Role.OPERATOR, "ann"), staff(desk, Role.EDITOR)
    ann.post(f"/console/round/{phone_of(ann.get('/console/round').body)}", {"outcome": "wrong"})
    body = editor.get("/console/review").body
    assert "hidden entry" in body
    assert "Wrong number" in body
    assert "shown with a warning" not in body.partition("<ul")[2]
    editor.post(f"/console/review/{key('hidden entry')}")
    assert "hidden entry" not in editor.get("/console/review", "state=flagged").body


def test_coverage_says_every_number_in_words_and_leads_to_the_entries(desk: Office) -> None:
    volunteer = staff(desk, Role.OPERATOR)
    body = volunteer.get("/console/health").body
    assert 'class="gap">none</td>' in body
    assert "2, 1 sure" in body
    assert "/console/directory?country=IT&amp;need=need_legal" in body
    europe = volunteer.get("/console/health", "region=council_of_europe").body
    assert "Armenia" in europe
    assert "Armenia" not in volunteer.get("/console/health", "region=elsewhere&language=xx").body
    assert re.findall(r"<td[^>]*>\s*</td>", body) == []


def test_the_matrix_can_be_taken_along(desk: Office) -> None:
    answer = staff(desk, Role.OPERATOR).get("/console/health/csv")
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.body.lstrip("\ufeff"))))
    italy = next(row for row in rows if row["country"] == "IT")
    assert (italy["services"], italy["need_legal"], italy["need_shelter"], italy["stale"]) == ("4", "2", "1", "2")


def test_a_page_in_a_language_that_is_written_to_the_left(desk: Office) -> None:
    person = desk.hire("arab", Role.SUPERVISOR, language="ar")
    browser = desk.log_in(person)[0]
    for path in ("/console/review", "/console/round", "/console/health"):
        answer = browser.get(path)
        assert answer.status == 200
        assert 'dir="rtl"' in answer.body
