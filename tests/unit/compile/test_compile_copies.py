"""Copies of a spec (`--as`): as many as people and branches want, each with names of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.compile.driver import compile_spec
from pipelines.compile.model import Compiled, CompileRequest
from pipelines.definition.named import groups_of
from pipelines.errors import UsageError
from tests.everything import EVERYTHING

SPEC = """\
spec: 1
pipeline: churn
aws: {role: "arn:aws:iam::111122223333:role/churn", bucket: churn-ml}
steps:
  train:
    kind: training
    image: pytorch-2.13-cpu
    instance_type: ml.m5.large
    script: train.py
  register:
    kind: registration
    group: churn
    model: ${steps.train.model}
    serving: {source: serving/, image: sklearn-1.9-cpu}
  deploy:
    kind: deployment
    group: ${steps.register.group}
    endpoint: churn
    sample: serving/sample.csv
    serverless: {}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """Write a project that registers and deploys."""
    (tmp_path / "serving").mkdir()
    for name in ("train.py", "serving/inference.py", "serving/sample.csv"):
        (tmp_path / name).write_text("model_fn = 1\n")
    file = tmp_path / "pipeline.yaml"
    file.write_text(SPEC)
    return file


def _compiled(spec: Path, copy: str) -> Compiled:
    found = compile_spec(CompileRequest(spec, None, {}, copy)).compiled
    assert found is not None
    return found


def _names(compiled: Compiled) -> set[str]:
    """Return what the account would have: pipelines, groups, endpoints, prefixes of the bucket."""
    steps = [
        step["Arguments"].get("Environment", {})
        for text in compiled.definitions.values()
        for step in json.loads(text)["Steps"]
    ]
    endpoints = {one["DEPLOY_ENDPOINT"] for one in steps if "DEPLOY_ENDPOINT" in one}
    prefixes = {asset.uri.split("/")[3] for asset in compiled.code}
    return {
        *(f"pipeline {name}" for name in compiled.definitions),
        *(f"group {name}" for name in groups_of(*compiled.definitions.values())),
        *(f"endpoint {name}" for name in endpoints),
        *(f"prefix {name}" for name in prefixes),
    }


def test_a_hundred_copies_share_nothing(spec: Path) -> None:
    """Whatever their names have in common, up to the longest that an endpoint takes.

    `make everything` makes a hundred; every push each seventh of them, of all lengths.
    """
    longest = 48 - len("churn-")
    copies = [
        f"{'b' * (number % (longest - 3) + 1)}{number:02}"
        for number in range(0, 100, 1 if EVERYTHING else 7)
    ]
    assert len(set(copies)) == len(copies) > 10
    assert max(map(len, copies)) >= longest - 1
    seen: set[str] = set()
    for copy in copies:
        names = _names(_compiled(spec, copy))
        assert len(names) == 5
        assert not names & seen
        seen |= names


def test_the_longest_name_of_a_copy_is_that_which_the_endpoint_takes(spec: Path) -> None:
    """One character more is refused, before anything is compiled."""
    longest = 48 - len("churn-")
    assert f"endpoint churn-{'c' * longest}" in _names(_compiled(spec, "c" * longest))
    with pytest.raises(UsageError, match="endpoint"):
        _compiled(spec, "c" * (longest + 1))
