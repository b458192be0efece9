"""The process that stands for the `serve` of an image in a job: it listens on a port of its own."""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path

from .http import serve
from .located import locate
from .main import loaded, prepared

_PORT = "SAGEMAKER_BIND_TO_PORT"


def main(arguments: list[str]) -> None:
    """Load the model, then serve one connection after the other.

    The arguments are SERVER KEPT PROJECT. A model that does not load ends the process, with the
    reason as its last line.
    """
    server, kept, project = arguments
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    model_dir = os.environ.get("SM_MODEL_DIR", "/opt/ml/model")
    try:
        code = locate(server, os.environ, model_dir, lambda path: Path(path).is_file())
    except FileNotFoundError as error:
        sys.exit(f"the model has no serving code: {error.filename} does not exist")
    model = prepared(code) or loaded(server, code, model_dir, (kept, project))
    if isinstance(model, str):
        sys.exit(model)
    with socket.create_server(("127.0.0.1", int(os.environ.get(_PORT, "8080")))) as listener:
        while True:
            channel, _ = listener.accept()
            with channel:
                serve(channel, model)
