"""The server of an image of your own: `/ping` and `/invocations` around `inference.py`.

An ASGI application for uvicorn, which `serve` starts. A worker loads the model once, before it
answers `/ping`. Requests are processed in threads, so that `/ping` is answered meanwhile.
"""

from __future__ import annotations

import asyncio
import importlib
import os
from typing import Any

inference: Any = importlib.import_module("inference")
"""The serving code, which lies beside this file."""


MOST_BYTES = 25 << 20
"""SageMaker takes no larger request to a real-time endpoint."""

_model: Any = None


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer one request, or start up."""
    if scope["type"] == "lifespan":
        await _start(receive, send)
    elif (scope["method"], scope["path"]) == ("GET", "/ping"):
        await _send(send, 200, b"", "text/plain")
    elif (scope["method"], scope["path"]) == ("POST", "/invocations"):
        await _invoke(scope, receive, send)
    else:
        await _send(send, 404, b"ask GET /ping or POST /invocations", "text/plain")


async def _start(receive: Any, send: Any) -> None:
    """Load the model before the first request; uvicorn ends where that fails."""
    global _model  # noqa: PLW0603 - one model for the process
    await receive()
    try:
        _model = await asyncio.to_thread(
            inference.model_fn, os.environ.get("SM_MODEL_DIR", "/opt/ml/model")
        )
    except Exception as error:
        await send({"type": "lifespan.startup.failed", "message": repr(error)})
        raise
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


async def _invoke(scope: dict[str, Any], receive: Any, send: Any) -> None:
    headers = {name.decode("latin-1"): text.decode("latin-1") for name, text in scope["headers"]}
    body = await _read(receive)
    if body is None:
        await _send(send, 413, b"the request is too large", "text/plain")
        return
    content_type, accept = headers.get("content-type", ""), headers.get("accept", "*/*")
    answer = await asyncio.to_thread(inference.transform_fn, _model, body, content_type, accept)
    text, status, media_type = answer
    await _send(send, status, text.encode(), media_type)


async def _read(receive: Any) -> bytes | None:
    """Read a body to its end; None where it is too large."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MOST_BYTES:
            return None
        if not message.get("more_body"):
            return bytes(body)


async def _send(send: Any, status: int, body: bytes, media_type: str) -> None:
    headers = [(b"content-type", media_type.encode()), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
