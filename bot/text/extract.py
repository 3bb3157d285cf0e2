"""A Babel extractor for Rasa domain files: the texts and button titles of `responses`.

Registered as the entry point `helpline_domain`, so that plain `pybabel extract -F babel.cfg` finds it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import IO, Any

import yaml

LONGEST_BUTTON = 24
"""Characters that fit on a button of a narrow phone."""


def _scalars(node: yaml.Node, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], yaml.ScalarNode]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _scalars(value, (*path, str(key.value)))
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _scalars(value, path)
    elif isinstance(node, yaml.ScalarNode):
        yield path, node


def extract(
    file: IO[bytes], keywords: Mapping[str, Any], comment_tags: Collection[str], options: Mapping[str, Any]
) -> Iterator[tuple[int, str, str, list[str]]]:
    """Yield (line, function, message, comments) for each text of one domain file."""
    seen: set[tuple[int, str]] = set()
    root = yaml.compose(file, Loader=yaml.SafeLoader)
    for path, scalar in _scalars(root) if root else ():
        if len(path) < 3 or path[0] != "responses" or path[-1] not in ("text", "title"):
            continue
        line = scalar.start_mark.line + 1
        if (line, scalar.value) in seen:  # a YAML alias points at buttons that were read already
            continue
        seen.add((line, scalar.value))
        comment = path[1] if path[-1] == "text" else f"{path[1]}: a button, at most {LONGEST_BUTTON} characters"
        yield line, "", scalar.value, [comment]
