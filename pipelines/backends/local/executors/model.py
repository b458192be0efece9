"""Model: CreateModel, which locally only keeps the request for Transform and endpoints."""

from __future__ import annotations

from pipelines.backends.local.executors.contract import StepCall, StepOutcome
from pipelines.backends.local.registry.models import Models
from pipelines.backends.local.registry.premises import Premises
from pipelines.backends.local.state.database import Database
from pipelines.execution.status import StepStatus


def execute(call: StepCall) -> StepOutcome:
    """Create the model under the name of the job."""
    name = call.arguments.get("ModelName", call.job_name)
    with Database(call.settings.home) as database:
        models = Models(Premises(database, call.settings))
        arn = models.create_model(**{**call.arguments, "ModelName": name})["ModelArn"]
        properties = models.describe_model(ModelName=name)
    return StepOutcome(StepStatus.SUCCEEDED, properties, metadata={"Model": {"Arn": arn}})
