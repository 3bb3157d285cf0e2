"""A stand-in for Chatwoot: the part of its HTTP API that an API inbox needs, and its deliveries, spoken over HTTP.

It follows the published API (developers.chatwoot.com, as of 4.13). It knows contacts, conversations and messages,
lets agents write, signs what it delivers, and can be told to fail. Like Chatwoot it delivers private notes and what
was posted through the API too, tries each delivery once, and shows a message as failed whose delivery was refused.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
import queue
import re
import socket
import threading
import time
import uuid
from typing import Any

import httpx
import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

ACCOUNT, INBOX, OTHER_INBOX = 3, 7, 8
TOKEN = "agent-token-of-the-stand-in"
BOT_TOKEN = "bot-token-of-the-stand-in"
SECRET = "secret-that-chatwoot-made"
PAGE, LATEST = 100, 20
STATES = ("open", "resolved", "pending", "snoozed")
KINDS = {"incoming": 0, "outgoing": 1, "activity": 2, "template": 3}
BOTS_MAY = ("conversation_create", "conversation_show", "toggle_status", "message_create")
"""What an agent bot's token opens; contacts, lists and inboxes it does not."""

ANA = {"id": 11, "name": "Anastasia Canarova", "available_name": "Ana", "type": "user"}
OMAR = {"id": 12, "name": "Omar Canari", "available_name": "Omar Canari", "type": "user"}
BOT = {"id": 2, "name": "Captain", "type": "agent_bot"}


class ChatwootApi:
    """The server; use as a context manager."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.contacts: dict[int, dict[str, Any]] = {}
        self.conversations: dict[int, dict[str, Any]] = {}
        self.messages: dict[int, list[dict[str, Any]]] = {}
        self.webhook_url = ""
        self.holding = False
        """Keep deliveries in `held`, for the test to send or to lose."""
        self.held: list[dict[str, Any]] = []
        self.answers: list[tuple[str, int]] = []
        """Each delivery's event and the status that it was answered with; 0 for none."""
        self.with_bot = False
        """An agent bot is connected to the inbox: its conversations begin as pending."""
        self.port = 0
        self._faults: dict[str, list[tuple[str, Any, dict[str, str]]]] = {}
        self._numbers = itertools.count(1)
        self._message_numbers = itertools.count(501)
        self._conversation_numbers = itertools.count(41)
        self._lock = threading.Lock()
        self._outbox: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._postman: threading.Thread | None = None
        self._http = httpx.Client(trust_env=False, verify=False, timeout=10)

    # what a test does

    @property
    def url(self) -> str:
        """For HELPLINE_CHATWOOT_URL."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> ChatwootApi:
        self.start()
        self._postman = threading.Thread(target=self._deliver_all, daemon=True)
        self._postman.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()
        assert self._postman is not None
        self._outbox.put(None)
        self._postman.join(10)
        self._http.close()

    def start(self) -> None:
        listener = socket.socket(proto=socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(64)
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(self._app, interface="asgi3", log_level="critical", ws="none", lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listener]}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Be down, as after a power cut; what was stored is there after `start`."""
        assert self._server is not None
        assert self._thread is not None
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(10)

    def fail(self, operation: str, status: int, times: int = 1, **headers: str) -> None:
        """Answer the next calls of an operation with an error; Retry_After="1" gives that header."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._faults.setdefault(operation, []).extend([("status", status, named)] * times)

    def slow(self, operation: str, seconds: float, times: int = 1) -> None:
        """Do what the next calls ask for, and answer only later."""
        self._faults.setdefault(operation, []).extend([("slow", seconds, {})] * times)

    def lose(self, operation: str, times: int = 1) -> None:
        """Do what the next calls ask for, and lose the connection before the answer is there."""
        self._faults.setdefault(operation, []).extend([("lose", None, {})] * times)

    def page(self, operation: str, times: int = 1) -> None:
        """Answer the next calls with somebody else's web page, as a proxy does."""
        self._faults.setdefault(operation, []).extend([("page", None, {})] * times)

    def say(
        self, conversation: int, text: str, sender: dict[str, Any] | None = ANA, private: bool = False, **fields: Any
    ) -> int:
        """Let an agent write, to the person or as a private note; return the message's id."""
        return int(self._add(conversation, "outgoing", text, sender, private, **fields)["id"])

    def set_status(self, conversation: int, status: str) -> None:
        """Let an agent change the status."""
        with self._lock:
            row = self.conversations[conversation]
            before, row["status"] = row["status"], status
        if before != status:
            changed = [{"status": {"previous_value": before, "current_value": status}}]
            event = {"event": "conversation_status_changed", "changed_attributes": changed}
            self._announce(self._conversation_data(conversation) | event)

    def type_on(self, conversation: int, private: bool = False) -> None:
        """Let an agent begin to type."""
        user = {name: ANA[name] for name in ("id", "name", "type")}
        data = self._conversation_data(conversation)
        self._announce({"event": "conversation_typing_on", "user": user, "conversation": data, "is_private": private})

    def texts(self, conversation: int, kind: str = "incoming", private: bool = False) -> list[str]:
        """Return the contents of a conversation's messages of a kind."""
        rows = self.messages.get(conversation, [])
        return [row["content"] for row in rows if row["message_type"] == KINDS[kind] and row["private"] == private]

    def notes(self, conversation: int) -> list[str]:
        return self.texts(conversation, "outgoing", private=True)

    def message(self, number: int) -> dict[str, Any]:
        return next(row for rows in self.messages.values() for row in rows if row["id"] == number)

    def called(self, operation: str) -> list[dict[str, Any]]:
        return [body for name, body in list(self.calls) if name == operation]

    def settle(self) -> None:
        """Return once every delivery so far was answered."""
        self._outbox.join()

    def deliver(
        self,
        payload: dict[str, Any] | bytes,
        secret: str | None = SECRET,
        age: int = 0,
        headers: dict[str, str] | None = None,
    ) -> int:
        """Post one delivery, signed with `secret` where there is one; return the answer's status."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload, ensure_ascii=False).encode()
        signed = {"Content-Type": "application/json", "X-Chatwoot-Delivery": str(uuid.uuid4())}
        if secret is not None:
            timestamp = str(int(time.time()) - age)
            digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
            signed |= {"X-Chatwoot-Timestamp": timestamp, "X-Chatwoot-Signature": f"sha256={digest}"}
        named = {name: value.encode("latin-1") for name, value in (signed | (headers or {})).items()}
        try:
            return self._http.post(self.webhook_url, content=body, headers=named).status_code
        except httpx.TransportError:
            return 0

    # what it keeps and delivers

    def _add(
        self, conversation: int, kind: str, text: str, sender: dict[str, Any] | None, private: bool, **fields: Any
    ) -> dict[str, Any]:
        with self._lock:
            row = {
                "id": next(self._message_numbers),
                "content": text,
                "inbox_id": self.conversations[conversation]["inbox_id"],
                "conversation_id": conversation,
                "message_type": KINDS[kind],
                "content_type": "text",
                "content_attributes": {},
                "status": "sent",
                "created_at": int(time.time()),
                "private": private,
                "source_id": None,
            }
            row |= fields
            if sender:
                row["sender"] = sender
            self.messages.setdefault(conversation, []).append(row)
            reopened = kind == "incoming" and self.conversations[conversation]["status"] in ("resolved", "snoozed")
        if reopened:  # as a reply of the person does
            self.set_status(conversation, "open")
        if kind in ("incoming", "outgoing", "template"):
            self._announce(self._message_data(row, kind))
        return row

    def _conversation_data(self, conversation: int) -> dict[str, Any]:
        row = self.conversations[conversation]
        contact = self.contacts[row["contact_id"]]
        public = [each for each in self.messages.get(conversation, []) if not each["private"]]
        return {
            "additional_attributes": {},
            "can_reply": True,
            "channel": "Channel::Api",
            "contact_inbox": {
                "id": 1,
                "contact_id": contact["id"],
                "inbox_id": row["inbox_id"],
                "source_id": row["source_id"],
            },
            "id": conversation,
            "inbox_id": row["inbox_id"],
            "messages": public[-1:],
            "meta": {"sender": contact, "assignee": None, "hmac_verified": False},
            "status": row["status"],
            "unread_count": 0,
            "timestamp": int(time.time()),
        }

    def _message_data(self, row: dict[str, Any], kind: str) -> dict[str, Any]:
        # A delivery names the account's full name, not the one that the agent shows.
        sender = {name: value for name, value in (row.get("sender") or {}).items() if name != "available_name"}
        return {
            "event": "message_created",
            "account": {"id": ACCOUNT, "name": "Stand-in"},
            "inbox": {"id": row["inbox_id"], "name": "Helpline"},
            "conversation": self._conversation_data(row["conversation_id"]),
            "id": row["id"],
            "content": row["content"],
            "content_type": row["content_type"],
            "content_attributes": row["content_attributes"],
            "created_at": "2026-11-26T07:00:00.000Z",
            "message_type": kind,
            "private": row["private"],
            "source_id": row["source_id"],
            "sender": sender or None,
        }

    def _announce(self, payload: dict[str, Any]) -> None:
        if self.holding:
            self.held.append(payload)
        elif self.webhook_url:
            self._outbox.put(payload)

    def _deliver_all(self) -> None:
        while (payload := self._outbox.get()) is not None:
            status = self.deliver(payload)
            self.answers.append((payload["event"], status))
            if not 200 <= status < 300 and payload["event"] == "message_created":
                self.message(payload["id"])["status"] = "failed"
            self._outbox.task_done()

    # what is asked of it

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        operation, arguments = self._operation(request.method, request.url.path)
        body = await request.body()
        given: dict[str, Any] = json.loads(body) if body else dict(request.query_params)
        self.calls.append((operation, given))
        faults = self._faults.get(operation)
        fault, detail, headers = faults.pop(0) if faults else ("", None, {})
        if fault == "status":
            response: Response = JSONResponse({"error": "made to fail"}, status_code=detail, headers=headers)
        elif fault == "page":
            response = Response("<html>Welcome to nginx!</html>", media_type="text/html")
        else:
            response = self._answer(request, operation, arguments, given)
        if fault == "lose":
            start = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]}
            await send(start)
            await send({"type": "http.response.body", "body": b"", "more_body": True})
            return
        if fault == "slow":
            await asyncio.sleep(detail)
        await response(scope, receive, send)

    @staticmethod
    def _operation(method: str, path: str) -> tuple[str, list[int]]:
        shapes = {
            ("POST", r"contacts"): "contact_create",
            ("GET", r"contacts/search"): "contact_search",
            ("GET", r"contacts/(\d+)/conversations"): "contact_conversations",
            ("GET", r"inboxes/(\d+)"): "inbox_show",
            ("POST", r"conversations"): "conversation_create",
            ("GET", r"conversations/(\d+)"): "conversation_show",
            ("GET", r"conversations/(\d+)/messages"): "message_list",
            ("POST", r"conversations/(\d+)/messages"): "message_create",
            ("POST", r"conversations/(\d+)/toggle_status"): "toggle_status",
        }
        for (verb, shape), operation in shapes.items():
            match = re.fullmatch(rf"/api/v1/accounts/{ACCOUNT}/{shape}", path)
            if match and verb == method:
                return operation, [int(each) for each in match.groups()]
        return "unknown", []

    def _answer(self, request: Request, operation: str, arguments: list[int], given: dict[str, Any]) -> Response:
        token = request.headers.get("api_access_token")
        if token not in (TOKEN, BOT_TOKEN):
            return _error(401, "Invalid Access Token")
        if token == BOT_TOKEN and operation not in BOTS_MAY:
            return _error(401, "Access to this endpoint is not authorized for bots")
        handler = getattr(self, f"_on_{operation}", None)
        if handler is None:
            return _error(404, "No such page")
        try:
            answer = handler(*arguments, given=given)
        except KeyError:
            return _error(404, "Resource could not be found")
        return answer if isinstance(answer, Response) else JSONResponse(answer)

    def _on_inbox_show(self, inbox: int, given: dict[str, Any]) -> Any:
        kinds = {INBOX: "Channel::Api", OTHER_INBOX: "Channel::WebWidget"}
        return {"id": inbox, "name": "Helpline", "channel_type": kinds[inbox]}

    def _on_contact_create(self, given: dict[str, Any]) -> Any:
        identifier = given.get("identifier")
        with self._lock:
            if identifier and any(each["identifier"] == identifier for each in self.contacts.values()):
                message = "Identifier has already been taken"
                return JSONResponse({"message": message, "attributes": ["identifier"]}, status_code=422)
            number = next(self._numbers)
            contact_inbox = {
                "source_id": given.get("source_id") or str(uuid.uuid4()),
                "inbox": {"id": given["inbox_id"]},
            }
            self.contacts[number] = {
                "id": number,
                "name": given.get("name"),
                "identifier": identifier,
                "email": given.get("email"),
                "phone_number": given.get("phone_number"),
                "additional_attributes": given.get("additional_attributes", {}),
                "custom_attributes": given.get("custom_attributes", {}),
                "contact_inboxes": [contact_inbox],
                "type": "contact",
            }
        return {"payload": {"contact": self.contacts[number], "contact_inbox": contact_inbox}}

    def _on_contact_search(self, given: dict[str, Any]) -> Any:
        wanted = given["q"]
        rows = [
            each for each in self.contacts.values() if wanted in (each["identifier"] or "") or wanted in each["name"]
        ]
        return {"meta": {"count": len(rows), "current_page": "1"}, "payload": rows}

    def _on_contact_conversations(self, contact: int, given: dict[str, Any]) -> Any:
        assert self.contacts[contact]
        rows = [each for each in self.conversations.values() if each["contact_id"] == contact]
        return {"payload": rows}

    def _on_conversation_create(self, given: dict[str, Any]) -> Any:
        contact = self.contacts[given["contact_id"]]
        with self._lock:
            number = next(self._conversation_numbers)
            self.conversations[number] = {
                "id": number,
                "account_id": ACCOUNT,
                "inbox_id": given["inbox_id"],
                "contact_id": contact["id"],
                "source_id": given["source_id"],
                "status": "pending" if self.with_bot else given.get("status", "open"),
            }
        self._announce(self._conversation_data(number) | {"event": "conversation_created"})
        return self.conversations[number]

    def _on_conversation_show(self, conversation: int, given: dict[str, Any]) -> Any:
        return self.conversations[conversation]

    def _on_message_list(self, conversation: int, given: dict[str, Any]) -> Any:
        assert self.conversations[conversation]
        with self._lock:
            rows = list(self.messages.get(conversation, []))
        newer = [row for row in rows if row["id"] > int(given["after"])][:PAGE] if "after" in given else rows[-LATEST:]
        return {"meta": {"labels": []}, "payload": newer}

    def _on_message_create(self, conversation: int, given: dict[str, Any]) -> Any:
        if "\0" in given["content"]:
            return _error(500, "string contains null byte")
        kind = given.get("message_type", "outgoing")
        contact = self.contacts[self.conversations[conversation]["contact_id"]]
        sender = contact if kind == "incoming" else {"id": 10, "name": "Helpline", "type": "user"}
        kept = {"source_id": given.get("source_id")}
        row = self._add(conversation, kind, given["content"], sender, bool(given.get("private")), **kept)
        return row | {"echo_id": given.get("echo_id")}

    def _on_toggle_status(self, conversation: int, given: dict[str, Any]) -> Any:
        if given.get("status") not in STATES:
            return _error(500, "not a valid status")
        self.set_status(conversation, given["status"])
        status = {"success": True, "conversation_id": conversation, "current_status": given["status"]}
        return {"meta": {}, "payload": status}


def _error(status: int, message: str) -> JSONResponse:
    return JSONResponse({"error": message}, status_code=status)
