"""Trains the model and the language guesser: `make train`."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from bot.conversation.language import LanguageGuesser
from bot.text.catalogue import load_languages
from bot.text.examples import texts_by_language

ROOT = Path(__file__).resolve().parents[2]
NAME = "helpline"


def main() -> None:
    out = Path(os.environ.get("HELPLINE_MODEL_DIR") or ROOT / "models")
    out.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    languages = list(load_languages(ROOT / "locales"))
    texts = texts_by_language()
    print(f"[train] {sum(map(len, texts.values()))} examples in {len(languages)} languages", flush=True)
    LanguageGuesser.train(texts).save(out)
    command = [
        *(sys.executable, "-W", "ignore", "-m", "bot.engine.rasa_cli", "train"),
        *("--config", "nlu/config.yml", "--domain", "stories/domain", "--data"),
        *(f"nlu/{language}" for language in languages),
        *("stories/rules", "stories/stories", "--out", str(out), "--fixed-model-name", NAME),
    ]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1", "LOG_LEVEL": "WARNING"}
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    lines = []
    for line in process.stdout or ():
        lines.append(line)
        if "Starting to train component" in line or "Finished training" in line:
            print(f"[train] {line.rpartition('- ')[2].strip()} ({time.monotonic() - started:.0f} s)", flush=True)
    if process.wait() != 0:
        sys.exit("".join(lines[-40:]) + "\n[train] Rasa could not train; the lines above say why")
    print(f"[train] {out / NAME}.tar.gz in {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
