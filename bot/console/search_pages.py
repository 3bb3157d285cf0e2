"""Browsing without a case: the whole phrasebook in two languages, and the directory of services."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bot.console import services
from bot.console.app import DESK, EVERYBODY, Page
from bot.console.queue_pages import labels
from bot.directory.editing import NotAllowed
from bot.directory.search import EVERYWHERE
from bot.handoff.phrasebook import Phrasebook

if TYPE_CHECKING:
    from bot.console.app import Console
    from bot.staff.sessions import Session

LONGEST_SEARCH = 200


def asked(request: Request, name: str) -> str:
    """Return a search field of the address, cut to a sensible length."""
    return request.query_params.get(name, "").strip()[:LONGEST_SEARCH]


async def phrasebook(console: Console, request: Request, session: Session) -> Response:
    words = labels(console, request, session)
    languages = console.catalogue.languages
    mine = asked(request, "mine")
    mine = mine if mine in languages else words.code
    hers = asked(request, "hers")
    if hers not in languages:
        hers = next(code for code in languages if code != mine)
    query, group = asked(request, "q"), asked(request, "group")
    values: dict[str, Any] = {"words": words, "mine": mine, "hers": hers, "query": query, "group": group}
    book = Phrasebook(console.catalogue)
    values["phrases"] = await asyncio.to_thread(book.find, mine, hers, query, group)
    values["mine_language"] = mine
    values["groups"] = book.titles(words.code)
    fragment = request.headers.get("hx-request") == "true"
    return console.render(request, session, "phrase_list.html" if fragment else "phrasebook.html", case=None, **values)


async def service_values(
    console: Console,
    request: Request,
    session: Session,
    language: str,
    hers: str | None,
    country: str = "",
    need: str = "",
) -> dict[str, Any]:
    """Return what service_list.html and its form need; `country` and `need` where the request asks for none."""
    if "country" in request.query_params:
        country = asked(request, "country")
    if "need" in request.query_params:
        need = asked(request, "need")
    words = asked(request, "words")
    asks = bool(country or need or words)

    def read() -> dict[str, Any]:
        spoken = [code for code in (hers, language) if code]
        found, count = console.directory.find(country, need, words, spoken, services.MOST) if asks else ([], 0)
        staff = console.editing.with_staff_rows(session.operator, [each.id for each in found])
        return {
            "services": services.rendered(console.catalogue, console.directory, found, language, hers, staff),
            "service_count": count,
            "countries": services.countries(console.directory, language),
        }

    values = await asyncio.to_thread(read)
    return values | {
        "needs": services.NEEDS,
        "everywhere": EVERYWHERE,
        "asks": asks,
        "country": country,
        "need": need,
        "searched": words,
    }


async def directory(console: Console, request: Request, session: Session) -> Response:
    words = labels(console, request, session)
    values = await service_values(console, request, session, words.code, None)
    fragment = request.headers.get("hx-request") == "true"
    template = "service_list.html" if fragment else "directory.html"
    return console.render(request, session, template, words=words, case=None, hers="", **values)


async def staff(console: Console, request: Request, session: Session) -> Response:
    """What of a service only staff may see: a desk's direct line, whom to ask for."""
    key = str(request.path_params["id"])
    try:
        rows = await asyncio.to_thread(console.editing.for_staff, session.operator, key)
    except NotAllowed:
        raise HTTPException(404) from None
    found = await asyncio.to_thread(console.directory.get, key)
    shown = [[(name, str(row[name])) for name in FOR_STAFF if row.get(name)] for _, row in rows]
    return console.render(request, session, "service_staff.html", service=found, rows=[each for each in shown if each])


FOR_STAFF = ("number", "name", "title", "email", "address_1", "city", "description")
"""Fields of rows for staff that are shown."""

PAGES = [
    Page("GET", "/console/phrasebook", phrasebook, DESK),
    Page("GET", "/console/directory", directory, EVERYBODY),
    Page("GET", "/console/directory/{id}", staff, DESK),
]
