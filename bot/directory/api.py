"""The public read-only HSDS 3.0 API at /hsds: what the standard's OpenAPI file says, and no personal data.

Off by default. It reads only the public tables, and shows no entry that has got too old to send people to. Contacts
lose names, mail addresses and numbers; `assurer_email` and metadata (who changed what) are left out.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import date, datetime, timezone
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, func, or_, select
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from bot.directory import fulltext
from bot.directory.ages import HIDDEN, Ages
from bot.directory.entries import version
from bot.directory.hsds import ENTITIES, Row
from bot.directory.models import (
    Address,
    Attribute,
    Organization,
    Service,
    ServiceAtLocation,
    ServiceEntry,
    Taxonomy,
    TaxonomyTerm,
)
from bot.directory.records import Bundle, load, select_rows, tree
from bot.directory.upkeep import in_state
from bot.store.database import Folded

PREFIX = "/hsds"
PER_PAGE, MOST_PER_PAGE = 20, 100
LAST_PAGE = 1_000_000
CHUNK = 200
MOST_FOUND = 1000
"""Services that a search for words finds at most."""
AT_ONCE = 4
"""Requests that read at the same time: people in need come first."""
MAX_AGE_SECONDS = 300
HSDS_VERSION = "3.0"
PROFILE = "https://docs.openreferral.org/en/v3.0.1/hsds/overview.html"
OPENAPI = "https://raw.githubusercontent.com/openreferral/specification/3.0/schema/openapi.json"
HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
_ID = re.compile(r"[0-9A-Za-z-]{1,36}", re.ASCII)
_LEFT_OUT = ("assurer_email", "metadata")
_KEPT_OF_CONTACTS = ("id", "title", "department")


class ApiError(Exception):
    """What the client asked for cannot be given; said as JSON."""

    def __init__(self, status: int, message: str, parameter: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.content = {"error": message} | ({"parameter": parameter} if parameter else {})


class Asked:
    """The query of a request, read and checked. Raises ApiError 400 for a value that is none."""

    def __init__(self, request: Request) -> None:
        self._values = request.query_params

    def text(self, name: str, longest: int = 200) -> str:
        value = self._values.get(name, "").strip()
        if len(value) > longest or "\0" in value:
            raise ApiError(400, f"{name}: expected at most {longest} characters", name)
        return value

    def id(self, name: str) -> str:
        value = self.text(name)
        if value and not _ID.fullmatch(value):
            raise ApiError(400, f"{name}: expected an id (a UUID)", name)
        return value

    def number(self, name: str, default: int, most: int) -> int:
        value = self.text(name)
        if not value:
            return default
        if not (value.isascii() and value.isdecimal()) or not 1 <= int(value) <= most:
            raise ApiError(400, f"{name}: expected a whole number from 1 to {most}", name)
        return int(value)

    def switch(self, name: str) -> bool:
        value = self.text(name).lower()
        if value not in ("", "true", "false", "1", "0"):
            raise ApiError(400, f"{name}: expected true or false", name)
        return value in ("true", "1")

    def moment(self, name: str) -> datetime | None:
        value = self.text(name)
        if not value:
            return None
        try:
            # A plus sign that was not escaped has become a space.
            found = datetime.fromisoformat(value.replace("Z", "+00:00").replace("z", "+00:00").replace(" ", "+"))
            return found.astimezone(timezone.utc) if found.tzinfo else found.replace(tzinfo=timezone.utc)
        except (ValueError, OverflowError):
            raise ApiError(400, f"{name}: expected a date and time like 2026-01-31T12:00:00Z", name) from None

    @property
    def ndjson(self) -> bool:
        value = self.text("format").lower()
        if value not in ("", "json", "ndjson"):
            raise ApiError(400, "format: expected json or ndjson", "format")
        return value == "ndjson"


class Api:
    """The routes of the API."""

    def __init__(self, database: Engine, ages: Ages) -> None:
        self.database = database
        self.ages = ages
        self.room = asyncio.Semaphore(AT_ONCE)

    def routes(self) -> list[BaseRoute]:
        paths: list[tuple[str, Callable[[Request], Response]]] = [
            ("", self._about),
            ("/", self._about),
            ("/services", self._services),
            ("/services/{id}", self._one("service")),
            ("/organizations", self._organizations),
            ("/organizations/{id}", self._one("organization")),
            ("/service_at_locations", self._at_locations),
            ("/service_at_locations/{id}", self._one("service_at_location")),
            ("/taxonomies", self._taxonomies),
            ("/taxonomies/{id}", self._one("taxonomy")),
            ("/taxonomy_terms", self._terms),
            ("/taxonomy_terms/{id}", self._one("taxonomy_term")),
        ]
        return [
            *(Route(PREFIX + path, self._served(answer), methods=["GET", "OPTIONS"]) for path, answer in paths),
            Route(PREFIX + "{rest:path}", _Missing()),
        ]

    def _served(self, answer: Callable[[Request], Response]) -> Callable[[Request], Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            if request.method == "OPTIONS":
                allowed = {"Access-Control-Allow-Methods": "GET, HEAD", "Access-Control-Allow-Headers": "*"}
                return Response(status_code=204, headers={**HEADERS, **allowed, "Allow": "GET, HEAD, OPTIONS"})
            try:
                async with self.room:
                    tag = await asyncio.to_thread(self._tag, request)
                    kept = {"ETag": tag, "Cache-Control": f"public, max-age={MAX_AGE_SECONDS}"}
                    given = request.headers.get("if-none-match", "")
                    if tag in (each.strip().removeprefix("W/") for each in given.split(",")):
                        return Response(status_code=304, headers=HEADERS | kept)
                    response = await asyncio.to_thread(answer, request)
            except ApiError as error:
                return JSONResponse(error.content, error.status, headers=HEADERS | {"Cache-Control": "no-store"})
            response.headers.update(HEADERS | kept)
            return response

        return serve

    def _tag(self, request: Request) -> str:
        """Return the entity tag of what this address shows now: it changes with the directory, and with the day."""
        with self.database.connect() as connection:
            state = f"{version(connection)}|{self._today()}|{request.url.path}?{request.url.query}"
        return '"' + hashlib.sha256(state.encode("utf-8", "surrogatepass")).hexdigest()[:32] + '"'

    # What is there

    @staticmethod
    def _today() -> date:
        return datetime.now(timezone.utc).date()

    def _shown(self) -> Select[Any]:
        """Return the query of the ids of the services that are shown."""
        return select(ServiceEntry.service_id).where(~in_state(HIDDEN, self.ages, self._today()))

    def _query(self, entity: str) -> Select[Any]:
        """Return the query of the ids of what is shown of an entity."""
        if entity == "service":
            return select(Service.id).where(Service.archived_at.is_(None), Service.id.in_(self._shown()))
        if entity == "organization":
            offered = select(Service.organization_id).where(
                Service.archived_at.is_(None), Service.id.in_(self._shown()), Service.organization_id.is_not(None)
            )
            return select(Organization.id).where(Organization.archived_at.is_(None), Organization.id.in_(offered))
        if entity == "service_at_location":
            return select(ServiceAtLocation.id).where(
                ServiceAtLocation.archived_at.is_(None), ServiceAtLocation.service_id.in_(self._shown())
            )
        table = ENTITIES[entity].table
        return select(table.c.id).where(table.c.archived_at.is_(None))

    # Answers

    def _about(self, request: Request) -> Response:
        return JSONResponse({"version": HSDS_VERSION, "profile": PROFILE, "openapi_url": OPENAPI})

    def _services(self, request: Request) -> Response:
        asked = Asked(request)
        with self.database.connect() as connection:
            conditions = self._of_services(connection, asked, Service.id, Service.organization_id)
        query = self._query("service").where(*conditions)
        if asked.switch("minimal"):
            return self._listed(asked, Service.id, query, self._minimal, everything=True)
        full = asked.switch("full")
        return self._listed(
            asked, Service.id, query, lambda connection, keys: self._trees("service", connection, keys, full)
        )

    def _at_locations(self, request: Request) -> Response:
        asked = Asked(request)
        if asked.text("proximity"):
            raise ApiError(400, "proximity: this server knows no distances of postcodes", "proximity")
        organization = select(Service.id).where(Service.organization_id == asked.id("organization_id"))
        with self.database.connect() as connection:
            conditions = self._of_services(connection, asked, ServiceAtLocation.service_id, None)
        if asked.id("organization_id"):
            conditions.append(ServiceAtLocation.service_id.in_(organization))
        if asked.text("postcode"):
            there = select(Address.location_id).where(
                Address.postal_code == asked.text("postcode"), Address.archived_at.is_(None)
            )
            conditions.append(ServiceAtLocation.location_id.in_(there))
        query, full = self._query("service_at_location").where(*conditions), asked.switch("full")
        return self._listed(
            asked, ServiceAtLocation.id, query,
            lambda connection, keys: self._trees("service_at_location", connection, keys, full),
        )  # fmt: skip

    def _organizations(self, request: Request) -> Response:
        asked = Asked(request)
        query = self._query("organization").where(*_named(Organization, asked))
        full, services = asked.switch("full"), asked.switch("full_service")
        return self._listed(
            asked, Organization.id, query,
            lambda connection, keys: self._trees("organization", connection, keys, full or services, services),
        )  # fmt: skip

    def _taxonomies(self, request: Request) -> Response:
        asked = Asked(request)
        query = self._query("taxonomy").where(*_named(Taxonomy, asked))
        return self._listed(asked, Taxonomy.id, query, lambda c, keys: self._trees("taxonomy", c, keys, True))

    def _terms(self, request: Request) -> Response:
        asked = Asked(request)
        conditions = _named(TaxonomyTerm, asked)
        if asked.id("taxonomy_id"):
            conditions.append(TaxonomyTerm.taxonomy_id == asked.id("taxonomy_id"))
        if asked.id("parent_id"):
            conditions.append(TaxonomyTerm.parent_id == asked.id("parent_id"))
        if asked.switch("top_only"):
            conditions.append(TaxonomyTerm.parent_id.is_(None))
        query = self._query("taxonomy_term").where(*conditions)
        return self._listed(asked, TaxonomyTerm.id, query, lambda c, keys: self._trees("taxonomy_term", c, keys, True))

    def _one(self, entity: str) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            key, asked = request.path_params["id"], Asked(request)
            services = asked.switch("full_service")
            with self.database.connect() as connection:
                column = ENTITIES[entity].table.c.id
                known = _ID.fullmatch(key) and connection.scalar(self._query(entity).where(column == key))
                if not known:
                    raise ApiError(404, f"there is no {entity} {key[:40]!r} here")
                return JSONResponse(self._trees(entity, connection, [key], True, services)[0])

        return answer

    # How it is found

    def _of_services(
        self, connection: Connection, asked: Asked, service: Any, organization: Any
    ) -> list[ColumnElement[bool]]:
        """Return what a query of services (or of what hangs on them) is asked for."""
        conditions: list[ColumnElement[bool]] = []
        found = fulltext.find(connection, asked.text("search"), MOST_FOUND)
        if found is not None:
            conditions.append(service.in_(found))
        if organization is not None and asked.id("organization_id"):
            conditions.append(organization == asked.id("organization_id"))
        tagged = select(Attribute.link_id).where(Attribute.archived_at.is_(None))
        if asked.id("taxonomy_term_id"):
            conditions.append(service.in_(tagged.where(Attribute.taxonomy_term_id == asked.id("taxonomy_term_id"))))
        if asked.id("taxonomy_id"):
            terms = select(TaxonomyTerm.id).where(TaxonomyTerm.taxonomy_id == asked.id("taxonomy_id"))
            conditions.append(service.in_(tagged.where(Attribute.taxonomy_term_id.in_(terms))))
        since = asked.moment("modified_after")
        if since is not None:
            conditions.append(service.in_(_modified(since)))
        return conditions

    def _listed(
        self,
        asked: Asked,
        column: Any,
        query: Select[Any],
        read: Callable[[Connection, Sequence[str]], list[Row]],
        everything: bool = False,
    ) -> Response:
        """Return one page of what a query finds; all of it as lines of JSON where that is asked for."""
        per_page = asked.number("per_page", PER_PAGE, MOST_PER_PAGE)
        page = asked.number("page", 1, LAST_PAGE)
        if asked.ndjson:
            return StreamingResponse(self._lines(column, query, read), media_type="application/x-ndjson")
        with self.database.connect() as connection:
            total = int(connection.scalar(select(func.count()).select_from(query.subquery())) or 0)
            if everything and not asked.text("per_page"):
                page, per_page = 1, max(total, 1)
            wanted = query.order_by(column).limit(per_page).offset((page - 1) * per_page)
            keys = list(connection.scalars(wanted))
            contents = [
                row for start in range(0, len(keys), CHUNK) for row in read(connection, keys[start : start + CHUNK])
            ]
        pages = max(1, -(-total // per_page))
        return JSONResponse(
            {
                "total_items": total,
                "total_pages": pages,
                "page_number": page,
                "size": len(contents),
                "first_page": page == 1,
                "last_page": page >= pages,
                "empty": not contents,
                "contents": contents,
            }
        )

    def _lines(
        self, column: Any, query: Select[Any], read: Callable[[Connection, Sequence[str]], list[Row]]
    ) -> Iterator[str]:
        last = ""
        while True:
            with self.database.connect() as connection:
                keys = list(connection.scalars(query.where(column > last).order_by(column).limit(CHUNK)))
                rows = read(connection, keys)
            yield "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            if len(keys) < CHUNK:
                return
            last = keys[-1]

    # How it is written

    @staticmethod
    def _minimal(connection: Connection, keys: Sequence[str]) -> list[Row]:
        last = select(ServiceEntry.service_id, func.max(ServiceEntry.changed_at).label("at"))
        found = connection.execute(last.where(ServiceEntry.service_id.in_(keys)).group_by(ServiceEntry.service_id))
        changed = {row.service_id: datetime.fromtimestamp(row.at, timezone.utc).isoformat() for row in found}
        return [{"id": key, "modified_date": changed[key]} for key in keys if key in changed]

    def _trees(
        self, entity: str, connection: Connection, keys: Sequence[str], full: bool, full_service: bool = False
    ) -> list[Row]:
        """Return rows of an entity, nested; without `full` with what there is one of, and no lists."""
        if entity in ("taxonomy", "taxonomy_term"):
            return self._terms_of(entity, connection, keys)
        if not full:
            return self._flat(entity, connection, keys)
        services: list[str] = []
        if entity == "service":
            services = list(keys)
        elif entity == "service_at_location":
            found = select(ServiceAtLocation.service_id).where(ServiceAtLocation.id.in_(keys))
            services = list(dict.fromkeys(connection.scalars(found)))
        else:
            offered = self._query("service").where(Service.organization_id.in_(keys)).order_by(Service.id)
            services = list(connection.scalars(offered))
        bundle = load(connection, services=services, organizations=keys if entity == "organization" else ())
        trees = [tree(bundle, entity, key) for key in keys if key in bundle[entity]]
        if entity == "organization":
            for each in trees:
                each["services"] = _services_of(bundle, each["id"], services, full_service)
        return [_public(each) for each in trees]

    @staticmethod
    def _flat(entity: str, connection: Connection, keys: Sequence[str]) -> list[Row]:
        rows = {row["id"]: row for row in select_rows(connection, entity, "id", keys)}
        for name, field in ENTITIES[entity].one.items():
            other = ENTITIES[entity].fields[field].entity
            wanted = [row[field] for row in rows.values() if row.get(field)]
            if other and wanted:
                known = {row["id"]: row for row in select_rows(connection, other, "id", wanted)}
                for row in rows.values():
                    if row.get(field) in known:
                        row[name] = dict(known[row[field]])
        return [_public(rows[key]) for key in keys if key in rows]

    @staticmethod
    def _terms_of(entity: str, connection: Connection, keys: Sequence[str]) -> list[Row]:
        rows = {row["id"]: row for row in select_rows(connection, entity, "id", keys)}
        parents = [row["taxonomy_id"] for row in rows.values() if row.get("taxonomy_id")]
        taxonomies = {row["id"]: row for row in select_rows(connection, "taxonomy", "id", parents)}
        for row in rows.values():
            if row.get("taxonomy_id") in taxonomies:
                row["taxonomy_detail"] = taxonomies[row["taxonomy_id"]]
        return [rows[key] for key in keys if key in rows]


def _named(table: Any, asked: Asked) -> list[ColumnElement[bool]]:
    words = asked.text("search").lower().split()[:10]
    return [
        or_(
            Folded(table.name).contains(word, autoescape=True),
            Folded(table.description).contains(word, autoescape=True),
        )
        for word in words
    ]


def _modified(since: datetime) -> Select[Any]:
    """Return the services that were changed since, here or by whom they come from."""
    own = since.strftime("%Y-%m-%dT%H:%M:%S")
    here = select(ServiceEntry.service_id).where(ServiceEntry.changed_at >= int(since.timestamp()))
    return select(Service.id).where(or_(func.substr(Service.last_modified, 1, 19) >= own, Service.id.in_(here)))


def _services_of(bundle: Bundle, organization: str, services: Sequence[str], full: bool) -> list[Row]:
    mine = [key for key in services if bundle["service"].get(key, {}).get("organization_id") == organization]
    if full:
        return [tree(bundle, "service", key, frozenset([organization])) for key in mine]
    return [dict(bundle["service"][key]) for key in mine]


def _public(value: Any) -> Any:
    """Return a tree without personal data."""
    if isinstance(value, list):
        return [_public(each) for each in value]
    if not isinstance(value, dict):
        return value
    found = {name: _public(each) for name, each in value.items() if name not in _LEFT_OUT}
    if "contacts" in found:
        contacts = [{name: each[name] for name in _KEPT_OF_CONTACTS if name in each} for each in found["contacts"]]
        found["contacts"] = [each for each in contacts if len(each) > 1]
        if not found["contacts"]:
            del found["contacts"]
    return found


class _Missing:
    """What is not in the API, and other methods than reading."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reads = scope["method"] in ("GET", "HEAD", "OPTIONS")
        path = scope["path"].removeprefix(PREFIX)
        content = {"error": f"there is nothing at {path[:80]!r} here" if reads else "this API is only for reading"}
        response = JSONResponse(content, 404 if reads else 405, headers=HEADERS)
        if not reads:
            response.headers["Allow"] = "GET, HEAD, OPTIONS"
        await response(scope, receive, send)
