"""`helpline check`: what is configured, what is missing, what is broken. Never a secret."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timezone

from sqlalchemy.engine import make_url

from bot import settings
from bot.conversation.cards import CARDS, DRAFTS
from bot.conversation.language import FILE_NAME
from bot.conversation.others import FILE as OTHERS
from bot.conversation.others import others
from bot.conversation.safety import SafetyScreen
from bot.directory import rights
from bot.directory.ages import Ages
from bot.directory.search import Directory
from bot.directory.starter import load_starter
from bot.settings import PREFIX, Settings
from bot.staff.accounts import Accounts, Role
from bot.staff.audit import Audit
from bot.store.database import connect
from bot.store.migrate import migrate
from bot.text.catalogue import Catalogue
from bot.vault.keys import MasterKeyError, load
from bot.vault.vault import Unreadable, Vault

OK, NOTE, BROKEN = "ok", "note", "BROKEN"
Finding = tuple[str, str, str]


def examine(chosen: Settings) -> Iterator[Finding]:
    """Yield (state, subject, words) for each part of the installation."""
    for name in settings.unknown_names(os.environ):
        yield NOTE, "settings", f"{name} is no setting of the helpline"
    yield OK, "web chat", f"{chosen.host}:{chosen.port}"
    yield from _data(chosen)
    yield from _key(chosen)
    yield from _model(chosen)
    yield from _texts()
    yield from _facts()
    yield from _database(chosen)
    yield from _staff(chosen)
    if not chosen.telegram_token:
        yield NOTE, "telegram", f"off: {PREFIX}TELEGRAM_TOKEN is not set"
    else:
        how = "webhook" if chosen.telegram_webhook_url else "long polling"
        other = "" if chosen.telegram_base_url == settings.TELEGRAM_API else ", over a server of your own"
        yield OK, "telegram", f"token set, {how}{other}"


def _data(chosen: Settings) -> Iterator[Finding]:
    folder = chosen.data_dir
    parent = folder if folder.exists() else next(each for each in folder.parents if each.exists())
    if not os.access(parent, os.W_OK):
        yield BROKEN, "data folder", f"{folder} can't be written: expected a writable folder in {PREFIX}DATA_DIR"
    else:
        yield OK, "data folder", f"{folder}; idle conversations are forgotten after {chosen.expiry_hours:g} hours"


def _key(chosen: Settings) -> Iterator[Finding]:
    if not chosen.master_key.exists():
        yield NOTE, "master key", f"{chosen.master_key} is made at the first start"
        return
    try:
        load(chosen.master_key)
    except MasterKeyError as error:
        yield BROKEN, "master key", str(error)
    else:
        yield OK, "master key", f"{chosen.master_key}, readable by its owner only"


def _model(chosen: Settings) -> Iterator[Finding]:
    models = sorted(chosen.model_dir.glob("*.tar.gz"), key=lambda file: file.stat().st_mtime)
    if not models or not (chosen.model_dir / FILE_NAME).exists():
        yield BROKEN, "model", f"none in {chosen.model_dir}: run `make train`"
    else:
        trained = datetime.fromtimestamp(models[-1].stat().st_mtime, timezone.utc)
        yield OK, "model", f"{models[-1].name}, trained {trained:%Y-%m-%d %H:%M} UTC"
    screen = SafetyScreen()
    yield OK, "safety screen", f"{len({rule[0] for rule in screen.rules})} languages"


def _texts() -> Iterator[Finding]:
    catalogue = Catalogue()
    for language in catalogue.languages.values():
        messages = {
            text
            for variations in catalogue.responses.values()
            for variation in variations
            for text in [variation.get("text", ""), *(button["title"] for button in variation.get("buttons") or ())]
        }
        missing = sum(not catalogue.translate(message, language.code)[1] for message in messages)
        words = f"{language.name}: {len(messages) - missing} of {len(messages)} texts"
        if missing:
            yield NOTE, "texts", f"{words}; the rest is shown in English"
        elif not language.reviewed:
            yield NOTE, "texts", f"{words}; a draft that no native speaker has reviewed"
        else:
            yield OK, "texts", words


def _facts() -> Iterator[Finding]:
    today = datetime.now(timezone.utc).date()
    countries = [rights.facts(country) for country in rights.countries()]
    known = [fact for facts in countries for fact in facts.values()]
    expired = sum(fact.expires <= today for fact in known)
    unreviewed = sum(fact.reviewer is None for fact in known)
    yield OK, "law", f"{len(known)} facts of {len(countries)} countries"
    if unreviewed:
        yield NOTE, "law", f"{unreviewed} of these facts were reviewed by no lawyer; each says so to the person"
    if expired:
        yield NOTE, "law", f"{expired} of these facts have expired and are not shown: read their sources again"
    if DRAFTS in CARDS.read_text(encoding="utf-8").partition("\n")[0]:
        yield NOTE, "cards", "the words in other countries' languages are drafts that no native speaker has reviewed"
    if DRAFTS in OTHERS.read_text(encoding="utf-8").partition("\n# notice")[0]:
        codes = ", ".join(other.code for other in others())
        yield NOTE, "texts", f"understood a little, and told so in a draft: {codes}"


def _database(chosen: Settings) -> Iterator[Finding]:
    url = make_url(chosen.database)
    if url.get_backend_name() == "sqlite" and url.database and not os.path.exists(url.database):
        yield NOTE, "database", "made, and the starter directory loaded, at the first start"
        return
    engine = connect(chosen.database)
    try:
        migrate(engine)
        load_starter(engine)
        health = Directory(engine, Ages(chosen.directory_review_days)).health()
    finally:
        engine.dispose()
    yield OK, "database", f"{url.get_backend_name()}, reachable"
    yield (
        OK,
        "directory",
        f"{health['services']} services of {health['organizations']} organisations; {health['countries']} countries",
    )
    if health["unverified"]:
        yield NOTE, "directory", f"{health['unverified']} services are unverified: nobody has confirmed them by calling"
    if health["stale"]:
        days = chosen.directory_review_days
        yield NOTE, "directory", f"{health['stale']} services are due for review: confirmed by nobody in {days} days"


def _staff(chosen: Settings) -> Iterator[Finding]:
    if chosen.chatwoot_url:
        yield NOTE, "staff", "conversations are handed over to Chatwoot: they are not sealed there (docs/helpdesk.md)"
        return
    url = make_url(chosen.database)
    if not chosen.master_key.exists() or (
        url.get_backend_name() == "sqlite" and url.database and not os.path.exists(url.database)
    ):
        yield NOTE, "staff", "nobody yet: `helpline operator add`"
        return
    engine = connect(chosen.database)
    try:
        vault = Vault(load(chosen.master_key))
        everybody = [each for each in Accounts(engine, vault, Audit(engine, vault)).all() if each.active]
        chain = Audit(engine, vault).verify()
    except (MasterKeyError, Unreadable):
        yield BROKEN, "staff", "the accounts can't be read with this master key: restore the one they were made with"
        return
    finally:
        engine.dispose()
    enrolled = [each for each in everybody if each.public_key]
    answer = [each for each in enrolled if each.role in (Role.OPERATOR, Role.SUPERVISOR)]
    if not any(each.team == chosen.staff_team for each in answer):
        yield NOTE, "staff", f"nobody of the team {chosen.staff_team} can take a conversation: `helpline operator add`"
    else:
        yield OK, "staff", f"{len(answer)} operators and supervisors"
    if enrolled and sum(each.role is Role.ADMINISTRATOR for each in enrolled) < 2:
        yield NOTE, "staff", "fewer than two administrators: a forgotten password can't be given back"
    if chain.broken is not None:
        yield BROKEN, "audit log", f"row {chain.broken} was changed or is missing: `helpline audit verify`"
    else:
        yield OK, "audit log", f"{chain.count} rows, unbroken"
