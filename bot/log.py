"""Logging that cannot leak: structured lines on stderr, with words from our own code only.

Rasa prints what people write at debug level, httpx prints URLs that hold the Telegram token, database drivers print
parameters. So a record from any other code keeps its level, place and exception type, and loses its message. Our own
records hold an event name and fields that are counts, durations and names of things in this repository.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog

OUR_LOGGERS = ("bot", "actions")
LEVELS = ("debug", "info", "warning", "error")


def is_ours(logger_name: str) -> bool:
    return logger_name.split(".")[0] in OUR_LOGGERS


def _withhold(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace what other code says by where it said it."""
    name = str(event.get("logger") or getattr(logger, "name", ""))
    if is_ours(name):
        return event
    record: logging.LogRecord | None = event.get("_record")
    kept = {key: event[key] for key in ("level", "logger", "exc_info", "_record", "_from_structlog") if key in event}
    return kept | {"event": "withheld", "at": f"{record.module}:{record.lineno}" if record else name}


def _summarise_exception(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace an exception by its type and place: its message may quote what somebody wrote."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        frames = traceback.extract_tb(error.__traceback__)[-3:]
        event["exception"] = type(error).__name__
        event["at"] = " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames))
    event.pop("stack_info", None)
    return event


def configure(level: str = "info") -> None:
    """Send all logging of this process to stderr as JSON lines, from `level` (one of LEVELS) up."""
    shared: list[Any] = [structlog.stdlib.add_logger_name, structlog.stdlib.add_log_level, _withhold]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                _summarise_exception,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.TimeStamper(fmt="iso", key="time"),
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper() if level in ("debug", "error") else "WARNING")
    for name in OUR_LOGGERS:
        logging.getLogger(name).setLevel(level.upper())
    logging.captureWarnings(True)
    if level != "debug":
        logging.getLogger("py.warnings").setLevel(logging.ERROR)
    logging.raiseExceptions = False


def get_logger(name: str) -> Any:
    """Return the logger of one of our modules."""
    return structlog.stdlib.get_logger(name)
