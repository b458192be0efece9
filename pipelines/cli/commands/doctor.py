"""`doctor`: what is missing, here and in the account, and how to get it."""

from __future__ import annotations

import json
from collections.abc import Iterable

import click

from pipelines.account.health import Check, examine
from pipelines.backends.local.health import MachineFact, machine_facts
from pipelines.cli.options import ChosenSpec, format_option, local_option, spec_options
from pipelines.cli.printing import echo, echo_data
from pipelines.cli.project import require_named
from pipelines.cli.tables import columns
from pipelines.cli.target import open_target
from pipelines.compile.permissions import permissions
from pipelines.definition.needs import needs_of
from pipelines.errors import RefusedError


@click.command("doctor")
@spec_options
@local_option
@format_option("text", "json")
def COMMAND(chosen: ChosenSpec, local: bool, output_format: str) -> None:  # noqa: N802, FBT001 - found by this name; click's flag
    """Check this machine and the account of the spec; with --local, this machine alone."""
    if local:
        require_named(chosen.file)
    here = list(machine_facts())
    if output_format == "text":
        _show_here(here)
    checks = [] if local else _account(chosen, is_shown=output_format == "text")
    if output_format == "json":
        echo_data(json.dumps(_as_json(here, checks), indent=2) + "\n")
    wrong = [check for check in checks if check.verdict == "missing"]
    if wrong:
        things = "one thing is" if len(wrong) == 1 else f"{len(wrong)} things are"
        raise RefusedError(f"{things} missing in the account: see above")


def _account(chosen: ChosenSpec, *, is_shown: bool) -> list[Check]:
    checks = []
    with open_target(chosen, local=False) as target:
        needs = needs_of(json.loads(target.compiled.definition))
        if is_shown:
            echo("\nthe account")
        needed = permissions(target.compiled, target.aws)
        for check in examine(target.account, target.aws, needs, needed):
            checks.append(check)
            if is_shown:
                echo(f"  {check.verdict:<8} {check.subject}: {check.text}")
                if check.remedy:
                    echo(f"           = help: {check.remedy}")
    return checks


def _show_here(found: Iterable[MachineFact]) -> None:
    echo("this machine")
    rows = [(fact.subject, fact.text, fact.remedy or "") for fact in found]
    for line in columns(("", "", ""), rows).splitlines()[1:]:
        echo(f"  {line}")


def _as_json(here: Iterable[MachineFact], checks: Iterable[Check]) -> object:
    return {
        "here": [
            {"subject": fact.subject, "text": fact.text, "remedy": fact.remedy} for fact in here
        ],
        "account": [
            {
                "subject": check.subject,
                "verdict": check.verdict,
                "text": check.text,
                "remedy": check.remedy,
            }
            for check in checks
        ],
    }
