"""What a pipeline asks of quotas: its deployments count as its steps do."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.compile.driver import compile_spec
from pipelines.compile.model import CompileRequest
from pipelines.plan.instances import instances_needed

CASES = Path(__file__).parents[2] / "golden" / "cases"


@pytest.mark.parametrize(
    ("case", "env", "needed"),
    [
        ("deployment_realtime", "prod", {("endpoint", "ml.m5.large"): 2}),
        (
            "deployment_batch",
            None,
            {("transform job", "ml.m5.large"): 2, ("transform job", "ml.m5.xlarge"): 1},
        ),
        ("deployment_serverless", None, {}),
    ],
)
def test_a_deployment_needs_the_instances_that_it_is_served_with(
    case: str, env: str | None, needed: dict[tuple[str, str], int]
) -> None:
    """The deployer asks for them while it runs; of a parameter the default counts."""
    compiled = compile_spec(CompileRequest(CASES / case / "pipeline.yaml", env, {})).compiled
    assert compiled is not None
    found = instances_needed(compiled)
    served = {key: count for key, count in found.items() if not key[0].endswith("ing job")}
    assert served == needed
    assert ("processing job", "ml.t3.medium") in found
