"""Serving requirements → a folder for PYTHONPATH, without what the serving image has already.

The packaging step runs in the serving image, so this interpreter is the one that will serve.
What the image provides stays as the image has it, where that is what the requirements need: a
newer protobuf, pulled in by onnxruntime, which takes any, kills the image's server at import
(FACTS 11.1).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.runtime.distributions import InstalledDistribution, distributions, normal
from pipelines.runtime.errors import JobError
from pipelines.runtime.requirements import is_met

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

_TAIL_LINES = 6
_PIP_VARIABLES = {
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_INPUT": "1",
    "PIP_PROGRESS_BAR": "off",
    "PIP_ROOT_USER_ACTION": "ignore",
}


@dataclass(frozen=True)
class ServingRequirements:
    """The requirements of the serving code.

    Args:
        lines: lines of a requirements file.
        index_url: a package index of one's own, or None for pip's default.
        wheels: a folder of wheels to take instead of any index, or None.
    """

    lines: tuple[str, ...]
    index_url: str | None = None
    wheels: Path | None = None

    @property
    def source(self) -> list[str]:
        """The arguments of pip for where to find them."""
        if self.wheels is not None:
            return ["--no-index", "--find-links", str(self.wheels)]
        return ["--index-url", self.index_url] if self.index_url else []


def vendor(wanted: ServingRequirements, into: Path) -> dict[str, str]:
    """Install the requirements into a folder, less what this interpreter provides.

    A distribution that a line names stays where its version differs from the image's: the user
    asked for it. One that only came along stays where the image has none, or one that is not what
    the others need; else the image's is used.

    Returns:
        The versions of the distributions that are in the folder, by name.

    Raises:
        JobError: pip cannot install them; the text ends with pip's output.
    """
    into.mkdir(parents=True, exist_ok=True)
    if not wanted.lines or _all_met(wanted.lines):
        return {}
    provided = _provided()
    _install(wanted, into)
    found = {one.name: one for one in distributions([str(into)])}
    kept = _kept(found, provided, {_name(line) for line in wanted.lines})
    for name, distribution in found.items():
        if name not in kept:
            print(f"{name}: the image's {provided[name]} is used, not {distribution.version}")
            _remove(distribution)
        elif name in provided:
            print(
                f"{name}: {distribution.version} is vendored, which hides the image's"
                f" {provided[name]}: {kept[name]}"
            )
    _tidy(into)
    return {name: found[name].version for name in kept}


def _kept(
    found: Mapping[str, InstalledDistribution],
    provided: Mapping[str, str],
    named: Collection[str | None],
) -> dict[str, str]:
    """Return which distributions stay, each with its reason."""
    kept = {}
    for name, distribution in found.items():
        if name not in provided:
            kept[name] = "the image has none"
        elif name in named and distribution.version != provided[name]:
            kept[name] = "the requirements name it"
    unread = list(kept)
    while unread:
        needing = unread.pop()
        for line in found[needing].requires():
            wanted = _name(line)
            if wanted is None or wanted not in found or wanted in kept:
                continue
            if not is_met(_without_extras(line), lambda one: provided.get(normal(one))):
                kept[wanted] = f"{needing} needs {line.partition(';')[0].strip()}"
                unread.append(wanted)
    return kept


def _without_extras(line: str) -> str:
    return re.sub(r"^([^;\[]*)\[[^\]]*\]", r"\1", line)


def _provided() -> dict[str, str]:
    installed = list(distributions(sys.path))
    return {found.name: found.version for found in reversed(installed)}  # the first one wins


def _all_met(lines: Sequence[str]) -> bool:
    """Whether this interpreter meets every line already; asks pip, which asks no index."""
    with _requirements_file(lines) as file:
        ended = _pip(
            ["--dry-run", "--no-deps", "--no-index", "--quiet", "--report", "-", "-r", str(file)],
            {"PIP_FIND_LINKS": "", "PIP_TARGET": ""},
        )
    if ended.returncode != 0:
        return False
    try:
        return not json.loads(ended.stdout).get("install")
    except ValueError:
        return False


def _install(wanted: ServingRequirements, into: Path) -> None:
    with _requirements_file(wanted.lines) as file:
        target = ["--target", str(into), "--no-compile", "--only-binary", ":all:"]
        ended = _pip([*target, *wanted.source, "-r", str(file)], {})
    if ended.returncode != 0:
        output = [line for line in ended.stderr.splitlines() if line.strip()][-_TAIL_LINES:]
        raise JobError(
            f"The serving requirements cannot be installed: {', '.join(wanted.lines)}\n"
            + "\n".join(output)
        )


def _pip(arguments: list[str], variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **_PIP_VARIABLES, **variables}
    return subprocess.run(
        [sys.executable, "-m", "pip", "install", *arguments],
        env={key: value for key, value in environment.items() if value},
        capture_output=True,
        text=True,
        check=False,
    )


@contextmanager
def _requirements_file(lines: Sequence[str]) -> Iterator[Path]:
    """Hold a file with these lines while the block runs."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "requirements.txt")
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        yield file


def _remove(distribution: InstalledDistribution) -> None:
    """Remove the files of a distribution."""
    for file in distribution.files():
        if file.is_file() or file.is_symlink():
            file.unlink()


def _tidy(into: Path) -> None:
    """Remove scripts, bytecode and empty folders."""
    shutil.rmtree(into / "bin", ignore_errors=True)
    for folder in sorted(_folders(into), reverse=True):
        if folder.name == "__pycache__":
            shutil.rmtree(folder)
        elif not any(folder.iterdir()):
            folder.rmdir()


def _folders(into: Path) -> Iterator[Path]:
    return (path for path in into.rglob("*") if path.is_dir() and not path.is_symlink())


def _name(line: str) -> str | None:
    """Return the distribution that a requirements line names, None for an option or a comment."""
    found = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", line)
    return normal(found[1]) if found else None
