"""An account to measure against: moto's server, which records the requests."""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

ACCOUNT = "111122223333"
"""The account of the roles in `projects.py` and `sdk_chain.py`."""

_RECORDER = "/moto-api/recorder"


@dataclass(frozen=True, slots=True)
class Account:
    """A running server.

    Args:
        host: where it listens.
        port: its port there.
    """

    host: str
    port: int

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that make a process call it."""
        return {
            "AWS_ENDPOINT_URL": f"http://{self.host}:{self.port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def make_bucket(self, name: str) -> None:
        """Make a bucket."""
        self._ask("PUT", f"/{name}")

    @contextmanager
    def counting_uploads(self) -> Iterator[list[str]]:
        """Collect the paths of the objects written meanwhile; the list is filled at the end."""
        written: list[str] = []
        self._ask("POST", f"{_RECORDER}/reset-recording")
        self._ask("POST", f"{_RECORDER}/start-recording")
        yield written
        self._ask("POST", f"{_RECORDER}/stop-recording")
        for line in self._ask("GET", f"{_RECORDER}/download-recording").splitlines():
            request = json.loads(line)
            path = urlsplit(request["url"]).path
            if request["method"] == "PUT" and path.strip("/").count("/"):
                written.append(path)

    def _ask(self, method: str, path: str) -> str:
        connection = HTTPConnection(self.host, self.port, timeout=60)
        try:
            connection.request(method, path, headers={"Content-Length": "0"})
            return connection.getresponse().read().decode()
        finally:
            connection.close()


@contextmanager
def serving() -> Iterator[Account]:
    """Start an empty server."""
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["MOTO_ACCOUNT_ID"] = ACCOUNT
        os.environ["MOTO_RECORDER_FILEPATH"] = str(Path(scratch) / "recording")
        from moto.server import ThreadedMotoServer  # noqa: PLC0415 - reads the environment

        logging.getLogger("werkzeug").setLevel(logging.WARNING)
        server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        server.start()
        try:
            yield Account(*server.get_host_and_port())
        finally:
            server.stop()
