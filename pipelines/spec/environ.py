"""`${env.NAME}`: replaced by the environment variable before anything else is read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from pipelines.diagnostics import Finding, Path
from pipelines.json_types import Json

UNSET = "SP129"
"""The code of a variable that is not set."""

_ENV = re.compile(r"(?<!\$)\$\{\s*env\.([A-Za-z_][A-Za-z0-9_]*)\s*\}")


def substitute(data: Json, environ: Mapping[str, str]) -> tuple[Json, list[Finding]]:
    """Replace every `${env.NAME}`; one that is not set is a finding, and its name stands for it."""
    found: list[Finding] = []
    return _substitute(data, environ, (), found), found


def beside(missing: Iterable[Finding], found: Iterable[Finding]) -> Iterator[Finding]:
    """Leave out what is found at or below the values that a variable is `missing` from."""
    unset = {finding.path for finding in missing if finding.code == UNSET}
    return (
        finding
        for finding in found
        if not any(finding.path[:depth] in unset for depth in range(len(finding.path) + 1))
    )


def _substitute(data: Json, environ: Mapping[str, str], path: Path, found: list[Finding]) -> Json:
    match data:
        case dict():
            return {k: _substitute(v, environ, (*path, k), found) for k, v in data.items()}
        case list():
            return [_substitute(v, environ, (*path, i), found) for i, v in enumerate(data)]
        case str() if "${" in data:
            return _ENV.sub(lambda match: _value(match, environ, path, found), data)
        case _:
            return data


def _value(
    match: re.Match[str], environ: Mapping[str, str], path: Path, found: list[Finding]
) -> str:
    name = match.group(1)
    if name not in environ:
        found.append(
            Finding(
                UNSET,
                f"the environment variable `{name}` is not set",
                path,
                help=f"set {name}, or make it a parameter",
                within=match.span(),
            )
        )
    return environ.get(name, name).replace("${", "$${")
