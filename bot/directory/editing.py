"""Editing the directory: who may see and change what, proposals, four eyes, history.

Everything here blocks: call it in a thread. Every change and every look at what is not public lands in the audit log,
by the entry's id and without a word of it.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone
from typing import Any

from sqlalchemy import Connection, Engine, Select, delete, func, insert, select, update

from bot.directory import restricted
from bot.directory.ages import Ages
from bot.directory.changes import Author, Conflict, Conflicts, Edit, apply, conflicts_of, edits_between, edits_of
from bot.directory.exchange.imports import known_ids
from bot.directory.hsds import ENTITIES, Row, made_id
from bot.directory.models import (
    Change,
    EditorOrganization,
    Organization,
    Proposal,
    RestrictedRecord,
    Service,
    ServiceEntry,
)
from bot.directory.owners import kept_by, owners, places_of_others
from bot.directory.read import as_date, referral
from bot.directory.records import PUBLIC, Bundle, load
from bot.directory.restricted import CONFIDENTIAL, STAFF, TIERS
from bot.directory.vocabulary import attribute
from bot.staff.accounts import Operator, Role
from bot.staff.audit import Audit
from bot.store.database import Folded, forget_deleted
from bot.vault.vault import Vault

WAITING, APPROVED, REJECTED, WITHDRAWN = "waiting", "approved", "rejected", "withdrawn"
MOST_LISTED = 200
_PURPOSE = "directory proposal"


class NotAllowed(Exception):
    """Somebody may not see or do this. For all that they can tell, it is not there."""


@dataclass(frozen=True)
class Listed:
    """An entry of the list."""

    id: str
    name: str
    organization: str
    status: str
    confirmed: date | None
    state: str
    waiting: int


@dataclass(frozen=True)
class Proposed:
    """A proposal. `edits` is empty for somebody who may not see all of it (`hidden` says how many)."""

    id: str
    service_id: str | None
    organization_id: str | None
    name: str
    status: str
    by: str
    at: int
    decided_by: str | None
    decided_at: int | None
    note: str
    reason: str
    edits: tuple[Edit, ...] = ()
    conflicts: tuple[Conflict, ...] = ()


@dataclass(frozen=True)
class Changed:
    """A change of the history. `undoes`: the number of the change that it takes back."""

    n: int
    at: int
    by: str
    approved_by: str | None
    undoes: int | None
    edits: tuple[Edit, ...]


def highest_tier(role: Role, own: bool) -> str:
    """Return the most closed tier that somebody may see of an organisation; `own`: its editor."""
    if role is Role.SUPERVISOR or (role is Role.EDITOR and own):
        return CONFIDENTIAL
    return STAFF if role is Role.OPERATOR else PUBLIC


class Editing:
    """What editors and supervisors do with entries."""

    def __init__(self, engine: Engine, vault: Vault, audit: Audit, ages: Ages, four_eyes: bool = True) -> None:
        self.engine = engine
        self.vault = vault
        self.audit = audit
        self.ages = ages
        self.four_eyes = four_eyes

    # who keeps what

    def organizations(self, operator: Operator) -> list[tuple[str, str]]:
        """Return (id, name) of the organisations whose entries somebody keeps, by name; a supervisor: all."""
        query = select(Organization.id, Organization.name).where(Organization.archived_at.is_(None))
        if operator.role is not Role.SUPERVISOR:
            mine = select(EditorOrganization.organization_id).where(EditorOrganization.operator_id == operator.id)
            query = query.where(Organization.id.in_(mine))
        with self.engine.connect() as connection:
            return [(row.id, row.name or "") for row in connection.execute(query.order_by(Organization.name))]

    def keeps(self, connection: Connection, operator: Operator, organization: str | None) -> bool:
        """Return whether somebody may change the entries of an organisation."""
        if operator.role is Role.SUPERVISOR:
            return True
        if operator.role is not Role.EDITOR or organization is None:
            return False
        own = EditorOrganization.operator_id == operator.id, EditorOrganization.organization_id == organization
        return connection.execute(select(EditorOrganization.operator_id).where(*own)).first() is not None

    def kept_by(self, operator_id: str) -> list[str]:
        """Return the ids of the organisations that were given to an editor."""
        with self.engine.connect() as connection:
            return sorted(kept_by(connection, operator_id))

    def assign(self, operator_id: str, organizations: Sequence[str], by: str) -> None:
        """Give an editor exactly these organisations; unknown ids are left out."""
        with self.engine.begin() as connection:
            known = set(connection.scalars(select(Organization.id).where(Organization.id.in_(list(organizations)))))
            connection.execute(delete(EditorOrganization).where(EditorOrganization.operator_id == operator_id))
            for organization in sorted(known):
                values = {"operator_id": operator_id, "organization_id": organization}
                connection.execute(insert(EditorOrganization).values(**values))
        self.audit.note(by, "directory_assigned", operator_id)

    def all_organizations(
        self, words: str = "", first: Sequence[str] = (), most: int = MOST_LISTED
    ) -> list[tuple[str, str]]:
        """Return (id, name) of organisations: those of `first`, then others whose name holds `words`, by name."""
        organizations = select(Organization.id, Organization.name).where(Organization.archived_at.is_(None))
        others = organizations.where(Organization.id.not_in(list(first)))
        if words:
            others = others.where(Folded(Organization.name).contains(words.lower(), autoescape=True))
        with self.engine.connect() as connection:
            found = [
                *connection.execute(organizations.where(Organization.id.in_(list(first))).order_by(Organization.name)),
                *connection.execute(others.order_by(Organization.name).limit(most)),
            ]
        return [(row.id, row.name or "") for row in found]

    # entries

    def entries(
        self, operator: Operator, words: str = "", today: date | None = None, page: int = 0
    ) -> tuple[list[Listed], bool]:
        """Return MOST_LISTED of the entries that somebody keeps, by organisation and name; whether more follow."""
        today = today or datetime.now(timezone.utc).date()
        waiting = (
            select(Proposal.service_id, func.count().label("proposals"))
            .where(Proposal.status == WAITING)
            .group_by(Proposal.service_id)
            .subquery()
        )
        query = (
            select(
                Service.id, Service.name, Service.status, Organization.name.label("organization"), waiting.c.proposals,
                func.max(ServiceEntry.assured_date).label("assured"), func.max(ServiceEntry.checked).label("checked"),
            )
            .join(Organization, Organization.id == Service.organization_id)
            .outerjoin(ServiceEntry, ServiceEntry.service_id == Service.id)
            .outerjoin(waiting, waiting.c.service_id == Service.id)
            .where(Service.archived_at.is_(None))
            .group_by(Service.id, Service.name, Service.status, Organization.name, waiting.c.proposals)
            .order_by(Organization.name, Service.name, Service.id)
            .offset(page * MOST_LISTED)
            .limit(MOST_LISTED + 1)
        )  # fmt: skip
        if operator.role is not Role.SUPERVISOR:
            mine = select(EditorOrganization.organization_id).where(EditorOrganization.operator_id == operator.id)
            query = query.where(Service.organization_id.in_(mine))
        if words:
            named = Folded(Service.name + " " + Organization.name)
            query = query.where(named.contains(words.lower(), autoescape=True))
        with self.engine.connect() as connection:
            found = connection.execute(query).all()
        listed = []
        for row in found[:MOST_LISTED]:
            confirmed = as_date(row.assured or row.checked)
            state = self.ages.state(confirmed, today)
            listed.append(
                Listed(
                    row.id,
                    row.name or "",
                    row.organization or "",
                    row.status or "",
                    confirmed,
                    state,
                    row.proposals or 0,
                )
            )
        return listed, len(found) > MOST_LISTED

    def load(self, operator: Operator, service: str) -> Bundle:
        """Return an entry with all that this person may see of it. Raises NotAllowed."""
        with self.engine.connect() as connection:
            bundle = self._load(connection, operator, service)
        if bundle.tiers:
            self.audit.note(operator.id, "directory_closed_seen", service)
        return bundle

    def _load(self, connection: Connection, operator: Operator, service: str) -> Bundle:
        bundle = load(connection, services=[service])
        row = bundle["service"].get(service)
        if row is None:
            closed = restricted.get(connection, self.vault, service)
            row = closed.row if closed and closed.entity == "service" else {}
        organization = row.get("organization_id")
        if not self.keeps(connection, operator, organization):
            raise NotAllowed
        rows = restricted.of(connection, self.vault, services=[service], only=organization)
        restricted.add_to(bundle, rows, highest_tier(operator.role, own=True))
        if service not in bundle["service"]:
            raise NotAllowed
        if organization and organization not in bundle["organization"]:
            bundle.update(load(connection, organizations=[organization]))
        return bundle

    def load_organization(self, operator: Operator, organization: str) -> Bundle:
        """Return an organisation with its own numbers, what this person may see of it, and one of its services.

        Raises NotAllowed.
        """
        with self.engine.connect() as connection:
            if not self.keeps(connection, operator, organization):
                raise NotAllowed
            one = select(Service.id).where(Service.organization_id == organization, Service.archived_at.is_(None))
            bundle = load(connection, list(connection.scalars(one.order_by(Service.id).limit(1))), [organization])
            rows = [row for row in restricted.of(connection, self.vault, [organization], only=organization)
                    if row.row.get("organization_id") == organization and row.entity == "phone"]  # fmt: skip
            restricted.add_to(bundle, rows, highest_tier(operator.role, own=True))
        if organization not in bundle["organization"]:
            raise NotAllowed
        if bundle.tiers:
            self.audit.note(operator.id, "directory_closed_seen", organization)
        return bundle

    def for_staff(self, operator: Operator, service: str) -> list[tuple[str, Row]]:
        """Return what of an entry only staff may see, as (entity, row): a desk's direct line. Raises NotAllowed."""
        highest = highest_tier(operator.role, own=False)
        with self.engine.connect() as connection:
            there = connection.scalar(select(Service.id).where(Service.id == service, Service.archived_at.is_(None)))
            rows = list(restricted.of(connection, self.vault, services=[service])) if there else []
        allowed = TIERS[1 : TIERS.index(highest) + 1]
        found = [(row.entity, row.row) for row in rows if row.tier in allowed]
        if not found:
            raise NotAllowed
        self.audit.note(operator.id, "directory_closed_seen", service)
        return found

    def with_staff_rows(self, operator: Operator, services: Sequence[str]) -> set[str]:
        """Return which entries have something that this person may see and the public may not."""
        allowed = TIERS[1 : TIERS.index(highest_tier(operator.role, own=False)) + 1]
        query = select(RestrictedRecord.service_id).where(RestrictedRecord.service_id.in_(list(services)))
        with self.engine.connect() as connection:
            some = set(connection.scalars(query)) if allowed else set()
            rows = {key: restricted.of(connection, self.vault, services=[key]) for key in some if key}
            return {key for key, found in rows.items() if any(row.tier in allowed for row in found)}

    def new_service(self, operator: Operator, organization: str, name: str, note: str = "") -> tuple[Bundle, str]:
        """Return a bundle with a new service of an organisation, to be edited and proposed. Raises NotAllowed."""
        with self.engine.connect() as connection:
            if not self.keeps(connection, operator, organization):
                raise NotAllowed
            bundle = load(connection, organizations=[organization])
        if organization not in bundle["organization"]:
            raise NotAllowed
        key = made_id("console", secrets.token_hex(16))
        row = {"id": key, "organization_id": organization, "name": name, "status": "active"}
        bundle.add("service", row)
        bundle.add("attribute", attribute("service", key, "kind", "other"))
        return bundle, key

    # proposals

    def propose(
        self, operator: Operator, service: str | None, before: Bundle, after: Bundle, note: str = ""
    ) -> str | None:
        """Propose what leads from one bundle to another; return the proposal's id, None where nothing was changed.

        Where four eyes are not asked for, it is applied at once. Raises NotAllowed, Conflicts.
        """
        edits = edits_between(before, after)
        if self._taken(edits) or not self._may_change(operator, edits):
            raise NotAllowed
        return self._propose(operator, service, edits, note) if edits else None

    def _taken(self, edits: Sequence[Edit]) -> bool:
        """Return whether a row that is said to be new has the id of one that exists, archived or closed."""
        new: dict[str, list[str]] = {}
        for edit in edits:
            if edit.before is None and edit.entity in ENTITIES:
                new.setdefault(edit.entity, []).append(edit.id)
        with self.engine.connect() as connection:
            return any(
                known_ids(connection, entity, ids) | restricted.known(connection, ids) for entity, ids in new.items()
            )

    def others(self, operator: Operator, bundle: Bundle) -> frozenset[str]:
        """Return the places in a bundle that somebody may not change, because another organisation uses them too."""
        if operator.role is Role.SUPERVISOR:
            return frozenset()
        with self.engine.connect() as connection:
            return places_of_others(connection, bundle["location"], set(self.kept_by(operator.id)))

    def _may_change(self, operator: Operator, edits: Sequence[Edit]) -> bool:
        if operator.role is Role.SUPERVISOR:
            return True
        rows = [(edit.entity, row) for edit in edits for row in (edit.before, edit.after) if row]
        with self.engine.connect() as connection:
            return all(self.keeps(connection, operator, each) for each in sorted(owners(connection, rows)))

    def _propose(self, operator: Operator, service: str | None, edits: Sequence[Edit], note: str) -> str:
        organization = self._organization(edits, service)
        key = secrets.token_hex(16)
        with self.engine.begin() as connection:
            if not self.keeps(connection, operator, organization):
                raise NotAllowed
            values = {
                "id": key,
                "organization_id": organization,
                "service_id": service,
                "status": WAITING,
                "proposed_by": operator.id,
                "proposed_at": int(time.time()),
                "sealed": self._seal(key, edits, note, ""),
            }
            connection.execute(insert(Proposal).values(**values))
        self.audit.note(operator.id, "directory_proposed", service or organization or key)
        if not self.four_eyes:
            try:
                self._approve(operator, key)
            except Conflicts:
                self._decide(key, operator.id, REJECTED)
                raise
        return key

    def _organization(self, edits: Sequence[Edit], service: str | None) -> str | None:
        for edit in edits:
            row = edit.after or edit.before or {}
            if edit.entity == "organization":
                return edit.id
            if row.get("organization_id") and (edit.entity == "service" or service is None):
                return str(row["organization_id"])
        with self.engine.connect() as connection:
            found = connection.scalar(select(Service.organization_id).where(Service.id == service))
            closed = restricted.get(connection, self.vault, service) if found is None and service else None
        return found or (closed.row.get("organization_id") if closed else None)

    def proposals(self, operator: Operator, status: str = WAITING) -> list[Proposed]:
        """Return the proposals of the organisations that somebody keeps, the oldest first."""
        query = select(Proposal.__table__).where(Proposal.status == status).order_by(Proposal.proposed_at)
        if operator.role is not Role.SUPERVISOR:
            mine = select(EditorOrganization.organization_id).where(EditorOrganization.operator_id == operator.id)
            query = query.where(Proposal.organization_id.in_(mine))
        with self.engine.connect() as connection:
            return [self._proposed(connection, row) for row in connection.execute(query.limit(MOST_LISTED))]

    def proposal(self, operator: Operator, key: str) -> Proposed:
        """Return a proposal with what stands against it now. Raises NotAllowed."""
        with self.engine.connect() as connection:
            row = connection.execute(select(Proposal.__table__).where(Proposal.id == key)).first()
            if row is None or not self.keeps(connection, operator, row.organization_id):
                raise NotAllowed
            return self._proposed(connection, row, check=True)

    def _proposed(self, connection: Connection, row: Any, check: bool = False) -> Proposed:
        edits, note, reason = self._open(row.id, row.sealed)
        waiting = check and row.status == WAITING
        conflicts = tuple(conflicts_of(connection, self.vault, edits)) if waiting else ()
        name = next((edit.after or edit.before for edit in edits if edit.entity in ("service", "organization")), None)
        if name is None:
            of_service = select(Service.name).where(Service.id == row.service_id)
            of_organization = select(Organization.name).where(Organization.id == row.organization_id)
            name = {"name": connection.scalar(of_service) or connection.scalar(of_organization)}
        return Proposed(
            row.id, row.service_id, row.organization_id, str(name.get("name") or ""), row.status, row.proposed_by,
            row.proposed_at, row.decided_by, row.decided_at, note, reason, tuple(edits), conflicts,
        )  # fmt: skip

    def approve(self, operator: Operator, key: str) -> int:
        """Apply somebody else's proposal; return the number of the change. Raises NotAllowed, Conflicts."""
        proposed = self.proposal(operator, key)
        if proposed.status != WAITING or (self.four_eyes and proposed.by == operator.id):
            raise NotAllowed
        return self._approve(operator, key)

    def _approve(self, operator: Operator, key: str) -> int:
        with self.engine.begin() as connection:
            taken = connection.execute(
                update(Proposal)
                .where(Proposal.id == key, Proposal.status == WAITING)
                .values(status=APPROVED, decided_by=operator.id, decided_at=int(time.time()))
            )
            if not taken.rowcount:
                raise NotAllowed  # somebody else has decided meanwhile
            row = connection.execute(select(Proposal.__table__).where(Proposal.id == key)).one()
            edits, _, _ = self._open(key, row.sealed)
            approved_by = operator.id if operator.id != row.proposed_by else None
            number = apply(connection, self.vault, edits, Author(row.proposed_by, approved_by))
        if any(edit.tier != PUBLIC for edit in edits):
            forget_deleted(self.engine)
        self.audit.note(operator.id, "directory_approved", row.service_id or key)
        return number

    def reject(self, operator: Operator, key: str, reason: str) -> None:
        """Turn a proposal down; its author may so withdraw it. Raises NotAllowed."""
        proposed = self.proposal(operator, key)
        if proposed.status != WAITING:
            raise NotAllowed
        status = WITHDRAWN if proposed.by == operator.id else REJECTED
        self._decide(key, operator.id, status, self._seal(key, proposed.edits, proposed.note, reason))
        self.audit.note(operator.id, f"directory_{status}", proposed.service_id or key)

    def _decide(self, key: str, by: str, status: str, sealed: bytes | None = None) -> None:
        values: dict[str, Any] = {"status": status, "decided_by": by, "decided_at": int(time.time())}
        if sealed is not None:
            values["sealed"] = sealed
        with self.engine.begin() as connection:
            connection.execute(update(Proposal).where(Proposal.id == key, Proposal.status == WAITING).values(**values))

    # history

    def history(self, operator: Operator, service: str, most: int = 50) -> list[Changed]:
        """Return an entry's changes, the newest first. Raises NotAllowed."""
        with self.engine.connect() as connection:
            row = self._load(connection, operator, service)["service"][service]
            query = select(Change.__table__).where(Change.service_id == service).order_by(Change.n.desc()).limit(most)
            own = Change.organization_id.is_(None) | (Change.organization_id == row.get("organization_id"))
            return self._changes(connection, query.where(own))  # what it was with another organisation stays theirs

    def history_of_organization(self, operator: Operator, organization: str, most: int = 50) -> list[Changed]:
        """Return the changes of an organisation's own fields, the newest first. Raises NotAllowed."""
        with self.engine.connect() as connection:
            if not self.keeps(connection, operator, organization):
                raise NotAllowed
            own = (Change.organization_id == organization, Change.service_id.is_(None))
            query = select(Change.__table__).where(*own).order_by(Change.n.desc()).limit(most)
            return self._changes(connection, query)

    def _changes(self, connection: Connection, query: Select[Any]) -> list[Changed]:
        return [
            Changed(
                row.n, row.at, row.by, row.approved_by, row.undoes, tuple(edits_of(self.vault, row.by, row.sealed))
            )
            for row in connection.execute(query)
        ]  # fmt: skip

    def undo(self, operator: Operator, key: str, number: int, organization: bool = False) -> str:
        """Propose to take a change of an entry, or of an organisation's own fields, back.

        Raises NotAllowed, Conflicts.
        """
        changes = self.history_of_organization(operator, key) if organization else self.history(operator, key)
        service = None if organization else key
        found = next((each for each in changes if each.n == number), None)
        if found is None:
            raise NotAllowed
        edits = [edit.inverse for edit in reversed(found.edits)]
        if not self._may_change(operator, edits):
            raise NotAllowed
        return self._propose(operator, service, edits, f"#{number}")

    def _seal(self, key: str, edits: Sequence[Edit], note: str, reason: str) -> bytes:
        plain = json.dumps({"edits": [edit.as_json() for edit in edits], "note": note, "reason": reason})
        return self.vault.protect(_PURPOSE, key, plain.encode("utf-8", "surrogatepass"))

    def _open(self, key: str, sealed: bytes) -> tuple[list[Edit], str, str]:
        stored = json.loads(self.vault.reveal(_PURPOSE, key, sealed))
        return [Edit(*each) for each in stored["edits"]], stored["note"], stored["reason"]


def public(bundle: Bundle) -> Bundle:
    """Return what everybody may see of a bundle: for previews."""
    open_ones = Bundle()
    for entity, row in bundle:
        if row["id"] not in bundle.tiers or bundle.tiers[row["id"]] == PUBLIC:
            open_ones.add(entity, row)
    open_ones.translations = dict(bundle.translations)
    return open_ones


def preview(bundle: Bundle, service: str) -> Any:
    """Return the service as people would be told it; None where it is not public."""
    shown = public(bundle)
    return referral(shown, service) if service in shown["service"] else None
