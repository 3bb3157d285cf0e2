"""`helpline directory …`: what is done with the directory from the command line."""

from __future__ import annotations

import click

from bot import settings
from bot.cli import clear_errors


@click.group()
def directory() -> None:
    """The referral directory."""


@directory.command()
@click.option("--language", default="", help="Count only services that speak this language (ISO 639).")
@click.option("--region", default="", help="council_of_europe, european_union or elsewhere.")
def health(language: str, region: str) -> None:
    """Show which country has services for which need, and how sure they are; where most is missing comes first."""
    from datetime import datetime, timezone

    from bot.directory.ages import Ages
    from bot.directory.health import REGIONS, coverage, in_words
    from bot.store.database import connect
    from bot.store.migrate import migrate

    if region and region not in REGIONS:
        raise click.BadParameter(f"expected one of {', '.join(REGIONS)}", param_hint="--region")
    with clear_errors():
        chosen = settings.load()
        chosen.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        database = connect(chosen.database)
        migrate(database)
        ages = Ages(chosen.directory_review_days, chosen.directory_grace_days, chosen.directory_hide_days)
        with database.connect() as connection:
            found = coverage(connection, ages, datetime.now(timezone.utc).date(), language, region)
        for line in in_words(found):
            click.echo(line)
