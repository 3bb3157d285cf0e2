"""The texts: English source from the domain files, translations through gettext.

Never silent: a missing translation is said in English after the language's own notice, a missing response
becomes a safe default.
"""

from __future__ import annotations

import gettext
import io
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from babel import Locale
from babel.messages import mofile, pofile

from bot.text.pseudo import accented

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
SOURCE_LANGUAGE = "en"
DEFAULT_RESPONSE = "utter_default"
ISOLATE, END_ISOLATE = "\u2066", "\u2069"
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Button:
    """A choice below a message. `payload` is `/intent…` for the engine or `!command…` for the gateway."""

    title: str
    payload: str


@dataclass(frozen=True)
class Said:
    """A rendered response."""

    text: str
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True)
class Language:
    """A supported language: its BCP 47 code, its own name, and whether a native speaker has reviewed it."""

    code: str
    name: str
    reviewed: bool

    @cached_property
    def direction(self) -> str:
        return "rtl" if Locale.parse(self.code).character_order == "right-to-left" else "ltr"


def isolate(text: str) -> str:
    """Wrap `text` (a phone number, an address) so that it stays readable inside right-to-left text."""
    return f"{ISOLATE}{text}{END_ISOLATE}"


def fill(text: str, values: Mapping[str, str]) -> str:
    """Replace `{name}` by its value; names without a value stay, for somebody who knows them."""
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), text)


def load_languages(locales: Path) -> dict[str, Language]:
    rows = tomllib.loads((locales / "languages.toml").read_text(encoding="utf-8"))
    return {code: Language(code, row["name"], row["reviewed"]) for code, row in rows.items()}


def load_responses(*folders: Path) -> dict[str, list[dict[str, Any]]]:
    """Return every response's variations. Two files must not define the same one."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    responses: dict[str, list[dict[str, Any]]] = {}
    for file in [file for folder in folders for file in sorted(folder.glob("*.yml"))]:
        for name, variations in (yaml.load(file.read_bytes(), Loader=loader).get("responses") or {}).items():  # noqa: S506
            if name in responses:
                raise ValueError(f"{file}: {name} is defined in another file already")
            responses[name] = variations
    return responses


class _Untranslated(gettext.NullTranslations):
    """Tells what has no translation from what is the same in both languages ("Menu")."""

    def gettext(self, message: str) -> str:
        return ""


def load_translations(po: Path) -> gettext.NullTranslations:
    """Read a PO file as gettext translations; what is marked fuzzy is left out."""
    with po.open("rb") as file:
        catalog = pofile.read_po(file)
    compiled = io.BytesIO()
    mofile.write_mo(compiled, catalog)
    compiled.seek(0)
    translations = gettext.GNUTranslations(compiled)
    translations.add_fallback(_Untranslated())
    return translations


class Catalogue:
    """All responses in all languages."""

    def __init__(self, root: Path = ROOT, pseudo: bool = False) -> None:
        """`pseudo`: say English in the pseudo-locale (pseudo.py)."""
        self.pseudo = pseudo
        locales = root / "locales"
        self.languages = load_languages(locales)
        self.responses = load_responses(root / "stories" / "domain", root / "stories" / "gateway")
        self._locales = locales
        self._read: dict[str, gettext.NullTranslations] = {}

    def _translations(self, language: str) -> gettext.NullTranslations | None:
        """Return a language's translations, read when they are first asked for; None for the source's own."""
        if language == SOURCE_LANGUAGE or language not in self.languages:
            return None
        if language not in self._read:
            self._read[language] = load_translations(self._locales / language / "LC_MESSAGES" / "messages.po")
        return self._read[language]

    def warm(self) -> None:
        """Read all translations ahead."""
        for language in self.languages:
            self._translations(language)

    def __contains__(self, response: str) -> bool:
        return response in self.responses

    def translate(self, message: str, language: str) -> tuple[str, bool]:
        """Return `message` in `language` and whether a translation was found."""
        translations = self._translations(language)
        if translations is None or message == "":
            return accented(message) if self.pseudo and language == SOURCE_LANGUAGE else message, True
        translated = translations.gettext(message)
        return translated or message, translated != ""

    def say(self, response: str, language: str, variation: int = 0, *, notice: bool = True, **values: str) -> Said:
        """Return `response` in `language`; `variation` counts up, so that a repeated answer can differ.

        Without `notice` a missing translation is not pointed out (where that would reveal what this is).
        """
        variations = self.responses.get(response) or self.responses[DEFAULT_RESPONSE]
        chosen = variations[variation % len(variations)]
        text, translated = self.translate(chosen.get("text", ""), language)
        if notice and not translated:
            words, _ = self.translate(self.responses["utter_not_translated"][0]["text"], language)
            text = f"{words}\n{text}"
        buttons = tuple(
            Button(self.translate(button["title"], language)[0], button["payload"])
            for button in chosen.get("buttons") or ()
        )
        return Said(fill(text, values), buttons)

    def text(self, response: str, language: str, **values: str) -> str:
        """Return the text of a response that has one variation and no buttons: a label, a line of a card."""
        message = self.responses[response][0]["text"]
        return fill(self.translate(message, language)[0], values)

    def payloads(self) -> set[str]:
        """Return the payloads of all buttons in all responses."""
        return {
            button["payload"]
            for variations in self.responses.values()
            for variation in variations
            for button in variation.get("buttons") or ()
        }
