"""Jobs: described as they ended, out of the steps that ran them."""

from __future__ import annotations

import re

from pipelines.backends.local.errors import invalid
from pipelines.backends.local.operations.context import OperationContext
from pipelines.backends.local.operations.operation import operation
from pipelines.backends.local.operations.requests import moment
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

_EXECUTION = re.compile(r"pipelines-([a-z0-9]+)-.+")
_TIMES = ("CreationTime", "LastModifiedTime")
_TIME_ENDINGS = ("StartTime", "EndTime")


@frozen
class JobOperations:
    """The Describe operations of jobs that have succeeded, as steps of executions."""

    context: OperationContext

    @operation("DescribeProcessingJob")
    def describe_processing_job(self, **request: Json) -> JsonObject:
        """Return a processing job."""
        return self._described("ProcessingJobName", request)

    @operation("DescribeTrainingJob")
    def describe_training_job(self, **request: Json) -> JsonObject:
        """Return a training job."""
        return self._described("TrainingJobName", request)

    @operation("DescribeTransformJob")
    def describe_transform_job(self, **request: Json) -> JsonObject:
        """Return a transform job."""
        return self._described("TransformJobName", request)

    def _described(self, member: str, request: JsonObject) -> JsonObject:
        name = str(request[member])
        made = _EXECUTION.fullmatch(name)
        store = self.context.state.executions
        for step in store.steps(made[1]) if made is not None else ():
            if step.properties.get(member) == name:
                return {key: _value(key, value) for key, value in step.properties.items()}
        raise invalid(f"Could not find requested job with name: {name}")


def _value(key: str, value: Json) -> Json:
    """Return a member as boto3 does: what was recorded as seconds is a time."""
    is_time = key in _TIMES or key.endswith(_TIME_ENDINGS)
    return moment(value) if is_time and isinstance(value, int | float) else value
