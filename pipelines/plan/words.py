"""Paths and values of the service's definition → the short words that a spec has for them."""

from __future__ import annotations

import json
import re

from pipelines.grammar.functions import Get, Join, function_of, to_json
from pipelines.grammar.names import snake_case
from pipelines.grammar.paths import Key, ValuePath
from pipelines.json_types import Json
from pipelines.programs.deploy.variables import ENDPOINT, GROUP, INPUT, OUTPUT
from pipelines.steptypes import every

_MEMBER = re.compile(r"[A-Z][A-Za-z0-9]*")
_LEFT_OUT = frozenset({
    "Arguments", "ResourceConfig", "ProcessingResources", "ClusterConfig", "AlgorithmSpecification",
    "AppSpecification", "StoppingCondition", "DataSource", "S3DataSource", "S3Input", "S3Output",
    "ProcessingOutputConfig", "CacheConfig", "NetworkConfig",
})  # fmt: skip
"""Members that only hold others together; a spec has no word for them."""

_CALLED = {
    "ProcessingInputs": "inputs",
    "InputDataConfig": "inputs",
    "Outputs": "outputs",
    "HyperParameters": "hyperparameters",
    "StaticHyperParameters": "hyperparameters",
    "TrainingImage": "image",
    "ImageUri": "image",
    "RoleArn": "role",
    "PipelineDescription": "description",
    "ExpireAfter": "cache",
    "Enabled": "cache_enabled",
    "DependsOn": "after",
    "Conditions": "if",
    "DefaultValue": "default",
    "EnumValues": "enum",
    "VolumeKmsKeyId": "kms_key",
    "InstancePreferences": "instance_type",
}
_VARIABLES = {GROUP: "group", ENDPOINT: "endpoint", INPUT: "batch.input", OUTPUT: "batch.output"}
"""Variables of a deploying job that hold what a key of its step says."""

_FREE = frozenset({"HyperParameters", "StaticHyperParameters", "Environment", "Parameters"})
"""Maps whose keys are the user's own words."""

_CODE = ("inputs", "code")
_REFERENCES = {
    "Parameters": "parameters",
    "Steps": "steps",
    "Execution": "execution",
}
_TYPE = "InstanceType"
_LONGEST = 72


def short(path: ValuePath) -> str:
    """Write a path as a spec would: `ResourceConfig.InstanceType` is `instance_type`.

    A path of members that a spec has no word for is written in full, in the same manner.
    """
    words: list[str] = []
    for depth, token in enumerate(path):
        if token in _VARIABLES and words == ["environment"]:
            return _VARIABLES[str(token)]
        free = depth > 0 and path[depth - 1] in _FREE
        words += _word(token, free=free)
    if words[:1] == ["inputs"] or words[:1] == ["outputs"]:
        words = words[:-1] if words[-1] == "s3_uri" else words
    if tuple(words) == _CODE:
        words = ["code"]
    return ".".join(words) or ".".join(map(str, path))


def _word(token: str | int, *, free: bool) -> list[str]:
    if isinstance(token, int):
        return [str(token)]
    if free or isinstance(token, Key) or not _MEMBER.fullmatch(token):
        return [str(token)]
    if token in _LEFT_OUT:
        return []
    return [_CALLED.get(token) or nested_word(token) or snake_case(token)]


def nested_word(argument: str) -> str | None:
    """Return what people call an argument that holds steps, as `then`; None for any other."""
    nested = (one for step_type in every() for one in step_type.holds)
    return next((one.word for one in nested if one.argument == argument), None)


def value_text(value: Json) -> str:
    """Write a value of a definition in one line: references as a spec has them, long ones cut."""
    text = " ".join(_text(value).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _is_type(entry: Json) -> bool:
    """Return whether an entry of a list only names an instance type, as a spec does."""
    return isinstance(entry, dict) and [*entry] == [_TYPE]


def _text(value: Json) -> str:
    match function_of(value) or value:
        case str():
            return str(value)
        case Get(target=target):
            return _reference(target)
        case Join(on=on, values=parts):
            return on.join(map(_text, parts))
        case [*entries] if entries and all(_is_type(entry) for entry in entries):
            return f"[{', '.join(_text(entry[_TYPE]) for entry in entries)}]"
        case _:
            return json.dumps(to_json(value), ensure_ascii=False)


def _reference(target: str) -> str:
    root, _, rest = target.partition(".")
    return "${" + f"{_REFERENCES.get(root, root)}.{rest}" + "}"
