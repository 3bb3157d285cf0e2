"""The engine: Rasa, hosted. The only package (with `actions`) that imports rasa, and only after `prepare`.

`client` is the gateway's side and imports nothing of Rasa.
"""

from __future__ import annotations

import os


def prepare() -> None:
    """Make this process fit for Rasa: no telemetry, no network, stand-ins for what is not installed."""
    os.environ["RASA_TELEMETRY_ENABLED"] = "false"
    os.environ["SQLALCHEMY_SILENCE_UBER_WARNING"] = "1"
    # Two threads would halve the embedding's time on an idle machine, and multiply it by ten on a busy one, where they
    # wait for each other.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from bot.engine import seal, stand_in

    seal.seal()
    stand_in.install(stand_in.NOT_NEEDED_TO_ANSWER)
