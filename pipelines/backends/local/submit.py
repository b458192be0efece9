"""A compiled pipeline → a started execution of the local SageMaker.

The pipeline is described, compared, then created or updated, while a lock of the home folder is
held: two simultaneous `run`s each start the version that they compiled.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field
from pathlib import Path

from pipelines.backends.local.engine.engine import check_stubs
from pipelines.backends.local.errors import ServiceError
from pipelines.backends.local.objects import ObjectStore
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.backends.local.state.home import open_home
from pipelines.bundle.assets import CodeAsset, DataAsset, digest_files
from pipelines.compile.output import written_data, written_objects
from pipelines.errors import UsageError
from pipelines.execution.executions import described
from pipelines.frozen import frozen
from pipelines.runtime.bundle import read_files
from pipelines.runtime.errors import JobError
from pipelines.spec.model import Aws

_LOCK = "submit.lock"


@frozen
class Submission:
    """The pipeline to start.

    Args:
        pipeline: the pipeline's name.
        definition: its definition JSON.
        role: the role that it runs with; None keeps the pipeline's.
        tags: its tags, set when it is created.
        env: the environment that it was compiled with; its executions are described by it.
    """

    pipeline: str
    definition: str
    role: str | None
    tags: Mapping[str, str] = field(default_factory=dict)
    env: str | None = None


@frozen
class RunInputs:
    """What an execution is started with.

    Args:
        parameters: values by name, as text.
        stubs: the files that stand in for steps, by step.
    """

    parameters: Mapping[str, str]
    stubs: Mapping[str, Path]


def stage(objects: ObjectStore, code: tuple[CodeAsset, ...], data: tuple[DataAsset, ...]) -> None:
    """Put the assets of a bundle where the definition names them; what exists is left alone.

    Assets are addressed by content, so an object that exists is the right one, unless somebody
    or a full disk has damaged it: a bundle is read, of data the sizes are compared.
    """
    for bundle in code:
        if not _is_whole(objects, bundle):
            objects.put_bytes(bundle.uri, bundle.archive())
    for folder in data:
        for name, path in folder.files:
            if not _is_as_long(objects, folder.uri + name, path):
                objects.put_file(folder.uri + name, path)


def _is_whole(objects: ObjectStore, bundle: CodeAsset) -> bool:
    if not objects.exists(bundle.uri):
        return False
    try:
        return tuple(read_files(objects.path_of(bundle.uri))) == bundle.members
    except JobError:
        return False


def _is_kept(objects: ObjectStore, uri: str, path: Path) -> bool:
    """Return whether an object is there, of the same length as the file that it was, if any."""
    return _is_as_long(objects, uri, path) if path.is_file() else objects.exists(uri)


def _is_as_long(objects: ObjectStore, uri: str, path: Path) -> bool:
    return objects.exists(uri) and objects.info(uri).size == path.stat().st_size


def stage_written(objects: ObjectStore, definition: Path, project: Path) -> None:
    """Put what `compile -o` wrote beside a definition where that definition names it.

    Args:
        objects: the object store.
        definition: the definition's file.
        project: the folder that local data is named relative to.

    Raises:
        UsageError: local data is not what the definition was compiled from.
    """
    for uri, file in written_objects(definition):
        if not objects.exists(uri) or objects.get_bytes(uri) != file.read_bytes():
            objects.put_file(uri, file)
    for asset in written_data(definition, project):
        if all(_is_kept(objects, asset.uri + name, path) for name, path in asset.files):
            continue
        is_there = all(path.is_file() for _, path in asset.files)
        if not is_there or digest_files(asset.files) != asset.digest:
            raise UsageError(
                f"the local data behind {asset.uri} is not what {definition} was compiled from",
                "compile again, or run it in the project that it was compiled in",
            )
        for name, path in asset.files:
            objects.put_file(asset.uri + name, path)


def submit(sagemaker: LocalSageMaker, submission: Submission, inputs: RunInputs) -> str:
    """Create or update the pipeline and start an execution of that version.

    Returns:
        The ARN of the execution.

    Raises:
        UsageError: the parameters or the stubs do not fit the definition.
    """
    check_stubs(inputs.stubs, submission.definition)
    with _locked(sagemaker.settings.home):
        name = {"PipelineName": submission.pipeline}
        definition = {"PipelineDefinition": submission.definition}
        deployed = _deployed(sagemaker, submission.pipeline)
        if deployed is None:
            token = {"ClientRequestToken": "pipelines-run-" + "0" * 32}
            tags = [{"Key": key, "Value": value} for key, value in submission.tags.items()]
            role = {"RoleArn": submission.role or Aws().role}
            sagemaker.create_pipeline(**name, **definition, **token, **role, Tags=tags)
        elif deployed != submission.definition:
            role = {} if submission.role is None else {"RoleArn": submission.role}
            sagemaker.update_pipeline(**name, **definition, **role)
        parameters = [{"Name": n, "Value": v} for n, v in inputs.parameters.items()]
        started = sagemaker.start_pipeline_execution(
            **name, **described(submission.env), PipelineParameters=parameters
        )
    arn: str = started["PipelineExecutionArn"]
    return arn


def _deployed(sagemaker: LocalSageMaker, name: str) -> str | None:
    try:
        definition: str = sagemaker.describe_pipeline(PipelineName=name)["PipelineDefinition"]
    except ServiceError as error:
        if error.code == "ResourceNotFound":
            return None
        raise
    return definition


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    open_home(home)
    with (home / _LOCK).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
