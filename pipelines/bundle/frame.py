"""The parts of a bundle that are ours: its start, its configuration, the runtime (decision 1)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from pipelines.bundle.assets import Member
from pipelines.json_types import JsonObject

_TOOL = Path(__file__).parent.parent
"""The package `pipelines`, whose runtime and programs go into bundles."""


def frame(job: JsonObject, program: str | None = None) -> tuple[Member, ...]:
    """Return everything of a bundle but the user's code.

    Args:
        job: the content of job.json.
        program: the built-in program that it starts.
    """
    text = json.dumps(job, sort_keys=True, indent=1, ensure_ascii=False)
    return (
        Member("__main__.py", executable=False, content=_source("runtime/start.py")),
        Member("job.json", executable=False, content=text.encode()),
        *_tool(program),
    )


def _tool(program: str | None) -> tuple[Member, ...]:
    packages = ["runtime"]
    init = Member("tool/pipelines/__init__.py", executable=False, content=_source("__init__.py"))
    members = [init]
    if program is not None:
        packages.append(f"programs/{program}")
        content = _source("programs/__init__.py")
        members.append(
            Member("tool/pipelines/programs/__init__.py", executable=False, content=content)
        )
    for package in packages:
        members.extend(_package(package))
    return tuple(members)


def _source(path: str) -> bytes:
    return (_TOOL / path).read_bytes()


@cache
def _package(path: str) -> tuple[Member, ...]:
    files = sorted((_TOOL / path).rglob("*"))
    return tuple(
        Member(
            f"tool/pipelines/{file.relative_to(_TOOL).as_posix()}",
            executable=False,
            content=file.read_bytes(),
        )
        for file in files
        if file.is_file() and file.suffix != ".pyc"
    )
