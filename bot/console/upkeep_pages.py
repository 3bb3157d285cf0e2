"""Keeping the directory true: the list of entries to review, the call round, and where help is missing."""

from __future__ import annotations

import asyncio
import time
from datetime import date, datetime, timezone
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.console.app import EVERYBODY, Page
from bot.console.queue_pages import labels
from bot.directory import health, upkeep
from bot.directory.ages import DUE, FRESH, HIDDEN, WARNED
from bot.directory.calls import CallRound, Gone
from bot.directory.changes import Author, Conflicts
from bot.directory.exchange.writing import write_csv
from bot.directory.flags import OUTCOMES, open_flags
from bot.directory.flags import warned as has_warning
from bot.directory.models import EditorOrganization, Organization, ServiceEntry
from bot.staff.accounts import Role

if TYPE_CHECKING:
    from bot.console.app import Console
    from bot.staff.sessions import Session

KEEPERS = frozenset({Role.EDITOR, Role.SUPERVISOR})
FLAGGED = "flagged"
STATES = (FLAGGED, DUE, WARNED, HIDDEN)
MOST_SHOWN = 100
SAID = ("confirmed", "kept")


def _today() -> date:
    return datetime.now(timezone.utc).date()


def _organizations(connection: Connection, session: Session) -> list[str] | None:
    """Return the organisations whose entries somebody keeps; None: all."""
    if session.operator.role is Role.SUPERVISOR:
        return None
    mine = select(EditorOrganization.organization_id).where(EditorOrganization.operator_id == session.operator.id)
    return list(connection.scalars(mine))


async def review(console: Console, request: Request, session: Session) -> Response:
    """The entries that need somebody's eyes, what was found wrong first."""
    asked = request.query_params.get("state", "")
    ages, today = console.directory.ages, _today()

    def read() -> dict[str, Any]:
        with console.directory.engine.connect() as connection:
            mine = _organizations(connection, session)
            every = (FRESH, DUE, WARNED, HIDDEN)
            flags = open_flags(connection)
            flagged: list[upkeep.Aged] = []
            keys = list(flags)
            for start in range(0, len(keys), 500):
                flagged += upkeep.aged(connection, ages, today, every, mine, keys[start : start + 500])
            counts = upkeep.counts(connection, ages, today, mine) | {FLAGGED: len(flagged)}
            state = asked if asked in STATES else next((each for each in STATES if counts[each]), DUE)
            if state == FLAGGED:
                entries = flagged[:MOST_SHOWN]
            else:
                entries = upkeep.aged(connection, ages, today, (state,), mine, most=MOST_SHOWN)
            keys = list({each.organization_id for each in entries if each.organization_id})
            names = select(Organization.id, Organization.name).where(Organization.id.in_(keys))
            return {
                "entries": entries,
                "counts": counts,
                "state": state,
                "flags": {key: [each.outcome for each in found] for key, found in flags.items()},
                "warned": {key for key, found in flags.items() if has_warning(found)},
                "organizations": {row.id: row.name for row in connection.execute(names)},
            }

    values = await asyncio.to_thread(read)
    said = request.query_params.get("done", "")
    return console.render(
        request, session, "review.html", words=labels(console, request, session), states=STATES,
        done=said if said in SAID else "", **values,
    )  # fmt: skip


async def confirmed(console: Console, request: Request, session: Session) -> Response:
    """Somebody of the editors has found an entry correct today."""
    service = request.path_params["id"]

    def write() -> bool:
        with console.directory.engine.begin() as connection:
            mine = _organizations(connection, session)
            owner = connection.execute(
                select(ServiceEntry.organization_id).where(ServiceEntry.service_id == service).limit(1)
            ).first()
            if owner is None or (mine is not None and owner.organization_id not in mine):
                return False
            return upkeep.confirm(connection, console.vault, service, Author(session.operator.id), _today())

    try:
        if not await asyncio.to_thread(write):
            raise HTTPException(404)
    except Conflicts:
        return console.refusal(request, session, "review_conflict")
    return RedirectResponse("/console/review?done=confirmed", status_code=303)


def _round(console: Console) -> CallRound:
    return CallRound(console.directory.engine, console.vault, console.directory.ages)


async def call_round(console: Console, request: Request, session: Session) -> Response:
    """One number to ring, and what to ask."""
    now, calls = int(time.time()), _round(console)

    def read() -> dict[str, Any]:
        return {
            "task": calls.next(session.operator.id, now),
            "progress": calls.progress(session.operator.id, now),
        }

    values = await asyncio.to_thread(read)
    said = request.query_params.get("done", "")
    return console.render(
        request, session, "round.html", words=labels(console, request, session), outcomes=OUTCOMES,
        done=said if said in SAID else "", **values,
    )  # fmt: skip


async def rung(console: Console, request: Request, session: Session) -> Response:
    """How a call ended."""
    outcome = (await console.form(request)).get("outcome", "")
    if outcome not in OUTCOMES:
        raise HTTPException(400)
    try:
        done = await asyncio.to_thread(
            _round(console).report, session.operator.id, request.path_params["id"], outcome, int(time.time())
        )
    except (Gone, Conflicts):
        return console.refusal(request, session, "round_gone")
    return RedirectResponse(f"/console/round?done={'confirmed' if done else 'kept'}", status_code=303)


def _filters(request: Request) -> tuple[str, str]:
    """Return the language and the region that a health page is asked for."""
    language = request.query_params.get("language", "")
    region = request.query_params.get("region", "")
    return (
        language if language.isascii() and language.isalnum() and len(language) <= 8 else "",
        region if region in health.REGIONS else "",
    )


def _covered(console: Console, language: str, region: str) -> tuple[health.Coverage, list[str]]:
    with console.directory.engine.connect() as connection:
        found = health.coverage(connection, console.directory.ages, _today(), language, region)
        return found, health.languages(connection)


async def health_page(console: Console, request: Request, session: Session) -> Response:
    """Where help is missing: a row for each country, a column for each need."""
    language, region = _filters(request)
    found, spoken = await asyncio.to_thread(_covered, console, language, region)
    words = labels(console, request, session)
    return console.render(
        request, session, "health.html", words=words, found=found, regions=health.REGIONS, region=region,
        chosen=language, spoken=sorted(((code, words.language(code)) for code in spoken), key=lambda each: each[1]),
    )  # fmt: skip


async def health_csv(console: Console, request: Request, session: Session) -> Response:
    """The matrix as a file for a spreadsheet."""
    found, _ = await asyncio.to_thread(_covered, console, *_filters(request))
    return Response(
        write_csv(health.as_rows(found)),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="coverage.csv"'},
    )


PAGES = [
    Page("GET", "/console/review", review, KEEPERS),
    Page("POST", "/console/review/{id}", confirmed, KEEPERS),
    Page("GET", "/console/round", call_round, EVERYBODY),
    Page("POST", "/console/round/{id}", rung, EVERYBODY),
    Page("GET", "/console/health", health_page, EVERYBODY),
    Page("GET", "/console/health/csv", health_csv, EVERYBODY),
]
