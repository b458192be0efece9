"""The pytest plugin: fixtures only, and nothing imported before a test asks for one."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path
    from typing import Protocol, Unpack

    from pipelines.testing.environments import EnvironmentOptions, JobFolders
    from pipelines.testing.jobs import Jobs

    class SetEnvironment(Protocol):
        """What the fixture `sagemaker_environment` gives."""

        def __call__(
            self, **options: Unpack[EnvironmentOptions]
        ) -> AbstractContextManager[JobFolders]:
            """Return a context in which the variables are set."""
            ...


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare where a project begins, for those whose tests live elsewhere."""
    parser.addini(
        "sagemaker_project",
        "folder that scripts and data paths of SageMaker jobs are relative to (default: rootdir)",
        default="",
    )


@pytest.fixture
def sagemaker_project(pytestconfig: pytest.Config) -> Path:
    """The folder that scripts and data paths are relative to; override it where it differs."""
    return pytestconfig.rootpath / str(pytestconfig.getini("sagemaker_project"))


@pytest.fixture
def sagemaker_job(tmp_path: Path, sagemaker_project: Path) -> Jobs:
    """Describe and run SageMaker jobs; see the documentation of `pipelines.testing`."""
    from pipelines.testing.jobs import Jobs  # noqa: PLC0415 - a plugin must cost nothing unused

    return Jobs(tmp_path / "jobs", sagemaker_project)


@pytest.fixture
def sagemaker_environment(tmp_path: Path, sagemaker_project: Path) -> SetEnvironment:
    """Set a job's `SM_*` variables around code in this process.

    The value is called in a `with` statement, with `channels`, `outputs` and `hyperparameters`.
    """
    from pipelines.testing.environments import (  # noqa: PLC0415 - a plugin must cost nothing unused
        environment,
    )

    numbers = itertools.count(1)

    def set_environment(
        **options: Unpack[EnvironmentOptions],
    ) -> AbstractContextManager[JobFolders]:
        folder = tmp_path / "environments" / str(next(numbers))
        return environment(folder, sagemaker_project, **options)

    return set_environment
