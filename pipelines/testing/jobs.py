"""What a test says of a job → a job that can be run."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypedDict, Unpack

from pipelines.bundle.code import CodeRequest
from pipelines.bundle.need import CodeNeed, ProjectFile
from pipelines.bundle.project import Project
from pipelines.json_types import JsonObject
from pipelines.testing.data import Data
from pipelines.testing.hosts import JobSetup, ModelArchive
from pipelines.testing.options import check_options, project_path, texts
from pipelines.testing.running import TIMEOUT, Job

_MODEL = "model"
"""The input that brings `model=`."""


class CommonOptions(TypedDict, total=False):
    """What any job may be given.

    hosts: how many instances, each a process with its own /opt/ml (default 1).
    distribution: the launcher, or None for one process per host.
    processes_per_host: for the launcher (default: GPUs, else 1).
    requirements: lines of a requirements file; installed where they are not met.
    environment: further environment variables.
    include: files, folders or globs of the project that the code needs besides its imports.
    timeout: seconds after which the job is killed (default 600).
    """

    hosts: int
    distribution: Literal["torchrun", "mpi"] | None
    processes_per_host: int | None
    requirements: Sequence[str]
    environment: Mapping[str, object]
    include: Sequence[str | os.PathLike[str]]
    timeout: float


class TrainingOptions(CommonOptions, total=False):
    """What a training job may be given: channel → data, and hyperparameters."""

    channels: Mapping[str, Data]
    hyperparameters: Mapping[str, object]


class ProcessingOptions(CommonOptions, total=False):
    """What a processing job may be given.

    inputs: name → data.
    outputs: names; a script finds their folders in SM_OUT_<NAME>.
    arguments: `--key value` of the script.
    model: what model.tar.gz holds, such as the `model` of a training's result; the script finds
        it unpacked in SM_MODEL_DIR.
    """

    inputs: Mapping[str, Data]
    outputs: Sequence[str]
    arguments: Mapping[str, object]
    model: Data


@dataclass(frozen=True, slots=True)
class Jobs:
    """Makes the jobs of one test; what the fixture `sagemaker_job` gives.

    Args:
        folder: where the jobs' files go.
        project: where scripts and relative data paths begin.
    """

    folder: Path
    project: Path
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def training(self, script: str | os.PathLike[str], **options: Unpack[TrainingOptions]) -> Job:
        """Describe a training job; `script` is relative to the project."""
        check_options(options, TrainingOptions.__optional_keys__)
        setup = JobSetup(
            job="training",
            name=self._name(),
            inputs=options.get("channels", {}),
            hyperparameters=texts(options.get("hyperparameters", {}), "hyperparameters"),
            environment=texts(options.get("environment", {}), "environment"),
            hosts=options.get("hosts", 1),
        )
        return self._job(script, setup, options)

    def processing(
        self, script: str | os.PathLike[str], **options: Unpack[ProcessingOptions]
    ) -> Job:
        """Describe a processing job; `script` is relative to the project."""
        check_options(options, ProcessingOptions.__optional_keys__)
        arguments = texts(options.get("arguments", {}), "arguments")
        model = {_MODEL: ModelArchive(options["model"])} if "model" in options else {}
        setup = JobSetup(
            job="processing",
            name=self._name(),
            inputs={**options.get("inputs", {}), **model},
            outputs=tuple(options.get("outputs", ())),
            arguments=tuple(w for name, value in arguments.items() for w in (f"--{name}", value)),
            environment=texts(options.get("environment", {}), "environment"),
            hosts=options.get("hosts", 1),
        )
        return self._job(script, setup, options)

    def _job(self, script: str | os.PathLike[str], setup: JobSetup, options: CommonOptions) -> Job:
        need = CodeNeed(
            setup.job,
            script=ProjectFile(project_path(script, self.project), ("script",), "script"),
            include=tuple(project_path(one, self.project) for one in options.get("include", ())),
            requirements=tuple(options.get("requirements", ())),
            distribution=_distribution(options),
            model_input=_MODEL if "model" in options else None,
            outputs=setup.outputs,
        )
        code = CodeRequest("test", need, "s3://test", None, {})
        timeout = options.get("timeout", TIMEOUT)
        return Job(code, setup, Project(self.project), self.folder / setup.name, timeout)

    def _name(self) -> str:
        """Return a name that no job running at the same time has: ports come from it."""
        return f"test-{os.getpid()}-{next(self._numbers)}-{self.folder.name}"


def _distribution(options: CommonOptions) -> JsonObject | None:
    launcher = options.get("distribution")
    if launcher is None:
        return None
    return {"launcher": launcher, "processes_per_host": options.get("processes_per_host")}
