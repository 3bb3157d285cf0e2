"""bot/directory/form and editing: what editors may, four eyes, nobody's change lost, nothing lost that the form hides."""

from __future__ import annotations

import copy
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from bot.directory.ages import Ages
from bot.directory.changes import Conflicts
from bot.directory.editing import APPROVED, REJECTED, WAITING, WITHDRAWN, Editing, NotAllowed, preview
from bot.directory.form import from_form, to_form
from bot.directory.search import Directory, Wanted
from bot.staff.accounts import Operator, Role
from bot.staff.audit import Audit
from tests.unit.directory.rows import ORGANIZATION, SERVICE, VAULT, add_service, enter, key, small

LANGUAGES = ("fr", "ar")


def somebody(name: str, role: Role = Role.EDITOR) -> Operator:
    return Operator(name.encode().hex().ljust(16, "0"), name, name, role, "main", "en", 5, None, True, 1, 1, False)


ANA, BEN, EVE = somebody("ana"), somebody("ben"), somebody("eve")
SUE, OTTO, ADA = somebody("sue", Role.SUPERVISOR), somebody("otto", Role.OPERATOR), somebody("ada", Role.ADMINISTRATOR)


@pytest.fixture
def editing(engine: Engine) -> Editing:
    enter(engine, small())
    editing = Editing(engine, VAULT, Audit(engine, VAULT), Ages())
    for editor in (ANA, BEN):
        editing.assign(editor.id, [ORGANIZATION], ADA.id)
    return editing


def changed(editing: Editing, who: Operator, **fields: str) -> str | None:
    before = editing.load(who, SERVICE)
    form = to_form(before, SERVICE, LANGUAGES) | {name.replace("__", "."): value for name, value in fields.items()}
    after, wrong = from_form(before, SERVICE, form, LANGUAGES, "test")
    assert wrong == {}
    return editing.propose(who, SERVICE, before, after, "a note")


def name_of(editing: Editing) -> str:
    (service,) = Directory(editing.engine).services(Wanted("IT"))
    return service.name


def test_a_change_waits_for_a_second_person_and_then_counts(editing: Editing) -> None:
    proposal = changed(editing, ANA, name="Casa")
    assert proposal
    assert name_of(editing) == "service"
    with pytest.raises(NotAllowed):
        editing.approve(ANA, proposal)
    assert [each.id for each in editing.proposals(BEN)] == [proposal]
    shown = editing.proposal(BEN, proposal)
    assert (shown.by, shown.note, shown.status, shown.edits[0].fields) == (ANA.id, "a note", WAITING, ["name"])
    editing.approve(BEN, proposal)
    assert name_of(editing) == "Casa"
    (change, *_) = editing.history(ANA, SERVICE)
    assert (change.by, change.approved_by) == (ANA.id, BEN.id)
    assert editing.proposal(ANA, proposal).status == APPROVED
    with pytest.raises(NotAllowed):
        editing.approve(BEN, proposal)


def test_a_tiny_ngo_may_do_without_a_second_person(editing: Editing) -> None:
    editing.four_eyes = False
    changed(editing, ANA, name="Casa")
    assert name_of(editing) == "Casa"


def test_turned_down_and_withdrawn_nothing_changes(editing: Editing) -> None:
    first, second = changed(editing, ANA, name="Casa"), changed(editing, ANA, name="Haus")
    assert first
    assert second
    editing.reject(BEN, first, "wrong")
    editing.reject(ANA, second, "")
    assert (editing.proposal(ANA, first).status, editing.proposal(ANA, first).reason) == (REJECTED, "wrong")
    assert editing.proposal(ANA, second).status == WITHDRAWN
    assert name_of(editing) == "service"


def test_two_editors_at_once_lose_nothing(editing: Editing) -> None:
    before = editing.load(ANA, SERVICE)
    forms = [to_form(before, SERVICE, ()) | {"name": "Casa"}, to_form(before, SERVICE, ()) | {"alert": "Moved"}]
    keys = []
    for who, form in zip((ANA, BEN), forms, strict=True):
        after, _ = from_form(before, SERVICE, form, (), "x")
        keys.append(str(editing.propose(who, SERVICE, before, after)))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda key: editing.approve(SUE, key), keys))
    row = editing.load(ANA, SERVICE)["service"][SERVICE]
    assert (row["name"], row["alert"]) == ("Casa", "Moved")


def test_the_same_field_changed_twice_is_shown_as_a_conflict_and_not_overwritten(editing: Editing) -> None:
    first, second = changed(editing, ANA, name="Casa"), changed(editing, BEN, name="Haus")
    assert first
    assert second
    editing.approve(SUE, first)
    (conflict,) = editing.proposal(ANA, second).conflicts
    assert (conflict.field, conflict.current) == ("name", "Casa")
    with pytest.raises(Conflicts):
        editing.approve(SUE, second)
    assert editing.proposal(ANA, second).status == WAITING
    assert name_of(editing) == "Casa"


def test_one_approval_of_two_at_the_same_moment(editing: Editing) -> None:
    proposal = str(changed(editing, ANA, name="Casa"))

    def approve(who: Operator) -> bool:
        try:
            editing.approve(who, proposal)
        except NotAllowed:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(approve, (BEN, SUE))) == [False, True]
    assert len(editing.history(ANA, SERVICE)) == 2


def test_an_undo_is_a_proposal_like_any_other(editing: Editing) -> None:
    editing.approve(BEN, str(changed(editing, ANA, name="Casa", alert="Moved")))
    number = editing.history(ANA, SERVICE)[0].n
    proposal = editing.undo(BEN, SERVICE, number)
    assert name_of(editing) == "Casa"
    editing.approve(ANA, proposal)
    assert name_of(editing) == "service"
    assert "alert" not in editing.load(ANA, SERVICE)["service"][SERVICE]


@pytest.mark.parametrize("who", [EVE, OTTO, ADA])
def test_others_find_nothing_there(editing: Editing, who: Operator) -> None:
    proposal = str(changed(editing, ANA, name="Casa"))
    bundle = editing.load(ANA, SERVICE)
    assert editing.entries(who)[0] == []
    assert editing.proposals(who) == []
    for attempt in (
        lambda: editing.load(who, SERVICE),
        lambda: editing.proposal(who, proposal),
        lambda: editing.approve(who, proposal),
        lambda: editing.reject(who, proposal, ""),
        lambda: editing.history(who, SERVICE),
        lambda: editing.new_service(who, ORGANIZATION, "x"),
        lambda: editing.undo(who, SERVICE, 1),
    ):
        with pytest.raises(NotAllowed):
            attempt()
    after = copy.deepcopy(bundle)
    after.add("service", after["service"][SERVICE] | {"name": "theirs"})
    with pytest.raises(NotAllowed):
        editing.propose(who, SERVICE, bundle, after)
    assert name_of(editing) == "service"


def test_a_confidential_address_is_seen_by_its_editors_and_in_no_preview_nor_table(
    editing: Editing, tmp_path: Path
) -> None:
    fields = {"address_1_address_1": "CANARYSTREET 7", "address_1_city": "Roma", "address_1_tier": "confidential"}
    editing.approve(BEN, str(changed(editing, ANA, **fields)))
    bundle = editing.load(ANA, SERVICE)
    (hidden,) = [row for row in bundle["address"].values() if "CANARY" in row["address_1"]]
    assert bundle.tier(hidden["id"]) == "confidential"
    assert "CANARYSTREET" not in repr(preview(bundle, SERVICE))
    assert "Via Roma" in repr(preview(bundle, SERVICE))
    with editing.engine.connect() as connection:
        for table in ("address", "directory_proposal", "directory_change", "restricted_record", "audit"):
            assert "CANARYSTREET" not in repr(connection.execute(text(f"SELECT * FROM {table}")).all())
    if editing.engine.dialect.name == "sqlite":
        assert b"CANARYSTREET" not in b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())


def test_a_new_service_is_proposed_and_found_when_it_is_approved(editing: Editing) -> None:
    bundle, service = editing.new_service(ANA, ORGANIZATION, "Linea")
    before = copy.deepcopy(bundle)
    before.remove("service", service)
    form = to_form(bundle, service, ()) | {"countries": "Italia", "kind": "labour", "phone_0_number": "800 290 290"}
    after, wrong = from_form(bundle, service, form, (), "x")
    assert wrong == {}
    editing.approve(BEN, str(editing.propose(ANA, service, before, after)))
    found, count = Directory(editing.engine).find(words="linea")
    assert (count, found[0].kind, [phone.number for phone in found[0].phones]) == (1, "labour", ["800 290 290"])
    assert len(editing.entries(ANA)[0]) == 2
    assert [each.name for each in editing.entries(ANA, "lin")[0]] == ["Linea"]


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("name", "", "required"), ("url", "not an address", "not_uri"), ("email", "nobody", "not_email"),
        ("minimum_age", "young", "not_number"), ("assured_date", "yesterday", "not_date"), ("status", "gone", "not_listed"),
        ("languages", "Xyzzy", "unknown_language"), ("countries", "Atlantis", "unknown_country"), ("countries", "", "no_country"),
        ("hours", "whenever", "unknown_hours"), ("phone_0_number", "call me", "unknown_phone"),
        ("fact_anonymous", "maybe", "unknown_yes_no"), ("fact_timezone", "Mars/Base", "not_listed"), ("kind", "x", "not_listed"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_beside_its_field(editing: Editing, field: str, value: str, problem: str) -> None:
    bundle = editing.load(ANA, SERVICE)
    form = to_form(bundle, SERVICE, LANGUAGES) | {field: value}
    assert from_form(bundle, SERVICE, form, LANGUAGES, "x")[1].get(field) == problem


def test_saving_without_a_change_proposes_nothing(editing: Editing) -> None:
    assert changed(editing, ANA) is None


def test_what_the_form_does_not_show_survives(editing: Editing) -> None:
    with editing.engine.begin() as connection:
        connection.execute(
            text(f"UPDATE service SET accreditations = 'kept', wait_time = 'kept' WHERE id = '{SERVICE}'")
        )
    editing.approve(
        BEN, str(changed(editing, ANA, name="Casa", name__fr="Maison", fact_anonymous="yes", need_need_legal="yes"))
    )
    bundle = editing.load(ANA, SERVICE)
    assert bundle["service"][SERVICE]["accreditations"] == "kept"
    shown = preview(bundle, SERVICE)
    assert (shown.text("name", "fr"), shown.facts["anonymous"], "need_legal" in shown.needs) == ("Maison", "yes", True)
    assert shown.facts["source"] == "https://example.org"


words = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=12)


@settings(deadline=None, max_examples=60)
@given(
    st.dictionaries(
        st.sampled_from([*sorted(to_form(small(), SERVICE, LANGUAGES)), "phone_5_number", "address_9_city"]), words
    )
)
def test_no_form_breaks_it_and_a_second_save_of_the_same_changes_nothing(fields: dict[str, str]) -> None:
    bundle = small()
    form = to_form(bundle, SERVICE, LANGUAGES) | fields
    after, wrong = from_form(bundle, SERVICE, form, LANGUAGES, "x")
    if not wrong:
        again, still = from_form(after, SERVICE, to_form(after, SERVICE, LANGUAGES), LANGUAGES, "y")
        assert still == {}
        assert again.rows == after.rows
        assert again.translations == after.translations


def test_two_services_of_other_organisations_stay_apart(editing: Editing) -> None:
    other = small()
    add_service(other, "second")
    assert key("second") not in {each.id for each in editing.entries(ANA)[0]}
