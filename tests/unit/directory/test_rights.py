"""bot/directory/rights.py and its data."""

from datetime import date, timedelta
from pathlib import Path

import pytest
import yaml
from babel import Locale

from bot.directory.rights import FACTS, FOLDER, fact

FILES = sorted(FOLDER.glob("*.yml"))
VALUES = {
    "reflection_period": {"duration"},
    "residence": {"cooperation", "personal"},
    "compensation_fund": {"name"},
    "legal_aid": {"free"},
    "identification": {"bodies"},
}


def test_at_least_ten_countries_have_several_facts() -> None:
    rich = [file.stem for file in FILES if sum(map(bool, yaml.safe_load(file.read_bytes())["facts"].values())) >= 3]
    assert len(rich) >= 10


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_each_fact_has_its_source_its_date_and_its_expiry(file: Path) -> None:
    data = yaml.safe_load(file.read_bytes())
    assert data["country"] == file.stem
    assert data["country"] in Locale.parse("en").territories
    assert set(data["facts"]) == set(FACTS)
    for name, row in data["facts"].items():
        if row is None:
            continue
        assert row["source"].startswith("http"), name
        assert row["quote"].strip(), name
        assert row["checked"] <= date.today() + timedelta(days=1), name
        assert row["checked"] < row["expires"] <= row["checked"] + timedelta(days=366), name
        assert VALUES[name] & set(row), name


def test_an_expired_fact_is_not_told() -> None:
    known = fact("IT", "identification")
    assert known is not None
    assert fact("IT", "identification", today=known.expires) is None
    assert fact("IT", "identification", today=known.expires - timedelta(days=1)) is not None


def test_what_is_not_known_is_none() -> None:
    assert fact("XX", "residence") is None
    assert fact("IT", "reflection_period") is None
