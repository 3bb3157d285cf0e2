"""Login, enrolment, one's own account and administration, through the pages as a browser sees them."""

from __future__ import annotations

import html
import re

import pyotp
import pytest

from bot.staff.accounts import Role
from tests.unit.console.support import AGENT, CATALOGUE, PASSWORD, Browser, Office


def words(name: str, **values: str) -> str:
    return html.escape(CATALOGUE.text(f"utter_console_{name}", "en", **values), quote=False).replace("'", "&#39;")


def secrets_of(body: str) -> list[str]:
    return re.findall(r'<code class="secret"[^>]*>([^<]+)</code>', body)


def enrol(office: Office, login: str, code: str, password: str = PASSWORD) -> tuple[Browser, str, list[str]]:
    """Go through all four steps; return the browser, the app's secret and the recovery codes."""
    browser = Browser(office.web)
    token = browser.post("/console/enrol", {"login": login, "code": code}).field("enrolment")
    shown = browser.post("/console/enrol/password", {"enrolment": token, "password": password, "repeat": password})
    secret = secrets_of(shown.body)[0].replace(" ", "")
    done = browser.post("/console/enrol/confirm", {"enrolment": token, "code": pyotp.TOTP(secret).now()})
    assert done.status == 200
    return browser, secret, secrets_of(done.body)


def test_enrolment_ends_in_a_session_and_shows_ten_codes_once(office: Office) -> None:
    code = office.accounts.add("ana", Role.OPERATOR, "north", "Ana", "en")
    browser, _, codes = enrol(office, "ana", code)
    assert len(codes) == 10
    assert browser.get("/console/account").status == 200
    again = browser.post("/console/enrol", {"login": "ana", "code": code})
    assert (again.status, words("enrol_failed") in again.body) == (422, True)


def test_the_enrolment_code_is_asked_for_and_a_wrong_one_leads_nowhere(office: Office) -> None:
    office.accounts.add("ana", Role.OPERATOR, "north", "Ana", "en")
    browser = Browser(office.web)
    unknown = browser.post("/console/enrol", {"login": "nobody", "code": "AAAAA-AAAAA"})
    wrong = browser.post("/console/enrol", {"login": "ana", "code": "AAAAA-AAAAA"})
    assert unknown.status == wrong.status == 422
    assert unknown.body.replace("nobody", "ana") == wrong.body
    for step in ("password", "confirm"):
        lost = browser.post(f"/console/enrol/{step}", {"enrolment": "x", "password": PASSWORD, "repeat": PASSWORD})
        assert (lost.status, words("enrol_lost") in lost.body) == (409, True)


def test_no_step_of_the_enrolment_can_be_left_out(office: Office) -> None:
    code = office.accounts.add("ana", Role.OPERATOR, "north", "Ana", "en")
    browser = Browser(office.web)
    token = browser.post("/console/enrol", {"login": "ana", "code": code}).field("enrolment")
    assert words("enrol_lost") in browser.post("/console/enrol/confirm", {"enrolment": token, "code": "123456"}).body
    assert office.accounts.find("ana").public_key is None  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("password", "repeat", "refusal"),
    [
        ("seven boats", "seven boats", "staff_error_password_short"),
        (PASSWORD, PASSWORD + "!", "password_differs"),
        ("my name is ana lovelace", "my name is ana lovelace", "staff_error_password_holds_login"),
    ],
)
def test_passwords_that_are_refused_say_why(office: Office, password: str, repeat: str, refusal: str) -> None:
    code = office.accounts.add("ana", Role.OPERATOR, "north", "Ana", "en")
    browser = Browser(office.web)
    token = browser.post("/console/enrol", {"login": "ana", "code": code}).field("enrolment")
    answer = browser.post("/console/enrol/password", {"enrolment": token, "password": password, "repeat": repeat})
    assert answer.status == 409
    assert words(refusal, least="12") in answer.body
    assert password not in answer.body


def test_a_wrong_first_code_of_the_app_can_be_mended_with_the_same_picture(office: Office) -> None:
    code = office.accounts.add("ana", Role.OPERATOR, "north", "Ana", "en")
    browser = Browser(office.web)
    token = browser.post("/console/enrol", {"login": "ana", "code": code}).field("enrolment")
    shown = browser.post("/console/enrol/password", {"enrolment": token, "password": PASSWORD, "repeat": PASSWORD})
    again = browser.post("/console/enrol/confirm", {"enrolment": token, "code": "12"})
    assert (again.status, words("staff_error_code_wrong") in again.body) == (409, True)
    assert secrets_of(again.body) == secrets_of(shown.body)
    assert "<svg" in again.body
    assert "style=" not in again.body  # the policy would not draw it


def test_login_with_all_three_and_with_nothing_less(office: Office) -> None:
    ana = office.hire("ana", Role.OPERATOR)
    browser = Browser(office.web)
    given = {"login": "ana", "password": PASSWORD, "code": ana.codes[0]}
    refused = [
        browser.post("/console/login", given | wrong)
        for wrong in ({"password": PASSWORD + "!"}, {"code": "000000"}, {"login": "nobody"})
    ]
    assert {answer.status for answer in refused} == {422}
    assert len({answer.body.replace("nobody", "ana") for answer in refused}) == 1
    assert not any(answer.cookies for answer in refused)
    let_in = browser.post("/console/login", given | {"code": ana.next_code()})
    assert (let_in.status, let_in.location) == (303, "/console")
    assert browser.get("/console").location == "/console/queue"


def test_the_cookies_are_out_of_reach(office: Office) -> None:
    ana = office.hire("ana", Role.OPERATOR)
    answer = Browser(office.web).post("/console/login", {"login": "ana", "password": PASSWORD, "code": ana.codes[0]})
    assert len(answer.cookies) == 2
    for cookie in answer.cookies:
        assert cookie.startswith("__Host-")
        assert {"httponly", "secure", "samesite=strict", "path=/"} <= {
            part.strip().lower() for part in cookie.split(";")
        }
        assert "domain" not in cookie.lower()


def test_logging_in_again_ends_the_session_before(office: Office) -> None:
    ana = office.hire("ana", Role.OPERATOR)
    browser, old = office.log_in(ana)
    answer = browser.post("/console/login", {"login": "ana", "password": PASSWORD, "code": ana.codes[0]})
    assert answer.status == 303
    assert old.closed
    assert len(office.sessions.of(ana.operator.id)) == 1


def test_hammering_a_login_says_nothing_and_a_recovery_code_still_works(office: Office) -> None:
    ana = office.hire("ana", Role.OPERATOR)
    stranger = Browser(office.web)
    given = {"login": "ana", "password": "a wrong password", "code": "123456"}
    answers = [stranger.post("/console/login", given) for _ in range(9)]
    assert len({(answer.status, answer.body) for answer in answers}) == 1
    spare = Browser(office.web).post("/console/login", given | {"password": PASSWORD, "code": ana.codes[0]})
    assert spare.status == 303


def test_logout_ends_the_session_and_takes_the_cookie(office: Office) -> None:
    browser, session = office.log_in(office.hire("ana", Role.OPERATOR))
    answer = browser.post("/console/logout")
    assert (answer.status, answer.location) == (303, "/console/login?done=out")
    assert answer.headers["clear-site-data"] == '"storage"'
    assert session.closed
    assert "__Host-console" not in browser.cookies
    assert words("logged_out") in browser.get("/console/login", "done=out").body


def test_name_and_language_change_at_once(office: Office) -> None:
    ana = office.hire("ana", Role.OPERATOR)
    browser, _ = office.log_in(ana)
    assert browser.post("/console/account", {"name": "Nour", "language": "ar"}).status == 303
    page = browser.get("/console/account", "done=account_saved").body
    assert '<html lang="ar" dir="rtl">' in page
    assert "Nour" in page
    refused = browser.post("/console/account", {"name": "Nour", "language": "xx"})
    assert refused.status == 409
    assert office.accounts.get(ana.operator.id).language == "ar"  # type: ignore[union-attr]


def test_only_known_words_are_shown_as_done(office: Office) -> None:
    browser, _ = office.log_in(office.hire("ana", Role.OPERATOR))
    assert 'class="done"' not in browser.get("/console/account", "done=logged_out").body
    assert 'class="done"' in browser.get("/console/account", "done=account_saved").body


def test_a_new_password_ends_the_other_sessions_and_keeps_this_one(office: Office) -> None:
    ana = office.hire("ana", Role.OPERATOR)
    browser, _ = office.log_in(ana)
    _, other = office.log_in(ana)
    new = "nine kites over the bay"
    wrong = browser.post("/console/account/password", {"current": "not it at all", "password": new, "repeat": new})
    assert (wrong.status, other.closed) == (409, False)
    assert words("staff_error_password_wrong") in wrong.body
    done = browser.post("/console/account/password", {"current": PASSWORD, "password": new, "repeat": new})
    assert (done.status, other.closed) == (303, True)
    assert browser.get("/console/account").status == 200


def test_new_recovery_codes_replace_the_old_ones(office: Office) -> None:
    ana = office.hire("ana", Role.OPERATOR)
    browser, _ = office.log_in(ana)
    assert browser.post("/console/account/codes", {"current": "not it at all"}).status == 409
    shown = browser.post("/console/account/codes", {"current": PASSWORD})
    codes = secrets_of(shown.body)
    assert len(codes) == 10
    given = {"login": "ana", "password": PASSWORD}
    assert Browser(office.web).post("/console/login", given | {"code": ana.codes[0]}).status == 422
    assert Browser(office.web).post("/console/login", given | {"code": codes[0]}).status == 303


def test_a_new_second_factor_counts_once_it_is_confirmed(office: Office) -> None:
    ana = office.hire("ana", Role.OPERATOR)
    browser, _ = office.log_in(ana)
    secret = secrets_of(browser.get("/console/account/factor").body)[0].replace(" ", "")
    assert secrets_of(browser.get("/console/account/factor").body)[0].replace(" ", "") == secret
    now = pyotp.TOTP(secret).now()
    assert browser.post("/console/account/factor", {"current": "not it at all", "code": now}).status == 409
    assert Browser(office.web).post(
        "/console/login", {"login": "ana", "password": PASSWORD, "code": pyotp.TOTP(secret).now()}
    ).status == 422  # fmt: skip
    assert browser.post("/console/account/factor", {"current": PASSWORD, "code": now}).status == 303
    ana.secret = secret
    given = {"login": "ana", "password": PASSWORD, "code": ana.next_code()}
    assert Browser(office.web).post("/console/login", given).status == 303


def test_own_sessions_are_listed_and_ended_those_of_others_are_not(office: Office) -> None:
    ana = office.hire("ana", Role.OPERATOR)
    browser, own = office.log_in(ana)
    _, second = office.log_in(ana)
    _, third = office.log_in(ana)
    _, bela = office.log_in(office.hire("bela", Role.OPERATOR))
    page = browser.get("/console/account").body
    assert all(session.id in page for session in (own, second, third))
    assert bela.id not in page
    browser.post("/console/account/sessions", {"session": bela.id})
    browser.post("/console/account/sessions", {"session": second.id})
    assert [session.closed for session in (own, second, third, bela)] == [False, True, False, False]
    browser.post("/console/account/sessions")
    assert [session.closed for session in (own, third)] == [False, True]
    assert browser.post("/console/account/sessions", {"session": own.id}).location == "/console/login"


def test_an_administrator_adds_somebody_and_the_code_works(office: Office) -> None:
    browser, _ = office.log_in(office.hire("root", Role.ADMINISTRATOR))
    form = {"login": "ana", "name": "Ana", "role": "operator", "team": "north", "language": "uk", "cap": "3"}
    shown = browser.post("/console/accounts", form)
    login, code = secrets_of(shown.body)
    assert (shown.status, login) == (200, "ana")
    enrol(office, login, code)
    ana = office.accounts.find("ana")
    assert ana is not None
    assert (ana.role, ana.team, ana.language, ana.cap) == (Role.OPERATOR, "north", "uk", 3)
    assert code not in browser.get("/console/accounts").body
    taken = browser.post("/console/accounts", form)
    assert (taken.status, words("staff_error_login_taken") in taken.body) == (409, True)
    assert 'value="north"' in taken.body  # what was typed is still there


@pytest.mark.parametrize(
    ("wrong", "status"),
    [({"role": "king"}, 400), ({"role": "administrator"}, 409), ({"cap": "many"}, 409), ({"language": "xx"}, 409)],
)
def test_what_an_administrator_cannot_add(office: Office, wrong: dict[str, str], status: int) -> None:
    browser, _ = office.log_in(office.hire("root", Role.ADMINISTRATOR))
    form = {"login": "ana", "name": "Ana", "role": "operator", "team": "north", "language": "uk", "cap": "3"}
    assert browser.post("/console/accounts", form | wrong).status == status
    assert office.accounts.find("ana") is None


def test_an_administrator_changes_a_role_and_the_sessions_end(office: Office) -> None:
    browser, _ = office.log_in(office.hire("root", Role.ADMINISTRATOR))
    ana = office.hire("ana", Role.OPERATOR)
    _, session = office.log_in(ana)
    path = f"/console/accounts/{ana.operator.id}"
    same = {"name": "Ana", "role": "operator", "team": "north", "language": "en", "cap": "5", "active": "yes"}
    assert browser.post(path, same | {"name": "Anna"}).status == 303
    assert not session.closed
    assert browser.post(path, same | {"role": "supervisor"}).status == 303
    assert session.closed
    changed = office.accounts.get(ana.operator.id)
    assert changed is not None
    assert (changed.name, changed.role) == ("Ana", Role.SUPERVISOR)
    browser.post(path, {"active": "no"})
    assert words("accounts_disabled") in browser.get(path).body


def test_nobody_changes_what_they_are_themselves(office: Office) -> None:
    root = office.hire("root", Role.ADMINISTRATOR)
    office.hire("second", Role.ADMINISTRATOR)
    browser, _ = office.log_in(root)
    path = f"/console/accounts/{root.operator.id}"
    refused = browser.post(path, {"role": "operator"})
    assert (refused.status, words("staff_error_own_account") in refused.body) == (409, True)
    assert browser.post(path, {"role": "administrator", "name": "Rut"}).status == 303
    assert browser.post(f"{path}/reset", {"checked": "yes"}).status == 409


def test_a_lost_code_is_made_anew_but_never_for_somebody_with_a_key(office: Office) -> None:
    browser, _ = office.log_in(office.hire("root", Role.ADMINISTRATOR))
    old = office.accounts.add("ana", Role.OPERATOR, "north", "Ana", "en")
    ana = office.accounts.find("ana")
    assert ana is not None
    _, code = secrets_of(browser.post(f"/console/accounts/{ana.id}/code").body)
    assert Browser(office.web).post("/console/enrol", {"login": "ana", "code": old}).status == 422
    enrol(office, "ana", code)
    key = office.accounts.get(ana.id).public_key  # type: ignore[union-attr]
    assert browser.post(f"/console/accounts/{ana.id}/code").status == 400
    assert browser.post(f"/console/accounts/{ana.id}/reset").status == 400  # not confirmed
    assert office.accounts.get(ana.id).public_key == key  # type: ignore[union-attr]
    assert browser.post(f"/console/accounts/{ana.id}/reset", {"checked": "yes"}).status == 200
    assert office.accounts.get(ana.id).public_key is None  # type: ignore[union-attr]


def test_two_administrators_recover_a_key_pair(office: Office) -> None:
    first, second = office.hire("first", Role.ADMINISTRATOR), office.hire("second", Role.ADMINISTRATOR)
    one, _ = office.log_in(first)
    other, _ = office.log_in(second)
    ana = office.hire("ana", Role.OPERATOR)
    office.log_in(ana)  # her key is copied for the two
    path = f"/console/accounts/{ana.operator.id}"
    assert words("accounts_recover_button") in one.get(path).body
    assert one.post(f"{path}/recover").location == "/console/recovery?done=recovery_started"
    confirm = f"/console/recovery/{ana.operator.id}/confirm"
    assert words("recovery_own") in one.get("/console/recovery").body
    assert one.post(confirm, {"checked": "yes"}).status == 409
    assert confirm in other.get("/console/recovery").body
    assert other.post(confirm).status == 400  # not confirmed
    shown = other.post(confirm, {"checked": "yes"})
    _, code = secrets_of(shown.body)
    enrol(office, "ana", code, "nine kites over the bay")
    assert office.accounts.get(ana.operator.id).public_key == ana.operator.public_key  # type: ignore[union-attr]


def test_a_recovery_can_be_stopped_and_is_not_offered_where_it_cannot_be(office: Office) -> None:
    first = office.hire("first", Role.ADMINISTRATOR)
    ana = office.hire("ana", Role.OPERATOR)
    office.log_in(ana)
    one, _ = office.log_in(first)
    path = f"/console/accounts/{ana.operator.id}"
    assert words("recovery_not_ready") in one.get(path).body
    assert one.post(f"{path}/recover").status == 409
    second = office.hire("second", Role.ADMINISTRATOR)
    other, _ = office.log_in(second)
    office.log_in(ana)
    assert other.post(f"{path}/recover").status == 303
    assert other.post(f"/console/recovery/{ana.operator.id}/withdraw").status == 303
    assert words("recovery_none") in other.get("/console/recovery").body


def test_an_administrator_ends_sessions_of_others_and_that_is_noted(office: Office) -> None:
    browser, own = office.log_in(office.hire("root", Role.ADMINISTRATOR))
    ana = office.hire("ana", Role.OPERATOR)
    sessions = [office.log_in(ana)[1] for _ in range(3)]
    path = f"/console/accounts/{ana.operator.id}/sessions"
    browser.post(path, {"session": sessions[0].id})
    assert [session.closed for session in sessions] == [True, False, False]
    browser.post(path)
    assert all(session.closed for session in sessions)
    assert not own.closed
    noted = office.audit.recent(10, subject=ana.operator.id)
    assert noted[0].action == "sessions_ended"
    assert noted[0].actor == own.operator.id


def test_the_audit_log_is_paged_and_checked(office: Office) -> None:
    browser, session = office.log_in(office.hire("root", Role.ADMINISTRATOR))
    for _ in range(130):
        office.audit.note("system", "case_taken", "0123456789abcdef")
    page = browser.get("/console/audit").body
    older = re.search(r"/console/audit\?before=(\d+)", page)
    assert older
    before = browser.get("/console/audit", f"before={older[1]}").body
    assert f'<td data-label="Line">{int(older[1]) - 1}</td>' in before
    assert session.operator.login in before
    only = browser.get("/console/audit", f"subject={session.operator.id}").body
    assert "case taken" not in only
    whole = browser.post("/console/audit/verify").body
    result = office.audit.verify()
    assert f"{result.count}:{result.head}" in whole


def test_a_broken_chain_is_told(office: Office) -> None:
    browser, _ = office.log_in(office.hire("root", Role.ADMINISTRATOR))
    with office.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM audit WHERE n = 2")
    assert words("audit_broken", number=str(office.audit.verify().broken)) in browser.post("/console/audit/verify").body


def test_another_browser_cannot_use_the_cookie(office: Office) -> None:
    browser, _ = office.log_in(office.hire("ana", Role.OPERATOR))
    assert browser.get("/console/account", User_Agent="another").location == "/console/login"
    assert browser.get("/console/account", User_Agent=AGENT).status == 200
