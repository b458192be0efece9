"""An image's own program → the same command on this machine, where it is installed here.

No container is run: what exists only in the image needs a stub.
"""

from __future__ import annotations

import os
import shutil
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipelines.backends.local.jobs.environment import is_python
from pipelines.backends.local.jobs.spec import JobRefusedError
from pipelines.backends.local.stub_advice import USE_A_STUB
from pipelines.images.toolkits import SPARK_SUBMIT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TRAIN: Final = "train"
"""What SageMaker starts in a training image that is given no entrypoint (FACTS 3.4)."""

_SHELLS: Final = ("sh", "bash")
_FLAGS: Final = ("-v", "--verbose")
"""Options of the submission that take no value (smspark/cli.py)."""

_NO_SCRIPT: Final = ("-m", "-c")
_OF_JOBS: Final = "/opt/ml"


def of_training(image: str, arguments: Sequence[str], interpreter: Path) -> list[str]:
    """Return the command of a training image without an entrypoint: `train`.

    Raises:
        JobRefusedError: this machine does not have it.
    """
    if not _is_here(TRAIN, interpreter):
        raise JobRefusedError(
            f"the image {image} has its own entrypoint, which cannot run without a container",
            f"set a ContainerEntrypoint for the step, or {USE_A_STUB}",
        )
    return [TRAIN, *arguments]


def note(image: str) -> str:
    """Say that a command of this machine stands in for the image's."""
    return f"`{TRAIN}` of this machine is started in place of the one in {image}"


def without_spark(words: Sequence[str], interpreter: Path) -> list[str]:
    """Return a command of a Spark image as one of Python, where only the image can submit it.

    pyspark then runs on this machine alone; options of the submission are left out.
    """
    first, *rest = words
    if first != SPARK_SUBMIT or _is_here(first, interpreter):
        return list(words)
    while rest and rest[0].startswith("-"):
        rest = rest[1 if rest[0] in _FLAGS else 2 :]
    return ["python3", *rest] if rest and rest[0].endswith(".py") else list(words)


def require_command(words: Sequence[str], image: str, interpreter: Path) -> None:
    """Refuse a command or a script that this machine does not have.

    Raises:
        JobRefusedError: there is no such command, or not the script that it is to start.
    """
    first = words[0]
    missing = next(_absent(words), None)
    if missing is not None:
        raise JobRefusedError(
            f"this machine does not have `{missing}`, which is started in the image {image}",
            f"start a script of the project by `script:`, or {USE_A_STUB}",
        )
    if "/" not in first and not is_python(first) and not _is_here(first, interpreter):
        raise JobRefusedError(
            f"this machine does not have the command `{first}`, which the image {image} starts",
            f"install it, or {USE_A_STUB}",
        )


def _absent(words: Sequence[str]) -> Iterator[str]:
    """Yield the program of a command, and the script that it is to start, where neither is here."""
    first, *rest = words
    programs = [] if is_python(first) else [first]
    if is_python(first) or first.rpartition("/")[2] in _SHELLS:
        named = (word for word in rest if word in _NO_SCRIPT or not word.startswith("-"))
        programs += [word for word in islice(named, 1) if word not in _NO_SCRIPT]
    for word in programs:
        # What lies in /opt/ml, only the job has.
        if word.startswith("/") and not word.startswith(_OF_JOBS) and not Path(word).exists():
            yield word


def _is_here(command: str, interpreter: Path) -> bool:
    path = os.environ.get("PATH") or os.defpath
    folders = f"{interpreter.absolute().parent}{os.pathsep}{path}"
    return shutil.which(command, path=folders) is not None
