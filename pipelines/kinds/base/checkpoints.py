"""`checkpoints:` of a training: where a job keeps what it can go on from."""

import re

from pydantic import Field, field_validator

from pipelines.json_types import JsonObject
from pipelines.kinds.base.contract import EmitContext
from pipelines.kinds.base.jobs import EXECUTION_ID, output_uri
from pipelines.spec.base import SpecModel
from pipelines.spec.values import FixedText, JobFolder, mistake

_EXECUTION = re.compile(r"[A-Za-z0-9]{1,64}")
_LATEST = "latest"
"""What commands take for an execution; here it would be a part of a prefix in S3."""


class Checkpoints(SpecModel):
    """Where a job keeps what it can resume from; switches the step's cache off."""

    local_path: JobFolder = Field("/opt/ml/checkpoints", description="The folder in the job.")
    resume: FixedText | None = Field(
        None,
        description="Go on with the checkpoints that this step saved in an earlier execution, "
        "given by its id; `${env.NAME}` is read when compiling.",
    )

    @field_validator("resume")
    @classmethod
    def _is_an_execution(cls, execution: str | None) -> str | None:
        if execution is not None and (execution == _LATEST or not _EXECUTION.fullmatch(execution)):
            advice = "write the last part of its ARN, such as `k2v8x1q0m3zt`; `status` shows it"
            raise mistake("SP122", f"`{execution}` is not the id of an execution", advice)
        return execution

    @property
    def in_job(self) -> JsonObject:
        """What the runtime is told."""
        return {"folder": self.local_path, "resumes": self.resume}

    def config(self, context: EmitContext) -> JsonObject:
        """`CheckpointConfig`: a prefix of this execution, or of the one that it resumes."""
        execution = self.resume or EXECUTION_ID
        uri = output_uri(context, context.name, "checkpoints", execution=execution)
        return {"S3Uri": uri, "LocalPath": self.local_path}
