"""`init`: a project of one's own."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import click

from pipelines.cli import scaffold
from pipelines.cli.options import GivenPath, writing
from pipelines.cli.printing import echo

_MODULE = "python -m "


@click.command("init")
@click.argument("folder", type=GivenPath())
@click.option("--minimal", is_flag=True, help="One processing and one training step only.")
@click.option("--name", help="Name of the pipeline.  [default: the folder's]")
def COMMAND(folder: Path, minimal: bool, name: str | None) -> None:  # noqa: FBT001, N802 - click's flag; found by this name
    """Write a new project into FOLDER: a pipeline that runs, its scripts, data and tests."""
    called = Path(os.path.realpath(folder)).name if name is None else name
    scaffold.check_name(called)
    content = scaffold.files("minimal" if minimal else "full", called)
    own_package = scaffold.has_own_package(folder)
    if own_package:
        readme = Path("README.md")
        content[readme] = _without_module(content[readme])
    with writing(folder):
        scaffold.write(folder, content)
    echo(f"wrote {len(content)} files into {folder}")
    echo(_next(folder, own_package=own_package))


def _next(folder: Path, *, own_package: bool) -> str:
    """Print what to do next."""
    lines = (
        []
        if os.path.realpath(folder) == os.path.realpath(".")
        else [f"cd {shlex.quote(str(folder))}"]
    )
    lines.append("python -m pip install -r requirements.txt")
    commands = ("pipelines validate", "pipelines run", "pytest")
    lines += [command if own_package else _MODULE + command for command in commands]
    tool = "pipelines" if own_package else f"{_MODULE}pipelines"
    text = "\nnext:\n" + "\n".join(f"  {line}" for line in lines)
    text += f"\n\nTo run it at every git push: add `aws:` to pipeline.yaml, then `{tool} ci init`"
    if own_package:
        text += (
            "\n\nThis folder has a Python package `pipelines` of its own, and `python -m pipelines`"
            "\nstarts that one: use the commands `pipelines` and `pytest` as they stand above."
        )
    return text


def _without_module(readme: bytes) -> bytes:
    """Write the commands as they work beside a package of the same name."""
    head, fence, rest = readme.decode("utf-8").partition("\n\nWhere a folder has a Python package")
    for command in ("pipelines", "pytest"):
        head = head.replace(_MODULE + command, command)
    return f"{head}{fence}{rest}".encode()
