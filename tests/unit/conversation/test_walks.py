"""bot/conversation/walks.py"""

import pytest

from bot.conversation.walks import BACK, EXPLAIN, GO_ON, STOP, advance, answer_payload, load_walks, payloads
from bot.text.catalogue import Catalogue

CATALOGUE = Catalogue()


def test_answers_lead_on_back_and_out() -> None:
    assert advance(["signs"], "yes") == ["signs", "yes"]
    assert advance(["signs", "yes", "no"], BACK) == ["signs", "yes"]
    assert advance(["signs"], BACK) == ["signs"]
    assert advance(["signs", "yes"], STOP) is None
    for stays in (EXPLAIN, GO_ON, "purple"):
        assert advance(["signs", "yes"], stays) == ["signs", "yes"]


def test_a_walk_ends_after_its_last_step() -> None:
    walk = load_walks()["offer"]
    position = ["offer"]
    for _ in walk.steps:
        assert walk.step(position) is not None
        position = advance(position, "no") or []
    assert walk.step(position) is None


@pytest.mark.parametrize(
    ("ticked", "weight"),
    [([], "none"), (["wages"], "some"), (["wages", "debt"], "some"), (["wages", "debt", "threats"], "many")],
)
def test_the_weight_grows_with_the_signs(ticked: list[str], weight: str) -> None:
    assert load_walks()["signs"].weight(ticked) == weight


def test_one_grave_sign_is_enough() -> None:
    assert load_walks()["signs"].weight(["documents"]) == "many"
    assert load_walks()["offer"].weight(["passport"]) == "many"


def test_what_she_says_can_be_an_answer() -> None:
    step = next(step for step in load_walks()["signs"].steps if step.name == "documents")
    assert step.answer_for("documents_withheld") == "yes"
    assert step.answer_for("affirm") == "yes"
    assert step.answer_for("not_understood") == EXPLAIN
    assert step.answer_for("need_shelter") is None


def test_every_step_and_answer_has_its_words() -> None:
    for walk in load_walks().values():
        for step in walk.steps:
            assert f"utter_{walk.name}_{step.name}" in CATALOGUE
            if walk.many:
                assert f"utter_{walk.name}_{step.name}_explain" in CATALOGUE
                assert f"utter_{walk.name}_name_{step.name}" in CATALOGUE
            else:
                assert all(f"utter_{walk.name}_line_{step.name}_{answer}" in CATALOGUE for answer in step.answers)
            at = f"{walk.name}_{step.name}"
            assert all(answer_payload(answer, at) in payloads() for answer in step.answers)


def test_the_sizes_that_were_promised() -> None:
    assert len(load_walks()["signs"].steps) == 11
    assert 8 <= len(load_walks()["offer"].steps) <= 12
    assert 5 <= len(load_walks()["plan"].steps) <= 8
