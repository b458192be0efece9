"""A local SageMaker whose fleets are doubles: they load, fail or wait as their model says."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pipelines.backends.local.executors.contract import LocalSettings
from pipelines.backends.local.hosting.hosting import Hosting
from pipelines.backends.local.model_server.values import (
    Answer,
    Busy,
    FleetError,
    FleetSpec,
    Invocation,
    StoppedError,
)
from pipelines.backends.local.objects import ObjectStore
from pipelines.backends.local.registry.premises import Premises
from pipelines.backends.local.registry.registry import LocalRegistry
from pipelines.backends.local.state.database import Database
from pipelines.json_types import JsonObject

ROLE = "arn:aws:iam::000000000000:role/x"


@dataclass
class Double:
    """A fleet that answers with its image's name; requests that say so are refused."""

    spec: FleetSpec
    proven: bool
    stopped: bool = False

    def invoke(self, invocation: Invocation) -> Answer:
        """Answer."""
        if self.stopped:
            raise StoppedError("stopped")
        if invocation.body == b"busy":
            raise Busy
        if invocation.body == b"die":
            raise FleetError("the model server was killed by SIGKILL")
        if invocation.body == b"bad":
            return Answer(400, b"no such feature", "text/plain", {})
        headers = {"x-amzn-sagemaker-custom-attributes": "c"} if invocation.headers else {}
        return Answer(200, str(self.spec.container["Image"]).encode(), "text/plain", headers, 0.5)

    def stop(self) -> None:
        """Stop."""
        self.stopped = True


@dataclass
class Starts:
    """Starts doubles; an image `broken` does not load, an image `slow` waits for the gate."""

    fleets: list[Double] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)

    def __call__(self, spec: FleetSpec, *, proven: bool) -> Double:
        """Start a double."""
        image = spec.container["Image"]
        if image == "slow":
            self.gate.wait()
        if image == "broken":
            raise FleetError("the model does not load: no weights")
        self.fleets.append(Double(spec, proven))
        return self.fleets[-1]


class Local(LocalRegistry):
    """Registry and hosting on one state, as LocalSageMaker has them."""

    def __init__(self, home: Path) -> None:
        self.database = Database(home)
        settings = LocalSettings(home, Path(sys.executable))
        premises = Premises(self.database, settings)
        super().__init__(premises)
        self.starts = Starts()
        self.hosting = Hosting(premises, ObjectStore(home / "s3"), self.starts)

    def config(self, name: str, image: str = "one", **variant: object) -> None:
        """Create a model of that image and a config that serves it."""
        container = {"Image": image, "ModelDataUrl": "s3://b/m.tar.gz"}
        self.create_model(ModelName=f"m-{name}", PrimaryContainer=container, ExecutionRoleArn=ROLE)
        size = variant or {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        variants = [{"VariantName": "A", "ModelName": f"m-{name}", **size}]
        self.hosting.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)

    def create(self, endpoint: str, config: str) -> JsonObject:
        """Create an endpoint and wait for the end of it."""
        self.hosting.create_endpoint(EndpointName=endpoint, EndpointConfigName=config)
        return self.settled(endpoint)

    def update(self, endpoint: str, config: str) -> JsonObject:
        """Update an endpoint and wait for the end of it."""
        self.hosting.update_endpoint(EndpointName=endpoint, EndpointConfigName=config)
        return self.settled(endpoint)

    def settled(self, endpoint: str) -> JsonObject:
        """Wait for the change under way and describe the endpoint."""
        self.hosting.wait(endpoint)
        return self.hosting.describe_endpoint(EndpointName=endpoint)

    def ask(self, endpoint: str, body: bytes = b"x", **request: object) -> str:
        """Invoke an endpoint and give the answer's text."""
        response = self.hosting.invoke_endpoint(EndpointName=endpoint, Body=body, **request)
        return bytes(response["Body"]).decode()

    def close(self) -> None:
        """Close."""
        self.starts.gate.set()
        self.hosting.close()
        self.database.close()


SERVERLESS: JsonObject = {"ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5}}


@pytest.fixture
def another(tmp_path: Path) -> Iterator[Callable[[], Local]]:
    """Give a function that opens the same state once more, as another process would."""
    opened: list[Local] = []

    def open_one() -> Local:
        opened.append(Local(tmp_path / ".pipelines"))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


@pytest.fixture
def local(another: Callable[[], Local]) -> Local:
    """Give a local SageMaker."""
    return another()
