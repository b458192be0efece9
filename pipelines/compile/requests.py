"""What programs of steps will ask of the service → what is wrong with it, before anything runs."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines import steptypes
from pipelines.compile.canonical import canonical
from pipelines.compile.emit import Emitted
from pipelines.diagnostics import Finding
from pipelines.json_types import JsonObject
from pipelines.steptypes.arguments import check_arguments

_AT = ("Steps", 0, "Arguments")


def check_requests(emitted: Emitted) -> Iterator[tuple[list[Finding], JsonObject]]:
    """Check each request as arguments of its Type; yield findings and what they lead into."""
    types = {one["Name"]: one["Type"] for one in emitted.definition["Parameters"]}
    owners: dict[str, str] = {}
    for step in emitted.requests:
        step_type = steptypes.require(step["Type"])
        found = list(check_arguments(step_type, step["Arguments"], types, _AT))
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
