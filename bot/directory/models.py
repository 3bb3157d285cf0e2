"""The referral directory's tables, in the names and cardinalities of HSDS 3.0 (Human Services Data Specification).

Source: docs.openreferral.org, schema of 16 May 2024; tests/contracts/test_hsds.py holds every column to the official
schemas where those are present. What HSDS lacks and a person must know stands in attributes (vocabulary.yml).

These tables hold what everybody may read. What only staff may see is never in them: see restricted.py.
Dates and times are ISO 8601 strings, as in the standard's files.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Date, Float, ForeignKey, Index, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.database import Base

UUID_LENGTH = 36


def _text(kind: str | None = None, required: bool = False, enum: tuple[str, ...] = ()) -> Any:
    """Return a column of text. `kind`: uri, email, date or datetime, as the standard names them."""
    return mapped_column(Text, nullable=True, info={"format": kind, "required": required, "enum": enum})


def _number() -> Any:
    return mapped_column(Float, nullable=True, info={"format": "number"})


def _link(entity: str, required: bool = False) -> Any:
    """Return a column that refers to another row."""
    return mapped_column(
        String(UUID_LENGTH),
        ForeignKey(f"{entity}.id"),
        nullable=True,
        info={"format": "uuid", "required": required, "entity": entity},
    )


class Record:
    """What every row of the standard has, and three columns of ours that no file shows."""

    id: Mapped[str] = mapped_column(String(UUID_LENGTH), primary_key=True, info={"format": "uuid", "required": True})
    archived_at: Mapped[int | None] = mapped_column(BigInteger, info={"own": True})
    """Unix time; rows are never deleted."""
    dataset: Mapped[str | None] = mapped_column(String(100), info={"own": True})
    """The file that the row comes from; None: written in the console."""
    imported: Mapped[str | None] = mapped_column(String(24), info={"own": True})
    """The digest of the row as that file last had it: a file that has not changed overwrites nobody's edits."""


class Taxonomy(Record, Base):
    """A list of terms."""

    __tablename__ = "taxonomy"

    name: Mapped[str | None] = _text(required=True)
    description: Mapped[str | None] = _text(required=True)
    uri: Mapped[str | None] = _text("uri")
    version: Mapped[str | None] = _text()


class TaxonomyTerm(Record, Base):
    """A term that attributes put on rows of other tables."""

    __tablename__ = "taxonomy_term"

    code: Mapped[str | None] = _text()
    name: Mapped[str | None] = _text(required=True)
    description: Mapped[str | None] = _text(required=True)
    parent_id: Mapped[str | None] = mapped_column(String(UUID_LENGTH), info={"format": "uuid"})
    taxonomy: Mapped[str | None] = _text()
    language: Mapped[str | None] = _text()
    taxonomy_id: Mapped[str | None] = _link("taxonomy")
    term_uri: Mapped[str | None] = _text("uri")


class Organization(Record, Base):
    """Who provides services."""

    __tablename__ = "organization"

    name: Mapped[str | None] = _text(required=True)
    alternate_name: Mapped[str | None] = _text()
    description: Mapped[str | None] = _text(required=True)
    email: Mapped[str | None] = _text("email")
    website: Mapped[str | None] = _text("uri")
    tax_status: Mapped[str | None] = _text()
    tax_id: Mapped[str | None] = _text()
    year_incorporated: Mapped[float | None] = _number()
    legal_status: Mapped[str | None] = _text()
    logo: Mapped[str | None] = _text()
    uri: Mapped[str | None] = _text("uri")
    parent_organization_id: Mapped[str | None] = mapped_column(String(UUID_LENGTH), info={"format": "uuid"})


class Program(Record, Base):
    """A group of an organisation's services."""

    __tablename__ = "program"

    organization_id: Mapped[str | None] = _link("organization", required=True)
    name: Mapped[str | None] = _text(required=True)
    alternate_name: Mapped[str | None] = _text()
    description: Mapped[str | None] = _text(required=True)


class Service(Record, Base):
    """What an organisation does for people."""

    __tablename__ = "service"

    organization_id: Mapped[str | None] = _link("organization", required=True)
    program_id: Mapped[str | None] = _link("program")
    name: Mapped[str | None] = _text(required=True)
    alternate_name: Mapped[str | None] = _text()
    description: Mapped[str | None] = _text()
    url: Mapped[str | None] = _text("uri")
    email: Mapped[str | None] = _text("email")
    status: Mapped[str | None] = _text(required=True, enum=("active", "inactive", "defunct", "temporarily closed"))
    interpretation_services: Mapped[str | None] = _text()
    application_process: Mapped[str | None] = _text()
    fees_description: Mapped[str | None] = _text()
    wait_time: Mapped[str | None] = _text()
    fees: Mapped[str | None] = _text()
    accreditations: Mapped[str | None] = _text()
    eligibility_description: Mapped[str | None] = _text()
    minimum_age: Mapped[float | None] = _number()
    maximum_age: Mapped[float | None] = _number()
    assured_date: Mapped[str | None] = _text("date")
    assurer_email: Mapped[str | None] = _text("email")
    licenses: Mapped[str | None] = _text()
    alert: Mapped[str | None] = _text()
    last_modified: Mapped[str | None] = _text("datetime")


class Location(Record, Base):
    """Where services are given."""

    __tablename__ = "location"

    location_type: Mapped[str | None] = _text(required=True, enum=("physical", "postal", "virtual"))
    url: Mapped[str | None] = _text("uri")
    organization_id: Mapped[str | None] = _link("organization")
    name: Mapped[str | None] = _text()
    alternate_name: Mapped[str | None] = _text()
    description: Mapped[str | None] = _text()
    transportation: Mapped[str | None] = _text()
    latitude: Mapped[float | None] = _number()
    longitude: Mapped[float | None] = _number()
    external_identifier: Mapped[str | None] = _text()
    external_identifier_type: Mapped[str | None] = _text()


class ServiceAtLocation(Record, Base):
    """That a service is given at a location."""

    __tablename__ = "service_at_location"

    service_id: Mapped[str | None] = _link("service", required=True)
    location_id: Mapped[str | None] = _link("location", required=True)
    description: Mapped[str | None] = _text()


class Address(Record, Base):
    """A location's address."""

    __tablename__ = "address"

    location_id: Mapped[str | None] = _link("location")
    attention: Mapped[str | None] = _text()
    address_1: Mapped[str | None] = _text(required=True)
    address_2: Mapped[str | None] = _text()
    city: Mapped[str | None] = _text(required=True)
    region: Mapped[str | None] = _text()
    state_province: Mapped[str | None] = _text(required=True)
    postal_code: Mapped[str | None] = _text(required=True)
    country: Mapped[str | None] = _text(required=True)
    address_type: Mapped[str | None] = _text(required=True, enum=("physical", "postal", "virtual"))


class Contact(Record, Base):
    """Somebody to ask for. A person's name is personal data: it leaves the house in no export and no API."""

    __tablename__ = "contact"

    organization_id: Mapped[str | None] = _link("organization")
    service_id: Mapped[str | None] = _link("service")
    service_at_location_id: Mapped[str | None] = _link("service_at_location")
    location_id: Mapped[str | None] = _link("location")
    name: Mapped[str | None] = _text()
    title: Mapped[str | None] = _text()
    department: Mapped[str | None] = _text()
    email: Mapped[str | None] = _text("email")


class Phone(Record, Base):
    """A number, as people write it. `type`: voice, sms, whatsapp, tty, fax, cell, video, pager, textphone."""

    __tablename__ = "phone"

    location_id: Mapped[str | None] = _link("location")
    service_id: Mapped[str | None] = _link("service")
    organization_id: Mapped[str | None] = _link("organization")
    contact_id: Mapped[str | None] = _link("contact")
    service_at_location_id: Mapped[str | None] = _link("service_at_location")
    number: Mapped[str | None] = _text(required=True)
    extension: Mapped[float | None] = _number()
    type: Mapped[str | None] = _text()
    description: Mapped[str | None] = _text()


class Schedule(Record, Base):
    """When something is open, as an RRULE (RFC 5545). `timezone` is an offset from UTC in hours, as in HSDS 3.0."""

    __tablename__ = "schedule"

    service_id: Mapped[str | None] = _link("service")
    location_id: Mapped[str | None] = _link("location")
    service_at_location_id: Mapped[str | None] = _link("service_at_location")
    valid_from: Mapped[str | None] = _text("date")
    valid_to: Mapped[str | None] = _text("date")
    dtstart: Mapped[str | None] = _text("date")
    timezone: Mapped[float | None] = _number()
    until: Mapped[str | None] = _text("date")
    count: Mapped[float | None] = _number()
    wkst: Mapped[str | None] = _text(enum=("MO", "TU", "WE", "TH", "FR", "SA", "SU"))
    freq: Mapped[str | None] = _text(enum=("WEEKLY", "MONTHLY"))
    interval: Mapped[float | None] = _number()
    byday: Mapped[str | None] = _text()
    byweekno: Mapped[str | None] = _text()
    bymonthday: Mapped[str | None] = _text()
    byyearday: Mapped[str | None] = _text()
    description: Mapped[str | None] = _text()
    opens_at: Mapped[str | None] = _text()
    closes_at: Mapped[str | None] = _text()
    schedule_link: Mapped[str | None] = _text("uri")
    attending_type: Mapped[str | None] = _text()
    notes: Mapped[str | None] = _text()


class Language(Record, Base):
    """A language that is spoken: `code` is ISO 639."""

    __tablename__ = "language"

    service_id: Mapped[str | None] = _link("service")
    location_id: Mapped[str | None] = _link("location")
    phone_id: Mapped[str | None] = _link("phone")
    name: Mapped[str | None] = _text()
    code: Mapped[str | None] = _text()
    note: Mapped[str | None] = _text()


class ServiceArea(Record, Base):
    """Where people must be. `extent`: an ISO 3166 country code where `extent_type` is "country"; none: everywhere."""

    __tablename__ = "service_area"

    service_id: Mapped[str | None] = _link("service")
    name: Mapped[str | None] = _text()
    description: Mapped[str | None] = _text()
    extent: Mapped[str | None] = _text()
    extent_type: Mapped[str | None] = _text()
    uri: Mapped[str | None] = _text()


class Accessibility(Record, Base):
    """What a location offers to people with disabilities."""

    __tablename__ = "accessibility"

    location_id: Mapped[str | None] = _link("location")
    description: Mapped[str | None] = _text()
    details: Mapped[str | None] = _text()
    url: Mapped[str | None] = _text("uri")


class CostOption(Record, Base):
    """What a service costs."""

    __tablename__ = "cost_option"

    service_id: Mapped[str | None] = _link("service", required=True)
    valid_from: Mapped[str | None] = _text("date")
    valid_to: Mapped[str | None] = _text("date")
    option: Mapped[str | None] = _text()
    currency: Mapped[str | None] = _text()
    amount: Mapped[float | None] = _number()
    amount_description: Mapped[str | None] = _text()


class RequiredDocument(Record, Base):
    """A paper that people must bring."""

    __tablename__ = "required_document"

    service_id: Mapped[str | None] = _link("service")
    document: Mapped[str | None] = _text()
    uri: Mapped[str | None] = _text("uri")


class Funding(Record, Base):
    """Who pays."""

    __tablename__ = "funding"

    organization_id: Mapped[str | None] = _link("organization")
    service_id: Mapped[str | None] = _link("service")
    source: Mapped[str | None] = _text()


class OrganizationIdentifier(Record, Base):
    """An organisation's number in a register."""

    __tablename__ = "organization_identifier"

    organization_id: Mapped[str | None] = _link("organization", required=True)
    identifier_scheme: Mapped[str | None] = _text()
    identifier_type: Mapped[str | None] = _text(required=True)
    identifier: Mapped[str | None] = _text(required=True)


class Attribute(Record, Base):
    """A term put on the row `link_id` of the table `link_entity`; `value` where the term asks for one."""

    __tablename__ = "attribute"

    link_id: Mapped[str | None] = mapped_column(
        String(UUID_LENGTH), index=True, info={"format": "uuid", "required": True}
    )
    taxonomy_term_id: Mapped[str | None] = _link("taxonomy_term", required=True)
    link_type: Mapped[str | None] = _text()
    link_entity: Mapped[str | None] = _text(required=True)
    value: Mapped[str | None] = _text()


class Metadata(Record, Base):
    """What a publisher tells about changes of a row."""

    __tablename__ = "metadata"

    resource_id: Mapped[str | None] = mapped_column(
        String(UUID_LENGTH), index=True, info={"format": "uuid", "required": True}
    )
    resource_type: Mapped[str | None] = _text(required=True)
    last_action_date: Mapped[str | None] = _text("date", required=True)
    last_action_type: Mapped[str | None] = _text(required=True)
    field_name: Mapped[str | None] = _text(required=True)
    previous_value: Mapped[str | None] = _text(required=True)
    replacement_value: Mapped[str | None] = _text(required=True)
    updated_by: Mapped[str | None] = _text(required=True)


class MetaTableDescription(Record, Base):
    """What a publisher tells about a table."""

    __tablename__ = "meta_table_description"

    name: Mapped[str | None] = _text()
    language: Mapped[str | None] = _text()
    character_set: Mapped[str | None] = _text()


# Beyond the standard


class Translation(Base):
    """A text of a row in another language."""

    __tablename__ = "translation"

    record_id: Mapped[str] = mapped_column(String(UUID_LENGTH), primary_key=True)
    field: Mapped[str] = mapped_column(String(40), primary_key=True)
    language: Mapped[str] = mapped_column(String(10), primary_key=True)
    text: Mapped[str] = mapped_column(Text)


class RestrictedRecord(Base):
    """A row that not everybody may see, sealed with the master key (restricted.py)."""

    __tablename__ = "restricted_record"

    id: Mapped[str] = mapped_column(String(UUID_LENGTH), primary_key=True)
    organization_id: Mapped[str | None] = mapped_column(String(UUID_LENGTH), index=True)
    service_id: Mapped[str | None] = mapped_column(String(UUID_LENGTH), index=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class ServiceEntry(Base):
    """A service as search ranks it, one row a country: made from the tables above with every change."""

    __tablename__ = "service_entry"

    n: Mapped[int] = mapped_column(Integer, primary_key=True)
    service_id: Mapped[str] = mapped_column(String(UUID_LENGTH), index=True)
    organization_id: Mapped[str | None] = mapped_column(String(UUID_LENGTH))
    country: Mapped[str] = mapped_column(String(2), index=True)
    """ISO 3166, or empty: everywhere."""
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(30))
    needs: Mapped[str] = mapped_column(Text)
    """Space-separated, as `languages`."""
    languages: Mapped[str] = mapped_column(Text)
    interpreters: Mapped[bool] = mapped_column(Boolean)
    minimum_age: Mapped[float | None] = mapped_column(Float)
    maximum_age: Mapped[float | None] = mapped_column(Float)
    gender: Mapped[str | None] = mapped_column(String(20))
    places: Mapped[str] = mapped_column(Text)
    """`latitude,longitude` of its public locations, space-separated."""
    area: Mapped[str | None] = mapped_column(Text)
    hours: Mapped[str] = mapped_column(Text)
    """JSON of the schedules (hours.py); empty: not known."""
    open_on_holidays: Mapped[bool] = mapped_column(Boolean)
    assured_date: Mapped[str | None] = mapped_column(String(10))
    checked: Mapped[str | None] = mapped_column(String(10))
    full_until: Mapped[str | None] = mapped_column(String(10))
    status: Mapped[str] = mapped_column(String(20))
    changed_at: Mapped[int] = mapped_column(BigInteger)
    """Unix time at which this row was made: when the service, or something that hangs on it, was changed last."""


class ServiceWords(Base):
    """The words of a service, as full-text search reads them (fulltext.py)."""

    __tablename__ = "service_words"

    n: Mapped[int] = mapped_column(Integer, primary_key=True)
    service_id: Mapped[str] = mapped_column(String(UUID_LENGTH), unique=True)
    words: Mapped[str] = mapped_column(Text)


class DirectoryVersion(Base):
    """One row: grows with every change, so that what was read into memory is known to be old."""

    __tablename__ = "directory_version"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)


class Dataset(Base):
    """A file that was imported: `source` tells which column went where, so that the next one is read alike."""

    __tablename__ = "dataset"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    organization_id: Mapped[str | None] = mapped_column(String(UUID_LENGTH))
    digest: Mapped[str | None] = mapped_column(String(64))
    imported_at: Mapped[int] = mapped_column(BigInteger)
    source: Mapped[dict[str, Any] | None] = mapped_column(JSON)


class Proposal(Base):
    """A change that waits for a second person, and what became of it. `sealed`: the edits and the note."""

    __tablename__ = "directory_proposal"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    organization_id: Mapped[str | None] = mapped_column(String(UUID_LENGTH), index=True)
    service_id: Mapped[str | None] = mapped_column(String(UUID_LENGTH), index=True)
    status: Mapped[str] = mapped_column(String(12), index=True)
    """waiting, approved, rejected or withdrawn."""
    proposed_by: Mapped[str] = mapped_column(String(32))
    proposed_at: Mapped[int] = mapped_column(BigInteger)
    decided_by: Mapped[str | None] = mapped_column(String(32))
    decided_at: Mapped[int | None] = mapped_column(BigInteger)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class Change(Base):
    """What was changed, when and by whom: the history, from which every change can be undone."""

    __tablename__ = "directory_change"

    n: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[int] = mapped_column(BigInteger)
    by: Mapped[str] = mapped_column(String(120))
    """An operator's id, or `import:` with a file's name."""
    approved_by: Mapped[str | None] = mapped_column(String(32))
    organization_id: Mapped[str | None] = mapped_column(String(UUID_LENGTH), index=True)
    service_id: Mapped[str | None] = mapped_column(String(UUID_LENGTH), index=True)
    undoes: Mapped[int | None] = mapped_column(Integer)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class Upload(Base):
    """A file that waits in the console to be imported. `sealed`: the file, and how it is to be read."""

    __tablename__ = "directory_upload"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    uploaded_by: Mapped[str] = mapped_column(String(32))
    uploaded_at: Mapped[int] = mapped_column(BigInteger, index=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class EditorOrganization(Base):
    """Which organisations an editor keeps."""

    __tablename__ = "editor_organization"

    operator_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    organization_id: Mapped[str] = mapped_column(String(UUID_LENGTH), primary_key=True)


class ReviewLink(Base):
    """A "still correct" link that was mailed, by the digest of its secret."""

    __tablename__ = "review_link"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    service_id: Mapped[str] = mapped_column(String(UUID_LENGTH), index=True)
    recipient: Mapped[str] = mapped_column(String(64))
    """The digest of the address that it went to."""
    sent_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger)
    used_at: Mapped[int | None] = mapped_column(BigInteger)


class Call(Base):
    """A number that somebody rang to verify it, and how that ended."""

    __tablename__ = "verification_call"

    n: Mapped[int] = mapped_column(Integer, primary_key=True)
    service_id: Mapped[str] = mapped_column(String(UUID_LENGTH), index=True)
    phone_id: Mapped[str | None] = mapped_column(String(UUID_LENGTH), index=True)
    at: Mapped[int] = mapped_column(BigInteger)
    by: Mapped[str] = mapped_column(String(32))
    """An operator's id, or "link": whoever followed a mailed link."""
    outcome: Mapped[str] = mapped_column(String(20))
    """One of calls.OUTCOMES, or "ringing": somebody has the number before her now."""


class EmergencyNumber(Base):
    """What to dial in danger. `how`: call, sms or silent_call (then press `code`); the lowest id is the main one."""

    __tablename__ = "emergency_number"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    country: Mapped[str] = mapped_column(String(2), index=True)
    number: Mapped[str] = mapped_column(String(30))
    how: Mapped[str] = mapped_column(String(20))
    reaches: Mapped[str] = mapped_column(String(60))
    """Comma-separated: any, police, ambulance, fire."""
    code: Mapped[str | None] = mapped_column(String(10))
    registration: Mapped[bool] = mapped_column(Boolean, default=False)
    source: Mapped[str] = mapped_column(String(500))
    checked: Mapped[Any] = mapped_column(Date, nullable=True)


class StarterLoad(Base):
    """Which starter data set was loaded last, by its digest, so that it is loaded once."""

    __tablename__ = "starter_load"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)


Index("ix_service_entry_country_kind", ServiceEntry.country, ServiceEntry.kind)

for _table in Base.metadata.tables.values():
    for _column in _table.columns:
        if _column.info.get("entity"):  # a phone has five parents that it may hang on, and hangs on one
            Index(
                f"ix_{_table.name}_{_column.name}",
                _column,
                sqlite_where=_column.is_not(None),
                postgresql_where=_column.is_not(None),
            )
