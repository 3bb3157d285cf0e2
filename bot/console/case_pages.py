"""One case: the conversation, the phrasebook and services beside it, and what can be done with it.

Every form works by itself (POST, redirect, GET). With scripts the same forms answer with the new lines only.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.console import security
from bot.console.app import DESK, Page
from bot.console.queue_pages import MESSAGES, case_id, labels, refused_text
from bot.console.search_pages import asked, service_values
from bot.handoff.desk import REASONS, Refused

if TYPE_CHECKING:
    from bot.console.app import Console
    from bot.handoff.desk import CaseView
    from bot.staff.sessions import Session

PROLONG_DAYS = (7, 14, 30)
PANELS = ("chat", "phrases", "referral", "case")


def once(key: str, kind: str, content: str) -> str:
    """Return the key under which the desk takes something once.

    A form's key comes again in a retry, and perhaps with another text, when somebody goes back to an old page: that
    is another message, so the content belongs to the key.
    """
    key = key or secrets.token_urlsafe(16)
    return hashlib.sha256(f"{key}\0{kind}\0{content}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def version(view: CaseView) -> str:
    """Return a short name of what the panels depend on, so that the page fetches them anew only when it changes."""
    entry = view.entry
    parts = (
        entry.state, entry.owner, entry.offered_to, entry.followers, entry.deletes_at, view.may_write,
        [(colleague.id, state) for colleague, state in view.colleagues], view.teams, view.sending_allowed_now,
    )  # fmt: skip
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def case_values(console: Console, request: Request, session: Session, view: CaseView) -> dict[str, Any]:
    """Return what case.html and its fragments need of the case itself."""
    me = session.operator.id
    entry = view.entry
    return {
        "words": labels(console, request, session),
        "case": entry.id,
        "entry": entry,
        "view": view,
        "hers": view.entry.language,
        "version": version(view),
        "mine_language": session.operator.language,
        "groups": console.desk.groups(session),
        "key": secrets.token_urlsafe(16),
        "mine": entry.owner == me,
        "offered_to_me": entry.offered_to == me,
        "reasons": REASONS,
        "prolong_days": PROLONG_DAYS,
    }


async def _page(
    console: Console, request: Request, session: Session, status: int = 200, problem: str = "", **typed: str
) -> Response:
    """Return the whole page. `typed`: what stood in a form that was refused, so that nothing is lost."""
    view = await asyncio.to_thread(console.desk.view, session, case_id(request))
    values = case_values(console, request, session, view)
    words = values["words"]
    query, group = asked(request, "q"), asked(request, "group")
    summary = view.entry.summary
    services = await service_values(
        console, request, session, words.code, values["hers"],
        country=(summary.country or "") if summary else "", need=(summary.need or "") if summary else "",
    )  # fmt: skip
    done = request.query_params.get("done", "")
    panel = asked(request, "panel")
    return console.render(
        request,
        session,
        "case.html",
        status,
        problem=problem,
        done=words.text(done) if done in MESSAGES else "",
        typed={"text": "", "note": "", "reason": "", **typed},
        panel=panel if panel in PANELS else "chat",
        phrases=console.desk.phrases(session, view.entry.id, query, group),
        query=query,
        group=group,
        presence=console.desk.presence(session),
        **values,
        **services,
    )


async def case(console: Console, request: Request, session: Session) -> Response:
    return await _page(console, request, session)


async def _lines(
    console: Console, request: Request, session: Session, after: str, known: str, done: str = ""
) -> Response:
    """Return the lines after `after`, and beside them what else has changed since the page had version `known`."""
    view = await asyncio.to_thread(console.desk.view, session, case_id(request), _number(after))
    values = case_values(console, request, session, view)
    response = console.render(
        request, session, "case_news.html", changed=known != values["version"], done=done,
        typed={"text": "", "note": "", "reason": ""}, **values,
    )  # fmt: skip
    response.headers["X-CSRF"] = session.csrf  # a page whose session ended goes on in a new one with what was typed
    response.headers["X-Operator"] = session.operator.id
    return response


async def lines(console: Console, request: Request, session: Session) -> Response:
    """The new lines, for the page's script."""
    return await _lines(console, request, session, asked(request, "after"), asked(request, "version"))


async def phrase_list(console: Console, request: Request, session: Session) -> Response:
    """The phrases that fit what is typed, for the page's script."""
    identity, query, group = case_id(request), asked(request, "q"), asked(request, "group")
    found = console.desk.phrases(session, identity, query, group)
    view = console.desk.view(session, identity, 2**31)
    values = case_values(console, request, session, view)
    return console.render(request, session, "phrase_list.html", phrases=found, query=query, group=group, **values)


async def service_list(console: Console, request: Request, session: Session) -> Response:
    """The services that fit, for the page's script."""
    view = console.desk.view(session, case_id(request), 2**31)
    values = case_values(console, request, session, view)
    found = await service_values(console, request, session, values["words"].code, values["hers"])
    return console.render(request, session, "service_list.html", **values, **found)


Act = Callable[["Console", "Session", str, dict[str, str]], Awaitable[Any]]


def posting(act: Act, done: str, back: str = "case", panel: str = "") -> Callable[..., Awaitable[Response]]:
    """Return an endpoint that does `act` and shows `done`; refused, it shows why, with all that was typed."""

    async def post(console: Console, request: Request, session: Session) -> Response:
        fields = await console.form(request)
        script = security.wants_fragment(request)
        try:
            await act(console, session, case_id(request), fields)
        except Refused as error:
            if script:
                raise  # the console answers with a fragment for the page's alerts; the page keeps what was typed
            problem = refused_text(labels(console, request, session), error)
            typed = {name: fields[name] for name in ("text", "note", "reason") if name in fields}
            return await _page(console, request, session, 409, problem, **typed)
        if script and back != "case":
            return Response(headers={"HX-Redirect": f"/console/{back}"})
        if script:
            words = labels(console, request, session)
            return await _lines(
                console, request, session, fields.get("after", ""), fields.get("version", ""), words.text(done)
            )
        if back != "case":
            return RedirectResponse(f"/console/{back}", status_code=303)
        place = f"?panel={panel}&done={done}" if panel else f"?done={done}"
        return RedirectResponse(f"/console/case/{case_id(request)}{place}#end", status_code=303)

    return post


async def _say(console: Console, session: Session, case: str, fields: dict[str, str]) -> None:
    text = fields.get("text", "")
    await console.desk.say(session, case, text, once(fields.get("key", ""), "text", text))


async def _say_phrase(console: Console, session: Session, case: str, fields: dict[str, str]) -> None:
    phrase = fields.get("phrase", "")
    await console.desk.say_phrase(session, case, phrase, once(fields.get("key", ""), "phrase", phrase))


async def _say_service(console: Console, session: Session, case: str, fields: dict[str, str]) -> None:
    service = fields.get("service", "")
    await console.desk.say_service(session, case, service, once(fields.get("key", ""), "service", service))


async def _send_again(console: Console, session: Session, case: str, fields: dict[str, str]) -> None:
    await console.desk.send_again(session, case, _number(fields.get("seq", "")))


async def _note(console: Console, session: Session, case: str, fields: dict[str, str]) -> None:
    await console.desk.note(session, case, fields.get("note", ""))


async def _offer(console: Console, session: Session, case: str, fields: dict[str, str]) -> None:
    await console.desk.offer(session, case, fields.get("operator", ""))


async def _transfer_team(console: Console, session: Session, case: str, fields: dict[str, str]) -> None:
    await console.desk.transfer_team(session, case, fields.get("team", ""))


async def _hand_back(console: Console, session: Session, case: str, fields: dict[str, str]) -> None:
    await console.desk.hand_back(session, case)


async def _close(console: Console, session: Session, case: str, fields: dict[str, str]) -> None:
    seen = _number(fields.get("seen", ""))
    await console.desk.close(session, case, fields.get("why", ""), bool(fields.get("hard")), seen)


async def _prolong(console: Console, session: Session, case: str, fields: dict[str, str]) -> None:
    await console.desk.prolong(session, case, _number(fields.get("days", "")), fields.get("reason", ""))


async def _follow(console: Console, session: Session, case: str, fields: dict[str, str]) -> None:
    await console.desk.follow(session, case)


async def _unfollow(console: Console, session: Session, case: str, fields: dict[str, str]) -> None:
    await console.desk.unfollow(session, case)


def _number(value: str) -> int:
    """Return a number of a form or an address; 0 for what is none."""
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 10 else 0


async def typing(console: Console, request: Request, session: Session) -> Response:
    """The operator is writing. A ping that comes too late is worth nothing, so nothing is told about it."""
    await console.desk.typing(session, case_id(request))
    return Response(status_code=204)


CASE = "/console/case/{id}"
PAGES = [
    Page("GET", CASE, case, DESK),
    Page("GET", f"{CASE}/lines", lines, DESK, automatic=True),
    Page("GET", f"{CASE}/phrases", phrase_list, DESK),
    Page("GET", f"{CASE}/services", service_list, DESK),
    Page("POST", f"{CASE}/say", posting(_say, "sent"), DESK),
    Page("POST", f"{CASE}/phrase", posting(_say_phrase, "sent", panel="phrases"), DESK),
    Page("POST", f"{CASE}/service", posting(_say_service, "sent", panel="referral"), DESK),
    Page("POST", f"{CASE}/again", posting(_send_again, "sent"), DESK),
    Page("POST", f"{CASE}/note", posting(_note, "note_saved"), DESK),
    Page("POST", f"{CASE}/typing", typing, DESK),
    Page("POST", f"{CASE}/offer", posting(_offer, "done", panel="case"), DESK),
    Page("POST", f"{CASE}/team", posting(_transfer_team, "done", back="queue"), DESK),
    Page("POST", f"{CASE}/back", posting(_hand_back, "done", back="queue"), DESK),
    Page("POST", f"{CASE}/close", posting(_close, "done", back="queue"), DESK),
    Page("POST", f"{CASE}/prolong", posting(_prolong, "prolonged", panel="case"), DESK),
    Page("POST", f"{CASE}/follow", posting(_follow, "done", panel="case"), DESK),
    Page("POST", f"{CASE}/unfollow", posting(_unfollow, "done", panel="case"), DESK),
]
