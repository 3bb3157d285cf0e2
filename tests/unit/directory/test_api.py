"""The public API answers as the standard's OpenAPI file says, and tells nobody anything personal or hidden."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bot.directory.ages import Ages
from bot.directory.api import Api
from bot.directory.changes import Author, Edit, apply
from bot.directory.records import Bundle, select_rows
from bot.directory.restricted import CONFIDENTIAL, STAFF
from bot.directory.vocabulary import term_id
from tests.unit.directory.rows import ORGANIZATION, SERVICE, VAULT, add_service, enter, key, small

SCHEMAS = Path("/work/shared/hsds/schema")
TODAY = datetime.now(timezone.utc).date()
SECRETS = ["Maria Rossi", "maria@example.org", "keeper@example.org", "+39 333 1111111", "updated by Anna", "hidden by age",
           "Via Segreta", "+39 06 7777777", "secret shelter"]  # fmt: skip


def fresh(**more: Any) -> dict[str, Any]:
    return {"assured_date": TODAY.isoformat(), "facts": {"checked": TODAY.isoformat()}, **more}


def whole() -> Bundle:
    """A directory that holds something of every tier and age."""
    bundle = small()
    bundle["service"][SERVICE].update(assured_date=TODAY.isoformat(), assurer_email="keeper@example.org")
    for number in range(24):
        add_service(bundle, f"service {number:02}", needs=("need_legal",) if number % 2 else (), **fresh())
    add_service(bundle, "hidden by age", **fresh(assured_date=(TODAY - timedelta(days=400)).isoformat()))
    bundle.add(
        "contact",
        {
            "id": key("contact"), "service_id": SERVICE, "name": "Maria Rossi", "title": "Desk",
            "email": "maria@example.org",
        },
    )  # fmt: skip
    bundle.add("contact", {"id": key("nameless"), "organization_id": ORGANIZATION, "name": "Maria Rossi"})
    bundle.add("phone", {"id": key("direct"), "contact_id": key("contact"), "number": "+39 333 1111111"})
    bundle.add(
        "metadata",
        {
            "id": key("metadata"), "resource_id": SERVICE, "resource_type": "service",
            "last_action_date": "2026-01-01", "last_action_type": "update", "field_name": "name",
            "previous_value": "x", "replacement_value": "y", "updated_by": "updated by Anna",
        },
    )  # fmt: skip
    shelter = add_service(bundle, "secret shelter", **fresh())
    bundle.tiers[shelter] = CONFIDENTIAL
    bundle.add("location", {"id": key("house"), "location_type": "physical", "organization_id": ORGANIZATION})
    bundle.add("address", {"id": key("door"), "location_id": key("house"), "address_1": "Via Segreta 3", "city": "Roma",
                           "state_province": "RM", "postal_code": "1", "country": "IT", "address_type": "physical"})  # fmt: skip
    bundle.tiers[key("house")] = CONFIDENTIAL
    bundle.add("phone", {"id": key("line"), "service_id": SERVICE, "number": "+39 06 7777777"})
    bundle.tiers[key("line")] = STAFF
    return bundle


@pytest.fixture
def client(engine: Engine) -> Iterator[TestClient]:
    enter(engine, whole())
    with TestClient(Starlette(routes=Api(engine, Ages()).routes())) as client:
        yield client


def contents(client: TestClient, path: str, **query: str) -> list[dict[str, Any]]:
    answer = client.get(f"/hsds{path}", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["contents"])


def valid(row: dict[str, Any], name: str) -> None:
    if not SCHEMAS.is_dir():
        pytest.skip("the official schemas are not here (/work/shared/hsds)")
    from jsonschema import Draft202012Validator, FormatChecker

    schema = json.loads((SCHEMAS / name).read_text())
    if name == "taxonomy_term.json":  # not compiled: it refers to its neighbour
        schema["properties"]["taxonomy_detail"] = json.loads((SCHEMAS / "taxonomy.json").read_text())
    errors = [error.message for error in Draft202012Validator(schema, format_checker=FormatChecker()).iter_errors(row)]
    assert errors == []


PATHS = ("/services", "/organizations", "/service_at_locations", "/taxonomies", "/taxonomy_terms")


def everything(client: TestClient) -> Iterator[str]:
    """Yield the text of every answer that the API gives."""
    for path in PATHS:
        for query in ({}, {"full": "true"}, {"full_service": "true"}, {"minimal": "true"}, {"format": "ndjson"},
                      {"format": "ndjson", "full": "true"}):  # fmt: skip
            yield client.get(f"/hsds{path}", params={"per_page": "100", **query}).text
        for each in contents(client, path, per_page="100"):
            yield client.get(f"/hsds{path}/{each['id']}", params={"full_service": "true"}).text


def test_nothing_personal_hidden_or_restricted_is_in_any_answer(client: TestClient) -> None:
    told = "\n".join(everything(client))
    assert [secret for secret in SECRETS if secret in told] == []
    assert "assurer_email" not in told
    assert '"metadata"' not in told
    assert "Desk" in told
    assert "Via Roma 1" in told


def test_answers_are_valid_by_the_official_schemas(client: TestClient) -> None:
    valid(client.get(f"/hsds/services/{SERVICE}").json(), "compiled/service.json")
    valid(client.get(f"/hsds/organizations/{ORGANIZATION}").json(), "compiled/organization.json")
    valid(client.get(f"/hsds/organizations/{ORGANIZATION}?full_service=true").json(), "compiled/organization.json")
    valid(client.get(f"/hsds/service_at_locations/{key('at')}").json(), "compiled/service_at_location.json")
    for row in contents(client, "/services", per_page="100"):
        valid(row, "compiled/service_list.json")
    for row in contents(client, "/services", per_page="100", full="true"):
        valid(row, "compiled/service.json")
    for name, file in (("taxonomies", "taxonomy.json"), ("taxonomy_terms", "taxonomy_term.json")):
        for row in contents(client, f"/{name}"):
            valid(row, file)


def test_pages_hold_everything_once(client: TestClient) -> None:
    first = client.get("/hsds/services?per_page=10").json()
    told = {name: first[name] for name in first if name != "contents"}
    assert told == {"total_items": 25, "total_pages": 3, "page_number": 1, "size": 10, "first_page": True,
                    "last_page": False, "empty": False}  # fmt: skip
    last = client.get("/hsds/services?per_page=10&page=3").json()
    assert (last["size"], last["first_page"], last["last_page"]) == (5, False, True)
    ids = [row["id"] for page in "123" for row in contents(client, "/services", per_page="10", page=page)]
    assert len(set(ids)) == len(ids) == 25
    beyond = client.get("/hsds/services?page=99").json()
    assert (beyond["empty"], beyond["contents"], beyond["last_page"]) == (True, [], True)
    lines = client.get("/hsds/services?format=ndjson").text.splitlines()
    assert [json.loads(line)["id"] for line in lines] == ids
    minimal = client.get("/hsds/services?minimal=true").json()
    assert [row["id"] for row in minimal["contents"]] == ids
    assert set(minimal["contents"][0]) == {"id", "modified_date"}


def test_services_are_found_by_what_the_standard_names(client: TestClient) -> None:
    assert {row["name"] for row in contents(client, "/services", search="service 07")} == {"service 07"}
    legal = contents(client, "/services", taxonomy_term_id=term_id("need", "need_legal"), per_page="100")
    assert len(legal) == 12
    assert contents(client, "/services", organization_id=key("nobody")) == []
    assert len(contents(client, "/services", organization_id=ORGANIZATION, per_page="100")) == 25
    assert contents(client, "/services", modified_after="2100-01-01T00:00:00Z") == []
    assert len(contents(client, "/services", modified_after="2020-01-01T00:00:00+02:00", per_page="100")) == 25
    (at,) = contents(client, "/service_at_locations", search="Porto", postcode="00100")
    assert (at["service"]["id"], at["location"]["location_type"]) == (SERVICE, "physical")
    assert contents(client, "/service_at_locations", postcode="99999") == []
    assert [row["name"] for row in contents(client, "/organizations", search="porto")] == ["Porto Sicuro"]
    terms = contents(client, "/taxonomy_terms", search="shelter")
    assert [row["code"] for row in terms] == ["need_shelter"]
    assert len(contents(client, "/taxonomy_terms", taxonomy_id=terms[0]["taxonomy_id"], per_page="100")) == 13


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("page=0", "page"), ("page=x", "page"), ("per_page=101", "per_page"), ("per_page=-1", "per_page"),
        ("per_page=٣", "per_page"), ("full=maybe", "full"), ("format=xml", "format"),
        ("modified_after=yesterday", "modified_after"), ("organization_id=%00", "organization_id"),
        ("taxonomy_term_id='%20or%201", "taxonomy_term_id"), ("search=" + "x" * 300, "search"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named(client: TestClient, query: str, name: str) -> None:
    answer = client.get(f"/hsds/services?{query}")
    assert (answer.status_code, answer.json()["parameter"]) == (400, name)
    assert answer.headers["cache-control"] == "no-store"


def test_what_is_not_there_is_a_404_in_json(client: TestClient) -> None:
    for path in (
        f"/services/{key('hidden by age')}", f"/services/{key('secret shelter')}", f"/services/{key('nothing')}",
        "/services/%00", "/services/a/b", "/nothing", "/organizations/'",
    ):  # fmt: skip
        answer = client.get(f"/hsds{path}")
        assert answer.status_code == 404, path
        assert "error" in answer.json()
    assert client.post("/hsds/services").status_code == 405
    assert client.delete(f"/hsds/services/{SERVICE}").json() == {"error": "this API is only for reading"}


def test_an_answer_is_sent_again_only_when_the_directory_has_changed(client: TestClient, engine: Engine) -> None:
    first = client.get("/hsds/services")
    tag = first.headers["etag"]
    again = client.get("/hsds/services", headers={"If-None-Match": f'"other", W/{tag}'})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/hsds/services?page=2", headers={"If-None-Match": tag}).status_code == 200
    with engine.begin() as connection:
        row = next(select_rows(connection, "service", "id", [SERVICE]))
        apply(connection, VAULT, [Edit("service", SERVICE, row, row | {"name": "A new name"})], Author("x"))
    changed = client.get("/hsds/services", headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert "A new name" in client.get(f"/hsds/services/{SERVICE}").text


def test_browsers_of_other_sites_may_read(client: TestClient) -> None:
    answer = client.head("/hsds/")
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")
    assert "access-control-allow-credentials" not in answer.headers
    assert client.options("/hsds/services").headers["access-control-allow-methods"] == "GET, HEAD"
    assert client.get("/hsds").json()["version"] == "3.0"


def test_it_is_off_unless_it_is_set(tmp_path: Path) -> None:
    from bot.app import Gateway, create_app
    from bot.settings import Settings

    for on in (False, True):
        gateway = Gateway(Settings(data_dir=tmp_path, directory_api=on))
        answer = TestClient(create_app(gateway)).get("/hsds/services")
        assert answer.status_code == (200 if on else 404)
        gateway.database.dispose()
