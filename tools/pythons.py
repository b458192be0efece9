"""Install the tool with other Pythons, and do there what a new user does.

    python -m tools.pythons [PYTHON …]

Tests run with one Python, the oldest that the tool knows. With each other one that is found here,
this makes an environment, installs the tool from this folder, and in a new project of `init
--minimal` validates, compiles, runs and tests. The definition has to be that of this Python, byte
for byte. Where none is found, it says so.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
PYTHONS: Final = ("python3.12", "python3.13", "python3.14")
_ASKED: Final = "import ensurepip, sys; print(sys.executable)"
_COMPILED: Final = Path("build") / "tiny.json"
_COMMANDS: Final = (
    ("pipelines", "validate"),
    ("pipelines", "compile", "-o", "build/"),
    ("pipelines", "run"),
    ("pytest", "-q"),
)


class FailedError(Exception):
    """A command failed; the text is what it was and the end of what it printed."""


def found(python: str) -> str | None:
    """Return an interpreter's own path; None if it does not run or cannot make environments."""
    try:
        asked = subprocess.run(
            (python, "-c", _ASKED), capture_output=True, text=True, check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return asked.stdout.strip()


def try_out(python: str, folder: Path) -> bytes:
    """Do what a new user does; return the compiled definition.

    Raises:
        FailedError: a command failed.
    """
    environment, project = folder / "environment", folder / "tiny"
    own = environment / "bin" / "python"
    install = (str(own), "-m", "pip", "install", "-q", "-c", str(ROOT / "constraints.txt"))
    _run((python, "-m", "venv", str(environment)), folder)
    _run((*install, f"{ROOT}[serve]"), folder)
    _run((str(own), "-m", "pipelines", "init", "--minimal", str(project)), folder)
    _run((*install, "-r", "requirements.txt"), project)
    for words in _COMMANDS:
        _run((str(own), "-m", *words), project)
    return (project / _COMPILED).read_bytes()


def _run(words: tuple[str, ...], folder: Path) -> None:
    outside = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
    environment = {name: value for name, value in os.environ.items() if name not in outside}
    ended = subprocess.run(
        words,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise FailedError(f"{' '.join(words)}\n{ended.stdout[-3000:]}")


def main(words: list[str]) -> int:
    """Try the Pythons that are named, else all that are found; return 1 if one has failed."""
    pythons = {name: path for name in words or PYTHONS if (path := found(name))}
    for name in [name for name in words if name not in pythons]:
        print(f"{name}: does not run here, or cannot make environments")
    if not pythons:
        print(f"none of {', '.join(words or PYTHONS)} is here")
        return int(bool(words))
    with tempfile.TemporaryDirectory() as scratch:
        return int(not _all_agree({"this Python": sys.executable, **pythons}, Path(scratch)))


def _all_agree(pythons: dict[str, str], scratch: Path) -> bool:
    compiled = dict[str, bytes]()
    for number, (name, path) in enumerate(pythons.items()):
        began, folder = time.monotonic(), scratch / str(number)
        folder.mkdir()
        try:
            compiled[name] = try_out(path, folder)
        except FailedError as error:
            print(f"{name}: failed: {error}", flush=True)
        else:
            seconds = time.monotonic() - began
            print(f"{name}: installed, compiled, ran and tested in {seconds:.0f} s", flush=True)
    is_one = len({*compiled.values()}) == 1
    if not is_one:
        print("the definitions are not the same bytes")
    return is_one and len(compiled) == len(pythons)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
