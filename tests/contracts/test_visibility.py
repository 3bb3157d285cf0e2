"""What is for staff, or confidential, reaches no person, no export, no API and no search: every output is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bot.conversation.effects import Effects
from bot.conversation.state import State
from bot.directory.ages import Ages
from bot.directory.api import Api
from bot.directory.changes import Edit, apply
from bot.directory.exchange.exports import FORMS, export
from bot.directory.records import Bundle, load
from bot.directory.search import EVERYWHERE, Directory, Wanted
from bot.store.database import connect, forget_deleted
from bot.store.migrate import migrate
from bot.text.catalogue import Catalogue
from tests.unit.directory.rows import ORGANIZATION, SERVICE, SOMEBODY, VAULT, add_service, enter, key, small

CANARY = "canary"
ALWAYS = Ages(hide_days=36500)


def rows() -> list[tuple[str, dict[str, object]]]:
    """A row of every kind that can be closed, each with a canary in every text."""
    link = {"service_id": SERVICE}
    at = key("closed location")
    return [
        ("location", {"id": at, "location_type": "physical", "organization_id": ORGANIZATION, "name": f"{CANARY}1"}),
        ("service_at_location", {"id": key("closed at"), "location_id": at, **link, "description": f"{CANARY}2"}),
        ("address", {"id": key("closed address"), "location_id": at, "address_1": f"{CANARY}3", "city": f"{CANARY}4",
                     "state_province": "", "postal_code": "", "country": "IT", "address_type": "physical"}),
        ("phone", {"id": key("closed phone"), **link, "number": f"+39 06 {CANARY}5"}),
        ("contact", {"id": key("closed contact"), **link, "name": f"{CANARY}6", "title": f"{CANARY}7"}),
        ("schedule", {"id": key("closed schedule"), **link, "description": f"{CANARY}8"}),
        ("language", {"id": key("closed language"), **link, "name": f"{CANARY}9"}),
        ("required_document", {"id": key("closed document"), **link, "document": f"{CANARY}10"}),
        ("cost_option", {"id": key("closed cost"), **link, "option": f"{CANARY}11"}),
        ("accessibility", {"id": key("closed access"), "location_id": at, "description": f"{CANARY}12"}),
        ("phone", {"id": key("closed office"), "organization_id": ORGANIZATION, "number": f"{CANARY}13"}),
    ]  # fmt: skip


@pytest.fixture(scope="module", params=["staff", "confidential"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = connect(f"sqlite:///{tmp_path_factory.mktemp('visibility') / 'a.db'}")
    migrate(engine)
    enter(engine, small())
    edits = [Edit(entity, str(row["id"]), None, row, "public", request.param) for entity, row in rows()]
    whole = Bundle()
    hidden = add_service(whole, f"{CANARY}14", languages=("it",))
    edits += [Edit(entity, row["id"], None, row, "public", request.param) for entity, row in whole]
    with engine.begin() as connection:
        apply(connection, VAULT, edits, SOMEBODY)
        connection.execute(text("SELECT 1"))
    assert hidden
    forget_deleted(engine)
    yield engine
    engine.dispose()


def test_no_table_that_anything_else_reads_holds_it(engine: Engine) -> None:
    with engine.connect() as connection:
        tables = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars().all()
        assert connection.execute(text("SELECT count(*) FROM restricted_record")).scalar() >= len(rows())
        for table in tables:
            assert CANARY not in repr(connection.execute(text(f'SELECT * FROM "{table}"')).all()), table
        bundle = load(connection, [SERVICE], [ORGANIZATION])
    assert CANARY not in repr(bundle.rows)
    file = Path(str(engine.url.database))
    assert not [each for each in file.parent.iterdir() if CANARY.encode() in each.read_bytes()]


def test_no_person_is_told(engine: Engine) -> None:
    directory = Directory(engine, ALWAYS)
    catalogue = Catalogue()
    effects = Effects(catalogue, directory, 24)
    found = directory.services(Wanted("IT", "need_shelter"))
    assert [each.id for each in found] == [SERVICE]
    assert CANARY not in repr(found)
    for language in catalogue.languages:
        state = State(language=language)
        state.set_slot("country", "IT")
        said = [effects.entry(each, state) for each in found]
        said += [repr(effects.services(state, Wanted("IT", "find_service"), "Rome"))]
        assert CANARY not in repr(said)
    assert CANARY not in repr(directory.get(SERVICE))
    assert directory.get(key(f"{CANARY}14")) is None


def test_no_search_finds_it(engine: Engine) -> None:
    directory = Directory(engine, ALWAYS)
    assert directory.find(words=CANARY) == ([], 0)
    for country in ("IT", "", EVERYWHERE):
        assert CANARY not in repr(directory.find(country))
    assert CANARY not in repr(directory.why(Wanted("IT")))


def test_no_export_has_it(engine: Engine) -> None:
    with engine.connect() as connection:
        for form in FORMS:
            for organization in (None, ORGANIZATION):
                written = export(connection, form, organization)
                assert b"Porto Sicuro" in written or form in ("hsds-tabular", "xlsx")
                assert CANARY.encode() not in written, form
    import io
    import zipfile

    with engine.connect() as connection:
        for form in ("hsds-tabular", "xlsx"):
            with zipfile.ZipFile(io.BytesIO(export(connection, form))) as package:
                assert not [name for name in package.namelist() if CANARY.encode() in package.read(name)]


def test_the_api_has_it_nowhere(engine: Engine) -> None:
    client = TestClient(Starlette(routes=Api(engine, ALWAYS).routes()))
    paths = ["services", "organizations", "service_at_locations", "taxonomies", "taxonomy_terms"]
    for path in (*paths, f"services/{SERVICE}", f"organizations/{ORGANIZATION}", f"services/{key(f'{CANARY}14')}"):
        for query in ("", "?full=true", f"?search={CANARY}", "?full_service=true"):
            answer = client.get(f"/hsds/{path}{query}")
            assert answer.status_code in (200, 400, 404)
            assert CANARY not in answer.text, path
    assert client.get(f"/hsds/services/{SERVICE}").status_code == 200
