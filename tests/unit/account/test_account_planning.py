"""What a plan compares an account with, besides definitions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.account.planning import intent_of, make_plan
from pipelines.compile.driver import compile_spec
from pipelines.compile.model import CompileRequest
from pipelines.execution.caller import CallRefusedError
from pipelines.plan.deployed import Times
from tests.unit.account.memory import Contents, MemoryAccount

SPEC = """\
spec: 1
pipeline: churn
aws: {role: "arn:aws:iam::123456789012:role/jobs", bucket: team-bucket}
steps:
  deploy: {kind: deployment, group: churn, endpoint: churn, serverless: {}}
schedule:
  daily: {rate: 1 day}
"""


@pytest.mark.parametrize(
    ("copy", "deploy", "schedules"),
    [(None, "churn-deploy", {"churn-daily": Times("rate(1 day)", "UTC")}), ("mine", None, {})],
)
def test_nothing_is_to_start_a_copy(
    tmp_path: Path, copy: str | None, deploy: str | None, schedules: dict[str, Times]
) -> None:
    """`ci` makes rules and schedules of the pipeline itself only, so that no plan misses others."""
    file = tmp_path / "pipeline.yaml"
    file.write_text(SPEC)
    done = compile_spec(CompileRequest(file, None, {}, copy))
    assert done.compiled is not None
    assert done.checked.graph is not None
    intent = intent_of(done.checked.graph.spec, done.compiled)
    assert (intent.deploy, intent.schedules) == (deploy, schedules)


class WithoutScheduler(MemoryAccount):
    """An account of which a network reaches everything but the scheduler."""

    def call(self, service: str, operation: str, **request: Any) -> Any:
        """Carry out a call, or fail as where there is no way."""
        if service == "scheduler":
            raise CallRefusedError("no connection", code="EndpointConnectionError")
        return super().call(service, operation, **request)


def test_a_scheduler_that_cannot_be_reached_keeps_no_plan_back(tmp_path: Path) -> None:
    """Schedules are only warned of, and an upsert changes none."""
    file = tmp_path / "pipeline.yaml"
    file.write_text(SPEC)
    done = compile_spec(CompileRequest(file, None, {}))
    assert done.compiled is not None
    assert done.checked.graph is not None
    plan = make_plan(
        WithoutScheduler(Contents(objects={"team-bucket": {}})),
        done.checked.graph.spec,
        done.compiled,
    )
    assert [one.name for one in plan.pipelines] == ["churn-deploy", "churn"]
    assert [one for one in plan.warnings if "schedule" in one] == []
