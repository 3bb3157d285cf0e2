"""What tests share: the running helpline, and somebody who writes to it."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import html
import json
import os
import re
import secrets
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[1]
MODELS = ROOT / "models"
TLS = ssl.create_default_context()
"""One for all requests: httpx reads every certificate of the machine for each client that is given none."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Any, seconds: float, what: str) -> Any:
    """Return the first true value of `condition()`, or fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {seconds} s")


def own_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run an async test in a thread of its own: the browser tests leave an event loop running in the main one."""

    @functools.wraps(test)
    def run(*arguments: Any, **named: Any) -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(asyncio.run, test(*arguments, **named)).result()

    return run


class Helpline:
    """A real `helpline run`, in processes of its own, on a data folder of its own."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("HELPLINE_")}
        self.environment.pop("PYTHONDONTWRITEBYTECODE", None)  # the second start is the usual one
        self.environment |= {
            "HELPLINE_DATA_DIR": str(self.data),
            "HELPLINE_PORT": str(self.port),
            "HELPLINE_MODEL_DIR": str(MODELS),
            "HELPLINE_DIRECTORY_HIDE_DAYS": "36500",  # the starter set's dates stay as they are, and time goes on
            **settings,
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.stdout = folder / "stdout"
        self.stderr = folder / "stderr"

    def start(self, ready: bool = True) -> Helpline:
        with self.stdout.open("ab") as out, self.stderr.open("ab") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bot.cli", "run"], cwd=ROOT, env=self.environment, stdout=out, stderr=err
            )
        until(lambda: self.get("/healthz") == 200, 60, "the gateway is alive")
        if ready:
            self.wait_ready()
        return self

    def wait_ready(self) -> None:
        until(lambda: self.get("/readyz") == 200, 120, "the engine is ready")

    def get(self, path: str) -> int:
        try:
            return httpx.get(self.url + path, timeout=5, verify=TLS).status_code
        except httpx.TransportError:
            return 0

    @property
    def engine_pid(self) -> int | None:
        assert self.process is not None
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
                if parent == str(self.process.pid) and b"bot.engine" in (folder / "cmdline").read_bytes():
                    return int(folder.name)
        return None

    def kill_engine(self) -> None:
        pid = self.engine_pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self, with_signal: int = signal.SIGTERM) -> int:
        """Ask it to stop; return its exit status."""
        if self.process is None or self.process.poll() is not None:
            return 0 if self.process is None else int(self.process.returncode)
        self.process.send_signal(with_signal)
        return int(self.process.wait(30))

    def person(self, language: str = "en") -> Person:
        return Person(self.url, language)


@contextlib.contextmanager
def running(folder: Path, ready: bool = True, **settings: str) -> Iterator[Helpline]:
    helpline = Helpline(folder, **settings)
    try:
        yield helpline.start(ready)
    finally:
        helpline.stop()


class Person:
    """Somebody in the web chat, as its script speaks to the gateway."""

    def __init__(self, url: str, language: str = "en", conversation: str | None = None) -> None:
        self.url = url
        self.language = language
        self.conversation = conversation or secrets.token_urlsafe(32)
        self.answer: dict[str, Any] = {}

    def opens(self) -> str:
        """Open the page, as a browser in the person's language does; return its text."""
        page = httpx.get(self.url + "/", headers={"Accept-Language": self.language}, timeout=10, verify=TLS).text
        buttons = re.findall(r'name="choice" value="([0-9a-f]+)"[^>]*>([^<]*)<', page)
        choices = [{"token": token, "title": html.unescape(title)} for token, title in buttons]
        texts = [re.sub(r"<[^>]+>", "", html.unescape(each)) for each in re.findall(r"<p>(.*?)</p>", page, re.DOTALL)]
        secret = re.search(r'name="conversation" value="([^"]+)"', page)
        assert secret
        self.conversation = secret[1]
        parts = [{"parts": [{"kind": "text", "text": text}], "choices": []} for text in texts]
        self.answer = {"messages": [*parts, {"parts": [], "choices": choices}], "language": self.language}
        return self.text

    def post(self, **fields: str) -> str:
        response = httpx.post(
            self.url + "/",
            content=json.dumps({"conversation": self.conversation, "language": self.language, **fields}),
            headers={"Accept": "application/json", "Content-Type": "application/json"},
            timeout=30,
            verify=TLS,
        )
        response.raise_for_status()
        self.answer = response.json()
        return self.text

    def says(self, text: str) -> str:
        """Write; return the answer's text."""
        return self.post(text=text)

    def taps(self, title: str) -> str:
        """Choose the button whose title begins so; return the answer's text."""
        tokens = [choice["token"] for choice in self.choices if choice["title"].startswith(title)]
        assert tokens, f"no button {title!r} among {self.titles}"
        return self.post(choice=tokens[-1])

    @property
    def text(self) -> str:
        return "\n".join(self.texts)

    @property
    def texts(self) -> list[str]:
        return [
            "".join("\n" if part["kind"] == "break" else part["text"] for part in message["parts"])
            for message in self.answer["messages"]
        ]

    @property
    def choices(self) -> list[dict[str, str]]:
        return [choice for message in self.answer["messages"] for choice in message["choices"]]

    @property
    def titles(self) -> list[str]:
        return [choice["title"] for choice in self.choices]
