"""The call round: which number is to be rung next, who has it before them, and what the outcome does.

Oldest first. Nobody is given a number that a colleague has before them. One gateway runs on a database, so a lock in
this process is enough to hand numbers out one after the other; who holds which stands in the database.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timezone

from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, func, insert, or_, select

from bot.directory.ages import Ages
from bot.directory.changes import Author
from bot.directory.flags import BAD, ENOUGH, NOBODY, OUTCOMES, RIGHT, SKIPPED, Flag, open_flags
from bot.directory.models import Call, Phone, ServiceEntry
from bot.directory.read import Referral, ReferralPhone, phone_rows, referral
from bot.directory.records import Bundle, load
from bot.directory.upkeep import confirm, flag
from bot.vault.vault import Vault

RINGING = "ringing"
HELD_SECONDS = 15 * 60
AGAIN_SECONDS = 20 * 3600
"""A number where nobody answered is rung again on another day; so is one that somebody did not want to ring."""
CALLABLE = (None, "voice", "cell", "whatsapp")
AT_ONCE, MOST_CHUNKS = 50, 40


@dataclass(frozen=True)
class Task:
    """A number to verify, and what to know while it rings."""

    phone_id: str
    phone: ReferralPhone
    service: Referral
    flags: tuple[Flag, ...]


@dataclass(frozen=True)
class Progress:
    """How far the round is: `waiting` entries are to be confirmed; calls of today, `mine` among them."""

    waiting: int
    today: int
    mine: int


class Gone(Exception):
    """The number is not (or no longer) before this person."""


class CallRound:
    """Hands out numbers and takes outcomes. Calls block for some milliseconds."""

    _lock = threading.Lock()

    def __init__(self, database: Engine, vault: Vault, ages: Ages) -> None:
        self.database = database
        self.vault = vault
        self.ages = ages

    def next(self, operator: str, now: int) -> Task | None:
        """Return the number that this person has before them or is given now; None where there is nothing to do."""
        with self._lock, self.database.begin() as connection:
            held = connection.execute(
                select(Call.service_id, Call.phone_id).where(_ringing(now), Call.by == operator).order_by(Call.n)
            ).first()
            if held:
                for task in self._tasks(connection, [held.service_id]):
                    if task.phone_id == held.phone_id:
                        return task
                self._let_go(connection, operator)
            taken = self._taken(connection, operator, now)
            for task in self._candidates(connection, operator, now):
                if task.phone_id not in taken and _digits(task.phone.number) not in taken:
                    connection.execute(
                        insert(Call).values(
                            service_id=task.service.id, phone_id=task.phone_id, at=now, by=operator, outcome=RINGING
                        )
                    )
                    return task
        return None

    def report(self, operator: str, phone: str, outcome: str, now: int) -> bool:
        """Keep how a call ended; return whether it confirmed the entry. Raises Gone, ValueError."""
        if outcome not in OUTCOMES:
            raise ValueError(outcome)
        with self._lock, self.database.begin() as connection:
            service = connection.scalar(
                select(Call.service_id).where(Call.outcome == RINGING, Call.by == operator, Call.phone_id == phone)
            )
            if service is None:
                raise Gone
            self._let_go(connection, operator)
            flag(connection, service, phone, operator, outcome, now)
            if outcome != RIGHT or not self._all_right(connection, service, now):
                return False
            today = datetime.fromtimestamp(now, timezone.utc).date()
            return confirm(connection, self.vault, service, Author(operator), today)

    def progress(self, operator: str, now: int) -> Progress:
        today = datetime.fromtimestamp(now, timezone.utc).date()
        midnight = int(datetime(today.year, today.month, today.day, tzinfo=timezone.utc).timestamp())
        rung = (
            select(func.count()).select_from(Call).where(Call.at >= midnight, Call.outcome.in_((*BAD, RIGHT, NOBODY)))
        )
        with self.database.connect() as connection:
            waiting = connection.scalar(
                select(func.count(ServiceEntry.service_id.distinct())).where(_old(self.ages, today))
            )
            return Progress(
                int(waiting or 0),
                int(connection.scalar(rung) or 0),
                int(connection.scalar(rung.where(Call.by == operator)) or 0),
            )

    # inside

    def _let_go(self, connection: Connection, operator: str) -> None:
        connection.execute(delete(Call).where(Call.outcome == RINGING, Call.by == operator))

    def _taken(self, connection: Connection, operator: str, now: int) -> set[str]:
        """Return the ids and digits of the numbers that others have before them."""
        keys = set(connection.scalars(select(Call.phone_id).where(_ringing(now), Call.by != operator)))
        ids = {key for key in keys if key}
        numbers = connection.scalars(select(Phone.number).where(Phone.id.in_(list(ids))))
        return ids | {_digits(number or "") for number in numbers}

    def _candidates(self, connection: Connection, operator: str, now: int) -> Iterator[Task]:
        """Yield numbers to verify, those of the entries that were confirmed longest ago first."""
        today = datetime.fromtimestamp(now, timezone.utc).date()
        assured, checked = func.coalesce(ServiceEntry.assured_date, ""), func.coalesce(ServiceEntry.checked, "")
        query = (
            select(ServiceEntry.service_id)
            .where(_old(self.ages, today))
            .group_by(ServiceEntry.service_id)
            .order_by(func.min(assured), func.min(checked), ServiceEntry.service_id)
            .limit(AT_ONCE * MOST_CHUNKS)
        )
        keys = list(connection.scalars(query))
        for start in range(0, len(keys), AT_ONCE):
            some = keys[start : start + AT_ONCE]
            calls = self._calls(connection, some, now)
            for task in self._tasks(connection, some):
                if not _settled(calls.get((task.service.id, task.phone_id), []), task.flags, operator, now):
                    yield task

    def _calls(self, connection: Connection, services: list[str], now: int) -> dict[tuple[str, str | None], list[Flag]]:
        since = now - self.ages.review_days * 86_400
        query = select(Call.__table__).where(Call.service_id.in_(services), Call.at > since, Call.outcome != RINGING)
        found: dict[tuple[str, str | None], list[Flag]] = {}
        for row in connection.execute(query.order_by(Call.n)):
            call = Flag(row.service_id, row.phone_id, row.by, row.at, row.outcome)
            found.setdefault((row.service_id, row.phone_id), []).append(call)
        return found

    def _tasks(self, connection: Connection, services: list[str]) -> Iterator[Task]:
        bundle = load(connection, services=services, people=True)
        flags = open_flags(connection, services)
        for key in services:
            if key not in bundle["service"]:
                continue
            service = referral(bundle, key)
            for row, phone in _numbers(bundle, service):
                about = tuple(each for each in flags.get(key, ()) if each.phone_id in (None, row))
                yield Task(row, phone, service, about)

    def _all_right(self, connection: Connection, service: str, now: int) -> bool:
        calls = self._calls(connection, [service], now)
        tasks = list(self._tasks(connection, [service]))
        last = [calls.get((service, task.phone_id), [None])[-1] for task in tasks]
        return bool(tasks) and all(call is not None and call.outcome == RIGHT for call in last)


def _ringing(now: int) -> ColumnElement[bool]:
    return and_(Call.outcome == RINGING, Call.at > now - HELD_SECONDS)


def _old(ages: Ages, today: date) -> ColumnElement[bool]:
    """The condition on `service_entry`: nobody has confirmed it for so long that its numbers are to be rung."""
    due = date.fromordinal(today.toordinal() - ages.review_days).isoformat()
    return or_(ServiceEntry.assured_date.is_(None), ServiceEntry.assured_date <= due)


def _numbers(bundle: Bundle, service: Referral) -> Iterator[tuple[str, ReferralPhone]]:
    for row, phone in zip(phone_rows(bundle, service.id), service.phones, strict=True):
        if row.get("type") in CALLABLE:
            yield row["id"], phone


def _settled(calls: list[Flag], flags: tuple[Flag, ...], operator: str, now: int) -> bool:
    """Tell whether a number need not be rung by this person now."""
    bad = [each for each in flags if each.phone_id is not None]
    people = {each.by for each in bad}
    if operator in people or len(people) >= ENOUGH or any(each.outcome == "changed" for each in bad):
        return True  # its editors have the word
    for call in reversed(calls):
        recent = call.at > now - AGAIN_SECONDS
        if recent and (call.outcome == NOBODY or (call.outcome == SKIPPED and call.by == operator)):
            return True
        if call.outcome not in (SKIPPED, NOBODY):
            return call.outcome == RIGHT
    return False


def _digits(number: str) -> str:
    return re.sub(r"\D", "", number)
