"""Stubs: declared results of steps that cannot, or should not, be executed here.

A stub is a JSON file:

    {"properties": {"OutputParameters": {"status": "ok"}},
     "outputs": {"train": "folder/with/files"}}

`properties` are merged over a response built from the step's arguments. `outputs` maps an
OutputName (or `model`, the path of a property, or an s3:// URI) to a folder or file beside the
stub, which is copied to the URI of that output; the folder of a model is packed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from pipelines.backends.local.executors.contract import Executor, StepCall, StepOutcome
from pipelines.backends.local.objects import ObjectStore
from pipelines.errors import PipelinesError, UsageError
from pipelines.execution.status import StepStatus
from pipelines.frozen import frozen
from pipelines.grammar.paths import PathError, follow, parse_path
from pipelines.json_types import Json, JsonObject
from pipelines.runtime.archive import pack
from pipelines.steptypes import StepType, find
from pipelines.steptypes.shapes import check, shapes_of

_PACKED: Final = ".tar.gz"
"""What the URI of a model ends with, which is an archive of its folder."""

_MEMBERS = frozenset({"properties", "outputs"})
_HOW = 'write {"properties": {…}, "outputs": {"<output>": "<folder>"}}'


@frozen
class Stub:
    """A stub, read and checked."""

    properties: JsonObject
    outputs: Mapping[str, Path]

    def executor(self, objects: ObjectStore) -> Executor:
        """Return an executor that returns this stub's result."""

        def execute(call: StepCall) -> StepOutcome:
            _refuse_other_types(self.properties, find(str(call.step["Type"])))
            properties = merged(synthesized(call), self.properties)
            for name, path in self.outputs.items():
                _upload(objects, path, _output_uri(name, properties, find(str(call.step["Type"]))))
            return StepOutcome(StepStatus.SUCCEEDED, properties)

        return execute


def read_stub(path: Path) -> Stub:
    """Read a stub file.

    Raises:
        UsageError: it is missing, not JSON, of another form, or names a missing folder.
    """
    try:
        stub = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read the stub {path}: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise UsageError(f"the stub {path} is not valid JSON") from None
    if not isinstance(stub, dict) or not stub.keys() <= _MEMBERS:
        raise UsageError(f"the stub {path} has members other than `properties` and `outputs`", _HOW)
    for member, value in stub.items():
        if not isinstance(value, dict):
            raise UsageError(f"`{member}` of the stub {path} is not a mapping", _HOW)
    return Stub(stub.get("properties", {}), _outputs(path, stub.get("outputs", {})))


def _outputs(path: Path, places: JsonObject) -> dict[str, Path]:
    outputs = {}
    for name, place in places.items():
        if not isinstance(place, str):
            raise UsageError(f"the stub {path} does not map `{name}` to a folder or file", _HOW)
        outputs[name] = path.parent / place
        if not outputs[name].exists():
            raise UsageError(
                f"the stub {path} maps `{name}` to {outputs[name]}, which does not exist"
            )
    return outputs


def _refuse_other_types(properties: JsonObject, step_type: StepType | None) -> None:
    """Refuse properties that no step of a Type can have; those of a function have any type."""
    if step_type is None or any(key.named_by is not None for key in step_type.step_keys):
        return
    shapes = shapes_of(step_type)
    for problem in check(properties, shapes.describe, shapes) if shapes.describe else ():
        if problem.kind == "wrong-type":
            what = f"the stub is no result of a {step_type.name} step"
            raise PipelinesError(f"{what}: {problem.message}")


def synthesized(call: StepCall) -> JsonObject:
    """Build a Describe response from a step's arguments and what the service adds to them."""
    step_type = find(str(call.step["Type"]))
    response = dict(call.arguments)
    resource = step_type.resource if step_type is not None else None
    if resource is not None and resource.name is not None:
        response.setdefault(resource.name, call.job_name)
        if resource.arn is not None:
            named = f"{resource.noun}/{response[resource.name]}"
            response[resource.arn] = call.settings.arn(named)
    added = step_type.describes(call.arguments, call.job_name) if step_type is not None else {}
    return {**response, **added}


def merged(below: Json, above: Json) -> Json:
    """Merge mappings; any other value of `above` replaces the one below."""
    if isinstance(below, dict) and isinstance(above, dict):
        return {
            key: merged(below.get(key), above[key]) if key in above else below[key]
            for key in {**below, **above}
        }
    return above


def _upload(objects: ObjectStore, path: Path, uri: str) -> None:
    if path.is_dir() and uri.endswith(_PACKED):
        with TemporaryDirectory() as folder:
            packed = Path(folder, "packed.tar.gz")
            pack(path, packed)
            objects.put_file(uri, packed)
    elif path.is_dir():
        objects.upload_folder(path, uri)
    else:
        objects.put_file(uri, path)


def _output_uri(name: str, properties: JsonObject, step_type: StepType | None) -> str:
    if name.startswith("s3://"):
        return name
    places = step_type.outputs if step_type is not None else ()
    outputs = {
        output: place.uri_of(entry)
        for place in places
        for output, entry in place.entries(properties)
    }
    if outputs.get(name) is not None:
        return str(outputs[name])
    if name in outputs:
        raise PipelinesError(
            f"the stub has an output `{name}`, and only an execution knows where that is",
            f"write its s3:// URI in place of `{name}`, or say by `properties` where it is",
        )
    try:
        found = follow(properties, parse_path(name))
    except PathError:
        found = None
    if isinstance(found, str) and found.startswith("s3://"):
        return found
    known = ", ".join(f"`{output}`" for output in outputs) or "none"
    raise PipelinesError(f"the stub has an output `{name}`; the step's outputs are {known}")
