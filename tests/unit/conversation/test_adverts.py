"""bot/conversation/adverts.py"""

import pytest
import yaml

from bot.conversation.adverts import SIGNS, Adverts
from bot.text.catalogue import Catalogue
from bot.text.patterns import compiled
from tests.support import ROOT

LANGUAGES = list(Catalogue().languages)
ADVERTS = Adverts()


def found(text: str) -> set[str]:
    return {sign.name for sign in ADVERTS.signs(text)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sign_has_patterns_that_compile(language: str) -> None:
    data = yaml.load((ROOT / "nlu" / "adverts" / f"{language}.yml").read_bytes(), Loader=yaml.BaseLoader)
    assert set(data) == {"language", *SIGNS}
    for sign in SIGNS:
        assert len(data[sign]) >= 5, sign
        for pattern in data[sign]:
            compiled(pattern)


def test_her_own_words_are_named() -> None:
    (sign,) = [
        each
        for each in ADVERTS.signs("Work in a hotel. Please SEND your passport, before Friday.")
        if each.name == "passport"
    ]
    assert "passport" in sign.words
    assert sign.words in "Work in a hotel. Please SEND your passport, before Friday."


@pytest.mark.parametrize("amount", ["5000", "5.000", "5,000", "5 000"])
def test_amounts_are_read_however_they_are_written(amount: str) -> None:
    assert "pay_too_good" in found(f"Earn up to {amount} usd per week from home")


@pytest.mark.parametrize("text", ["", "?!", "\ud800", "🙂 🙂", "word " * 900])
def test_any_text_is_read(text: str) -> None:
    ADVERTS.signs(text)


@pytest.mark.parametrize(
    "text",
    [
        "Bakery Müller GmbH, Hauptstraße 5, Graz is looking for a baker, 40 hours, collective agreement. Send your CV by mail.",
        "Boulangerie Martin, 12 rue Victor Hugo à Lyon, cherche un vendeur en CDI, 35 heures, SMIC. Envoyez votre CV.",
        "Fabrică de mobilă din Cluj angajează tâmplar cu contract pe perioadă nedeterminată. Trimiteți CV la adresa firmei.",
        "Пекарня «Хліб» у Львові шукає продавця, офіційне працевлаштування, графік 5/2. Надсилайте резюме.",
        "تبحث مخبزة في عمّان عن بائع بعقد رسمي ودوام ثماني ساعات. يرجى إرسال السيرة الذاتية.",
        "Công ty TNHH Bánh Ngon, quận 3, tuyển nhân viên bán hàng, có hợp đồng và bảo hiểm. Gửi CV về công ty.",
    ],
)
def test_an_honest_advert_raises_nothing(text: str) -> None:
    assert found(text) == set()
