"""Settings, from the environment or an env file, read once and checked."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from bot.log import LEVELS

PREFIX = "HELPLINE_"
TELEGRAM_API = "https://api.telegram.org/bot"


class SettingError(ValueError):
    """A setting that cannot be used. The message names it and says what is expected, and never its value."""


class Secret(str):
    """A string that does not show itself."""

    def __repr__(self) -> str:
        return "'…'" if self else "''"


def _port(value: str) -> int:
    if not value.isdecimal() or int(value) > 65535:
        raise ValueError("a port number from 0 (any free one) to 65535")
    return int(value)


def _level(value: str) -> str:
    if value.lower() not in LEVELS:
        raise ValueError(f"one of {', '.join(LEVELS)}")
    return value.lower()


def _token(value: str) -> Secret:
    if value and not re.fullmatch(r"\d+:[\w-]+", value):
        raise ValueError("the token that @BotFather gave, like 123456:ABC-DEF")
    return Secret(value)


def _web_url(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/?#]+[^\s?#]*", value):
        raise ValueError("a URL that begins with http:// or https://")
    return value


def _webhook_url(value: str) -> str:
    if value and not re.fullmatch(r"https?://[^\s/?#]+/[^\s?#]+", value):
        raise ValueError("the public https:// URL of a path of this gateway, like https://example.org/telegram")
    return value


def _database(value: str) -> Secret:
    if value:
        try:
            driver = make_url(value).drivername
        except ArgumentError:
            driver = ""
        if driver not in ("sqlite", "postgresql+psycopg"):
            raise ValueError("empty, sqlite:///path or postgresql+psycopg://user@host/name")
    return Secret(value)


def _hours(value: str) -> float:
    try:
        hours = float(value)
    except ValueError:
        hours = 0.0
    if not 0 < hours <= 24 * 30:
        raise ValueError("a number of hours above 0 and up to 720")
    return hours


def _whole(least: int, most: int, what: str) -> Callable[[str], int]:
    def read(value: str) -> int:
        if not value.isdecimal() or not least <= int(value) <= most:
            raise ValueError(f"a number of {what} from {least} to {most}")
        return int(value)

    return read


def _team(value: str) -> str:
    if not re.fullmatch(r"[\w -]{1,40}", value):
        raise ValueError("a team's name of at most 40 letters, digits, spaces and dashes")
    return re.sub(r"[ _]+", "-", value.lower())


def _hours_of_staff(value: str) -> str:
    from bot.handoff.availability import read_hours

    try:
        read_hours(value, "UTC")
    except ValueError:
        raise ValueError("times like MO-FR 09:00-17:00; SA 10:00-14:00") from None
    return value


def _timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("a time zone like Europe/Rome") from None
    return value


def _optional_web_url(value: str) -> str:
    return _web_url(value).rstrip("/") if value else ""


def _optional_number(value: str) -> int:
    if value and not value.isdecimal():
        raise ValueError("a number")
    return int(value or 0)


def _switch(value: str) -> bool:
    if value.lower() not in ("on", "off"):
        raise ValueError("on or off")
    return value.lower() == "on"


def _mail_server(value: str) -> Secret:
    if value and not re.fullmatch(r"smtps?(\+starttls)?://([^\s/@]+@)?[^\s/:@]+(:\d+)?/?", value):
        raise ValueError("smtp://host, smtp+starttls://user:password@host:587 or smtps://user:password@host:465")
    if re.match(r"smtp://[^/]*@(?!(localhost|127\.0\.0\.1)(:|/|$))", value):
        raise ValueError("smtps:// or smtp+starttls://, because a password over smtp:// can be read on its way")
    return Secret(value)


def _mail_address(value: str) -> str:
    if value and not re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", value):
        raise ValueError("a mail address like directory@example.org")
    return value


def _folder(value: str) -> Path:
    path = Path(value).expanduser().absolute()
    if path.exists() and not path.is_dir():
        raise ValueError("a folder, or a path where one can be made")
    return path


def _file(value: str) -> Path | None:
    return Path(value).expanduser().absolute() if value else None


def _host(value: str) -> str:
    if not value or re.search(r"[\s/]", value):
        raise ValueError("a host name or an address to listen on, like 127.0.0.1")
    return value


def _setting(default: str, read: Callable[[str], Any]) -> Any:
    return field(default_factory=lambda: read(default), metadata={"read": read})


@dataclass(frozen=True)
class Settings:
    """Each field is the setting HELPLINE_<NAME>."""

    data_dir: Path = _setting("data", _folder)
    """Everything written lives below it."""
    host: str = _setting("127.0.0.1", _host)
    port: int = _setting("8080", _port)
    database_url: Secret = _setting("", _database)
    """Empty: an SQLite file in the data folder."""
    master_key_file: Path | None = _setting("", _file)
    """Empty: `master.key` in the data folder, made at the first start."""
    model_dir: Path = _setting("models", _folder)
    """Where `make train` puts the model."""
    log_level: str = _setting("info", _level)
    expiry_hours: float = _setting("24", _hours)
    """A conversation is forgotten after so many hours without a message."""
    telegram_token: Secret = _setting("", _token)
    telegram_base_url: str = _setting(TELEGRAM_API, _web_url)
    telegram_webhook_url: str = _setting("", _webhook_url)
    """Empty: long polling."""

    staff_team: str = _setting("main", _team)
    """The team whose operators get new cases."""
    staff_hours: str = _setting("", _hours_of_staff)
    """When staff are usually there, for those who ask when nobody is."""
    staff_timezone: str = _setting("UTC", _timezone)
    case_retention_days: int = _setting("7", _whole(1, 365, "days"))
    """What was written to staff is deleted so long after a case is closed."""
    console_idle_minutes: int = _setting("30", _whole(1, 600, "minutes"))
    """An operator who does nothing for so long is logged out."""
    chatwoot_url: str = _setting("", _optional_web_url)
    """Hand over to a Chatwoot rather than to the console; it is not sealed there (docs/helpdesk.md)."""
    chatwoot_account: int = _setting("", _optional_number)
    chatwoot_inbox: int = _setting("", _optional_number)
    chatwoot_token: Secret = _setting("", Secret)
    chatwoot_webhook_secret: Secret = _setting("", Secret)

    pseudo_locale: bool = _setting("off", _switch)
    """Say English with accents: text that no catalogue has is seen so (docs/translating.md)."""

    directory_api: bool = _setting("off", _switch)
    """Serve the public part of the directory at /hsds (docs/directory.md)."""
    directory_four_eyes: bool = _setting("on", _switch)
    """A second person approves every change of the directory."""
    directory_review_days: int = _setting("90", _whole(1, 3650, "days"))
    """An entry that nobody has confirmed for so long is to be reviewed."""
    directory_grace_days: int = _setting("30", _whole(0, 3650, "days"))
    """So long after that it is shown with a warning."""
    directory_hide_days: int = _setting("180", _whole(1, 36500, "days"))
    """An entry that nobody has confirmed for so long is not shown to people any more."""
    public_url: str = _setting("", _optional_web_url)
    """Where this gateway is reached from outside, for the links in mails."""
    smtp_url: Secret = _setting("", _mail_server)
    """Empty: no mail is ever sent."""
    mail_from: str = _setting("", _mail_address)

    @property
    def database(self) -> Secret:
        """The database's URL, the embedded default included."""
        return self.database_url or Secret(f"sqlite:///{self.data_dir / 'helpline.db'}")

    @property
    def master_key(self) -> Path:
        return self.master_key_file or self.data_dir / "master.key"


def names() -> list[str]:
    """Return the names of all settings."""
    return [PREFIX + each.name.upper() for each in fields(Settings)]


def unknown_names(given: Mapping[str, str]) -> list[str]:
    """Return the HELPLINE_ names in `given` that are no setting: most likely a slip of the pen."""
    return sorted(name for name in given if name.startswith(PREFIX) and name not in {*names(), PREFIX + "ENV_FILE"})


def read_env_file(path: Path) -> dict[str, str]:
    """Return the settings of an env file: lines `NAME=value`, `#` for comments, quotes around a value are taken off."""
    values: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.removeprefix("export ").partition("=")
        if not equals:
            raise SettingError(f"{path}, line {number}: expected NAME=value")
        value = value.strip()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        values[name.strip()] = value
    return values


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Read and check all settings; the environment wins over the env file (HELPLINE_ENV_FILE, or `.env` here).

    Raises SettingError, naming the setting, for a bad value, or for an unknown HELPLINE_ name in the env file
    (in the environment, where others may use the prefix, `helpline check` only mentions it).
    """
    environment = os.environ if environment is None else environment
    env_file = environment.get(PREFIX + "ENV_FILE", "")
    values: dict[str, str] = {}
    if env_file and not Path(env_file).is_file():
        raise SettingError(f"{PREFIX}ENV_FILE: expected a file that exists")
    if env_file or Path(".env").is_file():
        values = read_env_file(Path(env_file or ".env"))
    unknown = unknown_names(values)
    if unknown:
        raise SettingError(f"{unknown[0]}: no such setting; the settings are {', '.join(names())}")
    values |= {name: value for name, value in environment.items() if name.startswith(PREFIX)}
    checked: dict[str, Any] = {}
    for each in fields(Settings):
        name = PREFIX + each.name.upper()
        if name in values:
            try:
                checked[each.name] = each.metadata["read"](values[name].strip())
            except ValueError as error:
                raise SettingError(f"{name}: expected {error}") from None
    settings = Settings(**checked)
    if settings.telegram_webhook_url and not settings.telegram_token:
        raise SettingError(f"{PREFIX}TELEGRAM_TOKEN: expected a token, because {PREFIX}TELEGRAM_WEBHOOK_URL is set")
    if settings.directory_hide_days <= settings.directory_review_days + settings.directory_grace_days:
        raise SettingError(
            f"{PREFIX}DIRECTORY_HIDE_DAYS: expected more days than {PREFIX}DIRECTORY_REVIEW_DAYS and "
            f"{PREFIX}DIRECTORY_GRACE_DAYS together"
        )
    if settings.smtp_url:
        for name in ("mail_from", "public_url"):
            if not getattr(settings, name):
                raise SettingError(f"{PREFIX}{name.upper()}: expected a value, because {PREFIX}SMTP_URL is set")
    if settings.chatwoot_url:
        for name in ("chatwoot_account", "chatwoot_inbox", "chatwoot_token", "chatwoot_webhook_secret"):
            if not getattr(settings, name):
                raise SettingError(f"{PREFIX}{name.upper()}: expected a value, because {PREFIX}CHATWOOT_URL is set")
    return settings
