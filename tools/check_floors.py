"""Check with vermin that what runs in images uses nothing newer than the Python it declares.

`python tools/check_floors.py`; ruff checks the syntax by the same floors, of pyproject.toml.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pipelines import programs, runtime

ROOT = Path(__file__).parent.parent
_VERMIN = "from vermin import main; main()"


def floors() -> dict[str, tuple[int, int]]:
    """Map files and folders to the oldest Python that they run on."""
    everywhere = ("pipelines/__init__.py", "pipelines/programs/__init__.py", "pipelines/runtime")
    return {
        **dict.fromkeys(everywhere, runtime.PYTHON),
        **{f"pipelines/programs/{n}": programs.declaration(n).python for n in programs.names()},
    }


def main() -> int:
    """Check each of them; returns the exit code."""
    code = 0
    for path, (major, minor) in floors().items():
        # `file` was a function of Python 2, and is an attribute here.
        options = ("--lint", "--quiet", "--no-tips", "--exclude", "file", f"-t={major}.{minor}-")
        command = [sys.executable, "-c", _VERMIN, *options, str(ROOT / path)]
        found = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        print(found.stdout, end="")
        code |= bool(found.returncode or found.stdout)  # a file that it cannot judge is only named
    return code


if __name__ == "__main__":
    sys.exit(main())
