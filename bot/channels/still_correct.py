"""The "still correct" links of the directory's mails: without a login, without scripts, and telling nothing.

Looking at a link asks nobody anything, so that mail scanners that open every link confirm nothing, and the page is
the same for right, wrong, used and expired ones. Only the button does something; its answer is the same for all, too.
"""

from __future__ import annotations

import asyncio
import re
import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from sqlalchemy import Engine
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from bot.channels.web import HEADERS
from bot.directory.changes import Conflicts
from bot.directory.upkeep import PATH, follow
from bot.log import get_logger
from bot.text.catalogue import SOURCE_LANGUAGE, Catalogue
from bot.vault.vault import Vault

if TYPE_CHECKING:
    from jinja2 import Environment

log = get_logger(__name__)

TEXTS = ("title", "question", "correct", "changed")
LARGEST_BODY = 1024
WRONG_A_MINUTE = 60
"""Links that are none, from everybody together; then nothing is looked up for the rest of the minute."""
_TOKEN = re.compile(r"[\w-]{43}", re.ASCII)


class StillCorrect:
    """The page and its two buttons."""

    def __init__(self, database: Engine, vault: Vault, catalogue: Catalogue) -> None:
        self.database = database
        self.vault = vault
        self.catalogue = catalogue
        self._wrong: tuple[int, int] = (0, 0)
        """The minute, and the wrong links in it."""

    @cached_property
    def pages(self) -> Environment:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined

        return Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
        )

    def routes(self) -> list[BaseRoute]:
        path = PATH + "{token}"
        return [Route(path, self.page, methods=["GET"]), Route(path, self.answer, methods=["POST"])]

    async def page(self, request: Request) -> Response:
        return self._html(request)

    async def answer(self, request: Request) -> Response:
        """Use the link. Whatever it was, the words are the same."""
        body = b""
        try:
            async for chunk in request.stream():
                body += chunk
                if len(body) > LARGEST_BODY:
                    return self._html(request, "asked", 413)
        except ClientDisconnect:
            return Response(status_code=400, headers=HEADERS)
        token, minute = request.path_params["token"], int(time.time()) // 60
        if self._wrong[0] != minute:
            self._wrong = (minute, 0)
        if self._wrong[1] >= WRONG_A_MINUTE:
            response = self._html(request, "later", 429)
            response.headers["Retry-After"] = "60"
            return response
        answer = _answer(body)
        if answer not in ("correct", "changed"):
            return self._html(request, status=400)
        known = bool(_TOKEN.fullmatch(token)) and await asyncio.to_thread(self._follow, token, answer == "correct")
        if not known:
            self._wrong = (minute, self._wrong[1] + 1)
        return self._html(request, "thanks")

    def _follow(self, token: str, correct: bool) -> bool:
        try:
            with self.database.begin() as connection:
                return follow(connection, self.vault, token, correct, int(time.time()))
        except Conflicts:  # somebody has changed the entry at this very moment: the link stays good
            log.warning("still_correct_conflict")
            return True

    def _html(self, request: Request, said: str = "", status: int = 200) -> HTMLResponse:
        language = self._language(request)

        def text(name: str) -> str:
            return self.catalogue.text(f"utter_still_{name}", language)

        page = self.pages.get_template("still.html").render(
            language=language,
            direction=self.catalogue.languages[language].direction,
            texts={name: text(name) for name in TEXTS},
            said=text(said) if said else "",
        )
        return HTMLResponse(page, status, headers={**HEADERS, "X-Robots-Tag": "noindex"})

    def _language(self, request: Request) -> str:
        asked = (each.partition(";")[0].strip() for each in request.headers.get("accept-language", "").split(","))
        codes = (tag.partition("-")[0].lower() for tag in asked)
        return next((code for code in codes if code in self.catalogue.languages), SOURCE_LANGUAGE)


def _answer(body: bytes) -> str:
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=10)).get("answer", "")
    except ValueError:
        return ""
