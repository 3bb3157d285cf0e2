"""A place that two organisations use: neither changes or closes it for the other; what was closed leaves no trace."""

from __future__ import annotations

import copy
import time

import pytest
from sqlalchemy import Engine, func, select, update

from bot.directory.ages import Ages
from bot.directory.changes import apply, edits_between
from bot.directory.editing import Editing, NotAllowed
from bot.directory.form import from_form, merged, to_form
from bot.directory.models import Address, Location, Phone, RestrictedRecord
from bot.directory.read import referral
from bot.directory.records import Bundle
from bot.staff.audit import Audit
from tests.unit.directory.rows import ORGANIZATION, SERVICE, SOMEBODY, VAULT, enter, key, small
from tests.unit.directory.test_editing import ADA, ANA, BEN, SUE

OTHER, THEIRS = key("other"), key("theirs")


@pytest.fixture
def editing(engine: Engine) -> Editing:
    bundle = small()
    bundle.add("organization", {"id": OTHER, "name": "Vicini", "description": "Neighbours"})
    bundle.add("service", {"id": THEIRS, "organization_id": OTHER, "name": "theirs", "status": "active"})
    bundle.add("service_at_location", {"id": key("at2"), "service_id": THEIRS, "location_id": key("location")})
    enter(engine, bundle)
    editing = Editing(engine, VAULT, Audit(engine, VAULT), Ages(), four_eyes=False)
    editing.assign(ANA.id, [ORGANIZATION], ADA.id)
    editing.assign(BEN.id, [OTHER], ADA.id)
    return editing


def save(editing: Editing, service: str, who: object = ANA, **fields: str) -> None:
    before = editing.load(who, service)  # type: ignore[arg-type]
    form = to_form(before, service, ()) | fields
    after, wrong = from_form(before, service, form, (), "test", editing.others(who, before))  # type: ignore[arg-type]
    assert wrong == {}
    editing.propose(who, service, before, after)  # type: ignore[arg-type]


def address_of(editing: Editing, service: str) -> str | None:
    return referral(editing.load(SUE, service), service).address


ADDRESS = f"address_{key('address')}"


def test_an_editor_moves_her_own_service_and_not_the_neighbours(editing: Editing) -> None:
    save(editing, SERVICE, **{f"{ADDRESS}_address_1": "Via Nuova 2"})
    assert address_of(editing, SERVICE) == "Via Nuova 2, 00100, Roma"
    assert address_of(editing, THEIRS) == "Via Roma 1, 00100, Roma"


def test_an_editor_closes_the_place_for_her_own_service_only(editing: Editing) -> None:
    save(editing, SERVICE, **{f"{ADDRESS}_tier": "confidential"})
    with editing.engine.connect() as connection:
        from bot.directory.read import referrals

        shown = {each.id: each.address for each in referrals(connection, [SERVICE, THEIRS])}
    assert shown == {SERVICE: None, THEIRS: "Via Roma 1, 00100, Roma"}


def test_an_editor_leaves_the_place_without_taking_it_from_the_neighbour(editing: Editing) -> None:
    save(editing, SERVICE, **{f"{ADDRESS}_{name}": "" for name in ("address_1", "city")})
    assert address_of(editing, SERVICE) is None
    assert address_of(editing, THEIRS)


def test_what_is_another_organisations_too_is_refused_even_without_the_form(editing: Editing) -> None:
    before = editing.load(ANA, SERVICE)
    after = copy.deepcopy(before)
    after.add("address", after["address"][key("address")] | {"city": "Milano"})
    with pytest.raises(NotAllowed):
        editing.propose(ANA, SERVICE, before, after)
    editing.propose(SUE, SERVICE, before, after)
    assert address_of(editing, THEIRS) == "Via Roma 1, 00100, Milano"


def test_nobody_sees_what_another_organisation_sealed(editing: Editing) -> None:
    save(editing, THEIRS, BEN, countries="IT", phone_new0_number="+39 06 111 2222", phone_new0_tier="staff")
    with editing.engine.begin() as connection:  # as if a row of theirs had been put down for this service
        connection.execute(update(RestrictedRecord).values(service_id=SERVICE))
    assert editing.load(ANA, SERVICE).tiers == {}


def test_a_place_with_an_archived_address_can_be_closed_and_leaves_none_behind(editing: Editing) -> None:
    with editing.engine.begin() as connection:
        old = {"id": key("old"), "location_id": key("location"), "address_1": "Via Vecchia 3", "country": "IT"}
        added = Bundle()
        added.add("address", old | {"city": "Roma", "state_province": "", "postal_code": "", "address_type": "postal"})
        apply(connection, VAULT, edits_between(Bundle(), added), SOMEBODY)
        connection.execute(update(Address).where(Address.id == key("old")).values(archived_at=int(time.time())))
    save(editing, SERVICE, SUE, **{f"{ADDRESS}_tier": "confidential"})
    with editing.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(Address)) == 0
        assert connection.scalar(select(func.count()).select_from(Location)) == 0


def test_a_number_that_is_opened_again_opens_with_what_is_known_of_it(editing: Editing) -> None:
    number = f"phone_{key('service', 'phone')}"
    save(editing, SERVICE, **{f"{number}_abroad": "no"})
    save(editing, SERVICE, **{f"{number}_tier": "staff"})
    with editing.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(Phone)) == 0
    save(editing, SERVICE, **{f"{number}_tier": "public"})
    bundle = editing.load(ANA, SERVICE)
    assert bundle.tiers == {}
    assert [phone.domestic for phone in referral(bundle, SERVICE).phones] == [True]


def test_a_form_of_one_field_changes_one_thing(editing: Editing) -> None:
    before = editing.load(ANA, SERVICE)
    after, wrong = from_form(before, SERVICE, {"fact_full_until": "2026-12-31"}, (), "test")
    (edit,) = edits_between(before, after)
    assert wrong == {}
    assert (edit.entity, (edit.after or {})["value"]) == ("attribute", "2026-12-31")


def test_how_browsers_send_line_breaks_is_no_change() -> None:
    seen = {"description": "one\ntwo", "alert": "one\ntwo", "name": "x"}
    posted = {"description": "one\r\ntwo", "alert": "onetwo", "name": "y"}
    assert merged(seen, seen, posted) == (seen | {"name": "y"}, [])


def test_what_no_database_keeps_is_left_out_of_a_form(editing: Editing) -> None:
    save(editing, SERVICE, description="a\0b", fact_gender="women")
    service = referral(editing.load(ANA, SERVICE), SERVICE)
    assert (service.description, service.facts["gender"]) == ("ab", "women")
    before = editing.load(ANA, SERVICE)
    assert from_form(before, SERVICE, {"fact_gender": "people of all genders"}, (), "test")[1] == {
        "fact_gender": "not_listed"
    }


def test_an_extension_is_told_with_the_number(editing: Editing) -> None:
    save(editing, SERVICE, **{f"phone_{key('service', 'phone')}_extension": "12"})
    (phone,) = referral(editing.load(ANA, SERVICE), SERVICE).phones
    assert (phone.read.display, phone.read.e164) == ("+39 06 1234 5678 ext. 12", "+390612345678")


def test_names_are_found_by_small_letters_in_any_script(editing: Editing) -> None:
    save(editing, SERVICE, name="Карітас")
    assert [each.name for each in editing.entries(ANA, "карітас")[0]] == ["Карітас"]


def test_long_lists_have_pages(editing: Editing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.directory.editing.MOST_LISTED", 1)
    first, more = editing.entries(SUE)
    second, rest = editing.entries(SUE, page=1)
    assert (len(first), more, len(second), rest) == (1, True, 1, False)
    assert first != second
