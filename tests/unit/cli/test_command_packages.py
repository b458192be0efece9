"""A package of commands: what is in the folder is there, and only what is asked for is imported."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pipelines.cli.groups import CommandPackage

_COMMAND = """
import click
@click.command({name!r})
def COMMAND() -> None:
    click.echo({name!r})
"""
_GROUP = """
import click
from pipelines.cli.groups import CommandPackage
@click.command("inner", cls=CommandPackage, package=__name__)
def COMMAND() -> None:
    pass
"""


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandPackage:
    """Make a package with a command, and a package in it with two."""
    outer = tmp_path / "made_up_commands"
    inner = outer / "inner"
    inner.mkdir(parents=True)
    (outer / "__pycache__").mkdir()
    (outer / "__init__.py").write_text("")
    (outer / "first.py").write_text(_COMMAND.format(name="first"))
    (inner / "__init__.py").write_text(_GROUP)
    (inner / "second.py").write_text(_COMMAND.format(name="second"))
    (inner / "third.py").write_text("raise AssertionError('imported, though not asked for')")
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.startswith("made_up_commands")]:
        monkeypatch.delitem(sys.modules, name)
    return CommandPackage(name="outer", package="made_up_commands")


def test_modules_and_packages_are_commands(group: CommandPackage) -> None:
    """A file is a command, a package is a group of them; caches and dunders are neither."""
    assert group.list_commands(click.Context(group)) == ["first", "inner"]
    inner = group.get_command(click.Context(group), "inner")
    assert isinstance(inner, CommandPackage)
    assert inner.list_commands(click.Context(inner)) == ["second", "third"]


def test_only_the_command_that_is_asked_for_is_imported(group: CommandPackage) -> None:
    """A broken or slow neighbour costs nothing."""
    answer = CliRunner().invoke(group, ["inner", "second"])
    assert (answer.exit_code, answer.output) == (0, "second\n")


def test_a_typing_error_in_a_group_names_the_command_that_was_meant(group: CommandPackage) -> None:
    """As for the commands at the top."""
    answer = CliRunner().invoke(group, ["inner", "secnd"])
    assert answer.exit_code == 2
    assert "there is no command `secnd`. Did you mean `second`?" in answer.output
