"""A target → its plan, for the commands that show one and the one that carries it out."""

from __future__ import annotations

from dataclasses import replace

from pipelines.account.read import read
from pipelines.cli.target import Target
from pipelines.compile.model import Compiled
from pipelines.plan.model import Intent, Plan
from pipelines.plan.named import groups_of
from pipelines.plan.planner import plan
from pipelines.spec.names import deployer


def make_plan(target: Target) -> Plan:
    """Compile, read what is deployed, and compare.

    Raises:
        SpecError: the spec does not hold.
        CallRefusedError: what is deployed cannot be read.
    """
    compiled = target.compiled
    intent = _intent(target, compiled)
    made = plan(compiled, intent, read(target.gateway, compiled, intent))
    return _unowned(made) if target.is_local else made


def _unowned(made: Plan) -> Plan:
    """Call no pipeline foreign: the local SageMaker is nobody else's, and `run` leaves no mark."""
    return replace(made, pipelines=tuple(replace(p, foreign=False) for p in made.pipelines))


def _intent(target: Target, compiled: Compiled) -> Intent:
    aws, deploy = target.aws, deployer(compiled.pipeline)
    return Intent(
        pipeline=compiled.pipeline,
        role=aws.role,
        bucket=aws.bucket,
        description=target.spec.description or "",
        tags=aws.tags,
        groups=tuple(sorted(groups_of(*compiled.definitions.values()))),
        deploy=deploy if deploy in compiled.definitions else None,
    )
