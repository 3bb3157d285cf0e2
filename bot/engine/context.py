"""What a typed message means at this point of the conversation, where that differs from what it says by itself."""

from __future__ import annotations

import json
from typing import Any

from bot.conversation.walks import answer_payload, load_walks

NEVER_IN_CONTEXT = frozenset(
    {
        "immediate_danger", "not_safe_to_talk", "self_harm", "user_is_child", "quick_exit", "delete_data",
        "talk_to_human", "change_language", "inform_place", "greet", "goodbye", "thank",
    }
)  # fmt: skip
"""What is meant by itself, whatever was spoken about before."""


SHORT_ANSWERS = frozenset({"affirm", "deny", "unsure", "not_understood"})
CLEAR = 0.97
"""From this confidence on, one of SHORT_ANSWERS is no question about her situation."""


def in_context(understood: dict[str, Any], aspect: str | None, slots: dict[str, Any]) -> str | None:
    """Return the payload that is meant: an answer to the question just asked, or a question about her situation.

    `understood`: intent, confidence and place, as the host gives them. None where the message means what it says.
    """
    intent, place = understood["intent"], understood["place"]
    unlikely = (intent == "user_is_child" and aspect == "children") or (intent == "inform_place" and not place)
    if intent in NEVER_IN_CONTEXT and not (aspect and unlikely):
        return None
    position = slots.get("walk")
    if slots.get("question") == "walk" and position:
        step = load_walks()[position[0]].step(position)
        answer = step.answer_for(intent) if step else None
        return answer_payload(answer) if answer else None
    if intent in SHORT_ANSWERS and understood["confidence"] >= CLEAR:
        return None
    if aspect and slots.get("topic"):
        return f"/follow_up{json.dumps({'aspect': aspect})}"
    return None
