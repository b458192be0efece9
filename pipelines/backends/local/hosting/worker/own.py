"""A server of the image's own behind the connection of a model server; and what stands for none.

`OwnServer` starts the image's `serve`, where this machine has one, and passes requests on to it.
`Stub` answers in the place of a server that cannot run here, and says so.
"""

from __future__ import annotations

import json
import os
import signal
import sys

from .handler import InvocationReply, InvocationRequest
from .runtime.server import ServerError, ServingProcess

_START_SECONDS = 170.0
_ANSWER_SECONDS = 3600.0
_PASSED = ("content-type", "accept")
_SAGEMAKER = "x-amzn-sagemaker-"


class OwnServer:
    """A running `serve`; it ends with this process.

    Args:
        serve: the path of the program.

    Raises:
        ServerError: it does not start, or does not respond to `/ping`.
    """

    def __init__(self, serve: str) -> None:
        sys.stdout.write(f"starting the image's own server: {serve}\n")
        sys.stdout.flush()
        self._process = ServingProcess([serve], os.environ)
        signal.signal(signal.SIGTERM, self._end)
        try:
            self._process.wait(_START_SECONDS)
        except ServerError as error:
            self._process.stop()
            raise ServerError(f"{serve}: {error}") from None

    def reply(self, request: InvocationRequest) -> InvocationReply:
        """Pass a request on, and its response back."""
        headers = {k: v for k, v in request.headers.items() if _is_passed(k)}
        try:
            answer = self._process.ask(request.body, headers, _ANSWER_SECONDS)
        except ServerError as error:
            if not self._process.is_alive():  # the fleet starts another one
                sys.exit(str(error))
            return InvocationReply(500, str(error).encode(), "text/plain; charset=utf-8")
        own = {k: v for k, v in answer.headers.items() if k.startswith(_SAGEMAKER)}
        return InvocationReply(answer.status, answer.body, answer.content_type, own)

    def _end(self, _number: int, _frame: object) -> None:
        self._process.stop()
        os._exit(0)


class Stub:
    """Answers every request with why there is no answer."""

    def __init__(self, reason: str) -> None:
        self._body = json.dumps({"stub": reason}).encode()

    def reply(self, _request: InvocationRequest) -> InvocationReply:
        """Say it."""
        return InvocationReply(200, self._body, "application/json")


def _is_passed(name: str) -> bool:
    return name in _PASSED or name.startswith(_SAGEMAKER)
