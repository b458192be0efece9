"""`doctor`: what is missing, here and in the account, and how to get it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import click

from pipelines.account.health import Check, examine
from pipelines.backends.local.health import (
    Machine,
    MachineFact,
    machine_facts,
    size_facts,
    step_facts,
    this_machine,
)
from pipelines.cli.capacity import keep
from pipelines.cli.options import ChosenSpec, format_option, local_option, spec_options
from pipelines.cli.printing import echo, echo_data
from pipelines.cli.project import folder_of, require_named
from pipelines.cli.tables import columns
from pipelines.cli.target import open_target
from pipelines.compile.driver import validate
from pipelines.compile.permissions import permissions
from pipelines.compile.supplies import code_of_steps
from pipelines.definition.needs import needs_of
from pipelines.errors import RefusedError
from pipelines.plan.instances import instances_needed


@click.command("doctor")
@spec_options
@local_option
@format_option("text", "json")
def COMMAND(chosen: ChosenSpec, local: bool, output_format: str) -> None:  # noqa: N802, FBT001 - found by this name; click's flag
    """Check this machine and the account of the spec.

    With --local, this machine alone, and what the steps of the spec need that it does not have.
    """
    if local:
        require_named(chosen.file)
    machine = this_machine(folder_of(chosen.file))
    here = list(machine_facts(machine))
    is_text = output_format == "text"
    if is_text:
        _show_machine(here)
    steps = list(_steps(chosen, machine)) if local and chosen.file.is_file() else None
    if is_text and steps is not None:
        _show_steps(steps, chosen.file)
    checks = [] if local else _account(chosen, is_shown=is_text)
    if not is_text:
        echo_data(json.dumps(_as_json(here, steps or (), checks), indent=2) + "\n")
    wrong = [check for check in checks if check.verdict == "missing"]
    if wrong:
        things = "one thing is" if len(wrong) == 1 else f"{len(wrong)} things are"
        raise RefusedError(f"{things} missing in the account: see above")


def _steps(chosen: ChosenSpec, machine: Machine) -> Iterator[MachineFact]:
    """Find what the steps of the spec need that the machine lacks or has otherwise."""
    request = chosen.request()
    checked = validate(request)
    if checked.graph is None or checked.failed:
        remedy = f"correct it first: python -m pipelines validate{chosen.flags()}"
        yield MachineFact(str(chosen.file), "has errors, so its steps are not known", remedy)
        return
    for code in code_of_steps(checked.graph, request.project):
        yield from step_facts(code, machine)
    for name, node in checked.graph.nodes.items():
        disk, memory = _asked(node.step)
        yield from size_facts(name, disk, memory, machine)


def _asked(step: object) -> tuple[int | None, int | None]:
    """Return the disk in GB and the memory in MB that the spec itself asks for a step."""
    serverless = getattr(step, "serverless", None)
    return _set(step, "volume_size_in_gb"), _set(serverless, "memory_size_in_mb")


def _set(block: object, key: str) -> int | None:
    found = getattr(block, key, None) if key in getattr(block, "model_fields_set", ()) else None
    return found if isinstance(found, int) else None


def _by_fact(found: Iterable[MachineFact]) -> Iterator[MachineFact]:
    """Say once what holds for several steps."""
    steps: dict[tuple[str, str | None], dict[str, None]] = {}
    for fact in found:
        steps.setdefault((fact.text, fact.remedy), {})[fact.subject] = None
    for (text, remedy), names in steps.items():
        yield MachineFact(", ".join(names), text, remedy)


def _account(chosen: ChosenSpec, *, is_shown: bool) -> list[Check]:
    checks = []
    with open_target(chosen, local=False) as target:
        needs = needs_of(json.loads(target.compiled.definition))
        needs = replace(needs, instances=instances_needed(target.compiled))
        if is_shown:
            echo("\nthe account")
        needed = permissions(target.compiled, target.aws)
        keeping = partial(keep, chosen.file, target.account)
        for check in examine(target.account, target.aws, needs, needed, keeping):
            checks.append(check)
            if is_shown:
                echo(f"  {check.verdict:<8} {check.subject}: {check.text}")
                if check.remedy:
                    echo(f"           = help: {check.remedy}")
    return checks


def _show_machine(found: Iterable[MachineFact]) -> None:
    echo("this machine")
    rows = [(fact.subject, fact.text, fact.remedy or "") for fact in found]
    for line in columns(("", "", ""), rows).splitlines()[1:]:
        echo(f"  {line}")


def _show_steps(found: Iterable[MachineFact], file: Path) -> None:
    facts = list(_by_fact(found))
    echo(f"\nthe steps of {file}" if facts else f"\nthe steps of {file} lack nothing here")
    for fact in facts:
        echo(f"  {fact.subject}: {fact.text}")
        if fact.remedy:
            echo(f"    = help: {fact.remedy}")


def _as_json(
    here: Iterable[MachineFact], steps: Iterable[MachineFact], checks: Iterable[Check]
) -> object:
    return {
        "here": list(map(_fact, here)),
        "steps": list(map(_fact, steps)),
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


def _fact(fact: MachineFact) -> object:
    return {"subject": fact.subject, "text": fact.text, "remedy": fact.remedy}
