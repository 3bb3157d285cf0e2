"""The queue, the lists of cases, presence, the handover of a shift, and what was closed lately."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.console.app import DESK, Page
from bot.console.labels import Labels
from bot.handoff.cases import WAITING
from bot.handoff.desk import Refused

if TYPE_CHECKING:
    from bot.console.app import Console
    from bot.staff.accounts import Operator
    from bot.staff.sessions import Session

MOST_SHOWN = 50
"""Cases of the queue that the page shows; who waits behind them is counted."""

PRESENCES = ("duty", "break", "off")
MESSAGES = ("note_saved", "prolonged", "done", "sent", "held")
"""Texts that a page may be asked to show after a redirect (`?done=`)."""


def labels(console: Console, request: Request, session: Session) -> Labels:
    return Labels(console.catalogue, console.language(request, session))


def refused_text(words: Labels, error: Refused) -> str:
    """Return what to tell about something that the desk refused."""
    name = f"refused_{error.args[0]}"
    return words.text(name if f"utter_console_{name}" in words.catalogue else "refused_other")


def lists(console: Console, session: Session) -> dict[str, Any]:
    """Return the cases that this operator sees, sorted into those that wait, hers, those offered to her, the team's.

    Each list has the most urgent first, among equals who has waited longest. Raises Refused.
    """
    me = session.operator.id
    entries = console.desk.team_cases(session)
    waiting = [entry for entry in entries if entry.state == WAITING]
    return {
        "waiting": waiting[:MOST_SHOWN],
        "more": max(0, len(waiting) - MOST_SHOWN),
        "mine": [entry for entry in entries if entry.owner == me],
        "offered": [entry for entry in entries if entry.offered_to == me],
        "team": [entry for entry in entries if entry.state != WAITING and me not in (entry.owner, entry.offered_to)],
        "load": console.desk.load(session),
        "cap": session.operator.cap,
    }


def calls(console: Console, session: Session) -> dict[str, Any]:
    """Return what the header shows and the page's script beeps for."""
    called = console.desk.calls(session)
    return {
        "calling": called.waiting,
        "alerted": called.alerted,
        "alerted_alias": called.alias,
        "presence": console.desk.presence(session),
    }


def colleagues(console: Console, session: Session) -> list[tuple[Operator, str]]:
    return [each for each in console.desk.colleagues(session) if each[0].id != session.operator.id]


async def _queue(
    console: Console, request: Request, session: Session, status: int = 200, problem: str = ""
) -> Response:
    words = labels(console, request, session)
    found = lists(console, session)
    done = request.query_params.get("done", "")
    return console.render(
        request,
        session,
        "queue.html",
        status,
        words=words,
        problem=problem,
        done=words.text(done) if done in MESSAGES else "",
        colleagues=colleagues(console, session),
        **found,
        **calls(console, session),
    )


async def queue(console: Console, request: Request, session: Session) -> Response:
    return await _queue(console, request, session)


async def queue_lists(console: Console, request: Request, session: Session) -> Response:
    """The lists alone, for the page's script."""
    found = lists(console, session)
    words = labels(console, request, session)
    return console.render(
        request,
        session,
        "queue_lists.html",
        words=words,
        colleagues=colleagues(console, session),
        **found,
        **calls(console, session),
    )


async def presence(console: Console, request: Request, session: Session) -> Response:
    """The header's part about presence, for the page's script."""
    words = labels(console, request, session)
    return console.render(request, session, "presence_now.html", words=words, **calls(console, session))


async def set_presence(console: Console, request: Request, session: Session) -> Response:
    fields = await console.form(request)
    state = fields.get("state", "")
    if state in PRESENCES:
        await console.desk.set_presence(session, state)
    if fields.get("debriefed"):
        console.desk.debriefed(session)
    if request.headers.get("hx-request") == "true":
        return await presence(console, request, session)
    return RedirectResponse("/console/queue", status_code=303)


def case_id(request: Request) -> str:
    return str(request.path_params["id"])


async def take(console: Console, request: Request, session: Session) -> Response:
    return await _claim(console, request, session, console.desk.take)


async def accept(console: Console, request: Request, session: Session) -> Response:
    return await _claim(console, request, session, console.desk.accept)


async def _claim(console: Console, request: Request, session: Session, how: Any) -> Response:
    """Take a case and go to it; stay in the queue, and say why, where that is refused."""
    try:
        await how(session, case_id(request))
    except Refused as error:
        return await _queue(console, request, session, 409, refused_text(labels(console, request, session), error))
    return RedirectResponse(f"/console/case/{case_id(request)}", status_code=303)


async def decline(console: Console, request: Request, session: Session) -> Response:
    try:
        await console.desk.decline(session, case_id(request))
    except Refused as error:
        return await _queue(console, request, session, 409, refused_text(labels(console, request, session), error))
    return RedirectResponse("/console/queue", status_code=303)


async def shift(console: Console, request: Request, session: Session) -> Response:
    """What the next shift must know, to read or to print."""
    words = labels(console, request, session)
    found = lists(console, session)
    entries = [*found["mine"], *found["offered"], *found["waiting"], *found["team"]]
    notes = {entry.id: console.desk.last_note(session, entry.id) for entry in entries if entry.summary}
    given, left = (request.query_params.get(name, "") for name in ("given", "left"))
    done = ""
    if given.isdecimal() and left.isdecimal():
        name = "shift_given_some" if int(left) else "shift_given"
        done = words.text(name, count=int(given), left=int(left))
    return console.render(
        request, session, "shift.html", words=words, notes=notes, done=done, now=int(time.time()), **found,
        **calls(console, session),
    )  # fmt: skip


async def give_all(console: Console, request: Request, session: Session) -> Response:
    """Hand all cases of one operator to her team's queue."""
    given = left = 0
    for entry in lists(console, session)["mine"]:
        try:
            await console.desk.transfer_team(session, entry.id, session.operator.team)
            given += 1
        except Refused:
            left += 1
    return RedirectResponse(f"/console/shift?given={given}&left={left}", status_code=303)


async def closed(console: Console, request: Request, session: Session) -> Response:
    entries = console.desk.closed(session)
    words = labels(console, request, session)
    done = request.query_params.get("done", "")
    return console.render(
        request, session, "closed.html", words=words, entries=entries, done=words.text(done) if done in MESSAGES else ""
    )


PAGES = [
    Page("GET", "/console/queue", queue, DESK),
    Page("GET", "/console/queue/lists", queue_lists, DESK, automatic=True),
    Page("GET", "/console/presence", presence, DESK, automatic=True),
    Page("POST", "/console/presence", set_presence, DESK),
    Page("POST", "/console/case/{id}/take", take, DESK),
    Page("POST", "/console/case/{id}/accept", accept, DESK),
    Page("POST", "/console/case/{id}/decline", decline, DESK),
    Page("GET", "/console/shift", shift, DESK),
    Page("POST", "/console/shift/give", give_all, DESK),
    Page("GET", "/console/closed", closed, DESK),
]
