"""The rows of the state that the engine and the API share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from pipelines.execution.status import ExecutionStatus, StepStatus
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject


@frozen
class ExecutionRecord:
    """One execution; times are seconds since 1970.

    Args:
        id: 12 lower-case letters and digits.
        arn: its ARN.
        pipeline: the pipeline's name.
        status: where it stands.
        created: when it was started.
        modified: when its status changed last.
        definition: the definition JSON it runs.
        parameters: every parameter with its typed value.
        request: the members of StartPipelineExecution that Describe returns.
        failure: the FailureReason.
        token: the ClientRequestToken it was started with.
    """

    id: str
    arn: str
    pipeline: str
    status: ExecutionStatus
    created: float
    modified: float
    definition: str
    parameters: Mapping[str, str | int | float | bool]
    request: JsonObject
    failure: str | None = None
    token: str | None = None


@frozen
class StepRecord:
    """One step of one execution; a step that never started has none.

    Args:
        execution: the execution's id.
        name: the step's name.
        type: its Type.
        status: where it stands.
        started: when its first attempt began, seconds since 1970.
        ended: when it ended.
        attempts: how often its executor was called.
        properties: the Describe response.
        metadata: its entry in ListPipelineExecutionSteps.
        outputs: the S3 URIs of its properties that held an object when it succeeded.
        reason: why it failed.
        cache_key: the hash of its key attributes, None where it is not cached.
        cached_from: the ARN of the execution whose result it took.
        reused_from: the ARN of the execution that selective execution took it from.
    """

    execution: str
    name: str
    type: str
    status: StepStatus
    started: float
    ended: float | None = None
    attempts: int = 0
    properties: JsonObject = field(default_factory=dict)
    metadata: Mapping[str, JsonObject] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    reason: str | None = None
    cache_key: str | None = None
    cached_from: str | None = None
    reused_from: str | None = None

    @property
    def outcome(self) -> str | None:
        """The branch that a condition took."""
        return self.properties.get("Outcome")
