"""Sets up everything this project needs below its own folder: uv, Python's environment. Standard library only.

Usage: python3 deploy/setup.py [--dev]      (make does this)
"""

from __future__ import annotations

import glob
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
UV_VERSION = "0.13.9"
UV_HOME = ROOT / ".uv"
ENGINE_PYTHONS = ("3.10", "3.11")  # 3.10 is what Rasa declares, 3.11 is Debian 12's (docs/decisions/0001)


def say(words: str) -> None:
    print(f"[setup] {words}", flush=True)


def works(command: list[str]) -> bool:
    try:
        return (
            subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0
        )
    except OSError:
        return False


def uv() -> str:
    """Return uv's path, installed into .uv/ from PyPI where it is not there yet: by venv, by pip, or by hand."""
    program = UV_HOME / "bin" / "uv"
    if program.exists() and works([str(program), "--version"]):
        return str(program)
    say(f"installing uv {UV_VERSION} into {UV_HOME}")
    shutil.rmtree(UV_HOME, ignore_errors=True)
    package = f"uv=={UV_VERSION}"
    if works([sys.executable, "-m", "venv", str(UV_HOME)]) and works(
        [str(UV_HOME / "bin/python"), "-m", "pip", "install", package]
    ):
        return str(program)
    shutil.rmtree(UV_HOME, ignore_errors=True)
    if works([sys.executable, "-m", "pip", "install", "--target", str(UV_HOME), package]) and program.exists():
        return str(program)
    wheel = download_uv()
    program.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        name = next(each for each in archive.namelist() if each.endswith(".data/scripts/uv"))
        program.write_bytes(archive.read(name))
    program.chmod(0o755)
    return str(program)


def download_uv() -> bytes:
    """Return uv's wheel for this machine from PyPI, its digest checked."""
    machine = os.uname().machine
    with urllib.request.urlopen(f"https://pypi.org/pypi/uv/{UV_VERSION}/json", timeout=60) as answer:
        files = json.load(answer)["urls"]
    chosen = next(
        each for each in files if "manylinux" in each["filename"] and each["filename"].endswith(f"{machine}.whl")
    )
    with urllib.request.urlopen(chosen["url"], timeout=300) as answer:  # noqa: S310
        content: bytes = answer.read()
    if hashlib.sha256(content).hexdigest() != chosen["digests"]["sha256"]:
        raise SystemExit("[setup] uv's wheel did not arrive whole: run make again")
    return content


def candidates(version: str) -> list[str]:
    """Return where a Python `version` may be on this machine."""
    home = Path.home()
    pyenv = os.environ.get("PYENV_ROOT", str(home / ".pyenv"))
    return [
        sys.executable,
        shutil.which(f"python{version}") or "",
        *sorted(glob.glob(f"{pyenv}/versions/{version}.*/bin/python")),
        *sorted(glob.glob(f"/opt/python*/{version}*/bin/python")),
        *sorted(glob.glob(str(home / f".local/share/uv/python/cpython-{version}.*/bin/python{version}"))),
    ]


def engine_python(uv_program: str) -> str:
    """Return a Python that the engine runs on: one of this machine, else the one that uv can fetch."""
    for version in ENGINE_PYTHONS:
        wanted = version.replace(".", ", ")
        probe = f"import sys, ctypes, sqlite3, ssl, venv; sys.exit(sys.version_info[:2] != ({wanted}))"
        for candidate in candidates(version):
            if candidate and works([candidate, "-c", probe]):
                return candidate
    version = ENGINE_PYTHONS[0]
    say(f"no Python {' or '.join(ENGINE_PYTHONS)} on this machine: asking uv to fetch {version}")
    if not works([uv_program, "python", "install", version]):
        raise SystemExit(
            f"[setup] Rasa needs Python {' or '.join(ENGINE_PYTHONS)}, and none could be found or fetched. "
            f"Install one (for example with pyenv install {version}), then run make again."
        )
    return version


def main() -> None:
    dev = "--dev" in sys.argv[1:]
    stamp = ROOT / ".venv" / ("setup-dev" if dev else "setup")
    digest = hashlib.sha256((ROOT / "uv.lock").read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return
    program = uv()
    python = engine_python(program)
    tools = " with the test tools" if dev else ""
    say(f"installing the locked environment into {ROOT / '.venv'}{tools} (Python at {python})")
    command = [program, "sync", "--frozen", "--extra", "engine", "--python", python, "--project", str(ROOT)]
    # Compiled now: where Python may not write beside its modules (a container, PYTHONDONTWRITEBYTECODE), every start
    # would compile 2,000 modules again.
    command += ["--compile-bytecode"]
    # Neither run takes away what the other has installed.
    command += ["--inexact"] if dev else ["--no-dev", "--inexact"]
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "UV_PYTHON")}
    environment["UV_COMPILE_BYTECODE_TIMEOUT"] = "600"
    if subprocess.run(command, check=False, env=environment).returncode != 0:
        raise SystemExit("[setup] the environment could not be installed; the lines above say why. Run make again.")
    stamp.write_text(digest)
    say("done")


if __name__ == "__main__":
    main()
