"""Every command and option that a message, a docstring or a page names is there.

A command is written `pipelines run`, `python -m pipelines run`, or in backticks by its name and an
option, as `run --resume`; an option of ours may stand alone, in backticks.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from pipelines.cli.main import cli

ROOT = Path(__file__).parents[3]
PAGES = (
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "pipelines" / "diagnostics" / "codes").glob("*.md")),
    *sorted((ROOT / "pipelines" / "templates").rglob("*.md")),
)
CODE = tuple(sorted((ROOT / "pipelines").rglob("*.py")))
HOLE = "\0"
"""Stands for what an f-string puts in."""

FOREIGN = frozenset(("--epochs", "--key", "--pipelines-file", "--randomly-seed", "--update-golden"))
"""Options of scripts and of pytest that stand alone in backticks."""

_LONG = re.compile(r"python3? -m pipelines((?: +[^\s`;|&>#()]+)+)")
_SPAN = re.compile(r"`([^`\n]+)`")
_CONSOLE = re.compile(r"^(?:\$ )?pipelines((?: +[^\s`;|&>#()]+)+)", re.MULTILINE)
_FENCE = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_OPTION = re.compile(r"--[a-z][a-z-]+")


@cache
def commands() -> dict[str, click.Command]:
    """Return the commands at the top."""
    context = click.Context(cli)
    return {
        name: one for name in cli.list_commands(context) if (one := cli.get_command(context, name))
    }


def options(command: click.Command) -> set[str]:
    """Return how the options of a command are written."""
    params = command.get_params(click.Context(command))
    return {text for one in params for text in (*one.opts, *one.secondary_opts)} | {"-h", "--help"}


def wrong(words: list[str]) -> str | None:
    """Return what a command line names that is not there; None where all is."""
    first, *rest = [word.strip(HOLE + ".,:") for word in words]
    if not first or first.startswith(("-", "<", "…")) or first.isupper():
        return None
    command = commands().get(first)
    if command is None:
        return f"the command {first}"
    for word in rest:
        if isinstance(command, click.Group):
            found = command.get_command(click.Context(command), word)
            command = found or command
        name = word.partition("=")[0].strip("[]'\"")
        if re.fullmatch(r"--?[a-z][a-z-]*", name) and name not in options(command):
            return f"{name} of {first}"
    return None


def texts(file: Path) -> Iterator[str]:
    """Yield the texts of a module, what is put into them as a hole; a page is one text."""
    if file.suffix == ".md":
        yield file.read_text("utf-8")
        return
    tree = ast.parse(file.read_text("utf-8"))
    inner = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else HOLE for part in node.values
            )
        elif (
            isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inner
        ):
            yield node.value


def named(text: str) -> Iterator[list[str]]:
    """Yield the command lines that a text names, without the name of the tool."""
    for found in _LONG.findall(text):
        yield found.split()
    for block in _FENCE.findall(text):
        for found in _CONSOLE.findall(block):
            yield found.split()
    for span in _SPAN.findall(_FENCE.sub("", text)):
        first, *rest = span.split() or [""]
        if first == "pipelines" and rest:
            yield rest
        elif first.rstrip(HOLE) in commands() and any(word.startswith("--") for word in rest):
            yield [first, *rest]
    groups = "|".join(n for n, one in commands().items() if isinstance(one, click.Group))
    plain = rf"(?:\b({groups}) )?(?<![\w-])(?<!cloudformation )({'|'.join(commands())}) (--[a-z-]+)"
    for found in re.findall(plain, text):
        yield [word for word in found if word]


def below(command: click.Command) -> Iterator[click.Command]:
    """Yield a command and the commands in it."""
    yield command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from below(command.get_command(context, name) or cli)


@cache
def all_options() -> frozenset[str]:
    """Return every option of every command."""
    return frozenset(text for one in below(cli) for text in options(one))


def missing(text: str) -> Iterator[str]:
    """Yield, in words, what a text names of the command line and is not there."""
    if "--" not in text and "pipelines" not in text:
        return
    yield from (f"{one}: {' '.join(words)}" for words in named(text) if (one := wrong(words)))
    spans = [re.split("[ =]", span)[0] for span in _SPAN.findall(_FENCE.sub("", text))]
    alone = {span for span in spans if _OPTION.fullmatch(span)}
    yield from (f"no command has {span}" for span in sorted(alone - all_options() - FOREIGN))


@pytest.mark.parametrize("files", [PAGES, CODE], ids=["pages", "code"])
def test_what_a_text_names_of_the_command_line_is_there(files: tuple[Path, ...]) -> None:
    """Commands, subcommands and their options; an option that stands alone is of some command."""
    assert len(files) > 20
    found = ((file, one) for file in files for text in texts(file) for one in missing(text))
    assert [f"{file.relative_to(ROOT)}: {one}" for file, one in found] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see `pipelines backends delete x`", "the command backends"),
        ("python -m pipelines deploy --mode serverless", "--mode of deploy"),
        ("`run --reuse`", "--reuse of run"),
        ("```console\n$ pipelines models show --remote\n```", "--remote of models"),
        ("use a stub: run --stubs A=B", "--stubs of run"),
        (f"`pipelines run{HOLE} --resume {HOLE}`", None),
        ("the pipelines of the spec, and `pipelines/cli`", None),
    ],
)
def test_a_command_that_is_not_there_is_found(text: str, found: str | None) -> None:
    """The ways in which a text may name one."""
    assert {one for words in named(text) if (one := wrong(words))} == ({found} if found else set())
