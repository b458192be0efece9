"""The sessions of the README and of the tour, run for real.

    python tools/generate_readme.py    runs the commands of `console` blocks, writes their output

A block holds lines `$ command`, each followed by its output. The tour goes on where the README
ends, in the same folder. The test of the README runs the same commands and compares the output;
ids, times and figures are normalised.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
TOUR = ROOT / "docs" / "guides" / "tour.md"
_BLOCK = re.compile(r"(?<=^```console\n)(.*?)(?=^```$)", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ (.*)\n", re.MULTILINE)
_VARYING = (
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?"), "<moment>"),
    (re.compile(r"\b\d+m \d\ds|\b\d+(\.\d+)?s\b"), "<time>"),
    # An id that happens to hold no digit is one where it stands in an id's place.
    (re.compile(r"(?<=execution )[a-z0-9]{12}\b|^[a-z0-9]{12}(?=  )", re.MULTILINE), "<execution>"),
    (re.compile(r"\b(?=[a-z0-9]*\d)(?=[a-z0-9]*[a-z])[a-z0-9]{12}\b"), "<execution>"),
    (re.compile(r"\b\d\.\d+\b"), "<figure>"),
    (re.compile(r" +"), " "),
)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One command of a page and the output shown below it."""

    command: str
    output: str


def exchanges(text: str) -> Iterator[Exchange]:
    """Read the commands of all console blocks, in order."""
    for block in _BLOCK.findall(text):
        parts = _COMMAND.split(block)[1:]
        for command, output in zip(parts[::2], parts[1::2], strict=True):
            yield Exchange(command, output)


def normalised(output: str) -> str:
    """Replace what differs from run to run: moments, durations, ids, a model's figures."""
    for pattern, word in _VARYING:
        output = pattern.sub(word, output)
    return output.rstrip()


def project(folder: Path) -> Path:
    """Copy the example, including its data, to a folder.

    Raises:
        FileNotFoundError: the data is missing: `make data` writes it.
    """
    if not (ROOT / "data" / "flights").is_dir():
        message = "the example's data is missing: run `make data`"
        raise FileNotFoundError(message)
    for name in ("steps", "training", "serving"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "data", folder / "data")
    shutil.copy(ROOT / "pipeline.yaml", folder)
    return folder


def perform(command: str, folder: Path) -> str:
    """Run a command in a shell, as a reader would, and return what the terminal would show."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(
        ["bash", "-c", command],  # noqa: S607 - a reader's shell
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout


def rewritten(text: str, folder: Path) -> str:
    """Return a page with the output that its commands have now."""

    def block(match: re.Match[str]) -> str:
        commands = _COMMAND.findall(match.group())
        return "".join(f"$ {command}\n{perform(command, folder)}" for command in commands)

    return _BLOCK.sub(block, text)


def main() -> None:
    """Rewrite both pages."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = project(Path(scratch) / "flight-delays")
        for page in (README, TOUR):
            page.write_text(rewritten(page.read_text(encoding="utf-8"), folder), encoding="utf-8")


if __name__ == "__main__":
    main()
