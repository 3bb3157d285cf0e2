"""bot/directory: the starter set and the best three."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from babel import Locale
from sqlalchemy import Engine, select, text

from bot.directory.ages import Ages
from bot.directory.changes import apply, edits_between
from bot.directory.models import Organization, Service
from bot.directory.records import Bundle, load
from bot.directory.search import Directory, Wanted
from bot.directory.starter import load_starter
from bot.store.database import connect
from bot.store.migrate import migrate
from tests.unit.directory.rows import SOMEBODY, VAULT

COUNCIL_OF_EUROPE = (
    "AD AL AM AT AZ BA BE BG CH CY CZ DE DK EE ES FI FR GB GE GR HR HU IE IS IT LI LT LU LV MC MD ME MK MT NL NO PL PT "
    "RO RS SE SI SK SM TR UA"
)
"""Its 46 members, coe.int/en/web/portal/46-members-states, known 2026-11-23."""


@pytest.fixture(scope="module")
def starter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = connect(f"sqlite:///{tmp_path_factory.mktemp('directory') / 'a.db'}")
    migrate(engine)
    assert load_starter(engine)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def directory(starter: Engine) -> Directory:
    return Directory(starter, Ages(hide_days=36500))


def test_every_member_of_the_council_of_europe_has_an_emergency_number(directory: Directory) -> None:
    members = COUNCIL_OF_EUROPE.split()
    assert len(members) == 46
    assert [code for code in members if directory.emergency(code) is None] == []


def test_every_row_has_a_source_and_none_claims_to_be_verified(starter: Engine, directory: Directory) -> None:
    with starter.connect() as connection:
        sources = connection.execute(text("SELECT source FROM emergency_number")).scalars().all()
        assert connection.execute(text("SELECT count(*) FROM emergency_number WHERE checked IS NULL")).scalar() == 0
        keys = list(connection.execute(select(Service.id)).scalars())
    assert len(keys) > 150
    for key in keys:
        service = directory.get(key)
        assert service is not None
        assert service.checked is not None
        assert service.assured_date is None
        sources.append(service.facts["source"])
    assert [source for source in sources if not source.startswith(("https://", "http://"))] == []


def test_what_content_names_is_there(directory: Directory) -> None:
    def numbers(country: str) -> str:
        found = directory.services(Wanted(country, "find_service"))
        return " ".join(phone.number.replace(" ", "") for service in found for phone in service.phones)

    assert "08000121700" in numbers("GB")
    assert "800290290" in numbers("IT")
    assert "0800800678" in numbers("RO")
    assert "226280120" in numbers("PL")


def test_the_country_codes_are_known_to_cldr(directory: Directory) -> None:
    territories = Locale.parse("en").territories
    assert [code for code in directory.countries() if code not in territories] == []


def test_a_child_gets_a_child_helpline_and_nobody_else_does_first(directory: Directory) -> None:
    for_child = directory.services(Wanted("RO", "find_service", "user_is_child"))
    assert for_child[0].kind == "child"
    assert all(service.kind != "child" for service in directory.services(Wanted("RO", "find_service")))


def test_at_most_three_and_her_language_first(directory: Directory) -> None:
    for country in directory.countries():
        assert len(directory.services(Wanted(country, "need_shelter"))) <= 3
    spoken = directory.services(Wanted("DE", "find_service", None, ("vi",)))
    assert spoken


def test_a_silent_call_where_the_country_has_one(directory: Directory) -> None:
    emergency = directory.emergency("GB")
    assert emergency is not None
    assert (emergency.silent_number, emergency.silent_code) == ("999", "55")
    assert emergency.sms_registered
    france = directory.emergency("FR")
    assert france is not None
    assert france.sms == "114"


def test_an_unknown_country_has_no_number_and_no_service(directory: Directory) -> None:
    assert directory.emergency("AQ") is None
    assert directory.services(Wanted("AQ")) == []
    assert directory.services(Wanted(None, "find_service"))


def test_loading_again_changes_nothing_and_keeps_what_ngos_have_added(engine: Engine) -> None:
    load_starter(engine)
    own = Bundle()
    own.add("organization", {"id": "5d1f5c1e-6f43-4c1d-9b0a-1f1c3c0e7a56", "name": "Ours", "description": "Ours"})
    with engine.begin() as connection:
        apply(connection, VAULT, edits_between(Bundle(), own), SOMEBODY)
    assert not load_starter(engine)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM starter_load"))
    before = Directory(engine).health()
    assert load_starter(engine)
    assert Directory(engine).health() == before
    with engine.connect() as connection:
        assert connection.execute(select(Organization.name).where(Organization.name == "Ours")).scalar()


def test_what_an_ngo_has_edited_stays_when_the_starter_set_comes_again(engine: Engine, tmp_path: Path) -> None:
    load_starter(engine, starter_set(tmp_path / "1", "one", "a"))
    with engine.begin() as connection:
        (key,) = connection.execute(select(Service.id)).scalars()
        before, after = load(connection, services=[key]), load(connection, services=[key])
        after.add("service", after["service"][key] | {"name": "Edited"})
        apply(connection, VAULT, edits_between(before, after), SOMEBODY)
    assert load_starter(engine, starter_set(tmp_path / "2", "one", "a", "b"))
    with engine.connect() as connection:
        assert sorted(connection.execute(select(Service.name)).scalars()) == ["Edited", "S"]


def test_stale_and_unverified_rows_are_counted(directory: Directory) -> None:
    health = directory.health(today=date(2026, 11, 24))
    later = directory.health(today=date(2027, 6, 1))
    assert health["unverified"] == health["services"]
    assert health["stale"] < later["stale"] == later["services"]


def starter_set(folder: Path, organization: str, *services: str) -> Path:
    folder.mkdir()
    lines = [
        "country: XX",
        "timezone: UTC",
        "emergency: []",
        "organizations:",
        f"  - id: {organization}",
        "    name: O",
    ]
    lines.append("    services:")
    for service in services:
        lines += [
            f"      - id: {service}",
            "        name: S",
            "        kind: crisis",
            "        source: https://example.org",
        ]
        lines += ["        checked: 2026-11-25", "        verified: false"]
    (folder / "XX.yml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_what_a_later_starter_set_lacks_is_archived(engine: Engine, tmp_path: Path) -> None:
    def known() -> tuple[set[str], int]:
        with engine.connect() as connection:
            in_use = connection.execute(select(Service.id).where(Service.archived_at.is_(None))).scalars()
            shown = {each.service_id for each in connection.execute(text("SELECT service_id FROM service_entry"))}
            return shown, len(set(in_use))

    assert load_starter(engine, starter_set(tmp_path / "1", "one", "a", "b"))
    both, _ = known()
    assert load_starter(engine, starter_set(tmp_path / "2", "one", "a"))
    one, count = known()
    assert (len(both), len(one), count) == (2, 1, 1)
    assert one < both
    assert load_starter(engine, starter_set(tmp_path / "3", "renamed", "a"))
    assert known() == (one, 1)
    assert load_starter(engine, starter_set(tmp_path / "4", "renamed", "a", "b"))
    assert known() == (both, 2), "what comes again is the same entry"
