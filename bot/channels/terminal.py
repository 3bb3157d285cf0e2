"""The terminal as a channel, for trying the assistant out: the same router, engine and store."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

import click

from bot.conversation.turn import Kind, Reply, Turn
from bot.text.catalogue import END_ISOLATE, ISOLATE

if TYPE_CHECKING:
    from bot.app import Gateway

CHANNEL = "terminal"
_BARE = str.maketrans({ISOLATE: None, END_ISOLATE: None})


async def converse(gateway: Gateway, language: str) -> None:
    """Talk until the person leaves. The conversation is forgotten at the end."""
    address = secrets.token_urlsafe(24)
    await gateway.start()
    try:
        click.echo("Starting…")
        for _ in range(600):
            if await gateway.engine.ready():
                break
            await asyncio.sleep(0.1)
        tokens: list[str] = []
        turn = Turn(CHANNEL, address, Kind.COMMAND, "start", language)
        while True:
            async with gateway.router.answer(turn) as reply:
                tokens = _show(reply) if reply else tokens
            if reply is None or reply.cover:
                return
            line = await asyncio.to_thread(_read)
            if line is None:
                return
            if line.isdecimal() and 0 < int(line) <= len(tokens):
                turn = Turn(CHANNEL, address, Kind.BUTTON, tokens[int(line) - 1], language)
            elif line.startswith("/"):
                turn = Turn(CHANNEL, address, Kind.COMMAND, line[1:], language)
            else:
                turn = Turn(CHANNEL, address, Kind.TEXT, line, language)
    finally:
        await gateway.router.forget(CHANNEL, address)
        await gateway.stop()


def _read() -> str | None:
    try:
        return input("> ").strip()
    except EOFError:
        return None


def _show(reply: Reply) -> list[str]:
    tokens: list[str] = []
    for message in reply.messages:
        click.echo("\n" + message.text.translate(_BARE))
        for choice in message.choices:
            tokens.append(choice.token)
            click.echo(f"  [{len(tokens)}] {choice.title}")
    return tokens
