"""What the shipped model understands of languages without a training example: `python -m tests.nlu.zero_shot_table`.

Reads tests/nlu/zero_shot/ through `helpline nlu parse` and prints a Markdown table.
"""

from __future__ import annotations

import json
import subprocess
import sys

import yaml

from bot.engine.evaluate import SAFETY
from bot.text.catalogue import load_languages
from tests.support import ROOT


def main() -> None:
    rows = []
    for file in sorted((ROOT / "tests" / "nlu" / "zero_shot").glob("*.yml")):
        data = yaml.safe_load(file.read_bytes())
        rows += [(data["language"], intent, text) for intent, texts in data["texts"].items() for text in texts]
    lines = "\n".join(json.dumps({"text": text}) for *_, text in rows)
    command = [sys.executable, "-m", "bot.cli", "nlu", "parse"]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True, cwd=ROOT)
    got = [json.loads(line)["intent"] for line in done.stdout.splitlines()]
    trained = load_languages(ROOT / "locales")
    print("| language | texts | right | safety found | false alarms |\n|---|---|---|---|---|")
    for code in dict.fromkeys(code for code, *_ in rows):
        mine = [(right, found) for (language, right, _), found in zip(rows, got, strict=True) if language == code]
        safety = [right == found for right, found in mine if right in SAFETY]
        alarms = sum(found in SAFETY for right, found in mine if right not in SAFETY)
        hits = sum(right == found for right, found in mine) / len(mine)
        name = f"{code} (trained since)" if code in trained else code
        print(f"| {name} | {len(mine)} | {hits:.2f} | {sum(safety)} of {len(safety)} | {alarms} |")


if __name__ == "__main__":
    main()
