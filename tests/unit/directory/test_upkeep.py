"""What keeps entries true: who is reminded of what, links that work once, calls, and what people are told then."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from click.testing import CliRunner
from sqlalchemy import Engine, select

from bot.cli import main
from bot.directory import health, upkeep
from bot.directory.ages import DUE, FRESH, HIDDEN, WARNED, Ages
from bot.directory.calls import CallRound, Gone
from bot.directory.changes import Author
from bot.directory.flags import LINK, doubtful, open_flags
from bot.directory.mail import Mailer, MailError, address
from bot.directory.models import Change, ReviewLink, Service
from bot.directory.ranking import Wanted
from bot.directory.records import Bundle
from bot.directory.search import Directory
from bot.store.database import connect
from bot.store.migrate import migrate
from bot.text.catalogue import Catalogue
from tests.support import free_port
from tests.unit.directory.rows import VAULT, add_service, enter, key, small

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=timezone.utc)
TODAY = NOW.date()
AT = int(NOW.timestamp())
DAY = 86_400
CATALOGUE = Catalogue()
KEEPER = "keeper@example.org"


def old(days: int, **more: object) -> dict[str, object]:
    day = (TODAY - timedelta(days=days)).isoformat()
    return {"assured_date": day, "facts": {"checked": day}, "assurer_email": KEEPER, **more}


def aged_directory() -> Bundle:
    bundle = small()
    for name, days in (("fresh", 89), ("due", 90), ("nearly", 119), ("warned", 120), ("late", 179), ("hidden", 180)):
        add_service(bundle, name, **old(days))
    return bundle


class Box:
    """What a mail server was given."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], str]] = []
        self.refuse = ""

    async def handle_RCPT(self, server: object, session: object, envelope: object, to: str, options: object) -> str:  # noqa: N802
        if self.refuse:
            return self.refuse
        envelope.rcpt_tos.append(to)  # type: ignore[attr-defined]
        return "250 OK"

    async def handle_DATA(self, server: object, session: object, envelope: object) -> str:  # noqa: N802
        self.mails.append((envelope.rcpt_tos, envelope.content.decode()))  # type: ignore[attr-defined]
        return "250 OK"


@pytest.fixture
def box() -> Iterator[tuple[Box, Mailer]]:
    box = Box()
    controller = Controller(box, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield box, Mailer(f"smtp://127.0.0.1:{controller.port}", "directory@example.net")
    controller.stop()


def reminders(engine: Engine, mailer: Mailer | None) -> upkeep.Reminders:
    return upkeep.Reminders(engine, VAULT, CATALOGUE, Ages(), mailer, "https://help.example.net")


def text_of(mail: str) -> str:
    from email import message_from_string, policy

    return str(message_from_string(mail, policy=policy.default).get_content())  # type: ignore[attr-defined]


def tokens(text: str) -> list[str]:
    return [line.rpartition("/")[2].strip() for line in text.splitlines() if upkeep.PATH in line]


def assured(engine: Engine, service: str) -> str | None:
    with engine.connect() as connection:
        return connection.scalar(select(Service.assured_date).where(Service.id == service))


def test_the_database_says_of_every_age_what_the_rule_says(engine: Engine) -> None:
    bundle = aged_directory()
    add_service(bundle, "never", facts={"checked": None})
    enter(engine, bundle)
    with engine.connect() as connection:
        for state in (FRESH, DUE, WARNED, HIDDEN):
            for each in upkeep.aged(connection, Ages(), TODAY, (state,)):
                assert (each.name, each.state) == (each.name, state)
        found = [each.name for each in upkeep.aged(connection, Ages(), TODAY)]
        counts = upkeep.counts(connection, Ages(), TODAY)
    assert found == ["never", "hidden", "late", "warned", "nearly", "due"]
    assert counts == {FRESH: 2, DUE: 2, WARNED: 3, HIDDEN: 1}


def test_a_keeper_gets_one_mail_with_a_link_for_each_entry_that_is_due(engine: Engine, box: tuple[Box, Mailer]) -> None:
    enter(engine, aged_directory())
    assert reminders(engine, box[1]).remind(NOW) == 1
    ((to, mail),) = box[0].mails
    text = text_of(mail)
    assert to == [KEEPER]
    assert len(set(tokens(text))) == 5
    assert [name for name in ("due", "nearly", "warned", "late", "hidden", "fresh") if f"{name}:" in text] == [
        "due", "nearly", "warned", "late", "hidden",
    ]  # fmt: skip
    assert "Auto-Submitted: auto-generated" in mail
    with engine.connect() as connection:
        stored = repr(connection.execute(select(ReviewLink.__table__)).all())
    assert not any(token in stored for token in tokens(text))
    assert KEEPER not in stored


def test_nobody_is_written_to_twice_in_a_week_even_if_entries_move_to_them(
    engine: Engine, box: tuple[Box, Mailer]
) -> None:
    bundle = small()
    add_service(bundle, "one", **old(100))
    add_service(bundle, "two", **old(100, assurer_email="KEEPER@example.org"))
    enter(engine, bundle)
    remind = reminders(engine, box[1]).remind
    assert remind(NOW) == 1
    assert remind(NOW + timedelta(days=6, hours=23)) == 0
    assert remind(NOW + timedelta(days=7, hours=1)) == 1
    assert len(box[0].mails) == 2


def test_a_run_writes_to_so_many_only(engine: Engine, box: tuple[Box, Mailer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "MAILS_A_RUN", 2)
    bundle = small()
    for number in range(3):
        add_service(bundle, f"s{number}", **old(100 + number, assurer_email=f"k{number}@example.org"))
    enter(engine, bundle)
    assert reminders(engine, box[1]).remind(NOW) == 2
    assert [to for to, _ in box[0].mails] == [["k2@example.org"], ["k1@example.org"]]
    assert reminders(engine, box[1]).remind(NOW + timedelta(days=1)) == 1


def test_without_a_mail_server_nothing_is_written_down(engine: Engine) -> None:
    enter(engine, aged_directory())
    assert reminders(engine, None).remind(NOW) == 0
    with engine.connect() as connection:
        assert connection.execute(select(ReviewLink.digest)).all() == []


def test_what_was_not_sent_is_sent_the_next_time_and_a_dead_address_is_left_alone(
    engine: Engine, box: tuple[Box, Mailer]
) -> None:
    enter(engine, aged_directory())
    nowhere = Mailer(f"smtp://127.0.0.1:{free_port()}", "directory@example.net")
    with pytest.raises(MailError):
        reminders(engine, nowhere).remind(NOW)
    box[0].refuse = "451 later"
    assert reminders(engine, box[1]).remind(NOW) == 0
    box[0].refuse = "550 no such user"
    assert reminders(engine, box[1]).remind(NOW) == 0
    box[0].refuse = ""
    assert reminders(engine, box[1]).remind(NOW + timedelta(hours=1)) == 0
    assert reminders(engine, box[1]).remind(NOW + timedelta(days=8)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "a@example.org\nBcc: b@example.org", "a@example.org, b@example.org", "a@example.org\r\n\r\nhello", "<a@example.org>",
        "A <a@example.org>", "a@b@example.org", "a b@example.org", "a@example", '"a\\"b"@example.org', "", "a@" + "x" * 260 + ".org",
        "ä@example.org", "a@exa\0mple.org",
    ],
)  # fmt: skip
def test_what_is_not_one_plain_address_is_no_recipient(text: str) -> None:
    assert address(text) is None


def test_names_can_make_no_header_and_no_second_line(engine: Engine, box: tuple[Box, Mailer]) -> None:
    bundle = small()
    add_service(bundle, "Casa\nBcc: x@example.org\n\nhttps://evil.example", **old(100))
    enter(engine, bundle)
    assert reminders(engine, box[1]).remind(NOW) == 1
    ((to, mail),) = box[0].mails
    assert to == [KEEPER]
    assert "\nBcc:" not in mail.partition("\r\n\r\n")[0]
    assert "Casa Bcc: x@example.org https://evil.example:" in text_of(mail)


def test_the_password_shows_itself_nowhere() -> None:
    mailer = Mailer("smtp://someone:s3cretword@127.0.0.1:1", "a@example.net")
    assert "s3cretword" not in repr(mailer)
    with pytest.raises(MailError) as error, mailer.connected():
        pass
    assert "s3cretword" not in str(error.value) + repr(error.value)
    assert error.value.__cause__ is None


def test_a_server_without_tls_gets_neither_password_nor_mail(box: tuple[Box, Mailer]) -> None:
    """STARTTLS was asked for: what does not offer it is refused before anything is said."""
    port = box[1].url.rpartition(":")[2]
    with pytest.raises(MailError), Mailer(f"smtp+starttls://u:p@127.0.0.1:{port}", "a@example.net").connected():
        pass
    assert box[0].mails == []


def test_a_link_confirms_once_and_not_for_ever(engine: Engine) -> None:
    enter(engine, aged_directory())
    hidden, late = key("hidden"), key("late")
    with engine.begin() as connection:
        good = upkeep.new_link(connection, VAULT, hidden, "x", AT)
        expired = upkeep.new_link(connection, VAULT, late, "x", AT - 15 * DAY)

    def follow(token: str) -> bool:
        with engine.begin() as connection:
            return upkeep.follow(connection, VAULT, token, True, AT)

    assert [follow("A" * 43), follow(expired), follow(good), follow(good)] == [False, False, True, False]
    assert assured(engine, hidden) == TODAY.isoformat()
    assert assured(engine, late) != TODAY.isoformat()
    with engine.connect() as connection:
        last = connection.execute(select(Change.by, Change.service_id).order_by(Change.n.desc())).first()
    assert last is not None
    assert tuple(last) == (LINK, hidden)


def test_something_has_changed_tells_the_editors_until_somebody_confirms(engine: Engine) -> None:
    enter(engine, aged_directory())
    service = key("due")
    with engine.begin() as connection:
        token = upkeep.new_link(connection, VAULT, service, "x", AT)
        assert upkeep.follow(connection, VAULT, token, False, AT)
        assert [each.outcome for each in open_flags(connection)[service]] == ["changed"]
        assert doubtful(connection) == frozenset()
    assert assured(engine, service) != TODAY.isoformat()
    with engine.begin() as connection:
        assert upkeep.confirm(connection, VAULT, service, Author("editor"), TODAY + timedelta(days=1))
        assert open_flags(connection) == {}


def rounds(engine: Engine) -> CallRound:
    return CallRound(engine, VAULT, Ages())


def test_the_oldest_number_comes_first_and_nobody_gets_a_colleagues(engine: Engine) -> None:
    bundle = Bundle()
    bundle.update(small())
    for name, days in (("newer", 100), ("older", 170), ("fresh", 10)):
        service = add_service(bundle, name, **old(days))
        bundle["phone"][key(name, "phone")]["number"] = f"+39 06 0000 {days}0"
        assert service
    bundle["service"][key("service")]["assured_date"] = TODAY.isoformat()
    enter(engine, bundle)
    calls = rounds(engine)
    first, second, third = calls.next("ann", AT), calls.next("bob", AT), calls.next("eve", AT)
    assert first is not None
    assert second is not None
    assert [first.service.name, second.service.name, third] == ["older", "newer", None]
    again = calls.next("ann", AT + 60)
    assert again is not None
    assert again.phone_id == first.phone_id
    later = calls.next("eve", AT + 3600)
    assert later is not None
    assert later.phone_id == first.phone_id


def test_many_at_once_never_get_the_same_number(engine: Engine) -> None:
    bundle = small()
    for number in range(8):
        add_service(bundle, f"s{number}", **old(100 + number))
        bundle["phone"][key(f"s{number}", "phone")]["number"] = f"+39 06 555 {number}000"
    enter(engine, bundle)
    calls, found, start = rounds(engine), [], threading.Barrier(6)

    def ask(name: str) -> None:
        start.wait()
        task = rounds(engine).next(name, AT)
        found.append(task.phone.number if task else None)

    threads = [threading.Thread(target=ask, args=[f"v{number}"]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert None not in found
    assert len(set(found)) == 6
    assert calls.progress("v1", AT).waiting == 9


def ring(engine: Engine, who: str, outcome: str, at: int = AT) -> str:
    calls = rounds(engine)
    task = calls.next(who, at)
    assert task is not None
    calls.report(who, task.phone_id, outcome, at)
    return task.service.id


def test_right_confirms_when_all_its_numbers_are(engine: Engine) -> None:
    bundle = small()
    service = key("service")
    bundle.add("phone", {"id": key("second"), "service_id": service, "number": "+39 06 999 9999", "type": "voice"})
    bundle.add("phone", {"id": key("fax"), "service_id": service, "number": "+39 06 999 0000", "type": "fax"})
    enter(engine, bundle)
    assert ring(engine, "ann", "right") == service
    assert assured(engine, service) is None
    assert ring(engine, "ann", "right") == service
    assert assured(engine, service) == TODAY.isoformat()
    assert rounds(engine).next("ann", AT) is None
    assert rounds(engine).progress("ann", AT).mine == 2


def test_two_people_who_find_a_number_wrong_put_a_warning_on_it(engine: Engine) -> None:
    bundle = small()
    bundle["service"][key("service")]["assured_date"] = (TODAY - timedelta(days=100)).isoformat()
    add_service(bundle, "other", assured_date=TODAY.isoformat())
    enter(engine, bundle)
    directory = Directory(engine)
    wanted = Wanted("IT", "need_shelter")

    def shown() -> list[tuple[str, bool]]:
        return [(each.name, each.stale) for each in directory.services(wanted, NOW)]

    assert shown() == [("service", False), ("other", False)]
    ring(engine, "ann", "wrong")
    assert shown() == [("service", False), ("other", False)]
    assert rounds(engine).next("ann", AT) is None
    ring(engine, "bob", "out_of_order")
    assert shown() == [("service", True), ("other", False)]
    found = directory.get(key("service"))
    assert found is not None
    assert found.stale
    assert rounds(engine).next("cleo", AT) is None
    with engine.begin() as connection:
        upkeep.confirm(connection, VAULT, key("service"), Author("editor"), TODAY + timedelta(days=1))
    assert shown() == [("service", False), ("other", False)]


def test_nobody_answered_is_tried_again_on_another_day(engine: Engine) -> None:
    enter(engine, small())
    ring(engine, "ann", "nobody")
    assert rounds(engine).next("bob", AT + 3600) is None
    assert rounds(engine).next("bob", AT + DAY) is not None


def test_an_outcome_counts_only_from_who_has_the_number(engine: Engine) -> None:
    enter(engine, small())
    task = rounds(engine).next("ann", AT)
    assert task is not None
    with pytest.raises(Gone):
        rounds(engine).report("bob", task.phone_id, "right", AT)
    with pytest.raises(ValueError, match="fine"):
        rounds(engine).report("ann", task.phone_id, "fine", AT)
    assert assured(engine, key("service")) is None


def test_coverage_counts_what_people_are_sent_to(engine: Engine) -> None:
    bundle = small()
    add_service(bundle, "verified", needs=("need_legal",), languages=("uk",), **old(10))
    add_service(bundle, "gone", needs=("need_legal",), **old(200))
    add_service(bundle, "weak", country="FR", needs=("need_legal", "need_medical"))
    add_service(bundle, "at home", country="NG", kind="consular", needs=("return_home",), **old(1))
    enter(engine, bundle)
    with engine.connect() as connection:
        found = health.coverage(connection, Ages(), TODAY)
        spoken = health.coverage(connection, Ages(), TODAY, language="uk")
        europe = health.coverage(connection, Ages(), TODAY, region="council_of_europe")
    lines = {line.country: line for line in found.lines}
    assert set(lines) == {"IT", "FR"}
    cell = lines["IT"].cells["need_legal"]
    assert (cell.count, cell.sure, cell.state) == (1, 1, health.GOOD)
    assert lines["FR"].cells["need_legal"].state == health.WEAK
    assert lines["FR"].cells["need_shelter"].state == health.GAP
    assert (lines["IT"].services, lines["IT"].unverified, lines["IT"].stale) == (3, 1, 1)
    assert [line.country for line in spoken.lines] == ["IT"]
    assert len(europe.lines) == 46
    assert europe.lines[0].gaps == len(europe.needs)
    assert {line.country for line in europe.lines[-2:]} == {"IT", "FR"}
    rows = list(health.as_rows(found))
    assert rows[0][:2] == ["country", "services"]
    assert {len(row) for row in rows} == {5 + len(found.needs)}
    told = "\n".join(health.in_words(found))
    assert re.search(r"^IT .* 1 \(1\) ", told, re.MULTILINE)
    assert re.search(r"^hidden +1$", told, re.MULTILINE)


def test_the_terminal_shows_the_same_matrix(tmp_path: Path) -> None:
    database = tmp_path / "helpline.db"
    engine = connect(f"sqlite:///{database}")
    migrate(engine)
    bundle = small()
    bundle["service"][key("service")]["assured_date"] = datetime.now(timezone.utc).date().isoformat()
    enter(engine, bundle)
    engine.dispose()
    environment = {"HELPLINE_DATA_DIR": str(tmp_path), "HELPLINE_DATABASE_URL": ""}
    shown = CliRunner().invoke(main, ["directory", "health", "--region", "council_of_europe"], env=environment)
    assert shown.exit_code == 0, shown.output
    assert re.search(r"^IT .* 1 \(1\) ", shown.output, re.MULTILINE)
    assert re.search(r"^FR +- +-", shown.output, re.MULTILINE)
    wrong = CliRunner().invoke(main, ["directory", "health", "--region", "moon"], env=environment)
    assert "council_of_europe" in wrong.output
