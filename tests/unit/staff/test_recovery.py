"""bot/staff/recovery.py: two administrators together, and nobody alone."""

from __future__ import annotations

import itertools

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session as Database

from bot.handoff.sealing import private_from, seal, unseal
from bot.staff import totp
from bot.staff.accounts import CODE_HOURS, Role
from bot.staff.errors import LoginRefused, StaffError
from bot.staff.recovery import CONFIRM_SECONDS, _escrow_info, _share_info
from bot.staff.sessions import Session
from bot.staff.tables import EscrowRow, GenerationRow, ShareRow
from bot.vault.vault import Unreadable
from tests.unit.staff.conftest import Person, Staff


@pytest.fixture
def administrators(staff: Staff) -> tuple[Session, Session]:
    """Two administrators, both logged in."""
    people = [staff.joins(login, Role.ADMINISTRATOR, "office") for login in ("boss", "chair")]
    one, other = (person.session() for person in people)
    return one, other


@pytest.fixture
def forgetful(administrators: tuple[Session, Session], ana: Person) -> Person:
    """An operator who has logged in since there were two administrators, and then forgets the password."""
    ana.session()
    return ana


def generations(engine: Engine) -> list[int]:
    with Database(engine) as database:
        return list(database.scalars(select(GenerationRow.n).order_by(GenerationRow.n)))


def test_a_forgotten_password_keeps_the_key_pair(
    staff: Staff, administrators: tuple[Session, Session], forgetful: Person
) -> None:
    one, other = administrators
    public = forgetful.account.public_key
    assert public
    session = staff.sessions.of(forgetful.account.id)[0]
    letter = seal(public, b"written before", "x")
    assert staff.recovery.ready(forgetful.account.id)
    staff.recovery.begin(one, forgetful.account.id)
    assert [(each.operator.login, each.by.login) for each in staff.recovery.pending()] == [("ana", "boss")]
    assert forgetful.logs_in()  # nothing is taken away before the second administrator has confirmed
    code = staff.recovery.confirm(other, forgetful.account.id)
    assert session.closed
    assert staff.recovery.pending() == []
    for attempt in (forgetful.digits(), forgetful.codes[0]):
        with pytest.raises(LoginRefused):  # the old password is no longer good
            forgetful.logs_in(code=attempt)
    assert staff.accounts.holders("rome") == [forgetful.account]  # cases are still sealed to the same key
    forgetful.password, forgetful.secret = "a whole new sentence", totp.new_secret()
    forgetful.enrols(code)
    assert forgetful.account.public_key == public
    assert unseal(forgetful.logs_in().private_key, letter, "x") == b"written before"
    with pytest.raises(LoginRefused):
        forgetful.enrols(code)
    assert [line.action for line in staff.audit.recent(subject=forgetful.account.id) if "recovery" in line.action] == [
        "recovery_confirmed",
        "recovery_started",
    ]


def test_one_alone_can_do_nothing(
    staff: Staff, administrators: tuple[Session, Session], forgetful: Person, engine: Engine
) -> None:
    one, other = administrators
    operator_id = forgetful.account.id
    with pytest.raises(StaffError, match="recovery_not_started"):
        staff.recovery.confirm(one, operator_id)
    staff.recovery.begin(one, operator_id)
    with pytest.raises(StaffError, match="recovery_same_person"):
        staff.recovery.confirm(one, operator_id)
    staff.accounts.change(other.operator.id, by=one.operator.id, active=False)
    with pytest.raises(StaffError, match="not_administrator"):
        staff.recovery.confirm(other, operator_id)
    assert forgetful.logs_in()
    # Nor with the whole database and the master key at hand: what one share opens is half of nothing.
    with Database(engine) as database:
        escrow = database.get(EscrowRow, operator_id)
        assert escrow is not None
        halves = []
        for share in database.scalars(select(ShareRow)):
            info = _share_info(share.generation, share.holder, share.partner)
            if share.holder == one.operator.id:
                halves.append(unseal(one.private_key, share.sealed, info))
            else:
                with pytest.raises(Unreadable):
                    unseal(one.private_key, share.sealed, info)
        assert len(halves) == 1
        for key in (private_from(halves[0]), one.private_key):
            with pytest.raises(Unreadable):
                unseal(key, escrow.sealed, _escrow_info(operator_id, escrow.generation))


def test_the_second_has_fifteen_minutes(
    staff: Staff, administrators: tuple[Session, Session], forgetful: Person
) -> None:
    one, other = administrators
    staff.recovery.begin(one, forgetful.account.id, now=1000)
    assert len(staff.recovery.pending(now=1000 + CONFIRM_SECONDS - 1)) == 1
    assert staff.recovery.pending(now=1000 + CONFIRM_SECONDS) == []
    with pytest.raises(StaffError, match="recovery_not_started"):
        staff.recovery.confirm(other, forgetful.account.id, now=1000 + CONFIRM_SECONDS)
    staff.recovery.begin(one, forgetful.account.id)
    staff.recovery.withdraw(other, forgetful.account.id)
    with pytest.raises(StaffError, match="recovery_not_started"):
        staff.recovery.confirm(other, forgetful.account.id)


def test_a_recovery_that_nobody_used_in_time_can_be_done_again(
    staff: Staff, administrators: tuple[Session, Session], forgetful: Person
) -> None:
    one, other = administrators
    public = forgetful.account.public_key
    staff.recovery.begin(one, forgetful.account.id)
    code = staff.recovery.confirm(other, forgetful.account.id)
    late = forgetful.now + CODE_HOURS * 3600 + 60
    assert staff.accounts.purge(now=late) == 1
    with pytest.raises(LoginRefused):
        forgetful.enrols(code)
    staff.recovery.begin(other, forgetful.account.id)
    forgetful.enrols(staff.recovery.confirm(one, forgetful.account.id))
    assert forgetful.account.public_key == public


def test_who_may_not_and_what_can_not_be_recovered(
    staff: Staff, administrators: tuple[Session, Session], forgetful: Person
) -> None:
    one, _ = administrators
    staff.accounts.add("new", Role.OPERATOR, "rome", "New", "en")
    new = Person(staff, "new")
    late = staff.joins("late")  # has enrolled, but never opened a session
    for session, operator_id, name in (
        (forgetful.session(), new.account.id, "not_administrator"),
        (one, "no such id", "unknown_operator"),
        (one, one.operator.id, "recovery_self"),
        (one, new.account.id, "recovery_not_enrolled"),
        (one, late.account.id, "recovery_no_copy"),
    ):
        with pytest.raises(StaffError, match=name):
            staff.recovery.begin(session, operator_id)
    assert not staff.recovery.ready(late.account.id)
    late.session()
    assert staff.recovery.ready(late.account.id)


def test_a_closed_session_is_no_administrator(
    staff: Staff, administrators: tuple[Session, Session], forgetful: Person
) -> None:
    one, _ = administrators
    staff.sessions.close(one)
    with pytest.raises(StaffError, match="not_administrator"):
        staff.recovery.begin(one, forgetful.account.id)


def test_there_is_no_recovery_key_with_one_administrator(staff: Staff, ana: Person, engine: Engine) -> None:
    boss = staff.joins("boss", Role.ADMINISTRATOR)
    boss.session()
    ana.session()
    assert generations(engine) == []
    assert not staff.recovery.ready(ana.account.id)
    with pytest.raises(StaffError, match="recovery_no_copy"):
        staff.recovery.begin(boss.session(), ana.account.id)


def test_any_two_of_three_can_and_other_administrators_make_a_new_key(
    staff: Staff, administrators: tuple[Session, Session], forgetful: Person, engine: Engine
) -> None:
    one, other = administrators
    third = staff.joins("third", Role.ADMINISTRATOR).session()
    assert generations(engine) == [1, 2]  # copies of the first are still there
    with pytest.raises(StaffError, match="recovery_no_share"):
        staff.recovery.begin(third, forgetful.account.id)  # her copy is of before this administrator
    forgetful.session()
    for first, second in itertools.permutations((one, other, third), 2):
        staff.recovery.begin(first, forgetful.account.id)
        public = forgetful.account.public_key
        forgetful.enrols(staff.recovery.confirm(second, forgetful.account.id))
        assert forgetful.account.public_key == public


def test_one_of_three_administrators_is_recovered_by_the_others(
    staff: Staff, administrators: tuple[Session, Session]
) -> None:
    one, other = administrators
    third = staff.joins("third", Role.ADMINISTRATOR)
    third.session()
    staff.recovery.begin(one, third.account.id)
    public = third.account.public_key
    third.enrols(staff.recovery.confirm(other, third.account.id))
    assert third.account.public_key == public


def test_who_is_administrator_no_longer_holds_no_share(
    staff: Staff, administrators: tuple[Session, Session], forgetful: Person, engine: Engine
) -> None:
    one, other = administrators
    staff.accounts.change(other.operator.id, by="cli", role=Role.OPERATOR)
    assert not staff.recovery.ready(forgetful.account.id)
    staff.recovery.ensure_generation(one)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM staff_recovery_share")).scalar() == 0


def test_a_reset_administrator_gets_new_shares(
    staff: Staff, administrators: tuple[Session, Session], forgetful: Person, engine: Engine
) -> None:
    one, other = administrators
    chair = Person(staff, "chair")
    chair.enrols(staff.accounts.reset(other.operator.id, by="cli"))
    session = chair.session()
    assert not staff.recovery.ready(forgetful.account.id)
    assert max(generations(engine)) == 2
    forgetful.session()
    public = forgetful.account.public_key
    staff.recovery.begin(session, forgetful.account.id)
    forgetful.enrols(staff.recovery.confirm(one, forgetful.account.id))
    assert forgetful.account.public_key == public


def test_a_new_copy_is_made_only_when_it_is_needed(
    staff: Staff, administrators: tuple[Session, Session], forgetful: Person, engine: Engine
) -> None:
    def copies() -> list[bytes]:
        with Database(engine) as database:
            return list(database.scalars(select(EscrowRow.sealed).order_by(EscrowRow.operator_id)))

    before = copies()
    forgetful.session()
    assert copies() == before
    assert generations(engine) == [1]


def test_a_stolen_disk_with_the_master_key_opens_no_copy_and_no_code(
    staff: Staff, administrators: tuple[Session, Session], forgetful: Person, engine: Engine
) -> None:
    one, other = administrators
    private = forgetful.logs_in().private_key.private_bytes_raw()
    staff.recovery.begin(one, forgetful.account.id)
    staff.recovery.confirm(other, forgetful.account.id)
    with engine.connect() as connection:
        record = connection.execute(
            text("SELECT code_record FROM staff_operator WHERE id = :id"), {"id": forgetful.account.id}
        ).scalar_one()
        held = connection.execute(text("SELECT record FROM staff_recovery_generation")).scalar_one()
    shown = staff.vault.reveal("staff enrolment", forgetful.account.id, bytes(record))
    shown += staff.vault.reveal("staff recovery", "1", bytes(held))
    assert private.hex().encode() not in shown
    assert forgetful.account.public_key == X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def test_a_damaged_share_says_so_and_changes_nothing(
    staff: Staff, administrators: tuple[Session, Session], forgetful: Person, engine: Engine
) -> None:
    one, other = administrators
    staff.recovery.begin(one, forgetful.account.id)
    public = other.operator.public_key
    assert public
    forged = seal(public, bytes(32), _share_info(1, other.operator.id, one.operator.id))
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE staff_recovery_share SET sealed = :sealed WHERE holder = :holder"),
            {"sealed": forged, "holder": other.operator.id},
        )
    with pytest.raises(StaffError, match="recovery_damaged"):
        staff.recovery.confirm(other, forgetful.account.id)
    assert forgetful.logs_in()
