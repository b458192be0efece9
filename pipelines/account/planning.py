"""A compiled spec and an account → the plan of what an upsert would do there."""

from __future__ import annotations

from dataclasses import replace

from pipelines.account.account import Account
from pipelines.account.read import read
from pipelines.compile.model import Compiled
from pipelines.definition.named import groups_of
from pipelines.plan.deployed import Times
from pipelines.plan.model import Intent, Plan
from pipelines.plan.planner import plan
from pipelines.spec.model import Aws, PipelineSpec
from pipelines.spec.names import COPY_OF, deployer
from pipelines.spec.starts import Start, starts


def make_plan(account: Account, spec: PipelineSpec, compiled: Compiled) -> Plan:
    """Read what is deployed of a compiled spec, and compare.

    Raises:
        CallRefusedError: what is deployed cannot be read.
    """
    intent = intent_of(spec, compiled)
    made = plan(compiled, intent, read(account, compiled, intent))
    return _unowned(made) if account.is_local else made


def _unowned(made: Plan) -> Plan:
    """Call no pipeline foreign: the local SageMaker has one user, and `run` sets no tag of ours."""
    return replace(made, pipelines=tuple(replace(p, foreign=False) for p in made.pipelines))


def intent_of(spec: PipelineSpec, compiled: Compiled) -> Intent:
    """Return what a spec says besides its definitions; nothing starts a copy (`--as`) by itself."""
    aws, deploy = spec.aws or Aws(), deployer(compiled.pipeline)
    is_started = COPY_OF not in aws.tags
    return Intent(
        pipeline=compiled.pipeline,
        role=aws.role,
        bucket=aws.bucket,
        description=spec.description or "",
        tags=aws.tags,
        groups=tuple(sorted(groups_of(*compiled.definitions.values()))),
        deploy=deploy if is_started and deploy in compiled.definitions else None,
        schedules={one.name: _times(one) for one in starts(spec)} if is_started else {},
    )


def _times(start: Start) -> Times:
    schedule = start.schedule
    return Times(schedule.expression, schedule.timezone, start.parameters)
