"""bot/directory/changes: whole or not at all, nobody's change lost, everything undone, closed rows really gone."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select, text

from bot.directory import restricted
from bot.directory.changes import Conflicts, Edit, apply, edits_between, edits_of, undo
from bot.directory.models import Change
from bot.directory.records import Bundle, load
from bot.directory.search import Directory, Wanted
from bot.store.database import connect, forget_deleted
from bot.store.migrate import migrate
from tests.unit.directory.rows import ORGANIZATION, SERVICE, SOMEBODY, VAULT, add_service, enter, key, small


@pytest.fixture
def filled(engine: Engine) -> Engine:
    enter(engine, small())
    return engine


def read(engine: Engine) -> Bundle:
    with engine.connect() as connection:
        bundle = load(connection, services=[SERVICE], organizations=[ORGANIZATION])
        return restricted.add_to(bundle, restricted.of(connection, VAULT, [ORGANIZATION], [SERVICE]), "confidential")


def change(bundle: Bundle, entity: str, row: str, **values: Any) -> list[Edit]:
    after = copy.deepcopy(bundle)
    after.add(entity, after[entity][row] | values)
    return edits_between(bundle, after)


def write(engine: Engine, edits: list[Edit]) -> int:
    with engine.begin() as connection:
        return apply(connection, VAULT, edits, SOMEBODY)


def names(engine: Engine) -> list[str]:
    return [service.name for service in Directory(engine).services(Wanted("IT", "need_shelter"))]


def test_what_is_entered_is_found_and_read_back_the_same(filled: Engine) -> None:
    entered = small()
    found = read(filled)
    for entity in ("organization", "service", "phone", "address", "language", "service_area"):
        assert found[entity] == entered[entity]
    assert names(filled) == ["service"]


def test_a_change_is_seen_at_once_by_a_directory_that_is_open(filled: Engine) -> None:
    directory = Directory(filled)
    assert [each.name for each in directory.services(Wanted("IT"))] == ["service"]
    write(filled, change(read(filled), "service", SERVICE, name="Casa"))
    assert [each.name for each in directory.services(Wanted("IT"))] == ["Casa"]
    assert directory.find(words="cas")[1] == 1
    assert directory.find(words="service")[1] == 0
    write(filled, change(read(filled), "service_area", key("service", "area"), extent="FR"))
    assert directory.services(Wanted("IT")) == []
    assert [each.name for each in directory.services(Wanted("FR"))] == ["Casa"]


def test_two_who_change_different_fields_both_count(filled: Engine) -> None:
    seen = read(filled)
    write(filled, change(seen, "service", SERVICE, name="Casa"))
    write(filled, change(seen, "service", SERVICE, description="A safe house"))
    row = read(filled)["service"][SERVICE]
    assert (row["name"], row["description"]) == ("Casa", "A safe house")


def test_two_who_change_the_same_field_are_told_and_nothing_of_the_second_is_written(filled: Engine) -> None:
    seen = read(filled)
    write(filled, change(seen, "service", SERVICE, name="Casa"))
    after = copy.deepcopy(seen)
    after.add("service", after["service"][SERVICE] | {"name": "Rifugio", "description": "new"})
    after.add("phone", {"id": key("second"), "service_id": SERVICE, "number": "112"})
    with pytest.raises(Conflicts) as told:
        write(filled, edits_between(seen, after))
    assert [(each.field, each.current) for each in told.value.conflicts] == [("name", "Casa")]
    row = read(filled)
    assert row["service"][SERVICE]["name"] == "Casa"
    assert "description" not in row["service"][SERVICE]
    assert len(row["phone"]) == 1


def test_a_row_that_was_archived_meanwhile_is_a_conflict(filled: Engine) -> None:
    seen = read(filled)
    phone = key("service", "phone")
    write(filled, [Edit("phone", phone, seen["phone"][phone], None)])
    with pytest.raises(Conflicts):
        write(filled, change(seen, "phone", phone, number="+39 06 0"))
    assert read(filled)["phone"] == {}


def test_archived_is_not_deleted_and_comes_back_when_it_is_undone(filled: Engine) -> None:
    seen = read(filled)
    number = write(filled, [Edit("service", SERVICE, seen["service"][SERVICE], None)])
    assert names(filled) == []
    with filled.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM service")).scalar() == 1
        undo(connection, VAULT, number, SOMEBODY)
    assert names(filled) == ["service"]
    assert read(filled)["service"] == seen["service"]


def test_the_history_says_what_was_and_what_is_and_holds_no_word_in_clear(filled: Engine) -> None:
    number = write(filled, change(read(filled), "service", SERVICE, description="CANARY"))
    with filled.connect() as connection:
        row = connection.execute(select(Change.__table__).where(Change.n == number)).one()
    assert (row.by, row.service_id, row.organization_id) == (SOMEBODY.by, SERVICE, ORGANIZATION)
    assert b"CANARY" not in row.sealed
    (edit,) = edits_of(VAULT, row.by, row.sealed)
    assert edit.fields == ["description"]


def test_an_undo_that_would_take_a_later_change_with_it_is_refused(filled: Engine) -> None:
    first = write(filled, change(read(filled), "service", SERVICE, name="Casa"))
    write(filled, change(read(filled), "service", SERVICE, name="Rifugio"))
    with filled.begin() as connection, pytest.raises(Conflicts):
        undo(connection, VAULT, first, SOMEBODY)
    assert names(filled) == ["Rifugio"]


def test_texts_in_other_languages_are_changed_and_undone(filled: Engine) -> None:
    before = read(filled)
    after = copy.deepcopy(before)
    after.translations[SERVICE, "name", "ar"] = "بيت"
    number = write(filled, edits_between(before, after))
    (service,) = Directory(filled).services(Wanted("IT"))
    assert (service.text("name", "ar"), service.text("name", "fr")) == ("بيت", "service")
    assert Directory(filled).find(words="بيت")[1] == 1
    with filled.begin() as connection:
        undo(connection, VAULT, number, SOMEBODY)
    assert read(filled).translations == {}


@pytest.mark.parametrize("tier", ["staff", "confidential"])
def test_a_location_that_is_closed_takes_all_that_hangs_on_it_out_of_the_public_tables(
    filled: Engine, tmp_path: Path, tier: str
) -> None:
    seen = read(filled)
    address = key("address")
    write(filled, change(seen, "address", address, address_1="CANARYSTREET 7"))
    seen = read(filled)
    location = key("location")
    write(filled, [Edit("location", location, seen["location"][location], seen["location"][location], "public", tier)])
    with filled.connect() as connection:
        public = load(connection, services=[SERVICE], organizations=[ORGANIZATION])
        for table in ("location", "address", "service_at_location"):
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar() == 0
    assert (public["location"], public["address"]) == ({}, {})
    for row in (location, address, key("at")):
        assert read(filled).tier(row) == tier
    forget_deleted(filled)
    filled.dispose()
    if filled.dialect.name != "sqlite":
        return  # a server's files are its administrator's
    on_disk = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert on_disk
    assert b"CANARYSTREET" not in on_disk


def test_what_is_added_to_a_closed_row_is_closed_too(filled: Engine) -> None:
    seen = read(filled)
    location = seen["location"][key("location")]
    write(filled, [Edit("location", location["id"], location, location, "public", "confidential")])
    phone = {"id": key("inside"), "location_id": location["id"], "number": "CANARY"}
    write(filled, [Edit("phone", phone["id"], None, phone)])
    with filled.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM phone WHERE number = 'CANARY'")).scalar() == 0
    assert read(filled).tier(phone["id"]) == "confidential"


def test_what_was_closed_can_be_opened_again_by_hand(filled: Engine) -> None:
    seen = read(filled)
    phone = seen["phone"][key("service", "phone")]
    number = write(filled, [Edit("phone", phone["id"], phone, phone, "public", "staff")])
    (service,) = Directory(filled).services(Wanted("IT"))
    assert service.phones == ()
    with filled.begin() as connection:
        undo(connection, VAULT, number, SOMEBODY)
    (service,) = Directory(filled).services(Wanted("IT"))
    assert [each.number for each in service.phones] == [phone["number"]]


steps = st.lists(
    st.tuples(
        st.sampled_from(["name", "description", "alert", "phone", "drop", "close"]),
        st.text(min_size=1, max_size=8).filter(lambda text: "\x00" not in text and text.isprintable()),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_undoing_everything_from_the_last_to_the_first_leaves_what_was_there(
    tmp_path_factory: pytest.TempPathFactory, done: list[tuple[str, str]]
) -> None:
    engine = connect(f"sqlite:///{tmp_path_factory.mktemp('undo') / 'a.db'}")
    migrate(engine)
    enter(engine, small())
    start = read(engine)
    numbers = []
    for what, value in done:
        now = read(engine)
        if what == "phone":
            after = copy.deepcopy(now)
            after.add("phone", {"id": key("phone", value), "service_id": SERVICE, "number": value})
            edits = edits_between(now, after)
        elif what == "drop" and now["phone"]:
            row = next(iter(now["phone"].values()))
            edits = [Edit("phone", row["id"], row, None, now.tier(row["id"]), now.tier(row["id"]))]
        elif what == "close" and now["location"]:
            row = next(iter(now["location"].values()))
            edits = [Edit("location", row["id"], row, row, now.tier(row["id"]), "confidential")]
        else:
            edits = change(now, "service", SERVICE, **{what if what in ("name", "alert") else "description": value})
        numbers.append(write(engine, edits))
    for number in reversed(numbers):
        with engine.begin() as connection:
            undo(connection, VAULT, number, SOMEBODY)
    end = read(engine)
    assert end.rows == start.rows
    assert end.tiers == start.tiers
    engine.dispose()


def test_a_second_service_of_the_organisation_is_untouched(filled: Engine) -> None:
    more = Bundle()
    add_service(more, "second", languages=("fr",))
    write(filled, edits_between(Bundle(), more))
    write(filled, change(read(filled), "service", SERVICE, name="Casa"))
    assert sorted(each.name for each in Directory(filled).services(Wanted("IT"))) == ["Casa", "second"]
