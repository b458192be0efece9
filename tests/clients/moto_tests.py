"""Runs moto's own SageMaker tests against the local SageMaker: a plugin for pytest.

`python tools/moto_suite.py` fetches them and runs them with it.

`mock_aws` becomes an empty server, whose account is moto's; texts that the service would refuse
(moto takes any) become legal ones on the way in, and are put back on the way out.
"""

from __future__ import annotations

import contextlib
import functools
import json
import re
import sys
import tempfile
import types
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import moto
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from pipelines.backends.local.api import running
from pipelines.backends.local.engine.parts import EngineParts, SystemClock
from pipelines.backends.local.errors import ServiceError
from pipelines.backends.local.operations.operation import Operation
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.backends.local.settings import LocalSettings
from pipelines.steptypes.shapes import check_request

ACCOUNT = "123456789012"
DEFINITION = json.dumps(
    {
        "Version": "2020-12-01",
        "Steps": [{"Name": "stop", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}],
    }
)

CONTAINER = {"Image": "image:1", "ModelDataUrl": "s3://bucket/model.tar.gz"}


class Clock(SystemClock):
    """The server's clock; a test may stop it."""

    stopped: float | None = None

    def now(self) -> float:
        """Return seconds since 1970."""
        return super().now() if self.stopped is None else self.stopped


class Server:
    """The server of one test, started for its first client."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._sagemaker: LocalSageMaker | None = None
        self.url: str | None = None
        self.given: dict[str, str] = {}

    def start(self, region: str) -> str:
        """Return its address."""
        if self.url is None:
            home = Path(self._open.enter_context(tempfile.TemporaryDirectory()), ".pipelines")
            settings = LocalSettings(home, Path(sys.executable), account=ACCOUNT, region=region)
            self._sagemaker = self._open.enter_context(
                LocalSageMaker(settings, EngineParts(clock=CLOCK))
            )
            self.url = self._open.enter_context(running(self._sagemaker, execute=True)).url
        return self.url

    def stop(self) -> None:
        """Stop it; the next test has another."""
        self._open.close()
        self._open, self._sagemaker, self.url, self.given = ExitStack(), None, None, {}

    def operation(self, name: str) -> Operation | None:
        """Find an operation."""
        with contextlib.suppress(ServiceError):
            if self._sagemaker is not None:
                return self._sagemaker.operations.named("sagemaker", name)
        return None

    def legal(self, name: str, request: Any) -> Any:
        """Replace the texts of a request that break their shapes."""
        operation = self.operation(name)
        if operation is None or operation.request is None:
            return request
        request = json.loads(json.dumps(request)) if _is_plain(request) else request
        if name == "CreateModel":
            request.setdefault("PrimaryContainer", CONTAINER)
        if name in ("CreatePipeline", "UpdatePipeline") and "PipelineDefinition" in request:
            self._replace(request, "PipelineDefinition", DEFINITION)
        for candidate in (_name, _uri, _arn, _token):
            for problem in list(check_request(request, operation.request, operation.shapes)):
                holder, key = _place(request, problem.path)
                is_text = holder is not None and isinstance(holder[key], str)
                if is_text and problem.kind not in ("wrong-type", "unknown-member"):
                    self._replace(holder, key, candidate(self.given.get(holder[key], holder[key])))
        return request

    def _replace(self, holder: Any, key: Any, text: str) -> None:
        self.given.setdefault(text, self.given.get(holder[key], holder[key]))
        holder[key] = text

    def back(self, value: Any) -> Any:
        """Put what the test gave in the place of what was sent for it."""
        match value:
            case dict():
                return {key: self.back(one) for key, one in value.items()}
            case list():
                return [self.back(one) for one in value]
            case str() if value in self.given:
                return self.given[value]
            case str():
                for sent in self.given:
                    named = rf"(?<=[/'\" ]){re.escape(sent)}(?![\w-])"
                    value = re.sub(named, lambda found: self.given[found[0]], value)
                return value
            case _:
                return value


def _is_plain(request: Any) -> bool:
    with contextlib.suppress(TypeError):
        return bool(json.dumps(request))
    return False


def _name(text: str) -> str:
    return re.sub(r"[^a-zA-Z0-9-]+", "-", text).strip("-")[:63] or "x"


def _uri(text: str) -> str:
    return f"s3://bucket/{_name(text)}"


def _arn(text: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{_name(text)}"


def _token(text: str) -> str:
    return _name(text).ljust(32, "0")


def _place(request: Any, path: tuple[Any, ...]) -> tuple[Any, Any]:
    for part in path[:-1]:
        request = request[part]
    return (request, path[-1]) if path else (None, None)


CLOCK = Clock()
SERVER = Server()
_client: Callable[..., Any] = boto3.client
_ANY_CLIENT: Any = BaseClient
_call: Callable[..., Any] = _ANY_CLIENT._make_api_call


def client(service: str, region_name: str = "us-east-1", **_: object) -> Any:
    """Return a client of the test's server."""
    keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any"}
    return _client(service, region_name, endpoint_url=SERVER.start(region_name), **keys)


def call(self: BaseClient, name: str, request: Any) -> Any:
    """Call the server with a legal request; return what the test expects of its own."""
    try:
        return SERVER.back(_call(self, name, SERVER.legal(name, request)))
    except ClientError as error:
        error.response["Error"]["Message"] = SERVER.back(error.response["Error"]["Message"])
        raise


@contextlib.contextmanager
def _served() -> Iterator[None]:
    try:
        yield
    finally:
        SERVER.stop()


def mock_aws(function: Any = None, **_: object) -> Any:
    """Stand in for moto's: as a decorator and as a context manager."""
    if function is None:
        return _served()

    @functools.wraps(function)
    def wrapped(*arguments: Any, **named: Any) -> Any:
        with _served():
            return function(*arguments, **named)

    return wrapped


class _FreezeTime(contextlib.ContextDecorator):
    """Stops the server's clock."""

    def __init__(self, time: str) -> None:
        self._time = datetime.fromisoformat(time).replace(tzinfo=UTC).timestamp()

    def __enter__(self) -> None:
        CLOCK.stopped = self._time

    def __exit__(self, *_: object) -> None:
        CLOCK.stopped = None


_boto3: Any = boto3
_moto: Any = moto
_boto3.client = client
_ANY_CLIENT._make_api_call = call
_moto.mock_aws = mock_aws
_freezegun: Any = types.ModuleType("freezegun")
_freezegun.freeze_time = _FreezeTime
sys.modules["freezegun"] = _freezegun
