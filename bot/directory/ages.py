"""How old an entry may get: reviewed, then shown with a warning, then hidden. Nothing stays true by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

FRESH, DUE, WARNED, HIDDEN = "fresh", "due", "warned", "hidden"


@dataclass(frozen=True)
class Ages:
    """Days since somebody confirmed an entry (or, if nobody has, since its source was read)."""

    review_days: int = 90
    """From then on its keepers are reminded."""
    grace_days: int = 30
    """So long after that it is shown as before; then with a warning."""
    hide_days: int = 180
    """From then on nobody is sent there."""

    def state(self, confirmed: date | None, today: date) -> str:
        """Return FRESH, DUE, WARNED or HIDDEN. What was never confirmed and has no source date is WARNED."""
        if confirmed is None:
            return WARNED
        days = (today - confirmed).days
        if days >= self.hide_days:
            return HIDDEN
        if days >= self.review_days + self.grace_days:
            return WARNED
        return DUE if days >= self.review_days else FRESH
