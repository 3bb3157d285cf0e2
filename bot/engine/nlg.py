"""Rasa's responses through the catalogue: in the conversation's language, and never silent."""

from __future__ import annotations

from typing import Any

from rasa.core.nlg.generator import NaturalLanguageGenerator
from rasa.shared.core.trackers import DialogueStateTracker

from bot.text.catalogue import Catalogue


class CatalogueGenerator(NaturalLanguageGenerator):
    """Renders responses through gettext. Values that only the gateway knows stay as `{name}` for it to fill."""

    def __init__(self, catalogue: Catalogue | None = None, endpoint_config: Any = None, domain: Any = None) -> None:
        self.catalogue = catalogue or Catalogue()

    async def generate(
        self, utter_action: str, tracker: DialogueStateTracker, output_channel: str, **kwargs: Any
    ) -> dict[str, Any]:
        language = tracker.get_slot("language") or "en"
        said = self.catalogue.say(utter_action, language, variation=int(tracker.get_slot("turn") or 0))
        buttons = [{"title": button.title, "payload": button.payload} for button in said.buttons]
        return {"text": said.text, "buttons": buttons}
