"""An image's own program → the same command on this machine, where it is installed here.

No container is run: what exists only in the image needs a stub.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Final

from pipelines.backends.local.jobs.environment import is_python
from pipelines.backends.local.jobs.spec import JobRefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

TRAIN: Final = "train"
"""What SageMaker starts in a training image that is given no entrypoint (FACTS 3.4)."""

_STUB: Final = "use a stub: run --stub STEP=FILE"


def of_training(image: str, arguments: Sequence[str], interpreter: Path) -> list[str]:
    """Return the command of a training image without an entrypoint: `train`.

    Raises:
        JobRefusedError: this machine does not have it.
    """
    if not _is_here(TRAIN, interpreter):
        raise JobRefusedError(
            f"the image {image} has its own entrypoint, which cannot run without a container",
            f"set a ContainerEntrypoint for the step, or {_STUB}",
        )
    return [TRAIN, *arguments]


def note(image: str) -> str:
    """Say that a command of this machine stands in for the image's."""
    return f"`{TRAIN}` of this machine is started in place of the one in {image}"


def require_command(words: Sequence[str], image: str, interpreter: Path) -> None:
    """Refuse a command that this machine does not have; a path may exist in the job only.

    Raises:
        JobRefusedError: there is no such command.
    """
    first = words[0]
    if "/" not in first and not is_python(first) and not _is_here(first, interpreter):
        raise JobRefusedError(
            f"this machine does not have the command `{first}`, which the image {image} starts",
            f"install it, or {_STUB}",
        )


def _is_here(command: str, interpreter: Path) -> bool:
    path = os.environ.get("PATH") or os.defpath
    folders = f"{interpreter.absolute().parent}{os.pathsep}{path}"
    return shutil.which(command, path=folders) is not None
