"""What is kept of a model beside its metrics: `drift_baselines:` and `model_card:`."""

import json
from typing import Annotated, Literal

from pydantic import Field, field_validator

from pipelines.spec.base import SpecModel
from pipelines.spec.members import RequestMember
from pipelines.spec.s3_places import S3Place
from pipelines.spec.values import FixedText, mistake


class DriftBaselines(SpecModel):
    """Files to compare later data with: `s3://` URIs or references."""

    model_quality: S3Place | None = Field(None, description="Baseline metrics, JSON.")
    model_data_quality: S3Place | None = Field(None, description="Baseline statistics, JSON.")


class ModelCard(SpecModel):
    """The card that documents the model."""

    content: Annotated[FixedText, RequestMember("ModelCardContent")] = Field(
        description="JSON text as the model card schema has it."
    )
    status: Annotated[
        Literal["Draft", "PendingReview", "Approved", "Archived"], RequestMember("ModelCardStatus")
    ] = Field("Draft", description="Draft, PendingReview, Approved or Archived.")

    @field_validator("content")
    @classmethod
    def _is_an_object(cls, text: str) -> str:
        try:
            content = json.loads(text)
        except ValueError:
            content = None
        if not isinstance(content, dict):
            message = "`content` is not the JSON text of an object"
            raise mistake("SP122", message, "such as '{\"model_overview\": {}}'")
        return text
