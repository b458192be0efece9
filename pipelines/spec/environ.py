"""`${env.NAME}`: replaced by the environment variable before anything else is read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from pipelines.diagnostics import Finding, Path
from pipelines.diagnostics.sentences import quoted
from pipelines.json_types import Json

UNSET = "SP129"
"""The code of a variable that is not set."""

_WRONG_TYPE = "SP121"
_TEXTS = "a variable of the shell is a text: write the value per environment, in `environments:`"

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


def blamed_on_variables(finding: Finding, written: Json, environ: Mapping[str, str]) -> Finding:
    """Advise on a value for which a variable stands: it is empty, or a text as all of them are."""
    value = written
    for part in finding.path:
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int):
            value = value[part]
    names = _ENV.findall(value) if isinstance(value, str) else ()
    empty = [name for name in dict.fromkeys(names) if environ.get(name) == ""]
    if not empty:
        is_text = bool(names) and finding.code == _WRONG_TYPE
        return replace(finding, help=_TEXTS) if is_text else finding
    verb = "are" if len(empty) > 1 else "is"
    advice = f"{quoted(empty, 'and')} {verb} set, but empty: give a value, or remove the key"
    return replace(finding, help=advice)


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
