"""Jobs and the end of `serve`: none outlives it, and none stays InProgress."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.local.api.test_api_jobs import failed, training
from tests.waiting import until

ROOT = Path(__file__).parents[3]
SPEC = """\
spec: 1
pipeline: p
steps:
  no:
    kind: fail
    message: nothing to do
"""
SLEEP = 'echo $$ > "$SM_PID_FILE"; exec sleep 600'


@dataclass(frozen=True)
class Project:
    """A project, and how to serve it in a process of its own."""

    folder: Path

    @contextmanager
    def serve(self) -> Iterator[tuple[subprocess.Popen[str], Any]]:
        """Serve it; yield the process and a client."""
        words = [sys.executable, "-m", "pipelines", "serve", "--port", "0"]
        with subprocess.Popen(
            words, cwd=self.folder, env=_environment(), stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                assert process.stdout is not None
                url = re.search(r"http://[\d.:]+", process.stdout.readline())
                assert url is not None
                client: Any = boto3.client
                yield (
                    process,
                    client(
                        "sagemaker",
                        region_name="us-east-1",
                        endpoint_url=url[0],
                        aws_access_key_id="local",
                        aws_secret_access_key="local",
                        config=Config(retries={"max_attempts": 1}),
                    ),
                )
            finally:
                process.kill()

    def start_job(self, client: Any, name: str) -> int:
        """Create a job that sleeps; return the id of its process once it runs."""
        file = self.folder / f"{name}.pid"
        environment = {"SM_PID_FILE": str(file)}
        request = training(name, "sh", "-c", SLEEP, Environment=environment)
        client.create_training_job(**request)
        until(lambda: file.is_file() and file.read_text().endswith("\n"))
        return int(file.read_text())


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return a project."""
    (tmp_path / "pipeline.yaml").write_text(SPEC)
    return Project(tmp_path)


def lives(process: int) -> bool:
    """Return whether a process runs."""
    with suppress(FileNotFoundError):
        return " Z " not in Path(f"/proc/{process}/stat").read_text()
    return False


def test_a_job_outlives_its_client_and_is_lost_with_a_killed_serve(project: Project) -> None:
    """`kill -9`: its process ends, and from the next start on it has failed, with the reason."""
    with project.serve() as (server, client):
        process = project.start_job(client, "long")
        del client
        assert lives(process)
        server.kill()
        server.wait()
    with project.serve() as (_, client):
        job = client.describe_training_job(TrainingJobName="long")
        assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Failed"
        assert job["FailureReason"].startswith("InternalServerError: the process that ran the job")
        listed = client.list_training_jobs(StatusEquals="InProgress")["TrainingJobSummaries"]
        assert listed == []
    until(lambda: not lives(process))


def test_a_job_ends_with_serve(project: Project) -> None:
    """Ctrl-C stops it as StopTrainingJob does; the next `serve` shows it Stopped."""
    with project.serve() as (server, client):
        process = project.start_job(client, "long")
        server.send_signal(signal.SIGINT)
        server.wait()
        assert not lives(process)
    with project.serve() as (_, client):
        job = client.describe_training_job(TrainingJobName="long")
    assert job["TrainingJobStatus"] == "Stopped"
    assert [one["Status"] for one in job["SecondaryStatusTransitions"]][-2:] == [
        "Stopping",
        "Stopped",
    ]


def test_the_process_of_a_job_may_be_killed(project: Project) -> None:
    """The job has failed, and says by which signal."""
    with project.serve() as (_, client):
        process = project.start_job(client, "shot")
        os.kill(process, signal.SIGKILL)
        reason = failed(client, "shot")["FailureReason"]
    assert "killed (SIGKILL)" in reason
