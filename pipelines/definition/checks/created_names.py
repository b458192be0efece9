"""Warns where a step names what another one creates, which gets a longer name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipelines.definition.findings import warning
from pipelines.definition.steps import Definition, Step
from pipelines.diagnostics import Finding, Path
from pipelines.json_types import Json


def check(definition: Definition) -> Iterator[Finding]:
    """Yield texts that repeat the name which another step gives to what it creates.

    A name in the arguments is the beginning of the real one: the service adds a suffix for each
    execution (SDK pull request 6224, and `use_custom_job_prefix`). Only what is kept from one
    execution to the next, an endpoint, has the name that is given.
    """
    created = dict(_created(definition))
    for step in definition.steps if created else ():
        for path, member, name in _texts(step.arguments, (*step.path, "Arguments")):
            creator = created.get((member, name))
            if creator is not None and creator.known is not step.known:
                yield warning(
                    "SP526",
                    path,
                    f"`{name}` is only the beginning of the name of what `{creator.name}` creates: "
                    "the service adds a suffix",
                    f'write {{"Get": "Steps.{creator.name}.{member}"}}',
                )


def _created(definition: Definition) -> Iterator[tuple[tuple[str, str], Step]]:
    for step in definition.steps:
        known = step.known
        if known is None or known.keeps or known.resource is None or known.resource.name is None:
            continue
        name = step.arguments.get(known.resource.name)
        if isinstance(name, str):
            yield (known.resource.name, name), step


def _texts(value: Json, path: Path) -> Iterator[tuple[Path, str, str]]:
    """Yield each text with its place and the member that it is the value of."""
    members = value.items() if isinstance(value, Mapping) else ()
    for key, member in members:
        if isinstance(member, str):
            yield (*path, key), key, member
        yield from _texts(member, (*path, key))
    for index, entry in enumerate(value if isinstance(value, list) else ()):
        yield from _texts(entry, (*path, index))
