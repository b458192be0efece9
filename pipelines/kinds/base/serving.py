"""What serves a model, as `kind: registration` takes it, and how its archive comes about."""

import posixpath
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from pipelines.diagnostics import Finding
from pipelines.images import describe
from pipelines.spec.base import SpecModel
from pipelines.spec.members import RequestMember
from pipelines.spec.references import Template
from pipelines.spec.steps import Requirements
from pipelines.spec.values import AnyScalar, FixedText, Integer, Text, no_entries


class Packaging(SpecModel):
    """The job that adds serving code to a model archive."""

    image: Annotated[Text | None, RequestMember("AppSpecification.ImageUri")] = Field(
        None, description="Another image than the serving image, with Python 3.7 or newer."
    )
    instance_type: Annotated[Text | None, RequestMember("ClusterConfig.InstanceType")] = Field(
        None, description="Such as ml.m5.4xlarge for a large model."
    )
    volume_size_in_gb: Annotated[Integer | None, RequestMember("ClusterConfig.VolumeSizeInGB")] = (
        Field(None, description="Storage, in GB: room for the model twice.")
    )


class Serving(SpecModel):
    """The code that answers requests, and the image that it runs in."""

    source: FixedText | None = Field(
        None, description="Folder of the serving code; with an image of your own there may be none."
    )
    as_is: bool = Field(
        False,  # noqa: FBT003 - pydantic's default stands first
        description="The model archive is complete, `code/` included: register it as it is.",
    )
    entry: FixedText = Field("inference.py", description="The module that the server loads.")
    image: Annotated[Text, RequestMember("Containers.Image", "AppSpecification.ImageUri")] = Field(
        description="The serving image, such as sklearn-1.9-cpu."
    )
    requirements: Requirements | None = Field(
        None, description="Packages to add to the model archive, installed while packaging."
    )
    include: list[FixedText] = Field(
        default_factory=no_entries,
        description="Files, folders or globs of the project that the code needs besides imports.",
    )
    content_types: Annotated[list[FixedText], RequestMember("SupportedContentTypes")] = Field(
        default=["application/json"], description="MIME types of requests."
    )
    response_types: Annotated[list[FixedText], RequestMember("SupportedResponseMIMETypes")] = Field(
        default=["application/json"], description="MIME types of answers."
    )
    instance_types: Annotated[
        list[FixedText], RequestMember("SupportedRealtimeInferenceInstanceTypes")
    ] = Field(
        default_factory=no_entries,
        description="Instance types recommended for real-time endpoints.",
    )
    environment: dict[str, AnyScalar] = Field(
        default_factory=dict, description="Environment variables of the model server."
    )

    @property
    def packages(self) -> bool:
        """Whether something is added to the model archive."""
        return self.source is not None and not self.as_is


def server_environment(entry: str) -> dict[str, str]:
    """Return the environment that a packaged archive is served with (FACTS 11.1).

    The code stands in the archive, its requirements beside it in `vendor/`; the server must not
    ask a package index for anything.
    """
    return {
        "SAGEMAKER_PROGRAM": entry,
        "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
        "PYTHONPATH": "/opt/ml/model/vendor",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
    }


def loader_environment(serving: Serving, image: object) -> dict[str, str]:
    """Return the environment that a finished archive is served with.

    The scikit-learn toolkit has no default for its module; the others find `code/inference.py`, or
    do without, where `entry` does not name one.
    """
    is_named = "entry" in serving.model_fields_set
    if is_named or (isinstance(image, str) and describe(image).framework == "sklearn"):
        wanted = ("SAGEMAKER_PROGRAM", "SAGEMAKER_SUBMIT_DIRECTORY")
        return {name: server_environment(serving.entry)[name] for name in wanted}
    return {}


def check_serving(serving: Serving, packaging: Packaging | None) -> Iterator[Finding]:
    """Find keys that exclude or need each other, and an entry that the server cannot load."""
    if posixpath.normpath(serving.entry).split("/")[0] == "..":
        message = f"`{serving.entry}` lies outside the serving code"
        help_text = "name a file in `source`" if serving.source else "name a file in `code/`"
        yield Finding("SP302", message, ("serving", "entry"), help=help_text)
    added = [name for name in ("source", "requirements", "include") if getattr(serving, name)]
    if serving.as_is:
        for name in added:
            message = f"`{name}` stands beside `as_is: true`, which adds nothing to the archive"
            yield Finding("SP125", message, ("serving", name), "key", "remove one of them")
    elif serving.source is None and not _is_own(serving.image):
        message = f"`serving` lacks the key `source`, and `{serving.image}` has no code of its own"
        help_text = "name the folder of the serving code, or `as_is: true` for a finished archive"
        yield Finding("SP120", message, ("serving",), "key", help_text)
    elif serving.source is None and added:
        for name in added:
            message = f"`{name}` needs `source`: without serving code nothing is packaged"
            yield Finding("SP125", message, ("serving", name), "key", "remove it")
    if packaging is not None:
        yield from _check_packaging(serving, packaging)


def _check_packaging(serving: Serving, packaging: Packaging) -> Iterator[Finding]:
    if not serving.packages:
        message = "`packaging` has no effect: nothing is added to the archive"
        yield Finding("SP125", message, ("packaging",), "key", "remove it")
    elif packaging.image is not None and serving.requirements is not None:
        message = "`packaging.image` stands beside `serving.requirements`"
        help_text = (
            "remove it: the requirements are installed by the packaging job's Python, which has to"
            " be that of the serving image"
        )
        yield Finding("SP125", message, ("packaging", "image"), "key", help_text)


def _is_own(image: str | Template) -> bool:
    """Return whether an image may serve a model without code: it is none of AWS's, or unknown."""
    return not isinstance(image, str) or ("/" in image and describe(image).framework is None)
