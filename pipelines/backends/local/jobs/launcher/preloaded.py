"""Run a bundle with the job runtime that this process has already imported.

A bundle whose runtime is identical is not started in a new interpreter: a fork calls the runtime
with the environment and the arguments that the interpreter would have given it. The runtime
imports only the standard library and starts the user's code in an interpreter of its own, so the
job cannot see a difference.
"""

from __future__ import annotations

import os
import resource  # noqa: F401 - the runtime imports it at the end of each job: here it is at hand
import sys
from collections.abc import Sequence
from pathlib import Path

from pipelines import runtime
from pipelines.runtime import bundle, job
from pipelines.runtime.bundle import BundleFile
from pipelines.runtime.errors import JobError

_FOLDER = "tool/pipelines/runtime/"
_SOURCES = {
    _FOLDER + file.name: file.read_bytes() for file in Path(job.__file__).parent.glob("*.py")
}


def members_of(words: Sequence[str]) -> list[BundleFile]:
    """Read the bundle that a command starts; empty when its runtime differs from this one.

    Also empty when the job sets what an interpreter reads at its start, such as PYTHONPATH.
    """
    if words[0] != sys.executable or not words[1:] or not _is_named_as_bundle(words[1]):
        return []
    if any(name.startswith("PYTHON") for name in os.environ.keys() - {"PYTHONUNBUFFERED"}):
        return []
    try:
        members = list(bundle.read_files(Path(words[1]), _SOURCES))
    except JobError:
        return []  # started in the ordinary way, it reports the error
    brought = {one.path: one.content for one in members if one.path.startswith(_FOLDER)}
    start = next((one.content for one in members if one.path == "__main__.py"), None)
    same = brought == _SOURCES and start == _SOURCES[f"{_FOLDER}start.py"]
    return members if same else []


def _leave(_folder: Path) -> None:
    """Leave what was unpacked: the tool removes the job's TMPDIR, when nobody waits for it."""


def _is_named_as_bundle(path: str) -> bool:
    return path.endswith(".pyz") or path.rpartition("/")[2] == bundle.BY_TOOLKIT


def run(arguments: Sequence[str], members: list[BundleFile]) -> int:
    """Run `python <bundle> …` in this process, a fork; return its exit code.

    What the runtime imports late comes from the bundle, as it would in an interpreter of its own:
    the tool's own files may have changed since they were compared.
    """
    sys.argv[:] = arguments
    runtime.__path__ = [f"{arguments[0]}/{_FOLDER}"]
    try:
        code: object = job.run(arguments[0], members, _leave)
    except SystemExit as end:
        code = end.code
    sys.stdout.flush()
    sys.stderr.flush()
    return code if isinstance(code, int) else 1
