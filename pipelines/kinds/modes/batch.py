"""`batch:` of a deployment: no endpoint, but a transform job for each version and input.

What the block becomes is the request of that job. The deployer gets it in its configuration, where
each reference is the name of a variable, since a bundle is the same for every execution.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Self

from pydantic import Field

from pipelines.diagnostics import Finding
from pipelines.grammar.functions import Value
from pipelines.json_types import Json, JsonObject
from pipelines.kinds.base.batch import BatchKeys, BatchRequest, batch_checks, batch_keys
from pipelines.kinds.base.contract import EmitContext
from pipelines.kinds.modes import ModeBlock, Settings
from pipelines.programs.deploy.variables import INPUT, JOB, OUTPUT, STEP, VALUE, VARIABLE
from pipelines.spec.members import RequestMember
from pipelines.spec.names import copied
from pipelines.spec.references import Template
from pipelines.spec.s3_places import S3Place

_BATCH = "batch"
_LONGEST = 45
"""Of the 63 characters of a job's name, without a hash and a number."""

_DIGEST = 6


@dataclass
class _Variables:
    """Resolves each reference to a variable; remembers which."""

    found: dict[str, Template] = field(default_factory=dict)

    def __call__(self, value: Json) -> Json:
        if not isinstance(value, Template):
            return value
        name = f"{VALUE}{len(self.found) + 1}"
        self.found[name] = value
        return {VARIABLE: name}


class Batch(BatchKeys):
    """The objects of a prefix through the highest approved version, once for each content."""

    output: Annotated[S3Place, RequestMember("TransformOutput.S3OutputPath")] = Field(
        description="s3:// prefix for the results, `<object>.out` for each object of the input."
    )

    @property
    def instance_types(self) -> tuple[str, ...]:
        """The type of its instances, where it is written out."""
        return (self.instance_type,) if isinstance(self.instance_type, str) else ()

    def program_request(self) -> JsonObject:
        """Return the request as it stands in the program's configuration."""
        return self._of_program()[0]

    def variables(self, context: EmitContext) -> dict[str, Value]:
        """Return the variables of the deploying job that the program needs for it."""
        resolve = context.resolve
        others = {name: resolve(template) for name, template in self._of_program()[1].items()}
        return {
            STEP: context.name,
            JOB: job_name(context.origin, context.name),
            INPUT: resolve(self.input.from_),
            OUTPUT: resolve(self.output),
            **others,
        }

    def request(self, context: EmitContext) -> JsonObject:
        """Return CreateTransformJob as the program will call it, to be checked."""
        resolve = context.resolve
        output, source = resolve(self.output), resolve(self.input.from_)
        request = BatchRequest(self, output, source, resolve, context.aws.kms_key)
        return {"ModelName": "x", **request.written()}

    def beside(self, copy: str) -> Self:
        """Return the block of a copy: its results go next to the original's, not among them."""
        output = self.output
        if isinstance(output, Template):
            there: str | Template = Template((*output.segments, copied("", copy)))
        else:
            there = copied(output.rstrip("/"), copy)
        return self.model_copy(update={"output": there})

    def checks(self) -> Iterator[Finding]:
        """What is written out can be read and written; paths are relative to the block."""
        yield from batch_checks(self)
        source, output = self.input.from_, self.output
        if not (isinstance(source, str) and isinstance(output, str)):
            return
        if f"{output.rstrip('/')}/".startswith(source):
            message = f"the results go to `{output}`, which belongs to the input: each would be"
            advice = "name a prefix outside of the input"
            yield Finding("SP130", f"{message} processed in turn", ("output",), help=advice)

    def _of_program(self) -> tuple[JsonObject, Mapping[str, Template]]:
        """Return the request as the program gets it, and its variables beside input and output."""
        variables = _Variables()
        request = BatchRequest(self, {VARIABLE: OUTPUT}, {VARIABLE: INPUT}, variables).written()
        return request, variables.found


def job_name(pipeline: str, step: str) -> str:
    """Return what the names of a step's jobs begin with; a hash and a number follow.

    A digest tells `a-b` and `c` from `a` and `b-c`, and names that are cut or written anew.
    """
    digest = hashlib.sha256(f"{pipeline}/{step}".encode()).hexdigest()[:_DIGEST]
    words = f"{pipeline}-{step}".replace("_", "-")[: _LONGEST - _DIGEST - 1].rstrip("-")
    return f"{words}-{digest}"


def _keys(config: Mapping[str, Any]) -> JsonObject:
    """Return the keys; where input and output are, the environment of the job says."""
    keys = _without_variables(batch_keys(config[_BATCH]))
    return keys if isinstance(keys, dict) else {}


def _without_variables(value: Json) -> Json:
    if not isinstance(value, dict):
        return value
    if VARIABLE in value:
        name = value[VARIABLE]
        return None if name in {INPUT, OUTPUT} else f"${{{name}}}"
    return {key: _without_variables(inner) for key, inner in value.items()}


MODE = ModeBlock(
    Batch,
    RequestMember(),
    "No endpoint: process the objects of a prefix, one job for each version and input.",
    lambda _block: Settings({}),
    _keys,
)
