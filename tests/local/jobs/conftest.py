"""What the tests of local jobs share: a tool home, step calls, and the two ways of isolation."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import pytest

from pipelines.backends.local.executors.contract import ExecutionInfo, ModelRegistry, StepCall
from pipelines.backends.local.jobs.isolation import probe
from pipelines.backends.local.jobs.service import JobService
from pipelines.backends.local.objects import ObjectStore
from pipelines.backends.local.operations.context import OperationContext
from pipelines.backends.local.settings import LocalSettings
from pipelines.backends.local.state.local_state import LocalState
from pipelines.execution.usage import is_usage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.json_types import JsonObject

ROOT = Path(__file__).parents[3]


def ordinary_python() -> list[str]:
    """Return the words that start a Python as an ordinary user, who may read this project."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root can become another user, with setpriv")
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    readable = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import pipelines.errors, tomllib"
    if python is None or subprocess.run([*user, python, "-c", readable], check=False).returncode:
        pytest.skip("no Python that an ordinary user may run, or the project is not readable")
    return [*user, python]


@pytest.fixture(params=["namespaces", "rewrite"])
def isolation(request: pytest.FixtureRequest) -> Literal["namespaces", "rewrite"]:
    """Return each way of isolation, if it is available."""
    if request.param == "namespaces" and probe().which != "namespaces":
        pytest.skip(probe().why)
    return cast('Literal["namespaces", "rewrite"]', request.param)


@dataclass(frozen=True)
class Local:
    """A local SageMaker in a temporary folder."""

    home: Path
    settings: LocalSettings
    store: ObjectStore
    jobs: JobService

    def call(self, arguments: JsonObject, stop: threading.Event | None = None) -> StepCall:
        """Make the call of a step with these resolved arguments."""
        job_name = f"pipelines-abc-step-{uuid.uuid4().hex[:10]}-0"
        logs = self.home / "logs" / job_name
        logs.mkdir(parents=True)
        return StepCall(
            name="step",
            job_name=job_name,
            arguments=arguments,
            step={"Name": "step", "Arguments": arguments},
            execution=ExecutionInfo("abc", "arn:aws:sagemaker:::x", "flights", 0.0),
            settings=self.settings,
            registry=cast("ModelRegistry", None),
            logs=logs,
            stop=stop or threading.Event(),
            jobs=self.jobs,
        )

    def log(self, call: StepCall, host: str = "algo-1") -> str:
        """Read a host's log, without the runtime's line about usage."""
        text = (call.logs / f"{host}.log").read_text()
        return "".join(line for line in text.splitlines(keepends=True) if not is_usage(line))

    def clean(self) -> bool:
        """Return whether no job's folder is left."""
        self.jobs.settle()
        return {path.name for path in (self.home / "jobs").iterdir()} <= {".guard"}

    @staticmethod
    def processing(*words: str, hosts: int = 1, **more: object) -> JsonObject:
        """Write the arguments of a Processing step."""
        return {
            "ProcessingResources": {
                "ClusterConfig": {
                    "InstanceType": "ml.m5.xlarge",
                    "InstanceCount": hosts,
                    "VolumeSizeInGB": 30,
                }
            },
            "AppSpecification": {"ImageUri": "image:1"}
            | ({"ContainerEntrypoint": list(words)} if words else {}),
            "RoleArn": "arn:aws:iam::111122223333:role/x-role-name",
            **more,
        }

    @staticmethod
    def training(*words: str, hosts: int = 1, **more: object) -> JsonObject:
        """Write the arguments of a Training step."""
        return {
            "AlgorithmSpecification": {
                "TrainingImage": "image:1",
                "TrainingInputMode": "File",
            }
            | ({"ContainerEntrypoint": list(words)} if words else {}),
            "OutputDataConfig": {"S3OutputPath": "s3://bucket/models"},
            "ResourceConfig": {
                "InstanceType": "ml.m5.xlarge",
                "InstanceCount": hosts,
                "VolumeSizeInGB": 30,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
            "RoleArn": "arn:aws:iam::111122223333:role/x-role-name",
            **more,
        }

    @staticmethod
    def s3_input(name: str, uri: str, **more: str) -> JsonObject:
        """Write a processing input at its conventional place."""
        place = f"/opt/ml/processing/input/{name}"
        s3 = {"S3Uri": uri, "LocalPath": place, "S3DataType": "S3Prefix", "S3InputMode": "File"}
        return {"InputName": name, "S3Input": s3 | more}

    @staticmethod
    def s3_output(name: str, uri: str) -> JsonObject:
        """Write a processing output at its conventional place."""
        place = f"/opt/ml/processing/output/{name}"
        s3 = {"S3Uri": uri, "LocalPath": place, "S3UploadMode": "EndOfJob"}
        return {"OutputName": name, "S3Output": s3}

    @staticmethod
    def channel(name: str, uri: str, **more: str) -> JsonObject:
        """Write a training channel; `more` goes into its S3DataSource."""
        source = {"S3DataType": "S3Prefix", "S3Uri": uri} | more
        return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


@dataclass(frozen=True)
class JumpingClock:
    """A clock by which a day has passed as soon as a file is there: no test waits for a limit."""

    file: Path

    def monotonic(self) -> float:
        """Return seconds."""
        return time.monotonic() + (86_400 if self.file.exists() else 0)


@pytest.fixture
def local(tmp_path: Path, isolation: Literal["namespaces", "rewrite"]) -> Iterator[Local]:
    """Return a local SageMaker that isolates in the way under test."""
    home = tmp_path / ".pipelines"
    settings = LocalSettings(home, Path(sys.executable), isolation=isolation)
    with LocalState(home) as state:
        jobs = JobService(OperationContext(state, settings))
        yield Local(home, settings, ObjectStore(home / "s3"), jobs)
        jobs.close()
