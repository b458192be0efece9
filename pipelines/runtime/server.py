"""The server of a serving container as a plain process: started, waited for, asked (FACTS 3.4).

A container answers `GET /ping` and `POST /invocations` on port 8080, or on the port that the
variable SAGEMAKER_BIND_TO_PORT names, which AWS's images read. Here it always names one that is
free; a server that does without the variable is found at 8080, where nothing else listens there.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from typing import Any, Mapping, NamedTuple, Sequence

PORT_VARIABLE = "SAGEMAKER_BIND_TO_PORT"
PORT = 8080

_HOST = "127.0.0.1"
_OK = 200
_PAUSE_SECONDS, _LONGEST_PAUSE = 0.05, 1.0
_PING_SECONDS = 2.0
_TERM_SECONDS = 10.0
_LAST_LINES = 50


class ServerError(Exception):
    """The server did not start, or did not respond; the text is for the user."""


class Answer(NamedTuple):
    """A response of the server; the names in `headers` are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def content_type(self) -> str:
        """Its media type."""
        return self.headers.get("content-type", "application/octet-stream")


class ServingProcess:
    """A server that runs until `stop`.

    Args:
        words: its command.
        environment: its whole environment, to which the port is added.
    """

    def __init__(self, words: Sequence[str], environment: Mapping[str, str]) -> None:
        own = _free_port()
        self._ports = (own, PORT) if is_free(PORT) else (own,)
        self._lines = deque(maxlen=_LAST_LINES)  # type: deque[str]
        try:
            self._process = subprocess.Popen(
                list(words),
                env={**environment, PORT_VARIABLE: str(own)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise ServerError(f"`{words[0]}` cannot be started: {error.strerror}") from None
        self._copying = threading.Thread(target=self._copy, daemon=True)
        self._copying.start()

    def wait(self, seconds: float) -> None:
        """Wait until it responds to `/ping` with 200.

        Raises:
            ServerError: it ends, or has not done so in time.
        """
        deadline, pause, seen = time.monotonic() + seconds, _PAUSE_SECONDS, ""
        while time.monotonic() < deadline:
            for port in self._ports:
                code = self._process.poll()
                if code is not None:
                    raise ServerError(self._ended(code))
                status = _ping(port)
                if status == _OK:
                    self._ports = (port,)
                    return
                seen = f": the last answer was HTTP {status}" if status else seen
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        listened = seen or f": nothing listens on port {PORT}"
        raise ServerError(f"the server did not answer GET /ping in {seconds:.0f} seconds{listened}")

    def is_alive(self) -> bool:
        """Return whether it has not ended."""
        return self._process.poll() is None

    def ask(self, body: bytes, headers: Mapping[str, str], seconds: float) -> Answer:
        """Send a request to `/invocations`.

        Raises:
            ServerError: there was no response.
        """
        try:
            return _send(self._ports[0], ("POST", "/invocations", body), headers, seconds)
        except socket.timeout:
            raise ServerError(f"the server did not respond within {seconds:.0f} seconds") from None
        except (OSError, http.client.HTTPException) as error:
            with contextlib.suppress(subprocess.TimeoutExpired):
                raise ServerError(self._ended(self._process.wait(1))) from None
            raise ServerError(f"the server did not respond: {error}") from None

    def stop(self) -> None:
        """End it and what it started: SIGTERM, a grace period, SIGKILL."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_TERM_SECONDS)
                break
        self._copying.join(_TERM_SECONDS)

    def _copy(self) -> None:
        """Pass its output on; what is left of it explains an end."""
        output = self._process.stdout
        assert output is not None  # noqa: S101 - for the type: it is a pipe
        for line in iter(output.readline, b""):
            text = line.decode("utf-8", "replace")
            if text.strip():
                self._lines.append(text.strip())
            sys.stdout.write(text)
            sys.stdout.flush()
        output.close()

    def _ended(self, code: int) -> str:
        self._copying.join(1)
        last = f": {self._lines[-1]}" if self._lines else ""
        if code < 0:
            hint = " (out of memory?)" if -code == signal.SIGKILL else ""
            return f"the server was killed by signal {-code}{hint}{last}"
        return f"the server ended with exit code {code}{last}"


def _ping(port: int) -> int:
    """Return the status of `/ping`; 0 where nothing listens."""
    try:
        return _send(port, ("GET", "/ping", None), {}, _PING_SECONDS).status
    except (OSError, http.client.HTTPException):
        return 0


def _send(
    port: int, request: tuple[str, str, bytes | None], headers: Mapping[str, str], seconds: float
) -> Answer:
    connection = http.client.HTTPConnection(_HOST, port, timeout=seconds)
    try:
        method, path, body = request
        connection.request(method, path, body, dict(headers))
        response = connection.getresponse()
        names = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, names, response.read())
    finally:
        connection.close()


def _free_port() -> int:
    with _listener(0) as listener:
        name: Any = listener.getsockname()
        return int(name[1])


def is_free(port: int) -> bool:
    """Return whether nothing listens on a port of this machine."""
    try:
        _listener(port).close()
    except OSError:
        return False
    return True


def _listener(port: int) -> socket.socket:
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((_HOST, port))
    except OSError:
        found.close()
        raise
    return found
