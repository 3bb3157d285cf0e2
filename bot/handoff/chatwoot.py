"""Handing over to a helpdesk that is already there: Chatwoot, through an inbox of its kind "API".

What the person writes is posted as an incoming message; what agents answer is read from Chatwoot's API. Chatwoot's
deliveries (webhooks) are taken as a bell only, for they may come twice, in another order, or never: at each ring, and
every few minutes without one, what is newer than the last known message is read, in the order of its ids. So nothing
that a delivery says ever reaches a person, and a forged or repeated one does no more than make us look.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import html
import json
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.handoff.helpdesk import HelpdeskUnreachable
from bot.log import get_logger
from bot.settings import Secret

log = get_logger(__name__)

PATH = "/chatwoot"
STATES = ("open", "pending", "resolved", "snoozed")
STATUS_EVENTS = ("conversation_status_changed", "conversation_resolved", "conversation_opened")
LARGEST_DELIVERY = 65_536
OLDEST_DELIVERY = 300
"""Seconds between a delivery's timestamp and our clock, either way."""
PATIENCE = 5.0
"""Seconds for one request and all its retries."""
PATIENCE_AT_THE_BELL = 3.0
"""The same while Chatwoot waits for our answer: it gives up after five."""
ONE_TRY = 2.5
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 60.0
GIVE_UP_AFTER = 3
"""So many conversations that could not be read, and the others are not tried: Chatwoot is down."""
SWEEP_SECONDS = 120.0
"""Between two looks at everything that is open, for deliveries that never came."""
LATE = 100
"""Ids below the highest known one where we look again: of two messages written at once, that with the lower id may
become visible last."""
SMALLEST_PAGE = 20
"""Chatwoot lists so many messages at once, or more: fewer are the last ones."""
LONGEST_NAME = 40
_AGAIN = (408, 425, 429, 500, 502, 503, 504)


class HelpdeskRefused(HelpdeskUnreachable):
    """Chatwoot said no, and will again: `status` is 401 for a token without the right, 404 for a conversation that is
    gone, 422 for something it does not take, 0 for an answer that can't be read."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status = status


@dataclass(frozen=True, repr=False)
class Incoming:
    """What an agent wrote to the person."""

    id: int
    name: str
    text: str
    attachments: int
    """How many files came with it; they are not passed on."""


MessageHandler = Callable[[str, str, str, int], Awaitable[None]]
StatusHandler = Callable[[str, str], Awaitable[None]]
TypingHandler = Callable[[str], Awaitable[None]]


class _Again(Exception):
    """One try failed. `unsure`: Chatwoot may have done it all the same."""

    def __init__(self, unsure: bool, wait: float = 0.0) -> None:
        super().__init__()
        self.unsure = unsure
        self.wait = wait


@dataclass(repr=False)
class _Followed:
    """One conversation in Chatwoot that stands for a case."""

    case: str
    external: str
    floor: int
    """Everything up to this id was dealt with before we began to follow."""
    status: str
    highest: int = 0
    seen: set[int] = field(default_factory=set)
    """Ids above the floor that were dealt with."""
    receiving: asyncio.Lock = field(default_factory=asyncio.Lock)
    sending: asyncio.Lock = field(default_factory=asyncio.Lock)
    changing: int = 0
    changed: int = 0
    """Our own changes of its status: how many are under way, and how many there were."""


class Chatwoot:
    """One API inbox of one account.

    `on_message(case, name, text, id)` gets each message of an agent once, in order, and is asked again where it
    raises. It keeps the id in the same transaction as the text, and gives the highest to `follow` after a restart.
    `on_status(case, status)` hears of changes that were not ours. `on_typing(case)` hears that an agent is writing.
    `attachment_note` tells an agent that a file was not passed on.
    """

    def __init__(
        self,
        url: str,
        account: int,
        inbox: int,
        token: Secret,
        webhook_secret: Secret,
        on_message: MessageHandler,
        on_status: StatusHandler,
        attachment_note: str = "",
        on_typing: TypingHandler | None = None,
        patience: float = PATIENCE,
        sweep_seconds: float = SWEEP_SECONDS,
    ) -> None:
        self.account = account
        self.inbox = inbox
        self._url = url
        self._token = token
        self._webhook_secret = webhook_secret
        self._on_message = on_message
        self._on_status = on_status
        self._on_typing = on_typing
        self._attachment_note = attachment_note
        self._patience = patience
        self._sweep_seconds = sweep_seconds
        self._followed: dict[str, _Followed] = {}
        self._behind: dict[str, None] = {}
        """Conversations to be read again soon, in that order."""
        self._wake = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    @cached_property
    def _http(self) -> httpx.AsyncClient:
        # Redirects are not followed: the token would go along.
        return httpx.AsyncClient(
            base_url=f"{self._url.rstrip('/')}/api/v1/accounts/{self.account}/",
            headers={"api_access_token": self._token, "Content-Type": "application/json"},
            trust_env=False,
            timeout=ONE_TRY,
        )

    async def start(self) -> None:
        """Begin to read what deliveries did not tell."""
        self._running = asyncio.create_task(self._run())

    async def stop(self) -> None:
        while self._running and not self._running.done():
            # Once is not enough: until Python 3.12, wait_for forgets a cancellation that comes as it returns.
            self._running.cancel()
            await asyncio.wait({self._running}, timeout=0.1)
        self._running = None
        if "_http" in vars(self):
            await self._http.aclose()
            del self._http

    async def check(self) -> str:
        """Return what keeps this from working: "" (nothing), "unreachable", "token", "inbox" or "kind"."""
        try:
            inbox = await self._ask("GET", f"inboxes/{self.inbox}")
        except HelpdeskRefused as refusal:
            return {401: "token", 403: "token", 404: "inbox"}.get(refusal.status, "unreachable")
        except HelpdeskUnreachable:
            return "unreachable"
        return "" if isinstance(inbox, dict) and inbox.get("channel_type") == "Channel::Api" else "kind"

    # cases

    async def open(self, case: str, alias: str, summary: str, after: int = 0) -> str:
        """Return the conversation in Chatwoot for this case, made where there is none; agents find the summary in it.

        Asked again after it failed, it finds what is there and makes the rest. `after` is for a case that is opened
        once more: the highest id that was handed over. Raises HelpdeskUnreachable.
        """
        contact = await self._contact(case, alias)
        conversation = await self._conversation(case, contact)
        external = str(conversation["id"])
        if conversation.get("status") != "open":  # an inbox with a bot of its own begins as "pending", seen by nobody
            await self._ask("POST", f"conversations/{external}/toggle_status", {"status": "open"})
        note = await self._write(external, summary, "summary", private=True)
        self.follow(case, external, max(after, _number(note, "id")))
        return external

    def follow(self, case: str, external: str, after: int, status: str = "open") -> None:
        """Hand over what agents write in a conversation from now on, beginning with what is newer than id `after`.

        Called at the start for each open case, with the highest id and the last status that were handed over. For one
        that is followed already, it only looks for what is new.
        """
        if external not in self._followed:
            self._followed[external] = _Followed(case, external, floor=after, status=status, highest=after)
        self._look_again(external)

    def forget(self, external: str) -> None:
        """Hand over no more of this conversation: agents see that what they write in it fails."""
        self._followed.pop(external, None)
        self._behind.pop(external, None)

    async def relay(self, external: str, text: str, key: str = "") -> None:
        """Post what the person wrote; the same `key` is the same message, there once. Raises HelpdeskUnreachable.

        Chatwoot sees a digest of the key, never the key.
        """
        async with self._sending(external):
            await self._write(external, text, key, private=False)

    async def note(self, external: str, text: str, key: str = "") -> None:
        """Tell agents something that the person does not see; the same for `key`. Raises HelpdeskUnreachable."""
        async with self._sending(external):
            await self._write(external, text, key, private=True)

    async def status(self, external: str, status: str) -> None:
        """Change the status, one of STATES; `on_status` does not hear of it. Raises HelpdeskUnreachable."""
        if status not in STATES:
            raise ValueError("status: expected one of STATES")
        followed = self._followed.get(external)
        if followed:
            followed.changing += 1
        try:
            await self._ask("POST", f"conversations/{int(external)}/toggle_status", {"status": status})
            if followed:
                followed.status = status
        finally:
            if followed:
                followed.changing -= 1
                followed.changed += 1

    async def close(self, external: str, note: str) -> None:
        """Leave a note, resolve the conversation, and follow it no more. Raises HelpdeskUnreachable; try again then."""
        try:
            if note:
                await self.note(external, note, key="close")
            await self.status(external, "resolved")
        except HelpdeskRefused as refusal:
            if refusal.status != 404:  # gone from Chatwoot: closed enough
                raise
        self.forget(external)

    async def missed(self, external: str, after: int) -> list[Incoming]:
        """Return what agents wrote to the person after the message with this id. Marks nothing as handed over:
        `follow` reads it by itself. Raises HelpdeskUnreachable."""
        return [message for message in map(_read, await self._newer(external, after)) if message]

    async def catch_up(self, external: str) -> int:
        """Hand over what is new in a followed conversation; return how many messages. Raises HelpdeskUnreachable."""
        followed = self._followed.get(external)
        return await self._catch_up(followed, followed.highest - LATE) if followed else 0

    # deliveries

    def routes(self) -> list[Route]:
        """Return the route that Chatwoot delivers to: the inbox's webhook URL."""
        return [Route(PATH, self._webhook, methods=["POST"])]

    async def _webhook(self, request: Request) -> Response:
        """401: unsigned; 403: wrongly signed, or too old; 413: too large; 400: unreadable; 410: the case is closed;
        503: read later. Chatwoot shows an agent's message as failed for every answer that is not 2xx."""
        signature = request.headers.get("X-Chatwoot-Signature", "")
        timestamp = request.headers.get("X-Chatwoot-Timestamp", "")
        if not (signature and timestamp):
            return Response(status_code=401)
        body = await _bounded(request)
        if body is None:
            return Response(status_code=413)
        if not self._signed(body, timestamp, signature):
            log.warning("chatwoot_delivery_refused")
            return Response(status_code=403)
        try:
            payload = json.loads(body)
            event = payload["event"]
            if not self._ours(payload):
                return Response(status_code=204)
            if event == "message_created":
                return await self._message_rang(payload)
            if event in STATUS_EVENTS:
                return await self._status_rang(str(_number(payload, "id")))
            if event == "conversation_typing_on":
                return await self._typing_rang(payload)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, HelpdeskRefused):
            return Response(status_code=400)
        return Response(status_code=204)

    def _signed(self, body: bytes, timestamp: str, signature: str) -> bool:
        """Chatwoot signs "<timestamp>.<body>" with the secret that it has made for the inbox."""
        if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12 and self._webhook_secret):
            return False
        digest = hmac.new(self._webhook_secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        fresh = abs(time.time() - int(timestamp)) <= OLDEST_DELIVERY
        return hmac.compare_digest(f"sha256={digest}".encode(), signature.encode()) and fresh

    def _ours(self, payload: dict[str, Any]) -> bool:
        """Return whether a delivery is about our inbox, as far as it says."""
        account = payload.get("account") or {}
        about = payload.get("conversation") or payload
        inbox = about.get("inbox_id", self.inbox)
        return bool(account.get("id", self.account) == self.account and inbox == self.inbox)

    async def _message_rang(self, payload: dict[str, Any]) -> Response:
        number, external = _number(payload, "id"), str(_number(payload["conversation"], "id"))
        if payload.get("message_type") not in ("outgoing", 1) or payload.get("private"):
            return Response(status_code=204)
        followed = self._followed.get(external)
        if followed is None:
            by_agent = (payload.get("sender") or {}).get("type") == "user"
            return Response(status_code=410 if by_agent else 204)
        if number <= followed.floor or number in followed.seen:
            return Response(status_code=204)
        return await self._at_the_bell(external, self._catch_up(followed, number - 1, PATIENCE_AT_THE_BELL))

    async def _status_rang(self, external: str) -> Response:
        followed = self._followed.get(external)
        if followed is None:
            return Response(status_code=204)
        return await self._at_the_bell(external, self._check_status(followed, PATIENCE_AT_THE_BELL))

    async def _typing_rang(self, payload: dict[str, Any]) -> Response:
        external = str(_number(payload["conversation"], "id"))
        followed = self._followed.get(external)
        by_agent = (payload.get("user") or {}).get("type") == "user"
        if followed is None or not by_agent or payload.get("is_private") or self._on_typing is None:
            return Response(status_code=204)
        return await self._at_the_bell(external, self._on_typing(followed.case))

    async def _at_the_bell(self, external: str, work: Awaitable[object]) -> Response:
        try:
            await work
        except Exception as error:
            log.warning("chatwoot_delivery_put_off", error=type(error).__name__)
            self._look_again(external)
            return Response(status_code=503)
        return Response(status_code=204)

    # reading

    def _look_again(self, external: str) -> None:
        self._behind[external] = None
        self._wake.set()

    async def _run(self) -> None:
        pause = FIRST_PAUSE
        sweep = time.monotonic() + self._sweep_seconds
        while True:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._wake.wait(), max(0.0, sweep - time.monotonic()))
            if time.monotonic() >= sweep:
                self._behind.update(dict.fromkeys(self._followed))
                sweep = time.monotonic() + self._sweep_seconds
            self._wake.clear()
            if await self._read_what_is_behind():
                pause = FIRST_PAUSE
            else:
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
                self._wake.set()

    async def _read_what_is_behind(self) -> bool:
        """Return whether all could be read and handed over."""
        failed = 0
        for external in list(self._behind):
            self._behind.pop(external, None)
            followed = self._followed.get(external)
            if followed is None:
                continue
            try:
                await self._catch_up(followed, followed.highest - LATE)
                await self._check_status(followed)
            except HelpdeskRefused:
                pass  # trying at once again would not help: the next sweep does
            except Exception as error:
                if not isinstance(error, HelpdeskUnreachable):
                    log.error("chatwoot_message_not_handed_over", error=type(error).__name__)
                self._behind[external] = None  # at the end: the others do not wait for this one
                failed += 1
                if failed == GIVE_UP_AFTER:
                    break
        return not failed

    async def _catch_up(self, followed: _Followed, since: int, patience: float | None = None) -> int:
        count = 0
        async with followed.receiving:
            since = max(min(since, followed.highest), followed.floor)
            for row in await self._newer(followed.external, since, patience):
                number = row["id"]
                if number in followed.seen:
                    continue
                message = _read(row)
                if message and message.text:
                    await self._on_message(followed.case, message.name, message.text, number)
                    count += 1
                followed.seen.add(number)
                followed.highest = max(followed.highest, number)
                if message and message.attachments and self._attachment_note:
                    with contextlib.suppress(HelpdeskUnreachable):
                        await self.note(followed.external, self._attachment_note, key=f"{number}-attachment")
        return count

    async def _check_status(self, followed: _Followed, patience: float | None = None) -> None:
        async with followed.receiving:
            ours = followed.changed
            answer = await self._ask("GET", f"conversations/{int(followed.external)}", patience=patience)
            if followed.changing or followed.changed != ours:
                self._look_again(followed.external)  # read while we changed it: this may be the old one
                return
            status = answer.get("status") if isinstance(answer, dict) else None
            if status in STATES and status != followed.status:
                await self._on_status(followed.case, status)
                followed.status = status

    async def _newer(self, external: str, after: int, patience: float | None = None) -> list[dict[str, Any]]:
        """Return all messages above an id, oldest first."""
        found: list[dict[str, Any]] = []
        while True:
            query = {"after": str(after)}
            answer = await self._ask("GET", f"conversations/{int(external)}/messages", query=query, patience=patience)
            page = sorted((row for row in _rows(answer) if _number(row, "id") > after), key=lambda row: row["id"])
            found += page
            if len(page) < SMALLEST_PAGE:
                return found
            after = page[-1]["id"]

    # writing

    def _sending(self, external: str) -> contextlib.AbstractAsyncContextManager[object]:
        """Messages of one conversation are posted one after the other, in the order in which they were given."""
        followed = self._followed.get(external)
        return followed.sending if followed else contextlib.nullcontext()

    async def _write(self, external: str, text: str, key: str, private: bool) -> dict[str, Any]:
        """Post a message, unless one with this key is among the newest; return it. Without a key it is a new one.

        Chatwoot keeps source_id, by which it is found again.
        """
        source_id = self._opaque(f"{external} {private} {key}") if key else secrets.token_hex(16)
        body = {
            "content": _sendable(text),
            "message_type": "outgoing" if private else "incoming",
            "private": private,
            "source_id": source_id,
            "echo_id": source_id,
        }
        path = f"conversations/{int(external)}/messages"

        async def look(deadline: float) -> dict[str, Any] | None:
            rows = _rows(await self._once("GET", path, deadline))
            return next((row for row in rows if row.get("source_id") == source_id), None)

        answer = await self._ask("POST", path, body, look=look, unsure=bool(key))
        return answer if isinstance(answer, dict) else {}

    def _opaque(self, key: str) -> str:
        """Return what stands for a key: it may hold a number of the messenger's, which is not Chatwoot's to know."""
        return hmac.new(self._token.encode(), key.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:32]

    async def _contact(self, case: str, alias: str) -> int:
        """Return the id of the contact for this case. Chatwoot learns its alias and nothing else of the person."""
        body = {"inbox_id": self.inbox, "name": alias, "identifier": case, "source_id": case}
        try:
            answer = await self._ask("POST", "contacts", body)
        except HelpdeskRefused as refusal:
            if refusal.status != 422:
                raise
            # There is one with this identifier: from an earlier try whose answer did not arrive.
            rows = _rows(await self._ask("GET", "contacts/search", query={"q": case}))
            same = [row for row in rows if row.get("identifier") == case]
            if not same:
                raise
            return _number(same[0], "id")
        try:
            return _number(answer["payload"]["contact"], "id")
        except (KeyError, TypeError):
            raise HelpdeskRefused(0) from None

    async def _conversation(self, case: str, contact: int) -> dict[str, Any]:
        """Return the contact's conversation in our inbox, made where there is none."""

        def first(answer: Any) -> dict[str, Any] | None:
            return next((row for row in _rows(answer) if row.get("inbox_id") == self.inbox), None)

        async def look(deadline: float) -> dict[str, Any] | None:
            return first(await self._once("GET", path, deadline))

        path = f"contacts/{contact}/conversations"
        found = first(await self._ask("GET", path))
        if found is None:
            body = {"inbox_id": self.inbox, "contact_id": contact, "source_id": case, "status": "open"}
            found = await self._ask("POST", "conversations", body, look=look)
        _number(found, "id")
        return found

    # requests

    async def _ask(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        query: dict[str, str] | None = None,
        look: Callable[[float], Awaitable[Any]] | None = None,
        patience: float | None = None,
        unsure: bool = False,
    ) -> Any:
        """Return Chatwoot's answer, after some tries.

        `look` finds what a try has made whose answer did not arrive: it is not made twice then. `unsure`: an earlier
        call may have made it.
        """
        deadline = time.monotonic() + min(self._patience, patience or self._patience)
        pause, tries = FIRST_PAUSE, 0
        while True:
            tries += 1
            try:
                if unsure and look is not None:
                    found = await look(deadline)
                    if found is not None:
                        return found
                return await self._once(method, path, deadline, body, query)
            except _Again as failure:
                unsure = unsure or failure.unsure
                wait = max(pause, failure.wait)
            if time.monotonic() + wait >= deadline:
                log.warning("chatwoot_unreachable", tries=tries)
                raise HelpdeskUnreachable
            await asyncio.sleep(wait)
            pause *= 2

    async def _once(
        self,
        method: str,
        path: str,
        deadline: float,
        body: dict[str, Any] | None = None,
        query: dict[str, str] | None = None,
    ) -> Any:
        """Return the answer to one try. Raises _Again or HelpdeskRefused, neither of which knows the URL."""
        content = json.dumps(body) if body is not None else None
        seconds = max(0.01, min(ONE_TRY, deadline - time.monotonic()))
        try:
            response = await asyncio.wait_for(self._http.request(method, path, content=content, params=query), seconds)
        except httpx.ConnectError:
            raise _Again(unsure=False) from None
        except (httpx.TransportError, asyncio.TimeoutError):
            raise _Again(unsure=True) from None
        status = response.status_code
        if status in _AGAIN:
            after = response.headers.get("Retry-After", "")
            raise _Again(unsure=status >= 500, wait=float(after) if after.isascii() and after.isdecimal() else 0.0)
        if not response.is_success:
            log.warning("chatwoot_refused", status=status)
            raise HelpdeskRefused(status)
        try:
            return response.json() if response.content else {}
        except ValueError:  # a proxy's page, most likely
            raise HelpdeskRefused(0) from None


async def _bounded(request: Request) -> bytes | None:
    """Return the body, or nothing where it is too large."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_DELIVERY:
            return None
    return bytes(body)


def _number(row: Any, name: str) -> int:
    """Return an id. Raises HelpdeskRefused where there is none."""
    value = row.get(name) if isinstance(row, dict) else None
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 19:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise HelpdeskRefused(0)
    return value


def _rows(answer: Any) -> list[dict[str, Any]]:
    rows = answer.get("payload") if isinstance(answer, dict) else None
    if not isinstance(rows, list):
        raise HelpdeskRefused(0)
    return [row for row in rows if isinstance(row, dict)]


def _read(row: dict[str, Any]) -> Incoming | None:
    """Return a message of Chatwoot's API where a human agent wrote it to the person; notes, bots, automations and
    what the person wrote are nothing."""
    sender, attributes = row.get("sender"), row.get("content_attributes")
    if row.get("message_type") not in (1, "outgoing") or row.get("private") is not False:
        return None
    if not isinstance(sender, dict) or sender.get("type") != "user":
        return None
    if isinstance(attributes, dict) and attributes.get("deleted"):
        return None
    attachments = row.get("attachments")
    files = len(attachments) if isinstance(attachments, list) else 0
    return Incoming(_number(row, "id"), _name(sender), plain(str(row.get("content") or "")), files)


def _name(sender: dict[str, Any]) -> str:
    """Return the name that an agent has chosen to show, or the first word of the account's name."""
    full, shown = (" ".join(str(sender.get(each) or "").split()) for each in ("name", "available_name"))
    return (shown if shown and shown != full else full.partition(" ")[0])[:LONGEST_NAME]


def _sendable(text: str) -> str:
    """Return `text` without halves of characters and without NUL, which Chatwoot's database does not take."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "")


_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\ue000-\ue1ff]")
"""The last range stands for what must not be changed, below."""
_HIDDEN = re.compile(r"<!--.*?(?:-->|$)|<(script|style)\b.*?(?:</\1\s*>|$)", re.IGNORECASE | re.DOTALL)
_HTML_LINK = re.compile(
    r"""<a\b[^<>]{0,500}?href=["']([^"'<>]{1,2000})["'][^<>]{0,500}>([^<>]{0,500})</a\s*>""", re.IGNORECASE
)
_LINE_END = re.compile(r"<(?:br|hr)\b[^<>]*>|</(?:p|div|li|ul|ol|tr|h[1-6]|blockquote|pre)\s*>", re.IGNORECASE)
_TAG = re.compile(
    r"</?(?:a|abbr|b|big|blockquote|body|code|del|div|em|font|h[1-6]|head|html|i|img|ins|li|mark|ol|p|pre|s|small|span|"
    r"strike|strong|sub|sup|table|tbody|td|tfoot|th|thead|tr|u|ul)\b[^<>]*>",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_STASHED = re.compile("\ue100([0-9]+)\ue101")
_IMAGE = re.compile(r"!\[([^\[\]\n]*)\]\([^()\n]*\)")
_LINK = re.compile(r"""\[([^\[\]\n]+)\]\([ ]?<?([^()\s<>]+)>?(?:[ ]["'][^"'\n]*["'])?[ ]?\)""")
_URL = re.compile(r"<?(https?://[^\s<>*]+)>?")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_RULE = re.compile(r"^[ ]{0,3}(?:(?:\*[ ]?){3,}|(?:-[ ]?){3,}|(?:_[ ]?){3,}|`{3,}[\w-]*|~{3,}[\w-]*)$", re.MULTILINE)
_LINE_MARK = re.compile(r"^[ ]{0,3}(?:#{1,6}[ ]+|(?:>[ ]?)+)", re.MULTILINE)
_BULLET = re.compile(r"^([ ]*)[*+][ ]+", re.MULTILINE)
_EMPHASIS = [
    re.compile(r"`([^`\n]+)`"),
    re.compile(r"(?<![\w*])\*([^\s*](?:[^*\n]*[^\s*])?)\*(?![\w*])"),
    re.compile(r"\*\*([^\s*](?:[^*\n]*[^\s*])?)\*\*"),
    re.compile(r"(?<![\w_])_([^\s_](?:[^\n_]*[^\s_])?)_(?![\w_])"),
    re.compile(r"(?<![\w_])__([^\s_](?:[^\n_]*[^\s_])?)__(?![\w_])"),
    re.compile(r"~~([^\s~](?:[^~\n]*[^\s~])?)~~"),
]


def plain(text: str) -> str:
    """Return what an agent wrote without the HTML and Markdown that Chatwoot's editor puts around it.

    Links keep their address. What only looks like a mark (2 * 3, a_b_c, <3) stays.
    """
    stash: list[str] = []

    def keep(match: re.Match[str]) -> str:
        stash.append(match[1])
        return f"\ue100{len(stash) - 1}\ue101"

    text = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = _HIDDEN.sub("", text)
    text = _HTML_LINK.sub(r"[\2](\1)", text)
    text = _TAG.sub("", _LINE_END.sub("\n", text))
    text = _ENTITY.sub(lambda match: _CONTROL.sub("", html.unescape(match[0])), text)
    text = _ESCAPED.sub(keep, text).replace("\\\n", "\n")
    text = _LINK.sub(_shown_link, _IMAGE.sub(r"\1", text))
    text = _URL.sub(keep, text)
    text = _BULLET.sub(r"\1- ", _LINE_MARK.sub("", _RULE.sub("", text)))
    for _ in range(2):  # once inside the other
        for mark in _EMPHASIS:
            text = mark.sub(r"\1", text)
    while "\ue100" in text:  # an address may hold an escaped character
        text = _STASHED.sub(lambda match: stash[int(match[1])], text)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in text.split("\n"))).strip()


def _shown_link(match: re.Match[str]) -> str:
    """A link's words, and its address where it is one to go to, write to or call."""
    words, address = match[1], match[2]
    scheme = _SCHEME.match(address)
    if not scheme:
        return match[0]
    if scheme[1].lower() in ("mailto", "tel"):
        address = address.partition(":")[2]
    elif scheme[1].lower() not in ("http", "https"):
        return words
    if words.rstrip("/") in (address.rstrip("/"), address.partition("://")[2].rstrip("/")):
        return address
    return f"{words} ({address})"
