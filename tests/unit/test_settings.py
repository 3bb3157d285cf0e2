"""bot/settings.py: a bad setting stops the start with its name and what is expected."""

from pathlib import Path

import pytest

from bot import settings
from bot.settings import SettingError


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_defaults_need_nothing(tmp_path: Path) -> None:
    chosen = settings.load({})
    assert (chosen.host, chosen.port, chosen.expiry_hours) == ("127.0.0.1", 8080, 24)
    assert chosen.data_dir == tmp_path / "data"
    assert str(chosen.database) == f"sqlite:///{tmp_path}/data/helpline.db"
    assert chosen.master_key == tmp_path / "data" / "master.key"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("HELPLINE_PORT", "eighty", "port number"),
        ("HELPLINE_PORT", "70000", "port number"),
        ("HELPLINE_HOST", "", "host name"),
        ("HELPLINE_HOST", "http://x", "host name"),
        ("HELPLINE_LOG_LEVEL", "loud", "debug"),
        ("HELPLINE_TELEGRAM_TOKEN", "secret-but-wrong", "BotFather"),
        ("HELPLINE_TELEGRAM_BASE_URL", "api.telegram.org", "http://"),
        ("HELPLINE_TELEGRAM_WEBHOOK_URL", "https://example.org", "path"),
        ("HELPLINE_DATABASE_URL", "mysql://secret-but-wrong@x/y", "postgresql"),
        ("HELPLINE_DATABASE_URL", "nonsense", "postgresql"),
        ("HELPLINE_SMTP_URL", "smtp://me:secret-but-wrong@mail.example.org", "smtps://"),
        ("HELPLINE_SMTP_URL", "smtp://me:secret-but-wrong@localhost.example.org:25", "smtps://"),
        ("HELPLINE_SMTP_URL", "http://me:secret-but-wrong@mail.example.org", "smtps://"),
        ("HELPLINE_EXPIRY_HOURS", "0", "number of hours"),
        ("HELPLINE_EXPIRY_HOURS", "nan", "number of hours"),
    ],
)
def test_a_bad_value_is_named_with_what_is_expected_and_not_shown(name: str, value: str, expected: str) -> None:
    with pytest.raises(SettingError) as error:
        settings.load({name: value})
    assert name in str(error.value)
    assert expected in str(error.value)
    assert "secret-but-wrong" not in str(error.value)


def test_a_data_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingError, match="HELPLINE_DATA_DIR"):
        settings.load({"HELPLINE_DATA_DIR": str(tmp_path / "file")})


def test_a_webhook_needs_a_token() -> None:
    with pytest.raises(SettingError, match="HELPLINE_TELEGRAM_TOKEN"):
        settings.load({"HELPLINE_TELEGRAM_WEBHOOK_URL": "https://example.org/telegram"})


def test_the_environment_wins_over_the_env_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# comment\nHELPLINE_PORT=1000\nexport HELPLINE_LOG_LEVEL='error'\n")
    chosen = settings.load({"HELPLINE_PORT": "2000"})
    assert (chosen.port, chosen.log_level) == (2000, "error")


def test_a_slip_in_the_env_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "my.env").write_text("HELPLINE_PROT=1\n")
    with pytest.raises(SettingError, match="HELPLINE_PROT"):
        settings.load({"HELPLINE_ENV_FILE": str(tmp_path / "my.env")})
    (tmp_path / "my.env").write_text("HELPLINE_PORT\n")
    with pytest.raises(SettingError, match="line 1"):
        settings.load({"HELPLINE_ENV_FILE": str(tmp_path / "my.env")})
    with pytest.raises(SettingError, match="HELPLINE_ENV_FILE"):
        settings.load({"HELPLINE_ENV_FILE": str(tmp_path / "none.env")})


def test_secrets_do_not_show_themselves() -> None:
    chosen = settings.load(
        {
            "HELPLINE_TELEGRAM_TOKEN": "123:canarytoken",
            "HELPLINE_DATABASE_URL": "postgresql+psycopg://me:canarypassword@host/name",
        }
    )
    assert "canary" not in repr(chosen)
    assert chosen.telegram_token == "123:canarytoken"


def test_every_setting_is_documented() -> None:
    page = (Path(settings.__file__).parents[1] / "docs" / "deploying.md").read_text(encoding="utf-8")
    assert [name for name in settings.names() if f"`{name}`" not in page] == []
