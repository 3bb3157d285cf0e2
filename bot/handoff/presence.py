"""Who of the staff is on duty. In memory: it ends with the session."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

DUTY, BREAK, OFF = "duty", "break", "off"
STATES = (DUTY, BREAK, OFF)
BREAK_AFTER_SECONDS = 2 * 3600
AWAY_AFTER_SECONDS = 60.0


@dataclass(frozen=True)
class Presence:
    """`since`: Unix time of the last change. `break_due`: two hours without one. `debrief_due`: after a hard case."""

    state: str = OFF
    since: int = 0
    break_due: bool = False
    debrief_due: bool = False


class Duty:
    """The presence of each operator."""

    def __init__(self) -> None:
        self._states: dict[str, Presence] = {}
        self._worked_since: dict[str, float] = {}
        self._debriefs: set[str] = set()
        self._gone_since: dict[str, float] = {}

    def change(self, operator_id: str, state: str) -> None:
        """Raises ValueError for what is no state."""
        if state not in STATES:
            raise ValueError(state)
        if state == DUTY and self.state(operator_id) != DUTY:
            self._worked_since[operator_id] = time.time()
        self._states[operator_id] = Presence(state, int(time.time()))

    def state(self, operator_id: str) -> str:
        return self._states.get(operator_id, Presence()).state

    def get(self, operator_id: str) -> Presence:
        presence = self._states.get(operator_id, Presence())
        worked = time.time() - self._worked_since.get(operator_id, time.time())
        due = presence.state == DUTY and worked >= BREAK_AFTER_SECONDS
        return replace(presence, break_due=due, debrief_due=operator_id in self._debriefs)

    def on_duty(self) -> set[str]:
        return {operator_id for operator_id, presence in self._states.items() if presence.state == DUTY}

    def forget(self, operator_id: str) -> None:
        self._states.pop(operator_id, None)

    def ask_debrief(self, operator_id: str) -> None:
        self._debriefs.add(operator_id)

    def debriefed(self, operator_id: str) -> None:
        self._debriefs.discard(operator_id)

    def is_away(self, operator_id: str, connected: bool, seconds: float = AWAY_AFTER_SECONDS) -> bool:
        """Return whether an operator's console has been closed for longer than a reload takes."""
        if connected:
            self._gone_since.pop(operator_id, None)
            return False
        return time.monotonic() - self._gone_since.setdefault(operator_id, time.monotonic()) >= seconds
