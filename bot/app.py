"""The gateway, put together. Read this first: it shows every part and who gets what."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bot.channels.still_correct import StillCorrect
from bot.channels.web import WebChat
from bot.console.app import Console
from bot.conversation.effects import Effects
from bot.conversation.language import LanguageGuesser
from bot.conversation.memory import Memory
from bot.conversation.router import Router
from bot.conversation.safety import SafetyScreen
from bot.directory.ages import Ages
from bot.directory.mail import Mailer, MailError
from bot.directory.search import Directory
from bot.directory.starter import load_starter
from bot.directory.upkeep import Reminders
from bot.engine.client import EngineClient, EngineProcess
from bot.handoff.availability import read_hours
from bot.handoff.cases import Cases
from bot.handoff.desk import Desk
from bot.handoff.handover import Handover
from bot.handoff.phrasebook import Phrasebook
from bot.handoff.post import Post
from bot.handoff.words import Words
from bot.log import get_logger
from bot.settings import Settings
from bot.staff.accounts import Accounts
from bot.staff.audit import Audit
from bot.staff.recovery import Recovery
from bot.staff.sessions import Sessions
from bot.store.database import connect
from bot.store.migrate import migrate
from bot.text.catalogue import Catalogue
from bot.vault.conversations import Conversations
from bot.vault.keys import derive, load_or_create
from bot.vault.vault import Vault

if TYPE_CHECKING:
    from bot.handoff.elsewhere import Elsewhere

log = get_logger(__name__)

PURGE_SECONDS = 300
REMIND_SECONDS = 86_400
WARM_AFTER_SECONDS = 1.0
"""Reading ahead would slow down the very first answers, which may be to somebody in danger."""


class Gateway:
    """All parts of the gateway. `start` and `stop` run what lives in the background."""

    def __init__(self, settings: Settings) -> None:
        """Open the data folder, the key and the database. Raises MasterKeyError, OSError or SQLAlchemyError."""
        self.settings = settings
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        master = load_or_create(settings.master_key)
        self.webhook_secret = derive(master, "telegram webhook").hex()
        self.vault = Vault(master)
        self.database: Engine = connect(settings.database)
        migrate(self.database)
        load_starter(self.database)
        self.catalogue = Catalogue(pseudo=settings.pseudo_locale)
        self.directory = Directory(
            self.database,
            Ages(settings.directory_review_days, settings.directory_grace_days, settings.directory_hide_days),
        )
        mailer = Mailer(settings.smtp_url, settings.mail_from) if settings.smtp_url else None
        self.reminders = Reminders(
            self.database, self.vault, self.catalogue, self.directory.ages, mailer, settings.public_url
        )
        self.conversations = Conversations(self.database, self.vault)
        self.memory = Memory(self.conversations, settings.expiry_hours)
        self.engine = EngineClient(settings.data_dir / "run")
        self.engine_process = EngineProcess(settings.data_dir / "run", settings.model_dir, settings.log_level)
        self.effects = Effects(self.catalogue, self.directory, settings.expiry_hours)
        self.router = Router(
            catalogue=self.catalogue,
            memory=self.memory,
            vault=self.vault,
            effects=self.effects,
            screen=SafetyScreen(),
            engine=self.engine,
            guesser=_LanguageModel(settings.model_dir).get,
        )
        self.audit = Audit(self.database, self.vault)
        self.accounts = Accounts(self.database, self.vault, self.audit)
        self.sessions = Sessions(self.accounts, self.audit, settings.console_idle_minutes)
        self.recovery = Recovery(self.database, self.vault, self.accounts, self.audit)
        self.sessions.on_open.append(self.recovery.at_login)
        self.desk = self._desk()
        self.elsewhere = self._elsewhere()
        self.handover = Handover(
            self.desk,
            self.effects,
            self.router.understand,
            settings.staff_team,
            self.elsewhere.helpdesk if self.elsewhere else None,
        )
        self.router.connect(self.handover)
        self._purging: asyncio.Task[None] | None = None
        self._reminding: asyncio.Task[None] | None = None
        self._warming: asyncio.Task[None] | None = None

    def _desk(self) -> Desk:
        cases = Cases(self.database, self.vault)
        return Desk(
            cases=cases,
            memory=self.memory,
            post=Post(cases, self.memory, self.vault),
            words=Words(self.catalogue, self.effects),
            phrasebook=Phrasebook(self.catalogue),
            accounts=self.accounts,
            sessions=self.sessions,
            audit=self.audit,
            hours=read_hours(self.settings.staff_hours, self.settings.staff_timezone),
            retention_days=self.settings.case_retention_days,
        )

    def _elsewhere(self) -> Elsewhere | None:
        """Return the way to a helpdesk of the NGO's own, where one is set."""
        if not self.settings.chatwoot_url:
            return None
        from bot.handoff.elsewhere import Elsewhere

        return Elsewhere(self.settings, self.desk, self.catalogue.text("utter_handover_attachment", "en"))

    async def start(self, with_engine: bool = True) -> None:
        if with_engine:
            await self.engine_process.start()
        await self.desk.start()
        if self.elsewhere:
            await self.elsewhere.start()
        self._purging = asyncio.create_task(self._purge())
        if self.reminders.mailer:
            self._reminding = asyncio.create_task(self._remind())
        self._warming = asyncio.create_task(self._warm())

    async def stop(self) -> None:
        for task in (self._warming, self._reminding, self._purging):
            if task:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        if self.elsewhere:
            await self.elsewhere.stop()
        await self.desk.stop()
        await self.engine_process.stop()
        await self.engine.close()
        self.database.dispose()

    async def _warm(self) -> None:
        await asyncio.sleep(WARM_AFTER_SECONDS)
        await asyncio.to_thread(self.router.warm)

    async def _purge(self) -> None:
        while True:
            try:
                for pseudonym in await asyncio.to_thread(self._forget_expired):
                    self.desk.post.drop(pseudonym)
            except Exception:
                log.exception("purge_failed")
            await asyncio.sleep(PURGE_SECONDS)

    async def _remind(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self.reminders.remind)
            except MailError as error:
                log.warning("reminders_failed", why=str(error))
            except Exception:
                log.exception("reminders_failed")
            await asyncio.sleep(REMIND_SECONDS)

    def _forget_expired(self) -> list[str]:
        """Forget what has had its time; return the conversations with staff that are gone."""
        from bot.directory import uploads

        count = self.conversations.purge()
        if count:
            log.info("conversations_expired", count=count)
        lost, gone = self.handover.lost(lambda pseudonym: self.conversations.load(pseudonym) is not None)
        deleted = self.desk.cases.purge()
        if lost or deleted:
            log.info("cases_expired", closed=lost, deleted=len(deleted))
        self.accounts.purge()
        uploads.forget_old(self.database)
        return gone

    async def readiness(self) -> dict[str, bool]:
        """Return which parts are ready to serve."""

        def database() -> bool:
            try:
                with self.database.connect() as connection:
                    connection.execute(text("SELECT 1"))
            except Exception:
                log.exception("database_unreachable")
                return False
            return True

        return {
            "engine": await self.engine.ready(),
            "database": await asyncio.to_thread(database),
            "model": any(self.settings.model_dir.glob("*.tar.gz")) and self.router.following.guesser() is not None,
            "catalogues": len(self.catalogue.languages) > 1,
        }


class _LanguageModel:
    """The language guesser, read when it is first there (`make train` may come later)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.guesser: LanguageGuesser | None = None

    def get(self) -> LanguageGuesser | None:
        if self.guesser is None:
            with contextlib.suppress(FileNotFoundError):
                self.guesser = LanguageGuesser.load(self.folder)
        return self.guesser


def create_app(gateway: Gateway) -> Starlette:
    """Return the web application: web chat, health, and Telegram where it has a token."""
    settings = gateway.settings

    async def healthz(request: Request) -> JSONResponse:
        return JSONResponse({"status": "alive"})

    async def readyz(request: Request) -> JSONResponse:
        parts = await gateway.readiness()
        ready = all(parts.values())
        return JSONResponse({"ready": ready, **parts}, status_code=200 if ready else 503)

    routes = [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        *WebChat(gateway.router, gateway.catalogue, gateway.vault).routes(),
        *StillCorrect(gateway.database, gateway.vault, gateway.catalogue).routes(),
        *Console(
            gateway.catalogue, gateway.accounts, gateway.sessions, gateway.audit, gateway.recovery, gateway.vault,
            gateway.desk, gateway.directory, settings,
        ).routes(),
    ]  # fmt: skip
    if settings.directory_api:
        from bot.directory.api import Api

        routes += Api(gateway.database, gateway.directory.ages).routes()
    if gateway.elsewhere:
        routes += gateway.elsewhere.helpdesk.routes()
    telegram = None
    if settings.telegram_token:
        from bot.channels.telegram import CHANNEL, TelegramChannel

        telegram = TelegramChannel(settings, gateway.router, gateway.catalogue, gateway.webhook_secret)
        routes += telegram.routes()
        gateway.handover.post.outlets[CHANNEL] = telegram

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await gateway.start()
        if telegram:
            await telegram.start()
        try:
            yield
        finally:
            if telegram:
                await telegram.stop()
            await gateway.stop()

    return Starlette(routes=routes, lifespan=lifespan)
