"""The web chat: one page that works with and without scripts, without cookies, from this server alone.

The page holds a random secret that names the conversation; it dies with the page. Leaving never waits for us.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections import OrderedDict
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from bot.conversation import cover
from bot.conversation.effects import EUROPE
from bot.conversation.router import PULL_SECONDS, Router
from bot.conversation.turn import Choice, Kind, Message, Turn
from bot.text.catalogue import END_ISOLATE, ISOLATE, Catalogue, isolate
from bot.vault.vault import Vault

if TYPE_CHECKING:
    from jinja2 import Environment

CHANNEL = "web"
FOLDER = Path(__file__).parent
LARGEST_BODY = 32_768
ANSWERS_KEPT = 500
AT_ONCE = 64
"""Requests answered at the same time; more wait their turn."""

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_SECRET = re.compile(r"[\w-]{32,64}", re.ASCII)
_ISOLATED = re.compile(f"{ISOLATE}([^{END_ISOLATE}]*){END_ISOLATE}|(\n)")
_NUMBER = re.compile(r"\+?[\d ()./-]{2,}")
_BARE = re.compile(f"[{ISOLATE}{END_ISOLATE}]")
MOST_SHOWN = 200
COVER_TEXTS = ("title", "amount", "unit", "convert")
INTERFACE = ("title", "placeholder", "send", "typing", "you", "exit_hint", "privacy")


@dataclass(frozen=True)
class Part:
    """A run of a message's text: plain, a line break, something to tap, or foreign letters to keep apart."""

    kind: str
    text: str = ""
    href: str = ""


def parts(text: str) -> list[Part]:
    """Return `text` as runs; isolated phone numbers and addresses become links."""
    runs, position = [], 0
    for match in _ISOLATED.finditer(text):
        if match.start() > position:
            runs.append(Part("text", text[position : match.start()]))
        position = match.end()
        inner = match[1]
        if inner is None:
            runs.append(Part("break"))
        elif _NUMBER.fullmatch(inner):
            runs.append(Part("link", inner, "tel:" + re.sub(r"[^\d+]", "", inner)))
        elif inner.startswith(("https://", "http://")):
            runs.append(Part("link", inner.partition("://")[2].rstrip("/"), inner))
        else:
            runs.append(Part("isolate", inner))
    if position < len(text):
        runs.append(Part("text", text[position:]))
    return runs


class WebChat:
    """The page, its endpoint, and the innocent page that one leaves to."""

    def __init__(self, router: Router, catalogue: Catalogue, vault: Vault) -> None:
        self.router = router
        self.catalogue = catalogue
        self.vault = vault
        self.room = asyncio.Semaphore(AT_ONCE)
        self._answers: OrderedDict[str, tuple[int, dict[str, Any]]] = OrderedDict()
        """The last answer of a few conversations, in memory only, for a page that did not receive it."""

    @cached_property
    def pages(self) -> Environment:
        """The pages' templates; imported with the first page, for the answers to its script do without."""
        from jinja2 import Environment, FileSystemLoader, StrictUndefined

        return Environment(
            loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/", self.page, methods=["GET"]),
            Route("/", self.turn, methods=["POST"]),
            Route("/leave", self.leave, methods=["POST"]),
            Route("/news", self.news, methods=["POST"]),
            Route("/units", self.units, methods=["GET"]),
            Mount("/static", _Static(directory=FOLDER / "static")),
        ]

    def _language(self, request: Request) -> str:
        """Return the first supported language that the browser asks for, or English."""
        asked = [each.partition(";")[0].strip() for each in request.headers.get("accept-language", "").split(",")]
        asked.insert(0, request.query_params.get("language", ""))
        return next((code for code in map(self.router.supported, asked) if code), "en")

    async def page(self, request: Request) -> Response:
        """The opening. It is the same for everybody, so nothing is stored for looking at it."""
        language = self._language(request)
        messages = [self._message(message) for message in self.router.opening(language)]
        return self._html(language, messages, secrets.token_urlsafe(32))

    async def turn(self, request: Request) -> Response:
        """Answer what was written or tapped; as JSON for the page's script, as a page otherwise."""
        as_json = "application/json" in request.headers.get("accept", "")
        fields = await self._fields(request)
        conversation, text, token = (str(fields.get(name) or "") for name in ("conversation", "text", "choice"))
        if not _SECRET.fullmatch(conversation):
            raise HTTPException(400, "conversation: expected the secret that the page holds; open the page anew")
        turn = Turn(
            channel=CHANNEL,
            address=conversation,
            kind=Kind.BUTTON if token else Kind.TEXT,
            content=token or text,
            device_language=str(fields.get("language") or "") or self._language(request),
            unique=_number(fields.get("turn")),
            opened=True,
        )
        async with self.room, self.router.answer(turn) as reply:
            pass
        if reply is None:  # the page asks again because the answer was lost on the way
            kept = self._answers.get(conversation)
            if kept and kept[0] == turn.unique:
                return JSONResponse(kept[1], headers=HEADERS)
            raise HTTPException(409, "this was answered already")
        if as_json:
            answer = {
                "messages": [self._message(message) for message in reply.messages],
                "language": reply.language,
                "direction": reply.direction,
                "interface": self._interface(reply.language, reply.covered),
                "ended": reply.ended,
                "cover": reply.cover,
                "cleared": reply.cleared,
                "hide": reply.hide,
                "covered": reply.covered,
                "with_staff": reply.with_staff,
                "silent": reply.silent,
                "hide_after": None
                if reply.hide_after is None
                else {"seconds": reply.hide_after, "token": self.router.hide_token},
            }
            if reply.ended or reply.covered:
                self._answers.pop(conversation, None)
            elif turn.unique is not None:
                self._answers[conversation] = (turn.unique, answer)
                while len(self._answers) > ANSWERS_KEPT:
                    self._answers.popitem(last=False)
            return JSONResponse(answer, headers=HEADERS)
        if reply.cover and reply.ended:
            return RedirectResponse("/units", status_code=303, headers=HEADERS)
        conversation = secrets.token_urlsafe(32) if reply.ended else conversation
        shown = "" if reply.hide else text
        messages = [self._message(message) for message in reply.messages]
        status = None
        if reply.with_staff and not (reply.ended or reply.covered):
            news = await self.router.news(CHANNEL, conversation, [], "", 0)
            status = news.status if news else None
            messages += [self._message(each) for _, line in (news.lines if news else []) for each in line.messages]
            if news:  # this page shows them: there is no script to say so
                await self.router.news(CHANNEL, conversation, [token for token, _ in news.lines], "", 0)
        return self._html(reply.language, messages, conversation, shown, reply.covered, status)

    async def news(self, request: Request) -> Response:
        """What staff have written, for a page that asks: at once where there is something, else after a while."""
        fields = await self._fields(request)
        conversation = str(fields.get("conversation") or "")
        shown = fields.get("shown")
        if not _SECRET.fullmatch(conversation) or not isinstance(shown, list):
            raise HTTPException(400, "expected conversation, shown (a list of tokens) and status")
        tokens = [str(each) for each in shown[:MOST_SHOWN]]
        news = await self.router.news(CHANNEL, conversation, tokens, str(fields.get("status") or ""), PULL_SECONDS)
        if news is None:
            return Response(status_code=204, headers=HEADERS)
        lines = [
            {"token": token, "messages": [self._message(each) for each in line.messages], "language": line.language}
            for token, line in news.lines
        ]
        return JSONResponse({"lines": lines, "status": news.status}, headers=HEADERS)

    async def leave(self, request: Request) -> Response:
        """Forget the conversation that the page has left."""
        fields = await self._fields(request)
        conversation = str(fields.get("conversation") or "")
        if _SECRET.fullmatch(conversation):
            self._answers.pop(conversation, None)
            await self.router.forget(CHANNEL, conversation)
        return Response(status_code=204, headers=HEADERS)

    async def units(self, request: Request) -> Response:
        """The converter that one leaves to: the same for everybody, used before or not."""
        language = self._language(request)
        asked = request.query_params.get("amount", "")[:40]
        chosen = request.query_params.get("unit", "")
        conversion = cover.read(f"{asked} {chosen}", tuple(self.catalogue.languages)) if asked.strip() else None
        page = self.pages.get_template("units.html").render(
            language=language,
            direction=self.catalogue.languages[language].direction,
            texts={name: self.catalogue.text(f"utter_web_cover_{name}", language) for name in COVER_TEXTS},
            amount=asked,
            chosen=chosen,
            units=cover.choices(language),
            result=conversion.text(language) if conversion else None,
            tables=[(cover.title(each, language), cover.table(each, language).splitlines()) for each in cover.TABLES],
        )
        return HTMLResponse(page, headers=HEADERS)

    async def _fields(self, request: Request) -> dict[str, Any]:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_BODY:
                raise HTTPException(413, "that is too long: send a short message")
        if request.headers.get("content-type", "").startswith("application/json"):
            request_fields = _json(body)
        else:
            request_fields = _form(body)
        return request_fields

    def _message(self, message: Message) -> dict[str, Any]:
        language = self.catalogue.languages.get(message.language or "")
        return {
            "parts": [
                {name: value for name, value in (("kind", p.kind), ("text", p.text), ("href", p.href)) if value}
                for p in parts(message.text)
            ],
            "choices": [{"title": choice.title, "token": choice.token} for choice in message.choices],
            "language": message.language,
            "direction": language.direction if language else "auto" if message.language else None,
            "card": asdict(message.card) if message.card else None,
            "sender": _BARE.sub("", message.sender) if message.sender else None,
        }

    def _interface(self, language: str, covered: bool = False) -> dict[str, str]:
        """Return the page's own words; while the chat is hidden, none of them tells what it is."""
        texts = {name: self.catalogue.text(f"utter_web_{name}", language) for name in INTERFACE}
        texts["exit"] = self.catalogue.text("utter_exit", language)
        texts["sent"] = self.catalogue.text("utter_handover_sent", language)
        texts["offline"] = self.catalogue.text("utter_web_offline", language, numbers=isolate(EUROPE))
        if covered:
            texts |= {"title": self.catalogue.text("utter_web_cover_title", language), "typing": "", "offline": "…"}
        return texts

    def _html(
        self,
        language: str,
        messages: list[dict[str, Any]],
        conversation: str,
        text: str = "",
        covered: bool = False,
        status: dict[str, Any] | None = None,
    ) -> HTMLResponse:
        choices = [
            Choice(each.name, self.vault.token(f"!language:{each.code}")) for each in self.catalogue.languages.values()
        ]
        page = self.pages.get_template("chat.html").render(
            language=language,
            direction=self.catalogue.languages[language].direction,
            covered=covered,
            choose_language=self.catalogue.text("utter_choose_language", language),
            no_script=self.catalogue.text("utter_web_no_script", language),
            interface=self._interface(language, covered),
            languages=choices,
            exit=self.vault.token("!exit"),
            privacy=self.vault.token("/ask_privacy"),
            messages=messages,
            conversation=conversation,
            text=text,
            status=status,
            look=Choice(self.catalogue.text("utter_handover_look", language), self.vault.token("!look")),
        )
        return HTMLResponse(page, headers=HEADERS)


class _Static(StaticFiles):
    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers.update({name: value for name, value in HEADERS.items() if name != "Cache-Control"})
        return response


def _number(value: Any) -> int | None:
    """Return the number by which the page tells its turns apart, where it sent one."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**53 else None


def _json(body: bytes) -> dict[str, Any]:
    import json

    try:
        fields = json.loads(body)
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        raise HTTPException(400, "expected a JSON object with conversation and text or choice")
    return {name: _whole(value) if isinstance(value, str) else value for name, value in fields.items()}


def _whole(text: str) -> str:
    """Return `text` with a mark for each half of a character, which no page could show to an operator."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _form(body: bytes) -> dict[str, Any]:
    from urllib.parse import parse_qsl

    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, errors="replace", max_num_fields=20))
