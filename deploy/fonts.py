"""Cuts Debian's Noto fonts down to what cards need: `make fonts` (after `apt install fonts-noto-core fonts-noto-cjk`).

Whole scripts for alphabets; of Chinese, Japanese and Korean only the characters of `locales/cards.yml` and the names of
languages hold.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import yaml
from babel import Locale

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "bot" / "channels" / "fonts"
FONTS = Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/fonts")
COMMON = "U+20-7E,U+A0,U+200C-200F,U+2010-2015,U+2018-201E,U+2026,U+202A-202E,U+2066-2069"
SCRIPTS = {
    "NotoSans": "U+20-2AF,U+300-36F,U+370-3FF,U+400-52F,U+1E00-1EFF",
    "NotoSansArabic": "U+600-6FF,U+750-77F,U+FB50-FDFF,U+FE70-FEFF",
    "NotoSansArmenian": "U+530-58F",
    "NotoSansBengali": "U+980-9FF,U+964-965",
    "NotoSansDevanagari": "U+900-97F",
    "NotoSansGeorgian": "U+10A0-10FF",
    "NotoSansHebrew": "U+590-5FF",
    "NotoSansKhmer": "U+1780-17FF",
    "NotoSansLao": "U+E80-EFF",
    "NotoSansMyanmar": "U+1000-109F",
    "NotoSansThai": "U+E00-E7F",
}
CJK = {"zh-Hans": 2, "zh-Hant": 3, "ja": 0, "ko": 1}
"""The number of each language's font in the collection."""


def card_text(language: str) -> str:
    """Return all characters of a language's card texts, and of the names that it gives to languages."""
    texts = yaml.safe_load((ROOT / "locales" / "cards.yml").read_text(encoding="utf-8"))[language]
    return "".join(texts.values()) + "".join(Locale.parse(language, sep="-").languages.values())


def subset(source: Path, out: str, *arguments: str) -> None:
    target = OUT / out
    command = [sys.executable, "-m", "fontTools.subset", str(source), f"--output-file={target}", "--layout-features=*"]
    subprocess.run([*command, "--no-hinting", "--desubroutinize", *arguments], check=True)
    print(f"[fonts] {out}: {target.stat().st_size // 1024} KB", flush=True)


def main() -> None:
    for name, ranges in SCRIPTS.items():
        source = next(FONTS.rglob(f"{name}-Regular.ttf"))
        subset(source, f"{name}.ttf", f"--unicodes={COMMON},{ranges}")
    collection = next(FONTS.rglob("NotoSansCJK-Regular.ttc"))
    for language, number in CJK.items():
        text = f"--text={card_text(language)}0123456789+ "
        subset(collection, f"NotoSansCJK-{language}.otf", text, f"--font-number={number}")


if __name__ == "__main__":
    main()
