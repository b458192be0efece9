"""A group of commands that is a package: the folder is the registry (decision 6)."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from pipelines.errors import UsageError


class CommandPackage(click.Group):
    """Finds commands in a package; only the one that is asked for is imported.

    A module of it, or a package with commands of its own, is named like its command and holds one
    `COMMAND`.

    Args:
        package: the package's name.
        sections: headings with the commands that `--help` shows below them.
        **rest: what click gives every group.
    """

    def __init__(
        self, *, package: str, sections: Mapping[str, tuple[str, ...]] | None = None, **rest: Any
    ) -> None:
        super().__init__(**rest)
        self._package = package
        self._sections = sections or {}

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands below their headings, those without one at the end."""
        known = self.list_commands(ctx)
        named = {name for names in self._sections.values() for name in names}
        rest = tuple(name for name in known if name not in named)
        widest = max(map(len, known), default=0)
        for heading, names in (*self._sections.items(), ("Commands", rest)):
            rows = [
                (name.ljust(widest), command.get_short_help_str(formatter.width - widest - 6))
                for name in names
                if (command := self.get_command(ctx, name)) is not None and not command.hidden
            ]
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """List the modules and the packages."""
        folders = import_module(self._package).__path__
        files = (file for folder in folders for file in Path(folder).iterdir())
        return sorted(file.stem for file in files if _is_command(file))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command of this name; None where there is none."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = import_module(f"{self._package}.{cmd_name}").COMMAND
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
        """Find the command; where there is none, name the one that was probably meant."""
        if args and args[0] not in self.list_commands(ctx) and not args[0].startswith("-"):
            from pipelines.diagnostics.nearest import nearest  # noqa: PLC0415 - only on a mistake

            close = nearest(args[0], self.list_commands(ctx))
            advice = f" Did you mean `{close}`?" if close else ""
            ctx.fail(f"there is no command `{args[0]}`.{advice}")
        return super().resolve_command(ctx, args)


def _is_command(file: Path) -> bool:
    if file.name.startswith("_"):
        return False
    return file.suffix == ".py" or (file / "__init__.py").is_file()
