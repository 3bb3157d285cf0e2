"""A stand-in for Telegram's Bot API, spoken to over HTTP by the real python-telegram-bot.

It knows chats, the messages in them and what was asked of it; it can be told to fail.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TOKEN = "123456:TEST-token_of_the_stand-in"
BOT = {"id": 123456, "is_bot": True, "first_name": "Mila", "username": "mila_test_bot"}


class BotApi:
    """The server; use as a context manager."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.chats: dict[int, dict[int, dict[str, Any]]] = {}
        self.left: list[int] = []
        self.webhook: dict[str, Any] = {}
        self._updates: list[dict[str, Any]] = []
        self._faults: dict[str, list[tuple[int, dict[str, Any]]]] = {}
        self._update_id = 1000
        self._message_id = 1
        self._lock = threading.Lock()
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self.port = 0

    # what a test does

    @property
    def base_url(self) -> str:
        """For HELPLINE_TELEGRAM_BASE_URL."""
        return f"http://127.0.0.1:{self.port}/bot"

    def __enter__(self) -> BotApi:
        listener = socket.socket(proto=socket.IPPROTO_TCP)
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        self.port = listener.getsockname()[1]
        app = Starlette(routes=[Route("/bot{token}/{method}", self._call, methods=["GET", "POST"])])
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="critical", ws="none", lifespan="off"))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listener]}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        assert self._server is not None
        assert self._thread is not None
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(5)

    def fail(self, method: str, status: int, times: int = 1, **parameters: Any) -> None:
        """Answer the next calls of `method` with an error (429 with retry_after=…, 500, …)."""
        self._faults.setdefault(method, []).extend([(status, parameters)] * times)

    def write(
        self, chat: int, text: str = "", language: str = "en", update_id: int | None = None, **fields: Any
    ) -> int:
        """Let a person write to the bot; return the update's id. `fields` replace parts of the message."""
        message = self._message(chat, language) | ({"text": text} if text else {}) | fields
        if text.startswith("/"):
            message["entities"] = [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}]
        if message["chat"]["type"] == "private":
            self.chats.setdefault(chat, {})[message["message_id"]] = message
        return self.push({"message": message}, update_id)

    def tap(self, chat: int, title: str, language: str = "en") -> int:
        """Let a person tap the newest button whose title begins so; return the update's id."""
        for message in reversed(list(self.chats[chat].values())):
            for row in (message.get("reply_markup") or {}).get("inline_keyboard", []):
                for button in row:
                    if button["text"].startswith(title):
                        query = {
                            "id": str(time.time_ns()),
                            "from": self._user(chat, language),
                            "chat_instance": "1",
                            "message": message,
                            "data": button["callback_data"],
                        }
                        return self.push({"callback_query": query})
        raise AssertionError(f"no button {title!r} in chat {chat}")

    def push(self, update: dict[str, Any], update_id: int | None = None) -> int:
        """Queue any update for getUpdates; return its id."""
        with self._lock:
            if update_id is None:
                self._update_id += 1
                update_id = self._update_id
            self._updates.append({"update_id": update_id, **update})
            return update_id

    def sent(self, chat: int) -> list[dict[str, Any]]:
        """Return what the bot has sent to a chat and has not deleted."""
        return [message for message in self.chats.get(chat, {}).values() if message["from"]["id"] == BOT["id"]]

    def texts(self, chat: int) -> list[str]:
        return [message["text"] for message in self.sent(chat) if "text" in message]

    @property
    def pending(self) -> int:
        """Updates that the bot has not confirmed yet: it confirms what it has answered."""
        return len(self._updates)

    def deliver(self, url: str, update: object, secret: str | None = None) -> int:
        """Post an update to a webhook, with the secret that was set for it; return the answer's status."""
        headers = {"X-Telegram-Bot-Api-Secret-Token": self.webhook["secret_token"] if secret is None else secret}
        return httpx.post(url, content=json.dumps(update), headers=headers, timeout=30).status_code

    def called(self, method: str) -> list[dict[str, Any]]:
        return [arguments for name, arguments in list(self.calls) if name == method]

    # what the bot asks

    def _user(self, chat: int, language: str) -> dict[str, Any]:
        return {
            "id": chat,
            "is_bot": False,
            "first_name": f"CanaryName{chat}",
            "username": f"canary_{chat}",
            "language_code": language,
        }

    def _message(self, chat: int, language: str) -> dict[str, Any]:
        with self._lock:
            self._message_id += 1
            return {
                "message_id": self._message_id,
                "date": int(time.time()),
                "chat": {"id": chat, "type": "private", "first_name": f"CanaryName{chat}"},
                "from": self._user(chat, language),
            }

    async def _call(self, request: Request) -> Response:
        method = request.path_params["method"]
        if request.path_params["token"] != TOKEN:
            return _error(401, "Unauthorized")
        form = await request.form()
        arguments = {
            name: _value(value) if isinstance(value, str) else await value.read() for name, value in form.items()
        }
        self.calls.append((method, arguments))
        if self._faults.get(method):
            status, parameters = self._faults[method].pop(0)
            return _error(status, "made to fail", parameters)
        handler = getattr(self, f"_on_{method}", None)
        result = True if handler is None else await handler(arguments)
        return result if isinstance(result, Response) else JSONResponse({"ok": True, "result": result})

    async def _on_getMe(self, arguments: dict[str, Any]) -> Any:
        return BOT

    async def _on_setWebhook(self, arguments: dict[str, Any]) -> Any:
        self.webhook = arguments
        return True

    async def _on_getUpdates(self, arguments: dict[str, Any]) -> Any:
        offset = int(arguments.get("offset", 0))
        deadline = time.monotonic() + min(float(arguments.get("timeout", 0)), 5)
        with self._lock:
            self._updates = [update for update in self._updates if update["update_id"] >= offset]
        while not self._updates and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        return self._updates[:100]

    async def _on_sendMessage(self, arguments: dict[str, Any]) -> Any:
        chat = int(arguments["chat_id"])
        message = self._message(chat, "en") | {"from": BOT, "text": str(arguments["text"])}
        if "reply_markup" in arguments:
            message["reply_markup"] = arguments["reply_markup"]
        self.chats.setdefault(chat, {})[message["message_id"]] = message
        return message

    async def _on_sendPhoto(self, arguments: dict[str, Any]) -> Any:
        chat = int(arguments["chat_id"])
        sizes = [{"file_id": "photo", "file_unique_id": "photo", "width": 1080, "height": 1080}]
        message = self._message(chat, "en") | {"from": BOT, "photo": sizes}
        self.chats.setdefault(chat, {})[message["message_id"]] = message
        return message

    async def _on_deleteMessages(self, arguments: dict[str, Any]) -> Any:
        ids = arguments["message_ids"]
        if len(ids) > 100:
            return _error(400, "Bad Request: too many message identifiers specified")
        for number in ids:
            self.chats.get(int(arguments["chat_id"]), {}).pop(int(number), None)
        return True

    async def _on_leaveChat(self, arguments: dict[str, Any]) -> Any:
        self.left.append(int(arguments["chat_id"]))
        return True


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _error(status: int, description: str, parameters: dict[str, Any] | None = None) -> JSONResponse:
    body = {"ok": False, "error_code": status, "description": description, "parameters": parameters or {}}
    return JSONResponse(body, status_code=status)
