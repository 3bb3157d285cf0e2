"""The public directory as a file. Only the public tables are read, and no person's name or mail address leaves."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, select

from bot.directory.exchange import flat, tabular
from bot.directory.exchange.hsds_json import trees
from bot.directory.exchange.writing import write_csv, write_xlsx
from bot.directory.models import Organization, Service
from bot.directory.records import Bundle, load


def export(connection: Connection, form: str, organization: str | None = None) -> bytes:
    """Return the directory, or what of it is one organisation's, in one of FORMS."""
    return FORMS[form](public(connection, organization))


def public(connection: Connection, organization: str | None = None) -> Bundle:
    """Return all that may leave: without who confirmed it, contacts' names and addresses, and who changed what."""
    services = select(Service.id).where(Service.archived_at.is_(None)).order_by(Service.id)
    organizations = select(Organization.id).where(Organization.archived_at.is_(None)).order_by(Organization.id)
    if organization:
        services = services.where(Service.organization_id == organization)
        organizations = organizations.where(Organization.id == organization)
    bundle = load(connection, list(connection.scalars(services)), list(connection.scalars(organizations)))
    bundle.rows["metadata"] = {}
    for row in bundle["service"].values():
        row.pop("assurer_email", None)
    for row in bundle["contact"].values():
        for name in ("name", "email"):
            row.pop(name, None)
    return bundle


def uk(found: dict[str, Any]) -> dict[str, Any]:
    """Return a tree as the Open Referral UK profile has it: every service has an organisation, and no empty lists."""
    return {name: value for name, value in found.items() if value not in (None, [], "")}


def _json(bundle: Bundle) -> bytes:
    return (json.dumps(list(trees(bundle)), ensure_ascii=False, indent=1) + "\n").encode()


def _uk(bundle: Bundle) -> bytes:
    services = [uk(each) for each in trees(bundle) if "status" in each]
    page = {
        "total_items": len(services), "total_pages": 1, "page_number": 1, "size": len(services),
        "first_page": True, "last_page": True, "empty": not services, "contents": services,
    }  # fmt: skip
    return (json.dumps(page, ensure_ascii=False, indent=1) + "\n").encode()


FORMS: dict[str, Callable[[Bundle], bytes]] = {
    "hsds-json": _json,
    "hsds-tabular": tabular.write_zip,
    "uk-json": _uk,
    "csv": lambda bundle: write_csv(flat.from_bundle(bundle)),
    "xlsx": lambda bundle: write_xlsx(flat.from_bundle(bundle)),
}
