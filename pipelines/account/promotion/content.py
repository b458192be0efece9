"""DescribeModelPackage's answer ↔ the request that registers the same version elsewhere. Pure."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from pipelines.errors import UsageError
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject
from pipelines.registry.lineage import PROMOTED_FROM
from pipelines.registry.packages import named

Place: TypeAlias = tuple[str | int, ...]
"""Where something stands in a request."""

SOURCE, CONTENT, MODEL = PROMOTED_FROM, "promoted.content", "promoted.model"
"""CustomerMetadataProperties of a promoted version: the ARN of the source, the SHA-256 of all that
is served, and the SHA-256 of the model's files."""

_SERVED = ("InferenceSpecification", "AdditionalInferenceSpecifications")
_WITH_FILES = (*_SERVED, "ModelMetrics", "DriftCheckBaselines", "SamplePayloadUrl")
_KEPT = (
    *_WITH_FILES,
    "ModelPackageDescription",
    "ModelPackageRegistrationType",
    "Domain",
    "Task",
    "SkipModelValidation",
    "CustomerMetadataProperties",
)
_OF_METADATA = ("CommitId", "Repository", "GeneratedBy")
_OF_CARD = ("ModelCardContent", "ModelCardStatus")
_ETAGS = {"ModelDataUrl": "ModelDataETag", "S3Uri": "ETag"}
_RECORDED = ("ImageDigest", *_ETAGS.values())
"""Members of a container that the service fills in."""

_ALGORITHM = "SourceAlgorithmSpecification"
_ELSEWHERE = {
    "SourceAlgorithms": "is made of an algorithm resource",
    "ManifestS3Uri": "lists its model data in a manifest",
    "HubAccessConfig": "takes its model from a SageMaker hub",
    "ProductId": "is a product of AWS Marketplace",
}
"""Members that name something that cannot be copied, and what they say of a version."""

_MOST_PROPERTIES = 50
_DIGEST = "ContentDigest"
_VARIABLES = "Environment"
_REGION = "SAGEMAKER_REGION"
_HASH = "sha256:"


@frozen
class StoredFile:
    """An object, or all objects below a prefix, that a version names.

    Args:
        place: where in the request its URI stands.
        uri: the URI.
        etag: the object's ETag when the version was registered, where that was recorded.
        digest: its SHA-256, where that was recorded.
    """

    place: Place
    uri: str
    etag: str | None
    digest: str | None

    @property
    def is_model(self) -> bool:
        """Whether it is what a container serves, and no metric."""
        return self.place[0] in _SERVED


def request_of(package: JsonObject) -> JsonObject:
    """Return the request that registers the same version, with URIs as they are in the source.

    What belongs to the source's account is left out: the approval, the stage of its life cycle,
    the key of its card, validation jobs.

    Raises:
        UsageError: the version names what cannot be copied.
    """
    known = set(_members([package.get(member) for member in (*_SERVED, _ALGORITHM)]))
    for member, meaning in _ELSEWHERE.items():
        if member in known:
            raise UsageError(
                f"{named(package)} {meaning}, which cannot be copied (`{member}`)",
                "register it in the target account with its own copy",
            )
    request = {member: copy.deepcopy(package[member]) for member in _KEPT if package.get(member)}
    for member, parts in (("MetadataProperties", _OF_METADATA), ("ModelCard", _OF_CARD)):
        given = package.get(member) or {}
        chosen = {part: given[part] for part in parts if given.get(part)}
        if chosen:
            request[member] = chosen
    return request


def files_of(request: JsonObject) -> tuple[StoredFile, ...]:
    """Return every object or prefix of S3 that a request names.

    Also in the variables of a container: SDKs put the archive of the serving code there.
    """
    return tuple(
        StoredFile(place, text, _recorded(holder, place[-1]), _digest(holder))
        for place, text, holder in _texts(request)
        if text.startswith("s3://")
    )


def images_of(request: JsonObject) -> Mapping[Place, str]:
    """Return the image of each container."""
    return {place: text for place, text, _ in _texts(request) if place[-1] == "Image"}


def regions_of(request: JsonObject, region: str) -> tuple[Place, ...]:
    """Return where a container's variables name the region, as SDKs write it for the toolkits."""
    found = _texts(request)
    return tuple(place for place, text, _ in found if place[-1] == _REGION and text == region)


def content_digest(request: JsonObject, digests: Mapping[Place, str]) -> str:
    """Return the SHA-256 of all that is served.

    Args:
        request: as `request_of` returns it.
        digests: the SHA-256 of the files, by place.
    """
    files = _served(digests)
    content = {**{member: request.get(member) for member in _SERVED}, "files": files}
    text = json.dumps(content, sort_keys=True, default=str)
    return _HASH + hashlib.sha256(text.encode()).hexdigest()


def model_digest(digests: Mapping[Place, str]) -> str:
    """Return the SHA-256 of the model: of its archive where there is nothing else."""
    models = list(dict.fromkeys(digest for _, digest in _served(digests)))
    if len(models) == 1:
        return _HASH + models[0]
    return _HASH + hashlib.sha256("\n".join(models).encode()).hexdigest()


def _served(digests: Mapping[Place, str]) -> list[tuple[Place, str]]:
    """Return the digests of what is served, in an order that is not that of a response."""
    served = [(place, digest) for place, digest in digests.items() if place[0] in _SERVED]
    return sorted(served, key=str)


def replaced(
    request: JsonObject, texts: Mapping[Place, str], digests: Mapping[Place, str]
) -> JsonObject:
    """Return the request with other URIs and images, and the digests of metrics.

    Args:
        request: as `request_of` returns it.
        texts: what goes where.
        digests: the SHA-256 of the files, by place.
    """
    made = copy.deepcopy(request)
    for place, text in texts.items():
        holder: Json = made
        for key in place[:-1]:
            holder = holder[key]
        holder[place[-1]] = text
        if place[0] not in _SERVED and place in digests and "ContentType" in holder:
            holder[_DIGEST] = _HASH + digests[place]
    for container in _containers(made):
        _forget_recorded(container)
    return made


def with_origin(request: JsonObject, package: JsonObject, digests: Mapping[str, str]) -> JsonObject:
    """Return the request with the source's ARN and digests in its metadata.

    Raises:
        UsageError: the version has too many properties of its own.
    """
    own = request.get("CustomerMetadataProperties") or {}
    properties = {**own, SOURCE: package["ModelPackageArn"], **digests}
    if len(properties) > _MOST_PROPERTIES:
        raise UsageError(
            f"{named(package)} has {len(own)} metadata properties; {_MOST_PROPERTIES} are allowed,"
            " and promoting adds three",
            "remove some: `metadata:` of the registration step",
        )
    return {**request, "CustomerMetadataProperties": properties}


def _containers(request: JsonObject) -> Iterator[JsonObject]:
    more = request.get("AdditionalInferenceSpecifications") or ()
    for specification in (request.get("InferenceSpecification") or {}, *more):
        yield from specification.get("Containers") or ()


def _forget_recorded(value: Json) -> None:
    """Remove what the service fills in, which would contradict the new URIs."""
    if isinstance(value, dict):
        for member in _RECORDED:
            value.pop(member, None)
        for key, inner in value.items():
            if key != _VARIABLES:
                _forget_recorded(inner)
    elif isinstance(value, list):
        for inner in value:
            _forget_recorded(inner)


def _texts(request: JsonObject) -> Iterator[tuple[Place, str, JsonObject]]:
    """Yield each text of the members that may name files or images, with what holds it."""
    for member in _WITH_FILES:
        if member in request:
            yield from _below((member,), request[member], request)


def _below(
    place: Place, value: Json, holder: JsonObject
) -> Iterator[tuple[Place, str, JsonObject]]:
    if isinstance(value, str):
        yield place, value, holder
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _below((*place, key), inner, value)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _below((*place, index), inner, holder)


def _members(value: Json) -> Iterator[str]:
    """Yield the names of all members below a value; those of variables are the user's own."""
    for inner in value if isinstance(value, list) else ():
        yield from _members(inner)
    for key, inner in value.items() if isinstance(value, dict) else ():
        yield key
        yield from _members(inner) if key != _VARIABLES else ()


def _recorded(holder: JsonObject, member: str | int) -> str | None:
    etag = holder.get(_ETAGS.get(str(member), ""))
    return str(etag).strip('"') if etag else None


def _digest(holder: JsonObject) -> str | None:
    digest = holder.get(_DIGEST)
    return str(digest).lower().removeprefix(_HASH) if digest else None
