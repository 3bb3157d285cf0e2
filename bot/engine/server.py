"""The engine over HTTP on its Unix socket: /turn, /parse, /ready."""

from __future__ import annotations

import socket

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bot.engine.host import Host


def application(host: Host) -> Starlette:
    """Return the engine's web application."""

    async def turn(request: Request) -> JSONResponse:
        return JSONResponse(await host.turn(await request.json()))

    async def parse(request: Request) -> JSONResponse:
        return JSONResponse(await host.parse((await request.json())["text"]))

    async def ready(request: Request) -> JSONResponse:
        return JSONResponse({"ready": True})

    return Starlette(
        routes=[
            Route("/turn", turn, methods=["POST"]),
            Route("/parse", parse, methods=["POST"]),
            Route("/ready", ready),
        ]
    )


def serve(host: Host, listener: socket.socket, level: str) -> None:
    """Answer on `listener` until the process is told to stop."""
    config = uvicorn.Config(
        application(host), log_config=None, access_log=False, ws="none", lifespan="off", loop="asyncio"
    )
    uvicorn.Server(config).run(sockets=[listener])
