"""Telegram, through python-telegram-bot: updates become turns, replies become messages.

Long polling by default. An update is confirmed to Telegram only after it was answered, so that what arrives while
this process dies is answered by the next one; what was answered twice delivered is told apart by the router.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hmac
import json
import warnings
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from telegram import (
    Bot,
    BotCommand,
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    Message,
    Update,
)
from telegram.constants import ChatAction, ChatType, MessageLimit
from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError, TimedOut
from telegram.ext import AIORateLimiter, Application, ApplicationBuilder

from bot.conversation.router import Router
from bot.conversation.turn import Card, Choice, Kind, Reply, Turn
from bot.conversation.turn import Message as Shown
from bot.handoff.post import NotSent, PerhapsSent, Unreachable
from bot.log import get_logger
from bot.settings import Settings
from bot.text.catalogue import Catalogue

log = get_logger(__name__)
Result = TypeVar("Result")

CHANNEL = "telegram"
UPDATES = ["message", "edited_message", "callback_query", "my_chat_member"]
COMMANDS = ("start", "menu", "language", "exit")
POLL_SECONDS = 25
BUSY_POLL_SECONDS = 0.2
"""Between polls while answers are still being made: what they answer is not confirmed yet and comes again."""
MOST_UNCONFIRMED = 80
DELETE_AT_ONCE = 100
DELETE_PAUSES = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800)
"""Seconds between tries to delete what could not be deleted at once."""
TRIES = 5
ROW_LETTERS = 26
"""Letters on one row of buttons that a narrow phone shows whole."""


class TelegramChannel:
    """One bot."""

    def __init__(self, settings: Settings, router: Router, catalogue: Catalogue, webhook_secret: str) -> None:
        self.settings = settings
        self.router = router
        self.catalogue = catalogue
        self.webhook_secret = webhook_secret
        self.application: Application[Any, Any, Any, Any, Any, Any] = (
            ApplicationBuilder()
            .token(settings.telegram_token)
            .base_url(settings.telegram_base_url)
            .rate_limiter(AIORateLimiter(max_retries=TRIES))
            .connection_pool_size(64)
            .get_updates_read_timeout(POLL_SECONDS + 10)
            .updater(None)
            .build()
        )
        self._running: asyncio.Task[None] | None = None
        self._answering: dict[int, asyncio.Task[None]] = {}
        self._hiding: dict[int, asyncio.Task[None]] = {}
        """Chats that will be hidden after idle time."""
        self._deleting: set[asyncio.Task[None]] = set()
        self._answered: set[int] = set()
        """Answered, but not confirmed while an earlier one is still being answered: they come again."""

    @property
    def bot(self) -> Bot:
        bot: Bot = self.application.bot
        return bot

    def routes(self) -> list[Route]:
        """Return the webhook's route, where one is set."""
        if not self.settings.telegram_webhook_url:
            return []
        return [Route(urlsplit(self.settings.telegram_webhook_url).path, self._webhook, methods=["POST"])]

    async def start(self) -> None:
        self._running = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._running:
            self._running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._running
        for task in (*self._hiding.values(), *self._deleting):
            task.cancel()
        if self._answering:
            await asyncio.wait(self._answering.values(), timeout=10)
        with contextlib.suppress(TelegramError, RuntimeError):
            await self.application.shutdown()

    async def _run(self) -> None:
        """Connect, however long that takes, then receive."""
        pause = 1.0
        while True:
            try:
                await self.application.initialize()
                await self._introduce()
                break
            except InvalidToken:
                log.error("telegram_token_refused", setting="HELPLINE_TELEGRAM_TOKEN")
                return
            except TelegramError as error:
                log.warning("telegram_unreachable", error=type(error).__name__, retry_seconds=pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 60)
        log.info("telegram_connected", webhook=bool(self.settings.telegram_webhook_url))
        if not self.settings.telegram_webhook_url:
            await self._poll()

    async def _introduce(self) -> None:
        """Tell Telegram how to deliver, and the neutral commands and descriptions in every language."""
        url = self.settings.telegram_webhook_url
        if url:
            await self.bot.set_webhook(url, secret_token=self.webhook_secret, allowed_updates=UPDATES)
        else:
            await self.bot.delete_webhook()
        for language in [None, *self.catalogue.languages]:
            spoken = language or "en"
            commands = [BotCommand(name, self.catalogue.text(f"utter_command_{name}", spoken)) for name in COMMANDS]
            with contextlib.suppress(BadRequest):  # a self-hosted server may not know all of these
                await self.bot.set_my_commands(commands, language_code=language)
                await self.bot.set_my_short_description(
                    self.catalogue.text("utter_about_short", spoken), language_code=language
                )
                await self.bot.set_my_description(self.catalogue.text("utter_about", spoken), language_code=language)

    async def _poll(self) -> None:
        last: int | None = None
        pause = 1.0
        while True:
            unconfirmed = sorted(self._answering)
            waiting = bool(unconfirmed) and len(unconfirmed) < MOST_UNCONFIRMED
            offset = unconfirmed[0] if waiting else None if last is None else last + 1
            try:
                updates = await self._get_updates(offset, 0 if waiting else POLL_SECONDS)
                pause = 1.0
            except RetryAfter as error:
                await asyncio.sleep(_seconds(error))
                continue
            except TelegramError as error:
                log.warning("telegram_poll_failed", error=type(error).__name__, retry_seconds=pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 30)
                continue
            if not waiting:
                self._answered.clear()  # confirmed by this very request: they can't come again
            known = self._answered | self._answering.keys()
            new = [(number, update) for number, update in updates if number not in known]
            for number, update in new:
                last = number if last is None else max(last, number)
                task = asyncio.create_task(self.handle(update))
                self._answering[number] = task
                task.add_done_callback(functools.partial(self._note_answered, number))
            if waiting and not new:
                await asyncio.sleep(BUSY_POLL_SECONDS)

    def _note_answered(self, number: int, task: asyncio.Task[None]) -> None:
        self._answering.pop(number, None)
        self._answered.add(number)

    async def _get_updates(self, offset: int | None, seconds: int) -> list[tuple[int, Update | None]]:
        """Return what is new, with its numbers. Raises TelegramError.

        Each update is read by itself (bot.get_updates reads all or fails): one that can't be read, say of a kind
        that is newer than this library, must not hold back the others.
        """
        arguments = {"timeout": seconds, "allowed_updates": UPDATES} | ({} if offset is None else {"offset": offset})
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Please use 'Bot.get_updates'")
            received = await self.bot.do_api_request("getUpdates", arguments)
        return [(each["update_id"], self._read(each)) for each in received]

    def _read(self, update: Any) -> Update | None:
        try:
            return Update.de_json(update, self.bot)
        except Exception:
            log.warning("telegram_update_unreadable")
            return None

    async def _webhook(self, request: Request) -> Response:
        given = request.headers.get("X-Telegram-Bot-Api-Secret-Token", "")
        if not hmac.compare_digest(given.encode(), self.webhook_secret.encode()):
            return Response(status_code=403)
        try:
            content = json.loads(await request.body())
        except ValueError:
            return Response(status_code=400)
        await self.handle(self._read(content))
        return Response(status_code=200)  # an unreadable one, too: it would come again for ever

    async def handle(self, update: Update | None) -> None:
        """Answer one update. Never raises."""
        if update is None:
            return
        try:
            await self._handle(update)
        except Forbidden:
            pass  # she has blocked the bot
        except Exception:
            log.exception("telegram_update_failed")

    async def _handle(self, update: Update) -> None:
        chat = update.effective_chat
        if chat is None:
            return
        if chat.type != ChatType.PRIVATE:
            with contextlib.suppress(TelegramError):
                await self.bot.leave_chat(chat.id)
            return
        if update.my_chat_member is not None:
            if update.my_chat_member.new_chat_member.status in ("kicked", "left"):
                await self.router.forget(CHANNEL, str(chat.id))
            return
        turn = to_turn(update)
        if turn is None:
            return
        if update.callback_query is not None:
            with contextlib.suppress(TelegramError):
                await update.callback_query.answer()
        async with self.router.answer(turn) as reply:
            if reply is not None:
                await self._show(chat.id, reply)
        if reply is not None:
            self._hide_later(chat.id, reply.hide_after)

    def _hide_later(self, chat_id: int, seconds: int | None) -> None:
        """Take the chat out of sight by itself after idle time, where the reply asks for it. In memory only."""
        if seconds is None:
            return
        waiting = self._hiding.pop(chat_id, None)
        if waiting:
            waiting.cancel()
        if seconds:
            self._hiding[chat_id] = asyncio.create_task(self._hide(chat_id, seconds))

    async def _hide(self, chat_id: int, seconds: int) -> None:
        await asyncio.sleep(seconds)
        self._hiding.pop(chat_id, None)
        turn = Turn(CHANNEL, str(chat_id), Kind.BUTTON, self.router.hide_token)
        try:
            async with self.router.answer(turn) as reply:
                if reply is not None:
                    reply.messages = []  # never write first: only take away
                    await self._show(chat_id, reply)
        except TelegramError as error:
            log.warning("telegram_hide_failed", error=type(error).__name__)

    async def push(self, address: str, reply: Reply) -> None:
        """Show what staff say (bot.handoff.post.Outlet). Asked once only: what may have arrived is not sent again."""
        chat_id = int(address)
        try:
            for message in reply.messages:
                parts = split(_signed(message))
                for index, part in enumerate(parts):
                    markup = keyboard(message.choices) if index == len(parts) - 1 else None
                    sent = await self._send_once(chat_id, part, markup)
                    reply.sent_ids.append(sent.message_id)
        except Forbidden:
            raise Unreachable from None
        except (TimedOut, BadRequest) as error:
            log.warning("telegram_push_unsure", error=type(error).__name__)
            raise PerhapsSent from None
        except TelegramError as error:
            log.warning("telegram_push_failed", error=type(error).__name__)
            raise (PerhapsSent if reply.sent_ids else NotSent) from None

    async def typing(self, address: str) -> None:
        with contextlib.suppress(TelegramError):
            await self.bot.send_chat_action(int(address), ChatAction.TYPING)

    async def _show(self, chat_id: int, reply: Reply) -> None:
        if reply.ended or reply.cleared:  # what matters most in that second
            await self._delete(chat_id, reply.delete)
        for message in reply.messages:
            if message.card:
                await self._show_picture(chat_id, message.card, reply)
            parts = split(_signed(message))
            for index, part in enumerate(parts):
                markup = keyboard(message.choices) if index == len(parts) - 1 else None
                sent = await self._send(chat_id, part, markup)
                reply.sent_ids.append(sent.message_id)
        if not (reply.ended or reply.cleared):
            await self._delete(chat_id, reply.delete)

    async def _delete(self, chat_id: int, ids: list[int]) -> None:
        """Take messages away on both sides; where that fails, try again later: their numbers are forgotten by then."""
        for start in range(0, len(ids), DELETE_AT_ONCE):
            some = ids[start : start + DELETE_AT_ONCE]
            try:
                await self.bot.delete_messages(chat_id, some)
            except BadRequest as error:
                log.warning("telegram_delete_failed", error=type(error).__name__, count=len(some))
            except TelegramError as error:
                log.warning("telegram_delete_later", error=type(error).__name__, count=len(some))
                task = asyncio.create_task(self._delete_later(chat_id, some))
                self._deleting.add(task)
                task.add_done_callback(self._deleting.discard)

    async def _delete_later(self, chat_id: int, ids: list[int]) -> None:
        for pause in DELETE_PAUSES:
            await asyncio.sleep(pause)
            with contextlib.suppress(TelegramError):
                await self.bot.delete_messages(chat_id, ids)
                return
        log.warning("telegram_delete_given_up", count=len(ids))

    async def _show_picture(self, chat_id: int, card: Card, reply: Reply) -> None:
        """Send a card as a picture, veiled until it is tapped. Its words follow as text, so a failure is no loss."""
        from bot.channels.picture import picture  # read when the first card is shown

        try:
            png = await asyncio.to_thread(picture, card)
            sent = await patiently(
                lambda: self.bot.send_photo(chat_id, png, has_spoiler=True, disable_notification=True)
            )
            reply.sent_ids.append(sent.message_id)
        except (BadRequest, NetworkError, ValueError, OSError) as error:
            log.warning("telegram_picture_failed", error=type(error).__name__)

    async def _send(self, chat_id: int, text: str, markup: InlineKeyboardMarkup | None) -> Message:
        return await patiently(lambda: self._send_once(chat_id, text, markup))

    async def _send_once(self, chat_id: int, text: str, markup: InlineKeyboardMarkup | None) -> Message:
        # Without a sound: nobody else near the phone should notice.
        return await self.bot.send_message(
            chat_id,
            text,
            reply_markup=markup,
            disable_notification=True,
            link_preview_options=LinkPreviewOptions(is_disabled=True),
        )


def _signed(message: Shown) -> str:
    """Return a message's text, under the name of the person who wrote it."""
    return f"{message.sender}:\n{message.text}" if message.sender else message.text


def _seconds(error: RetryAfter) -> float:
    wait = error.retry_after
    return float(wait if isinstance(wait, (int, float)) else wait.total_seconds())


async def patiently(call: Callable[[], Awaitable[Result]]) -> Result:
    """Call Telegram, again after a growing pause where its server or the network fails. (429 is the rate limiter's.)"""
    for number in range(TRIES):
        try:
            return await call()
        except (BadRequest, Forbidden, InvalidToken):
            raise
        except NetworkError:
            if number == TRIES - 1:
                raise
            await asyncio.sleep(0.5 * 2**number)
    raise AssertionError("unreachable")


def to_turn(update: Update) -> Turn | None:
    """Return what an update of a private chat says; None where it says nothing to answer."""
    query, message = update.callback_query, update.message or update.edited_message
    user, chat = update.effective_user, update.effective_chat
    if chat is None:
        return None
    kind, content, message_id = _content(query, message, edited=update.edited_message is not None)
    if kind is None:
        return None
    return Turn(
        channel=CHANNEL,
        address=str(chat.id),
        kind=kind,
        content=content,
        device_language=user.language_code if user else None,
        unique=update.update_id,
        message_id=message_id,
    )


def _content(query: CallbackQuery | None, message: Message | None, edited: bool) -> tuple[Kind | None, str, int | None]:
    if query is not None:
        return Kind.BUTTON, query.data or "", query.message.message_id if query.message else None
    if message is None:
        return None, "", None
    text = message.text or message.caption or ""
    number = message.message_id
    if edited:
        return Kind.EDITED, text, number
    if message.forward_origin is not None:
        return Kind.FORWARDED, text, number
    if message.photo or message.video or message.document or message.animation:
        return Kind.PICTURE, text, number
    if message.voice or message.audio or message.video_note:
        return Kind.VOICE, text, number
    if message.location or message.venue:
        return Kind.LOCATION, "", number
    if message.contact:
        return Kind.CONTACT, "", number
    if text.startswith("/") and text[1:2].isalpha():
        return Kind.COMMAND, text[1:].split()[0].partition("@")[0].lower(), number
    if message.text:
        return Kind.TEXT, text, number
    return Kind.STICKER, "", number


def keyboard(choices: Sequence[Choice]) -> InlineKeyboardMarkup | None:
    """Return the buttons, as many beside one another as a narrow phone shows whole."""
    rows: list[list[InlineKeyboardButton]] = []
    room = 0
    for choice in choices:
        button = InlineKeyboardButton(choice.title, callback_data=choice.token)
        if rows and len(choice.title) + 2 <= room and len(rows[-1]) < 3:
            rows[-1].append(button)
            room -= len(choice.title) + 2
        else:
            rows.append([button])
            room = ROW_LETTERS - len(choice.title)
    return InlineKeyboardMarkup(rows) if rows else None


def split(text: str) -> list[str]:
    """Return `text` in parts that Telegram takes, cut between cards or lines."""
    parts = [""]
    for piece in text.splitlines(keepends=True):
        while len(piece) > MessageLimit.MAX_TEXT_LENGTH:
            parts.append(piece[: MessageLimit.MAX_TEXT_LENGTH])
            piece = piece[MessageLimit.MAX_TEXT_LENGTH :]
        if len(parts[-1]) + len(piece) > MessageLimit.MAX_TEXT_LENGTH:
            parts.append("")
        parts[-1] += piece
    return [part for part in parts if part.strip()] or ["…"]
