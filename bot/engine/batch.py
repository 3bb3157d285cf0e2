"""Understanding many lines at once: `helpline nlu parse`."""

from __future__ import annotations

import asyncio
import json
import os
import queue
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
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
    """Yield what screen and classifier together understand of each line, in order, each as soon as it is known.

    `screened` tells whether the safety screen decided. Raises ValueError for a line that is no JSON object with a
    text, FileNotFoundError without a trained model.
    """
    guesser = LanguageGuesser.load(model_dir)
    screen = SafetyScreen()
    prepare()
    from bot.engine.host import Host

    host = Host(model_dir)

    def understand(text: str) -> dict[str, Any]:
        understood = asyncio.run(host.parse(text))
        screened = screen.look(text)
        if screened:
            understood |= {"intent": screened, "confidence": 1.0}
        language, _ = guesser.guess(text)
        return {"text": text, **understood, "language": language, "screened": bool(screened)}

    # The embedding is most of the work and runs outside Python's lock: as many at once as there are cores.
    workers = os.cpu_count() or 1
    pending: queue.Queue[Future[dict[str, Any]] | None] = queue.Queue(maxsize=8 * workers)
    with ThreadPoolExecutor(workers) as pool:

        def read() -> None:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    try:
                        future = pool.submit(understand, read_text(line, number))
                    except ValueError as error:
                        future = Future()
                        future.set_exception(error)
                    pending.put(future)
                    if future.done() and future.exception():
                        break
            pending.put(None)

        threading.Thread(target=read, daemon=True).start()
        while (future := pending.get()) is not None:
            yield future.result()
