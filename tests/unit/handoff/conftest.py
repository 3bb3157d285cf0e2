"""What the tests of handing over share: a gateway without an engine, staff who are logged in, people who write."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from bot import settings
from bot.app import Gateway
from bot.conversation.state import State
from bot.conversation.turn import Kind, Reply, Turn
from bot.directory.starter import load_starter
from bot.handoff.desk import CaseView, Entry
from bot.handoff.post import NotSent, PerhapsSent
from bot.staff.accounts import Role
from bot.staff.passwords import Cost
from bot.staff.sessions import Session
from bot.store.database import connect
from bot.store.migrate import migrate
from tests.unit.staff.conftest import AGENT, CHEAP, Person, Staff

_addresses = itertools.count(1)


class Phone:
    """A channel that can write first, and what has arrived on it (bot.handoff.post.Outlet)."""

    def __init__(self) -> None:
        self.arrived: list[tuple[str, str]] = []
        self.typed: list[str] = []
        self.failing: list[type[Exception]] = []

    async def push(self, address: str, reply: Reply) -> None:
        if self.failing:
            raise self.failing.pop(0)
        for message in reply.messages:
            self.arrived.append((address, f"{message.sender}: {message.text}" if message.sender else message.text))
            reply.sent_ids.append(10_000 + len(self.arrived))

    async def typing(self, address: str) -> None:
        self.typed.append(address)

    def at(self, address: str) -> list[str]:
        return [text for where, text in self.arrived if where == address]


class Talk:
    """Somebody who writes, message after message, as a channel would hand it over."""

    def __init__(self, house: House, channel: str, language: str) -> None:
        self.house = house
        self.router = house.gateway.router
        self.channel = channel
        self.language = language
        self.address = f"{next(_addresses)}"
        self.pseudonym = house.gateway.vault.pseudonym(channel, self.address)
        self.number = 0
        self.reply: Reply | None = None

    async def sends(self, kind: Kind, content: str, unique: int | None = None) -> str:
        self.number += 1
        turn = Turn(self.channel, self.address, kind, content, self.language, unique or self.number, self.number)
        async with self.router.answer(turn) as reply:
            self.reply = reply
        return self.text

    async def says(self, text: str, unique: int | None = None) -> str:
        return await self.sends(Kind.TEXT, text, unique)

    async def taps(self, payload: str) -> str:
        return await self.sends(Kind.BUTTON, self.router.vault.token(payload))

    @property
    def text(self) -> str:
        return "\n".join(message.text for message in self.reply.messages) if self.reply else ""

    @property
    def choices(self) -> list[str]:
        return [choice.title for message in self.reply.messages for choice in message.choices] if self.reply else []

    @property
    def state(self) -> State:
        state = self.router.memory.load(self.pseudonym)
        assert state is not None
        return state

    async def asks_for_a_person(self) -> Entry | None:
        await self.taps("/talk_to_human")
        await self.taps("!human_yes")
        return None

    async def looks(self, shown: list[str] | None = None) -> list[tuple[str, str]]:
        """Return what her page gets: (token, text), and show the status in `self.status`."""
        news = await self.router.news(self.channel, self.address, shown or [], "", 0)
        self.status: dict[str, Any] = news.status if news else {}
        return [
            (token, "\n".join(f"{m.sender}: {m.text}" if m.sender else m.text for m in reply.messages))
            for token, reply in (news.lines if news else [])
        ]


class House:
    """A gateway and its staff."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.phone = Phone()
        self.people: dict[str, Person] = {}
        self.build()

    def build(self) -> None:
        self.gateway = Gateway(settings.load({"HELPLINE_DATA_DIR": str(self.folder / "data")}))
        self.gateway.accounts.cost = CHEAP
        self.desk = self.gateway.desk
        self.gateway.handover.post.outlets["phone"] = self.phone
        self.staff = Staff.__new__(Staff)
        self.staff.vault, self.staff.audit = self.gateway.vault, self.gateway.audit
        self.staff.accounts, self.staff.sessions = self.gateway.accounts, self.gateway.sessions
        self.staff.recovery = self.gateway.recovery
        for person in self.people.values():
            person.staff = self.staff

    async def dies(self) -> None:
        """Forget all that is only in memory, as a killed process does, and start again on the same disk."""
        await self.stop()
        self.build()
        await self.start()

    async def start(self) -> None:
        await self.desk.start()

    async def stop(self) -> None:
        for session in self.gateway.sessions.live():
            self.gateway.sessions.close(session)
        await self.desk.stop()
        await self.gateway.engine.close()
        self.gateway.database.dispose()

    async def joins(
        self, login: str, role: Role = Role.OPERATOR, team: str = "main", language: str = "en", duty: bool = True
    ) -> Session:
        """Add and enrol somebody, log in, go on duty."""
        person = Person(self.staff, login)
        person.enrols(self.staff.accounts.add(login, role, team, login.title(), language))
        self.people[login] = person
        return await self.logs_in(login, duty and role in (Role.OPERATOR, Role.SUPERVISOR))

    async def logs_in(self, login: str, duty: bool = True) -> Session:
        admission = self.people[login].logs_in()
        session = self.gateway.sessions.open(admission.operator, admission.private_key, AGENT)[1]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        if duty:
            await self.desk.set_presence(session, "duty")
        return session

    def talk(self, channel: str = "phone", language: str = "en") -> Talk:
        return Talk(self, channel, language)

    def lines(self, session: Session, case_id: str) -> list[tuple[str, str]]:
        return [(line.kind, line.text) for line in self.view(session, case_id).lines]

    def view(self, session: Session, case_id: str) -> CaseView:
        return self.desk.view(session, case_id)

    async def settled(self) -> None:
        """Let what was begun in the background end."""
        for _ in range(200):
            if not self.desk.post._tasks:
                return
            await asyncio.sleep(0.01)


@lru_cache(maxsize=1)
def _begun() -> Path:
    """Make a database with its tables and the starter set, once: each house has a copy."""
    file = Path(tempfile.mkdtemp()) / "helpline.db"
    engine = connect(f"sqlite:///{file}")
    migrate(engine)
    load_starter(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return file


@asynccontextmanager
async def a_house(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setattr("bot.conversation.router.ENGINE_SECONDS", 0.05)  # nobody waits for an engine that never comes
    (folder / "data").mkdir(mode=0o700, exist_ok=True)
    shutil.copy(_begun(), folder / "data" / "helpline.db")
    house = House(folder)
    await house.start()
    try:
        yield house
    finally:
        await house.stop()


__all__ = ["Cost", "NotSent", "PerhapsSent"]
