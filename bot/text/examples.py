"""The training examples, read by language: `nlu/<lang>/<topic>.yml`."""

from __future__ import annotations

from pathlib import Path

import yaml

from bot.text.catalogue import ROOT, load_languages


def examples(language: str, root: Path = ROOT) -> list[tuple[str, str]]:
    """Return (text, intent) of a language's training examples, in the order of the files."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found = []
    for file in sorted((root / "nlu" / language).glob("*.yml")):
        for item in yaml.load(file.read_bytes(), Loader=loader)["nlu"]:  # noqa: S506
            lines = (line.strip() for line in item["examples"].splitlines())
            found += [(line.removeprefix("- "), item["intent"]) for line in lines if line.startswith("- ")]
    return found


def follow_ups(folder: Path = ROOT / "nlu" / "followups") -> dict[str, list[tuple[str, str]]]:
    """Return (text, aspect) of the questions that mean something in context only, by language."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found = {}
    for file in sorted(folder.glob("*.yml")):
        data = yaml.load(file.read_bytes(), Loader=loader)  # noqa: S506
        found[data["language"]] = [(str(text), aspect) for aspect, texts in data["aspects"].items() for text in texts]
    return found


def texts_by_language(root: Path = ROOT) -> dict[str, list[str]]:
    """Return the texts of all training examples, by language."""
    return {code: [text for text, _ in examples(code, root)] for code in load_languages(root / "locales")}
