"""What a review found, held: each of these was wrong once."""

from __future__ import annotations

import time
from datetime import datetime, timezone

import pytest
from sqlalchemy import Engine, select, update

from bot.directory import restricted
from bot.directory.ages import Ages
from bot.directory.changes import Author
from bot.directory.editing import Editing, NotAllowed
from bot.directory.exchange import columns, imports
from bot.directory.exchange.reading import read
from bot.directory.hours import Hours, opening, zone_of
from bot.directory.models import Phone, Service
from bot.directory.records import Bundle
from bot.staff.accounts import Accounts, Role
from bot.staff.audit import Audit
from tests.unit.directory.rows import VAULT

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
    from bot.directory.fulltext import find

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
