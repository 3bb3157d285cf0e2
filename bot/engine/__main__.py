"""The engine's process: `python -m bot.engine FOLDER MODEL LEVEL`, started by bot.engine.client.EngineProcess."""

from __future__ import annotations

import contextlib
import gc
import os
import socket
import sys
import threading
from pathlib import Path

from bot import log
from bot.engine import prepare
from bot.engine.client import SOCKET_NAME


def listen(folder: Path) -> socket.socket:
    """Return a listening Unix socket in `folder` that only this user can open."""
    os.chdir(folder)  # so that the socket's path is short, however long the folder's is
    with contextlib.suppress(FileNotFoundError):
        os.unlink(SOCKET_NAME)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        listener.bind(SOCKET_NAME)
    finally:
        os.umask(mask)
    listener.listen(64)
    return listener


def stop_with_parent() -> None:
    """End this process when the gateway's end of our standard input closes, however the gateway ended."""

    def wait() -> None:
        with contextlib.suppress(OSError):
            while sys.stdin.buffer.read(1):
                pass
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


def main() -> None:
    folder, model, level = Path(sys.argv[1]), Path(sys.argv[2]).absolute(), sys.argv[3]
    stop_with_parent()
    log.configure(level)
    root = Path(__file__).resolve().parents[2]
    sys.path.insert(0, str(root))
    prepare()

    from bot.engine.host import Host
    from bot.engine.server import serve

    host = Host(model)
    gc.freeze()  # what is loaded stays: the collector need not look at it again
    serve(host, listen(folder), level)


if __name__ == "__main__":
    main()
