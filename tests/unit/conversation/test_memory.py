"""bot/conversation/memory: what could not be read once is not overwritten."""

from __future__ import annotations

from sqlalchemy.exc import OperationalError

from bot.conversation.memory import Memory
from bot.conversation.state import OPERATOR, State


class Rows:
    """Keeps rows; reading fails while `broken`."""

    def __init__(self) -> None:
        self.rows: dict[str, bytes] = {}
        self.broken = False

    def load(self, pseudonym: str) -> bytes | None:
        if self.broken:
            raise OperationalError("select", {}, Exception("gone"))
        return self.rows.get(pseudonym)

    def keep(self, pseudonym: str, stored: bytes, seconds: float) -> None:
        self.rows[pseudonym] = stored


def test_a_failed_read_does_not_cut_her_off_from_the_person_she_talks_with() -> None:
    rows = Rows()
    memory = Memory(rows, 24)  # type: ignore[arg-type]
    memory.keep("she", State(language="uk", owner=OPERATOR, case="a case"))
    rows.broken = True
    state = memory.load_or("she", "en")
    assert (state.owner, state.case) == ("assistant", None)
    rows.broken = False
    memory.keep("she", state)
    kept = memory.load_or("she", "en")
    assert (kept.language, kept.owner, kept.case) == ("uk", OPERATOR, "a case")
