"""A spreadsheet that was exported, edited and imported again: what was edited changes, and nothing else."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest
from sqlalchemy import Engine, func, select

from bot.directory.changes import Author, apply, edits_between
from bot.directory.exchange import imports, returning
from bot.directory.exchange.exports import export
from bot.directory.exchange.problems import Problem, errors
from bot.directory.exchange.reading import read
from bot.directory.form import from_form
from bot.directory.hsds import ENTITIES
from bot.directory.models import Change, Organization, Phone, Service
from bot.directory.read import referral
from bot.directory.records import Bundle, load
from tests.unit.directory.rows import SERVICE, SOMEBODY, VAULT, add_service, enter, key, small

Edit = Callable[[list[dict[str, str]]], object]


@pytest.fixture
def directory(engine: Engine) -> Engine:
    bundle = small()
    add_service(bundle, "second", languages=("fr",))
    bundle.add("contact", {"id": key("contact"), "service_id": SERVICE, "name": "Ada", "email": "ada@example.org"})
    bundle["service"][SERVICE] |= {"assurer_email": "ada@example.org", "minimum_age": 18.0}
    bundle.translations[SERVICE, "name", "fr"] = "le service"
    enter(engine, bundle)
    return engine


def exported(engine: Engine, form: str = "csv") -> bytes:
    with engine.connect() as connection:
        return export(connection, form)


def sheet(data: bytes, edit: Edit) -> bytes:
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    edit(rows)
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def bring(engine: Engine, data: bytes, theirs: bool = False) -> tuple[imports.Plan, list[Problem]]:
    bundle, found, _ = read(data, "edited")
    assert errors(found) == []
    with engine.begin() as connection:
        edited, more = returning.settle(connection, bundle, "edited", theirs)
        more += imports.check_links(connection, bundle)
        made = imports.plan(connection, "edited", bundle, theirs, vault=VAULT, edited=edited)
        if not errors(more):
            imports.apply(connection, VAULT, made, bundle, Author("import:edited"), edited=edited)
    return made, more


def now(engine: Engine) -> Bundle:
    with engine.connect() as connection:
        return load(connection, services=[SERVICE, key("second")])


def rows(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        return {
            name: connection.scalar(select(func.count()).where(kind.table.c.archived_at.is_(None))) or 0
            for name, kind in ENTITIES.items()
        }


@pytest.mark.parametrize("form", ["csv", "xlsx", "hsds-json", "hsds-tabular", "uk-json"])
def test_an_export_that_comes_back_as_it_was_changes_nothing(directory: Engine, form: str) -> None:
    before, counted = now(directory), rows(directory)
    made, problems = bring(directory, exported(directory, form))
    assert [made.counts()[what] for what in ("added", "changed", "archived", "closed")] == [{}] * 4
    assert errors(problems) == []
    assert rows(directory) == counted
    assert list(now(directory)) == list(before)


def test_what_was_edited_in_the_sheet_is_all_that_changes(directory: Engine) -> None:
    counted = rows(directory)

    def edit(sheet: list[dict[str, str]]) -> None:
        row = next(each for each in sheet if each["id"] == SERVICE)
        row |= {"service": "Casa", "phone": "+39 06 765 4321", "languages": "Arabic, Tigrinya", "city": "Milano"}
        row |= {"service.fr": "La maison", "needs": "need shelter; need legal", "minimum_age": "", "anonymous": "yes"}

    bring(directory, sheet(exported(directory), edit))
    bundle = now(directory)
    service = referral(bundle, SERVICE)
    assert (service.name, service.city, set(service.languages)) == ("Casa", "Milano", {"ar", "ti"})
    assert (service.needs, service.minimum_age) == (("need_shelter", "need_legal"), None)
    assert service.facts["anonymous"] == "yes"
    assert service.text("name", "fr") == "La maison"
    assert [phone.number for phone in service.phones] == ["+39 06 765 4321"]
    assert bundle["service"][SERVICE]["assurer_email"] == "ada@example.org"
    assert bundle["contact"][key("contact")]["name"] == "Ada"
    assert referral(bundle, key("second")).name == "second"
    assert {name: count - counted[name] for name, count in rows(directory).items() if count != counted[name]} == {
        "attribute": 2
    }


def test_the_history_of_the_entry_tells_what_the_sheet_changed(directory: Engine) -> None:
    def edit(sheet: list[dict[str, str]]) -> None:
        next(each for each in sheet if each["id"] == SERVICE)["alert"] = "Closed in August"

    bring(directory, sheet(exported(directory), edit))
    with directory.connect() as connection:
        last = connection.execute(select(Change.by, Change.service_id).order_by(Change.n.desc()).limit(1)).one()
    assert tuple(last) == ("import:edited", SERVICE)


def test_entries_that_were_deleted_from_the_sheet_stay(directory: Engine) -> None:
    data = exported(directory)
    bring(directory, sheet(data, lambda rows: rows[0].update(alert="New")))
    bring(directory, sheet(exported(directory), lambda rows: rows.pop(0)))
    with directory.connect() as connection:
        assert connection.scalar(select(func.count()).where(Service.archived_at.is_(None))) == 2


def test_an_old_sheet_takes_nobodys_later_change_back(directory: Engine) -> None:
    data = exported(directory)
    before = now(directory)
    after, _ = from_form(before, SERVICE, {"name": "Changed here"}, (), "test")
    with directory.begin() as connection:
        apply(connection, VAULT, edits_between(before, after), SOMEBODY)
    old = sheet(data, lambda rows: [row.update(alert="From the sheet") for row in rows])
    _, problems = bring(directory, old)
    assert [problem.name for problem in problems] == ["stays_here"]
    bundle = now(directory)
    assert referral(bundle, SERVICE).name == "Changed here"
    assert referral(bundle, key("second")).alert == "From the sheet"
    bring(directory, old, theirs=True)
    assert referral(now(directory), SERVICE).name == "service"


def test_a_new_row_in_an_exported_sheet_is_a_new_entry(directory: Engine) -> None:
    def edit(sheet: list[dict[str, str]]) -> None:
        sheet.append(
            dict.fromkeys(sheet[0], "") | {"organization": "Porto Sicuro", "service": "Third", "country": "Italy"}
        )

    bring(directory, sheet(exported(directory), edit))
    with directory.connect() as connection:
        assert connection.scalar(select(Service.name).where(Service.name == "Third")) == "Third"


def test_a_number_taken_out_of_the_sheet_is_archived(directory: Engine) -> None:
    bring(directory, sheet(exported(directory), lambda rows: [row.update(phone="") for row in rows]))
    with directory.connect() as connection:
        assert connection.scalars(select(Phone.id).where(Phone.archived_at.is_(None))).all() == []
        assert connection.scalar(select(func.count()).select_from(Phone)) == 2


def test_a_staff_telephone_added_to_an_exported_sheet_is_sealed_for_its_own_organisation(directory: Engine) -> None:
    from bot.directory import restricted

    data = sheet(exported(directory), lambda rows: [row.update({"Staff phone": "+39 06 111 2222"}) for row in rows])
    bring(directory, data)
    with directory.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(Organization)) == 1
        rows = list(restricted.of(connection, VAULT, services=[SERVICE]))
    assert [(row.entity, row.tier) for row in rows] == [("phone", "staff")]


def test_a_sheet_from_elsewhere_with_ids_of_its_own_is_new(engine: Engine, directory: Engine) -> None:
    data = b"id,Organisation,Service,Country\n0b6e6b2a-4f7e-4a3c-9d5e-0c1f2a3b4c5d,House,Advice,Italy\n"
    assert bring(directory, data)[0].counts()["added"]["service"] == 1
    assert bring(directory, data)[0].empty


def test_new_rows_belong_to_the_organisation_that_lives_here(directory: Engine) -> None:
    def edit(sheet: list[dict[str, str]]) -> None:
        sheet.append(
            dict.fromkeys(sheet[0], "") | {"organization": "porto sicuro", "service": "Third", "country": "Italy"}
        )

    data = sheet(exported(directory), edit)
    bring(directory, data)
    assert bring(directory, data)[0].empty
    bring(directory, exported(directory))
    with directory.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(Organization)) == 1
        assert connection.scalar(select(func.count()).where(Service.archived_at.is_(None))) == 3
