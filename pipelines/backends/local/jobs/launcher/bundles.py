"""The job runtime that this process has imported, and bundles that bring the very same.

A bundle of ours is not started in a new interpreter then: a fork calls the runtime with the
environment and the arguments that the interpreter would have given it. The runtime imports nothing
but the standard library and starts the user's code in an interpreter of its own, so that nobody
can tell.
"""

from __future__ import annotations

import os
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
    """Read the bundle that this interpreter is asked for; nothing when its runtime is another.

    Nor where the job sets what an interpreter reads when it starts, such as PYTHONPATH.
    """
    if words[0] != sys.executable or not words[1:] or not words[1].endswith(".pyz"):
        return []
    if any(name.startswith("PYTHON") for name in os.environ.keys() - {"PYTHONUNBUFFERED"}):
        return []
    try:
        members = list(bundle.read_files(Path(words[1])))
    except JobError:
        return []  # it will say so itself
    brought = {one.path: one.content for one in members if one.path.startswith(_FOLDER)}
    start = next((one.content for one in members if one.path == "__main__.py"), None)
    same = brought == _SOURCES and start == _SOURCES[f"{_FOLDER}start.py"]
    return members if same else []


def run(arguments: Sequence[str], members: list[BundleFile]) -> int:
    """Run `python <bundle> …` in this process, a fork; give its exit code.

    What the runtime imports only now and then comes from the bundle, as it would there: the tool's
    own files may be others by now than those that were compared.
    """
    sys.argv[:] = arguments
    runtime.__path__ = [f"{arguments[0]}/{_FOLDER}"]
    try:
        code: object = job.run(arguments[0], members)
    except SystemExit as end:
        code = end.code
    sys.stdout.flush()
    sys.stderr.flush()
    return code if isinstance(code, int) else 1
