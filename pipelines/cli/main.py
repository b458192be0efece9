"""The outermost frame: finds the command, turns errors into messages and exit codes."""

from __future__ import annotations

import io
import os
import sys
from typing import NoReturn

import click

from pipelines.cli.groups import CommandPackage
from pipelines.cli.printing import echo, style
from pipelines.errors import PipelinesError, UsageError, from_outside

_OUR_BUG = 1
_INTERRUPTED = 130
_STDERR = 2


_SECTIONS = {
    "Write": ("init", "validate", "compile", "graph", "explain", "images", "schema"),
    "Run": ("run", "debug", "start", "stop"),
    "Ship": ("plan", "upsert", "rollback", "promote", "destroy", "prune", "ci", "doctor"),
    "Serve": ("approve", "reject", "deploy", "endpoints", "invoke", "serve"),
    "Look": ("status", "logs", "outputs", "report", "compare", "cost", "models", "versions"),
}
"""The commands as `--help` shows them; one that is not named stands at the end."""


@click.command(
    cls=CommandPackage,
    package="pipelines.cli.commands",
    sections=_SECTIONS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="sagemaker-pipelines-as-code", prog_name="pipelines")
def cli() -> None:
    """SageMaker Pipelines from one pipeline.yaml: compiled offline, run on a laptop."""


def main() -> NoReturn:
    """Run a command and leave with its exit code."""
    _make_streams_safe()
    try:
        _require_folder()
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


def _require_folder() -> None:
    """Refuse a current folder that was removed: no path could be made of any name.

    Raises:
        UsageError: there is none.
    """
    try:
        os.getcwd()  # noqa: PTH109 - as cheap as it gets
    except FileNotFoundError:
        raise UsageError("the current folder was removed", "change to one that exists") from None


class _Shown(io.StringIO):
    """What click writes about an error; it removes nothing from what it takes for a terminal."""

    def isatty(self) -> bool:
        return True


def _give_up() -> NoReturn:
    import traceback  # noqa: PLC0415 - only for our bugs

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
