"""`helpline directory …`: what is done with the directory from the command line."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot import settings
from bot.cli import clear_errors

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from bot.directory.exchange.imports import Plan
    from bot.directory.exchange.problems import Problem
    from bot.settings import Settings

MOST_SHOWN = 30
"""Problems on the screen; the report has all."""


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


@directory.command("import")
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@click.option("--dataset", default="", help="The name under which the file comes again; else the file's own.")
@click.option("--country", default="", help="Of services that name none: an ISO 3166 code or a name.")
@click.option(
    "--map", "mapping", multiple=True, metavar="HEADER=FIELD", help="What a column is; an empty FIELD leaves it out."
)
@click.option("--theirs", is_flag=True, help="Where a row was changed here and in the file, take the file's.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option(
    "--report", type=click.Path(dir_okay=False, path_type=Path), help="Write every problem into this CSV file."
)
def import_(
    file: Path, dataset: str, country: str, mapping: tuple[str, ...], theirs: bool, dry_run: bool, report: Path | None
) -> None:
    """Import HSDS JSON, a tabular data package (folder or .zip), or a spreadsheet (CSV, XLSX): all of it, or nothing.

    The same file again changes nothing. Rows that a later file lacks are archived, never deleted.
    """
    from bot.directory.changes import Author
    from bot.directory.exchange import columns, imports, returning
    from bot.directory.exchange.problems import errors
    from bot.directory.exchange.reading import read
    from bot.directory.uploads import dataset_name
    from bot.store.database import forget_deleted
    from bot.vault.keys import load_or_create
    from bot.vault.vault import Vault

    code = columns.country(country) if country else None
    if country and code is None:
        raise click.BadParameter("expected a country's ISO 3166 code or its name", param_hint="--country")
    own = _mapping(mapping)
    name = dataset or dataset_name(file.name)
    with _opened() as (chosen, database):
        vault = Vault(load_or_create(chosen.master_key))
        if not own:
            with database.connect() as connection:
                own = imports.remembered(connection, name)
        bundle, found, _ = read(file, name, code, own)
        gc.freeze()  # a large file's rows live until the end: looking through them again and again costs a third
        with database.begin() as connection:
            if not dry_run:
                imports.hold(connection)
            edited = imports.Edited()
            if not errors(found):
                edited, more = returning.settle(connection, bundle, name, theirs)
                found = [*found, *more, *imports.check_links(connection, bundle)]
            _tell(found, report)
            if errors(found):
                raise click.ClickException("nothing was imported. Mend what is named above, then try again")
            with _progress() as progress:
                made = imports.plan(connection, name, bundle, theirs, progress, vault, edited)
                if not dry_run and not made.empty:
                    author = Author(f"import:{name}")
                    imports.apply(connection, vault, made, bundle, author, progress=progress, edited=edited)
            if not dry_run:
                imports.remember(connection, name, None, {"mapping": own} if own else None)
        forget_deleted(database)
    for line in _summary(made):
        click.echo(line)
    if dry_run:
        click.echo("Nothing was changed (--dry-run).")


@directory.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--form", type=click.Choice(["hsds-json", "hsds-tabular", "uk-json", "csv", "xlsx"]), default="hsds-json")
@click.option("--organization", default=None, help="Only this organisation's entries (its id).")
def export(file: Path, form: str, organization: str | None) -> None:
    """Write the public directory into a file. What only staff may see is never in it, nor any person's name."""
    from bot.directory.exchange.exports import export

    with _opened() as (_, database), database.connect() as connection:
        file.write_bytes(export(connection, form, organization))
    click.echo(f"{file}: {file.stat().st_size:,} bytes")


@directory.command()
@click.option("--country", required=True, help="ISO 3166 code or name; * for what helps everywhere.")
@click.option("--city", default="", help="The city that she named.")
@click.option("--need", default=None, help="What she asks for, like need_shelter.")
@click.option("--topic", default=None, help="What happened, like wages_withheld.")
@click.option("--language", "languages", multiple=True, help="A language that she reads (ISO 639).")
@click.option("--at", default="", help="A moment like 2026-11-26T10:00+01:00; else now.")
@click.option("--all", "rest", is_flag=True, help="Name those too that are not for her.")
def why(
    country: str, city: str, need: str | None, topic: str | None, languages: tuple[str, ...], at: str, rest: bool
) -> None:
    """Say which services a person would be shown, and why in this order."""
    from datetime import datetime, timezone

    from bot.directory.ages import Ages
    from bot.directory.exchange import columns
    from bot.directory.gazetteer import find
    from bot.directory.ranking import Wanted
    from bot.directory.search import EVERYWHERE, Directory
    from bot.directory.starter import load_starter
    from bot.directory.why import explain

    code = None if country == EVERYWHERE else columns.country(country)
    if code is None and country != EVERYWHERE:
        raise click.BadParameter("expected a country's ISO 3166 code or its name, or *", param_hint="--country")
    place = find(city, code) if city and code else None
    if city and place is None:
        raise click.BadParameter(f"no city of this name is known in {code}", param_hint="--city")
    try:
        now = datetime.fromisoformat(at) if at else datetime.now(timezone.utc)
    except ValueError:
        raise click.BadParameter("expected a moment like 2026-11-26T10:00+01:00", param_hint="--at") from None
    now = now if now.tzinfo else now.replace(tzinfo=timezone.utc)
    wanted = Wanted(code, need, topic, languages, (place.latitude, place.longitude) if place else None)
    with _opened() as (chosen, database):
        load_starter(database)
        ages = Ages(chosen.directory_review_days, chosen.directory_grace_days, chosen.directory_hide_days)
        for line in explain(Directory(database, ages).why(wanted, now), wanted, rest):
            click.echo(line)


@contextmanager
def _opened() -> Iterator[tuple[Settings, Engine]]:
    from bot.store.database import connect
    from bot.store.migrate import migrate

    with clear_errors():
        chosen = settings.load()
        chosen.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        database = connect(chosen.database)
        try:
            migrate(database)
            yield chosen, database
        finally:
            database.dispose()


def _mapping(given: tuple[str, ...]) -> dict[str, str]:
    from bot.directory.exchange import columns

    own = {}
    for each in given:
        header, equals, field = each.partition("=")
        if not equals or (field and field not in columns.fields() and not columns.translation(field)):
            raise click.BadParameter(
                f"{each}: expected HEADER=FIELD with one of the fields {', '.join(columns.fields())}",
                param_hint="--map",
            )
        own[header] = field
    return own


def _tell(found: list[Problem], report: Path | None) -> None:
    from bot.directory.exchange.problems import as_csv
    from bot.text.catalogue import Catalogue

    if not found and not report:
        return
    catalogue = Catalogue()
    for problem in found[:MOST_SHOWN]:
        click.echo(f"{problem.level:8}{problem.place}: {problem.words(catalogue)}", err=True)
    if len(found) > MOST_SHOWN:
        click.echo(f"… and {len(found) - MOST_SHOWN} more (--report FILE writes all)", err=True)
    if report:
        report.write_bytes(as_csv(found, catalogue))


def _summary(made: Plan) -> Iterator[str]:
    counts = made.counts()
    for what, rows in counts.items():
        if rows:
            yield f"{what:9} {', '.join(f'{count} {entity}' for entity, count in rows.items())}"
    yield f"unchanged {made.unchanged}"
    if made.empty:
        yield "The directory has all of this already."
    if made.kept:
        yield "Rows changed here and in the file were kept as they stand here (--theirs takes the file's)."


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """Yield what shows progress on a terminal, and nothing elsewhere."""
    shown = sys.stderr.isatty()

    def tell(what: str, done: int, total: int) -> None:
        if shown:
            width = 30 * done // max(total, 1)
            sys.stderr.write(f"\r{what:8} [{'#' * width:30}] {done:,} / {total:,} ")

    yield tell
    if shown:
        sys.stderr.write("\n")
