"""What a definition needs: code and data in S3, images, instances.

The permissions of roles depend on the whole of what was compiled: `compile/permissions.py`.

What an execution decides, as an image that is a parameter, is left out; of instances the defaults
of parameters count, which is what a start without values asks for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, Literal

from pipelines.definition.named import defaults_of, objects_of
from pipelines.definition.steps import Step, take_apart
from pipelines.frozen import frozen
from pipelines.grammar.functions import Join, function_of, to_json, with_parameters
from pipelines.json_types import Json, JsonObject
from pipelines.steptypes.clusters import choices
from pipelines.steptypes.limits import number
from pipelines.steptypes.places import below, value_at
from pipelines.steptypes.steptype import Cluster

_URI: Final = re.compile(r"s3://[^\s\"'\\]+")
_ASSET: Final = re.compile(r"s3://[^/]+/[^/]+/(?P<kind>code|data)/(?P<name>[^/]+)/[^/]+/")
_BUNDLE: Final = re.compile(r"bundle\.pyz?")
_IMAGES: Final = frozenset({"ImageUri", "TrainingImage", "Image"})


@frozen
class NamedAsset:
    """An object or a folder of ours that a definition names.

    Args:
        kind: the bundle of a step, or a folder of data.
        name: the step, or the entry of the spec's `data:`.
        uri: where it lies; a folder has `/` at its end.
    """

    kind: Literal["code", "data"]
    name: str
    uri: str


@frozen
class DefinitionNeeds:
    """What a definition asks of an account.

    Args:
        assets: the code and the data of ours that it names.
        images: image URIs.
        instances: (`training job` and the like, instance type) → how many at least.
    """

    assets: tuple[NamedAsset, ...]
    images: tuple[str, ...]
    instances: Mapping[tuple[str, str], int]


def needs_of(definition: JsonObject) -> DefinitionNeeds:
    """Return what a definition, ours or anybody's, asks for."""
    images: dict[str, None] = {}
    defaults = defaults_of(definition)
    instances: dict[tuple[str, str], int] = {}
    for step in take_apart(definition).steps:
        images.update(dict.fromkeys(images_of(step)))
        for cluster in step.known.clusters if step.known is not None else ():
            for key, count in _instances(cluster, with_parameters(step.arguments, defaults)):
                instances[key] = max(instances.get(key, 0), count)
    return DefinitionNeeds(assets_in(definition), tuple(images), instances)


def assets_in(definition: JsonObject) -> tuple[NamedAsset, ...]:
    """Return the bundles and the folders of data that a definition names, sorted by URI."""
    found: dict[str, NamedAsset] = {}
    for uri in uris_in(definition):
        match = _ASSET.match(uri)
        if match is not None:
            is_code = match["kind"] == "code"
            bundle = _BUNDLE.match(uri, match.end()) if is_code else None
            place = match[0] + (
                bundle[0] if bundle is not None else "bundle.pyz" if is_code else ""
            )
            found[place] = NamedAsset("code" if is_code else "data", match["name"], place)
    return tuple(found[uri] for uri in sorted(found))


def sources_in(definition: JsonObject) -> Iterator[tuple[str, Json]]:
    """Yield name and place of all that steps read: a URI, or a function that gives one."""
    for step in take_apart(definition).steps:
        yield from sources_of(step)


def sources_of(step: Step) -> Iterator[tuple[str, Json]]:
    """Yield name and place of all that a step reads."""
    for data in step.known.inputs if step.known is not None else ():
        for name, entry in data.entries(step.arguments):
            system = value_at(entry, data.file_system) if data.file_system else None
            if isinstance(system, dict):
                places = (system.get("FileSystemId", ""), system.get("DirectoryPath", ""))
                yield name, to_json(Join(":", places))
            else:
                yield name, value_at(entry, data.uri)


def objects_read_by(step: Step) -> Iterator[Json]:
    """Yield the place in S3 of each input of a step that is not in a file system."""
    for data in step.known.inputs if step.known is not None else ():
        for _, entry in data.entries(step.arguments):
            if not (data.file_system and value_at(entry, data.file_system)):
                yield value_at(entry, data.uri)


def images_of(step: Step) -> Iterator[str]:
    """Yield the URIs of the images that a step runs in."""
    return _images(step.apart.get("Arguments"))


def has_unknown_image(step: Step) -> bool:
    """Return whether an image of a step is only known when it runs, as a parameter is."""
    found = objects_of(step.apart.get("Arguments"))
    return any(function_of(one.get(key)) is not None for one in found for key in _IMAGES)


def uris_in(value: Json) -> Iterator[str]:
    """Yield the S3 URIs in the texts of a JSON value; in a text that is JSON, too."""
    if isinstance(value, str):
        yield from _URI.findall(value)
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from uris_in(part)


def _instances(cluster: Cluster, arguments: JsonObject) -> Iterator[tuple[tuple[str, str], int]]:
    """Yield how many instances of a type run at once; what is a reference counts as one.

    Of several types any may be the one that has capacity. Groups of one type add up.
    """
    jobs = value_at(arguments, cluster.parallel) if cluster.parallel is not None else 1
    for _, job in below(arguments, cluster.job):
        asked_for: dict[str, int] = {}
        for one in (one for _, asked in below(job, cluster.at) for one in choices(asked)):
            instance = value_at(one, cluster.type)
            if isinstance(instance, str):
                count = asked_for.get(instance, 0) + _count(value_at(one, cluster.count))
                asked_for[instance] = count
        for usage in cluster.quotas(job):
            for instance, count in asked_for.items():
                yield (usage, instance), count * _count(jobs)


def _count(value: Json) -> int:
    known = number(value)
    return 1 if known is None else int(known)


def _images(value: Json) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _images(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key in _IMAGES and isinstance(item, str):
                yield item
            else:
                yield from _images(item)
