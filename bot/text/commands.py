"""`helpline locales …`: how complete, reviewed and sound the translations are."""

from __future__ import annotations

import sys

import click

MOST_SHOWN = 200


@click.group()
def locales() -> None:
    """The translations."""


@locales.command()
def status() -> None:
    """Show how much of each language is translated, and how much a native speaker has reviewed, by class of text."""
    from bot.text.locales import CLASSES
    from bot.text.locales import status as read

    click.echo(f"{'':8}{'':10}" + "".join(f"{kind:>22}" for kind in CLASSES))
    click.echo(f"{'':8}{'':10}" + f"{'translated, reviewed':>22}" * len(CLASSES))
    for each in read():
        cells = [
            f"{each.translated[kind]}/{each.total[kind]}, {each.reviewed[kind]}" if each.total[kind] else "–"
            for kind in CLASSES
        ]
        offered = "offered" if each.offered else "not yet"
        click.echo(f"{each.language.code:8}{offered:10}" + "".join(f"{cell:>22}" for cell in cells))
    click.echo("What no native speaker has reviewed is a draft.")


@locales.command()
@click.argument("languages", nargs=-1)
@click.option("--errors", is_flag=True, help="Leave out what is only to be looked at.")
def check(languages: tuple[str, ...], errors: bool) -> None:
    """Compare translations with their source: numbers, placeholders, links, buttons, length, words to avoid.

    The exit status is 1 where there is an error.
    """
    from bot.text import locales as sound

    known = sound.languages()
    for language in languages:
        if language not in known:
            raise click.BadParameter(f"{language}: expected one of {', '.join(known)}", param_hint="LANGUAGES")
    broken = False
    for language in languages or known:
        found = [each for each in sound.check(language) if each.level == sound.ERROR or not errors]
        wrong = sum(each.level == sound.ERROR for each in found)
        broken = broken or wrong > 0
        for each in found[:MOST_SHOWN]:
            at = each.message.at[0] if each.message.at else ""
            detail = f" ({each.detail})" if each.detail else ""
            click.echo(f"{language} {each.level:8}{at}: {each.what}{detail}\n    {each.message.source[:100]!r}"
                       f"\n    {each.message.text[:100]!r}")  # fmt: skip
        more = f", of which {MOST_SHOWN} are shown" if len(found) > MOST_SHOWN else ""
        click.echo(f"{language}: {wrong} errors, {len(found) - wrong} to look at{more}")
    sys.exit(1 if broken else 0)
