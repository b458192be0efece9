"""The parts of a bundle that are ours: its start, its configuration, the runtime (decision 1)."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from pipelines.runtime.bundle import JOB, BundleFile, Job, job_json

_PACKAGE = Path(__file__).parent.parent
"""The package `pipelines`, whose runtime and programs go into bundles."""


def frame(job: Job) -> tuple[BundleFile, ...]:
    """Return everything of a bundle but the user's files."""
    return (
        BundleFile("__main__.py", executable=False, content=_source("runtime/start.py")),
        BundleFile(JOB, executable=False, content=job_json(job).encode()),
        *_tool(job.program),
    )


def _tool(program: str | None) -> tuple[BundleFile, ...]:
    files = [_tool_file("__init__.py"), *_folder("runtime")]
    if program is not None:
        files += [_tool_file("programs/__init__.py"), *_folder(f"programs/{program}")]
    return tuple(files)


@cache
def _folder(path: str) -> tuple[BundleFile, ...]:
    top = str(_PACKAGE / path)
    names = [
        f"{here}/{name}"[len(top) + 1 :]
        for here, _, names in os.walk(top)
        for name in names
        if not name.endswith(".pyc")
    ]
    ordered = sorted(names, key=lambda name: name.split("/"))
    return tuple(_tool_file(f"{path}/{name}") for name in ordered)


def _tool_file(path: str) -> BundleFile:
    return BundleFile(f"tool/pipelines/{path}", executable=False, content=_source(path))


def _source(path: str) -> bytes:
    return (_PACKAGE / path).read_bytes()
