"""Importing a file in the console, from the upload to what a second supervisor has imported."""

from __future__ import annotations

import csv
import io
import json
import re
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from bot.directory import uploads
from bot.directory.exchange.exports import export
from bot.directory.models import Change, Organization, Phone, Service, Upload
from bot.directory.search import Directory
from bot.staff.accounts import Role
from tests.unit.console.support import Answer, Browser, Office
from tests.unit.directory.exchange.test_exchange import sheet
from tests.unit.directory.rows import ORGANIZATION, SERVICE, enter, small
from tests.unit.directory.rows import key as made

SHEET = """Association,Prestation,Numéro vert,Pays,Besoins,Adresse secrète
Le Pont,Accueil de nuit,0 800 05 95 95,France,need_shelter,12 rue Cachée
Le Pont,Avocats,+33 1 23 45 67 89,France,need_legal,
"""
BOUNDARY = "----a-boundary"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path)
    office.console.directory = Directory(office.engine)
    yield office
    office.close()


def staff(office: Office, login: str, role: Role = Role.SUPERVISOR) -> Browser:
    return office.log_in(office.hire(login, role))[0]


def put(browser: Browser, data: bytes, name: str = "ours.csv", **fields: str) -> Answer:
    """Send the form of the upload, as a browser does."""
    parts = [("csrf", None, browser.csrf.encode()), *((key, None, value.encode()) for key, value in fields.items())]
    body = b""
    for key, file, value in [*parts, ("file", name, data)]:
        named = f'; filename="{file}"' if file else ""
        body += (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{key}"{named}\r\n\r\n'.encode() + value + b"\r\n"
        )
    body += f"--{BOUNDARY}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Origin": "null"}
    return browser.web.ask("POST", "/console/import", browser.headers(**headers), body)


def names(office: Office) -> set[str]:
    with office.engine.connect() as connection:
        return set(connection.scalars(select(Service.name).where(Service.archived_at.is_(None))))


def test_a_file_is_looked_at_and_imported_by_a_second_supervisor(office: Office) -> None:
    vera, odile = staff(office, "vera"), staff(office, "odile")
    sent = put(vera, SHEET.encode("cp1252"))
    assert sent.status == 303
    page = vera.get(sent.location)
    assert "Accueil de nuit" in page.body
    assert "Confidential" not in page.body
    assert re.search(r"2 rows|New", page.body)
    assert "A second supervisor imports it" in page.body
    assert 'value="apply"' not in page.body
    assert names(office) == set()
    assert vera.post(sent.location, {"do": "apply", "digest": page.field("digest")}).status == 403

    look = odile.get(sent.location)
    done = odile.post(sent.location, {"do": "apply", "digest": look.field("digest")})
    assert (done.status, done.location) == (303, "/console/import?done=applied")
    assert names(office) == {"Accueil de nuit", "Avocats"}
    assert odile.get(sent.location).status == 404
    with office.engine.connect() as connection:
        change = connection.execute(select(Change.__table__)).mappings().first()
        assert change is not None
        assert change["by"] != change["approved_by"]
        assert connection.execute(select(Upload.id)).all() == []


def test_columns_that_are_not_guessed_are_chosen_and_remembered(office: Office) -> None:
    office.console.uploads.four_eyes = False
    vera = staff(office, "vera")
    table = "Wer,Was,Telefonnr.\nBrücke,Obdach,+49 30 1234567\n".encode()
    at = put(vera, table, "berlin.csv", country="DE").location
    page = vera.get(at)
    assert "organization is missing" in page.body
    assert 'value="apply"' not in page.body
    chosen = {"columns": "1", "dataset": "berlin", "country": "DE"}
    chosen |= {"column_0": "organization", "column_1": "service", "column_2": "phone"}
    assert vera.post(at, chosen).location == at
    page = vera.get(at)
    assert "Obdach" in page.body
    assert vera.post(at, {"do": "apply", "digest": page.field("digest")}).status == 303
    assert names(office) == {"Obdach"}

    again = put(vera, table.replace(b"Obdach", b"Unterkunft"), "berlin.csv", country="DE").location
    page = vera.get(again)
    assert "Unterkunft" in page.body
    assert "archived, never deleted" in page.body
    assert vera.post(again, {"do": "discard"}).status == 303
    assert names(office) == {"Obdach"}
    assert "nothing would change" in vera.get(put(vera, table, "berlin.csv", country="DE").location).body


def test_a_changed_file_shows_what_changes_before_it_does(office: Office) -> None:
    office.console.uploads.four_eyes = False
    vera = staff(office, "vera")
    at = put(vera, SHEET.encode()).location
    vera.post(at, {"do": "apply", "digest": vera.get(at).field("digest")})
    at = put(vera, SHEET.replace("+33 1 23 45 67 89", "+33 1 98 76 54 32").encode()).location
    body = vera.get(at).body
    assert "+33 1 23 45 67 89" in body
    assert "+33 1 98 76 54 32" in body
    with office.engine.begin() as connection:
        connection.execute(update(Service).where(Service.name == "Avocats").values(name="Juristes"))
    late = vera.post(at, {"do": "apply", "digest": "0" * 64})
    assert late.status == 409
    assert "look again" in late.body


def test_a_wrong_file_names_the_cells_and_changes_nothing(office: Office) -> None:
    vera = staff(office, "vera")
    rows: list[list[object]] = [
        ["Organisation", "Service", "Country", "Minimum age"],
        ["A", "B", "Atlantis", "young"],
        ["A", "", "IT", 3],
    ]
    at = put(vera, sheet(*rows), "mess.xlsx").location
    body = vera.get(at).body
    assert "<strong>C2</strong>" in body
    assert "Atlantis is no country that is known" in body
    report = vera.get(f"{at}/report")
    assert report.headers["content-type"].startswith("text/csv")
    places = [row["place"] for row in csv.DictReader(io.StringIO(report.body.lstrip("\ufeff")))]
    assert {"C2", "D2", "B3"} <= set(places)
    assert vera.post(at, {"do": "apply", "digest": ""}).status in (403, 409)
    assert names(office) == set()


def test_a_file_waits_encrypted_and_not_for_ever(office: Office, tmp_path: Path) -> None:
    vera = staff(office, "vera")
    assert put(vera, SHEET.encode(), "canary-name.csv").status == 303
    stored = b"".join(file.read_bytes() for file in tmp_path.iterdir() if file.is_file())
    for word in ("Le Pont", "Accueil de nuit", "canary-name", "rue Cach"):
        assert word.encode() not in stored, word
    assert "canary-name.csv" in vera.get("/console/import").body
    assert uploads.forget_old(office.engine, time.time() + uploads.DAYS * 86_400 - 60) == 0
    assert uploads.forget_old(office.engine, time.time() + uploads.DAYS * 86_400 + 60) == 1
    assert "No file waits" in vera.get("/console/import").body


def test_what_is_confidential_in_a_file_is_stored_sealed_only(office: Office, tmp_path: Path) -> None:
    office.console.uploads.four_eyes = False
    vera = staff(office, "vera")
    at = put(vera, SHEET.replace("Adresse secrète", "confidential address").encode()).location
    page = vera.get(at)
    assert "Not public" in page.body
    vera.post(at, {"do": "apply", "digest": page.field("digest")})
    assert names(office) == {"Accueil de nuit", "Avocats"}
    stored = b"".join(file.read_bytes() for file in tmp_path.iterdir() if file.is_file())
    assert "rue Cachée".encode() not in stored


@pytest.mark.parametrize(
    ("data", "status", "said"),
    [
        (b"", 400, "Choose a file first"),
        (b"x" * (uploads.LARGEST + 1), 413, "too large"),
        (b"x" * (uploads.LARGEST + 100_000), 413, ""),
        (b"\x00\xff" * 50, 303, ""),
        (b"%PDF-1.4", 303, ""),
    ],
)
def test_any_bytes_get_an_answer(office: Office, data: bytes, status: int, said: str) -> None:
    vera = staff(office, "vera")
    answer = put(vera, data, "x.csv")
    assert answer.status == status
    assert said in answer.body
    if status == 303:
        page = vera.get(answer.location)
        assert page.status == 200
        assert "Nothing can be imported" in page.body


def test_a_file_that_unpacks_to_a_thousand_times_its_size_is_not_unpacked(office: Office) -> None:
    vera = staff(office, "vera")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("xl/workbook.xml", "<workbook/>")
        package.writestr("xl/worksheets/sheet1.xml", b" " * 200_000_000)
    page = vera.get(put(vera, packed.getvalue(), "bomb.xlsx").location)
    assert "bytes, unpacked" in page.body
    assert 'value="apply"' not in page.body


def test_the_same_takes_hsds_json(office: Office) -> None:
    office.console.uploads.four_eyes = False
    vera = staff(office, "vera")
    key, service = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
    whole = {"id": service, "name": "Night house", "status": "active",
             "organization": {"id": key, "name": "House", "description": "A house"}}  # fmt: skip
    at = put(vera, json.dumps(whole).encode(), "one.json").location
    page = vera.get(at)
    assert "Night house" in page.body
    assert vera.post(at, {"do": "apply", "digest": page.field("digest")}).status == 303
    with office.engine.connect() as connection:
        assert connection.scalar(select(Organization.name)) == "House"
        assert connection.execute(text("SELECT count(*) FROM dataset WHERE name = 'one'")).scalar() == 1


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.ADMINISTRATOR])
def test_nobody_else_imports(office: Office, role: Role) -> None:
    somebody = staff(office, role.value, role)
    assert put(somebody, SHEET.encode()).status == 403
    assert somebody.get("/console/import").status == 403


def test_a_strangers_file_is_not_even_read(office: Office) -> None:
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "https",
        "path": "/console/import", "raw_path": b"/console/import", "query_string": b"", "root_path": "",
        "headers": [(b"host", b"desk.example.org"), (b"sec-fetch-site", b"same-origin"),
                    (b"content-type", f"multipart/form-data; boundary={BOUNDARY}".encode())],
        "server": ("desk.example.org", 443), "client": ("203.0.113.9", 4711),
    }  # fmt: skip
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        raise AssertionError("the body was asked for")

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    office.web.loop.run_until_complete(office.web.app(scope, receive, send))
    assert sent[0]["status"] == 303


def test_who_has_said_what_the_columns_are_does_not_import_it_alone(office: Office) -> None:
    vera, odile = staff(office, "vera"), staff(office, "odile")
    at = put(vera, SHEET.encode()).location
    assert odile.post(at, {"columns": "1", "dataset": "ours", "column_5": "address"}).location == at
    page = odile.get(at)
    assert 'value="apply"' not in page.body
    assert odile.post(at, {"do": "apply", "digest": page.field("digest")}).status == 403
    assert vera.post(at, {"do": "apply", "digest": vera.get(at).field("digest")}).status == 303


@pytest.fixture
def keepers(office: Office) -> tuple[Browser, Browser]:
    """An editor who keeps Porto Sicuro, and a supervisor."""
    bundle = small()
    bundle.add("organization", {"id": made("other"), "name": "Vicini", "description": "Neighbours"})
    bundle.add(
        "service", {"id": made("theirs"), "organization_id": made("other"), "name": "theirs", "status": "active"}
    )
    bundle.add("service_area", {"id": made("area"), "service_id": made("theirs"), "extent": "IT"})
    enter(office.engine, bundle)
    editor, session = office.log_in(office.hire("ana", Role.EDITOR))
    office.console.editing.assign(session.operator.id, [ORGANIZATION], session.operator.id)
    return editor, staff(office, "vera")


def test_an_editor_edits_her_entries_in_a_spreadsheet(office: Office, keepers: tuple[Browser, Browser]) -> None:
    ana, vera = keepers
    page = ana.get(f"/console/organizations/{ORGANIZATION}").body
    (link,) = re.findall(r'href="(/console/organizations/[^"]*\.csv)"', page)
    data = ana.get(link).body.replace("+39 06 1234 5678", "+39 06 765 4321")
    assert "theirs" not in data
    sent = put(ana, data.encode(), "entries.csv")
    look = ana.get(sent.location).body
    assert "A second supervisor imports it" in look
    assert "765 4321" in look
    seen = vera.get(sent.location)
    assert vera.post(sent.location, {"do": "apply", "digest": seen.field("digest")}).status == 303
    with office.engine.connect() as connection:
        assert connection.scalar(select(Phone.number).where(Phone.service_id == SERVICE)) == "+39 06 765 4321"


def test_an_editors_file_touches_no_entry_of_others(office: Office, keepers: tuple[Browser, Browser]) -> None:
    ana, vera = keepers
    with office.engine.connect() as connection:
        whole = export(connection, "csv").decode()
    for data in (whole.replace("theirs", "mine"), "Organisation,Service,Country\nBrand new,Advice,Italy\n"):
        sent = put(ana, data.encode(), "entries.csv")
        page = ana.get(sent.location).body
        assert "organisations that you don" in page
        assert 'value="apply"' not in vera.get(sent.location).body
    assert put(ana, b"Organisation,Service,Country\nPorto Sicuro,Advice,Italy\n", "n.csv").status == 303


def test_an_editor_sees_her_own_files_only(office: Office, keepers: tuple[Browser, Browser]) -> None:
    ana, vera = keepers
    sent = put(vera, SHEET.encode("cp1252"), "secret-name.csv")
    assert "secret-name" not in ana.get("/console/import").body
    assert ana.get(sent.location).status == 404
    assert ana.post(sent.location, {"do": "discard"}).status == 404
    assert vera.get(sent.location).status == 200
