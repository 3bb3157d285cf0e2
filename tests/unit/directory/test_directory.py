"""bot/directory: the starter set, the best three, opening hours."""

from collections.abc import Iterator
from datetime import date, datetime, timezone
from pathlib import Path

import pytest
from babel import Locale
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from bot.directory.hours import opening
from bot.directory.models import Organization, Schedule
from bot.directory.search import Directory, Wanted
from bot.directory.starter import load_starter
from bot.store.database import connect
from bot.store.migrate import migrate

COUNCIL_OF_EUROPE = (
    "AD AL AM AT AZ BA BE BG CH CY CZ DE DK EE ES FI FR GB GE GR HR HU IE IS IT LI LT LU LV MC MD ME MK MT NL NO PL PT "
    "RO RS SE SI SK SM TR UA"
)
"""Its 46 members, coe.int/en/web/portal/46-members-states, known 2026-11-23."""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = connect(f"sqlite:///{tmp_path_factory.mktemp('directory') / 'a.db'}")
    migrate(engine)
    assert load_starter(engine)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def directory(engine: Engine) -> Directory:
    return Directory(engine)


def test_every_member_of_the_council_of_europe_has_an_emergency_number(directory: Directory) -> None:
    members = COUNCIL_OF_EUROPE.split()
    assert len(members) == 46
    assert [code for code in members if directory.emergency(code) is None] == []


def test_every_row_has_a_source_and_none_claims_to_be_verified(engine: Engine) -> None:
    with engine.connect() as connection:
        for table in ("service", "emergency_number"):
            sources = connection.execute(text(f"SELECT source FROM {table}")).scalars().all()
            assert sources
            assert connection.execute(text(f"SELECT count(*) FROM {table} WHERE checked IS NULL")).scalar() == 0
            assert [source for source in sources if not source.startswith(("https://", "http://"))] == []
        assert connection.execute(text("SELECT count(*) FROM service WHERE assured_date IS NOT NULL")).scalar() == 0


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


def test_at_most_three_and_her_language_first(engine: Engine) -> None:
    directory = Directory(engine)
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


def test_loading_again_changes_nothing_and_keeps_what_ngos_have_added(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'a.db'}")
    migrate(engine)
    load_starter(engine)
    with Session(engine) as session, session.begin():
        session.add(Organization(id="ours", name="Ours"))
    assert not load_starter(engine)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM starter_load"))
    before = Directory(engine).health()
    assert load_starter(engine)
    assert Directory(engine).health() == before
    with Session(engine) as session:
        assert session.get(Organization, "ours") is not None
    engine.dispose()


def test_stale_and_unverified_rows_are_counted(directory: Directory) -> None:
    health = directory.health(today=date(2026, 11, 24))
    later = directory.health(today=date(2027, 6, 1))
    assert health["unverified"] == health["services"]
    assert health["stale"] < later["stale"] == later["services"]


def schedule(days: str, opens: str, closes: str, zone: str = "Europe/Bucharest") -> Schedule:
    return Schedule(byday=days, opens_at=opens, closes_at=closes, timezone=zone)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment in November 2026 (the 23rd is a Monday), UTC."""
    return datetime(2026, 11, day, hour, minute, tzinfo=timezone.utc)


WEEK = "MO,TU,WE,TH,FR"


def test_open_and_closed_in_the_services_own_time_zone() -> None:
    hours = [schedule(WEEK, "08:00", "17:00")]
    now = opening(hours, at(23, 6, 30))  # 8:30 in Bucharest
    assert now is not None
    assert now.open
    assert now.until is not None
    assert now.until.strftime("%H:%M") == "17:00"
    later = opening(hours, at(27, 15, 30))  # Friday 17:30
    assert later is not None
    assert not later.open
    assert later.opens is not None
    assert later.opens.strftime("%a %H:%M") == "Mon 08:00"


def test_past_midnight_and_around_the_clock() -> None:
    night = [schedule("MO", "20:00", "04:00")]
    inside = opening(night, at(24, 1))  # Tuesday 3:00
    assert inside is not None
    assert inside.open
    outside = opening(night, at(24, 3))
    assert outside is not None
    assert not outside.open
    always = opening([schedule("MO,TU,WE,TH,FR,SA,SU", "00:00", "24:00")], at(23, 0))
    assert always is not None
    assert always.always
    assert opening([], at(23, 0)) is None


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


def test_what_a_later_starter_set_lacks_is_taken_out(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'a.db'}")
    migrate(engine)
    with Session(engine) as session, session.begin():
        session.add(Organization(id="own", name="Our own"))

    def known() -> tuple[set[str], set[str]]:
        with engine.connect() as connection:
            organizations = set(connection.execute(text("SELECT id FROM organization")).scalars())
            return organizations, set(connection.execute(text("SELECT id FROM service")).scalars())

    assert load_starter(engine, starter_set(tmp_path / "1", "one", "a", "b"))
    assert known() == ({"own", "one"}, {"a", "b"})
    assert load_starter(engine, starter_set(tmp_path / "2", "one", "a"))
    assert known() == ({"own", "one"}, {"a"})
    assert load_starter(engine, starter_set(tmp_path / "3", "renamed", "a"))
    assert known() == ({"own", "renamed"}, {"a"})
    engine.dispose()
