"""A definition and the values of its parameters → the places in S3 that its steps read."""

from __future__ import annotations

import json
from collections.abc import Container, Iterator, Mapping

from pipelines.definition.named import defaults_of, known_text
from pipelines.definition.steps import Step, take_apart
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject
from pipelines.steptypes.places import value_at

_KIND = "S3DataType"


@frozen
class WantedInput:
    """An input in S3 whose place is known before the steps run.

    Args:
        uri: its URI: a prefix, an object, or a manifest.
        readers: the steps that read it.
        is_manifest: whether the object there lists what is read.
    """

    uri: str
    readers: tuple[str, ...]
    is_manifest: bool = False


def wanted_inputs(
    definition: str, parameters: Mapping[str, str], without: Container[str]
) -> tuple[WantedInput, ...]:
    """Return what the steps of an execution read from S3, each place once.

    What an earlier step writes has a place that is not known yet, and is left out.

    Args:
        definition: the definition JSON.
        parameters: the values that are given; the others have their defaults.
        without: the steps that do not run.
    """
    document: JsonObject = json.loads(definition)
    steps = [one for one in take_apart(document).steps if one.name not in without]
    values = {**defaults_of(document), **parameters}
    written = tuple(
        _folder(uri)
        for step in steps
        for place in _written(step)
        if (uri := known_text(place, values))
    )
    found: dict[tuple[str, bool], dict[str, None]] = {}
    for step in steps:
        for place, kind in _read(step):
            uri = known_text(place, values)
            if uri is not None and not _folder(uri).startswith(written):
                is_manifest = known_text(kind, values) == "ManifestFile"
                found.setdefault((uri, is_manifest), {})[step.name] = None
    return tuple(WantedInput(uri, (*names,), manifest) for (uri, manifest), names in found.items())


def _folder(uri: str) -> str:
    """Return a URI with the slash at its end that keeps `out` apart from `out2`."""
    return f"{uri.rstrip('/')}/"


def _written(step: Step) -> Iterator[Json]:
    """Yield the URI of each output of a step."""
    for data in step.known.outputs if step.known is not None else ():
        for _, entry in data.entries(step.arguments):
            yield data.uri_of(entry)


def _read(step: Step) -> Iterator[tuple[Json, Json]]:
    """Yield URI and data type of each input of a step that is in S3."""
    for data in step.known.inputs if step.known is not None else ():
        kind = f"{data.uri.rpartition('.')[0]}.{_KIND}".lstrip(".")
        for _, entry in data.entries(step.arguments):
            if not (data.file_system and value_at(entry, data.file_system)):
                yield value_at(entry, data.uri), value_at(entry, kind)
