"""`make bench`: this helpline and a stock `rasa init` assistant, side by side in one run, as a table of ratios.

The stock assistant gets an environment of its own below build/bench/ (2.5 GB, kept for the next run), and is served by
`rasa run`. Both are spoken to over HTTP: ours through the web chat, with all that it stores and encrypts; stock through
its REST channel. Needs the package registry the first time.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.benchmarks import directory, staff
from tests.support import ROOT, Helpline, free_port

BUILD = ROOT / "build" / "bench"
UV = str(ROOT / ".uv" / "bin" / "uv")
RASA = "rasa==3.6.21"
STARTED = time.monotonic()
TURNS, PEOPLE, TURNS_EACH = 100, 20, 15
OURS = ["my boss keeps my passport", "I need a place to sleep", "what are my rights", "I am in Italy", "who reads this"]
STOCK = ["hello", "I am sad", "are you a bot?", "yes", "goodbye"]


@dataclass
class Figures:
    """What was measured of one system; seconds, bytes, turns a second."""

    first_safety: float | None = None
    first_engine: float = 0.0
    turn: float = 0.0
    turn_95: float = 0.0
    engine_turn: float | None = None
    parse: float = 0.0
    parse_95: float = 0.0
    rate: float = 0.0
    memory: int = 0
    size: int = 0


def say(words: str) -> None:
    print(f"[bench] {words} ({time.monotonic() - STARTED:.0f} s)", file=sys.stderr, flush=True)


def folder_size(folder: Path) -> int:
    """Return the bytes on disk below `folder`; files that are linked more than once count once."""
    seen, total = set(), 0
    for path in folder.rglob("*"):
        status = path.lstat()
        if status.st_ino not in seen:
            seen.add(status.st_ino)
            total += status.st_blocks * 512
    return total


def resident(root_pid: int) -> int:
    """Return the resident bytes of a process and all its descendants."""
    parents, sizes = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            sizes[int(folder.name)] = int((folder / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, IndexError):
            continue

    def belongs(pid: int) -> bool:
        while pid not in (0, root_pid):
            pid = parents.get(pid, 0)
        return pid == root_pid

    return sum(size for pid, size in sizes.items() if belongs(pid))


def spread(seconds: list[float]) -> tuple[float, float]:
    """Return median and 95th percentile."""
    return statistics.median(seconds), statistics.quantiles(seconds, n=20)[18]


async def timed(call: Callable[[int], Awaitable[object]], times: int, warm: int = 5) -> tuple[float, float]:
    seconds = []
    for number in range(times + warm):
        started = time.perf_counter()
        await call(number)
        seconds.append(time.perf_counter() - started)
    return spread(seconds[warm:])


async def rate(call: Callable[[int, int], Awaitable[object]]) -> float:
    """Return the turns a second of PEOPLE writing at once, each waiting for the answer before going on."""

    async def person(who: int) -> None:
        for number in range(TURNS_EACH):
            await call(who, number)

    started = time.perf_counter()
    await asyncio.gather(*(person(who) for who in range(PEOPLE)))
    return PEOPLE * TURNS_EACH / (time.perf_counter() - started)


def environment_of_ours() -> Path:
    """Install what `make run` installs (no test tools) into a folder of its own, to weigh it."""
    folder = BUILD / "ours"
    command = [
        UV,
        "sync",
        "--frozen",
        "--extra",
        "engine",
        "--no-dev",
        "--compile-bytecode",
        "--quiet",
        "--python",
        sys.executable,
    ]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"UV_PROJECT_ENVIRONMENT": str(folder)}, check=True)
    return folder


def stock_assistant() -> tuple[Path, Path]:
    """Return (environment, project) of a stock assistant, installed and trained where it is not yet."""
    environment, project = BUILD / "stock", BUILD / "stock-project"
    if not (environment / "bin" / "rasa").exists():
        python = sys.executable if sys.version_info[:2] == (3, 10) else "3.10"  # stock Rasa knows no newer
        say(f"installing {RASA} into {environment} (2.5 GB)")
        subprocess.run([UV, "venv", "--quiet", "--clear", "--python", python, str(environment)], check=True)
        packages = [RASA, "setuptools<81"]  # rasa imports pkg_resources
        command = [UV, "--no-config", "pip", "install", "--quiet", "--python", str(environment / "bin/python")]
        subprocess.run([*command, *packages], check=True)  # without the overrides of our pyproject.toml
    if not list(project.glob("models/*.tar.gz")):
        say("rasa init (trains the stock assistant)")
        shutil.rmtree(project, ignore_errors=True)
        project.mkdir(parents=True)
        log = BUILD / "rasa-init.log"
        with log.open("wb") as out:
            command = [str(environment / "bin/rasa"), "init", "--no-prompt", "--init-dir", str(project)]
            result = subprocess.run(command, env=quiet(), stdout=out, stderr=out, check=False)
        if result.returncode != 0:
            sys.exit(f"[bench] rasa init failed: see {log}")
    return environment, project


def quiet() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HELPLINE_")}
    return kept | {"RASA_TELEMETRY_ENABLED": "false", "SQLALCHEMY_SILENCE_UBER_WARNING": "1"}


async def measure_ours() -> Figures:
    figures = Figures(size=folder_size(environment_of_ours()))
    with tempfile.TemporaryDirectory() as folder:
        helpline = Helpline(Path(folder))
        started = time.monotonic()
        with helpline.stdout.open("wb") as out, helpline.stderr.open("wb") as err:
            helpline.process = subprocess.Popen(
                [sys.executable, "-m", "bot.cli", "run"], cwd=ROOT, env=helpline.environment, stdout=out, stderr=err
            )
        try:
            async with httpx.AsyncClient(base_url=helpline.url, timeout=30) as http:

                async def ask(who: str, text: str) -> str:
                    fields = {"conversation": who.ljust(32, "x"), "language": "en", "text": text}
                    answer = await http.post("/", json=fields, headers={"Accept": "application/json"})
                    answer.raise_for_status()
                    return answer.text

                while True:
                    try:
                        if "112" in await ask("danger", "help me he is beating me"):
                            break
                    except httpx.TransportError:
                        await asyncio.sleep(0.01)
                figures.first_safety = time.monotonic() - started
                while True:
                    if (await http.get("/readyz")).status_code == 200:
                        await ask("first", OURS[0])
                        break
                    await asyncio.sleep(0.02)
                figures.first_engine = time.monotonic() - started
                say("ours is ready")
                figures.turn, figures.turn_95 = await timed(lambda n: ask("median", OURS[n % 5]), TURNS)
                figures.rate = await rate(lambda who, n: ask(f"p{who}", OURS[n % 5]))
                figures.memory = resident(helpline.process.pid)
            transport = httpx.AsyncHTTPTransport(uds=_short(helpline.data / "run" / "engine.sock", Path(folder)))
            async with httpx.AsyncClient(transport=transport, base_url="http://engine", timeout=30) as engine:
                memory: dict[str, object] = {}

                async def turn(number: int) -> None:
                    nonlocal memory
                    request = {"text": OURS[number % 5], "language": "en", "turn": number, "memory": memory}
                    memory = (await engine.post("/turn", json=request)).json()["memory"]

                figures.engine_turn, _ = await timed(turn, TURNS)
                figures.parse, figures.parse_95 = await timed(
                    lambda n: engine.post("/parse", json={"text": OURS[n % 5]}), TURNS
                )
        finally:
            helpline.stop()
    return figures


def _short(path: Path, folder: Path) -> str:
    """A socket's path may have 107 bytes at most."""
    link = folder / "s"
    link.symlink_to(path)
    return str(link)


async def measure_stock() -> Figures:
    environment, project = stock_assistant()
    figures = Figures(size=folder_size(environment))
    port = free_port()
    command = [str(environment / "bin/rasa"), "run", "--enable-api", "--port", str(port)]
    started = time.monotonic()
    with (BUILD / "rasa-run.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=project, env=quiet(), stdout=log, stderr=log, start_new_session=True)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:

            async def ask(who: str, text: str) -> list[dict[str, str]]:
                answer = await http.post("/webhooks/rest/webhook", json={"sender": who, "message": text})
                answer.raise_for_status()
                answered: list[dict[str, str]] = answer.json()
                return answered

            while True:
                try:
                    if await ask("first", "hello"):
                        break
                except (httpx.TransportError, httpx.HTTPStatusError):
                    if process.poll() is not None:
                        sys.exit(f"[bench] rasa run ended: see {BUILD / 'rasa-run.log'}")
                    await asyncio.sleep(0.1)
            figures.first_engine = time.monotonic() - started
            say("stock is ready")
            figures.turn, figures.turn_95 = await timed(lambda n: ask("median", STOCK[n % 5]), TURNS)
            figures.parse, figures.parse_95 = await timed(
                lambda n: http.post("/model/parse", json={"text": STOCK[n % 5]}), TURNS
            )
            figures.rate = await rate(lambda who, n: ask(f"p{who}", STOCK[n % 5]))
            figures.memory = resident(process.pid)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return figures


def row(name: str, ours: float | None, stock: float | None, unit: str, scale: float) -> str:
    def shown(value: float | None) -> str:
        if value is None:
            return "–"
        scaled = value * scale
        return f"{scaled:,.0f} {unit}" if scaled >= 100 else f"{scaled:.1f} {unit}"

    ratio = f"{ours / stock:.2f}" if ours and stock else "–"
    return f"| {name} | {shown(ours)} | {shown(stock)} | {ratio} |"


def table(ours: Figures, stock: Figures) -> str:
    lines = [
        "| | this helpline | stock `rasa init` | ratio |",
        "|---|---|---|---|",
        row("start to first safety answer", ours.first_safety, stock.first_engine, "s", 1),
        row("start to first engine answer", ours.first_engine, stock.first_engine, "s", 1),
        row("a turn, median (HTTP, stored)", ours.turn, stock.turn, "ms", 1000),
        row("a turn, 95th percentile", ours.turn_95, stock.turn_95, "ms", 1000),
        row("a turn of the engine alone, median", ours.engine_turn, stock.turn, "ms", 1000),
        row("a parse, median", ours.parse, stock.parse, "ms", 1000),
        row("a parse, 95th percentile", ours.parse_95, stock.parse_95, "ms", 1000),
        row(f"turns a second, {PEOPLE} people at once", ours.rate, stock.rate, "/s", 1),
        row("resident memory, all processes", ours.memory, stock.memory, "MB", 1e-6),
        row("installed size", ours.size, stock.size, "MB", 1e-6),
    ]
    return "\n".join(lines)


def parse_rate() -> float:
    """Return the lines a second of `helpline nlu parse`, its start included."""
    lines = "".join(json.dumps({"text": f"{OURS[n % 5]} {n}"}) + "\n" for n in range(1000)).encode()
    environment = quiet() | {"HELPLINE_MODEL_DIR": str(ROOT / "models")}
    started = time.perf_counter()
    command = [sys.executable, "-m", "bot.cli", "nlu", "parse"]
    done = subprocess.run(command, cwd=ROOT, env=environment, input=lines, capture_output=True, check=True)
    assert done.stdout.count(b"\n") == 1000
    return 1000 / (time.perf_counter() - started)


def main() -> None:
    BUILD.mkdir(parents=True, exist_ok=True)
    say("measuring ours")
    ours = asyncio.run(measure_ours())
    lines = parse_rate()
    say(f"measuring the console: {staff.PEOPLE} handed-over conversations, {staff.OPERATORS} operators")
    console = asyncio.run(staff.measure())
    say("measuring stock")
    stock = asyncio.run(measure_stock())
    print(table(ours, stock))
    print(f"\n`helpline nlu parse`: {lines:.0f} lines a second over 1,000 lines, its start included.")
    print(f"\n{staff.PEOPLE} handed-over conversations, {staff.OPERATORS} operators, {staff.SECONDS:.0f} s:\n")
    print(staff.table(*console))
    say(f"measuring the directory: {directory.SERVICES:,} services, on each database of this machine")
    print(f"\nThe directory with {directory.SERVICES:,} services:\n")
    print(directory.main())


if __name__ == "__main__":
    main()
