"""Starts and stops the server: at once (`running`), or when the first job calls (`on_demand`)."""

from __future__ import annotations

import errno
import json
import os
import selectors
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from pipelines.backends.local.api.admission import Admission, choose_admission
from pipelines.backends.local.settings import LocalApi
from pipelines.errors import UsageError
from pipelines.extras import how_to_install
from pipelines.frozen import frozen

if TYPE_CHECKING:
    from pipelines.backends.local.api.app import RequestObserver
    from pipelines.backends.local.sagemaker import LocalSageMaker

_LOOPBACK = "127.0.0.1"
_WAITING = 128
_KEEP_ALIVE_SECONDS = 75
_GRACE_SECONDS = 10
_PATIENCE_SECONDS = 5.0
_PIECE = 1 << 16
_NOT_INSTALLED = "NotInstalled"
_TURN_SECONDS = 0.0002
"""How long a thread may run while another waits: requests are short, and each needs two."""


@contextmanager
def running(
    sagemaker: LocalSageMaker,
    *,
    port: int = 0,
    execute: bool = False,
    observer: RequestObserver = lambda _served: None,
) -> Iterator[LocalApi]:
    """Serve the API while the context lasts.

    Args:
        sagemaker: what is served.
        port: the port on 127.0.0.1; 0 takes any free one.
        execute: whether StartPipelineExecution also runs the execution, in a thread.
        observer: called after every request, in the server's thread.

    Yields:
        Where it is, `http://127.0.0.1:<port>`, and what its callers sign with.

    Raises:
        UsageError: the port is in use, or boto3 or uvicorn is not installed, or callers cannot be
            recognised as the settings require.
    """
    _require_packages()
    admission = choose_admission(sagemaker.settings.callers)
    with _listening(port) as listener:
        server = _ApiServer(sagemaker, _Door(listener, admission), execute, observer)
        thread = threading.Thread(target=server.run, name="api", daemon=True)
        thread.start()
        try:
            yield server.api
        finally:
            server.stop()
            thread.join()


@contextmanager
def on_demand(sagemaker: LocalSageMaker) -> Iterator[LocalApi]:
    """Listen while the context lasts; the server is imported when the first connection arrives.

    Yields:
        What jobs call.
    """
    admission = choose_admission(sagemaker.settings.callers)
    with _listening(0) as listener:
        door = _Door(listener, admission)
        server = _OnDemandServer(sagemaker, door)
        server.start()
        try:
            yield door.api
        finally:
            server.stop()


@frozen
class _Door:
    """A listening socket, and who is admitted there."""

    listener: socket.socket
    admission: Admission

    @property
    def api(self) -> LocalApi:
        """What callers need."""
        return LocalApi(_url(self.listener), self.admission.credentials)


class _ApiServer:
    """uvicorn on a socket that is already listening."""

    def __init__(
        self,
        sagemaker: LocalSageMaker,
        door: _Door,
        execute: bool,  # noqa: FBT001 - as `running` got it
        observer: RequestObserver,
    ) -> None:
        import uvicorn  # noqa: PLC0415 - only when something is served

        from pipelines.backends.local.api.app import ApiApplication  # noqa: PLC0415 - as above
        from pipelines.backends.local.api.execution_runner import ExecutionRunner  # noqa: PLC0415 - as above
        from pipelines.backends.local.api.guard import Guard  # noqa: PLC0415 - as above
        from pipelines.backends.local.api.protocol import BoundedProtocol  # noqa: PLC0415 - as above
        from pipelines.backends.local.api.routes import Routes  # noqa: PLC0415 - as above
        from pipelines.backends.local.api.signatures import Signatures  # noqa: PLC0415 - as above

        self.api = door.api
        self._listener = door.listener
        self._jobs = sagemaker.jobs
        self._jobs.api = door.api
        self._runner = ExecutionRunner(sagemaker, self.api) if execute else None
        spool = sagemaker.settings.home / "spool"
        is_signed = door.admission.lookup is None
        signatures = Signatures(door.admission.credentials) if is_signed else None
        guard = Guard(door.listener.getsockname()[1], signatures)
        self._app = ApiApplication(Routes(sagemaker).find, guard, spool, observer)
        config = uvicorn.Config(
            self._app,
            http=partial(BoundedProtocol, admission=door.admission.refusal),  # type: ignore[arg-type]  # called only
            loop="auto",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        self._uvicorn = uvicorn.Server(config)

    def run(self) -> None:
        """Serve until `stop`."""
        before = sys.getswitchinterval()
        sys.setswitchinterval(_TURN_SECONDS)
        try:
            self._uvicorn.run(sockets=[self._listener])
        finally:
            sys.setswitchinterval(before)
            self._app.close()

    def stop(self) -> None:
        """Stop executions and jobs, which may still call the API, then let `run` return."""
        if self._runner is not None:
            self._runner.close()
        self._jobs.stop_all()
        self._uvicorn.should_exit = True


class _OnDemandServer(threading.Thread):
    """Waits for the first connection, and becomes the server's thread."""

    def __init__(self, sagemaker: LocalSageMaker, door: _Door) -> None:
        super().__init__(name="api on demand", daemon=True)
        self._sagemaker = sagemaker
        self._door = door
        self._listener = door.listener
        self._reader, self._writer = os.pipe()
        self._lock = threading.Lock()
        self._server: _ApiServer | None = None
        self._stopped = False

    def run(self) -> None:
        """Wait; then serve, or respond with what is missing."""
        if not self._wait_for_call():
            return
        try:
            _require_packages()
            server = _ApiServer(self._sagemaker, self._door, execute=False, observer=_unobserved)
        except UsageError as error:
            self._respond_not_installed(error)
            return
        with self._lock:
            self._server = server
            stopped = self._stopped
        if not stopped:
            server.run()

    def stop(self) -> None:
        """Stop waiting or serving."""
        with self._lock:
            self._stopped = True
            if self._server is not None:
                self._server.stop()
        os.write(self._writer, b"x")
        self.join()
        os.close(self._writer)
        os.close(self._reader)

    def _wait_for_call(self) -> bool:
        """Wait for a connection; return False when stopped."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._reader, selectors.EVENT_READ)
            ready = selector.select()
        return all(key.fd != self._reader for key, _ in ready)

    def _respond_not_installed(self, error: UsageError) -> None:
        """Respond to every caller that the server cannot be started, and why."""
        reason = f"{error.problem}; {error.remedy}"
        while self._wait_for_call():
            with suppress(OSError):
                connection, _ = self._listener.accept()
                with connection:
                    connection.settimeout(_PATIENCE_SECONDS)
                    connection.sendall(_not_installed(connection.recv(_PIECE), reason))
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(_PIECE):
                        continue  # closing with unread data might lose the response


def _not_installed(request: bytes, reason: str) -> bytes:
    """Write a response in the request's protocol: JSON for SageMaker, XML for S3."""
    head = request.lower()
    if b"x-amz-target:" in head or b"/endpoints/" in head.partition(b"\r\n")[0]:
        body = json.dumps({"__type": _NOT_INSTALLED, "message": reason, "Message": reason})
    else:
        body = f"<Error><Code>{_NOT_INSTALLED}</Code><Message>{reason}</Message></Error>"
    lines = (
        "HTTP/1.1 501 Not Implemented",
        f"x-amzn-ErrorType: {_NOT_INSTALLED}",
        f"Content-Length: {len(body.encode())}",
        "Connection: close",
    )
    return "\r\n".join((*lines, "", body)).encode()


def _unobserved(_served: object) -> None:
    pass


def _require_packages() -> None:
    """Import what a server needs.

    Raises:
        UsageError: a package is not installed.
    """
    try:
        import botocore  # noqa: F401, PLC0415 - only where something is served
        import uvicorn  # noqa: F401, PLC0415 - as above
    except ImportError as error:
        raise UsageError(
            f"the local API needs {error.name}, which is not installed",
            how_to_install("serve"),
        ) from error


@contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((_LOOPBACK, port))
        except OSError as error:
            raise _port_error(port, error) from error
        listener.listen(_WAITING)
        yield listener


def _port_error(port: int, error: OSError) -> UsageError:
    why = "in use by another program" if error.errno == errno.EADDRINUSE else error.strerror
    return UsageError(
        f"port {port} of {_LOOPBACK} cannot be used: {why}",
        "choose another port with `--port N`, or any free one with `--port 0`",
    )


def _url(listener: socket.socket) -> str:
    address: Any = listener.getsockname()
    return f"http://{address[0]}:{address[1]}"
