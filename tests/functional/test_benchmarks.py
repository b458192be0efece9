"""The benchmarks measure what they say; their figures are not judged: machines are noisy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import pairs
from benchmarks.noop_steps import STEPS, ours
from benchmarks.projects import chain_project
from pipelines.compile.driver import compile_spec
from pipelines.compile.model import CompileRequest


def test_the_chain_that_is_compared_with_the_sdk_has_its_steps(tmp_path: Path) -> None:
    """Process → train → evaluate → condition with a Fail step: what `sdk_chain.py` builds."""
    result = compile_spec(CompileRequest(chain_project(tmp_path), None, {}))
    assert result.compiled is not None
    steps = json.loads(result.compiled.definition)["Steps"]
    assert [step["Type"] for step in steps] == ["Processing", "Training", "Processing", "Condition"]
    assert [step["Type"] for step in steps[-1]["Arguments"]["ElseSteps"]] == ["Fail"]


def test_ten_noop_steps_really_run(tmp_path: Path) -> None:
    """All ten, one after the other, none from the cache, and again in the next run."""
    command = ours(tmp_path, STEPS)
    for _ in range(2):
        output = pairs.run(command).output
        assert output.count(": Succeeded in") == STEPS == 10
        assert "cached" not in output


def test_a_failing_command_ends_the_benchmark_with_its_output() -> None:
    """A peer that fails quickly must not count as fast."""
    with pytest.raises(SystemExit, match="broken failed with 1"):
        pairs.run(pairs.Command("broken", ("python3", "-c", "raise SystemExit('no')")))
