"""The referral directory's tables, named after HSDS 3 (Human Services Data Specification, openreferral.org).

Beyond HSDS: `emergency_number`, and on each row where it was found (`source`), when that page was last read
(`checked`) and, through HSDS's own `assured_date`, when somebody last confirmed it by calling.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import Boolean, Date, Float, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bot.store.database import Base


def _reference(table: str) -> Mapped[str]:
    return mapped_column(String(100), ForeignKey(f"{table}.id", ondelete="CASCADE"), index=True)


class Organization(Base):
    """Who provides services."""

    __tablename__ = "organization"

    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    name: Mapped[str] = mapped_column(String(300))
    description: Mapped[str | None] = mapped_column(String(4000))
    website: Mapped[str | None] = mapped_column(String(500))
    services: Mapped[list[Service]] = relationship(back_populates="organization", cascade="all, delete-orphan")


class Service(Base):
    """What an organisation does for people."""

    __tablename__ = "service"

    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    organization_id: Mapped[str] = _reference("organization")
    name: Mapped[str] = mapped_column(String(300))
    description: Mapped[str | None] = mapped_column(String(4000))
    url: Mapped[str | None] = mapped_column(String(500))
    chat_url: Mapped[str | None] = mapped_column(String(500))
    """Beyond HSDS: a page where one can write to them."""
    status: Mapped[str] = mapped_column(String(20), default="active")
    kind: Mapped[str] = mapped_column(String(30))
    """trafficking, child, crisis, violence, victims_of_crime, migration, labour or consular."""
    free: Mapped[bool | None] = mapped_column(Boolean)
    """None where it is not known."""
    source: Mapped[str] = mapped_column(String(500))
    checked: Mapped[date | None] = mapped_column(Date)
    """When `source` was last read; None: only its address is known."""
    assured_date: Mapped[date | None] = mapped_column(Date)
    """When somebody last confirmed the entry by calling; None: nobody has."""

    organization: Mapped[Organization] = relationship(back_populates="services")
    phones: Mapped[list[Phone]] = relationship(cascade="all, delete-orphan", order_by="Phone.id")
    schedules: Mapped[list[Schedule]] = relationship(cascade="all, delete-orphan")
    languages: Mapped[list[Language]] = relationship(cascade="all, delete-orphan", order_by="Language.code")
    service_areas: Mapped[list[ServiceArea]] = relationship(cascade="all, delete-orphan")
    attributes: Mapped[list[Attribute]] = relationship(cascade="all, delete-orphan", order_by="Attribute.id")


class Location(Base):
    """Where services are given. Only public places: a shelter's address is never entered here."""

    __tablename__ = "location"

    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    organization_id: Mapped[str] = _reference("organization")
    name: Mapped[str | None] = mapped_column(String(300))
    city: Mapped[str | None] = mapped_column(String(200))
    country: Mapped[str | None] = mapped_column(String(2), index=True)
    latitude: Mapped[float | None] = mapped_column(Float)
    longitude: Mapped[float | None] = mapped_column(Float)


class ServiceAtLocation(Base):
    """That a service is given at a location."""

    __tablename__ = "service_at_location"

    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    service_id: Mapped[str] = _reference("service")
    location_id: Mapped[str] = _reference("location")


class Phone(Base):
    """A number, as people write it; `domestic_only` where it does not work from abroad (short codes, freephones)."""

    __tablename__ = "phone"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    service_id: Mapped[str] = _reference("service")
    number: Mapped[str] = mapped_column(String(60))
    type: Mapped[str] = mapped_column(String(20), default="voice")
    domestic_only: Mapped[bool] = mapped_column(Boolean, default=False)


class Schedule(Base):
    """Weekly hours: `byday` as in RRULE (MO,TU,…), local times HH:MM in `timezone` (IANA)."""

    __tablename__ = "schedule"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    service_id: Mapped[str] = _reference("service")
    freq: Mapped[str] = mapped_column(String(10), default="WEEKLY")
    byday: Mapped[str] = mapped_column(String(30))
    opens_at: Mapped[str] = mapped_column(String(5))
    closes_at: Mapped[str] = mapped_column(String(5))
    """"24:00" is the end of the day."""
    timezone: Mapped[str] = mapped_column(String(60))


class Language(Base):
    """A language that a service speaks: ISO 639 code."""

    __tablename__ = "language"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    service_id: Mapped[str] = _reference("service")
    code: Mapped[str] = mapped_column(String(10))


class ServiceArea(Base):
    """Where people must be for a service: a country's ISO 3166 code, or None for everywhere."""

    __tablename__ = "service_area"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    service_id: Mapped[str] = _reference("service")
    extent: Mapped[str | None] = mapped_column(String(2), index=True)
    name: Mapped[str | None] = mapped_column(String(200))
    """A part of the country, where the service is not for all of it."""


class Attribute(Base):
    """A taxonomy term of a service; taxonomy `need` has the names of the intents under "What they need"."""

    __tablename__ = "attribute"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    service_id: Mapped[str] = _reference("service")
    taxonomy: Mapped[str] = mapped_column(String(30))
    term: Mapped[str] = mapped_column(String(60))


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
    checked: Mapped[date | None] = mapped_column(Date)


class StarterLoad(Base):
    """Which starter data set was loaded last, by its digest, so that it is loaded once."""

    __tablename__ = "starter_load"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    organizations: Mapped[str | None] = mapped_column(Text)
    """The ids of its organisations, a line each: those that a later set lacks are taken out."""
