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


def tracked(
    tensorboard: TensorBoard | None, mlflow: Mlflow | None, metrics: Mapping[str, str]
) -> JsonObject | None:
    """What the runtime knows of it; None where there is nothing to know."""
    found: JsonObject = {}
    if tensorboard is not None:
        found["tensorboard"] = tensorboard.local_path
    if mlflow is not None:
        arn = None if mlflow.tracking == LOCAL else mlflow.tracking
        found["mlflow"] = {"arn": arn, "metrics": dict(metrics)}
    return found or None


def tracking_members(
    tensorboard: TensorBoard | None, mlflow: Mlflow | None, context: EmitContext
) -> JsonObject:
    """`TensorBoardOutputConfig` and `MlflowConfig`, each left out where it is not asked for."""
    members: JsonObject = {}
    if tensorboard is not None:
        uri = output_uri(context, context.name, "tensorboard")
        members["TensorBoardOutputConfig"] = {
            "LocalPath": tensorboard.local_path,
            "S3OutputPath": uri,
        }
    if mlflow is not None and mlflow.tracking != LOCAL:
        members["MlflowConfig"] = {
            "MlflowResourceArn": mlflow.tracking,
            "MlflowExperimentName": _experiment(mlflow, context),
        }
    return members


def tracking_variables(
    mlflow: Mlflow | None, given: Collection[str], context: EmitContext
) -> dict[str, Value]:
    """The variable that names the experiment, unless the user's own does."""
    if mlflow is None or _EXPERIMENT in given:
        return {}
    return {_EXPERIMENT: _experiment(mlflow, context)}


def _experiment(mlflow: Mlflow, context: EmitContext) -> str:
    return mlflow.experiment or context.spec.pipeline
