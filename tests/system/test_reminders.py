"""A keeper's mail, from a real helpline through a real mail server, and what becomes of its links over HTTP."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from email import message_from_bytes, policy
from typing import Any

import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from tests.support import TLS, Helpline, free_port, running, until

PASSWORD = "s3cret-of-the-mail-server"
OLD = (datetime.now(timezone.utc).date() - timedelta(days=150)).isoformat()


class Box:
    """A mail server that asks for a password."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=data.password == PASSWORD.encode())

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.mails.append(envelope.content)
        return "250 OK"


@pytest.fixture(scope="module")
def reminded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Helpline, Box]]:
    """A helpline that was started with three old entries of one keeper in its directory."""
    box = Box()
    controller = Controller(
        box, hostname="127.0.0.1", port=free_port(), authenticator=box.authenticate, auth_required=True,
        auth_require_tls=False,
    )  # fmt: skip
    controller.start()
    folder = tmp_path_factory.mktemp("reminded")
    settings = {
        "HELPLINE_SMTP_URL": f"smtp://keeper:{PASSWORD}@127.0.0.1:{controller.port}",
        "HELPLINE_MAIL_FROM": "directory@example.net",
        "HELPLINE_PUBLIC_URL": "https://help.example.net",
        "HELPLINE_LOG_LEVEL": "debug",
    }
    with running(folder, ready=False) as first:
        data = first.data
    with sqlite3.connect(data / "helpline.db") as database:
        query = "SELECT DISTINCT service_id FROM service_entry WHERE country = 'FR' ORDER BY service_id LIMIT 3"
        for (service,) in database.execute(query).fetchall():
            database.execute(
                "UPDATE service SET assurer_email = 'kept@example.org', assured_date = ? WHERE id = ?", [OLD, service]
            )
            database.execute("UPDATE service_entry SET assured_date = ? WHERE service_id = ?", [OLD, service])
    database.close()
    with running(folder, ready=False, **settings) as helpline:
        until(lambda: box.mails, 30, "the mail has come")
        yield helpline, box
    controller.stop()


def links(box: Box) -> list[str]:
    text = str(message_from_bytes(box.mails[0], policy=policy.default).get_content())  # type: ignore[attr-defined]
    return re.findall(r"https://help\.example\.net(/directory/still-correct/[\w-]{43})", text)


def assured(helpline: Helpline) -> list[str]:
    with sqlite3.connect(helpline.data / "helpline.db") as database:
        rows = database.execute("SELECT assured_date FROM service WHERE assurer_email IS NOT NULL ORDER BY id")
        return [day for (day,) in rows]


def ask(helpline: Helpline, method: str, path: str, answer: str = "", language: str = "en") -> httpx.Response:
    data = {"answer": answer} if answer else None
    return httpx.request(
        method, helpline.url + path, data=data, headers={"Accept-Language": language}, timeout=10, verify=TLS
    )


def test_one_mail_came_and_its_links_do_what_they_say(reminded: tuple[Helpline, Box]) -> None:
    helpline, box = reminded
    assert len(box.mails) == 1
    first, second, third = links(box)
    today = datetime.now(timezone.utc).date().isoformat()
    for method in ("GET", "HEAD", "GET", "OPTIONS"):  # as mail scanners do
        ask(helpline, method, first)
    assert assured(helpline) == [OLD] * 3
    assert ask(helpline, "POST", first).status_code == 400
    assert assured(helpline) == [OLD] * 3
    thanks = ask(helpline, "POST", first, "correct")
    assert "Thank you" in thanks.text
    assert sorted(assured(helpline)) == sorted([today, OLD, OLD])
    again, wrong = ask(helpline, "POST", first, "correct"), ask(helpline, "POST", f"{third[:-43]}{'A' * 43}", "correct")
    assert thanks.text == again.text == wrong.text
    assert ask(helpline, "POST", second, "changed").text == thanks.text
    assert sorted(assured(helpline)) == sorted([today, OLD, OLD])
    with sqlite3.connect(helpline.data / "helpline.db") as database:
        assert database.execute("SELECT by, outcome FROM verification_call").fetchall() == [("link", "changed")]
        assert ("link",) in database.execute("SELECT by FROM directory_change").fetchall()


def test_a_page_tells_nothing_and_is_the_same_for_all(reminded: tuple[Helpline, Box]) -> None:
    helpline, box = reminded
    good = ask(helpline, "GET", links(box)[2])
    for path in (links(box)[0], "/directory/still-correct/" + "B" * 43, "/directory/still-correct/x"):
        assert ask(helpline, "GET", path).text == good.text
    assert "<script" not in good.text
    assert good.headers["cache-control"] == "no-store"
    assert good.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in good.headers["content-security-policy"]
    assert 'dir="rtl"' in ask(helpline, "GET", links(box)[2], language="ar;q=0.9, en;q=0.1").text


def test_guesses_are_stopped(reminded: tuple[Helpline, Box]) -> None:
    helpline, _ = reminded
    if time.time() % 60 > 45:
        time.sleep(60 - time.time() % 60)
    with httpx.Client(base_url=helpline.url, timeout=10, verify=TLS) as client:
        codes = [
            client.post(f"/directory/still-correct/{number:043}", data={"answer": "correct"}).status_code
            for number in range(70)
        ]
    assert codes[0] == 200
    assert codes[-1] == 429


def test_the_log_holds_neither_password_nor_link_nor_address(reminded: tuple[Helpline, Box]) -> None:
    helpline, box = reminded
    log = helpline.stdout.read_text() + helpline.stderr.read_text()
    assert "reminders_sent" in log
    for secret in (PASSWORD, "kept@example.org", *(link.rpartition("/")[2] for link in links(box))):
        assert secret not in log
