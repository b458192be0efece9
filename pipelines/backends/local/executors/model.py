"""Model: CreateModel, which locally only records the request for Transform and endpoints."""

from __future__ import annotations

from pipelines.backends.local.executors.contract import StepCall, StepOutcome
from pipelines.backends.local.operations.context import OperationContext
from pipelines.backends.local.operations.models import ModelOperations
from pipelines.backends.local.state.local_state import LocalState
from pipelines.execution.status import StepStatus


def execute(call: StepCall) -> StepOutcome:
    """Create the model under the name of the job."""
    name = call.arguments.get("ModelName", call.job_name)
    with LocalState(call.settings.home) as state:
        models = ModelOperations(OperationContext(state, call.settings))
        arn = models.create_model(**{**call.arguments, "ModelName": name})["ModelArn"]
        properties = models.describe_model(ModelName=name)
    return StepOutcome(StepStatus.SUCCEEDED, properties, metadata={"Model": {"Arn": arn}})
