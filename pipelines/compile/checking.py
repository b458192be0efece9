"""Definitions → what is wrong with them, placed in the spec that they were compiled from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipelines import steptypes
from pipelines.compile.canonical import canonical
from pipelines.compile.emit import Emitted
from pipelines.compile.placing import placed
from pipelines.definition import check_definition
from pipelines.definition.values import KnownValues
from pipelines.diagnostics import Diagnostic, Finding
from pipelines.document import Document
from pipelines.json_types import JsonObject
from pipelines.steptypes.arguments import check_arguments

_AT = ("Steps", 0, "Arguments")


def check(emitted: Iterable[Emitted], document: Document) -> Iterator[Diagnostic]:
    """Check definitions as the service would, and what their programs will ask of it.

    Args:
        emitted: the definitions.
        document: the spec that they were compiled from.
    """
    yield from dict.fromkeys(_each(emitted, document))  # `aws:` is part of many steps


def _each(emitted: Iterable[Emitted], document: Document) -> Iterator[Diagnostic]:
    for one in emitted:
        whole = check_definition(one.definition)
        for found, definition in ((whole, one.definition), *_check_requests(one)):
            if found:
                yield from _placed(found, definition, one, document)
        yield from placed(document, _contested_members(one))


def _placed(
    found: Iterable[Finding], definition: JsonObject, emitted: Emitted, document: Document
) -> Iterator[Diagnostic]:
    from pipelines.compile.origins import to_spec  # noqa: PLC0415 - of a sound spec nothing is found

    return placed(document, to_spec(found, definition, emitted.origins, document.data))


def _contested_members(emitted: Emitted) -> Iterator[Finding]:
    """Find members of `extra:` that their step sets by itself; those of keys are found before."""
    for step, paths in emitted.contested.items():
        for path in paths:
            message = f"`{'.'.join(map(str, path))}` is set by the step itself"
            from pipelines.compile.origins import account_key  # noqa: PLC0415 - few specs

            key = account_key(path[-1])
            advice = f"it comes from `aws.{key}`: " if key else ""
            place = ("steps", emitted.origins[step], "extra", *path)
            yield Finding("SP134", message, place, at="key", help=f"{advice}remove it")


def _check_requests(emitted: Emitted) -> Iterator[tuple[list[Finding], JsonObject]]:
    """Check each request as arguments of its Type; yield findings and what they lead into."""
    known = KnownValues.of(emitted.definition)
    owners: dict[str, str] = {}
    for step in emitted.requests:
        step_type = steptypes.require(step["Type"])
        found = list(check_arguments(step_type, step["Arguments"], known.types, _AT))
        found += known.check(step_type, step["Arguments"], _AT, conditional=False)
        if step_type.keeps is not None:
            kept = canonical(step["Arguments"][step_type.keeps])
            owner = owners.setdefault(kept, step["Name"])
            if owner != step["Name"]:
                found.append(_contested(owner))
        yield found, {"Steps": [step]}


def _contested(owner: str) -> Finding:
    return Finding(
        "SP216",
        f"`{owner}` deploys to the same endpoint",
        (*_AT, "EndpointName"),
        help="give each deployment an endpoint of its own",
    )
