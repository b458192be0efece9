"""A local SageMaker whose fleets are fakes; and real fleets that serve a test's own code."""

from __future__ import annotations

import io
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, cast

import pytest

from pipelines.backends.local.engine.parts import EngineParts
from pipelines.backends.local.hosting.fleet import Fleet
from pipelines.backends.local.hosting.values import (
    FleetBusy,
    FleetError,
    FleetSpec,
    FleetStoppedError,
    Invocation,
    InvocationResponse,
)
from pipelines.backends.local.jobs.isolation import probe
from pipelines.backends.local.objects import ObjectStore
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.backends.local.settings import LocalSettings
from pipelines.backends.local.waiting import Waiting
from pipelines.images import Image, resolve
from pipelines.json_types import JsonObject

ROLE = "arn:aws:iam::000000000000:role/x"


@dataclass
class FakeFleet:
    """A fleet that answers with its image's name; requests that say so are refused."""

    spec: FleetSpec
    proven: bool
    stopped: bool = False
    stub: str | None = None
    interrupted: threading.Event = field(default_factory=threading.Event)

    async def answer(self, invocation: Invocation, _waiting: Waiting) -> InvocationResponse:
        """Answer."""
        if self.stopped:
            raise FleetStoppedError("stopped")
        if invocation.body == b"busy":
            raise FleetBusy
        if invocation.body == b"die":
            raise FleetError("the model server was killed by SIGKILL")
        if invocation.body == b"bad":
            return InvocationResponse(400, b"no such feature", "text/plain", {})
        headers = {"x-amzn-sagemaker-custom-attributes": "c"} if invocation.headers else {}
        return InvocationResponse(
            200, str(self.spec.container["Image"]).encode(), "text/plain", headers, 0.5
        )

    def stop(self) -> None:
        """Stop; what processes a request for ever does not end by itself."""
        self.stopped = True
        if self.spec.container["Image"] == "endless":
            self.interrupted.wait()

    def interrupt(self) -> None:
        """End the request."""
        self.interrupted.set()


@dataclass
class FakeFleets:
    """Starts fakes; `broken` does not load, `slow` waits for the gate, `stub` is one."""

    fleets: list[FakeFleet] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)

    def __call__(self, spec: FleetSpec, *, proven: bool) -> FakeFleet:
        """Start a fake."""
        image = spec.container["Image"]
        if image == "slow":
            self.gate.wait()
        if image == "broken":
            raise FleetError("the model does not load: no weights")
        stub = "nothing runs here" if image == "stub" else None
        self.fleets.append(FakeFleet(spec, proven, stub=stub))
        return self.fleets[-1]


class HostedLocal(LocalSageMaker):
    """A local SageMaker that starts fakes."""

    def __init__(self, home: Path) -> None:
        self.starts = FakeFleets()
        settings = LocalSettings(home, Path(sys.executable))
        super().__init__(settings, EngineParts(start_fleet=self.starts))

    def config(self, name: str, image: str = "one", **variant: object) -> None:
        """Create a model of that image and a config that serves it."""
        container = {"Image": image, "ModelDataUrl": "s3://b/m.tar.gz"}
        self.create_model(ModelName=f"m-{name}", PrimaryContainer=container, ExecutionRoleArn=ROLE)
        size = variant or {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        variants = [{"VariantName": "A", "ModelName": f"m-{name}", **size}]
        self.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)

    def create(self, endpoint: str, config: str) -> JsonObject:
        """Create an endpoint and wait for the end of it."""
        self.create_endpoint(EndpointName=endpoint, EndpointConfigName=config)
        return self.described(endpoint)

    def update(self, endpoint: str, config: str) -> JsonObject:
        """Update an endpoint and wait for the end of it."""
        self.update_endpoint(EndpointName=endpoint, EndpointConfigName=config)
        return self.described(endpoint)

    def described(self, endpoint: str) -> JsonObject:
        """Wait for the change in progress and describe the endpoint."""
        self._provided.provisioner.wait(endpoint)
        return self.describe_endpoint(EndpointName=endpoint)

    def ask(self, endpoint: str, body: bytes = b"x", **request: object) -> str:
        """Invoke an endpoint; return the response's text."""
        response = self.invoke_endpoint(EndpointName=endpoint, Body=body, **request)
        return bytes(response["Body"]).decode()

    def close(self) -> None:
        """Close."""
        self.starts.gate.set()
        super().close()


SERVERLESS: JsonObject = {"ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5}}


@pytest.fixture
def another(tmp_path: Path) -> Iterator[Callable[[], HostedLocal]]:
    """Return a function that opens the same state once more, as another process would."""
    opened: list[HostedLocal] = []

    def open_one() -> HostedLocal:
        opened.append(HostedLocal(tmp_path / ".pipelines"))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


@pytest.fixture
def local(another: Callable[[], HostedLocal]) -> HostedLocal:
    """Return a local SageMaker."""
    return another()


URL = "s3://bucket/model.tar.gz"


class Serve(Protocol):
    """Serve an inference module.

    `files` are further members of the archive, `image` is the short name of an image, `how` members
    of FleetSpec. Without code the archive has none.
    """

    def __call__(  # noqa: D102 - see the class
        self,
        code: str,
        *,
        files: dict[str, str] | None = None,
        environment: dict[str, str] | None = None,
        proven: bool = False,
        image: str = "x/x",
        **how: Any,
    ) -> Fleet: ...


@pytest.fixture(params=["namespaces", "rewrite"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> LocalSettings:
    """Return each isolation mode that is available."""
    if request.param == "namespaces" and probe().which != "namespaces":
        pytest.skip(probe().why)
    way = cast('Literal["namespaces", "rewrite"]', request.param)
    return LocalSettings(tmp_path / ".pipelines", Path(sys.executable), way)


@pytest.fixture
def serve(settings: LocalSettings) -> Iterator[Serve]:
    """Return a function that starts a fleet; all of them are stopped at the end."""
    objects = ObjectStore(settings.home / "s3")
    with ExitStack() as stack:

        def start(
            code: str,
            *,
            files: dict[str, str] | None = None,
            environment: dict[str, str] | None = None,
            proven: bool = False,
            image: str = "x/x",
            **how: Any,
        ) -> Fleet:
            members = {**({"code/inference.py": code} if code else {}), **(files or {})}
            objects.put_bytes(URL, archive(members))
            found = resolve(image, "us-east-1", "ml.m5.large", "inference")
            assert isinstance(found, Image)
            container = {"Image": found.uri, "ModelDataUrl": URL, "Environment": environment or {}}
            log = settings.home / "endpoints" / "a.log"
            plain: dict[str, Any] = {"name": "a", "container": container, "log": log}
            spec = FleetSpec(**{"workers": 1, "serverless": False, **how}, **plain)
            fleet = Fleet.start(spec, settings, objects, proven=proven)
            stack.callback(fleet.stop)
            return fleet

        yield start


def archive(members: dict[str, str]) -> bytes:
    """Pack texts as a model archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as packed:
        for name, text in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            packed.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()
