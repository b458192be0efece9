"""The pytest plugin: fixtures only, and nothing imported before a test asks for one."""

from __future__ import annotations

import itertools
import os
import sys
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
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


_PACKAGE, _SPEC = "pipelines", "pipeline.yaml"
_OURS = pytest.StashKey[dict[str, "ModuleType"]]()
"""The modules of this tool in a project that has a package `pipelines` of its own."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare where project and spec are, for those whose tests live elsewhere."""
    group = parser.getgroup("pipelines", "SageMaker pipelines as code")
    group.addoption("--pipelines-file", metavar="FILE", help="the spec file of the tested steps")
    parser.addini(
        "pipelines_file",
        "the spec file of the tested steps (default: the first pipeline.yaml above a test)",
        default="",
    )
    parser.addini(
        "sagemaker_project",
        "folder that scripts and data paths of SageMaker jobs are relative to "
        "(default: that of the spec file, else rootdir)",
        default="",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Leave the name `pipelines` to a project that has a package of that name.

    Its tests import that one; this tool's is put in its place while it is used.
    """
    own = early_config.rootpath / _PACKAGE
    ours = Path(__file__).resolve().parents[1]
    if Path(os.path.realpath(own)) == ours or not (
        (own / "__init__.py").is_file() or own.with_suffix(".py").is_file()
    ):
        return
    early_config.stash[_OURS] = _take_modules()


@contextmanager
def _ours(config: pytest.Config) -> Iterator[None]:
    """Have the name `pipelines` mean this tool."""
    ours = config.stash.get(_OURS, None)
    if ours is None:
        yield
        return
    theirs = _take_modules()
    sys.modules.update(ours)
    try:
        yield
    finally:
        ours.update(_take_modules())
        sys.modules.update(theirs)


def _take_modules() -> dict[str, ModuleType]:
    """Take all modules of the name `pipelines` out of `sys.modules`."""
    names = [name for name in sys.modules if name.partition(".")[0] == _PACKAGE]
    return {name: sys.modules.pop(name) for name in names}


@pytest.fixture
def sagemaker_project(pytestconfig: pytest.Config, request: pytest.FixtureRequest) -> Path:
    """The folder that scripts and data paths are relative to; override it where it differs."""
    named = str(pytestconfig.getini("sagemaker_project"))
    spec = None if named else _spec_file(pytestconfig, request.path.parents)
    return spec.parent if spec else pytestconfig.rootpath / named


def _spec_file(config: pytest.Config, folders: Iterable[Path]) -> Path | None:
    """Return the spec file that was named, else the first one in these folders and rootdir."""
    if named := config.getoption("--pipelines-file"):
        return config.invocation_params.dir / str(named)
    if named := config.getini("pipelines_file"):
        return config.rootpath / str(named)
    files = (folder / _SPEC for folder in (*folders, config.rootpath))
    return next((file for file in files if file.is_file()), None)


@pytest.fixture
def _sagemaker_folder(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for jobs beside `tmp_path`, so that a job may be given all of that one."""
    return tmp_path_factory.mktemp(f"{tmp_path.name}-jobs")


@pytest.fixture
def sagemaker_job(
    _sagemaker_folder: Path,
    sagemaker_project: Path,
    pytestconfig: pytest.Config,
    request: pytest.FixtureRequest,
) -> Jobs:
    """Describe and run SageMaker jobs; see the documentation of `pipelines.testing`."""
    with _ours(pytestconfig):
        from pipelines.testing.jobs import Jobs  # noqa: PLC0415 - a plugin must cost nothing unused
    spec = _spec_file(pytestconfig, (sagemaker_project, *request.path.parents))
    return Jobs(_sagemaker_folder, sagemaker_project, spec, partial(_ours, pytestconfig))


@pytest.fixture
def sagemaker_environment(
    _sagemaker_folder: Path, sagemaker_project: Path, pytestconfig: pytest.Config
) -> SetEnvironment:
    """Set a job's `SM_*` variables around code in this process.

    The value is called in a `with` statement, with `channels`, `outputs` and `hyperparameters`.
    """
    with _ours(pytestconfig):
        from pipelines.testing.environments import environment  # noqa: PLC0415 - as above
    numbers = itertools.count(1)

    def set_environment(
        **options: Unpack[EnvironmentOptions],
    ) -> AbstractContextManager[JobFolders]:
        folder = _sagemaker_folder / f"environment-{next(numbers)}"
        return environment(folder, sagemaker_project, **options)

    return set_environment
