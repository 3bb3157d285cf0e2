"""The trained model's domain, read in a fraction of the time.

Rasa reads it twice with a parser in Python and checks it against its schema, 6 s of an engine's start on a slow
machine. It was checked when the model was trained.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from rasa.engine.graph import ExecutionContext
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.graph_components.providers.domain_provider import DomainProvider
from rasa.shared.core.domain import Domain

DOMAIN_FILE = "domain.yml"


class _Yaml12(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML 1.2, as Rasa writes it: there, Yes and No are words, not truth values, and 12:30 is no number."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012


for _tag, _form, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL", "~nN"),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.inf|\.nan", "-+0123456789."),
):
    _Yaml12.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_form})$"), [*_first])
_Yaml12.add_implicit_resolver("tag:yaml.org,2002:null", re.compile("^$"), [""])


def read_domain(folder: Path) -> Domain:
    """Return the domain that `DomainProvider` kept in `folder`."""
    return Domain.from_dict(yaml.load((folder / DOMAIN_FILE).read_bytes(), Loader=_Yaml12))  # noqa: S506


def _load(
    cls: type[DomainProvider],
    /,
    config: dict[str, Any],
    model_storage: ModelStorage,
    resource: Resource,
    execution_context: ExecutionContext,
    **_: Any,
) -> DomainProvider:
    with model_storage.read_from(resource) as folder:
        return cls(model_storage, resource, read_domain(Path(folder)))


def install() -> None:
    """Let models be loaded so, in this process."""
    DomainProvider.load = classmethod(_load)
