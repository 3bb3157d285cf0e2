"""bot/directory/phones: what to dial, what to show, and from where it works."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.directory.phones import read


@pytest.mark.parametrize(
    ("number", "country", "e164", "shown"),
    [
        ("0039 06 1234 5678", None, "+390612345678", "+39 06 1234 5678"),
        ("(+40) 21-313 5050", None, "+40213135050", "+40 21 313 5050"),
        ("tel:+39061234567", None, "+39061234567", "+39 06 123 4567"),
        ("00 44 (0)20 7946 0018", None, "+442079460018", "+44 20 7946 0018"),
        ("22 628 01 20", "PL", "+48226280120", "+48 22 628 01 20"),
        ("٠٢ ٢٧٩٤ ٠٠٢٧", "EG", "+20227940027", "+20 2 27940027"),
        ("＋39 06 1234 5678", "IT", "+390612345678", "+39 06 1234 5678"),
        ("+800 1234 5678", None, "+80012345678", "+800 1234 5678"),
        ("+84 981 84 84 84", None, "+84981848484", "+84 981 84 84 84"),
    ],
)
def test_what_works_from_everywhere_is_shown_so(number: str, country: str | None, e164: str, shown: str) -> None:
    found = read(number, country)
    assert (found.e164, found.display, found.domestic_only, found.dial) == (e164, shown, False, e164)


@pytest.mark.parametrize(
    ("number", "country"), [("527", "UA"), ("1109", "NL"), ("116 006", "IT"), ("112", "DE"), ("113", None)]
)
def test_short_codes_are_never_given_a_country_code(number: str, country: str | None) -> None:
    found = read(number, country)
    assert (found.e164, found.display, found.short, found.domestic_only) == (None, number, True, True)
    assert found.dial == number.replace(" ", "")


@pytest.mark.parametrize(("number", "country"), [("08000 121 700", "GB"), ("800 290 290", "IT"), ("0 800 77777", "MD")])
def test_freephone_numbers_are_shown_as_written_and_work_at_home_only(number: str, country: str) -> None:
    found = read(number, country)
    assert (found.display, found.domestic_only, found.valid) == (number, True, True)


@pytest.mark.parametrize("number", ["hello", "", "00", "+", "12345678901234567890"])
def test_what_is_no_number_is_shown_as_it_is_and_said_to_be_none(number: str) -> None:
    found = read(number, "IT")
    assert (found.valid, found.e164, found.display) == (False, None, number)


@given(st.text(max_size=40), st.sampled_from([None, "IT", "GB", "XX"]))
def test_no_text_breaks_it(number: str, country: str | None) -> None:
    found = read(number, country)
    assert set(found.dial) <= set("+0123456789*#")
    if found.e164:
        assert found.e164.startswith("+")
        assert read(found.e164).e164 == found.e164
