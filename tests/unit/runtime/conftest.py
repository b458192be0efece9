"""Jobs for the tests of the runtime: real bundles, started as real processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from pipelines.testing.hosts import JobSetup, host_environment, prepare
from pipelines.testing.jobs import Jobs
from tests import older_pythons
from tests.bundles import write_bundle

_OLDEST, *_OLD = older_pythons.VERSIONS
_EACH = ("this", _OLDEST, *(pytest.param(one, marks=pytest.mark.everything) for one in _OLD))


@pytest.fixture(params=_EACH)
def every_python(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the test's jobs with this Python and with the oldest; `make everything` with all."""
    if request.param != "this":
        monkeypatch.setattr(sys, "executable", older_pythons.interpreter(request.param))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The folder that a test writes its scripts to."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def jobs(tmp_path: Path, project: Path) -> Jobs:
    """Jobs of that project."""
    return Jobs(tmp_path / "jobs", project)


class Start(Protocol):
    """Starts a bundle with one script and leaves it running; its root is `root`."""

    def __call__(self, script: str, **environment: str) -> subprocess.Popen[str]:
        """Start the script with further environment variables."""
        ...


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder that stands for /opt/ml in jobs of `start`."""
    return tmp_path / "opt" / "ml"


@pytest.fixture
def start(tmp_path: Path, root: Path) -> Iterator[Start]:
    """Start jobs whose processes a test wants to signal; they are killed in the end."""
    setup = JobSetup("training", f"test-{tmp_path.name}")
    layout = prepare(setup, "algo-1", root, tmp_path)
    outer = host_environment(setup, layout)
    started: list[subprocess.Popen[str]] = []

    def start_one(script: str, **environment: str) -> subprocess.Popen[str]:
        job = {"step": "s", "job": "training", "script": "train.py"}
        bundle = write_bundle(tmp_path / "bundle.pyz", job, {"train.py": script.encode()})
        process = subprocess.Popen(
            [sys.executable, str(bundle)],
            env={**outer, "TMPDIR": str(tmp_path), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start_one
    for process in started:
        process.kill()
        process.communicate()
