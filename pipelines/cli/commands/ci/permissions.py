"""`ci permissions`: the IAM policies that a spec's roles need, and which step needs what."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import zip_longest

import click

from pipelines.cli.options import ChosenSpec, format_option, report, spec_options
from pipelines.cli.printing import echo, echo_data
from pipelines.cli.tables import columns
from pipelines.compile.driver import compile_spec
from pipelines.compile.grants import Permission
from pipelines.compile.permissions import permissions
from pipelines.infra import workstation_access
from pipelines.infra.model import Environment
from pipelines.infra.people import Part, people
from pipelines.infra.policies import (
    INLINE_LIMIT,
    RolePolicy,
    Statement,
    document,
    policies,
    unknown,
)
from pipelines.json_types import JsonObject
from pipelines.spec.model import Aws


@click.command("permissions")
@spec_options
@click.option(
    "--workstation", is_flag=True, help="Those who make and use a machine of `ci workstation`."
)
@format_option("text", "json")
def COMMAND(chosen: ChosenSpec, workstation: bool, output_format: str) -> None:  # noqa: N802, FBT001 - found by this name; click's flag
    """Show the IAM policies that the roles of a spec need, and which step needs what."""
    result = compile_spec(chosen.request())
    report(result.checked, chosen.file, err=True)
    if result.compiled is None or result.checked.graph is None:
        return
    aws = result.checked.graph.spec.aws or Aws()
    found = policies(result.compiled, aws)
    environment = Environment(chosen.env, result.checked.graph.spec, result.compiled)
    if workstation:
        _show_parts(
            workstation_access.people(environment), environment.place.account, output_format
        )
        return
    parts = people(environment)
    open_ends = unknown(permissions(result.compiled, aws))
    if output_format == "json":
        content = {
            "roles": [_as_json(one) for one in found],
            "people": [_part_as_json(one) for one in parts],
            "unknown": [*map(_open, open_ends)],
        }
        echo_data(json.dumps(content, indent=2) + "\n")
        return
    account = aws.role.split(":")[4]
    tables = (*(_lines(one, account) for one in found), *(_of_part(one, account) for one in parts))
    echo("\n\n".join("\n".join(table) for table in tables))
    for line in (*_notes(aws), *(f"not known before it runs: {_open(one)}" for one in open_ends)):
        echo(f"\n{line}")


def _show_parts(parts: Iterable[Part], account: str, output_format: str) -> None:
    if output_format == "json":
        echo_data(json.dumps({"people": [_part_as_json(one) for one in parts]}, indent=2) + "\n")
    else:
        echo("\n\n".join("\n".join(_of_part(one, account)) for one in parts))


def _as_json(policy: RolePolicy) -> JsonObject:
    return {
        "purpose": policy.purpose,
        "arn": policy.arn,
        "policy": policy.document(),
        "trust": policy.trust,
        "steps": {statement.sid: list(statement.steps) for statement in policy.statements},
    }


def _part_as_json(part: Part) -> JsonObject:
    return {
        "purpose": part.name,
        "commands": list(part.commands),
        "policy": document(part.statements),
    }


def _of_part(part: Part, account: str) -> Iterator[str]:
    yield f"{part.name}, for people: {', '.join(part.commands)}"
    yield from _table(("action", "on", "if"), part.statements, account)


def _table(heads: tuple[str, ...], made: Iterable[Statement], account: str) -> Iterator[str]:
    rows = [row[: len(heads)] for statement in made for row in _rows(statement, account)]
    yield from (f"  {line}" for line in columns(heads, rows).splitlines())


def _lines(policy: RolePolicy, account: str) -> Iterator[str]:
    yield f"{policy.arn} ({policy.purpose})"
    yield from _table(("action", "on", "if", "for"), policy.statements, account)
    if policy.size > INLINE_LIMIT:
        yield (
            f"  {policy.size} characters, and the inline policies of a role have at most "
            f"{INLINE_LIMIT}: make several managed policies of it"
        )


def _rows(statement: Statement, account: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield one line for each action, resource and condition, side by side."""
    conditions = [
        f"{key} {' or '.join(values)}"
        for keys in statement.conditions.values()
        for key, values in keys.items()
    ]
    resources = [_short(arn, account) for arn in statement.resources]
    steps = [", ".join(statement.steps)]
    yield from zip_longest(statement.actions, resources, conditions, steps, fillvalue="")


def _short(arn: str, account: str) -> str:
    """Leave out of an ARN what all of them share."""
    if arn == "*":
        return arn
    *_, owner, resource = arn.split(":", 5)
    return resource if owner in {"", account} else f"{resource} of {owner}"


def _open(permission: Permission) -> str:
    return f"{permission.action} of {permission.role}, for {permission.step}"


def _notes(aws: Aws) -> Iterator[str]:
    if aws.runs_code_as == aws.role:
        yield (
            "`aws.job_role` is not given: users' code runs with the pipeline's role, which starts "
            "jobs and passes roles"
        )
    if aws.deploys_as in {aws.role, aws.runs_code_as}:
        other = "job_role" if aws.deploys_as == aws.job_role else "role"
        yield f"the role that deploys is `aws.{other}`: its code may change endpoints"
