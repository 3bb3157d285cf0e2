"""bot/directory/hsds: ids that are the same at every import."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from bot.directory.hsds import NAMESPACE, made_id


@given(st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=3))
def test_made_ids_are_uuids_of_version_5(names: list[str | None]) -> None:
    assert made_id(*names) == str(uuid.uuid5(NAMESPACE, "\x1f".join(name or "" for name in names)))
