"""A request that a model has to answer: what `sample:` of a registration and a deployment is."""

from typing import Annotated

from pydantic import Field

from pipelines.grammar.media_types import media_type
from pipelines.json_types import JsonObject
from pipelines.spec.base import ShortFormModel
from pipelines.spec.members import RequestMember
from pipelines.spec.values import FixedText, Text


class Sample(ShortFormModel):
    """A request that a new version has to answer before it counts as deployed."""

    file: FixedText = Field(description="A file of the project that holds the request's body.")
    content_type: FixedText | None = Field(
        None, description="Its media type; by default that of the file's suffix."
    )

    @classmethod
    def long_form(cls, text: str) -> JsonObject:
        """Take the text as `file`."""
        return {"file": text}

    @property
    def request(self) -> JsonObject:
        """The request as a program takes it."""
        return {"path": self.file, "content_type": self.content_type or media_type(self.file)}


class ServedSample(Sample):
    """A request that the packaged model has to answer before it is registered."""

    instance_type: Annotated[Text | None, RequestMember("ClusterConfig.InstanceType")] = Field(
        None, description="The instance of the job that sends it, such as ml.g5.xlarge."
    )
    max_runtime_in_seconds: Annotated[
        int, RequestMember("StoppingCondition.MaxRuntimeInSeconds")
    ] = Field(3600, description="How long the model may take to load and to answer.")
