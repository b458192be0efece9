"""`tensorboard:` and `mlflow:` of a training: where its curves and its run are kept."""

import re
from collections.abc import Collection, Mapping

from pydantic import Field, field_validator

from pipelines.grammar.functions import Value
from pipelines.json_types import JsonObject
from pipelines.kinds.base.contract import EmitContext
from pipelines.kinds.base.jobs import output_uri
from pipelines.spec.base import ShortFormModel, SpecModel
from pipelines.spec.values import FixedText, JobFolder, describe, mistake

LOCAL = "local"
_LONGEST_NAME = 256
_EXPERIMENT = "MLFLOW_EXPERIMENT_NAME"
_ARN = re.compile(r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:[0-9]{12}:mlflow-[a-zA-Z-]*/.+")


class TensorBoard(SpecModel):
    """Event files that go to S3 while the job runs."""

    local_path: JobFolder = Field(
        "/opt/ml/output/tensorboard", description="The folder in the job: SM_TENSORBOARD_DIR."
    )

    def members(self, context: EmitContext) -> JsonObject:
        """`TensorBoardOutputConfig`."""
        uri = output_uri(context, context.name, "tensorboard")
        return {"TensorBoardOutputConfig": {"LocalPath": self.local_path, "S3OutputPath": uri}}


class Mlflow(ShortFormModel):
    """A run of MLflow for each job, where the job's Python has the client."""

    tracking: FixedText = Field(
        description="The ARN of a tracking server or an app of SageMaker; or `local`, for runs on "
        "this machine alone. Here runs go to .pipelines/mlflow either way."
    )
    experiment: FixedText | None = Field(
        None, description="The experiment; the pipeline's name where it is not given."
    )

    @classmethod
    def long_form(cls, text: str) -> JsonObject:
        """Take the text as `tracking`."""
        return {"tracking": text}

    @field_validator("experiment")
    @classmethod
    def _is_a_name(cls, name: str | None) -> str | None:
        if name is not None and (len(name) > _LONGEST_NAME or "\n" in name):
            message = "`experiment` must be one line of at most 256 characters"
            raise mistake("SP122", message, f"got {describe(name)}")
        return name

    @field_validator("tracking")
    @classmethod
    def _is_a_place(cls, tracking: str) -> str:
        if tracking != LOCAL and not _ARN.fullmatch(tracking):
            advice = (
                "write `local`, or an ARN such as "
                "arn:aws:sagemaker:eu-central-1:111122223333:mlflow-tracking-server/team"
            )
            raise mistake("SP122", f"`{tracking}` is not a place of MLflow", advice)
        return tracking

    @property
    def is_local(self) -> bool:
        """Whether runs are for this machine alone; else the service gets them, too."""
        return self.tracking == LOCAL

    def in_job(self, metrics: Mapping[str, str]) -> JsonObject:
        """What the runtime is told, the expressions of metrics included."""
        arn = None if self.is_local else self.tracking
        return {"arn": arn, "metrics": dict(metrics)}

    def members(self, context: EmitContext) -> JsonObject:
        """`MlflowConfig`; none for runs on this machine alone."""
        if self.is_local:
            return {}
        names = {"MlflowResourceArn": self.tracking, "MlflowExperimentName": self._name(context)}
        return {"MlflowConfig": names}

    def variables(self, given: Collection[str], context: EmitContext) -> dict[str, Value]:
        """The variable that names the experiment, unless the user's own does."""
        return {} if _EXPERIMENT in given else {_EXPERIMENT: self._name(context)}

    def _name(self, context: EmitContext) -> str:
        return self.experiment or context.spec.pipeline
