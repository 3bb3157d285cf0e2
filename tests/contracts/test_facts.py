"""Each fact that the texts tell has a source and a date (stories/facts.yml), and none is older than a year."""

from __future__ import annotations

import fnmatch
import re
from datetime import date, timedelta

import yaml

from bot.text.catalogue import Catalogue
from tests.support import ROOT

OLDEST = timedelta(days=365)
FACTS = yaml.safe_load((ROOT / "stories" / "facts.yml").read_bytes())["facts"]
RESPONSES = {name.removeprefix("utter_"): rows for name, rows in Catalogue().responses.items()}
SOURCED = {name for row in FACTS for each in row["responses"] for name in fnmatch.filter(RESPONSES, each)}
LAW = yaml.safe_load((ROOT / "stories" / "domain" / "rights.yml").read_bytes())["responses"]
FRAMES = ("fact_", "cover", "card_text_", "trip_", "walk_")
"""Words around what the directory, the rights' files or the converter say."""


OWN_RULES = re.compile(
    r"console_.*|handover_(question_reference|reference_bad)|phrase_(waiting_.*|health_walk|plan_nobody|after_number)"
)
"""Numbers that are no facts about the world: this software's own rules, minutes to wait or walk, a step's place."""


def test_no_fact_is_older_than_a_year() -> None:
    today = date.today()
    assert [row["fact"] for row in FACTS if not today - OLDEST <= row["checked"] <= today + timedelta(days=1)] == []


def test_each_fact_has_a_page_and_is_told_somewhere() -> None:
    for row in FACTS:
        assert row["source"].startswith("http"), row["fact"]
        for each in row["responses"]:
            assert fnmatch.filter(RESPONSES, each), f"{each} is no response"


def test_every_word_about_the_law_has_its_fact() -> None:
    told = {name.removeprefix("utter_") for name in LAW} - {"rights_more"}
    names = {name for name in RESPONSES if name.endswith("_name") and f"{name.removesuffix('_name')}_do" in RESPONSES}
    without_law = {"suspicious_job_offer_name", "confined_name", "threatened_name", "sexual_exploitation_name"}
    without_law |= {"image_abuse_name", "device_monitored_name"}  # plain names, no law
    missing = {name for name in told | (names - without_law) if name not in SOURCED and not name.startswith(FRAMES)}
    assert missing == set()


def test_every_number_and_every_service_has_its_fact() -> None:
    missing = set()
    for name, rows in RESPONSES.items():
        if name.startswith(FRAMES) or name in SOURCED or OWN_RULES.fullmatch(name):
            continue
        for row in rows:
            text = row.get("text", "")
            numbers = set(re.findall(r"\d+", text)) - {"18", "24"}
            if numbers or "{stopncii}" in text or "{takeitdown}" in text:
                missing.add(name)
    assert missing == set()
