"""bot/directory/gazetteer: where cities are."""

from __future__ import annotations

import pytest
import yaml

from bot.directory.distance import distance_km
from bot.directory.gazetteer import find, nearest
from tests.support import ROOT


@pytest.mark.parametrize(
    ("name", "country", "known"),
    [("Milano", "IT", "Milan"), ("روما", "IT", "Rome"), ("Αθήνα", "GR", "Athens"), ("münchen", "DE", "Munich"),
     ("Ha Noi", "VN", "Hanoi"), ("New York", "US", "New York City"), ("Valencia", "ES", "Valencia")],
)  # fmt: skip
def test_cities_are_found_under_their_names(name: str, country: str, known: str) -> None:
    place = find(name, country)
    assert place is not None
    assert (place.name, place.country) == (known, country)


def test_a_name_counts_in_its_country_only() -> None:
    spain, venezuela = find("Valencia", "ES"), find("Valencia", "VE")
    assert spain is not None
    assert venezuela is not None
    assert distance_km((spain.latitude, spain.longitude), (venezuela.latitude, venezuela.longitude)) > 6000
    assert find("Valencia", "IS") is None
    assert find("", "IT") is None


def test_distances_are_those_of_a_globe() -> None:
    rome, milan = find("Rome", "IT"), find("Milan", "IT")
    assert rome is not None
    assert milan is not None
    assert distance_km((rome.latitude, rome.longitude), (milan.latitude, milan.longitude)) == pytest.approx(477, abs=5)
    assert distance_km((0, 179.9), (0, -179.9)) == pytest.approx(22.2, abs=0.5)
    assert nearest(41.89, 12.51).name == "Rome"


def test_nearly_every_city_that_people_name_is_known() -> None:
    cities = yaml.load((ROOT / "nlu/places/cities.yml").read_bytes(), Loader=yaml.BaseLoader)
    missing = [(country, name) for country, names in cities.items() for name in names if find(name, country) is None]
    assert missing == [("KH", "Poipet")]
