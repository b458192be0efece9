"""What a test says of a job → a job that can be run."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Unpack

from pipelines.bundle.code import CodeRequest
from pipelines.bundle.need import CodeNeed, ProjectFile
from pipelines.bundle.project import Project
from pipelines.testing.errors import JobSetupError
from pipelines.testing.hosts import JobSetup, ModelArchive
from pipelines.testing.options import (
    ProcessingOptions,
    ScriptOptions,
    StepOptions,
    TrainingOptions,
    check_name,
    check_options,
    distribution,
    project_path,
    texts,
    words,
)
from pipelines.testing.running import TIMEOUT, JobUnderTest

_MODEL = "model"
"""The input that brings `model=`."""


@dataclass(frozen=True, slots=True)
class Jobs:
    """Makes the jobs of one test; what the fixture `sagemaker_job` gives.

    Args:
        folder: where the jobs' files go.
        project: where scripts and relative data paths begin.
        spec: the spec file; None where there is none.
        imports: a context in which the rest of the tool can be imported.
    """

    folder: Path
    project: Path
    spec: Path | None = None
    imports: Callable[[], AbstractContextManager[None]] = nullcontext
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def training(
        self, script: str | os.PathLike[str], **options: Unpack[TrainingOptions]
    ) -> JobUnderTest:
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
    ) -> JobUnderTest:
        """Describe a processing job; `script` is relative to the project."""
        check_options(options, ProcessingOptions.__optional_keys__)
        arguments = texts(options.get("arguments", {}), "arguments")
        model = {_MODEL: ModelArchive(options["model"])} if "model" in options else {}
        setup = JobSetup(
            job="processing",
            name=self._name(),
            inputs={**options.get("inputs", {}), **model},
            outputs=tuple(options.get("outputs", ())),
            arguments=words(arguments),
            environment=texts(options.get("environment", {}), "environment"),
            hosts=options.get("hosts", 1),
        )
        return self._job(script, setup, options)

    def step(self, name: str, **options: Unpack[StepOptions]) -> JobUnderTest:
        """Describe the job of a step of `pipeline.yaml`.

        Script, requirements, arguments, outputs and all else are taken from there; what other
        steps would give it, `inputs` and `model`, is given here. Relative data paths begin at the
        folder of the spec file.

        Raises:
            JobSetupError: the spec has errors, there is no such step, or something is missing.
        """
        check_name(name)
        check_options(options, StepOptions.__optional_keys__)
        if self.spec is None:
            raise JobSetupError(
                "there is no pipeline.yaml above the test: name the file by `pipelines_file` in "
                "pytest's configuration"
            )
        with self.imports():
            from pipelines.testing.steps import step_job  # noqa: PLC0415 - only tests of steps need the compiler

            return step_job(self.spec, name, options, self.folder / self._name())

    def _job(
        self, script: str | os.PathLike[str], setup: JobSetup, options: ScriptOptions
    ) -> JobUnderTest:
        need = CodeNeed(
            setup.job,
            script=ProjectFile(project_path(script, self.project), ("script",), "script"),
            include=tuple(project_path(one, self.project) for one in options.get("include", ())),
            requirements=tuple(options.get("requirements", ())),
            distribution=distribution(options),
            model_input=_MODEL if "model" in options else None,
            outputs=setup.outputs,
        )
        code = CodeRequest("test", need, "s3://test", None, {})
        timeout = options.get("timeout", TIMEOUT)
        return JobUnderTest(code, setup, Project(self.project), self.folder / setup.name, timeout)

    def _name(self) -> str:
        """Return a name that no job running at the same time has: ports come from it."""
        return f"test-{os.getpid()}-{next(self._numbers)}-{self.folder.name}"
