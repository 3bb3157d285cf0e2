"""Cases that staff answer in a helpdesk of their own: what they write there reaches her.

Nobody here holds such a case's key. What is still on its way to her when this process dies is asked for again there.
"""

from __future__ import annotations

import time
from typing import Any

from bot.conversation.state import ASSISTANT, OPERATOR
from bot.handoff.cases import CLOSED, OPEN, PENDING, WAITING, Case, Record
from bot.handoff.chatwoot import Chatwoot
from bot.handoff.desk import Desk
from bot.handoff.post import Parcel
from bot.settings import Settings

RESOLVED = "resolved"


class Elsewhere:
    """Between a Chatwoot and the cases."""

    def __init__(self, settings: Settings, desk: Desk, attachment_note: str) -> None:
        self.desk = desk
        self.helpdesk = Chatwoot(
            settings.chatwoot_url,
            settings.chatwoot_account,
            settings.chatwoot_inbox,
            settings.chatwoot_token,
            settings.chatwoot_webhook_secret,
            on_message=self.on_message,
            on_status=self.on_status,
            attachment_note=attachment_note,
            on_typing=self.on_typing,
        )
        desk.post.watchers.append(self.on_delivered)

    async def start(self) -> None:
        """Go on with the open cases where the last process stopped."""
        for case in self.desk.cases.all():
            record = case.record
            if record.external and record.state != CLOSED:
                self.desk.cases.discard(case.id, PENDING)
                self.desk.cases.change(case.id, _nothing_under_way)
                self.helpdesk.follow(case.id, record.external, record.external_last)
        await self.helpdesk.start()

    async def stop(self) -> None:
        await self.helpdesk.stop()

    async def on_message(self, case_id: str, name: str, text: str, number: int) -> None:
        """An agent has written: number `number` there."""
        case = self.desk.cases.get(case_id)
        if case is None or case.record.state == CLOSED:
            return
        if not case.record.owned:
            await self._joins(case, name)
        content = {"at": int(time.time()), "kind": "staff", "text": text, "name": name}

        def how(record: Record) -> None:
            record.external_under_way = [*record.external_under_way, (record.last, number)]
            record.waiting_since = None

        seq = self.desk.cases.append(case_id, content, f"external {number}", PENDING, how)
        if seq is not None:
            self._post(case_id, seq, content)

    async def _joins(self, case: Case, name: str) -> None:
        def how(record: Record) -> None:
            if record.state == WAITING:
                record.state, record.owned = OPEN, True

        self.desk.cases.change(case.id, how)
        async with self.desk.memory.change(case.record.pseudonym) as state:
            if state is not None and state.case == case.id:
                state.owner = OPERATOR
        self.desk.tell_her(case.id, "utter_handover_joined", name=name)

    def _post(self, case_id: str, seq: int, content: dict[str, Any]) -> None:
        case = self.desk.cases.get(case_id)
        if case and case.record.pseudonym:
            self.desk.post.put(case.record.pseudonym, Parcel(case_id, seq, content))
            if case.record.pushes:
                self.desk.post.deliver_soon(case.record.pseudonym)

    def on_delivered(self, case_id: str) -> None:
        """Note up to which of the agents' messages she has them."""
        case = self.desk.cases.get(case_id)
        if case is None or not case.record.external_under_way:
            return
        under_way = case.record.external_under_way
        arrived = self.desk.cases.deliveries(case_id, [seq for seq, _ in under_way])

        def how(record: Record) -> None:
            while record.external_under_way and arrived.get(record.external_under_way[0][0]) != PENDING:
                record.external_last = record.external_under_way.pop(0)[1]

        self.desk.cases.change(case_id, how)

    async def on_status(self, case_id: str, status: str) -> None:
        """An agent has resolved the conversation: she is with the assistant again."""
        case = self.desk.cases.get(case_id)
        if status != RESOLVED or case is None or case.record.state == CLOSED:
            return
        self.desk.finish(case_id, "helped")
        async with self.desk.memory.change(case.record.pseudonym) as state:
            if state is not None and state.case == case_id:
                state.owner = ASSISTANT
        self.desk.tell_her(case_id, "utter_handover_person_left")
        if case.record.external:
            self.helpdesk.forget(case.record.external)

    async def on_typing(self, case_id: str) -> None:
        case = self.desk.cases.get(case_id)
        if case and case.record.owned:
            name = self.desk.words.catalogue.text("utter_handover_staff", case.record.language)
            await self.desk.post.typing(case, name)


def _nothing_under_way(record: Record) -> None:
    record.external_under_way = []
