"""The gateway outlives Rasa's Python: its tests run again on the newest Python of this machine, without Rasa."""

from __future__ import annotations

import glob
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support import ROOT

OLDEST = (3, 12)
GATEWAY_TESTS = [
    "tests/unit",
    "--ignore=tests/unit/engine",
    "tests/contracts/test_imports.py",
    "tests/contracts/test_texts.py",
    "tests/system/test_processes.py::test_it_is_alive_and_safe_before_the_engine_is_ready",
]
QUICKLY = ("-n0", "-k", "not postgresql", "--hypothesis-profile=quick")
"""PostgreSQL is a matter of the driver, not of Python's version; examples were searched for in the first run."""


def newest_python() -> tuple[tuple[int, int], str] | None:
    """Return the newest Python on this machine that is new enough."""
    names = [shutil.which(f"python3.{minor}") or "" for minor in range(OLDEST[1], 20)]
    names += glob.glob(f"{os.environ.get('PYENV_ROOT', Path.home() / '.pyenv')}/versions/3.*/bin/python")
    names += [*glob.glob("/opt/python*/3.*/bin/python"), shutil.which("python3") or ""]
    found = []
    for name in filter(None, names):
        done = subprocess.run([name, "--version"], capture_output=True, text=True, check=False)
        version = re.match(r"Python (\d+)\.(\d+)", done.stdout)
        if done.returncode == 0 and version and (int(version[1]), int(version[2])) >= OLDEST:
            found.append(((int(version[1]), int(version[2])), name))
    return max(found, default=None)


def test_the_gateways_tests_pass_on_the_newest_python() -> None:
    found = newest_python()
    if found is None:
        pytest.skip(f"no Python {OLDEST[0]}.{OLDEST[1]} or newer on this machine")
    version, python = found
    uv = ROOT / ".uv" / "bin" / "uv"
    environment = ROOT / "build" / f"python{version[0]}.{version[1]}"
    kept = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "UV_PYTHON")}
    sync = subprocess.run(
        [str(uv), "sync", "--frozen", "--quiet", "--python", python],
        cwd=ROOT,
        env=kept | {"UV_PROJECT_ENVIRONMENT": str(environment), "UV_COMPILE_BYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert sync.returncode == 0, sync.stderr[-2000:]
    assert not list(environment.glob("lib/python*/site-packages/rasa"))
    tests = subprocess.run(
        [str(environment / "bin/python"), "-m", "pytest", "-q", "-p", "no:cacheprovider", *GATEWAY_TESTS, *QUICKLY],
        cwd=ROOT,
        env=kept,
        capture_output=True,
        text=True,
        check=False,
    )
    assert tests.returncode == 0, tests.stdout[-4000:] + tests.stderr[-1000:]
    assert re.search(r"\d\d+ passed", tests.stdout), tests.stdout[-500:]
