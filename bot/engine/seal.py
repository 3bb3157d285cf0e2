"""No network for the engine: connecting, binding or resolving raises, whoever tries it."""

from __future__ import annotations

import socket
import sys
from typing import Any

_SOCKET_EVENTS = frozenset({"socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"})
_NAME_EVENTS = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"})


def _refuse_network(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _SOCKET_EVENTS and arguments[0].family != socket.AF_UNIX:
        raise PermissionError(f"{event}: the engine has no network")
    if event in _NAME_EVENTS:
        raise PermissionError(f"{event}: the engine has no network")


def seal() -> None:
    """Refuse all but Unix sockets for the rest of this process. An audit hook can't be taken out again."""
    sys.addaudithook(_refuse_network)
