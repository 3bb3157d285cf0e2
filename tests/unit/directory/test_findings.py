"""What a review found, held: each of these was wrong once."""

from __future__ import annotations

import json
import time
from datetime import datetime, timezone

import pytest
from sqlalchemy import Engine, select, update

from bot.directory import restricted
from bot.directory.ages import Ages
from bot.directory.changes import Author, Edit, apply
from bot.directory.editing import Editing, NotAllowed
from bot.directory.exchange import columns, imports
from bot.directory.exchange.reading import read
from bot.directory.fulltext import find
from bot.directory.hours import Hours, opening, zone_of
from bot.directory.models import Phone, Service, ServiceEntry
from bot.directory.read import countries_of
from bot.directory.records import Bundle, load
from bot.staff.accounts import Accounts, Role
from bot.staff.audit import Audit
from tests.unit.directory.rows import VAULT
from tests.unit.directory.test_editing import SUE

SHEET = b"Organisation,Service,Phone,Country,Staff phone\nHouse,Advice,+39 06 999 9999,Italy,+39 06 765 4321\n"


def bring_in(engine: Engine, data: bytes = SHEET) -> imports.Plan:
    bundle, _, _ = read(data, "ours")
    with engine.begin() as connection:
        made = imports.plan(connection, "ours", bundle, vault=VAULT)
        imports.apply(connection, VAULT, made, bundle, Author("import:ours"))
    return made


def test_a_number_that_was_taken_out_stays_out_when_the_same_file_comes_again(engine: Engine) -> None:
    bring_in(engine)
    with engine.begin() as connection:
        connection.execute(update(Phone).values(archived_at=int(time.time())))
    assert bring_in(engine).empty
    with engine.connect() as connection:
        assert connection.scalars(select(Phone.id).where(Phone.archived_at.is_(None))).all() == []


def test_what_the_file_lacked_comes_back_with_the_file(engine: Engine) -> None:
    bring_in(engine)
    bring_in(engine, SHEET.replace(b"Advice", b"Shelter"))
    bring_in(engine)
    with engine.connect() as connection:
        assert connection.scalars(select(Service.name).where(Service.archived_at.is_(None))).all() == ["Advice"]


def test_a_staff_telephone_is_in_no_search_even_where_everything_is_new(engine: Engine) -> None:
    bring_in(engine)
    with engine.connect() as connection:
        assert find(connection, "Advice", 10)
        assert find(connection, "+39067654321", 10) == []


def test_nobody_takes_over_an_id_that_exists(engine: Engine) -> None:
    bring_in(engine)
    audit = Audit(engine, VAULT)
    editing = Editing(engine, VAULT, audit, Ages(), four_eyes=False)
    accounts = Accounts(engine, VAULT, audit)
    accounts.add("vera", Role.SUPERVISOR, "north", "Vera", "en")
    operator = next(each for each in accounts.all() if each.login == "vera")
    with engine.begin() as connection:
        row = connection.execute(select(Service.id, Service.organization_id)).one()
        connection.execute(update(Service).values(archived_at=int(time.time())))
    before, _ = editing.new_service(operator, row.organization_id, "Mine")
    after = Bundle()
    after.add("service", {"id": row.id, "organization_id": row.organization_id, "name": "Mine", "status": "active"})
    assert len(before)
    with pytest.raises(NotAllowed):
        editing.propose(operator, row.id, Bundle(), after)


@pytest.mark.parametrize(
    ("country", "zone"), [("IT", "Europe/Rome"), ("DE", "Europe/Berlin"), ("US", None), (None, None)]
)
def test_hours_are_read_in_the_countrys_zone_where_it_has_one(country: str | None, zone: str | None) -> None:
    assert zone_of(country) == zone


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("Mo-Fr 24h", None),
        ("Mo-Fr 9-17, Sa 24/7", None),
        ("24/7", (("MO,TU,WE,TH,FR,SA,SU", "00:00", "24:00"),)),
        ("Mo 1-5pm", (("MO", "13:00", "17:00"),)),
        ("Mo 9-5", None),
        ("Fr 20:00-02:00", (("FR", "20:00", "02:00"),)),
    ],
)
def test_hours_that_are_not_clear_are_asked_for(text: str, hours: object) -> None:
    assert columns.hours(text) == hours


@pytest.mark.parametrize("interval", [0, -1])
def test_a_rule_without_an_end_ends(interval: int) -> None:
    rule = Hours(byday="MO", opens_at="09:00", closes_at="17:00", interval=interval, timezone="Europe/Rome")
    assert opening([rule], datetime(2026, 11, 26, 10, tzinfo=timezone.utc)) is None


def test_the_same_file_leaves_what_was_closed_here_as_it_is(engine: Engine) -> None:
    bring_in(engine)
    with engine.begin() as connection:
        service = str(connection.scalar(select(Service.id)))
        row = next(each for each in restricted.of(connection, VAULT, services=[service]) if each.entity == "phone")
        edited = restricted.Restricted("phone", "confidential", row.row | {"number": "+39 06 111 2222"})
        restricted.put(connection, VAULT, edited, None, service)
    assert bring_in(engine).kept
    with engine.connect() as connection:
        assert restricted.get(connection, VAULT, row.row["id"]) == edited


def test_what_a_file_says_below_a_closed_row_is_as_closed(engine: Engine) -> None:
    bring_in(engine)
    with engine.begin() as connection:
        key = str(connection.scalar(select(Service.id)))
        row = load(connection, services=[key])["service"][key]
        apply(connection, VAULT, [Edit("service", key, row, row, "public", "confidential")], Author("0" * 16))
    later = SHEET.replace(b"Phone,", b"Phone,SMS,", 1).replace(b"+39 06 999 9999,", b"+39 06 999 9999,+39 333 1234567,")
    made = bring_in(engine, later)
    assert [each.entity for each in made.closed] == ["phone"]
    with engine.connect() as connection:
        assert connection.scalars(select(Phone.id)).all() == []


@pytest.mark.parametrize("bad", ["\\ud800", "\\u0000"])
def test_what_no_database_keeps_is_an_error_of_the_file(bad: str) -> None:
    row = '{"id": "0b6e6b2a-4f7e-4a3c-9d5e-0c1f2a3b4c5d", "name": "a", "description": "x"}'.replace('"a"', f'"a{bad}"')
    assert [problem.name for problem in read(row.encode(), "file")[1]] == ["not_text"]


def test_any_gender_in_a_file_is_stored(engine: Engine) -> None:
    for told, kept in (
        ("Women only", "women"),
        ("hommes", "men"),
        ("women, men", None),
        ("people of every gender", None),
    ):
        sheet = f"Organisation,Service,Country,Gender\nHouse,Advice,Italy,{told.replace(',', ';')}\n".encode()
        bring_in(engine, sheet)
        with engine.connect() as connection:
            assert connection.scalar(select(ServiceEntry.gender)) == kept


def test_a_service_that_nobody_would_find_is_told_or_gets_the_country_that_was_named() -> None:
    rows = {
        "id": "0b6e6b2a-4f7e-4a3c-9d5e-0c1f2a3b4c5d", "name": "Advice", "status": "active",
        "organization": {"id": "1b6e6b2a-4f7e-4a3c-9d5e-0c1f2a3b4c5d", "name": "House", "description": "x"},
    }  # fmt: skip
    data = json.dumps(rows).encode()
    assert [problem.name for problem in read(data, "file")[1]] == ["shown_nowhere"]
    bundle, problems, _ = read(data, "file", "IT")
    assert problems == []
    assert countries_of(bundle, str(rows["id"])) == ("IT",)


def test_a_file_that_lacks_personal_data_takes_none_away(engine: Engine) -> None:
    first = SHEET.replace(b"Staff phone", b"Verifier email").replace(b"+39 06 765 4321", b"ada@example.org")
    bring_in(engine, first)
    bring_in(engine, first.replace(b",Verifier email", b"").replace(b",ada@example.org", b""))
    with engine.connect() as connection:
        assert connection.scalar(select(Service.assurer_email)) == "ada@example.org"


def test_an_import_stands_in_the_entrys_history_and_can_be_undone(engine: Engine) -> None:
    bring_in(engine)
    bring_in(engine, SHEET.replace(b"999 9999", b"888 8888"))
    editing = Editing(engine, VAULT, Audit(engine, VAULT), Ages(), four_eyes=False)
    with engine.connect() as connection:
        key = str(connection.scalar(select(Service.id)))
    last, first = editing.history(SUE, key)
    assert [edit.entity for edit in last.edits] == ["phone"]
    assert {edit.tier for edit in first.edits} == {"public", "staff"}
    editing.undo(SUE, key, last.n)
    with engine.connect() as connection:
        assert connection.scalar(select(Phone.number)) == "+39 06 999 9999"


def test_a_place_that_a_file_changes_is_found_anew(engine: Engine) -> None:
    sheet = b"Organisation,Service,Country,City,Address\nHouse,Advice,Italy,Roma,Via Roma 1\n"
    bring_in(engine, sheet)
    bring_in(engine, sheet.replace(b"Roma,", b"Milano,", 1))
    with engine.connect() as connection:
        assert find(connection, "milano", 10)
        assert not find(connection, "roma", 10)


@pytest.mark.parametrize(("name", "asked"), [("हिन्दी सहायता", "सहाय"), ("বাংলা আশ্রয়", "আশ্রয়"), ("தமிழ் உதவி", "உதவி")])
def test_words_of_indian_scripts_are_whole_words(engine: Engine, name: str, asked: str) -> None:
    bring_in(engine, f"Organisation,Service,Country\nHouse,{name},Italy\n".encode())
    with engine.connect() as connection:
        assert find(connection, asked, 10)
        assert not find(connection, asked[:1] + "ा" + asked[1:], 10)
