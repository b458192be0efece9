"""The pytest plugin: fixtures only, and nothing imported before a test asks for one."""

from __future__ import annotations

import itertools
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from types import ModuleType
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


_PACKAGE, _NEEDED = "pipelines", ("jobs", "environments")
_KEPT = pytest.StashKey[dict[str, Any]]()
"""The modules of this plugin in a project that has a package `pipelines` of its own."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare where a project begins, for those whose tests live elsewhere."""
    parser.addini(
        "sagemaker_project",
        "folder that scripts and data paths of SageMaker jobs are relative to (default: rootdir)",
        default="",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Leave the name `pipelines` to a project that has a package of that name.

    Its tests import that one. What this plugin needs is imported before, and kept.
    """
    own = early_config.rootpath / _PACKAGE
    ours = Path(__file__).resolve().parents[1]
    if own.resolve() == ours or not (
        (own / "__init__.py").is_file() or own.with_suffix(".py").is_file()
    ):
        return
    early_config.stash[_KEPT] = {name: _imported(name) for name in _NEEDED}
    for name in [name for name in sys.modules if name.partition(".")[0] == _PACKAGE]:
        del sys.modules[name]


def _imported(name: str) -> ModuleType:
    return import_module(f"{_PACKAGE}.testing.{name}")


def _module(config: pytest.Config, name: str) -> Any:
    """Return a module of this plugin: a plugin must cost nothing unused."""
    kept = config.stash.get(_KEPT, None)
    return kept[name] if kept is not None else _imported(name)


@pytest.fixture
def sagemaker_project(pytestconfig: pytest.Config) -> Path:
    """The folder that scripts and data paths are relative to; override it where it differs."""
    return pytestconfig.rootpath / str(pytestconfig.getini("sagemaker_project"))


@pytest.fixture
def sagemaker_job(tmp_path: Path, sagemaker_project: Path, pytestconfig: pytest.Config) -> Jobs:
    """Describe and run SageMaker jobs; see the documentation of `pipelines.testing`."""
    jobs: Jobs = _module(pytestconfig, "jobs").Jobs(tmp_path / "jobs", sagemaker_project)
    return jobs


@pytest.fixture
def sagemaker_environment(
    tmp_path: Path, sagemaker_project: Path, pytestconfig: pytest.Config
) -> SetEnvironment:
    """Set a job's `SM_*` variables around code in this process.

    The value is called in a `with` statement, with `channels`, `outputs` and `hyperparameters`.
    """
    environment = _module(pytestconfig, "environments").environment
    numbers = itertools.count(1)

    def set_environment(
        **options: Unpack[EnvironmentOptions],
    ) -> AbstractContextManager[JobFolders]:
        folder = tmp_path / "environments" / str(next(numbers))
        context: AbstractContextManager[JobFolders] = environment(
            folder, sagemaker_project, **options
        )
        return context

    return set_environment
