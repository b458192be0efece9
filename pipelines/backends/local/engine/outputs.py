"""The files that steps wrote into their outputs: recorded at their end, verified when reused.

The object store is a folder that people clean and edit by hand.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from pipelines.backends.local.engine.parts import StepTypes
from pipelines.backends.local.engine.resolution import ResolutionError
from pipelines.backends.local.object_uris import ObjectUriError, parse_uri
from pipelines.backends.local.objects import ObjectInfo, ObjectStore
from pipelines.backends.local.state.executions import StepRecord, WrittenFiles
from pipelines.execution.status import StepStatus
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject
from pipelines.steptypes import StepType
from pipelines.steptypes.places import value_at
from pipelines.steptypes.steptype import DataPlace


def written_files(
    properties: JsonObject, objects: ObjectStore, step_type: StepType | None
) -> WrittenFiles:
    """List the files of each output of a Describe response that holds any."""
    places = step_type.outputs if step_type is not None else ()
    uris = {uri for _, uri in _data(properties, places)}
    found = {uri: {name: list(_state(one)) for name, one in _files(objects, uri)} for uri in uris}
    return {uri: files for uri, files in sorted(found.items()) if files}


def damage(objects: ObjectStore, written: WrittenFiles) -> str | None:
    """Return which file of an earlier result is missing or has changed; None if all are as left.

    Of a result that was recorded without its files, only that there are some is known.
    """
    for uri, files in written.items():
        there = dict(_files(objects, uri))
        if not there:
            return f"{uri} is empty"
        for name, state in files.items():
            shown = f"{uri.rstrip('/')}/{name}" if name else uri
            if name not in there:
                return f"{shown} is missing"
            if list(_state(there[name])) != list(state):
                return f"{shown} has changed"
    return None


def unwritten(
    record: StepRecord, step: JsonObject, step_type: StepType | None
) -> Iterator[tuple[str, str]]:
    """Yield the outputs and reports that a step declares and has not written: name, in words.

    Args:
        record: a step that succeeded.
        step: the step of the definition.
        step_type: what is known about its Type.
    """
    files: dict[str, Collection[str]] = {}
    for place in step_type.outputs if step_type is not None else ():
        for name, entry in place.entries(record.properties):
            uri, path = place.uri_of(entry), value_at(entry, _beside(place.uri))
            files[name] = record.outputs.get(str(uri), ())
            if not files[name] and not entry.get("AppManaged"):
                yield name, f"nothing into its output `{name}`" + (f" ({path})" if path else "")
    for report in step.get("PropertyFiles") or ():
        output, path = report["OutputName"], report["FilePath"]
        if files.get(output) and path not in files[output]:
            yield output, f"no file `{path}` for its report `{report['PropertyFileName']}`"


def _beside(uri: str) -> str:
    """Return where the folder of an output stands, beside its URI."""
    return f"{uri.rpartition('.')[0]}.LocalPath"


def refuse_empty_inputs(
    request: JsonObject,
    step_type: StepType | None,
    made: Mapping[str, StepRecord],
    objects: ObjectStore,
    step_types: StepTypes,
) -> None:
    """Refuse a request that reads an output into which its step wrote nothing.

    The service starts the job, which fails for want of objects; here the step that wrote nothing
    is known.

    Args:
        request: the arguments of a step, resolved.
        step_type: what is known about its Type.
        made: the steps that have ended, by name.
        objects: the object store.
        step_types: what is known about Types.

    Raises:
        ResolutionError: with the step, and its output.
    """
    for name, uri in _data(request, step_type.inputs if step_type is not None else ()):
        if not _holds(objects, uri):
            output = _output_of(uri, made, step_types)
            if output is not None:
                raise _empty(name, uri, output)


@frozen
class _Output:
    """An output of a step that succeeded."""

    step: StepRecord
    name: str
    uri: str


def _output_of(uri: str, made: Mapping[str, StepRecord], step_types: StepTypes) -> _Output | None:
    """Return the output that a URI names, or that it lies in."""
    for record in dict(made).values():
        step_type = step_types(record.type)
        if step_type is None or record.status is not StepStatus.SUCCEEDED:
            continue
        for name, output in _data(record.properties, step_type.outputs):
            if f"{uri.rstrip('/')}/".startswith(f"{output.rstrip('/')}/"):
                return _Output(record, name, output)
    return None


def _empty(name: str, uri: str, output: _Output) -> ResolutionError:
    below = uri.removeprefix(output.uri.rstrip("/")).strip("/")
    named = f"its output `{output.name}`"
    named = f"`{below}` of {named}" if below else named
    reads = f"which input `{name}` reads"
    if output.uri in output.step.outputs and not below:
        return ResolutionError(
            f"the files that step `{output.step.name}` wrote into {named}, {reads}, are gone",
            f"run the pipeline again, or put them back at {uri}",
        )
    return ResolutionError(
        f"step `{output.step.name}` wrote nothing into {named}, {reads}",
        f"the script of `{output.step.name}` has to write a file there",
    )


def _data(holder: JsonObject, places: tuple[DataPlace, ...]) -> Iterator[tuple[str, str]]:
    """Yield name and S3 URI of each input or output."""
    for place in places:
        for name, entry in place.entries(holder):
            uri = place.uri_of(entry)
            if isinstance(uri, str) and uri.startswith("s3://"):
                yield name, uri


def _files(objects: ObjectStore, uri: str) -> Iterator[tuple[str, ObjectInfo]]:
    """Yield the objects of a folder, or the object itself: `train` is not `train_raw`."""
    try:
        exact = parse_uri(uri).uri
    except ObjectUriError:
        return
    folder = exact.rstrip("/") + "/"
    for item in objects.list(uri):
        if item.uri == exact:
            yield "", item
        elif item.uri.startswith(folder):
            yield item.uri[len(folder) :], item


def _holds(objects: ObjectStore, uri: str) -> bool:
    try:
        return objects.holds(uri)
    except ObjectUriError:
        return True  # the job says what is wrong with it


def _state(info: ObjectInfo) -> tuple[float, float]:
    return info.size, info.modified
