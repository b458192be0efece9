"""`logs`: what a step wrote."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.backends.local.engine.context import execution_folder
from pipelines.cli.local import find_execution, identifier, open_sagemaker
from pipelines.cli.options import file_option, local_option, require_local
from pipelines.diagnostics.nearest import nearest
from pipelines.errors import UsageError


@click.command("logs")
@file_option
@local_option
@click.argument("execution")
@click.argument("step")
def COMMAND(file: Path, local: bool, execution: str, step: str) -> None:  # noqa: N802, FBT001 - found by this name; click's flag
    """Print the log of a step, every host and every attempt of it."""
    require_local(local, "logs")
    with open_sagemaker(file) as sagemaker:
        found = identifier(find_execution(sagemaker, execution))
        folder = execution_folder(sagemaker.settings.home, found)
    logs = sorted((folder / step).glob("*/*.log")) if "/" not in step else []
    if not logs:
        raise _no_logs(folder, found, step)
    for log in logs:
        if len(logs) > 1:
            click.echo(f"==> attempt {log.parent.name}, {log.stem} <==")
        click.echo(log.read_text(encoding="utf-8", errors="replace"), nl=False)


def _no_logs(folder: Path, execution: str, step: str) -> UsageError:
    known = sorted({log.parent.parent.name for log in folder.glob("*/*/*.log")})
    close = nearest(step, known)
    advice = (
        f"did you mean `{close}`?" if close else f"steps with logs: {', '.join(known) or 'none'}"
    )
    return UsageError(f"execution {execution} has no log of a step `{step}`", advice)
