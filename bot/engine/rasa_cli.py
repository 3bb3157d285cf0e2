"""Rasa's own command line, without what is not installed: `python -m bot.engine.rasa_cli train …`."""

from __future__ import annotations

import os
import sys

from bot.engine import stand_in


def main() -> None:
    os.environ["RASA_TELEMETRY_ENABLED"] = "false"
    os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")
    sys.path.insert(0, os.getcwd())  # components are named by module path
    stand_in.install()
    import rasa.__main__

    rasa.__main__.main()


if __name__ == "__main__":
    main()
