"""The gateway's side of the engine: asks over the Unix socket, starts the process, restarts it when it dies."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.log import get_logger

if TYPE_CHECKING:
    import httpx

log = get_logger(__name__)

SOCKET_NAME = "engine.sock"
_RETRY_SECONDS = 0.1
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 10.0


class EngineUnavailable(Exception):
    """The engine did not answer in time: it is starting, restarting or busy."""


class EngineClient:
    """Speaks HTTP over the engine's Unix socket in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # A socket's path may have 107 bytes at most; through the folder's descriptor it is always short.
        self._descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        self.answering = False
        """Whether its last turn was answered: who can't wait for a start asks this."""

    @cached_property
    def _http(self) -> httpx.AsyncClient:
        """The client; imported when there is an engine to speak to, for the first answers do without."""
        import httpx

        transport = httpx.AsyncHTTPTransport(
            uds=f"/proc/self/fd/{self._descriptor}/{SOCKET_NAME}",
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=64),
        )
        return httpx.AsyncClient(transport=transport, base_url="http://engine", trust_env=False)

    @property
    def listening(self) -> bool:
        """Whether there is a socket: an engine that starts for the first time has none yet."""
        return (self.folder / SOCKET_NAME).exists()

    async def turn(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Return the engine's answer to one turn (see bot.engine.host.Host.turn).

        Waits while the engine starts, up to `seconds` in all. The engine keeps nothing, so asking again after it
        died in the middle is safe. Raises EngineUnavailable.
        """
        body = json.dumps(request)  # in ASCII: what people type may hold lone surrogates
        deadline = time.monotonic() + seconds
        while True:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                self.answering = False
                raise EngineUnavailable
            if not self.listening:
                await asyncio.sleep(min(_RETRY_SECONDS, remaining))
                continue
            try:
                response = await self._http.post("/turn", content=body, timeout=remaining)
                if response.status_code == 200:
                    result: dict[str, Any] = response.json()
                    self.answering = True
                    return result
                log.warning("engine_refused", status=response.status_code)
                raise EngineUnavailable
            except _no_answer():
                await asyncio.sleep(min(_RETRY_SECONDS, max(0.0, deadline - time.monotonic())))

    async def parse(self, text: str, seconds: float) -> dict[str, Any]:
        """Return what the engine understands of a text (see bot.engine.host.Host.parse). Raises EngineUnavailable."""
        if not self.listening:
            raise EngineUnavailable
        try:
            response = await self._http.post("/parse", content=json.dumps({"text": text}), timeout=seconds)
        except _no_answer():
            raise EngineUnavailable from None
        if response.status_code != 200:
            raise EngineUnavailable
        result: dict[str, Any] = response.json()
        return result

    async def ready(self) -> bool:
        """Return whether the engine has its model and answers."""
        if not self.listening:
            return False
        try:
            return (await self._http.get("/ready", timeout=2.0)).status_code == 200
        except _no_answer():
            return False

    async def close(self) -> None:
        if "_http" in vars(self):
            await self._http.aclose()
        os.close(self._descriptor)


def _no_answer() -> tuple[type[Exception], ...]:
    import httpx

    return httpx.TransportError, OSError


class EngineProcess:
    """Keeps an engine process running until it is stopped."""

    def __init__(self, folder: Path, model: Path, log_level: str) -> None:
        self._command = [sys.executable, "-m", "bot.engine", str(folder), str(model), log_level]
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Start the engine and keep starting it again, after a growing pause, when it ends."""
        await self._spawn()
        self._task = asyncio.create_task(self._watch())

    async def _spawn(self) -> None:
        # The environment holds the Telegram token; the engine gets none of the settings.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HELPLINE_")}
        # The open pipe is the engine's leash: when the gateway dies, however, it reads the end and stops.
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdin=asyncio.subprocess.PIPE, env=environment, start_new_session=True
        )

    async def _watch(self) -> None:
        pause = _FIRST_PAUSE
        while self._process is not None:
            started = time.monotonic()
            code = await self._process.wait()
            lived = time.monotonic() - started
            log.warning("engine_ended", code=code, seconds=round(lived))
            pause = _FIRST_PAUSE if lived > 60 else min(pause * 2, _LONGEST_PAUSE)
            await asyncio.sleep(pause)
            await self._spawn()

    async def stop(self) -> None:
        """Stop the engine, at once where it does not end within five seconds."""
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._process and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), 5)
            except asyncio.TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()
                await self._process.wait()
