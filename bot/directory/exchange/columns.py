"""Which column of a spreadsheet is which field, and what its values mean, in six languages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from pathlib import Path

import yaml
from babel import Locale

from bot.directory.hours import DAYS
from bot.directory.vocabulary import taxonomies
from bot.text.normalise import normalise

FILE = Path(__file__).parent / "columns.yml"
LANGUAGES = ("en", "fr", "ro", "uk", "ar", "vi", "it", "es", "de")
CLOSE = 0.87
"""How alike a misspelt name must be to a known one; below that, people choose themselves."""

CLOSED = {"staff_phone": "staff", "staff_notes": "staff", "shelter_address": "confidential"}
"""Fields that never become public, and their tier."""

_YES = {"yes", "y", "true", "1", "x", "oui", "vrai", "da", "так", "نعم", "có", "co", "si", "sí", "ja"}
_NO = {"no", "n", "false", "0", "non", "faux", "nu", "ні", "لا", "không", "khong", "nein"}
_WOMEN = "women woman female females f w femmes femme femei жінки نساء donne mujeres frauen nu nữ"
_MEN = "men man male males m hommes homme bărbați чоловіки رجال uomini hombres männer nam"
_EVERYBODY = "all any everybody everyone both tous toți усі всі الكل tutti todos alle"
_DAY_NAMES = {
    "MO": "mo mon monday lu lun lundi luni пн понеділок الاثنين t2 montag lunedi lunes",
    "TU": "tu tue tues tuesday ma mar mardi marti вт вівторок الثلاثاء t3 dienstag martedi martes",
    "WE": "we wed wednesday me mer mercredi mi mie miercuri ср середа الاربعاء t4 mittwoch mercoledi miercoles",
    "TH": "th thu thur thurs thursday je jeu jeudi jo joi чт четвер الخميس t5 donnerstag giovedi jueves",
    "FR": "fr fri friday ve ven vendredi vi vin vineri пт пятниця الجمعه t6 freitag venerdi viernes",
    "SA": "sa sat saturday sam samedi sambata сб субота السبت t7 samstag sabato sabado",
    "SU": "su sun sunday di dim dimanche du dum duminica нд неділя الاحد cn sonntag domenica domingo",
}
_ALWAYS = re.compile(
    r"24\s*/\s*7|24\s*/\s*24|24\s*h(ours|eures|ore)?\b|around the clock|non ?stop|цілодобово|على مدار", re.I
)
_SPAN = re.compile(
    r"(\d{1,2})(?:[:.hH](\d{2})?)?\s*(am|pm)?\s*(?:-|–|—|to|bis|à|a|до)\s*(\d{1,2})(?:[:.hH](\d{2})?)?\s*(am|pm)?", re.I
)


_EVENING = "15:00"
"""From then on, hours may end after midnight."""


@dataclass(frozen=True)
class Match:
    """A column and the field that it is taken for, with how sure that is (0 to 1); no field: it is left out."""

    column: int
    header: str
    field: str | None
    certainty: float


@lru_cache(maxsize=1)
def fields() -> tuple[str, ...]:
    """Return the fields of a row of a spreadsheet."""
    return tuple(_file())


@lru_cache(maxsize=1)
def _file() -> dict[str, list[str]]:
    loaded: dict[str, list[str]] = yaml.safe_load(FILE.read_bytes())
    return loaded


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    return {
        normalise(str(name)): field for field, names in _file().items() for name in (field.replace("_", " "), *names)
    }


TRANSLATED = {"service": "name", "service_description": "description", "alert": "alert"}
"""Columns that a sheet may have once more for each language ("service.fr"), and the service's field."""
_IN_LANGUAGE = re.compile(r"(.+?)[\s._(\[-]+([A-Za-z]{2,3})[)\]]?\s*")


def translation(field: str) -> tuple[str, str] | None:
    """Return (field of the service, language) of a column like "service.fr"; None where it is none."""
    base, _, language = field.partition(".")
    return (TRANSLATED[base], language) if base in TRANSLATED and language in _languages().values() else None


def _in_language(header: str) -> str | None:
    """Return "service.fr" for a header like "Description (fr)" of what can be translated."""
    found = _IN_LANGUAGE.fullmatch(header.strip())
    field = _names().get(normalise(found[1])) if found else None
    code = found[2].lower() if found else ""
    if field not in TRANSLATED or code not in _languages().values():
        return None
    return field if code == "en" else f"{field}.{code}"


def known_header(name: str) -> bool:
    """Return whether this is what a column is called."""
    return normalise(name) in _names()


def match(headers: Mapping[int, str], own: Mapping[str, str] | None = None) -> list[Match]:
    """Match columns to fields, each field once, the surest first. `own`: header → field as was chosen ("": none)."""
    chosen = {normalise(header): field for header, field in (own or {}).items()}
    candidates: list[Match] = []
    for column, header in headers.items():
        key = normalise(header)
        if key in chosen:
            candidates.append(Match(column, header, chosen[key] or None, 2.0))
            continue
        exact = _names().get(key) or _in_language(header)
        if exact:
            candidates.append(Match(column, header, exact, 1.0))
            continue
        alike = max(
            ((SequenceMatcher(None, key, name).ratio(), field) for name, field in _names().items()), default=(0.0, "")
        )
        candidates.append(Match(column, header, alike[1] if alike[0] >= CLOSE else None, alike[0]))
    taken: set[str] = set()
    found = {}
    for each in sorted(candidates, key=lambda each: (-each.certainty, each.column)):
        field = each.field if each.field not in taken else None
        if field:
            taken.add(field)
        found[each.column] = Match(each.column, each.header, field, min(each.certainty, 1.0) if field else 0.0)
    return [found[column] for column in sorted(found)]


# what values mean; a name of a problem where they mean nothing


def yes_no(text: str) -> str | None:
    """Return "yes" or "no", None where it is neither."""
    key = text.strip().casefold()
    if key in _YES or normalise(text) in _YES:
        return "yes"
    return "no" if key in _NO or normalise(text) in _NO else None


@lru_cache(maxsize=1)
def _genders() -> dict[str, str]:
    named = (("women", _WOMEN), ("men", _MEN), ("", _EVERYBODY))
    return {normalise(word): code for code, words in named for word in words.split()}


def gender(text: str) -> str | None:
    """Return "women" or "men" for whom a service is alone, "" for everybody, None where it is neither."""
    if yes_no(text):  # a column called "women only"
        return "women" if yes_no(text) == "yes" else ""
    found = set()
    for word in re.split(r"[,;/+&]|\band\b|\bet\b", text.casefold().replace("only", "").replace("*", "")):
        key = normalise(word)
        if key:
            found.add(_genders().get(key))
    if None in found:
        return None
    return next(iter(found)) or "" if len(found) == 1 else ""


@lru_cache(maxsize=1)
def _countries() -> dict[str, str]:
    names = {}
    for language in reversed(LANGUAGES):
        for code, name in Locale.parse(language).territories.items():
            if len(code) == 2 and code.isalpha():
                names[normalise(name)] = code
                names[code.casefold()] = code
    return names | {"uk": "GB", "usa": "US", "england": "GB", "great britain": "GB", "czech republic": "CZ"}


@lru_cache(maxsize=10_000)
def country(text: str) -> str | None:
    """Return the ISO 3166 code of a country named in one of LANGUAGES, or by its code."""
    return _countries().get(normalise(text))


@lru_cache(maxsize=1)
def _languages() -> dict[str, str]:
    names = {}
    for language in reversed(LANGUAGES):
        for code, name in Locale.parse(language).languages.items():
            if 2 <= len(code) <= 3:
                names[normalise(name)] = code
                names[code] = code
    return names


@lru_cache(maxsize=10_000)
def languages(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the codes of the languages in a list, and what is none."""
    codes, unknown = [], []
    for part in filter(
        None, (each.strip() for each in re.split(r"[,;/|+\n،]| and | et | și | та | і | و | và | e ", text))
    ):
        code = _languages().get(normalise(part))
        if code:
            codes.append(code)
        else:
            unknown.append(part)
    return tuple(dict.fromkeys(codes)), tuple(unknown)


@lru_cache(maxsize=10)
def _terms(taxonomy: str) -> dict[str, str]:
    known = {normalise(code.replace("_", " ")): code for code in taxonomies()[taxonomy]["terms"]}
    return known | {key.removeprefix("need "): code for key, code in known.items()}


@lru_cache(maxsize=10_000)
def terms(taxonomy: str, text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the codes of a taxonomy's terms in a list (by code, or by a word of it), and what is none."""
    known = _terms(taxonomy)
    found, unknown = [], []
    for part in filter(None, (each.strip() for each in re.split(r"[,;/|\n،]", text))):
        code = known.get(normalise(part.replace("_", " ")))
        if code:
            found.append(code)
        else:
            unknown.append(part)
    return tuple(dict.fromkeys(found)), tuple(unknown)


@lru_cache(maxsize=1)
def _days() -> dict[str, str]:
    return {normalise(name): code for code, names in _DAY_NAMES.items() for name in names.split()}


@lru_cache(maxsize=10_000)
def hours(text: str) -> tuple[tuple[str, str, str], ...] | None:
    """Return (byday, opens, closes) for hours like "Mo-Fr 9-17; Sat 10-14" or "24/7"; None for what is not clear."""
    if _ALWAYS.fullmatch(text.strip(" .;,")):
        return ((",".join(DAYS), "00:00", "24:00"),)
    found = []
    for part in filter(None, (each.strip() for each in re.split(r"[;\n]|(?<=\d),(?=\s*[^\W\d])", text))):
        span = _SPAN.search(part)
        if span is None:
            return None
        which, named = _which(part[: span.start()])
        days = [f"{which}{day}" for day in _day_list(named)] if named.strip() or not which else []
        first, second = span[3], span[6] or span[3]
        if first is None and second and int(span[1]) < int(span[4]):
            first = second  # "1-5pm"
        opens, closes = _clock(span[1], span[2], first), _clock(span[4], span[5], second)
        if opens and closes and opens >= closes and opens < _EVENING:
            return None  # "9-5" is no night
        if not days or opens is None or closes is None or part[span.end() :].strip(" .h"):
            return None
        found.append((",".join(days), opens, closes))
    return tuple(found) or None


_ORDINAL = re.compile(
    r"\s*(?:(?:the\s+)?(1st|2nd|3rd|4th|first|second|third|fourth|last)\s+|([1-4])\.\s*)(?:of the month)?", re.I
)
_ORDINALS = {"first": "1", "second": "2", "third": "3", "fourth": "4", "last": "-1"}
_NAMED = {"1": "1st", "2": "2nd", "3": "3rd", "4": "4th", "-1": "last"}


def _which(text: str) -> tuple[str, str]:
    """Return which one in the month ("1", "-1": the last; "": every one), and the rest, of "1st Mo"."""
    found = _ORDINAL.match(text)
    if found is None:
        return "", text
    word = (found[1] or found[2]).lower()
    return _ORDINALS.get(word, word[0]), text[found.end() :]


def frequency(byday: str) -> str:
    """Return the HSDS `freq` of hours that were read: MONTHLY where the days are "1MO" or "-1FR"."""
    return "MONTHLY" if re.search(r"\d", byday) else "WEEKLY"


def days_in_words(byday: str) -> str:
    """Return the days of a rule as `hours` reads them: "MO,TU", "1st MO"."""
    found = [re.fullmatch(r"([+-]?\d)?([A-Z]{2})", day.strip()) for day in byday.split(",")]
    which = {(each[1] or "").lstrip("+") for each in found if each}
    if len(which) != 1 or not all(found):
        return byday
    (number,) = which
    days = ",".join(each[2] for each in found if each)
    return f"{_NAMED.get(number, number)} {days}" if number else days


def _day_list(text: str) -> Sequence[str]:
    words = [word for word in re.split(r"[\s,:.]+", text) if word]
    if not words or normalise(text) in (
        "daily",
        "every day",
        "zilnic",
        "tous les jours",
        "щодня",
        "يوميا",
        "hang ngay",
    ):
        return DAYS
    names = re.split(
        r"\s*[,&+/]\s*|\s+", re.sub(r"\s*(?:-|–|—|\bto\b|\bau\b|\bà\b|\bdo\b|\bдо\b)\s*", "-", text.strip(" :.,"))
    )
    found: list[str] = []
    for name in filter(None, names):
        first, _, last = name.partition("-")
        start, end = _days().get(normalise(first)), _days().get(normalise(last or first))
        if start is None or end is None:
            return ()
        place, stop = DAYS.index(start), DAYS.index(end)
        found += [DAYS[number % 7] for number in range(place, stop + 1 if stop >= place else stop + 8)]
    return list(dict.fromkeys(found))


def _clock(hour: str, minute: str | None, half: str | None) -> str | None:
    number = int(hour)
    if half and half.lower() == "pm" and number < 12:
        number += 12
    if half and half.lower() == "am" and number == 12:
        number = 0
    if number > 24 or int(minute or 0) > 59:
        return None
    return f"{number:02}:{int(minute or 0):02}"
