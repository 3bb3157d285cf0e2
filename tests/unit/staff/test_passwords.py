"""bot/staff/passwords.py and throttle.py: what is refused, and who has to wait."""

from __future__ import annotations

import threading

import pyotp
import pytest

from bot.staff import passwords, totp
from bot.staff.errors import StaffError, TryLater
from bot.staff.passwords import Cost, Kitchen
from bot.staff.throttle import DEVICE_DAYS, Devices, Throttle
from bot.vault.vault import Unreadable, Vault
from tests.unit.staff.conftest import CHEAP

DAY = 24 * 3600


@pytest.mark.parametrize(
    ("password", "name"),
    [
        ("", "password_short"),
        ("elevenchars", "password_short"),
        ("x" * 201, "password_long"),
        ("Password1234", "password_common"),
        ("!!helpline2024!!", "password_common"),
        ("QWERTYUIOP12", "password_common"),
        ("qwertyuiopasdf", "password_common"),
        ("aaaaaaaaaaaa", "password_common"),
        ("123123123123", "password_common"),
        ("йцукенгшщзхъ", "password_common"),
        ("my cat is called ana.k", "password_holds_login"),
        ("\uff50assword1234", "password_common"),  # a wide p
    ],
)
def test_what_is_easy_to_guess_is_refused(password: str, name: str) -> None:
    with pytest.raises(StaffError, match=name):
        passwords.check(password, "ana.k")


@pytest.mark.parametrize(
    "password",
    ["violet staircase 9", "mein Hund heißt Otto", "трава росте вночі", "لا أحب المطر كثيرا", "x7#kQ9!vLm2$"],
)
def test_what_is_hard_to_guess_is_not(password: str) -> None:
    passwords.check(password, "ana.k")


def test_the_same_password_from_another_keyboard_gives_the_same_key() -> None:
    kitchen, salt = Kitchen(), bytes(16)
    composed, decomposed = "caf\u00e9 at the corner", "cafe\u0301 at the corner"
    assert kitchen.key(composed, salt, CHEAP, True) == kitchen.key(decomposed, salt, CHEAP, False)
    assert kitchen.key(composed, bytes(15) + b"1", CHEAP, True) != kitchen.key(composed, salt, CHEAP, True)
    assert kitchen.key("\udcff", salt, CHEAP, True)


def test_a_key_opens_only_what_was_locked_for_this_operator() -> None:
    locked = passwords.lock(bytes(32), "one", b"private")
    assert passwords.unlock(bytes(32), "one", locked) == b"private"
    for key, bound, record in ((b"1" * 32, "one", locked), (bytes(32), "two", locked), (bytes(32), "one", b"")):
        with pytest.raises(Unreadable):
            passwords.unlock(key, bound, record)


def test_strangers_wait_in_a_short_queue_of_their_own() -> None:
    kitchen, salt = Kitchen(), bytes(16)
    slow = Cost(memory_kib=65536, iterations=8, lanes=1)
    outcomes: list[str] = []

    def stranger() -> None:
        try:
            kitchen.key("x", salt, slow, known=False)
            outcomes.append("served")
        except TryLater:
            outcomes.append("later")

    threads = [threading.Thread(target=stranger) for _ in range(12)]
    for thread in threads:
        thread.start()
    assert kitchen.key("x", salt, CHEAP, known=True)  # at once, whoever else is in the queue
    assert "served" not in outcomes
    for thread in threads:
        thread.join()
    assert sorted(set(outcomes)) == ["later", "served"]


def test_codes_are_read_as_people_type_them() -> None:
    code = passwords.new_code(5, 5)
    assert len(code) == 29
    assert passwords.plain_code(f" {code.lower().replace('-', '  ')}\n") == code.replace("-", "")
    assert passwords.plain_code("0o1i8b") == "OOIIBB"
    assert len({passwords.new_code(4, 4) for _ in range(100)}) == 100


def test_flooding_with_other_keys_does_not_wash_a_counter_out() -> None:
    throttle = Throttle(most=10)
    for _ in range(5):
        throttle.attempt("ana", 0)
    for turn in range(100):
        throttle.attempt(f"other {turn}", 0.5)
    assert throttle.attempt("ana", 0.5) == 1
    assert len(throttle._counters) == 10


def test_a_counter_is_forgotten_after_a_quiet_day() -> None:
    throttle = Throttle()
    for turn in range(20):
        throttle.attempt("ana", turn * 1000)
    assert throttle.attempt("ana", 19 * 1000 + 1) == 899
    assert [throttle.attempt("ana", 3 * DAY) for _ in range(6)] == [0, 0, 0, 0, 0, 1]


def test_a_device_is_known_for_half_a_year() -> None:
    devices = Devices(Vault(bytes(32)))
    cookie = devices.issue("ana", "", now=0)
    device = devices.recognise("ana", cookie, now=(DEVICE_DAYS - 1) * DAY)
    assert device
    assert devices.recognise("ana", cookie, now=DEVICE_DAYS * DAY) == ""
    assert devices.recognise("bob", cookie, now=0) == ""
    assert Devices(Vault(b"1" * 32)).recognise("ana", cookie, now=0) == ""
    renewed = devices.issue("ana", cookie, now=100 * DAY)
    assert devices.recognise("ana", renewed, now=270 * DAY) == device
    for turn in range(10):
        renewed = devices.issue(f"colleague {turn}", renewed, now=0)
    assert len(renewed) < 600


def test_the_qr_code_is_inline_svg_and_its_secret_can_be_typed() -> None:
    secret = totp.new_secret()
    svg = totp.qr_svg(secret, "ana <b>")
    assert svg.startswith("<svg")
    assert "style=" not in svg  # the Content-Security-Policy allows none
    assert "ana" not in svg
    assert totp.spelled(secret).replace(" ", "") == secret
    assert totp.uri(secret, "ana k").startswith("otpauth://totp/Helpline:ana%20k?secret=")


def test_a_time_step_is_right_once_and_for_a_minute_and_a_half() -> None:
    secret, now = totp.new_secret(), 1_800_000_000
    code = pyotp.TOTP(secret).at(now)
    step = now // totp.STEP_SECONDS
    assert [totp.step_of(secret, code, 0, now + 30 * late) for late in (-2, -1, 0, 1, 2)] == [
        None,
        step,
        step,
        step,
        None,
    ]
    assert totp.step_of(secret, code, step - 1, now) == step
    assert totp.step_of(secret, code, step, now) is None
    assert totp.step_of(secret, f" {code[:3]} {code[3:]} ", 0, now) == step
    for wrong in ("", code[:5], code + "0", "abcdef", "½½½½½½", "\udcff" * 6):
        assert totp.step_of(secret, wrong, 0, now) is None
