"""What happens at the desk, told to everybody who looks at it. Names of things only, never what was written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from bot.staff.sessions import Session

MOST_WAITING = 1000


@dataclass(eq=False)
class _Listener:
    session: Session
    events: asyncio.Queue[tuple[str, str]] = field(default_factory=lambda: asyncio.Queue(MOST_WAITING))


class Bus:
    """Used on the event loop only."""

    def __init__(self) -> None:
        self._listeners: list[_Listener] = []

    def tell(self, event: str, case_id: str, team: str, whom: Callable[[Session], bool] = lambda session: True) -> None:
        """Tell those of `team` for whom `whom` holds. Who is too slow misses it, and sees it with the next refresh."""
        for listener in self._listeners:
            session = listener.session
            if session.operator.team == team and not listener.events.full() and whom(session):
                listener.events.put_nowait((event, case_id))

    def tell_one(self, event: str, operator_id: str) -> None:
        for listener in self._listeners:
            if listener.session.operator.id == operator_id and not listener.events.full():
                listener.events.put_nowait((event, ""))

    def end(self, session: Session) -> None:
        """Tell a session that it is over."""
        for listener in self._listeners:
            if listener.session is session and not listener.events.full():
                listener.events.put_nowait(("ended", ""))

    def listens(self, operator_id: str) -> bool:
        """Return whether this operator has the console open."""
        return any(listener.session.operator.id == operator_id for listener in self._listeners)

    async def events(self, session: Session) -> AsyncIterator[tuple[str, str]]:
        """Yield (event, case id) until the session is over."""
        listener = _Listener(session)
        self._listeners.append(listener)
        try:
            while True:
                event = await listener.events.get()
                yield event
                if event[0] == "ended":
                    return
        finally:
            self._listeners.remove(listener)
