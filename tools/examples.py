"""Do what the README of each example says, as a new user types it.

    python -m tools.examples [NAME …]

The commands are those of the README's code blocks, in order, in a copy of the example. A `text`
block has to be part of what the command above it prints; figures, times and ids aside. Examples
that need the same packages beyond those of constraints.txt share an environment,
`.venv-example-<packages>`. While an example runs, the environment of the next one is installed.
Where pip cannot install a package that only these examples need, they are skipped and the reason is
printed. `make everything` runs all of them; it exits 1 when one has failed, also where pip cannot
install the tool.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

from tools.generate_readme import Exchange, normalised

ROOT: Final = Path(__file__).parent.parent
EXAMPLES: Final = ROOT / "examples"
TOOL: Final = "sagemaker-pipelines-as-code"
CONSTRAINTS: Final = ROOT / "constraints.txt"
_BLOCK: Final = re.compile(r"^```(|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_DISTRIBUTION: Final = re.compile(r"[\w.-]+")
_LEFT_OUT: Final = shutil.ignore_patterns(".pipelines", "__pycache__")
_LAST_LINES: Final = 20


@dataclass(frozen=True, slots=True)
class Example:
    """What is to be done in an example.

    Args:
        name: its folder.
        exchanges: the commands of its README, and what some of them print.
        packages: the distributions of its requirements that constraints.txt does not have.
    """

    name: str
    exchanges: tuple[Exchange, ...]
    packages: tuple[str, ...]

    @property
    def environment(self) -> Path:
        """The folder of the environment that it runs in."""
        return ROOT / "-".join((".venv-example", *(self.packages or ("tool",))))


@dataclass(frozen=True, slots=True)
class NotInstalled:
    """Why an environment could not be installed.

    Args:
        said: what pip said.
        is_theirs: whether it is about packages that only these examples need.
    """

    said: str
    is_theirs: bool


def names() -> tuple[str, ...]:
    """Return the names of all examples, sorted."""
    return tuple(sorted(file.parent.name for file in EXAMPLES.glob("*/pipeline.yaml")))


def read(name: str) -> Example:
    """Read the README and the requirements of an example."""
    exchanges: list[Exchange] = []
    for language, block in _BLOCK.findall((EXAMPLES / name / "README.md").read_text("utf-8")):
        if language == "text":
            exchanges[-1] = Exchange(exchanges[-1].command, block)
        else:
            exchanges += (
                Exchange(line.partition("  #")[0].rstrip(), "") for line in block.splitlines()
            )
    wanted = set(_distributions(EXAMPLES / name / "requirements.txt"))
    packages = wanted - {TOOL, *_distributions(CONSTRAINTS)}
    return Example(name, tuple(exchanges), tuple(sorted(packages)))


def install(examples: tuple[Example, ...]) -> NotInstalled | None:
    """Install the environment of examples that share one; return why that is not possible."""
    folder = examples[0].environment
    if not (folder / "bin" / "python").exists():
        venv.create(folder, with_pip=True, symlinks=True)
    files = (word for one in examples for word in ("-r", f"examples/{one.name}/requirements.txt"))
    tool = ("--editable", ".[serve]")
    for words in (tool, tuple(files)):  # as a user does, the tool first
        pip = ("python", "-m", "pip", "install", "--quiet", *words)
        ended = _run(pip, ROOT, folder)
        if ended.returncode != 0:
            is_theirs = words != tool and bool(examples[0].packages)
            return NotInstalled(_last_lines(ended.stdout), is_theirs)
    return None


def perform(example: Example, environment: Path) -> str | None:
    """Type the commands in a copy; return what the first one said that failed."""
    with tempfile.TemporaryDirectory() as scratch:
        project = Path(scratch, example.name)
        shutil.copytree(EXAMPLES / example.name, project, ignore=_LEFT_OUT)
        for exchange in example.exchanges:
            began = time.monotonic()
            ended = _run(tuple(shlex.split(exchange.command)), project, environment)
            _say(example.name, f"{exchange.command}  ({time.monotonic() - began:.0f} s)")
            if ended.returncode != 0:
                return f"it exited with {ended.returncode}\n{_last_lines(ended.stdout)}"
            if normalised(exchange.output) not in normalised(ended.stdout):
                return f"the README shows something else\n{_last_lines(ended.stdout)}"
    return None


def main(chosen: list[str]) -> int:
    """Run the examples, and print a line for each command."""
    failed, started = False, os.times().elapsed
    for examples, installed in _installing([read(name) for name in chosen or names()]):
        began = time.monotonic()
        problem = installed.result()
        folder = examples[0].environment.name
        _say(folder, f"waited for pip  ({time.monotonic() - began:.0f} s)")
        for example in examples:
            if problem is not None:
                failed |= not problem.is_theirs
                outcome = "skipped" if problem.is_theirs else "failed"
                _say(example.name, f"{outcome}, pip cannot install it\n{problem.said}")
                continue
            said = perform(example, example.environment)
            failed |= said is not None
            _say(example.name, said or "ok")
    spent = os.times()
    used = spent.children_user + spent.children_system
    print(f"{spent.elapsed - started:.0f} s, {used:.0f} s of processor time", flush=True)
    return int(failed)


def _installing(
    examples: list[Example],
) -> Iterator[tuple[tuple[Example, ...], Future[NotInstalled | None]]]:
    """Yield the examples of each environment, while one after the other is installed ahead."""
    ordered = sorted(examples, key=lambda one: one.packages)
    groups = [tuple(some) for _, some in groupby(ordered, key=lambda one: one.packages)]
    with ThreadPoolExecutor(max_workers=1) as ahead:
        yield from [(group, ahead.submit(install, group)) for group in groups]


def _distributions(requirements: Path) -> Iterator[str]:
    for line in requirements.read_text("utf-8").splitlines():
        if found := _DISTRIBUTION.match(line):
            yield re.sub(r"[-_.]+", "-", found[0]).lower()


def _run(
    words: tuple[str, ...], folder: Path, environment: Path
) -> subprocess.CompletedProcess[str]:
    """Run a command as in a shell in which the environment is activated."""
    outside = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    path = f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}"
    pip = {"PIP_CONSTRAINT": str(CONSTRAINTS), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    return subprocess.run(
        words,
        cwd=folder,
        env={**outside, **pip, "PATH": path, "VIRTUAL_ENV": str(environment)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def _last_lines(text: str) -> str:
    return "\n".join(text.splitlines()[-_LAST_LINES:])


def _say(name: str, text: str) -> None:
    print(f"{name}: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
