"""Understanding many lines at once: `helpline nlu parse`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bot.conversation.language import LanguageGuesser
from bot.conversation.safety import SafetyScreen
from bot.engine import prepare


def read_text(line: bytes, number: int) -> str:
    """Return the text of one JSON line. Raises ValueError, naming the line."""
    try:
        text = json.loads(line)["text"]
    except (ValueError, KeyError, TypeError):
        text = None
    if not isinstance(text, str):
        raise ValueError(f'line {number}: expected a JSON object like {{"text": "…"}}')
    return text


def parse_lines(lines: Iterable[bytes], model_dir: Path) -> Iterator[dict[str, Any]]:
    """Yield what screen and classifier together understand of each line, in order.

    `screened` tells whether the safety screen decided. Raises ValueError for a line that is no JSON object with a
    text, FileNotFoundError without a trained model.
    """
    screen = SafetyScreen()
    guesser = LanguageGuesser.load(model_dir)
    prepare()
    from bot.engine.host import Host

    host = Host(model_dir)
    loop = asyncio.new_event_loop()
    try:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            text = read_text(line, number)
            understood = loop.run_until_complete(host.parse(text))
            screened = screen.look(text)
            if screened:
                understood |= {"intent": screened, "confidence": 1.0}
            language, _ = guesser.guess(text)
            yield {"text": text, **understood, "language": language, "screened": bool(screened)}
    finally:
        loop.close()
