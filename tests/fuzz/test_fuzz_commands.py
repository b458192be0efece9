"""Odd command lines end with an exit code of ours and a sentence, never in a traceback."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Final

import click
import pytest
from click.testing import CliRunner, Result

from pipelines.cli.main import cli
from pipelines.errors import PipelinesError, from_outside
from tests.fuzz.budget import sources

pytestmark = pytest.mark.no_cover

_FOREVER: Final = ("serve",)
_WORDS: Final = (
    "", " ", "-", "--", "---x", "-f", "x", "nobody", "latest", "latest~1", "a/b", "a/latest", "g/7",
    "g/x", "../x", "/proc/x", "/dev/null", "pipeline.yaml", "broken.yaml", "loop.yaml", "folder",
    "0", "-1", "20000000", "1e400", "30d", "P7d", "k=v", "k=", "=v", "epochs=x", "é", "\u202e",
    "x" * 5000, "json", "SP102", "SP999", "--local", "--env", "prod", "--yes", "\udcff",
)  # fmt: skip

SPEC: Final = """\
spec: 1
pipeline: fuzzed
steps:
  no:
    kind: fail
    message: no
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder with a good spec, a broken one, and one that is a link to itself."""
    (tmp_path / "pipeline.yaml").write_text(SPEC)
    (tmp_path / "broken.yaml").write_text("steps: [")
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    return tmp_path


def _commands(group: click.Group = cli, words: tuple[str, ...] = ()) -> dict[str, click.Command]:
    """Return every command by the words that lead to it, those of groups with the group's."""
    context = click.Context(group)
    found: dict[str, click.Command] = {}
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            found |= _commands(command, (*words, name))
        elif command is not None and name not in _FOREVER:
            found[" ".join((*words, name))] = command
    return found


def _line(name: str, command: click.Command, source: random.Random) -> list[str]:
    """Put together a command line out of the command's own options and odd words."""
    words = name.split()
    for _ in range(source.randint(0, 4)):
        parameter = source.choice([*command.params, None])
        if parameter is None or isinstance(parameter, click.Argument):
            words.append(source.choice(_WORDS))
            continue
        words.append(source.choice(parameter.opts))
        if not getattr(parameter, "is_flag", False) and source.random() < 0.9:
            words.append(source.choice(_WORDS))
    return words


def _is_ours(result: Result) -> bool:
    """Return whether a command ended as `main` lets commands end."""
    error = result.exception
    if isinstance(error, OSError):
        return from_outside(error) is not None
    return error is None or isinstance(error, SystemExit | PipelinesError | click.ClickException)


def test_an_odd_command_line_ends_in_a_sentence(project: Path) -> None:
    """Every command but `serve`, with its own options and words that fit nowhere.

    No file stays open either: Python's warning of one fails the test.
    """
    assert project.is_dir()
    commands = _commands()
    for seed, source in sources():
        name = source.choice(sorted(commands))
        line = _line(name, commands[name], source)
        result = CliRunner().invoke(cli, line, catch_exceptions=True, standalone_mode=False)
        if not _is_ours(result):
            assert result.exception is not None
            raise AssertionError(f"seed {seed}: {line}") from result.exception
        assert "Traceback" not in result.output, (seed, line)
