"""The actions over HTTP, for `rasa shell`, on this machine alone (rasa_sdk's own server listens to all networks)."""

from __future__ import annotations

import uvicorn
from rasa_sdk.executor import ActionExecutor
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

PORT = 5055
"""Named in stories/endpoints.yml."""


def main() -> None:
    executor = ActionExecutor()
    executor.register_package("actions")

    async def webhook(request: Request) -> JSONResponse:
        return JSONResponse(await executor.run(await request.json()))

    app = Starlette(routes=[Route("/webhook", webhook, methods=["POST"])])
    uvicorn.run(app, host="127.0.0.1", port=PORT, log_level="warning", ws="none", lifespan="off")


if __name__ == "__main__":
    main()
