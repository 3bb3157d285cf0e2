"""Server-sent events: what has changed, for the open pages of one session. Names and case ids, never a text."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from bot.console.app import DESK, Page

if TYPE_CHECKING:
    from bot.console.app import Console
    from bot.staff.sessions import Session

PING_SECONDS = 15.0
RETRY_MILLISECONDS = 2000
ENDED = "ended"


def event(name: str, data: str = "") -> bytes:
    """Return one event of the stream. Neither part may hold a line break: they are our own names and ids."""
    return f"event: {name}\ndata: {data}\n\n".encode()


async def stream(console: Console, request: Request, session: Session) -> AsyncIterator[bytes]:
    """Yield events until the session is over; a comment now and then, so that a dead connection is noticed."""
    yield f"retry: {RETRY_MILLISECONDS}\n: here\n\n".encode()
    events = console.desk.events(session)
    following: asyncio.Future[tuple[str, str]] | None = None
    try:
        while True:
            following = following or asyncio.ensure_future(anext(events, (ENDED, "")))
            await asyncio.wait({following}, timeout=PING_SECONDS)
            if session.closed:
                break
            if not following.done():
                if console.session(request, touch=False) is not session:
                    break
                yield b": still here\n\n"
                continue
            name, data = following.result()
            following = None
            if name == ENDED:
                break
            yield event(name, data)
        yield event(ENDED)
    finally:
        if following is not None:
            following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await following
        close = getattr(events, "aclose", None)
        if close is not None:
            await close()


async def listen(console: Console, request: Request, session: Session) -> Response:
    """GET /console/events."""
    return StreamingResponse(
        stream(console, request, session),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},  # nginx hands each event on at once
    )


PAGES = [Page("GET", "/console/events", listen, DESK, automatic=True)]
