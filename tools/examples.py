"""Validate and run each example as its README says, in an environment of its own.

    python tools/examples.py [NAME …]

An environment, `.venv-example-<name>`, has the tool and what the example's requirements.txt names,
in the versions of constraints.txt. Where pip cannot install that, the example is skipped and the
reason is printed. `make everything` runs all of them; it exits 1 when one has failed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
EXAMPLES: Final = ROOT / "examples"
_LEFT_OUT: Final = shutil.ignore_patterns(".pipelines", "__pycache__")
_LAST_LINES: Final = 20


def names() -> tuple[str, ...]:
    """Return the names of all examples, sorted."""
    return tuple(sorted(file.parent.name for file in EXAMPLES.glob("*/pipeline.yaml")))


def environment(name: str) -> Path | str:
    """Return the Python of an example's environment; a text why there is none."""
    python = ROOT / f".venv-example-{name}" / "bin" / "python"
    if not python.exists():
        venv.create(python.parents[1], with_pip=True)
    wanted = (
        "--editable",
        f"{ROOT}[serve,tuning]",
        "-r",
        str(EXAMPLES / name / "requirements.txt"),
    )
    options = ("--quiet", "--disable-pip-version-check", "-c", str(ROOT / "constraints.txt"))
    ended = _run((str(python), "-m", "pip", "install", *options, *wanted), ROOT)
    return python if ended.returncode == 0 else _last_lines(ended.stdout)


def run_example(python: Path, name: str) -> str | None:
    """Validate and run an example in a copy; return what it said where it failed."""
    with tempfile.TemporaryDirectory() as scratch:
        project = Path(scratch, name)
        shutil.copytree(EXAMPLES / name, project, ignore=_LEFT_OUT)
        for command in ("validate", "run"):
            ended = _run((str(python), "-m", "pipelines", command), project)
            if ended.returncode != 0:
                return f"{command} exited with {ended.returncode}\n{_last_lines(ended.stdout)}"
    return None


def main(chosen: list[str]) -> int:
    """Run the examples, and print a line for each."""
    failed = False
    for name in chosen or names():
        python = environment(name)
        if isinstance(python, str):
            print(f"{name}: skipped, pip cannot install its requirements\n{python}", flush=True)
            continue
        problem = run_example(python, name)
        failed |= problem is not None
        print(f"{name}: {problem or 'ok'}", flush=True)
    return int(failed)


def _run(words: tuple[str, ...], folder: Path) -> subprocess.CompletedProcess[str]:
    outside = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        words,
        cwd=folder,
        env=outside,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def _last_lines(text: str) -> str:
    return "\n".join(text.splitlines()[-_LAST_LINES:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
