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
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.backends.local.state.home import open_home
from pipelines.execution.executions import described
from pipelines.execution.selection import Selection
from pipelines.frozen import frozen
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
        origins: for each of its steps the step of the spec that it comes from, where there is one.
        description: of the pipeline; None keeps the one that it has.
    """

    pipeline: str
    definition: str
    role: str | None
    tags: Mapping[str, str] = field(default_factory=dict)
    env: str | None = None
    origins: Mapping[str, str] = field(default_factory=dict)
    description: str | None = None


@frozen
class RunInputs:
    """What an execution is started with.

    Args:
        parameters: values by name, as text.
        stubs: the files that stand in for steps, by step.
        selection: the steps that alone are to run, and on which results; None for all.
        simulations: what happens as in an account, as `--simulate` names it.
    """

    parameters: Mapping[str, str]
    stubs: Mapping[str, Path]
    selection: Selection | None = None
    simulations: tuple[str, ...] = ()


def submit(sagemaker: LocalSageMaker, submission: Submission, inputs: RunInputs) -> str:
    """Create or update the pipeline and start an execution of that version.

    Returns:
        The ARN of the execution.

    Raises:
        UsageError: the parameters, the stubs or the simulations do not fit the definition.
    """
    selection = inputs.selection
    selected = selection.steps if selection else None
    values = {**(selection.parameters if selection else {}), **inputs.parameters}
    check_stubs(inputs.stubs, submission.definition, selected)
    if inputs.simulations:
        from pipelines.backends.local.simulations.reading import (  # noqa: PLC0415 - seldom
            check_simulations,
        )

        check_simulations(inputs.simulations, submission.definition, values, selected)
    with _locked(sagemaker.settings.home):
        name = {"PipelineName": submission.pipeline}
        definition = {"PipelineDefinition": submission.definition}
        if submission.description is not None:
            definition["PipelineDescription"] = submission.description
        deployed = _deployed(sagemaker, submission.pipeline)
        if deployed is None:
            token = {"ClientRequestToken": "pipelines-run-" + "0" * 32}
            tags = [{"Key": key, "Value": value} for key, value in submission.tags.items()]
            role = {"RoleArn": submission.role or Aws().role}
            sagemaker.create_pipeline(**name, **definition, **token, **role, Tags=tags)
        elif deployed != submission.definition:
            role = {} if submission.role is None else {"RoleArn": submission.role}
            sagemaker.update_pipeline(**name, **definition, **role)
        started = sagemaker.start_pipeline_execution(
            **name,
            **described(submission.env),
            **(selection.request() if selection else {}),
            PipelineParameters=[{"Name": n, "Value": v} for n, v in values.items()],
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
