"""`serverless:` of a deployment."""

from typing import Annotated, Literal

from pydantic import Field

from pipelines.kinds.modes import ModeBlock, Settings
from pipelines.spec.base import SpecModel
from pipelines.spec.members import RequestMember, members_of

_ONE_WORKER = {"SAGEMAKER_MODEL_SERVER_WORKERS": "1"}
"""A serverless instance answers one request at a time (FACTS 11.1)."""


class Serverless(SpecModel):
    """Nothing runs until a request comes; the first one waits for a cold start."""

    memory_size_in_mb: Annotated[
        Literal[1024, 2048, 3072, 4096, 5120, 6144], RequestMember("MemorySizeInMB")
    ] = Field(2048, description="Memory: 1024 to 6144 in steps of 1024; CPU grows with it.")
    max_concurrency: int = Field(
        5, ge=1, le=200, description="Requests that are answered at once; more are refused."
    )
    provisioned_concurrency: int | None = Field(
        None, ge=1, le=200, description="How many of them are kept warm, at a price."
    )


def _settings(mode: Serverless) -> Settings:
    return Settings({"ServerlessConfig": members_of(mode)}, _ONE_WORKER)


MODE = ModeBlock(
    Serverless, RequestMember("ServerlessConfig"), "Serve without instances.", _settings
)
