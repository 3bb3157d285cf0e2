"""Load on the console: PEOPLE in the web chat are with staff at once, OPERATORS each look at the cases that they have.

Measured from the moment a message is sent until it stands in what the other side's screen has received: through
server-sent events and the page's own request for new lines in the console, through the page's open question in the
web chat. Everything runs on this machine, the browsers' side too.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import secrets
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp

from tests.staffroom import PASSWORD, Employee, employ
from tests.support import Helpline

PEOPLE, OPERATORS = 200, 20
SECONDS = 60.0
LINES = (
    "my boss keeps my passport",
    "I need a place to sleep",
    "I am in Italy",
    "can you help me",
    "he is not here now",
)
EACH_WRITES_EVERY, EACH_ANSWERS_EVERY = 15.0, 3.0


PATIENT = aiohttp.ClientTimeout(total=90)


class Watch:
    """When what was sent, and how long it took until it was seen."""

    def __init__(self) -> None:
        self.sent: dict[str, float] = {}
        self.took: list[float] = []

    def writes(self) -> str:
        word = str(secrets.randbelow(9 * 10**11) + 10**11)
        self.sent[word] = time.perf_counter()
        return word

    def sees(self, text: str) -> None:
        for word in re.findall(r"\b\d{12}\b", text):
            started = self.sent.pop(word, None)
            if started is not None:
                self.took.append(time.perf_counter() - started)


class Page:
    """A web chat's page."""

    def __init__(self, http: aiohttp.ClientSession, seen: Watch) -> None:
        self.http = http
        self.seen = seen
        self.conversation = secrets.token_urlsafe(32)

    async def post(self, **fields: str) -> dict[str, Any]:
        fields |= {"conversation": self.conversation, "language": "en"}
        async with self.http.post("/", json=fields, headers={"Accept": "application/json"}) as answer:
            answer.raise_for_status()
            return dict(await answer.json())

    async def asks(self) -> None:
        answer = await self.post(text="I want to talk to a real person")
        choices = [c for message in answer["messages"] for c in message["choices"]]
        await self.post(choice=next(c["token"] for c in choices if c["title"].startswith("Yes")))

    async def listens(self) -> None:
        shown: list[str] = []
        status = ""
        while True:
            fields = {"conversation": self.conversation, "shown": shown[-50:], "status": status}
            async with self.http.post("/news", json=fields) as answer:
                if answer.status != 200:
                    return
                news = await answer.json()
            status = news["status"]["digest"]
            for line in news["lines"]:
                shown.append(line["token"])
                self.seen.sees(json.dumps(line))


class Screen:
    """An operator's console."""

    def __init__(self, helpline: Helpline, employee: Employee, seen: Watch) -> None:
        self.http = aiohttp.ClientSession(
            helpline.url, headers={"User-Agent": employee.login}, timeout=PATIENT, cookie_jar=aiohttp.DummyCookieJar()
        )
        self.employee = employee
        self.seen = seen
        self.cases: dict[str, int] = {}
        self.changed: asyncio.Queue[str] = asyncio.Queue()
        self.listed = asyncio.Event()

    async def _ask(self, method: str, path: str, **fields: str) -> tuple[int, str]:
        headers = {"HX-Request": "true"} if "/lines" in path or path.endswith(("/say", "/presence")) else {}
        async with self.http.request(
            method, path, data=fields or None, headers=headers, allow_redirects=False
        ) as answer:
            return answer.status, await answer.text()

    async def logs_in(self) -> None:
        fields = {"login": self.employee.login, "password": PASSWORD, "code": self.employee.code()}
        async with self.http.post("/console/login", data=fields, allow_redirects=False) as answer:
            cookies = answer.headers.getall("Set-Cookie")
        self.http.headers["Cookie"] = "; ".join(each.partition(";")[0] for each in cookies)
        _, page = await self._ask("GET", "/console/queue")
        self.http.headers["X-CSRF"] = page.partition('data-csrf="')[2].partition('"')[0]
        status, _ = await self._ask("POST", "/console/presence", state="duty")
        if status != 200:
            raise RuntimeError("not on duty")

    async def takes(self, count: int) -> None:
        while len(self.cases) < count:
            _, page = await self._ask("GET", "/console/queue")
            waiting = re.findall(r"/console/case/([0-9a-f]{32})/take", page)
            for case in waiting[: count - len(self.cases)]:
                status, _ = await self._ask("POST", f"/console/case/{case}/take")
                if status == 303 and len(self.cases) < count:
                    self.cases[case] = 0

    async def listens(self) -> None:
        async with self.http.get("/console/events", timeout=aiohttp.ClientTimeout(total=None)) as answer:
            event = ""
            async for line in answer.content:
                name, _, value = line.decode().strip().partition(": ")
                if name == "event":
                    event = value
                elif name == "data" and event == "case" and value in self.cases:
                    self.changed.put_nowait(value)
                elif name == "data" and event == "queue":
                    self.listed.set()

    async def looks(self) -> None:
        """Fetch the new lines of what has changed, each case once however often it was told of."""
        while True:
            changed = {await self.changed.get()}
            while not self.changed.empty():
                changed.add(self.changed.get_nowait())
            for case in changed:
                address = f"/console/case/{case}/lines?after={self.cases[case]}"
                _, page = await self._ask("GET", address)
                self.seen.sees(page)
                last = re.search(r'data-last="(\d+)"', page)
                self.cases[case] = int(last[1]) if last else self.cases[case]

    async def counts(self) -> None:
        """Fetch who waits, at most twice a second, as every page of the console does."""
        while True:
            await self.listed.wait()
            self.listed.clear()
            await self._ask("GET", "/console/presence")
            await asyncio.sleep(0.5)

    async def answers(self, watch: Watch) -> None:
        while True:
            await asyncio.sleep(EACH_ANSWERS_EVERY * (0.5 + random.random()))
            case = random.choice(list(self.cases))
            await self._ask("POST", f"/console/case/{case}/say", text=watch.writes(), key=secrets.token_hex(8))


async def measure() -> tuple[list[float], list[float]]:
    """Return how long messages took, from people to screens and from operators to pages."""
    with tempfile.TemporaryDirectory() as folder:
        helpline = Helpline(Path(folder)).start()
        try:
            return await _measure(helpline)
        finally:
            helpline.stop()


async def _measure(helpline: Helpline) -> tuple[list[float], list[float]]:
    started = time.perf_counter()
    to_staff, to_people = Watch(), Watch()
    employees = await asyncio.to_thread(lambda: [employ(helpline, f"op{n}", cap=50) for n in range(OPERATORS)])
    screens = [Screen(helpline, employee, to_staff) for employee in employees]
    connector = aiohttp.TCPConnector(limit=3 * PEOPLE)
    async with aiohttp.ClientSession(helpline.url, connector=connector, timeout=PATIENT) as http:
        for screen in screens:
            await screen.logs_in()
        pages = [Page(http, to_people) for _ in range(PEOPLE)]
        for page in pages:
            await page.asks()
        print(f"[bench] {PEOPLE} people wait ({time.perf_counter() - started:.0f} s)", file=sys.stderr, flush=True)
        for screen in screens:
            await screen.takes(PEOPLE // OPERATORS)
        print(f"[bench] all are taken ({time.perf_counter() - started:.0f} s)", file=sys.stderr, flush=True)

        async def writes(page: Page) -> None:
            await asyncio.sleep(random.random() * EACH_WRITES_EVERY)
            while True:
                await page.post(text=f"{random.choice(LINES)} {to_staff.writes()}")
                await asyncio.sleep(EACH_WRITES_EVERY * (0.5 + random.random()))

        tasks = [asyncio.create_task(page.listens()) for page in pages]
        tasks += [
            asyncio.create_task(each)
            for screen in screens
            for each in (screen.listens(), screen.looks(), screen.counts())
        ]
        await asyncio.sleep(3)
        tasks += [asyncio.create_task(writes(page)) for page in pages]
        tasks += [asyncio.create_task(screen.answers(to_people)) for screen in screens]
        await asyncio.sleep(SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=10)
        for screen in screens:
            await screen.http.close()
    return to_staff.took, to_people.took


def table(to_staff: list[float], to_people: list[float]) -> str:
    import statistics

    lines = ["| message to screen | messages | median | 95th percentile |", "|---|---|---|---|"]
    for name, took in (("from a person to the operator", to_staff), ("from an operator to the person", to_people)):
        middle, high = statistics.median(took), statistics.quantiles(took, n=20)[18]
        lines.append(f"| {name} | {len(took)} | {1000 * middle:,.0f} ms | {1000 * high:,.0f} ms |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(*asyncio.run(measure())))
