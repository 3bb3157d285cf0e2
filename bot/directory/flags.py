"""What somebody has found wrong with an entry, until somebody has put it right.

A flag is a row of `verification_call` with a bad outcome. It is settled when the entry was confirmed after it, or when
somebody else has rung the same number since and found it right.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone

from sqlalchemy import Connection, func, select

from bot.directory.models import Call, Service, ServiceEntry

RIGHT, WRONG, NOBODY, OUT_OF_ORDER, CHANGED, SKIPPED = "right", "wrong", "nobody", "out_of_order", "changed", "skipped"
OUTCOMES = (RIGHT, WRONG, NOBODY, OUT_OF_ORDER, CHANGED, SKIPPED)
BAD = (WRONG, OUT_OF_ORDER, CHANGED)
UNREACHABLE = (WRONG, OUT_OF_ORDER)
LINK = "link"
"""Stands for whoever followed a mailed link, as the author of a change or a flag."""
ENOUGH = 2
"""People who must find a number wrong before an entry is shown with a warning."""


@dataclass(frozen=True)
class Flag:
    """Somebody found something wrong: `phone_id` None for the entry as a whole, `by` an operator's id or LINK."""

    service_id: str
    phone_id: str | None
    by: str
    at: int
    outcome: str


def open_flags(connection: Connection, services: Iterable[str] | None = None) -> dict[str, list[Flag]]:
    """Return the flags that are not settled, by service, oldest first; `services`: of these only (at most 500)."""
    suspected = select(Call.service_id).where(Call.outcome.in_(BAD))
    query = (
        select(Call.__table__).where(Call.outcome.in_((*BAD, RIGHT)), Call.service_id.in_(suspected)).order_by(Call.n)
    )
    if services is not None:
        query = query.where(Call.service_id.in_(list(services)))
    calls = [Flag(row.service_id, row.phone_id, row.by, row.at, row.outcome) for row in connection.execute(query)]
    bad = [call for call in calls if call.outcome in BAD]
    if not bad:
        return {}
    heard = {(call.service_id, call.phone_id): call.at for call in calls if call.outcome == RIGHT}
    keys = list(dict.fromkeys(call.service_id for call in bad))
    assured: dict[str, str] = {}
    changed: dict[str, int] = {}
    for start in range(0, len(keys), 500):
        some = keys[start : start + 500]
        rows = connection.execute(
            select(Service.id, Service.assured_date).where(Service.id.in_(some), Service.archived_at.is_(None))
        )
        assured.update({row.id: (row.assured_date or "")[:10] for row in rows})
        last = select(ServiceEntry.service_id, func.max(ServiceEntry.changed_at).label("at"))
        entries = last.where(ServiceEntry.service_id.in_(some)).group_by(ServiceEntry.service_id)
        changed.update({row.service_id: row.at for row in connection.execute(entries)})
    found: dict[str, list[Flag]] = {}
    for call in bad:
        if call.service_id not in assured or heard.get((call.service_id, call.phone_id), -1) >= call.at:
            continue
        day = datetime.fromtimestamp(call.at, timezone.utc).date().isoformat()
        confirmed = assured[call.service_id]
        if confirmed > day or (confirmed == day and changed.get(call.service_id, -1) >= call.at):
            continue
        found.setdefault(call.service_id, []).append(call)
    return found


def warned(flags: Iterable[Flag]) -> bool:
    """Tell whether enough people found one number of an entry wrong for people to be warned."""
    people: dict[str | None, set[str]] = {}
    for flag in flags:
        if flag.outcome in UNREACHABLE:
            people.setdefault(flag.phone_id, set()).add(flag.by)
    return any(len(each) >= ENOUGH for each in people.values())


def doubtful(connection: Connection) -> frozenset[str]:
    """Return the services that are shown with a warning because of what was found wrong with them."""
    return frozenset(key for key, flags in open_flags(connection).items() if warned(flags))
