"""Stand-ins for what Rasa imports and this helpline neither needs nor installs.

Rasa imports TensorFlow, five databases' drivers, ten messengers' clients and a crash reporter before it answers
anything. None of them is installed (see `override-dependencies` in pyproject.toml): the modules made here satisfy
the import statements, and nothing in them does anything. Telemetry and Sentry are thereby off by construction.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from types import ModuleType
from typing import Any

NOT_INSTALLED = frozenset(
    {
        "aio_pika", "aiogram", "aiormq", "boto3", "botocore", "confluent_kafka", "fbmessenger", "keras", "matplotlib",
        "mattermostwrapper", "psycopg2", "pydot", "pymongo", "redis", "rocketchat_API", "sentry_sdk", "skops",
        "slack_sdk", "socketio", "structlog_sentry", "tensorflow", "tensorflow_addons", "tensorflow_hub",
        "tensorflow_text", "twilio", "webexteamssdk", "webexpythonsdk",
    }
)  # fmt: skip

NOT_NEEDED_TO_ANSWER = frozenset({"sklearn", "questionary", "prompt_toolkit"})
"""Installed for training and for Rasa's command line; a running engine does without, and starts a second sooner."""


class _PlaceholderType(type):
    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return cls


class Placeholder(Exception, metaclass=_PlaceholderType):
    """Stands for any class or function: a base class, a decorator, an `except` clause. Never raised."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__()


class _StandInModule(ModuleType):
    __path__ = []  # noqa: RUF012

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _PlaceholderType(name, (Placeholder,), {})


class _StandInFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def __init__(self, names: frozenset[str]) -> None:
        self.names = names

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> Any:
        if fullname.partition(".")[0] in self.names:
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return _StandInModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        return None


def install(also: frozenset[str] = frozenset()) -> None:
    """Put the stand-ins before the real import system. To be called before anything of Rasa is imported."""
    if not any(isinstance(finder, _StandInFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _StandInFinder(NOT_INSTALLED | also))
