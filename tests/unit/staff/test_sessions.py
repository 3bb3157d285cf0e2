"""bot/staff/sessions.py: bound, short, revocable."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from bot.staff.accounts import Role
from bot.staff.sessions import MOST_EACH, Session
from tests.unit.staff.conftest import AGENT, PASSWORD, Person, Staff

MINUTE = 60


@pytest.fixture
def opened(staff: Staff, ana: Person) -> tuple[str, Session]:
    admission = ana.logs_in()
    return staff.sessions.open(admission.operator, admission.private_key, AGENT)


def test_the_token_finds_the_session_in_the_same_browser_only(staff: Staff, opened: tuple[str, Session]) -> None:
    token, session = opened
    assert staff.sessions.get(token, AGENT) is session
    assert staff.sessions.get(token, "another browser") is None
    assert staff.sessions.get(token + "x", AGENT) is None
    assert staff.sessions.get("", AGENT) is None
    assert staff.sessions.get("\udcff", "\udcff") is None
    assert token not in str(vars(staff.sessions))


def test_it_ends_when_idle_and_watching_is_not_being_there(staff: Staff, opened: tuple[str, Session]) -> None:
    token, session = opened
    now = session.created
    assert staff.sessions.get(token, AGENT, now=now + 29 * MINUTE)
    assert staff.sessions.get(token, AGENT, now=now + 58 * MINUTE, touch=False)
    assert staff.sessions.live(now=now + 59 * MINUTE) == []
    assert staff.sessions.get(token, AGENT, now=now + 59 * MINUTE) is None
    assert session.closed


def test_it_ends_after_ten_hours_however_busy(staff: Staff, opened: tuple[str, Session]) -> None:
    token, session = opened
    for turn in range(1, 30):
        assert staff.sessions.get(token, AGENT, now=session.created + turn * 20 * MINUTE)
    assert staff.sessions.get(token, AGENT, now=session.created + 600 * MINUTE) is None


def test_the_sweep_ends_it_and_tells(staff: Staff, opened: tuple[str, Session]) -> None:
    _, session = opened
    closed: list[Session] = []
    staff.sessions.on_close.append(closed.append)
    session.known["a case's key"] = b"key"
    staff.sessions.sweep(now=session.created + MINUTE)
    assert closed == []
    staff.sessions.sweep(now=session.created + 31 * MINUTE)
    assert closed == [session]
    assert session.known == {}


def test_logging_out(staff: Staff, opened: tuple[str, Session]) -> None:
    token, session = opened
    staff.sessions.close(session)
    staff.sessions.close(session)
    assert staff.sessions.get(token, AGENT) is None
    assert [line.action for line in staff.audit.recent(2)] == ["logout", "session_opened"]


def test_one_ends_the_others_go_on(staff: Staff, ana: Person) -> None:
    one, other = ana.session(), ana.session()
    bob = staff.joins("bob").session()
    assert staff.sessions.of(ana.account.id) == [other, one]
    assert not staff.sessions.end(ana.account.id, bob.id)
    assert staff.sessions.end(ana.account.id, one.id)
    assert (one.closed, other.closed, bob.closed) == (True, False, False)
    staff.sessions.close_all(ana.account.id)
    assert staff.sessions.live() == [bob]


def test_the_oldest_goes_when_there_are_too_many(ana: Person) -> None:
    sessions = [ana.session() for _ in range(MOST_EACH + 1)]
    assert [session.closed for session in sessions] == [True] + [False] * MOST_EACH


def test_what_another_process_changes_counts_here(
    staff: Staff, ana: Person, opened: tuple[str, Session], engine: Engine
) -> None:
    token, session = opened
    command_line = Staff(engine)
    command_line.accounts.change(ana.account.id, by="cli", name="Anita")
    assert staff.sessions.get(token, AGENT) is session
    assert session.operator.name == "Anita"
    command_line.accounts.change(ana.account.id, by="cli", role=Role.EDITOR)
    assert staff.sessions.get(token, AGENT) is None
    session = ana.session()
    command_line.accounts.change(ana.account.id, by="cli", active=False)
    staff.sessions.sweep()
    assert session.closed


def test_a_session_opened_from_before_a_change_does_not_live(staff: Staff, ana: Person) -> None:
    admission = ana.logs_in()
    staff.accounts.change(ana.account.id, by="cli", team="milan")
    token, _ = staff.sessions.open(admission.operator, admission.private_key, AGENT)
    assert staff.sessions.get(token, AGENT) is None
    admission = ana.logs_in()
    staff.accounts.set_password(ana.account.id, PASSWORD, "a whole new sentence")
    token, _ = staff.sessions.open(admission.operator, admission.private_key, AGENT)
    assert staff.sessions.get(token, AGENT) is None


def test_each_session_has_secrets_of_its_own(ana: Person) -> None:
    one, other = ana.session(), ana.session()
    assert one.csrf != other.csrf
    assert one.id != other.id
    assert len(one.csrf) >= 43
