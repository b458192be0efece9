"""One container image, and what is known of it."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pipelines.diagnostics import Severity
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject

Accelerator: TypeAlias = Literal["cpu", "gpu", "neuron"]
Architecture: TypeAlias = Literal["x86_64", "arm64"]
ServingContract: TypeAlias = Literal["sagemaker-toolkit", "tensorflow-serving", "own"]


@frozen
class Image:
    """One container image; what no source says of it is None.

    Args:
        uri: where it lies, in the region asked for.
        python: its Python as `3.12`.
        framework: the family of its name.
        version: the version as the table writes it.
        accelerator: what it is built for; None for several as well.
        architecture: of its processors.
        serving: how its model server calls the user's code: `sagemaker-toolkit` calls `model_fn`,
            `input_fn`, `predict_fn` and `output_fn`; `tensorflow-serving` calls `input_handler`
            and `output_handler`; `own` calls none. None for an image that serves nothing as well.
        cuda: the CUDA that it is built with, as `12.9`.
    """

    uri: str
    python: str | None = None
    framework: str | None = None
    version: str | None = None
    accelerator: Accelerator | None = None
    architecture: Architecture | None = None
    serving: ServingContract | None = None
    cuda: str | None = None

    @property
    def facts(self) -> JsonObject:
        """What a job is told of the image that it runs in."""
        return {
            "python": self.python,
            "framework": self.framework,
            "version": self.version,
            "accelerator": self.accelerator,
            "architecture": self.architecture,
            "serving": self.serving,
        }


@frozen
class ImageProblem:
    """Why a name gives no image, or not a good one; becomes a finding where the name stands."""

    code: str
    message: str
    help: str | None = None
    severity: Severity = Severity.ERROR
