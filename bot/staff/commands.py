"""The command line for staff: `helpline operator …` and `helpline audit …`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from bot import log, settings
from bot.staff.accounts import CODE_HOURS, MOST_CAP, Accounts, Operator, Role
from bot.staff.audit import Audit
from bot.staff.errors import StaffError
from bot.store.database import connect
from bot.store.migrate import migrate
from bot.text.catalogue import ROOT, load_languages
from bot.vault.keys import load_or_create
from bot.vault.vault import Unreadable, Vault

WORDS = {
    "unknown_operator": "there is no such login: `helpline operator list` shows all",
    "login_bad": "--login: expected 2 to 64 characters without spaces, like ana",
    "login_taken": "this login is taken: choose another, or `helpline operator reset` for a new enrolment code",
    "name_bad": "--name: expected 1 to 40 characters: the first name or role that people are shown, like Ana",
    "team_bad": "--team: expected 1 to 40 letters, digits or hyphens, like rome",
    "language_bad": "--language: expected the code of a language, like en",
    "cap_bad": f"--cap: expected 1 to {MOST_CAP} conversations at once",
}


@contextmanager
def _staff() -> Iterator[tuple[Accounts, Audit]]:
    """Yield the accounts and the audit log of this installation; errors say what to do, without a traceback."""
    from bot.cli import clear_errors

    with clear_errors():
        chosen = settings.load()
        log.configure("error")
        chosen.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        vault = Vault(load_or_create(chosen.master_key))
        engine = connect(chosen.database)
        try:
            migrate(engine)
            audit = Audit(engine, vault)
            yield Accounts(engine, vault, audit), audit
        except StaffError as error:
            raise click.ClickException(WORDS.get(error.name, error.name)) from None
        except Unreadable:
            raise click.ClickException(
                f"the accounts can't be read with the master key in {chosen.master_key}: restore the one they were "
                "made with"
            ) from None
        finally:
            engine.dispose()


@click.group("operator")
def operators() -> None:
    """Who may work in the console."""


@operators.command()
@click.option("--login", prompt="Login", help="What they log in with.")
@click.option("--role", type=click.Choice([role.value for role in Role]), prompt="Role")
@click.option("--team", default="main", show_default=True, help="Whose cases they work on.")
@click.option("--name", prompt="Name that people are shown (a first name or a role)")
@click.option("--language", default="en", show_default=True, help="The language of their console.")
def add(login: str, role: str, team: str, name: str, language: str) -> None:
    """Add an account; prints a one-time code for enrolling."""
    languages = load_languages(ROOT / "locales")
    if language not in languages:
        raise click.ClickException(f"--language: expected one of {', '.join(languages)}")
    with _staff() as (accounts, _):
        code = accounts.add(login, Role(role), team, name, language)
        _show_code(code)


@operators.command("list")
def list_() -> None:
    """List all accounts."""
    with _staff() as (accounts, _):
        everybody = accounts.all()
    if not everybody:
        click.echo("No accounts yet: `helpline operator add` makes one.")
    for operator in everybody:
        click.echo(
            f"{operator.login:20} {operator.role.value:14} {operator.team:14} {operator.language:3} "
            f"{_state(operator):14} {operator.id}  {operator.name}"
        )


def _state(operator: Operator) -> str:
    if not operator.active:
        return "disabled"
    if operator.public_key is None:
        return "enrolling" if operator.enrolling else "code expired"
    return "recovering" if operator.enrolling else "active"


@operators.command()
@click.argument("login")
def disable(login: str) -> None:
    """Let somebody in no longer. Their sessions end within seconds."""
    with _staff() as (accounts, _):
        accounts.change(_find(accounts, login).id, by="cli", active=False)
        click.echo("Disabled. `helpline operator enable` undoes it.")


@operators.command()
@click.argument("login")
def enable(login: str) -> None:
    """Let somebody in again."""
    with _staff() as (accounts, _):
        accounts.change(_find(accounts, login).id, by="cli", active=True)
        click.echo("Enabled.")


@operators.command()
@click.argument("login")
@click.option("--yes", is_flag=True, help="Don't ask.")
def reset(login: str, yes: bool) -> None:
    """Give somebody a new enrolment code, and a new key pair.

    What was sealed to the old key pair they can no longer read, until colleagues of their team seal it anew. Two
    administrators can let somebody back in with the old key pair, in the console.
    """
    with _staff() as (accounts, _):
        operator = _find(accounts, login)
        if operator.public_key and not yes:
            click.confirm(
                "This account has a key pair, which will be lost; two administrators can recover it in the console "
                "instead. Go on?",
                abort=True,
            )
        _show_code(accounts.reset(operator.id, by="cli"))


def _find(accounts: Accounts, login: str) -> Operator:
    operator = accounts.find(login)
    if operator is None:
        raise StaffError("unknown_operator")
    return operator


def _show_code(code: str) -> None:
    click.echo(f"One-time code: {code}")
    click.echo(f"It is valid for {CODE_HOURS} hours and shown only here. Give it to them in person, or by a call.")
    click.echo("They enrol at /console/enrol of this helpline, with their login and this code.")


@click.group()
def audit() -> None:
    """The log of who did what; it holds no message text."""


@audit.command()
@click.option("--expect", default="", metavar="COUNT:HASH", help="What an earlier `verify` printed.")
def verify(expect: str) -> None:
    """Check that no row was changed, added, moved or deleted; prints COUNT:HASH.

    Keep what it prints elsewhere, and give it to the next one with --expect: so rows cut off at the end are found too.
    """
    match = re.fullmatch(r"(\d{1,18}):([0-9a-f]{64})", expect)
    if expect and not match:
        raise click.ClickException("--expect: expected COUNT:HASH, as an earlier `helpline audit verify` printed it")
    with _staff() as (_, log_):
        result = log_.verify((int(match[1]), match[2]) if match else None)
    if result.broken is None:
        click.echo(f"{result.count}:{result.head}")
        return
    words = {
        "changed": "was changed, or was not written by this helpline",
        "missing": "does not follow the row before it: rows were deleted, added or moved there",
        "cut": "is missing: rows were cut off at the end",
        "other": "is not the one that was expected: rows were replaced",
    }
    click.echo(f"BROKEN  row {result.broken} {words[result.why]}")
    sys.exit(1)
