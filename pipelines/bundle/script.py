"""What runs a script: Python, or the program that its first line or its suffix names."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Final

from pipelines.frozen import frozen

_PYTHON: Final = r"(?:.*/)?python[\d.]*"
_ENV: Final = "/usr/bin/env"
_BY_SUFFIX: Final = {
    ".py": (),
    ".sh": ("sh",),
    ".bash": ("bash",),
    ".r": ("Rscript",),
}
_IN_EVERY_IMAGE: Final = frozenset({"sh", "bash", "dash"})


@frozen
class Started:
    """How a script is started.

    Args:
        command: the words before its path; none for Python, whose interpreter the job chooses.
    """

    command: tuple[str, ...] = ()

    @property
    def is_python(self) -> bool:
        """Whether the job's Python runs it."""
        return not self.command

    @property
    def program(self) -> str:
        """The program's own name, as `bash`."""
        words = self.command[1:] if self.command[:1] == (_ENV,) else self.command
        return PurePosixPath(words[0]).name if words else "python3"

    @property
    def is_everywhere(self) -> bool:
        """Whether every image of the table has the program; none has R."""
        return self.is_python or self.program in _IN_EVERY_IMAGE


def how_started(path: str, content: bytes) -> Started | None:
    """Return what runs a script; None where neither its suffix nor its first line says it.

    Args:
        path: its path in the project.
        content: its bytes.
    """
    suffix = PurePosixPath(path).suffix.lower()
    if suffix == ".py":
        return Started()
    first = content.split(b"\n", 1)[0].decode("utf-8", "replace").strip()
    words = tuple(first[2:].split()) if first.startswith("#!") else ()
    if words[:1] == (_ENV,):
        words = (_ENV, *(word for word in words[1:] if word != "-S"))
    if words:
        program = words[1] if words[0] == _ENV and len(words) > 1 else words[0]
        return Started() if re.fullmatch(_PYTHON, program) else Started(words)
    return Started(_BY_SUFFIX[suffix]) if suffix in _BY_SUFFIX else None
