"""Lines on their way to her: exactly once, in order, and only when it is safe that they appear.

What is to be sent is in memory as text, and on the disk only sealed: after a restart the rest is sent as soon as
somebody of the case's team has logged in again (`Desk.on_login`). A channel that can write first (Telegram) is pushed
to; the web chat's page asks (`pull`), and says what it has shown.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from bot.conversation import lock
from bot.conversation.memory import Memory
from bot.conversation.state import State
from bot.conversation.turn import Message, Reply
from bot.handoff.cases import CLOSED, PENDING, SENDING, SENT, UNKNOWN, Case, Cases
from bot.handoff.safe_times import is_safe
from bot.log import get_logger
from bot.vault.vault import Vault

log = get_logger(__name__)

RETRY_SECONDS = (1, 2, 5, 10, 30, 60, 120, 300)
TALKING_SECONDS = 900
"""For so long after she wrote, an answer may come at any time of the day."""

HERE_SECONDS = 45.0
"""A page that has not asked for so long is not open any more."""


class NotSent(Exception):
    """The channel could not take it now; trying again later is safe, for it has not arrived."""


class PerhapsSent(Exception):
    """The channel's answer was lost: it may have arrived or not."""


class Unreachable(Exception):
    """She can't be written to any more (she has blocked the bot)."""


class Outlet(Protocol):
    """A channel that can write first."""

    async def push(self, address: str, reply: Reply) -> None:
        """Show `reply` and fill its `sent_ids`. Raises NotSent, PerhapsSent, Unreachable."""

    async def typing(self, address: str) -> None:
        """Show that somebody is writing. Never raises."""


@dataclass(frozen=True, repr=False)
class Parcel:
    """A line on its way."""

    case_id: str
    seq: int
    content: dict[str, Any]


Dress = Callable[[list[Message], State], Reply]


class Post:
    """Delivers parcels, conversation by conversation. Used on the event loop only."""

    def __init__(self, cases: Cases, memory: Memory, vault: Vault) -> None:
        self.cases = cases
        self.memory = memory
        self.vault = vault
        self.outlets: dict[str, Outlet] = {}
        self.words: Callable[[dict[str, Any], State], list[Message]] = lambda content, state: []
        self.dress: Dress = lambda messages, state: Reply(messages, state.language)
        self.watchers: list[Callable[[str], None]] = []
        """Told of each case whose deliveries have changed."""
        self._parcels: dict[str, list[Parcel]] = {}
        self._bells: dict[str, set[asyncio.Event]] = {}
        self._here: dict[str, float] = {}
        self._typing: dict[str, tuple[str, float]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    # what is waiting

    def put(self, pseudonym: str, parcel: Parcel) -> None:
        """Add a parcel, in its place; one that is there already is not added again."""
        waiting = self._parcels.setdefault(pseudonym, [])
        if any((each.case_id, each.seq) == (parcel.case_id, parcel.seq) for each in waiting):
            return
        waiting.append(parcel)
        waiting.sort(key=lambda each: (each.content.get("at", 0), each.seq))
        self.ring(pseudonym)

    def has(self, pseudonym: str) -> bool:
        return bool(self._parcels.get(pseudonym))

    def waits(self, case_id: str, seq: int) -> bool:
        return any(each.case_id == case_id and each.seq == seq for each in self._all())

    def _all(self) -> Iterator[Parcel]:
        for parcels in self._parcels.values():
            yield from parcels

    def drop(self, pseudonym: str | None) -> None:
        """Forget what was to be sent: the conversation is gone."""
        if pseudonym:
            for known in (self._parcels, self._here, self._typing):
                known.pop(pseudonym, None)
            self.ring(pseudonym)

    def token(self, parcel: Parcel) -> str:
        """Return the name by which a page tells which line it has shown."""
        return self.vault.token(f"line {parcel.case_id} {parcel.seq}")

    # channels that can write first

    def deliver_soon(self, pseudonym: str) -> None:
        """Deliver what may be delivered, in the background."""
        task = asyncio.create_task(self._deliver_patiently(pseudonym))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver_patiently(self, pseudonym: str) -> None:
        for pause in (0, *RETRY_SECONDS):
            await asyncio.sleep(pause)
            try:
                async with self.memory.change(pseudonym) as state:
                    if state is None:
                        return
                    await self.deliver(pseudonym, state, here=False)
                return
            except NotSent:
                continue
            except Exception:
                log.exception("delivery_failed")
                return
        log.warning("delivery_given_up")

    async def deliver(self, pseudonym: str, state: State, here: bool) -> None:
        """Push what is waiting to her channel. The caller holds the conversation's lock. Raises NotSent.

        `here`: she has just written, so that nothing appears on a phone that somebody else may hold.
        """
        channel, _, address = (state.address or "").partition(":")
        outlet = self.outlets.get(channel)
        if outlet is None or lock.is_due(state) or not (here or self._may_write_first(state)):
            return
        while self._parcels.get(pseudonym):
            parcel = self._parcels[pseudonym][0]
            reply = self.dress(await asyncio.to_thread(self.words, parcel.content, state), state)
            await self._mark(parcel, SENDING)
            try:
                await outlet.push(address, reply)
            except NotSent:
                await self._mark(parcel, PENDING)
                raise
            except (PerhapsSent, Unreachable):
                await self._mark(parcel, UNKNOWN)
            else:
                await self._mark(parcel, SENT)
            finally:
                state.add_messages(reply.sent_ids)
            self._remove(pseudonym, parcel)
        case = self.cases.get(state.case)
        if case is None or case.record.state == CLOSED:
            state.address = None  # there is nothing more to write first

    def _may_write_first(self, state: State) -> bool:
        """Return whether something may appear on her phone: she is talking, or it is the time that she named."""
        case = self.cases.get(state.case)
        if case and time.time() - case.record.last_in_at < TALKING_SECONDS and state.tell:
            return True
        return state.tell and is_safe(state.safe_time, state.country)

    def flush(self) -> None:
        """Deliver what was held back until a safe time, where that has come; forget whose pages closed long ago."""
        moment = time.monotonic()
        self._here = {name: since for name, since in self._here.items() if moment - since < HERE_SECONDS}
        self._typing = {name: typed for name, typed in self._typing.items() if moment - typed[1] < HERE_SECONDS}
        for pseudonym in list(self._parcels):
            self.deliver_soon(pseudonym)

    async def _mark(self, parcel: Parcel, delivery: str) -> None:
        await asyncio.to_thread(self.cases.set_delivery, parcel.case_id, [parcel.seq], delivery)
        for watcher in self.watchers:
            watcher(parcel.case_id)

    def _remove(self, pseudonym: str, parcel: Parcel) -> None:
        waiting = [each for each in self._parcels.get(pseudonym, []) if each is not parcel]
        if waiting:
            self._parcels[pseudonym] = waiting
        else:
            self._parcels.pop(pseudonym, None)

    async def typing(self, case: Case, name: str) -> None:
        """Show her that somebody is writing, for some seconds."""
        pseudonym = case.record.pseudonym
        if pseudonym is None:
            return
        self._typing[pseudonym] = (name, time.monotonic())
        self.ring(pseudonym)
        if not case.record.pushes:
            return
        state = await asyncio.to_thread(self.memory.load, pseudonym)
        if state and state.address and state.tell and not lock.is_due(state):
            channel, _, address = state.address.partition(":")
            if channel in self.outlets:
                await self.outlets[channel].typing(address)

    def who_types(self, pseudonym: str) -> str | None:
        name, since = self._typing.get(pseudonym, ("", 0.0))
        return name if time.monotonic() - since < 6 else None

    # the page that asks

    async def pull(self, pseudonym: str, shown: list[str]) -> list[Parcel]:
        """Return what her page has to show; `shown` are the tokens of what it has shown already."""
        self._here[pseudonym] = time.monotonic()
        got = [each for each in self._parcels.get(pseudonym, []) if self.token(each) in shown]
        for parcel in got:
            await self._mark(parcel, SENT)
            self._remove(pseudonym, parcel)
        return list(self._parcels.get(pseudonym, []))

    def is_here(self, pseudonym: str | None) -> bool:
        """Return whether her page is open."""
        return time.monotonic() - self._here.get(pseudonym or "", -HERE_SECONDS) < HERE_SECONDS

    @contextmanager
    def bell(self, pseudonym: str) -> Iterator[asyncio.Event]:
        """Yield an event that is set when something changes for her."""
        event = asyncio.Event()
        self._bells.setdefault(pseudonym, set()).add(event)
        try:
            yield event
        finally:
            self._bells[pseudonym].discard(event)
            if not self._bells[pseudonym]:
                del self._bells[pseudonym]

    def ring(self, pseudonym: str) -> None:
        """Wake her page."""
        for event in self._bells.get(pseudonym, ()):
            event.set()

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
