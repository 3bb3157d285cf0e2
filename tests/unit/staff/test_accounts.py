"""bot/staff/accounts.py: enrolling, logging in, changing, as an operator would notice it."""

from __future__ import annotations

import statistics
import threading
import time
from pathlib import Path

import pyotp
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import Engine, text

from bot.handoff.sealing import seal, unseal
from bot.staff import totp
from bot.staff.accounts import CODE_HOURS, Accounts, Role
from bot.staff.errors import LoginRefused, StaffError, TryLater
from bot.staff.passwords import Cost
from bot.vault.vault import Unreadable
from tests.unit.staff.conftest import CHEAP, MASTER, PASSWORD, Person, Staff

HOUR = 3600


def files(tmp_path: Path) -> bytes:
    return b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())


def hammer(staff: Staff, login: str, times: int, now: float, cookie: str = "") -> list[type[Exception]]:
    """Try wrong passwords one after the other; return what each was answered with."""
    outcomes: list[type[Exception]] = []
    for _ in range(times):
        try:
            staff.accounts.login(login, "a wrong password", "000000", cookie, now=now)
        except (LoginRefused, TryLater) as refused:
            outcomes.append(type(refused))
    return outcomes


# Enrolling


def test_a_new_operator_enrols_once_and_logs_in(staff: Staff) -> None:
    code = staff.accounts.add("Ana", Role.OPERATOR, "Rome", "Ana", "uk")
    ana = Person(staff, "ana")
    assert ana.account.public_key is None
    assert ana.account.enrolling
    assert staff.accounts.holders("rome") == []
    admission = ana.enrols(code)
    assert len(set(admission.recovery_codes)) == 10
    assert staff.accounts.holders("rome") == [ana.account]
    assert not ana.account.enrolling
    assert ana.account.public_key == admission.operator.public_key
    again = ana.logs_in()
    assert again.operator.id == admission.operator.id
    assert again.operator.language == "uk"
    assert unseal(again.private_key, seal(ana.account.public_key or b"", b"words", "x"), "x") == b"words"
    with pytest.raises(LoginRefused):
        ana.enrols(code)


def test_the_enrolment_code_may_be_typed_in_any_way_but_must_be_right(staff: Staff) -> None:
    code = staff.accounts.add("ana", Role.OPERATOR, "rome", "Ana", "en")
    assert staff.accounts.enrol_check(" ANA ", code.lower().replace("-", " ")).login == "ana"
    for login, wrong in (("ana", "ABCDE-" * 5), ("ana", ""), ("bob", code)):
        with pytest.raises(LoginRefused):
            staff.accounts.enrol_check(login, wrong)


def test_the_enrolment_code_expires(staff: Staff) -> None:
    code = staff.accounts.add("ana", Role.OPERATOR, "rome", "Ana", "en")
    staff.accounts.enrol_check("ana", code, now=time.time() + (CODE_HOURS - 1) * HOUR)
    with pytest.raises(LoginRefused):
        staff.accounts.enrol_check("ana", code, now=time.time() + CODE_HOURS * HOUR + 1)
    assert staff.accounts.purge(now=time.time() + CODE_HOURS * HOUR + 1) == 1
    with pytest.raises(LoginRefused):
        staff.accounts.enrol_check("ana", code)
    ana = Person(staff, "ana")
    ana.enrols(staff.accounts.renew_code(ana.account.id, by="cli"))
    ana.logs_in()


def test_a_weak_password_or_wrong_digits_do_not_use_up_the_code(staff: Staff) -> None:
    code = staff.accounts.add("ana", Role.OPERATOR, "rome", "Ana", "en")
    ana = Person(staff, "ana", password="short")
    with pytest.raises(StaffError, match="password_short"):
        ana.enrols(code)
    ana.password = PASSWORD
    with pytest.raises(StaffError, match="code_wrong"):
        staff.accounts.enrol("ana", code, PASSWORD, ana.secret, "000000" if ana.digits() != "000000" else "000001")
    ana.enrols(code)


def test_colleagues_learn_that_somebody_has_enrolled(staff: Staff) -> None:
    teams: list[str] = []
    staff.accounts.on_team_change.append(teams.append)
    code = staff.accounts.add("ana", Role.OPERATOR, "rome", "Ana", "en")
    assert teams == []
    Person(staff, "ana").enrols(code)
    assert teams == ["rome"]


# Logging in


def test_what_is_wrong_is_refused_in_the_same_words(staff: Staff, ana: Person) -> None:
    staff.accounts.add("new", Role.OPERATOR, "rome", "New", "en")
    messages = set()
    for login, password, code in (
        ("nobody", PASSWORD, ana.digits()),
        ("new", PASSWORD, ana.digits()),
        ("ana", PASSWORD + "x", ana.digits()),
        ("ana", PASSWORD, "000000"),
        ("ana", PASSWORD, ""),
        ("ana", PASSWORD, "ABCD-EFGH-IJKL-MNOP"),
        ("ana", "", ""),
        ("ana\udcff", "\udcff" * 20, "\udcff"),
    ):
        with pytest.raises(LoginRefused) as refused:
            staff.accounts.login(login, password, code, now=ana.now)
        messages.add(str(refused.value))
    assert messages == {""}


def test_it_takes_the_same_time_whether_there_is_such_a_login(engine: Engine) -> None:
    staff = Staff(engine)
    staff.accounts.cost = Cost(memory_kib=16384, iterations=2, lanes=1)
    staff.joins("ana")
    times: dict[str, list[float]] = {"ana": [], "nobody": []}
    for turn in range(5):  # each on its own day, so that nothing is held back
        for login, measured in times.items():
            begun = time.perf_counter()
            hammer(staff, login, 1, time.time() + turn * 25 * HOUR)
            measured.append(time.perf_counter() - begun)
    ratio = statistics.median(times["nobody"]) / statistics.median(times["ana"])
    assert 0.5 < ratio < 2  # without the pretended work it would be below a tenth


def test_a_second_factor_is_good_for_one_login(staff: Staff, ana: Person) -> None:
    digits = ana.digits()
    ana.logs_in(code=digits)
    with pytest.raises(LoginRefused):
        ana.logs_in(code=digits)
    earlier = pyotp.TOTP(ana.secret).at(int(ana.now) - totp.STEP_SECONDS)
    with pytest.raises(LoginRefused):
        ana.logs_in(code=earlier)
    ana.logs_in()


def test_two_logins_at_once_with_the_same_digits_let_one_in(staff: Staff, ana: Person) -> None:
    digits, outcomes = ana.digits(), []

    def try_it() -> None:
        try:
            outcomes.append(bool(staff.accounts.login("ana", PASSWORD, digits, ana.cookie, now=ana.now)))
        except LoginRefused:
            outcomes.append(False)

    threads = [threading.Thread(target=try_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False, False, False, True]


def test_a_clock_half_a_minute_off_is_fine_a_minute_is_not(ana: Person) -> None:
    ahead = pyotp.TOTP(ana.secret).at(int(ana.now) + 2 * totp.STEP_SECONDS)
    with pytest.raises(LoginRefused):
        ana.logs_in(code=ahead)
    ana.now += totp.STEP_SECONDS
    ana.logs_in(code=ahead)


def test_digits_of_an_arabic_keyboard_count(ana: Person) -> None:
    ana.logs_in(code=ana.digits().translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")))


def test_a_recovery_code_is_good_for_one_login(staff: Staff, ana: Person) -> None:
    assert ana.logs_in(code=ana.codes[3].lower().replace("-", " ")).codes_left == 9
    with pytest.raises(LoginRefused):
        ana.logs_in(code=ana.codes[3])
    ana.logs_in(code=ana.codes[4])
    assert staff.accounts.codes_left(ana.account.id) == 8


def test_a_recovery_code_needs_the_password_and_a_wrong_one_does_not_use_it_up(staff: Staff, ana: Person) -> None:
    with pytest.raises(LoginRefused):
        staff.accounts.login("ana", "not her password", ana.codes[0])
    bob = staff.joins("bob")
    with pytest.raises(LoginRefused):
        bob.logs_in(code=ana.codes[0])
    ana.logs_in(code=ana.codes[0])


# Hammering


def test_hammering_does_not_stop_the_browser_that_has_logged_in_before(staff: Staff, ana: Person) -> None:
    for quarter in range(20):
        assert set(hammer(staff, "ana", 5, ana.now + quarter * 900)) == {LoginRefused}
    ana.now += 20 * 900 - 800
    ana.logs_in()
    with pytest.raises(LoginRefused):  # whoever has her password is held back all the same, in the same words
        ana.logs_in(device_cookie="")
    ana.logs_in()


def test_hammering_does_not_stop_a_recovery_code_in_a_new_browser(staff: Staff, ana: Person) -> None:
    hammer(staff, "ana", 50, ana.now)
    with pytest.raises(LoginRefused):
        ana.logs_in(device_cookie="", code=pyotp.TOTP(ana.secret).at(int(ana.now) + totp.STEP_SECONDS))
    ana.logs_in(device_cookie="", code=ana.codes[0])


def test_a_found_recovery_code_does_not_help_guessing_the_password(staff: Staff, ana: Person) -> None:
    runs = 0
    key = staff.accounts.kitchen.key

    def counted(password: str, salt: bytes, cost: Cost, known: bool) -> bytes:
        nonlocal runs
        runs += 1
        return key(password, salt, cost, known)

    staff.accounts.kitchen.key = counted  # type: ignore[method-assign]
    for turn in range(50):
        with pytest.raises(LoginRefused):
            staff.accounts.login("ana", f"a guess {turn}", ana.codes[0], now=ana.now)
    assert runs == 5


def test_the_wait_grows_and_ends(staff: Staff, ana: Person) -> None:
    now = ana.now
    assert hammer(staff, "ana", 6, now, ana.cookie) == [LoginRefused] * 5 + [TryLater]
    waits = []
    for _ in range(12):
        with pytest.raises(TryLater) as later:
            staff.accounts.login("ana", "x", "000000", ana.cookie, now=now)
        waits.append(later.value.seconds)
        now += later.value.seconds
        assert hammer(staff, "ana", 1, now, ana.cookie) == [LoginRefused]
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
    ana.now = now + 900
    ana.logs_in()
    assert hammer(staff, "ana", 5, ana.now, ana.cookie) == [LoginRefused] * 5  # all is forgotten by logging in


def test_a_device_cookie_is_of_one_login_and_can_not_be_made_up(staff: Staff, ana: Person) -> None:
    staff.joins("bob")
    hammer(staff, "bob", 10, ana.now)
    changed = ana.cookie[:-1] + ("0" if ana.cookie[-1] != "0" else "1")
    for cookie in (ana.cookie, changed, "x", "~" * 2000, "\udcff"):
        assert hammer(staff, "bob", 1, ana.now, cookie) == [LoginRefused]  # the strangers' counter: no TryLater


def test_two_people_share_a_browser(staff: Staff, ana: Person) -> None:
    bob = staff.joins("bob")
    bob.cookie = ana.cookie
    bob.logs_in()
    ana.cookie = bob.cookie
    hammer(staff, "ana", 20, ana.now)
    hammer(staff, "bob", 20, ana.now)
    ana.logs_in()
    bob.logs_in()


def test_many_tries_at_once_count_each(staff: Staff, ana: Person) -> None:
    runs: list[int] = []
    key = staff.accounts.kitchen.key

    def counted(password: str, salt: bytes, cost: Cost, known: bool) -> bytes:
        made = key(password, salt, cost, known)
        runs.append(1)
        return made

    staff.accounts.kitchen.key = counted  # type: ignore[method-assign]
    threads = [threading.Thread(target=hammer, args=(staff, "ana", 5, ana.now)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0 < len(runs) <= 5


# Changing


def test_a_disabled_account_is_out_until_enabled(staff: Staff, ana: Person) -> None:
    session = ana.session()
    teams: list[str] = []
    staff.accounts.on_team_change.append(teams.append)
    staff.accounts.change(ana.account.id, by="cli", active=False)
    assert session.closed
    assert teams == ["rome"]
    assert staff.accounts.holders("rome") == []
    with pytest.raises(LoginRefused):
        ana.logs_in()
    staff.accounts.change(ana.account.id, by="cli", active=True)
    ana.logs_in()


def test_a_disabled_account_can_not_enrol(staff: Staff) -> None:
    code = staff.accounts.add("ana", Role.OPERATOR, "rome", "Ana", "en")
    ana = Person(staff, "ana")
    staff.accounts.change(ana.account.id, by="cli", active=False)
    with pytest.raises(LoginRefused):
        ana.enrols(code)


def test_a_changed_password_keeps_the_key_pair_and_this_session_only(staff: Staff, ana: Person, tmp_path: Path) -> None:
    before = ana.account.public_key
    here, elsewhere = ana.session(), ana.session()
    with staff.engine.connect() as connection:
        old_record = bytes(connection.execute(text("SELECT key_record FROM staff_operator")).scalar_one())
    staff.accounts.set_password(ana.account.id, PASSWORD, "a whole new sentence", keep=here.id)
    assert not here.closed
    assert elsewhere.closed
    staff.sessions.sweep()
    assert not here.closed
    assert old_record not in files(tmp_path)
    with pytest.raises(LoginRefused):
        ana.logs_in()
    ana.password = "a whole new sentence"
    assert ana.logs_in().private_key.public_key().public_bytes_raw() == before


def test_a_login_that_is_under_way_when_the_account_changes_is_refused(staff: Staff, ana: Person) -> None:
    key = staff.accounts.kitchen.key

    def meanwhile(password: str, salt: bytes, cost: Cost, known: bool) -> bytes:
        made = key(password, salt, cost, known)
        staff.accounts.kitchen.key = key  # type: ignore[method-assign]
        staff.accounts.set_password(ana.account.id, PASSWORD, "a whole new sentence")
        return made

    staff.accounts.kitchen.key = meanwhile  # type: ignore[method-assign]
    with pytest.raises(LoginRefused):
        ana.logs_in()


def test_changing_asks_for_the_password_and_slows_down_guessing(staff: Staff, ana: Person) -> None:
    for _ in range(5):
        with pytest.raises(StaffError, match="password_wrong"):
            staff.accounts.set_password(ana.account.id, "wrong", "a whole new sentence", now=ana.now)
    with pytest.raises(TryLater):
        staff.accounts.new_recovery_codes(ana.account.id, PASSWORD, now=ana.now)
    ana.logs_in()  # that is another counter
    assert len(staff.accounts.new_recovery_codes(ana.account.id, PASSWORD, now=ana.now + 1)) == 10


def test_a_new_second_factor_replaces_the_old(staff: Staff, ana: Person) -> None:
    old, new = ana.secret, totp.new_secret()
    with pytest.raises(StaffError, match="code_wrong"):
        staff.accounts.set_totp(ana.account.id, PASSWORD, new, "12345", now=ana.now)
    ana.secret = new
    staff.accounts.set_totp(ana.account.id, PASSWORD, new, ana.digits(), now=ana.now)
    with pytest.raises(LoginRefused):
        ana.logs_in(code=pyotp.TOTP(old).at(int(ana.now) + totp.STEP_SECONDS))
    ana.logs_in()


def test_new_recovery_codes_replace_the_old(staff: Staff, ana: Person) -> None:
    new = staff.accounts.new_recovery_codes(ana.account.id, PASSWORD)
    with pytest.raises(LoginRefused):
        ana.logs_in(code=ana.codes[0])
    ana.logs_in(code=new[0])


def test_a_reset_gives_a_new_key_pair(staff: Staff, ana: Person) -> None:
    before, session = ana.account.public_key, ana.session()
    code = staff.accounts.reset(ana.account.id, by="cli")
    assert session.closed
    assert ana.account.public_key is None
    for attempt in (ana.digits(), ana.codes[0]):
        with pytest.raises(LoginRefused):
            ana.logs_in(code=attempt)
    ana.secret = totp.new_secret()
    ana.enrols(code)
    assert ana.account.public_key not in (None, before)
    ana.logs_in()


def test_a_change_of_role_or_team_ends_sessions_and_a_new_name_does_not(staff: Staff, ana: Person) -> None:
    teams: list[str] = []
    staff.accounts.on_team_change.append(teams.append)
    session = ana.session()
    staff.accounts.change_own(ana.account.id, name="  Anita ", language="ar")
    staff.sessions.sweep()
    assert not session.closed
    assert (session.operator.name, session.operator.language) == ("Anita", "ar")
    staff.accounts.change(ana.account.id, by="cli", team="Milan")
    assert session.closed
    assert teams == ["rome", "milan"]
    session = ana.session()
    staff.accounts.change(ana.account.id, by="cli", role=Role.SUPERVISOR)
    assert session.closed


def test_one_administrator_can_not_become_two(staff: Staff, ana: Person) -> None:
    boss, second = staff.joins("boss", Role.ADMINISTRATOR), staff.joins("second", Role.ADMINISTRATOR)
    by = boss.account.id
    with pytest.raises(StaffError, match="administrator_cli"):
        staff.accounts.add("puppet", Role.ADMINISTRATOR, "rome", "P", "en", by=by)
    with pytest.raises(StaffError, match="administrator_cli"):
        staff.accounts.change(ana.account.id, by=by, role=Role.ADMINISTRATOR)
    with pytest.raises(StaffError, match="administrator_cli"):
        staff.accounts.reset(second.account.id, by=by)
    for refused in ({"role": Role.OPERATOR}, {"team": "x"}, {"active": False}):
        with pytest.raises(StaffError, match="own_account"):
            staff.accounts.change(by, by=by, **refused)  # type: ignore[arg-type]
    assert staff.accounts.find("puppet") is None
    staff.accounts.change(second.account.id, by=by, active=False)
    with pytest.raises(StaffError, match="last_administrator"):
        staff.accounts.change(by, by=second.account.id, active=False)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"login": "a"}, "login_bad"),
        ({"login": "a b"}, "login_bad"),
        ({"login": "ANA"}, "login_taken"),
        ({"name": " "}, "name_bad"),
        ({"name": "a\u202eb"}, "name_bad"),
        ({"team": "../x"}, "team_bad"),
        ({"language": "klingon"}, "language_bad"),
        ({"cap": 0}, "cap_bad"),
    ],
)
def test_what_can_not_be_an_account(staff: Staff, ana: Person, given: dict[str, object], name: str) -> None:
    facts = {"login": "bob", "role": Role.OPERATOR, "team": "rome", "name": "Bob", "language": "en"} | given
    with pytest.raises(StaffError, match=name):
        staff.accounts.add(**facts)  # type: ignore[arg-type]
    assert len(staff.accounts.all()) == 1


# What is on the disk


def test_the_database_tells_no_login_name_team_or_password(staff: Staff, tmp_path: Path) -> None:
    code = staff.accounts.add("katarzyna.w", Role.SUPERVISOR, "lampedusa", "Katarzyna", "en")
    person = Person(staff, "katarzyna.w")
    person.enrols(code)
    person.session()
    content = files(tmp_path).lower()
    assert b"staff_operator" in content
    private = staff.accounts.login("katarzyna.w", PASSWORD, person.codes[0]).private_key.private_bytes_raw()
    for secret in (
        "katarzyna",
        "lampedusa",
        "supervisor",
        PASSWORD,
        person.secret.lower(),
        code.lower(),
        code.replace("-", "").lower(),
        person.codes[1].lower(),
        person.codes[1].replace("-", "").lower(),
        private.hex(),
    ):
        assert secret.encode() not in content
    assert private not in files(tmp_path)


def test_a_stolen_disk_with_the_master_key_opens_no_private_key(ana: Person, engine: Engine) -> None:
    thief = Staff(engine, MASTER)
    with engine.connect() as connection:
        record = bytes(connection.execute(text("SELECT key_record FROM staff_operator")).scalar_one())
    opened = thief.vault.reveal("staff key", ana.account.id, record)
    private = ana.logs_in().private_key.private_bytes_raw()
    assert private not in opened
    assert private.hex().encode() not in opened
    for guess in ("", "ana", PASSWORD.upper(), "violet staircase 9 harbour"):
        with pytest.raises(LoginRefused):  # even knowing the second factor, which the master key does show
            Accounts(engine, thief.vault, thief.audit, CHEAP).login("ana", guess, ana.digits(), now=ana.now)


def test_another_public_key_can_not_be_slipped_in(staff: Staff, ana: Person) -> None:
    bob = staff.joins("bob")
    with staff.engine.begin() as connection:
        connection.execute(
            text("UPDATE staff_operator SET record = (SELECT record FROM staff_operator WHERE id = :b) WHERE id = :a"),
            {"a": ana.account.id, "b": bob.account.id},
        )
    with pytest.raises(Unreadable):
        staff.accounts.find("ana")


def test_a_dearer_cost_is_taken_up_at_the_next_login(engine: Engine, ana: Person) -> None:
    dearer = Cost(memory_kib=128, iterations=2, lanes=1)
    staff = Staff(engine)
    staff.accounts.cost = dearer
    ana.staff = staff
    public = ana.account.public_key
    ana.logs_in()
    with engine.connect() as connection:
        record = bytes(connection.execute(text("SELECT key_record FROM staff_operator")).scalar_one())
    assert b'"cost": [128, 2, 1]' in staff.vault.reveal("staff key", ana.account.id, record)
    assert ana.logs_in().private_key.public_key().public_bytes_raw() == public


def test_nothing_shows_a_secret(staff: Staff, ana: Person) -> None:
    admission = ana.logs_in()
    token, session = staff.sessions.open(admission.operator, admission.private_key, "x")
    shown = " ".join(
        map(repr, (admission, admission.operator, session, staff.accounts, staff.sessions, staff.recovery))
    )
    for secret in (token, session.csrf, admission.device_cookie, "Ana", "ana'", PASSWORD, ana.secret, *ana.codes):
        assert secret not in shown
    assert isinstance(admission.private_key, X25519PrivateKey)
    assert admission.private_key.private_bytes_raw().hex() not in shown
