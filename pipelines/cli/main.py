"""The outermost frame: finds the command, turns errors into messages and exit codes."""

from __future__ import annotations

import io
import os
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import click

from pipelines.cli.printing import echo, style
from pipelines.errors import PipelinesError, UsageError, from_outside

_COMMANDS = "pipelines.cli.commands"
_FOLDER = Path(__file__).parent / "commands"
_OUR_BUG = 1
_INTERRUPTED = 130
_STDERR = 2


class _Commands(click.Group):
    """Finds commands in their folder; only the one that is asked for is imported."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return sorted(file.stem for file in _FOLDER.glob("[!_]*.py"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = import_module(f"{_COMMANDS}.{cmd_name}").COMMAND
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse a word with bytes that are not UTF-8: no name and no text here may hold them."""
        for word in args:
            if not word.isprintable() and any("\ud800" <= letter <= "\udfff" for letter in word):
                raise UsageError(f"the argument {word!a} is not valid UTF-8")
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.list_commands(ctx) and not args[0].startswith("-"):
            from pipelines.diagnostics.nearest import nearest  # noqa: PLC0415 - only on a mistake

            close = nearest(args[0], self.list_commands(ctx))
            advice = f" Did you mean `{close}`?" if close else ""
            ctx.fail(f"there is no command `{args[0]}`.{advice}")
        return super().resolve_command(ctx, args)


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sagemaker-pipelines-as-code", prog_name="pipelines")
def cli() -> None:
    """SageMaker Pipelines from one pipeline.yaml: compiled offline, run on a laptop."""


def main() -> NoReturn:
    """Run a command and leave with its exit code."""
    _make_streams_safe()
    try:
        cli.main(standalone_mode=False, prog_name="pipelines")
    except click.ClickException as error:
        shown = _Shown()
        error.show(shown)
        echo(shown.getvalue().rstrip("\n"), err=True)
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        echo("interrupted", err=True)
        sys.exit(_INTERRUPTED)
    except PipelinesError as error:
        _show(error)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        said = from_outside(error)
        if said is None:
            _give_up()
        _show(UsageError(said))
        sys.exit(UsageError.exit_code)
    except Exception:  # noqa: BLE001 - the outermost frame: whatever arrives here is our bug
        _give_up()
    sys.exit(0)


class _Shown(io.StringIO):
    """What click writes about an error; it removes nothing from what it takes for a terminal."""

    def isatty(self) -> bool:
        return True


def _give_up() -> NoReturn:
    echo(traceback.format_exc().rstrip("\n"), err=True)
    echo("\nThis is a bug in pipelines, not in your files: please report it.", err=True)
    sys.exit(_OUR_BUG)


def _make_streams_safe() -> None:
    """Open what the caller closed (`>&-`), and escape what the terminal's encoding has not.

    A closed descriptor would be given to the next file that is opened, a database for example;
    in a process that is started here, too, unless it inherits what was opened.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        os.set_inheritable(descriptor, True)  # noqa: FBT003 - positional only
    os.close(descriptor)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - for the life of the process
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _show(error: PipelinesError) -> None:
    if error.problem:
        echo(f"{style('error', fg='red', bold=True)}: {error.problem}", err=True)
    if error.remedy:
        echo(f"  = help: {error.remedy}", err=True)
