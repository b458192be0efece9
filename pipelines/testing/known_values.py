"""References of a step → what they stand for in a test.

A parameter is its value, local data its place on disk, and what another step only passes on what
it got. Nothing else is known in a test: such a value stays `{"Get": "${steps.train.model}"}`, the
reference as it was written.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from pipelines.diagnostics.sentences import quoted, suggestion
from pipelines.frozen import frozen
from pipelines.grammar.functions import Get, Value
from pipelines.graph.caching import source_of
from pipelines.graph.model import Graph
from pipelines.json_types import Json
from pipelines.spec.model import Parameter, PipelineSpec
from pipelines.spec.references import Reference, Template
from pipelines.spec.values import describe, literal_scalar, scalar_text
from pipelines.testing.errors import JobSetupError

LOCAL = "file://"
"""What the place of local data begins with, where the definition has an S3 URI."""

Parameters: TypeAlias = Mapping[str, str]
"""Name → value as text; those without a value are left out."""


def parameter_values(spec: PipelineSpec, given: Mapping[str, object]) -> Parameters:
    """Return the parameters of a pipeline: what was given, else the defaults.

    Raises:
        JobSetupError: there is no such parameter, or the value does not fit it.
    """
    for name in given:
        if name not in spec.parameters:
            advice = suggestion(name, spec.parameters) or "it has none"
            raise JobSetupError(f"the pipeline has no parameter `{name}`: {advice}")
    return {
        name: _value(name, parameter, given.get(name, parameter.default))
        for name, parameter in spec.parameters.items()
        if name in given or parameter.default is not None
    }


def _value(name: str, parameter: Parameter, value: object) -> str:
    if not parameter.takes(value):
        message = f"the {parameter.type} parameter `{name}` cannot be {describe(value)}"
        raise JobSetupError(message)
    if parameter.enum is not None and value not in parameter.enum:
        raise JobSetupError(
            f"parameter `{name}` cannot be `{value}`: write {quoted(parameter.enum)}"
        )
    scalar = literal_scalar(value)
    return scalar_text(float(scalar) if parameter.type == "float" else scalar)


@frozen
class References:
    """What the references of a step stand for.

    Args:
        graph: the pipeline.
        project: the folder that local data lies in.
        parameters: the values of its parameters.
    """

    graph: Graph
    project: Path
    parameters: Parameters

    def resolve(self, value: Json) -> Value:
        """Return the text that a template stands for, or a `Get` of it; a literal as it is."""
        if not isinstance(value, Template):
            literal: Value = value
            return literal
        parts = [one if isinstance(one, str) else self._text(one) for one in value.segments]
        known = [part for part in parts if part is not None]
        return "".join(known) if len(known) == len(parts) else Get(str(value))

    def _text(self, reference: Reference) -> str | None:
        match reference.parts:
            case ("parameters", str(name)):
                return self.parameters.get(name)
            case ("data", str(name)):
                return self._data(name)
            case ("steps", _, _):
                source = source_of(self.graph, reference)
                resolved = self.resolve(source.from_) if source else None
                return resolved if isinstance(resolved, str) else None
            case _:
                return None

    def _data(self, name: str) -> str | None:
        source = self.graph.spec.data.get(name)
        if source is None or source.path is None:
            remote = self.resolve(source.s3) if source and source.s3 else None
            return remote if isinstance(remote, str) else None
        return LOCAL + str(self.project / source.path)
