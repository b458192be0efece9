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
    "EndpointName": "endpoint",
    "ProductionVariants": "realtime",
    "ServerlessConfig": "serverless",
    "DeploymentConfig": "realtime",
    "BlueGreenUpdatePolicy": "rollout",
    "AutoRollbackConfiguration": "rollout",
    "ModelApprovalStatus": "approval_status",
    "CustomerMetadataProperties": "metadata",
    "CacheConfig": "cache",
    "RetryPolicies": "retry",
    "DependsOn": "after",
}
"""Members whose key has another name than theirs in snake_case."""

_ACCOUNT = {
    "RoleArn": ("aws", "role"),
    "VpcConfig": ("aws", "vpc"),
    "KmsKeyId": ("aws", "kms_key"),
    "VolumeKmsKeyId": ("aws", "kms_key"),
    "Tags": ("aws", "tags"),
}
"""Members of a request that the spec says once, for all steps."""

_NAMES = ("InputName", "ChannelName", "OutputName", "Name", "InstanceGroupName")
"""Members that name an entry of a list, which is a key of a mapping in the spec."""

_MEMBER = re.compile(r"`([A-Z][A-Za-z0-9]+)`")


def to_spec(
    found: Iterable[Finding], definition: JsonObject, origins: Mapping[str, str], spec: Json
) -> Iterator[Finding]:
    """Move findings from the definition to the document; what several steps share stands once.

    Args:
        found: findings with paths into the definition.
        definition: the definition.
        origins: for each of its steps the step of the spec that it comes from.
        spec: the document's data.
    """
    moved = (_moved(finding, definition, origins, spec) for finding in found)
    yield from dict.fromkeys(moved)


def _moved(
    finding: Finding, definition: JsonObject, origins: Mapping[str, str], spec: Json
) -> Finding:
    path = _spec_path(finding.path, definition, origins, spec)
    return replace(
        finding,
        message=_in_the_specs_words(finding.message, finding.path, path),
        help=_in_the_specs_words(finding.help, finding.path, path) if finding.help else None,
        path=path,
        within=None,
    )


def _in_the_specs_words(text: str, path: Path, spec_path: Path) -> str:
    """Write members of the request as the spec's keys; other words in backticks stay."""
    members = set(path) - set(spec_path)

    def key(match: re.Match[str]) -> str:
        member = match.group(1)
        if member in _ACCOUNT:
            return f"`{'.'.join(_ACCOUNT[member])}`"
        return f"`{_key(member)}`" if member in members else match.group()

    return _MEMBER.sub(key, text)


def _spec_path(path: Path, definition: Json, origins: Mapping[str, str], spec: Json) -> Path:
    if path[:1] == ("Parameters",):
        return _parameter_path(path, definition)
    value, step, words = definition, None, list[str | int]()
    for part in path:
        above, value = value, _child(value, part)
        if isinstance(value, dict) and "Type" in value and value.get("Name") in origins:
            step, words = origins[value["Name"]], []
        elif part != "Arguments":
            words.extend(_words(part, value, above))
    if step is None:
        return ("steps",) if path[:1] == ("Steps",) else ()
    for word in words:
        shared = _ACCOUNT.get(str(word))
        if shared and _child(_child(spec, shared[0]), shared[1]) is not None:
            return shared
    return _follow(("steps", step), words, spec)


def _words(part: str | int, value: Json, above: Json) -> Iterator[str | int]:
    """Yield what may lead on in the spec: a member, an index, the name of an entry."""
    yield part
    if isinstance(value, dict):
        yield from (str(value[name]) for name in _NAMES if name in value)
    if isinstance(part, int) and isinstance(value, str) and isinstance(above, list):
        yield str(above[part - part % 2]).removeprefix("--")  # of the pairs `--key value`


def _parameter_path(path: Path, definition: Json) -> Path:
    parameter = _child(_child(definition, "Parameters"), path[1]) if len(path) > 1 else None
    name = parameter.get("Name") if isinstance(parameter, dict) else None
    return ("parameters", name) if isinstance(name, str) else ("parameters",)


def _follow(base: Path, words: list[str | int], spec: Json) -> Path:
    """Take the deepest keys of the step that the words lead to, in their order."""
    value, path = spec, base
    for part in base:
        value = _child(value, part)
    for word in words:
        if isinstance(word, int):
            if isinstance(value, list) and word < len(value):
                value, path = value[word], (*path, word)
            continue
        for key in (word, _key(word)):
            if isinstance(value, dict) and key in value:
                value, path = value[key], (*path, key)
                break
    return path


def _key(member: str) -> str:
    """Name the spec's key of a member."""
    return _KEYS.get(member, _WORD_START.sub("_", member).lower())


def _child(value: Json, part: str | int) -> Json:
    if isinstance(value, dict):
        return value.get(part)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return None
