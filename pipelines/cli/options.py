"""The options that several commands share, and what they mean."""

from __future__ import annotations

import functools
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pipelines.errors import SpecError, UsageError, located
from pipelines.frozen import frozen
from pipelines.spec.names import require_copy_name

if TYPE_CHECKING:
    from pipelines.compile.model import CompileRequest
    from pipelines.diagnostics import CheckedText, Diagnostic

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

_FILE = Path("pipeline.yaml")
_NO_ACCOUNT = "SP306"
_OF_SPECS = frozenset({"SP105", "SP115"})  # their help is on specs


class GivenPath(click.Path):
    """A path; an empty one, which the shell makes of a variable that is not set, is refused."""

    def __init__(
        self, *, file_okay: bool = True, dir_okay: bool = True, allow_dash: bool = False
    ) -> None:
        super().__init__(
            file_okay=file_okay, dir_okay=dir_okay, allow_dash=allow_dash, path_type=Path
        )

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> str | bytes | os.PathLike[str]:
        """Return the path."""
        if not str(value):
            self.fail("the path is empty: is a variable not set?", param, ctx)
        return super().convert(value, param, ctx)


file_option = click.option(
    "-f",
    "--file",
    type=GivenPath(),
    default=_FILE,
    show_default=True,
    help="The spec file; its folder is the project.",
)
env_option = click.option("--env", help="Overlay of `environments:` to compile with.")
local_option = click.option(
    "--local",
    is_flag=True,
    envvar="PIPELINES_LOCAL",
    show_envvar=True,
    help="Use the local SageMaker instead of AWS.",
)
yes_option = click.option("--yes", is_flag=True, help="Do not ask for confirmation.")


@frozen
class ChosenSpec:
    """The spec that a command is about.

    Args:
        file: the spec file; its folder is the project.
        env: the overlay of `environments:`, None for the file as it is.
        copy: the name of a copy of one's own (`--as`), None for the pipeline itself.
    """

    file: Path
    env: str | None = None
    copy: str | None = None

    def flags(self, *, local: bool = False) -> str:
        """Write the options that choose it in another command, with a space before them."""
        given = [
            *(() if self.file == _FILE else ("-f", shlex.quote(str(self.file)))),
            *(() if self.env is None else ("--env", shlex.quote(self.env))),
            *(() if self.copy is None else ("--as", shlex.quote(self.copy))),
            *(("--local",) if local else ()),
        ]
        return "".join(f" {word}" for word in given)

    def request(self) -> CompileRequest:
        """Return what is to be compiled."""
        from pipelines.compile.model import CompileRequest  # noqa: PLC0415 - options are read before

        return CompileRequest(self.file, self.env, os.environ, self.copy)


def spec_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `-f`, `--env` and `--as`; the command gets what they choose as `chosen`."""

    @file_option
    @env_option
    @_copy_option
    @functools.wraps(command)
    def with_chosen(
        *arguments: Any, file: Path, env: str | None, copy: str | None, **options: Any
    ) -> Any:
        return command(*arguments, chosen=ChosenSpec(file, env, copy), **options)

    return with_chosen


def _copy_name(_: click.Context, __: click.Parameter, given: str | None) -> str | None:
    if given is not None:
        require_copy_name(given)
    return given


_copy_option = click.option(
    "--as",
    "copy",
    metavar="NAME",
    callback=_copy_name,
    help="A copy of one's own: pipeline, groups, endpoints and prefix carry this name.",
)


def format_option(*formats: str) -> Callable[[CommandT], CommandT]:
    """Add `--format` with these choices, the first one the default."""
    return click.option(
        "--format",
        "output_format",
        type=click.Choice(formats),
        default=formats[0],
        show_default=True,
        help="How to print.",
    )


def report(
    checked: CheckedText,
    file: Path,
    output_format: str = "text",
    *,
    err: bool,
    account: bool = True,
) -> None:
    """Print diagnostics and end the command when there is an error among them.

    Args:
        checked: what was found.
        file: the spec file.
        output_format: how to print.
        err: whether to print to stderr.
        account: whether it matters that no account is named; locally it does not.

    Raises:
        SpecError: an error was printed.
    """
    found = [one for one in checked.diagnostics if account or one.code != _NO_ACCOUNT]
    if found or output_format not in {"text", "github"}:
        text = _rendered(found, {str(file): checked.text}, output_format, err)
        click.echo(text, err=err, nl=False)  # its values are escaped where it is written
    if checked.failed:
        raise SpecError("")


def _rendered(
    diagnostics: Iterable[Diagnostic],
    sources: dict[str, str],
    output_format: str,
    err: bool,  # noqa: FBT001 - names the stream
) -> str:
    from pipelines.diagnostics import formats  # noqa: PLC0415 - only when there is something to print

    stream = sys.stderr if err else sys.stdout
    report = formats.Report(formats.in_order(diagnostics), sources, stream.isatty())
    return formats.render(output_format, report)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Refuse what cannot be written where the user asked for it: /proc, say, or no such folder.

    Raises:
        UsageError: the file or the folder cannot be written.
    """
    try:
        yield
    except OSError as error:
        why = located(error, path).strerror
        raise UsageError(f"{path} cannot be written: {why}") from error


def parameters(given: tuple[str, ...], option: str = "-p") -> dict[str, str]:
    """Read `-p NAME=VALUE` and `-p @FILE` options; what comes later counts.

    Args:
        given: the options.
        option: their name.

    Raises:
        UsageError: one has no `=`, or a file does not hold names with values.
    """
    pairs: dict[str, str] = {}
    for item in given:
        if item.startswith("@"):
            pairs.update(_parameters_in(Path(item[1:])))
            continue
        name, equals, value = item.partition("=")
        if not equals or not name:
            raise UsageError(f"`{option} {item}` is not NAME=VALUE", f"write {option} epochs=3")
        pairs[name] = value
    return pairs


def _parameters_in(file: Path) -> dict[str, str]:
    """Read a YAML or JSON file of names with values."""
    from pipelines.diagnostics import Finding, Severity  # noqa: PLC0415 - seldom needed
    from pipelines.document import read  # noqa: PLC0415 - as above

    if not file.is_file():
        raise UsageError(f"there is no file {file}", "write -p @parameters.yaml, or -p epochs=3")
    parsed = read(file, str(file))
    wrong = next((one for one in parsed.findings if one.severity is Severity.ERROR), None)
    if parsed.document is None or wrong is not None:
        raise _misread(file, wrong)
    values: dict[str, str] = {}
    for name, value in parsed.document.data.items():
        if not isinstance(value, str | int | float):
            message = f"the value of `{name}` is not a text or a number"
            raise _misread(
                file, parsed.document.locate(Finding("SP121", message, (name,), at="key"))
            )
        values[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return values


def _misread(file: Path, wrong: Diagnostic | None) -> UsageError:
    """Say what is wrong with a file of parameters, and where."""
    advice = "write one `epochs: 3` on each line"
    if wrong is None or wrong.span is None or wrong.code in _OF_SPECS:
        return UsageError(f"{file} does not hold names with values", advice)
    place = f"{file}:{wrong.span.line}:{wrong.span.column}"
    return UsageError(f"{place}: {wrong.message}", wrong.help or advice)
