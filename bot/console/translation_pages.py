"""How far the translations are: what of each language is translated, and what a native speaker has reviewed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from bot.console.app import EVERYBODY, Page
from bot.text import locales

if TYPE_CHECKING:
    from bot.console.app import Console
    from bot.staff.sessions import Session


async def translations(console: Console, request: Request, session: Session) -> Response:
    """A language a row, a class of texts a column."""
    found = await asyncio.to_thread(locales.status)
    return console.render(request, session, "translations.html", languages=found, kinds=locales.CLASSES)


PAGES = [Page("GET", "/console/translations", translations, EVERYBODY)]
