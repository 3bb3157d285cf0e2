"""The desk: who may read and do what, and what a disk with the master key shows of it. No engine runs here."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import time
from pathlib import Path

import pytest

from bot.handoff.desk import DAY, Refused
from bot.staff.accounts import Role
from tests.staffroom import opened_by_master_key
from tests.support import own_loop
from tests.unit.handoff.conftest import House, Talk, a_house

CANARY = "CANARY-7f3a-at-the-red-farm"
_keys = itertools.count()


async def waits(house: House, language: str = "en", channel: str = "phone") -> tuple[Talk, str]:
    talk = house.talk(channel, language)
    await talk.taps("/talk_to_human")
    await talk.taps("!human_yes")
    case = talk.state.case
    assert case
    return talk, case


def key() -> str:
    return str(next(_keys))


@own_loop
async def test_two_who_share_no_language_understand_one_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operator who reads Ukrainian, a person who reads Arabic: each sees the phrasebook in her own language."""
    async with a_house(tmp_path, monkeypatch) as house:
        olena = await house.joins("olena", language="uk")
        talk, case = await waits(house, "ar")
        await house.desk.take(olena, case)
        say = house.desk.words.phrase
        phrase = next(each for each in house.desk.phrases(olena, case) if len(each.answers) > 1)
        assert phrase.text == say(phrase.name, "uk")
        await house.desk.say_phrase(olena, case, phrase.name, key())
        await house.settled()
        assert house.phone.at(talk.address)[-1].endswith(say(phrase.name, "ar"))
        await talk.taps(f"!answer:{phrase.name}:1")
        line = house.view(olena, case).lines[-1]
        assert line.kind == "answer"
        assert line.text == house.desk.words.answer(f"{phrase.name}:1", "uk") == phrase.answers[1]


@own_loop
async def test_only_the_team_reaches_a_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_house(tmp_path, monkeypatch) as house:
        ana = await house.joins("ana")
        ben = await house.joins("ben")
        other = await house.joins("otto", Role.SUPERVISOR, team="paris")
        admin = await house.joins("ada", Role.ADMINISTRATOR)
        talk, case = await waits(house)
        await talk.says(CANARY)
        for session in (ana, ben):
            assert ("person", CANARY) in house.lines(session, case)
        for session in (other, admin):
            with pytest.raises(Refused, match="gone"):
                house.view(session, case)
            with pytest.raises(Refused, match="gone"):
                await house.desk.take(session, case)
        assert house.desk.queue(other) == []
        with pytest.raises(Refused):
            house.desk.queue(admin)
        with pytest.raises(Refused, match="not_yours"):
            await house.desk.say(ben, case, "hello", key())


@own_loop
async def test_disk_and_master_key_together_show_no_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Promise 4: every record that the master key opens, and every byte of the files, holds none of what was said."""
    async with a_house(tmp_path, monkeypatch) as house:
        ana = await house.joins("zoraquill")
        talk, case = await waits(house)
        await talk.says(f"{CANARY} from her")
        await house.desk.take(ana, case)
        await house.desk.say(ana, case, f"{CANARY} to her", key())
        await house.desk.note(ana, case, f"{CANARY} note")
        await house.settled()
        await house.desk.close(ana, case, "helped", True, house.view(ana, case).last)
        await house.desk.prolong(ana, case, 3, f"{CANARY} reason")
        opened = opened_by_master_key(tmp_path / "data")
        assert len(opened) >= 4, "the master key does open records"
        assert not [record for record in opened if b"CANARY" in record or b"red-farm" in record]
        raw = b"".join(file.read_bytes() for file in (tmp_path / "data").rglob("*") if file.is_file())
        assert b"CANARY" not in raw
        for name in (b"zoraquill", b"Zoraquill"):
            assert name not in raw, "nor who works there"


@own_loop
async def test_a_newcomer_gets_the_keys_from_a_colleague(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_house(tmp_path, monkeypatch) as house:
        ana = await house.joins("ana")
        talk, case = await waits(house)
        await talk.says(CANARY)
        ben = await house.joins("ben")
        await asyncio.sleep(0)
        assert ("person", CANARY) in house.lines(ben, case)
        house.gateway.sessions.close(ana)
        house.gateway.sessions.close(ben)
        cem = await house.joins("cem")
        with pytest.raises(Refused, match="no_key"):
            house.view(cem, case)
        assert house.desk.queue(cem)[0].summary is None
        await house.logs_in("ana")
        assert ("person", CANARY) in house.lines(cem, case)


@own_loop
async def test_who_leaves_the_team_reads_nothing_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even with a copy of her key rows from before: what comes later is sealed to a new key."""
    async with a_house(tmp_path, monkeypatch) as house:
        ana = await house.joins("ana")
        ben = await house.joins("ben")
        talk, case = await waits(house)
        await talk.says("before")
        before = house.desk.cases.open_keys(case, ben.operator.id, ben.private_key)
        house.gateway.accounts.change(ben.operator.id, by="cli", active=False)
        await asyncio.sleep(0.01)
        assert house.desk.cases.open_keys(case, ben.operator.id, ben.private_key) == {}
        await talk.says("after")
        texts = [line.content.get("text") for line in house.desk.cases.lines(case, before)]
        assert "before" in texts
        assert "after" not in texts
        assert ("person", "after") in house.lines(ana, case)


@own_loop
async def test_a_forgotten_password_without_recovery_still_leads_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new key pair, and a colleague's session seals the open cases to it."""
    async with a_house(tmp_path, monkeypatch) as house:
        await house.joins("ana")
        ben = await house.joins("ben")
        talk, case = await waits(house)
        await talk.says(CANARY)
        code = house.gateway.accounts.reset(ben.operator.id, by="cli")
        await asyncio.sleep(0.01)
        assert house.gateway.sessions.of(ben.operator.id) == []
        house.people["ben"].enrols(code)
        await asyncio.sleep(0.01)
        again = await house.logs_in("ben")
        assert ("person", CANARY) in house.lines(again, case)


@own_loop
async def test_transfers_are_accepted_and_neither_told_nor_greeted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(tmp_path, monkeypatch) as house:
        ana, ben = await house.joins("ana"), await house.joins("ben")
        otto = await house.joins("otto", team="paris")
        talk, case = await waits(house)
        await house.desk.take(ana, case)
        await house.settled()
        told = len(house.phone.at(talk.address))
        await house.desk.offer(ana, case, ben.operator.id)
        with pytest.raises(Refused, match="not_yours"):
            await house.desk.say(ben, case, "too early", key())
        await house.desk.accept(ben, case)
        await house.settled()
        assert len(house.phone.at(talk.address)) == told
        await house.desk.say(ben, case, "go on", key())
        await house.desk.transfer_team(ben, case, "paris")
        with pytest.raises(Refused, match="gone"):
            house.view(ben, case)
        await house.desk.take(otto, case)
        assert ("staff", "go on") in house.lines(otto, case)
        await house.settled()
        assert len(house.phone.at(talk.address)) == told + 1
        assert house.desk.cases.members(case).keys() == {otto.operator.id}


@own_loop
async def test_returning_to_the_assistant_is_told_and_asking_again_goes_to_the_same_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(tmp_path, monkeypatch) as house:
        ana = await house.joins("ana")
        talk, case = await waits(house)
        await house.desk.take(ana, case)
        await house.desk.hand_back(ana, case)
        await house.settled()
        assert "machine" in house.phone.at(talk.address)[-1]
        assert await talk.says("hello") != ""
        assert ("person", "hello") not in house.lines(ana, case)
        await talk.taps("!human_yes")
        assert talk.state.case == case
        assert [entry.id for entry in house.desk.queue(ana)] == [case]


@own_loop
async def test_the_cap_the_duty_and_the_supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_house(tmp_path, monkeypatch) as house:
        ana = await house.joins("ana", duty=False)
        house.gateway.accounts.change(ana.operator.id, by="cli", cap=1)
        await asyncio.sleep(0.01)
        ana = await house.logs_in("ana", duty=False)
        vera = await house.joins("vera", Role.SUPERVISOR)
        (_, first), (_, second) = await waits(house), await waits(house)
        with pytest.raises(Refused, match="off_duty"):
            await house.desk.take(ana, first)
        await house.desk.set_presence(ana, "duty")
        await house.desk.take(ana, first)
        with pytest.raises(Refused, match="full"):
            await house.desk.take(ana, second)
        await house.desk.follow(vera, first)
        assert house.view(vera, first).following
        await house.desk.take(vera, first)
        assert house.desk.mine(vera)[0].id == first
        with pytest.raises(Refused, match="taken"):
            await house.desk.take(ana, first)


@own_loop
async def test_closing_needs_a_look_at_what_she_has_just_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(tmp_path, monkeypatch) as house:
        ana = await house.joins("ana")
        talk, case = await waits(house)
        await house.desk.take(ana, case)
        seen = house.view(ana, case).last
        await talk.says("wait, one more thing")
        with pytest.raises(Refused, match="just_written"):
            await house.desk.close(ana, case, "helped", False, seen)
        with pytest.raises(Refused, match="bad_reason"):
            await house.desk.close(ana, case, "left_hidden", False, 99)
        await house.desk.close(ana, case, "helped", True, house.view(ana, case).last)
        assert house.desk.presence(ana).debrief_due


@own_loop
async def test_content_is_deleted_in_time_and_never_too_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_house(tmp_path, monkeypatch) as house:
        ana = await house.joins("ana")
        talk, case = await waits(house)
        await talk.says(CANARY)
        await house.desk.take(ana, case)
        house.desk.retention = 60  # a setting of nearly nothing
        await house.desk.close(ana, case, "helped", False, house.view(ana, case).last)
        assert house.desk.cases.purge(time.time() + 3600) == [], "she wrote it moments ago"
        await house.desk.prolong(ana, case, 2, "a court asks for it")
        assert house.desk.cases.purge(time.time() + 2 * DAY) == []
        assert house.desk.cases.purge(time.time() + 4 * DAY) == [case]
        with pytest.raises(Refused, match="gone"):
            house.view(ana, case)
        with sqlite3.connect(tmp_path / "data" / "helpline.db") as database:
            for table in ("handoff_line", "handoff_key", "handoff_case"):
                assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


@own_loop
async def test_the_case_of_an_operator_whose_browser_died_goes_back_to_the_queue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(tmp_path, monkeypatch) as house:
        ana, ben = await house.joins("ana"), await house.joins("ben")
        talk, case = await waits(house)
        await house.desk.take(ana, case)
        house.desk.release_seconds = 0.0
        await house.desk._release_orphans()
        assert house.desk.mine(ana) != [], "nobody waits for an answer"
        await talk.says("are you there")
        await house.desk._release_orphans()
        assert [entry.id for entry in house.desk.queue(ben)] == [case]
        await house.settled()
        assert "Somebody else will come" in house.phone.at(talk.address)[-1]
        assert await talk.says("hello") == "", "the machine still does not speak into it"
        told = len(house.phone.at(talk.address))
        await house.desk.take(ben, case)
        await house.settled()
        assert len(house.phone.at(talk.address)) == told, "she was greeted already"


@own_loop
async def test_everything_done_to_a_case_is_in_the_audit_log_without_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(tmp_path, monkeypatch) as house:
        ana = await house.joins("ana")
        talk, case = await waits(house)
        await talk.says(CANARY)
        house.view(ana, case)
        await house.desk.take(ana, case)
        await house.desk.say(ana, case, CANARY, key())
        await house.desk.note(ana, case, CANARY)
        await house.desk.close(ana, case, "helped", False, house.view(ana, case).last)
        rows = house.gateway.audit.recent(100, subject=case)
        assert [row.action for row in reversed(rows)] == [
            "case_opened", "case_read", "case_taken", "case_answered", "case_noted", "case_closed"
        ]  # fmt: skip
        assert {row.actor for row in rows} == {"person", ana.operator.id}
        assert house.gateway.audit.verify().broken is None


@own_loop
async def test_a_message_is_not_sent_twice_and_a_bad_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(tmp_path, monkeypatch) as house:
        ana = await house.joins("ana")
        talk, case = await waits(house)
        await house.desk.take(ana, case)
        for _ in range(3):
            await house.desk.say(ana, case, "once", "the same key")
        await house.settled()
        assert sum(text.endswith("once") for text in house.phone.at(talk.address)) == 1
        for text, name in (("  ", "empty"), ("x" * 3000, "too_long")):
            with pytest.raises(Refused, match=name):
                await house.desk.say(ana, case, text, key())
        for call in (
            house.desk.say_phrase(ana, case, "no_such_phrase", key()),
            house.desk.say_service(ana, case, "no", key()),
        ):
            with pytest.raises(Refused, match="gone"):
                await call


@own_loop
async def test_events_are_heard_by_the_team_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_house(tmp_path, monkeypatch) as house:
        ana, otto = await house.joins("ana"), await house.joins("otto", team="paris")
        heard: dict[str, list[tuple[str, str]]] = {"ana": [], "otto": []}

        async def listen(name: str, session: object) -> None:
            async for event in house.desk.events(session):  # type: ignore[arg-type]
                heard[name].append(event)

        tasks = [asyncio.create_task(listen("ana", ana)), asyncio.create_task(listen("otto", otto))]
        await asyncio.sleep(0)
        _, case = await waits(house)
        await asyncio.sleep(0.01)
        assert ("alert", case) in heard["ana"]
        assert all(case not in event for event in heard["otto"])
        house.gateway.sessions.close(ana)
        await asyncio.sleep(0.01)
        assert heard["ana"][-1] == ("ended", "")
        for task in tasks:
            task.cancel()
