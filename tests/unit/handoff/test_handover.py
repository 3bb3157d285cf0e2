"""Her side of a handover: what she is told, who owns her conversation, what leaving does. No engine runs here."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from bot.conversation.state import ASSISTANT, OPERATOR, QUEUE
from bot.conversation.turn import Kind
from bot.handoff.desk import Refused
from bot.staff.accounts import Role
from tests.support import own_loop
from tests.unit.handoff.conftest import NotSent, PerhapsSent, Talk, a_house


async def waits(talk: Talk) -> str:
    """Let somebody ask for a person; return her case."""
    await talk.taps("/talk_to_human")
    await talk.taps("!human_yes")
    case = talk.state.case
    assert case
    return case


@own_loop
async def test_without_staff_she_is_told_so_and_offered_a_hotline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(tmp_path, monkeypatch) as house:
        talk = house.talk()
        assert "can't connect you" in await talk.taps("/talk_to_human")
        assert "A hotline now" in talk.choices
        await talk.taps("!human_yes")
        assert talk.state.case is None


@own_loop
async def test_she_sees_exactly_what_staff_would_see_before_she_agrees(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(tmp_path, monkeypatch) as house:
        ana = await house.joins("ana")
        talk = house.talk("phone", "fr")
        await talk.taps("/phone_shared")
        await talk.taps("!country:IT")
        shown = await talk.taps("/talk_to_human")
        assert house.desk.queue(ana) == [], "nothing is handed over before she says yes"
        assert "Italie" in shown
        await talk.taps("!human_yes")
        (entry,) = house.desk.queue(ana)
        assert entry.summary
        assert (entry.summary.country, entry.summary.language, entry.summary.shared_phone) == ("IT", "fr", True)
        for line in house.view(ana, entry.id).lines:
            assert talk.address not in line.text


@own_loop
async def test_a_waiting_person_has_a_place_goes_on_with_the_assistant_and_may_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(tmp_path, monkeypatch) as house:
        ana = await house.joins("ana")
        first, second = house.talk(), house.talk()
        await waits(first)
        case = await waits(second)
        assert "number 2" in await second.taps("!place")
        assert second.state.owner == QUEUE
        assert await second.says("what is trafficking"), "the assistant goes on answering"
        assert ("person", "what is trafficking") in house.lines(ana, case), "and staff can read it, as she agreed"
        assert "left the line" in await second.taps("!human_leave")
        assert second.state.owner == ASSISTANT
        assert [entry.id for entry in house.desk.queue(ana)] == [first.state.case]
        before = house.lines(ana, case)
        await second.says("I tell this only to the machine")
        assert house.lines(ana, case) == before


@own_loop
async def test_an_operator_joins_is_marked_as_human_and_the_assistant_is_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(tmp_path, monkeypatch) as house:
        ana = await house.joins("ana")
        talk = house.talk()
        case = await waits(talk)
        await house.desk.take(ana, case)
        await house.desk.say(ana, case, "I read what you write", "key")
        await house.settled()
        joined, said = house.phone.at(talk.address)
        assert "Ana" in joined
        assert "person" in joined
        assert said.endswith("(a person): I read what you write")
        for text in ("hello", "what are my rights", "5 kg", "menu"):
            assert await talk.says(text) == ""
        assert [text for kind, text in house.lines(ana, case) if kind == "person"][-1] == "menu"
        assert "stay silent" in await talk.taps("/menu")
        assert "stay silent" in await talk.sends(Kind.COMMAND, "start")


@own_loop
async def test_a_restart_changes_nothing_about_who_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_house(tmp_path, monkeypatch) as house:
        ana = await house.joins("ana")
        talk = house.talk()
        case = await waits(talk)
        await house.desk.take(ana, case)
        await house.settled()
        await house.dies()
        talk.router = house.gateway.router
        assert talk.state.owner == OPERATOR
        assert await talk.says("are you still there") == ""
        back = await house.logs_in("ana")
        assert ("person", "are you still there") in house.lines(back, case)


@own_loop
async def test_in_danger_the_numbers_come_and_staff_are_alarmed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(tmp_path, monkeypatch) as house:
        ana = await house.joins("ana")
        talk = house.talk()
        case = await waits(talk)
        await house.desk.take(ana, case)
        house.view(ana, case)
        assert "112" in await talk.says("he is beating me right now")
        (entry,) = house.desk.mine(ana)
        assert entry.alert == "danger"
        assert entry.urgency == 3
        assert ("person", "he is beating me right now") in house.lines(ana, case)


@own_loop
async def test_the_queue_is_ordered_by_urgency_then_by_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_house(tmp_path, monkeypatch) as house:
        ana = await house.joins("ana")
        calm, danger = house.talk(), house.talk()
        first = await waits(calm)
        await danger.says("he is beating me right now")
        second = await waits(danger)
        assert [entry.id for entry in house.desk.queue(ana)] == [second, first]


@pytest.mark.parametrize("way", ["!exit", "!erase"])
@own_loop
async def test_leaving_closes_the_case_as_left_safely_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    async with a_house(tmp_path, monkeypatch) as house:
        ana = await house.joins("ana")
        talk = house.talk()
        case = await waits(talk)
        await talk.says("CANARY-before-leaving")
        await house.desk.take(ana, case)
        await house.settled()
        await talk.taps(way)
        assert talk.reply
        assert talk.reply.ended
        assert talk.router.memory.load(talk.pseudonym) is None
        (entry,) = house.desk.closed(ana)
        assert entry.closed_reason == "left_hidden"
        if way == "!erase":
            with pytest.raises(Refused, match="no_key"):
                house.view(ana, case)
        else:
            assert ("person", "CANARY-before-leaving") in house.lines(ana, case)
        with pytest.raises(Refused):
            await house.desk.say(ana, case, "are you there", "late")
        await house.settled()
        assert len(house.phone.at(talk.address)) == 1, "nothing is written to a chat that was left"


@own_loop
async def test_erasing_only_the_chat_keeps_the_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_house(tmp_path, monkeypatch) as house:
        ana = await house.joins("ana")
        talk = house.talk()
        case = await waits(talk)
        await talk.says("my words")
        await talk.sends(Kind.COMMAND, "erase")
        assert {"Erase everything", "Erase only this chat"} <= set(talk.choices)
        await talk.taps("!erase_chat")
        assert talk.router.memory.load(talk.pseudonym) is None
        assert ("person", "my words") in house.lines(ana, case)


@own_loop
async def test_nobody_there_she_leaves_a_message_with_a_safe_time_and_comes_back_by_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(tmp_path, monkeypatch) as house:
        ana = await house.joins("ana", duty=False)
        talk = house.talk()
        offered = await talk.taps("/talk_to_human")
        assert "Nobody is here right now" in offered
        assert {"Leave a message", "A hotline now"} <= set(talk.choices)
        await talk.taps("!leave_message")
        assert "kept for staff" in await talk.says("please help me get my passport back")
        await talk.taps("!answer_here")
        answer = await talk.taps("!safe:evening")
        number = re.search(r"\d{4} \d{4} \d{4} \d{4}", answer)
        assert number
        assert "deleted" in answer
        (entry,) = house.desk.queue(ana)
        assert entry.summary
        assert entry.summary.safe_time == "evening"
        assert entry.summary.left_message
        assert talk.state.owner == ASSISTANT, "until somebody takes it, the machine answers"

        await talk.taps("!erase_chat")
        other = house.talk("web", "uk")
        taken = await other.says(f"my number is {number[0]}")
        assert other.reply
        assert other.reply.hide, "the number is taken out of sight"
        wrong = house.talk("web", "uk")
        refused = await wrong.says("0000 1111 2222 3333")
        assert taken == refused, "nothing tells whether a case has this number"
        await house.desk.set_presence(ana, "duty")
        for each in (other, wrong):
            await each.taps("!human_yes")
        assert other.text.replace("1", "").replace("2", "") == wrong.text.replace("1", "").replace("2", "")
        assert other.state.case == entry.id
        assert wrong.state.case != entry.id
        lines = house.lines(ana, entry.id)
        assert ("person", "please help me get my passport back") in lines


@own_loop
async def test_guessing_numbers_is_hopeless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After five numbers of one conversation, not even the right one is looked up; the answer stays the same."""
    async with a_house(tmp_path, monkeypatch) as house:
        await house.joins("ana")
        talk = house.talk()
        case = await waits(talk)
        number = re.search(r"\d{4} \d{4} \d{4} \d{4}", await talk.taps("!number"))
        assert number
        await talk.taps("!erase_chat")
        guesser = house.talk()
        for guess in range(5):
            await guesser.says(f"{guess}234 5678 9012 3456")
            await guesser.taps("!human_yes")
            await guesser.taps("!human_leave")
        await guesser.says(number[0])
        await guesser.taps("!human_yes")
        assert guesser.state.case != case


@own_loop
async def test_what_staff_wrote_is_not_shown_to_whoever_comes_with_the_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(tmp_path, monkeypatch) as house:
        ana = await house.joins("ana", duty=False)
        talk = house.talk()
        await talk.taps("/talk_to_human")
        await talk.taps("!leave_message")
        await talk.says("help")
        number = re.search(r"\d{4} \d{4} \d{4} \d{4}", await talk.taps("!answer_none"))
        assert number
        await talk.taps("!exit")
        await house.desk.set_presence(ana, "duty")
        (entry,) = house.desk.queue(ana)
        await house.desk.take(ana, entry.id)
        await house.desk.say(ana, entry.id, "We can meet at the station", "key")
        assert house.view(ana, entry.id).lines[-1].delivery == "held"
        other = house.talk()
        await other.says(number[0])
        await other.taps("!human_yes")
        await house.settled()
        assert other.state.case == entry.id
        assert house.phone.at(other.address) == []
        await house.desk.take(ana, entry.id)
        line = next(line for line in house.view(ana, entry.id).lines if line.text == "We can meet at the station")
        assert line.delivery == "unknown"
        await house.desk.send_again(ana, entry.id, line.seq)
        await house.settled()
        assert any("We can meet at the station" in text for text in house.phone.at(other.address))


@own_loop
async def test_who_does_not_want_to_be_written_to_finds_it_when_she_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(tmp_path, monkeypatch) as house:
        ana = await house.joins("ana")
        talk = house.talk()
        case = await waits(talk)
        await talk.taps("!tell_no")
        await house.desk.take(ana, case)
        await house.desk.say(ana, case, "good evening", "key")
        await house.settled()
        assert house.phone.at(talk.address) == []
        await talk.says("I am here")
        assert [text.endswith("good evening") for text in house.phone.at(talk.address)] == [False, True]


@own_loop
async def test_nothing_appears_on_a_chat_that_is_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_house(tmp_path, monkeypatch) as house:
        ana = await house.joins("ana")
        talk = house.talk()
        await talk.taps("!word")
        await talk.says("mimosa")
        await talk.taps("!word_skip")
        case = await waits(talk)
        await talk.taps("!lock")
        await house.desk.take(ana, case)
        await house.desk.say(ana, case, "good evening", "key")
        await house.settled()
        assert house.phone.at(talk.address) == []
        assert "good evening" not in await talk.says("5 kg")
        assert house.phone.at(talk.address) == []
        await talk.says("mimosa")
        assert house.phone.at(talk.address)[-1].endswith("good evening")


@own_loop
async def test_the_same_message_twice_is_kept_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway dies after sealing a line and before it has noted the delivery: her channel delivers it again."""
    async with a_house(tmp_path, monkeypatch) as house:
        ana = await house.joins("ana")
        talk = house.talk()
        case = await waits(talk)
        await house.desk.take(ana, case)
        before = talk.state
        await talk.says("only once", unique=77)
        talk.router.memory.keep(talk.pseudonym, before)
        await talk.says("only once", unique=77)
        assert [text for _, text in house.lines(ana, case)].count("only once") == 1


@own_loop
async def test_lines_to_her_survive_a_death_of_the_gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not yet sent: sent after the next login. Being sent at that moment: staff are asked. Never twice by itself."""
    async with a_house(tmp_path, monkeypatch) as house:
        ana = await house.joins("ana")
        talk = house.talk()
        case = await waits(talk)
        await house.desk.take(ana, case)
        await house.settled()
        house.phone.failing = [PerhapsSent, *[NotSent] * 3]
        for number, text in enumerate(("one", "two", "three")):
            await house.desk.say(ana, case, text, str(number))
        for _ in range(50):
            if not house.phone.failing:
                break
            await house.settled()
        await house.dies()
        talk.router = house.gateway.router
        back = await house.logs_in("ana")
        await house.settled()
        arrived = [text.rpartition(": ")[2] for text in house.phone.at(talk.address)[1:]]
        assert arrived == ["two", "three"]
        delivery = {line.text: line.delivery for line in house.view(back, case).lines}
        assert (delivery["one"], delivery["two"], delivery["three"]) == ("unknown", "sent", "sent")


@own_loop
async def test_a_page_gets_each_line_until_it_has_said_so_and_sees_where_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(tmp_path, monkeypatch) as house:
        ana = await house.joins("ana", language="en")
        talk = house.talk("web")
        case = await waits(talk)
        assert await talk.looks() == []
        assert "1" in talk.status["text"]
        await house.desk.take(ana, case)
        await house.desk.say(ana, case, "good morning", "key")
        lines = await talk.looks()
        assert [text.rpartition(": ")[2] for _, text in lines][-1] == "good morning"
        assert await talk.looks() == lines, "the answer was lost on the way: it comes again"
        assert await talk.looks([token for token, _ in lines]) == []
        assert house.view(ana, case).lines[-1].delivery == "sent"
        await house.desk.typing(ana, case)
        await talk.looks()
        assert "Ana" in talk.status["typing"]
        await house.desk.close(ana, case, "helped", False, house.view(ana, case).last)
        assert "7 days" in (await talk.looks())[-1][1]
        assert "7 days" in talk.status["deletes"]


@own_loop
async def test_idle_handovers_are_closed_when_the_conversation_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(tmp_path, monkeypatch) as house:
        ana = await house.joins("ana", Role.SUPERVISOR)
        talk = house.talk()
        await waits(talk)
        house.gateway._forget_expired()
        assert len(house.desk.queue(ana)) == 1
        house.gateway.conversations.erase(talk.pseudonym)
        house.gateway._forget_expired()
        assert house.desk.queue(ana) == []
        assert house.desk.closed(ana)[0].closed_reason == "lost_contact"
        assert (house.desk.closed(ana)[0].deletes_at or 0) > time.time()
