"""The command line: `helpline run`, `check`, `chat`, `nlu parse`, `operator …`, `audit verify`, `directory …`, and
`locales …`.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot import log, settings
from bot.settings import PREFIX, SettingError, Settings

if TYPE_CHECKING:
    from bot.app import Gateway


@contextmanager
def clear_errors() -> Iterator[None]:
    """Say what to do about errors that the person at the keyboard can mend, without a traceback."""
    from sqlalchemy.exc import SQLAlchemyError

    from bot.text.patterns import PatternError
    from bot.vault.keys import MasterKeyError

    try:
        yield
    except (SettingError, MasterKeyError, PatternError) as error:
        raise click.ClickException(str(error)) from None
    except SQLAlchemyError as error:
        kind = type(getattr(error, "orig", None) or error).__name__
        raise click.ClickException(
            f"{PREFIX}DATABASE_URL: the database can't be used ({kind}); expected one that is reachable and writable"
        ) from None
    except OSError as error:
        raise click.ClickException(f"{error.filename or ''}: {error.strerror}".lstrip(": ")) from None


class _Commands(click.Group):
    """Reads the commands for staff and the directory when they are asked for: `run` has no time for them."""

    STAFF = ("audit", "operator")
    LATER = ("directory", "locales", *STAFF)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *self.LATER])

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in self.LATER:
            return super().get_command(ctx, name)
        if name == "directory":
            from bot.directory.commands import directory

            return directory
        if name == "locales":
            from bot.text.commands import locales

            return locales
        from bot.staff import commands

        return {"audit": commands.audit, "operator": commands.operators}[name]


@click.group(cls=_Commands)
def main() -> None:
    """The helpline: a chat that gives safe help and real referrals."""
    os.umask(0o077)  # what is written is its owner's alone


@main.command()
def run() -> None:
    """Serve the web chat, and Telegram where it has a token, until Ctrl-C or SIGTERM."""
    with clear_errors():
        chosen = settings.load()
        log.configure(chosen.log_level)
        listener = _listen(chosen)
        from bot.app import Gateway

        gateway = Gateway(chosen)
    _announce(chosen, listener.getsockname()[1])
    asyncio.run(_serve(gateway, listener))
    click.echo("Stopped.")


def _listen(chosen: Settings) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in chosen.host else socket.AF_INET
        # The protocol is named because asyncio sends small answers at once (TCP_NODELAY) only where it knows it.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((chosen.host, chosen.port))
        listener.listen(256)
    except OSError as error:
        raise SettingError(
            f"{PREFIX}HOST, {PREFIX}PORT: expected an address that is free to listen on ({error.strerror})"
        ) from None
    return listener


def _announce(chosen: Settings, port: int) -> None:
    host = f"[{chosen.host}]" if ":" in chosen.host else chosen.host
    click.echo(f"Web chat:   http://{host}:{port}/")
    click.echo(f"Console:    http://{host}:{port}/console (accounts: `helpline operator add`)")
    click.echo(f"Telegram:   {_telegram(chosen)}")
    click.echo(f"Data:       {chosen.data_dir}")
    click.echo(f"Master key: {chosen.master_key} (keep a copy elsewhere; without it nothing stored can be read)")
    click.echo("Safety answers come at once; the rest when http://…/readyz says so. Ctrl-C stops.")
    sys.stdout.flush()


def _telegram(chosen: Settings) -> str:
    if not chosen.telegram_token:
        return f"off (set {PREFIX}TELEGRAM_TOKEN)"
    return "webhook" if chosen.telegram_webhook_url else "long polling"


async def _serve(gateway: Gateway, listener: socket.socket) -> None:
    import uvicorn

    from bot.app import create_app

    class Server(uvicorn.Server):
        """Uvicorn, ending normally on SIGINT and SIGTERM rather than raising them anew when all is closed."""

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, self.handle_exit, number, None)
            yield

    config = uvicorn.Config(
        create_app(gateway),
        log_config=None,
        access_log=False,
        ws="none",
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=10,
        limit_concurrency=1000,
    )
    await Server(config).serve(sockets=[listener])


@main.command()
def check() -> None:
    """Say what is configured, what is missing, and what is broken (then the exit status is 1)."""
    from bot.checks import examine

    with clear_errors():
        chosen = settings.load()
        log.configure("error")
        broken = False
        for state, subject, words in examine(chosen):
            click.echo(f"{state:8}{subject:14}{words}")
            broken = broken or state == "BROKEN"
    sys.exit(1 if broken else 0)


@main.command()
@click.option("--language", default="en", show_default=True, help="The device's language.")
def chat(language: str) -> None:
    """Talk to the assistant in this terminal; numbers choose buttons, /exit leaves."""
    with clear_errors():
        chosen = settings.load()
        log.configure("error")
        from bot.app import Gateway
        from bot.channels.terminal import converse

        gateway = Gateway(chosen)
    asyncio.run(converse(gateway, language))


@main.group()
def nlu() -> None:
    """What the assistant understands."""


@nlu.command()
def parse() -> None:
    """Read JSON lines {"text": …} and write what is understood of each, in order."""
    with clear_errors():
        chosen = settings.load()
    log.configure("error")
    os.chdir(Path(__file__).resolve().parents[1])
    from bot.engine.batch import parse_lines

    try:
        for result in parse_lines(sys.stdin.buffer, chosen.model_dir):
            line = json.dumps(result, ensure_ascii=False) + "\n"
            sys.stdout.buffer.write(line.encode("utf-8", "backslashreplace"))  # a lone surrogate becomes \udXXX again
            sys.stdout.buffer.flush()
    except FileNotFoundError:
        raise click.ClickException(f"{chosen.model_dir} holds no trained model: run `make train`") from None
    except ValueError as error:
        raise click.ClickException(str(error)) from None


if __name__ == "__main__":
    main()
