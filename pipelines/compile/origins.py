"""Findings about the definition → findings about the spec that it was compiled from.

The spec's keys are SageMaker's own words in snake_case, so a member of a request leads back to
its key by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from pipelines.diagnostics import Finding, Path
from pipelines.json_types import Json, JsonObject

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

_KEYS = {
    "HyperParameters": "hyperparameters",
    "Regex": "metric_definitions",
    "MetricDefinitions": "metric_definitions",
    "TrainingImage": "image",
    "ImageUri": "image",
    "ContainerArguments": "arguments",
    "ProcessingInputs": "inputs",
    "InputDataConfig": "inputs",
    "ProcessingOutputConfig": "outputs",
    "S3InputMode": "mode",
    "InputMode": "mode",
    "VolumeSizeInGB": "volume_size_in_gb",
    "ErrorMessage": "message",
    "Conditions": "if",
    "ModelPackageGroupName": "group",
    "ModelApprovalStatus": "approval_status",
    "CustomerMetadataProperties": "metadata",
    "CacheConfig": "cache",
    "RetryPolicies": "retry",
    "DependsOn": "after",
}
"""Members whose key has another name than theirs in snake_case."""

_NAMES = ("InputName", "ChannelName", "OutputName", "Name", "InstanceGroupName")
"""Members that name an entry of a list, which is a key of a mapping in the spec."""


def to_spec(
    found: Iterable[Finding], definition: JsonObject, origins: Mapping[str, str], spec: Json
) -> Iterator[Finding]:
    """Move findings from the definition to the document.

    Args:
        found: findings with paths into the definition.
        definition: the definition.
        origins: for each of its steps the step of the spec that it comes from.
        spec: the document's data.
    """
    for finding in found:
        yield replace(
            finding, path=_spec_path(finding.path, definition, origins, spec), within=None
        )


def _spec_path(path: Path, definition: Json, origins: Mapping[str, str], spec: Json) -> Path:
    if path[:1] == ("Parameters",):
        return _parameter_path(path, definition)
    value, step, words = definition, None, list[str]()
    for part in path:
        value = _child(value, part)
        if isinstance(value, dict) and "Type" in value and value.get("Name") in origins:
            step, words = origins[value["Name"]], []
        elif isinstance(part, str):
            words.append(part)
        elif isinstance(value, dict):
            words.extend(str(value[name]) for name in _NAMES if name in value)
    if step is None:
        return ()
    return _follow(("steps", step), words, spec)


def _parameter_path(path: Path, definition: Json) -> Path:
    parameter = _child(_child(definition, "Parameters"), path[1]) if len(path) > 1 else None
    name = parameter.get("Name") if isinstance(parameter, dict) else None
    return ("parameters", name) if isinstance(name, str) else ("parameters",)


def _follow(base: Path, words: list[str], spec: Json) -> Path:
    """Take the deepest keys of the step that the words lead to, in their order."""
    value, path = spec, base
    for part in base:
        value = _child(value, part)
    for word in words:
        for key in (word, _KEYS.get(word, word), _WORD_START.sub("_", word).lower()):
            if isinstance(value, dict) and key in value:
                value, path = value[key], (*path, key)
                break
    return path


def _child(value: Json, part: str | int) -> Json:
    if isinstance(value, dict):
        return value.get(part)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return None
