"""A desk with cases in it: the real one, on the office's database. Only the person's side is written by hand."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from bot.conversation.effects import Effects
from bot.conversation.memory import Memory
from bot.directory import vocabulary
from bot.directory.hsds import made_id
from bot.directory.records import Bundle
from bot.directory.search import Directory
from bot.handoff.cases import Cases, Record
from bot.handoff.desk import Desk
from bot.handoff.phrasebook import Phrasebook
from bot.handoff.post import Post
from bot.handoff.words import Words
from bot.staff.accounts import Role
from bot.staff.sessions import Session
from bot.vault.conversations import Conversations
from tests.unit.console.support import CATALOGUE, TEAM, Browser, Office, Person
from tests.unit.directory.rows import ORGANIZATION, add_service, put


class Room(Office):
    """An office whose console has a desk."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._entered = False
        directory = Directory(self.engine)
        memory = Memory(Conversations(self.engine, self.vault), 24)
        cases = Cases(self.engine, self.vault)
        self.desk = Desk(
            cases,
            memory,
            Post(cases, memory, self.vault),
            Words(CATALOGUE, Effects(CATALOGUE, directory, 24)),
            Phrasebook(CATALOGUE),
            self.accounts,
            self.sessions,
            self.audit,
            hours=[],
            retention_days=7,
        )
        self.console.desk, self.console.directory = self.desk, directory

    def on_duty(self, person: Person) -> tuple[Browser, Session]:
        browser, session = self.log_in(person)
        self.web.loop.run_until_complete(self.desk.set_presence(session, "duty"))
        return browser, session

    def operator(self, login: str = "ana", language: str = "en", team: str = TEAM) -> tuple[Browser, Session]:
        """Hire an operator and return her browser and session, on duty."""
        return self.on_duty(self.hire(login, Role.OPERATOR, team, language))

    def case(self, alias: str = "Maple 27", waited: int = 0, urgency: int = 0, team: str = TEAM, **summary: Any) -> str:
        """Let somebody ask for a person; return the case's id. `waited`: seconds. Staff must have been hired before."""
        moment = int(time.time()) - waited
        language = str(summary.get("language", "uk"))
        record = Record(
            alias, team, urgency=urgency, pseudonym=alias.encode().hex().ljust(64, "0"), language=language,
            opened_at=moment, waiting_since=moment, last_at=moment, left_message=bool(summary.get("left_message")),
        )  # fmt: skip
        holders = [(each.id, each.public_key) for each in self.accounts.holders(team) if each.public_key]
        case = self.desk.cases.create(record, holders, None)
        content = {"kind": "summary", "language": language, "channel": "web", **summary}
        self.desk.cases.append(case.id, content, how=lambda record: setattr(record, "summary", record.last))
        return case.id

    def writes(self, case_id: str, text: str, alert: str | None = None, **understood: Any) -> int:
        """Let the person write; return the line's number."""

        def how(record: Record) -> None:
            record.last_in, record.last_in_at = record.last, int(time.time())
            record.waiting_since = record.waiting_since or int(time.time())
            record.alert = alert or record.alert

        seq = self.desk.cases.append(case_id, {"kind": "person", "text": text}, how=how)
        assert seq is not None
        if understood:
            self.desk.cases.append(case_id, {"kind": "understood", "of": seq, **understood})
        return seq

    def answers(self, case_id: str, answer: str) -> int:
        """Let the person tap a phrase's answer, "<phrase>:<number>"."""
        seq = self.desk.cases.append(
            case_id,
            {"kind": "answer", "answer": answer},
            how=lambda record: setattr(record, "last_in", record.last),
        )
        assert seq is not None
        return seq

    def service(self, name: str, country: str, kind: str = "trafficking") -> str:
        """Enter a service into the directory; return its id."""
        bundle = Bundle()
        if not self._entered:
            for entity, row in vocabulary.rows():
                bundle.add(entity, row)
            bundle.add("organization", {"id": ORGANIZATION, "name": "Helpers", "description": "Help"})
        key = add_service(bundle, name, country, kind=kind)
        bundle.add("phone", bundle["phone"][made_id("test", name, "phone")] | {"number": "800 290 290"})
        with self.engine.begin() as connection:
            put(connection, bundle)
        self._entered = True
        return key
