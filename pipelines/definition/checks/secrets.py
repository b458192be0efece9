"""Warns of passwords and tokens that are written into a definition."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pipelines.definition.steps import Definition
from pipelines.diagnostics import Finding, Path, Severity
from pipelines.grammar.names import snake_case
from pipelines.json_types import Json

_TOKEN: Final = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|\bgh[opsu]_[A-Za-z0-9]{36}|\bgithub_pat_\w{22}|\bglpat-[\w-]{20}"
    r"|\bhf_[A-Za-z0-9]{30}|\bsk-[\w-]{20}|\bxox[abprs]-[\w-]{10}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|://[^/\s:@]+:[^/\s:@]+@"
)
"""Access keys of AWS, tokens of GitHub, GitLab, Hugging Face, OpenAI and Slack, private keys, and
URLs with a password."""

_NAME: Final = re.compile(
    r"(?:^|_)(?:password|passwd|passphrase|(?:api|access|private|secret)_?key|(?:access|api|auth)_?token"
    r"|credentials)$"
)
"""The end of a name in snake_case."""

_OF_THE_SDK: Final = "remote_function_secret_key"
"""What `@step` of the SageMaker SDK signs its results with; it writes that by itself."""

_PLACES: Final = ("arn:", "s3://", "/", "<", "{", "$")
"""How a value begins that names where a secret is kept, or that somebody still has to fill in."""

_MAPS: Final = frozenset({"Environment", "HyperParameters", "StaticHyperParameters"})


def check(definition: Definition) -> Iterator[Finding]:
    """Yield secrets: everybody who may describe the pipeline or its jobs reads a definition."""
    parameters = definition.whole.get("Parameters")
    for index, parameter in enumerate(parameters if isinstance(parameters, list) else ()):
        if isinstance(parameter, dict):
            path = ("Parameters", index, "DefaultValue")
            yield from _found(parameter.get("DefaultValue"), path, str(parameter.get("Name")))
    for step in definition.steps:
        yield from _below(step.apart.get("Arguments"), (*step.path, "Arguments"))


def _below(value: Json, path: Path) -> Iterator[Finding]:
    """Yield what is found below a value; only names that the user chose tell of a secret."""
    if isinstance(value, dict):
        for key, member in value.items():
            named = key if path[-1] in _MAPS else ""
            yield from _found(member, (*path, key), named)
            yield from _below(member, (*path, key))
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            before = value[index - 1] if index and path[-1] == "ContainerArguments" else ""
            option = before[2:] if isinstance(before, str) and before.startswith("--") else ""
            yield from _found(entry, (*path, index), option)
            yield from _below(entry, (*path, index))


def _found(value: Json, path: Path, name: str) -> Iterator[Finding]:
    if not isinstance(value, str) or not value:
        return
    plain = snake_case(name).replace("-", "_").replace(".", "_")
    named = _NAME.search(plain) and not value.startswith(_PLACES) and plain != _OF_THE_SDK
    if named or _TOKEN.search(value):
        what = f"`{name}`" if name else "this text"
        yield Finding(
            "SP527",
            f"{what} is a secret, and everybody who may describe the pipeline reads it",
            path,
            at="key",
            help="keep it in AWS Secrets Manager, and have the job read it from there by its name",
            severity=Severity.WARNING,
            hidden=True,
        )
