"""Keeping entries true: which ones are old, who is reminded, and what a confirmation writes.

An entry's keeper (`assurer_email`) gets one mail a week at most, with a "still correct" link for each entry that is
due. A link is a secret that is stored only as a digest; it works once, and not for long.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from email.headerregistry import Address

from babel.languages import get_official_languages
from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, func, insert, or_, select, update
from sqlalchemy.sql import Select

from bot.directory.ages import DUE, FRESH, HIDDEN, WARNED, Ages
from bot.directory.changes import Author, Edit, apply
from bot.directory.entries import changed
from bot.directory.flags import CHANGED, LINK, open_flags, warned
from bot.directory.mail import Mailer, MailError, address
from bot.directory.models import Call, Organization, ReviewLink, Service, ServiceEntry
from bot.directory.read import as_date
from bot.directory.records import CHUNK, select_rows
from bot.log import get_logger
from bot.text.catalogue import SOURCE_LANGUAGE, Catalogue, fill
from bot.vault.vault import Vault

log = get_logger(__name__)

LINK_DAYS = 14
MAIL_DAYS = 7
"""So long nobody is written to again."""
MAILS_A_RUN = 50
ENTRIES_A_MAIL = 40
KEPT_DAYS = 30
"""Links are kept so long after their end."""
PATH = "/directory/still-correct/"

confirmed_on = func.coalesce(ServiceEntry.assured_date, ServiceEntry.checked, "")
"""From when an entry's age counts; empty: never confirmed, and of no source that has a date."""


@dataclass(frozen=True)
class Aged:
    """An entry and its age."""

    service_id: str
    name: str
    organization_id: str | None
    country: str
    confirmed: date | None
    assured: date | None
    state: str


def _day(today: date, days: int) -> str:
    return (today - timedelta(days=days)).isoformat()


def in_state(state: str, ages: Ages, today: date) -> ColumnElement[bool]:
    """Return the condition on `service_entry` that is Ages.state in the database's words."""
    due, late = _day(today, ages.review_days), _day(today, ages.review_days + ages.grace_days)
    hidden = _day(today, ages.hide_days)
    if state == HIDDEN:
        return and_(confirmed_on != "", confirmed_on <= hidden)
    if state == WARNED:
        return or_(confirmed_on == "", and_(confirmed_on <= late, confirmed_on > hidden))
    if state == DUE:
        return and_(confirmed_on <= due, confirmed_on > late)
    return confirmed_on > due


def _entries() -> Select[tuple[str, str, str | None, str, str | None, str | None]]:
    """Return the query of all entries, one row a service."""
    return select(
        ServiceEntry.service_id,
        func.min(ServiceEntry.name).label("name"),
        func.min(ServiceEntry.organization_id).label("organization_id"),
        func.min(ServiceEntry.country).label("country"),
        func.min(ServiceEntry.assured_date).label("assured_date"),
        func.min(ServiceEntry.checked).label("checked"),
    ).group_by(ServiceEntry.service_id)


def aged(
    connection: Connection,
    ages: Ages,
    today: date,
    states: Collection[str] = (DUE, WARNED, HIDDEN),
    organizations: Collection[str] | None = None,
    services: Collection[str] | None = None,
    most: int | None = None,
) -> list[Aged]:
    """Return entries in these states, oldest first; of these organisations or services only, where given."""
    query = _entries().where(or_(*(in_state(state, ages, today) for state in states)))
    if organizations is not None:
        query = query.where(ServiceEntry.organization_id.in_(list(organizations)))
    if services is not None:
        query = query.where(ServiceEntry.service_id.in_(list(services)))
    rows = connection.execute(query.order_by(func.min(confirmed_on), ServiceEntry.service_id).limit(most))
    return [
        Aged(
            row.service_id,
            row.name,
            row.organization_id,
            row.country,
            as_date(row.assured_date or row.checked),
            as_date(row.assured_date),
            ages.state(as_date(row.assured_date or row.checked), today),
        )
        for row in rows
    ]


def counts(
    connection: Connection, ages: Ages, today: date, organizations: Collection[str] | None = None
) -> dict[str, int]:
    """Return how many entries are in each state."""
    found = {}
    for state in (FRESH, DUE, WARNED, HIDDEN):
        query = select(func.count(ServiceEntry.service_id.distinct())).where(in_state(state, ages, today))
        if organizations is not None:
            query = query.where(ServiceEntry.organization_id.in_(list(organizations)))
        found[state] = int(connection.scalar(query) or 0)
    return found


def confirm(connection: Connection, vault: Vault, service: str, author: Author, today: date) -> bool:
    """Write that an entry was found correct today; return False where the public has no such entry."""
    row = next(select_rows(connection, "service", "id", [service]), None)
    if row is None:
        return False
    apply(connection, vault, [Edit("service", service, row, row | {"assured_date": today.isoformat()})], author)
    return True


def flag(connection: Connection, service: str, phone: str | None, by: str, outcome: str, now: int) -> None:
    """Keep the outcome of a call. What is read into memory is read again where it changes what people are shown."""
    before = warned(open_flags(connection, [service]).get(service, ()))
    connection.execute(insert(Call).values(service_id=service, phone_id=phone, at=now, by=by, outcome=outcome))
    if warned(open_flags(connection, [service]).get(service, ())) != before:
        changed(connection)


def new_link(connection: Connection, vault: Vault, service: str, recipient: str, now: int) -> str:
    """Return the secret of a new "still correct" link; only its digest is stored."""
    token = secrets.token_urlsafe(32)
    connection.execute(
        insert(ReviewLink).values(
            digest=vault.digest("review link", token),
            service_id=service,
            recipient=recipient,
            sent_at=now,
            expires_at=now + LINK_DAYS * 86_400,
        )
    )
    return token


def follow(connection: Connection, vault: Vault, token: str, correct: bool, now: int) -> bool:
    """Use a link: confirm its entry, or tell its editors that something has changed. False: no such link (any more)."""
    digest = vault.digest("review link", token)
    used = connection.execute(
        update(ReviewLink)
        .where(ReviewLink.digest == digest, ReviewLink.used_at.is_(None), ReviewLink.expires_at > now)
        .values(used_at=now)
    )
    if not used.rowcount:
        return False
    service = str(connection.scalar(select(ReviewLink.service_id).where(ReviewLink.digest == digest)))
    if correct:
        return confirm(connection, vault, service, Author(LINK), datetime.fromtimestamp(now, timezone.utc).date())
    flag(connection, service, None, LINK, CHANGED, now)
    return True


class Reminders:
    """Writes to the keepers of entries that are due. Nothing is sent where no mail server is set."""

    def __init__(
        self, database: Engine, vault: Vault, catalogue: Catalogue, ages: Ages, mailer: Mailer | None, public_url: str
    ) -> None:
        self.database = database
        self.vault = vault
        self.catalogue = catalogue
        self.ages = ages
        self.mailer = mailer
        self.public_url = public_url

    def remind(self, now: datetime | None = None) -> int:
        """Write to those who are due; return how many mails were taken. Blocks while it sends. Raises MailError."""
        if self.mailer is None:
            return 0
        moment = int(now.timestamp() if now else time.time())
        today = datetime.fromtimestamp(moment, timezone.utc).date()
        with self.database.begin() as connection:
            connection.execute(delete(ReviewLink).where(ReviewLink.expires_at < moment - KEPT_DAYS * 86_400))
            waiting = self._waiting(connection, moment, today)
        sent = 0
        if waiting:
            with self.mailer.connected() as post:
                for to, entries in waiting:
                    recipient = self._recipient(to)
                    with self.database.begin() as connection:
                        tokens = [
                            new_link(connection, self.vault, each.service_id, recipient, moment) for each in entries
                        ]
                        organization = self._organization(connection, entries)
                    language = self._language(entries)
                    subject, text = self._words(entries, tokens, organization, language)
                    try:
                        post.send(to, subject, text, language)
                        sent += 1
                    except MailError as error:
                        log.warning("reminder_not_sent", why=str(error))
                        if not error.lasting:  # nobody has these links: the next run tries again
                            self._forget(tokens)
        if waiting:
            log.info("reminders_sent", count=sent, of=len(waiting))
        return sent

    def _waiting(self, connection: Connection, moment: int, today: date) -> list[tuple[Address, list[Aged]]]:
        """Return whom to write to about which entries, who has waited longest first."""
        since = moment - MAIL_DAYS * 86_400
        told = set(connection.scalars(select(ReviewLink.recipient).where(ReviewLink.sent_at > since)))
        found: dict[str, tuple[Address, list[Aged]]] = {}
        entries = aged(connection, self.ages, today)
        keepers = self._keepers(connection)
        for each in entries:
            to = keepers.get(each.service_id)
            if to is None or self._recipient(to) in told:
                continue
            _, listed = found.setdefault(to.addr_spec.casefold(), (to, []))
            if len(listed) < ENTRIES_A_MAIL:
                listed.append(each)
        return list(found.values())[:MAILS_A_RUN]

    @staticmethod
    def _keepers(connection: Connection) -> dict[str, Address]:
        query = select(Service.id, Service.assurer_email).where(
            Service.archived_at.is_(None), Service.assurer_email.is_not(None)
        )
        read = ((row.id, address(row.assurer_email)) for row in connection.execute(query))
        return {key: found for key, found in read if found}

    def _recipient(self, to: Address) -> str:
        return self.vault.digest("review mail", to.addr_spec.casefold())

    def _forget(self, tokens: list[str]) -> None:
        digests = [self.vault.digest("review link", token) for token in tokens]
        with self.database.begin() as connection:
            connection.execute(delete(ReviewLink).where(ReviewLink.digest.in_(digests)))

    @staticmethod
    def _organization(connection: Connection, entries: list[Aged]) -> str:
        keys = {each.organization_id for each in entries if each.organization_id}
        names = connection.scalars(select(Organization.name).where(Organization.id.in_(list(keys)[:CHUNK])))
        return ", ".join(sorted(filter(None, names)))

    def _language(self, entries: list[Aged]) -> str:
        """Return the language that is likely read where the entries are: an official one of their country."""
        for country in dict.fromkeys(each.country for each in entries if each.country):
            for code in get_official_languages(country, de_facto=True):
                if code.partition("_")[0] in self.catalogue.languages:
                    return code.partition("_")[0]
        return SOURCE_LANGUAGE

    def _words(self, entries: list[Aged], tokens: list[str], organization: str, language: str) -> tuple[str, str]:
        def say(part: str, /, **values: str) -> str:
            one_line = {key: " ".join(value.split()) for key, value in values.items()}
            return fill(self.catalogue.text(f"utter_mail_review_{part}", language), one_line)

        def lines() -> Iterator[str]:
            yield say("hello", organization=organization)
            yield say("what", days=str(LINK_DAYS))
            for each, token in zip(entries, tokens, strict=True):
                yield say("entry", name=each.name) + f"\n{self.public_url}{PATH}{token}"
            yield say("changed")
            yield say("why")

        return say("subject"), "\n\n".join(lines()) + "\n"
