"""Load on the console: PEOPLE in the web chat are with staff at once, OPERATORS each look at the cases that they have.

Measured from the moment a message is sent until it stands in what the other side's screen has received: through
server-sent events and the page's own request for new lines in the console, through the page's open question in the
web chat. Everything runs on this machine, the browsers' side too.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import re
import secrets
import tempfile
import time
from pathlib import Path

import httpx

from tests.staffroom import PASSWORD, Employee, employ
from tests.support import Helpline

PEOPLE, OPERATORS = 200, 20
SECONDS = 60.0
EACH_WRITES_EVERY, EACH_ANSWERS_EVERY = 15.0, 3.0


class Watch:
    """When what was sent, and how long it took until it was seen."""

    def __init__(self) -> None:
        self.sent: dict[str, float] = {}
        self.took: list[float] = []

    def writes(self) -> str:
        word = f"w{secrets.token_hex(6)}"
        self.sent[word] = time.perf_counter()
        return word

    def sees(self, text: str) -> None:
        for word in re.findall(r"w[0-9a-f]{12}", text):
            started = self.sent.pop(word, None)
            if started is not None:
                self.took.append(time.perf_counter() - started)


class Page:
    """A web chat's page."""

    def __init__(self, http: httpx.AsyncClient, seen: Watch) -> None:
        self.http = http
        self.seen = seen
        self.conversation = secrets.token_urlsafe(32)

    async def post(self, **fields: str) -> dict[str, object]:
        fields |= {"conversation": self.conversation, "language": "en"}
        answer = await self.http.post("/", json=fields, headers={"Accept": "application/json"}, timeout=60)
        answer.raise_for_status()
        return dict(answer.json())

    async def asks(self) -> None:
        answer = await self.post(text="I want to talk to a real person")
        choices = [c for message in answer["messages"] for c in message["choices"]]  # type: ignore[attr-defined]
        await self.post(choice=next(c["token"] for c in choices if c["title"].startswith("Yes")))

    async def listens(self) -> None:
        shown: list[str] = []
        status = ""
        while True:
            fields = {"conversation": self.conversation, "shown": shown[-50:], "status": status}
            answer = await self.http.post("/news", json=fields, timeout=60)
            if answer.status_code != 200:
                return
            news = answer.json()
            status = news["status"]["digest"]
            for line in news["lines"]:
                shown.append(line["token"])
                self.seen.sees(json.dumps(line))


class Screen:
    """An operator's console."""

    def __init__(self, helpline: Helpline, employee: Employee, seen: Watch) -> None:
        self.http = httpx.AsyncClient(base_url=helpline.url, timeout=60, headers={"User-Agent": employee.login})
        self.employee = employee
        self.seen = seen
        self.cases: dict[str, int] = {}
        self.changed: asyncio.Queue[str] = asyncio.Queue()

    async def logs_in(self) -> None:
        fields = {"login": self.employee.login, "password": PASSWORD, "code": self.employee.code()}
        answer = await self.http.post("/console/login", data=fields)
        cookies = answer.headers.get_list("set-cookie")
        self.http.headers["Cookie"] = "; ".join(each.partition(";")[0] for each in cookies)
        page = (await self.http.get("/console/queue")).text
        self.http.headers["X-CSRF"] = page.partition('data-csrf="')[2].partition('"')[0]
        (await self.http.post("/console/presence", data={"state": "duty"})).raise_for_status()

    async def takes(self, count: int) -> None:
        while len(self.cases) < count:
            page = (await self.http.get("/console/queue")).text
            waiting = re.findall(r"/console/case/([0-9a-f]{32})/take", page)
            for case in random.sample(waiting, min(3, len(waiting))):
                answer = await self.http.post(f"/console/case/{case}/take")
                if answer.status_code == 303 and len(self.cases) < count:
                    self.cases[case] = 0

    async def listens(self) -> None:
        async with self.http.stream("GET", "/console/events", timeout=None) as answer:
            event = ""
            async for line in answer.aiter_lines():
                name, _, value = line.partition(": ")
                if name == "event":
                    event = value
                elif name == "data" and event == "case" and value in self.cases:
                    self.changed.put_nowait(value)

    async def looks(self) -> None:
        """Fetch the new lines of what has changed, each case once however often it was told of."""
        while True:
            changed = {await self.changed.get()}
            while not self.changed.empty():
                changed.add(self.changed.get_nowait())
            for case in changed:
                address = f"/console/case/{case}/lines?after={self.cases[case]}"
                page = (await self.http.get(address, headers={"HX-Request": "true"})).text
                self.seen.sees(page)
                last = re.search(r'data-last="(\d+)"', page)
                self.cases[case] = int(last[1]) if last else self.cases[case]

    async def answers(self, watch: Watch) -> None:
        while True:
            await asyncio.sleep(EACH_ANSWERS_EVERY * (0.5 + random.random()))
            case = random.choice(list(self.cases))
            fields = {"text": watch.writes(), "key": secrets.token_hex(8)}
            await self.http.post(f"/console/case/{case}/say", data=fields, headers={"HX-Request": "true"})


async def measure() -> tuple[list[float], list[float]]:
    """Return how long messages took, from people to screens and from operators to pages."""
    with tempfile.TemporaryDirectory() as folder:
        helpline = Helpline(Path(folder)).start()
        try:
            return await _measure(helpline)
        finally:
            helpline.stop()


async def _measure(helpline: Helpline) -> tuple[list[float], list[float]]:
    to_staff, to_people = Watch(), Watch()
    employees = await asyncio.to_thread(lambda: [employ(helpline, f"op{n}", cap=50) for n in range(OPERATORS)])
    screens = [Screen(helpline, employee, to_staff) for employee in employees]
    limits = httpx.Limits(max_connections=2 * PEOPLE, max_keepalive_connections=2 * PEOPLE)
    async with httpx.AsyncClient(base_url=helpline.url, limits=limits) as http:
        for screen in screens:
            await screen.logs_in()
        pages = [Page(http, to_people) for _ in range(PEOPLE)]
        for page in pages:
            await page.asks()
        for screen in screens:
            await screen.takes(PEOPLE // OPERATORS)

        async def writes(page: Page) -> None:
            await asyncio.sleep(random.random() * EACH_WRITES_EVERY)
            while True:
                await page.post(text=f"I wait here {to_staff.writes()}")
                await asyncio.sleep(EACH_WRITES_EVERY * (0.5 + random.random()))

        tasks = [asyncio.create_task(page.listens()) for page in pages]
        tasks += [asyncio.create_task(each) for screen in screens for each in (screen.listens(), screen.looks())]
        await asyncio.sleep(3)
        tasks += [asyncio.create_task(writes(page)) for page in pages]
        tasks += [asyncio.create_task(screen.answers(to_people)) for screen in screens]
        await asyncio.sleep(SECONDS)
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError, httpx.HTTPError):
                await task
        for screen in screens:
            await screen.http.aclose()
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
