"""From a git push to an answering endpoint, by what `ci init` generated and nothing else.

A bare repository's hook stands in for CodePipeline (`codepipeline.py`), a shell for CodeBuild
(`builds.py`), a local SageMaker under an account id for the account (`cloud.py`), and an evaluator
of patterns for EventBridge. The installation of the tool is the buildspec's own, from the bucket;
its dependencies are those of the tests' environment, for want of an index.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.backends.local.events.patterns import matches
from pipelines.json_types import JsonObject
from tests import fast_yaml
from tests.functional.ci.cloud import SPEC, Cloud, cloud
from tests.package_events import events

_RULE = "AWS::Events::Rule"


@pytest.fixture
def pushed(tmp_path: Path, wheel: Path) -> Iterator[Cloud]:
    """Give a clone whose project has its stacks, and is not pushed yet.

    The account has those of another repository before, `team/other`.
    """
    with cloud(tmp_path, wheel) as made:
        for one in (made.beside("other"), made):
            one.good("ci", "init", "--repository", f"team/{one.name}")
            one.deploy_stacks()
        yield made


def _statuses(execution: dict[str, Any]) -> dict[str, int]:
    return {f"{one['stage']}/{one['action']}": one["code"] for one in execution["actions"]}


def _log(execution: dict[str, Any], action: str) -> str:
    return next(str(one["log"]) for one in execution["actions"] if one["action"] == action)


@pytest.mark.slow
def test_a_push_runs_the_pipeline_and_an_approval_deploys(pushed: Cloud) -> None:
    """Checks, a plan, exactly that plan, a run, a pending version, its event, an endpoint.

    In an account that another repository has a pipeline in, with the same bucket, and a mistake.
    """
    _a_mistake_is_red_with_its_place(pushed)
    (execution,) = pushed.push("first")
    assert execution["pipeline"] == "tiny-ci"
    said = json.dumps(execution["actions"], indent=1).replace("\\n", "\n")
    assert _statuses(execution) == {
        "Checks/Validate": 0,
        "Checks/Tests": 0,
        "default/Plan": 0,
        "default/Release": 0,
    }, said
    assert "1 passed" in _log(execution, "Tests")
    planned, released = _log(execution, "Plan"), _log(execution, "Release")
    assert "create    pipeline tiny" in planned
    assert "approval" not in planned, "the rule of the stack is there"
    assert "3 to create" in released
    assert "tiny is deployed" in released
    package = _package(pushed, 1)
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    commit = pushed.git("rev-parse", "HEAD").strip()
    assert package["MetadataProperties"]["CommitId"] == commit

    _nothing_else_deploys(pushed, package)
    pushed.good("approve", "tiny/1", "--reason", "good enough", "--yes")
    _deliver(pushed, package, _package(pushed, 1))
    assert '"y": 42' in pushed.good("invoke", "tiny", "--file", "serving/sample.json")

    _both_share_the_stack(pushed)
    pushed.write({"README.md": "# tiny\n\nIt multiplies.\n"})
    assert pushed.push("words") == [], "a README starts nothing"
    pushed.write({"data/factor": "4"})
    assert pushed.push("an attempt", "attempt") == [], "nor does another branch"


def _a_mistake_is_red_with_its_place(pushed: Cloud) -> None:
    """The checks name file, line and what to write, and the test that fails; nothing is planned."""
    other = replace(pushed, folder=pushed.folder / "other", name="other")
    other.write(
        {
            "pipeline.yaml": SPEC.replace("script:", "skript:").replace("tiny", "other"),
            "tests/test_more.py": "def test_that_fails():\n    assert 1 == 2\n",
        }
    )
    (execution,) = other.push("a slip")
    assert execution["pipeline"] == "other-ci"
    assert _statuses(execution) == {"Checks/Validate": 3, "Checks/Tests": 1}
    log = _log(execution, "Validate")
    assert "pipeline.yaml:17:5: error[SP102]" in log, log
    assert "did you mean `script`?" in log
    assert "1 failed, 1 passed" in _log(execution, "Tests")
    assert pushed.sagemaker.list_pipelines()["PipelineSummaries"] == []


def _both_share_the_stack(pushed: Cloud) -> None:
    (shared,) = pushed.templates.glob("shared.*")
    document = fast_yaml.load(shared.read_text())
    assert set(document["Metadata"]["Repositories"]) == {"team/tiny", "team/other"}
    rules = document["Resources"]["BucketTinyBucket"]["Properties"]["LifecycleConfiguration"]
    assert {"tiny/runs/", "other/runs/"} <= {one.get("Prefix") for one in rules["Rules"]}


def _package(pushed: Cloud, number: int) -> JsonObject:
    versions = pushed.sagemaker.list_model_packages(ModelPackageGroupName="tiny")
    arn = versions["ModelPackageSummaryList"][-number]["ModelPackageArn"]
    described: JsonObject = pushed.sagemaker.describe_model_package(ModelPackageName=arn)
    return described


def _rule(pushed: Cloud) -> JsonObject:
    return pushed.template.one(_RULE, "tiny-approval")


def _deliver(pushed: Cloud, before: JsonObject, after: JsonObject) -> None:
    """Do what EventBridge does with the events of a change: start what the rule names."""
    (event,) = events(before, after)
    rule = _rule(pushed)
    assert matches(rule["EventPattern"], event)
    (target,) = rule["Targets"]
    started = pushed.client("sagemaker").start_pipeline_execution(
        PipelineName=target["Arn"].rpartition("/")[2], ClientRequestToken=event["id"].ljust(32, "-")
    )
    followed = pushed.good("status", "--follow", started["PipelineExecutionArn"])
    assert "Succeeded" in followed


def _nothing_else_deploys(pushed: Cloud, package: JsonObject) -> None:
    pattern = _rule(pushed)["EventPattern"]
    approved = {**package, "ModelApprovalStatus": "Approved"}
    other = {**approved, "ModelPackageGroupName": "other"}
    described = {**approved, "ApprovalDescription": "audited"}
    for before, after in (
        (None, package),
        ({**other, "ModelApprovalStatus": "PendingManualApproval"}, other),
        (approved, described),
        (package, {**package, "CustomerMetadataProperties": {"a": "b"}}),
    ):
        (event,) = events(before, after)
        assert not matches(pattern, event), event
    (event,) = events(package, approved)
    assert not matches(pattern, {**event, "account": "444455556666"})
    assert matches(pattern, event)
