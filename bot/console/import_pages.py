"""Importing a file: put it here, say what its columns are, see what would change, let a second person import it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from babel import Locale
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.console.app import Page
from bot.console.entry_pages import differences, people, previews
from bot.console.queue_pages import labels
from bot.console.upkeep_pages import KEEPERS
from bot.directory import uploads
from bot.directory.changes import TRANSLATION, Edit
from bot.directory.uploads import LARGEST, Changed, Faulty, Looked, NoUpload, OtherPerson, TooMany

if TYPE_CHECKING:
    from bot.console.app import Console, File
    from bot.directory.exchange.imports import Plan
    from bot.staff.sessions import Session

MOST_SHOWN = 50
MOST_COLUMNS = 400
LARGEST_CHOICE = 131_072
AROUND_FILE = 16_384
"""Bytes of a form beside its file."""
DONE = ("applied", "discarded")
_COLUMN = "column_"
_MEGABYTES = {"size": LARGEST // 1_000_000}


async def overview(console: Console, request: Request, session: Session) -> Response:
    """Put a file here, and the files that wait."""
    waiting = await asyncio.to_thread(console.uploads.waiting, session.operator)
    datasets = await asyncio.to_thread(console.uploads.datasets)
    done = request.query_params.get("done", "")
    return console.render(
        request, session, "import.html", waiting=waiting, datasets=datasets, people=await people(console),
        countries=_countries(console, request, session), days=uploads.DAYS, size=_MEGABYTES["size"],
        done=done if done in DONE else "",
    )  # fmt: skip


async def upload(console: Console, request: Request, session: Session) -> Response:
    """Keep a file until somebody imports it."""
    fields, file = await console.form(request), _file(request)
    if file is None or not file.data:
        return console.refusal(request, session, "import_no_file", 400)
    if len(file.data) > LARGEST:
        return console.refusal(request, session, "error_413_upload", 413, **_MEGABYTES)
    try:
        key = await asyncio.to_thread(
            console.uploads.keep, session.operator, file.name, file.data, fields.get("dataset", ""), _country(fields)
        )
    except TooMany:
        return console.refusal(request, session, "import_too_many")
    return RedirectResponse(f"/console/import/{key}", status_code=303)


async def one(console: Console, request: Request, session: Session) -> Response:
    """What a file holds, what is wrong with it, and what it would change."""
    from bot.directory.exchange import columns

    looked = await _look(console, request, session)
    made = looked.plan
    language = console.language(request, session)
    shown = [(each, each.words(console.catalogue, language)) for each in looked.problems[:MOST_SHOWN]]
    return console.render(
        request, session, "import_one.html", looked=looked, problems=shown,
        fields=(*columns.fields(), *(each.field for each in looked.matches if columns.translation(each.field or ""))),
        problems_more=len(looked.problems) - len(shown), plan=made, sections=_sections(made) if made else [],
        changed=differences(_edits(made)) if made else [], more=_more(made) if made else 0,
        previews=_previews(console, looked), words=labels(console, request, session), people=await people(console),
        countries=_countries(console, request, session),
        may_apply=not console.uploads.four_eyes or looked.upload.by != session.operator.id,
    )  # fmt: skip


async def choose(console: Console, request: Request, session: Session) -> Response:
    """Read a file otherwise, import it, or throw it away."""
    key, fields = str(request.path_params["id"]), await console.form(request)
    do = fields.get("do", "")
    if do == "discard":
        try:
            await asyncio.to_thread(console.uploads.discard, session.operator, key)
        except NoUpload:
            return console.refusal(request, session, "import_gone", 404)
        return RedirectResponse("/console/import?done=discarded", status_code=303)
    if do == "apply":
        return await _apply(console, request, session, key, fields.get("digest", ""))
    chosen: dict[str, str] | None = None
    if "columns" in fields:
        looked = await _look(console, request, session)
        chosen = _mapping(looked, fields)
    try:
        await asyncio.to_thread(
            console.uploads.choose,
            session.operator,
            key,
            fields.get("dataset", ""),
            _country(fields),
            chosen,
            "theirs" in fields,
        )
    except NoUpload:
        return console.refusal(request, session, "import_gone", 404)
    return RedirectResponse(f"/console/import/{key}", status_code=303)


async def report(console: Console, request: Request, session: Session) -> Response:
    """What is wrong with a file, all of it, for a spreadsheet."""
    from bot.directory.exchange.problems import as_csv

    looked = await _look(console, request, session)
    language = console.language(request, session)
    return Response(
        await asyncio.to_thread(as_csv, looked.problems, console.catalogue, language),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="problems.csv"'},
    )


# inside


async def _apply(console: Console, request: Request, session: Session, key: str, digest: str) -> Response:
    try:
        await asyncio.to_thread(console.uploads.apply, session.operator, key, digest)
    except NoUpload:
        return console.refusal(request, session, "import_gone", 404)
    except OtherPerson:
        return console.refusal(request, session, "import_other_person", 403)
    except Faulty:
        return console.refusal(request, session, "import_faulty")
    except Changed:
        return console.refusal(request, session, "import_looks_different")
    return RedirectResponse("/console/import?done=applied", status_code=303)


async def _look(console: Console, request: Request, session: Session) -> Looked:
    try:
        return await asyncio.to_thread(console.uploads.look, session.operator, str(request.path_params["id"]))
    except NoUpload:
        raise HTTPException(404) from None


def _file(request: Request) -> File | None:
    file: File | None = request.state.file
    return file


def _country(fields: dict[str, str]) -> str | None:
    code = fields.get("country", "").upper()
    return code if len(code) == 2 and code.isascii() and code.isalpha() else None


def _countries(console: Console, request: Request, session: Session) -> list[tuple[str, str]]:
    names = Locale.parse(console.language(request, session)).territories
    found = [(code, str(name)) for code, name in names.items() if len(code) == 2 and code.isalpha()]
    return sorted(found, key=lambda each: each[1])


def _mapping(looked: Looked, fields: dict[str, str]) -> dict[str, str]:
    """Return what was chosen for each column, by its header: where that is not what is guessed anyway, too."""
    from bot.directory.exchange import columns

    chosen = {}
    for match in looked.matches:
        field = fields.get(f"{_COLUMN}{match.column}")
        if field is not None and (field == "" or field in columns.fields() or columns.translation(field)):
            chosen[match.header] = field
    return chosen


def _sections(made: Plan) -> list[tuple[str, int, list[str]]]:
    """Return (what, how many rows, names of the entries among them) of what is added, archived, kept or closed."""
    named = {
        "added": made.added,
        "archived": made.archived,
        "kept": [(entity, after) for entity, _, after in made.kept],
        "closed": [(each.entity, each.row) for each in made.closed],
    }
    found = []
    for what, rows in named.items():
        names = [str(row.get("name", "")) for entity, row in rows if entity in ("organization", "service")]
        if rows:
            found.append((what, len(rows), names[:MOST_SHOWN]))
    return found


def _edits(made: Plan) -> tuple[Edit, ...]:
    edits = [Edit(entity, after["id"], before, after) for entity, before, after in made.changed[:MOST_SHOWN]]
    for (key, field, language), before_text, text in made.translations[: MOST_SHOWN - len(edits)]:
        row = {"field": f"{field} ({language})", "text": text}
        edits.append(Edit(TRANSLATION, key, {**row, "text": before_text} if before_text else None, row))
    return tuple(edits)


def _more(made: Plan) -> int:
    return max(0, len(made.changed) + len(made.translations) - MOST_SHOWN)


def _previews(console: Console, looked: Looked) -> list[tuple[Any, str]]:
    """Return how the first new or changed entry would read in each language."""
    if looked.first is None:
        return []
    return previews(console, *looked.first)


PAGES = [
    Page("GET", "/console/import", overview, KEEPERS),
    Page("POST", "/console/import", upload, KEEPERS, largest=LARGEST + AROUND_FILE, takes_file=True),
    Page("GET", "/console/import/{id}", one, KEEPERS),
    Page("POST", "/console/import/{id}", choose, KEEPERS, largest=LARGEST_CHOICE, most_fields=MOST_COLUMNS + 10),
    Page("GET", "/console/import/{id}/report", report, KEEPERS),
]
