"""What a plan compares an account with, besides definitions."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.account.planning import intent_of
from pipelines.compile.driver import compile_spec
from pipelines.compile.model import CompileRequest
from pipelines.plan.deployed import Times

SPEC = """\
spec: 1
pipeline: churn
aws: {role: "arn:aws:iam::111122223333:role/jobs", bucket: team-bucket}
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
