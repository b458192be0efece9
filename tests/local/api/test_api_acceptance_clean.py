"""What the acceptance suite makes is found and deleted again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.acceptance.cleaning import PREFIX, clean
from tests.acceptance.definitions import ALWAYS, condition, create, definition, start
from tests.acceptance.local_target import local_target
from tests.acceptance.target import Target


def group(target: Target) -> str:
    """Make a group with a version."""
    name = target.named("group")
    target.sagemaker.create_model_package_group(ModelPackageGroupName=name, Tags=target.tags)
    target.sagemaker.create_model_package(ModelPackageGroupName=name)
    return name


def test_pipelines_groups_and_configs_of_a_run_are_deleted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A group with its versions, a pipeline with its executions; others' stay."""
    with local_target(tmp_path / ".pipelines") as local:
        others = replace(local, prefix="others")
        target = replace(local, prefix=f"{PREFIX}abc")
        create(others, "pipeline", definition(condition("only", ALWAYS)))
        name = create(target, "pipeline", definition(condition("only", ALWAYS)))
        start(target, name)
        deleted = group(target)
        kept = group(others)
        assert clean(target.client, PREFIX) == []
        assert deleted in capsys.readouterr().out
        pipelines = target.sagemaker.list_pipelines()["PipelineSummaries"]
        groups = target.sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]
        assert [one["PipelineName"] for one in pipelines] == ["others-pipeline"]
        assert [one["ModelPackageGroupName"] for one in groups] == [kept]
