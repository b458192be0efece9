"""Bundles with the real runtime in them, for tests that start one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from pipelines.bundle.assets import write_zipapp
from pipelines.bundle.frame import frame
from pipelines.json_types import JsonObject
from pipelines.runtime.bundle import CODE, JOB, JOB_VERSION, BundleFile, Job

_KEYS = Job("test", "training")


def make_bundle(
    job: JsonObject,
    code: Mapping[str, bytes],
    changed: Callable[[BundleFile], BundleFile] = lambda one: one,
) -> bytes:
    """Make a bundle, with its faults.

    Args:
        job: keys of job.json; the others are empty.
        code: path in the project → content.
        changed: what becomes of each file of ours.
    """
    keys = {"version": JOB_VERSION, **{name: getattr(_KEYS, name) for name in Job._fields}, **job}
    program = str(job["program"]) if job.get("program") else None
    ours = {one.path: one for one in frame(_KEYS._replace(program=program))}
    ours[JOB] = ours[JOB]._replace(content=json.dumps(keys).encode())
    theirs = (BundleFile(CODE + path, executable=False, content=c) for path, c in code.items())
    return write_zipapp((*map(changed, ours.values()), *theirs))


def write_bundle(path: Path, job: JsonObject, code: Mapping[str, bytes]) -> Path:
    """Write such a bundle and return its path."""
    path.write_bytes(make_bundle(job, code))
    return path
