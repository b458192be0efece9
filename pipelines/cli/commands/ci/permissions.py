"""`ci permissions`: the IAM policies that a spec's roles need, and which step needs what."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import zip_longest

import click

from pipelines.cli.options import ChosenSpec, format_option, report, spec_options
from pipelines.cli.printing import echo, echo_data
from pipelines.cli.tables import columns
from pipelines.compile.driver import compile_spec
from pipelines.compile.permissions import Permission, permissions
from pipelines.infra.policies import INLINE_LIMIT, RolePolicy, Statement, policies, unknown
from pipelines.json_types import JsonObject
from pipelines.spec.model import Aws


@click.command("permissions")
@spec_options
@format_option("text", "json")
def COMMAND(chosen: ChosenSpec, output_format: str) -> None:  # noqa: N802 - found by this name
    """Show the IAM policies that the roles of a spec need, and which step needs what."""
    result = compile_spec(chosen.request())
    report(result.checked, chosen.file, err=True)
    if result.compiled is None or result.checked.graph is None:
        return
    aws = result.checked.graph.spec.aws or Aws()
    found = policies(result.compiled, aws)
    open_ends = unknown(permissions(result.compiled, aws))
    if output_format == "json":
        content = {"roles": [_as_json(one) for one in found], "unknown": [*map(_open, open_ends)]}
        echo_data(json.dumps(content, indent=2) + "\n")
        return
    account = aws.role.split(":")[4]
    echo("\n\n".join("\n".join(_lines(one, account)) for one in found))
    for line in (*_notes(aws), *(f"not known before it runs: {_open(one)}" for one in open_ends)):
        echo(f"\n{line}")


def _as_json(policy: RolePolicy) -> JsonObject:
    return {
        "purpose": policy.purpose,
        "arn": policy.arn,
        "policy": policy.document(),
        "trust": policy.trust,
        "steps": {statement.sid: list(statement.steps) for statement in policy.statements},
    }


def _lines(policy: RolePolicy, account: str) -> Iterator[str]:
    yield f"{policy.arn} ({policy.purpose})"
    rows = [row for statement in policy.statements for row in _rows(statement, account)]
    yield from (f"  {line}" for line in columns(("action", "on", "if", "for"), rows).splitlines())
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
