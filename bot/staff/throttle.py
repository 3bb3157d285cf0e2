"""Slowing down guessing, without letting anybody lock somebody else out.

A browser that has logged in before has a counter of its own, which nobody else can reach: the device cookie names it,
signed. All other browsers share one counter for each login.
"""

from __future__ import annotations

import math
import re
import secrets
import threading
from dataclasses import dataclass

from bot.vault.vault import Vault

FREE_FAILURES = 5
LONGEST_WAIT = 900
_FORGET_SECONDS = 24 * 3600

DEVICE_DAYS = 180
_MOST_LOGINS = 5
"""How many people may share a browser and keep their counters."""
_ENTRY = re.compile(r"([0-9a-f]{16})\.(\d{1,12})\.([0-9a-f]{64})")


@dataclass
class _Counter:
    failures: int = 0
    until: float = 0.0
    last: float = 0.0


class Throttle:
    """Counts failures by key, in memory, for at most `most` keys."""

    def __init__(self, most: int = 10_000) -> None:
        self.most = most
        self._counters: dict[str, _Counter] = {}
        self._lock = threading.Lock()

    def attempt(self, key: str, now: float) -> int:
        """Count an attempt and return 0, or return for how many seconds there may be none.

        It counts as a failure until `succeeded` or `undo` is called: many attempts at once can't slip through.
        """
        with self._lock:
            counter = self._counters.get(key)
            if counter is None or now - counter.last > _FORGET_SECONDS:
                self._make_room(now)
                counter = self._counters[key] = _Counter()
            if counter.until > now:
                return math.ceil(counter.until - now)
            counter.failures += 1
            counter.last = now
            if counter.failures >= FREE_FAILURES:
                counter.until = now + min(LONGEST_WAIT, 2 ** min(counter.failures - FREE_FAILURES, 20))
            return 0

    def succeeded(self, key: str) -> None:
        """Forget the failures of a key that is one person's own."""
        with self._lock:
            self._counters.pop(key, None)

    def undo(self, key: str) -> None:
        """Take one attempt back; the failures of others stay."""
        with self._lock:
            counter = self._counters.get(key)
            if counter is not None:
                counter.failures = max(0, counter.failures - 1)

    def _make_room(self, now: float) -> None:
        if len(self._counters) < self.most:
            return
        for key in [key for key, counter in self._counters.items() if now - counter.last > _FORGET_SECONDS]:
            del self._counters[key]
        if len(self._counters) >= self.most:  # those with the most failures stay: flooding must not wash them out
            least = min(self._counters, key=lambda key: (self._counters[key].failures, self._counters[key].last))
            del self._counters[least]


class Devices:
    """Signs device cookies and recognises them. A cookie holds one entry for each login of the browser."""

    def __init__(self, vault: Vault) -> None:
        self.vault = vault

    def recognise(self, login_digest: str, cookie: str, now: float) -> str:
        """Return the id of a browser that has logged in as this login in the last 180 days; "" otherwise."""
        for device, issued, signature in self._entries(cookie):
            right = self.vault.same(self._sign(login_digest, device, issued), signature)
            if right and now - int(issued) < DEVICE_DAYS * 24 * 3600:
                return device
        return ""

    def issue(self, login_digest: str, cookie: str, now: float) -> str:
        """Return the cookie for a browser that has just logged in; entries for other logins stay in it."""
        device = self.recognise(login_digest, cookie, now) or secrets.token_hex(8)
        issued = str(int(now))
        others = [each for each in self._entries(cookie) if each[0] != device]
        entries = [(device, issued, self._sign(login_digest, device, issued)), *others]
        return "~".join(".".join(each) for each in entries[:_MOST_LOGINS])

    def _sign(self, login_digest: str, device: str, issued: str) -> str:
        return self.vault.digest("staff device", f"{login_digest}|{device}|{issued}")

    @staticmethod
    def _entries(cookie: str) -> list[tuple[str, str, str]]:
        found = [_ENTRY.fullmatch(part) for part in cookie[:1000].split("~")[:_MOST_LOGINS]]
        return [(match[1], match[2], match[3]) for match in found if match]
