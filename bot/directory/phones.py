"""Telephone numbers: how to dial them, how to show them, and from where they work."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

SHORT_DIGITS = 6
"""Numbers of at most so many digits (112, 527, 116 006) are short codes: dialled as they are, in their country."""


@dataclass(frozen=True)
class PhoneNumber:
    """A number that was read. `e164` is what works from everywhere, where there is such a form."""

    e164: str | None
    display: str
    domestic_only: bool
    """It does not work from abroad, as far as the number tells: short codes and freephone numbers."""
    short: bool
    valid: bool

    @property
    def dial(self) -> str:
        """Return what a telephone is given."""
        return self.e164 or re.sub(r"[^\d*#+]", "", _ascii(self.display))


@lru_cache(maxsize=8192)
def read(number: str, country: str | None = None) -> PhoneNumber:
    """Read a number as people write it; `country` (ISO 3166) is where it stands without an international prefix.

    A number that no country has is shown as it was written, with `valid` False.
    """
    import phonenumbers
    from phonenumbers import PhoneNumberFormat, PhoneNumberType

    text = _ascii(number).strip().removeprefix("tel:").strip()
    text = re.sub(r"^\+?\s*\(?\s*\+", "+", text).replace("(0)", " ")
    digits = re.sub(r"\D", "", text)
    if digits and len(digits) <= SHORT_DIGITS and not text.startswith(("+", "00")):
        return PhoneNumber(None, " ".join(text.split()), True, True, True)
    try:
        parsed = phonenumbers.parse(re.sub(r"^00", "+", text) if text.startswith("00") else text, country)
    except phonenumbers.NumberParseException:
        return PhoneNumber(None, number.strip(), False, False, False)
    shown = " ".join(text.split())
    if not phonenumbers.is_valid_number(parsed):
        # National freephone and shared-cost numbers are missing from the plans of some countries: shown as written.
        return PhoneNumber(None, shown or number.strip(), not text.startswith(("+", "00")), False, False)
    kind = phonenumbers.number_type(parsed)
    free = kind in (PhoneNumberType.TOLL_FREE, PhoneNumberType.SHARED_COST, PhoneNumberType.UAN)
    e164 = phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
    universal = parsed.country_code in (800, 808, 870, 878, 881, 882, 883)
    if free and not universal and not text.startswith(("+", "00")):
        return PhoneNumber(e164, shown, True, False, True)
    if not re.fullmatch(r"\+\d+(?:[ -]\d+)+", shown):  # its own grouping is how an organisation's poster says it
        shown = phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL)
    return PhoneNumber(e164, shown, free and not universal, False, True)


def _ascii(text: str) -> str:
    """Return `text` with the digits of every script as 0 to 9, and without what is not seen."""
    letters = []
    for letter in text:
        category = unicodedata.category(letter)
        if category == "Nd":
            letters.append(str(unicodedata.digit(letter)))
        elif category == "Zs":
            letters.append(" ")
        elif category == "Pd":
            letters.append("-")
        elif letter == "＋":
            letters.append("+")
        elif category not in ("Cf", "Cc"):
            letters.append(letter)
    return "".join(letters)
