"""A batch: one transform job for each version and content of the input."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipelines.programs import declaration
from pipelines.programs.deploy.dispatch import deploy
from pipelines.programs.deploy.model import (
    DeployError,
    DeploymentOutcome,
    DeploymentTarget,
    NotFailedError,
)
from pipelines.programs.deploy.reconcile import Options
from tests.unit.programs.batch_account import REQUEST, BatchAccount, batch
from tests.unit.programs.deploy_account import KilledError
from tests.unit.programs.reconciling import QUICK, A, P, R

OF_MODEL, OF_INPUT = "AlgorithmError: ValueError", "ClientError: too much data"


def account(versions: dict[int, str], **more: Any) -> BatchAccount:
    """Make an account with an input of one object."""
    made = BatchAccount(versions=versions, **more)
    made.put("a.csv", "1\n2\n")
    return made


def run(
    where: BatchAccount, what: DeploymentTarget | None = None, options: Options = QUICK
) -> DeploymentOutcome:
    """Deploy the batch."""
    return deploy(where.clients, what or batch(), options)


def test_the_same_version_and_input_are_processed_once() -> None:
    """Twice does nothing; a new object, a changed one and a new version are each a new job."""
    here = account({1: A, 2: P})
    outcome = run(here)
    assert (outcome.live, outcome.changed, outcome.failed) == (1, True, ())
    assert outcome.messages == ("g/1 has processed s3://b/in/: the results are below s3://b/out",)
    (entry,) = [json.loads(v) for k, v in here.objects.items() if "/deployments/nightly/" in k]
    assert (entry["outcome"], entry["version"], entry["mode"]) == ("succeeded", 1, "batch")
    assert entry["job"] in here.jobs
    assert (entry["input"], entry["output"]) == ("s3://b/in/", "s3://b/out")
    before = list(here.calls)
    again = run(here)
    assert (again.live, again.changed) == (1, False)
    assert here.calls == before
    for text in ("3\n", "4\n"):
        here.put("b.csv", text)
        run(here)
    here.versions[2] = A
    run(here)
    assert here.started() == ["create_model", "start", "start", "start", "create_model", "start"]
    assert here.outcomes()[-1] == (2, "succeeded")


def test_only_what_results_depend_on_makes_another_job() -> None:
    """The same results on a larger instance are the same; others are not."""
    here = account({1: A})
    run(here)
    larger = {**REQUEST, "TransformResources": {"InstanceType": "ml.m5.4xlarge"}}
    assert not run(here, batch(batch=larger)).changed
    joined = {**REQUEST, "DataProcessing": {"JoinSource": "Input"}}
    assert run(here, batch(batch=joined)).changed
    assert here.started().count("start") == 2


@pytest.mark.parametrize(
    ("versions", "said"),
    [
        ({}, "there is no approved version of g yet"),
        ({1: R}, "there is no approved version of g yet"),
        ({1: R, 2: P}, "waiting for approval of g/2"),
    ],
)
def test_without_an_approved_version_nothing_is_done_and_that_is_said(
    versions: dict[int, str], said: str
) -> None:
    """It succeeds, even where the input is not there yet."""
    outcome = run(BatchAccount(versions=versions))
    assert outcome.messages == (said,)
    assert (outcome.live, outcome.failed, outcome.changed) == (None, (), False)


def test_a_version_that_fails_leaves_the_input_to_the_one_below() -> None:
    """That is a failure all the same; it is not recorded, so the next deployment tries again."""
    here = account({1: A, 2: A}, reasons={2: OF_MODEL})
    outcome = run(here)
    assert (outcome.live, outcome.failed) == (1, ((2, OF_MODEL),))
    assert here.outcomes() == [(1, "succeeded")]
    here.reasons.clear()
    assert (run(here).live, run(here).failed) == (2, ())
    assert [name.rpartition("-")[2] for name in here.jobs] == ["1", "1", "2"]


def test_what_lies_in_no_version_is_not_tried_with_another() -> None:
    """The input would fail with each of them, and a machine that lacks says nothing of any."""
    here = account({1: A, 2: A}, reasons={2: OF_INPUT})
    outcome = run(here)
    (failed,) = outcome.failed
    assert failed[0] == 2
    assert OF_INPUT in failed[1]
    assert (outcome.live, here.started().count("start")) == (None, 1)
    assert here.outcomes() == []


@pytest.mark.parametrize("reason", ["unfit", "refused"])
def test_a_package_of_which_no_model_can_be_made_leaves_the_input_to_the_one_below(
    reason: str,
) -> None:
    """Without a container, or refused by the service."""
    here = account({1: A, 2: A})
    if reason == "unfit":
        here.containers[2] = 0
    else:
        here.refused[2] = "no such image"
    outcome = run(here)
    assert outcome.live == 1
    assert [number for number, _ in outcome.failed] == [2]
    assert here.started() == ["create_model", "start"]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("call", range(3))
def test_a_deployment_that_was_killed_is_continued(call: int, *, after: bool) -> None:
    """Wherever that was, one job is started, and one entry written."""
    here = account({1: A}, kill_at=call, kill_after=after)
    with pytest.raises(KilledError):
        run(here)
    here.kill_at = None
    assert run(here).live == 1
    assert len(here.jobs) == 1
    assert here.outcomes() == [(1, "succeeded")]


def test_a_job_that_still_writes_is_waited_for_before_another_starts() -> None:
    """A newer version is approved while the older one's job runs: both write to one place."""
    here = account({1: A}, kill_at=1, kill_after=True)
    with pytest.raises(KilledError):
        run(here)
    here.kill_at = None
    here.versions[2] = A
    assert run(here).live == 2
    assert [job["status"] for job in here.jobs.values()] == ["Completed", "Completed"]


def test_a_dry_run_says_what_would_be_started_and_starts_nothing() -> None:
    """So does what cannot be done."""
    here = account({1: A})
    here.put("b.csv", "2\n")
    outcome = run(here, options=QUICK._replace(dry_run=True))
    assert outcome.messages == ("start a transform job with g/1: 2 objects of s3://b/in/",)
    assert (outcome.action, outcome.changed, here.calls) == ("start", True, [])
    with pytest.raises(NotFailedError, match="there is nothing to retry"):
        run(here, options=QUICK._replace(retry=1))
    with pytest.raises(DeployError, match="there are no objects below s3://b/in/"):
        run(BatchAccount(versions={1: A}))
    inside = {**REQUEST, "TransformOutput": {"S3OutputPath": "s3://b/in/"}}
    with pytest.raises(DeployError, match="outside of the input"):
        run(here, batch(batch=inside))


@pytest.mark.parametrize("output", ["s3://b/in", "s3://b/in/out"])
def test_results_among_the_input_are_refused_before_there_are_any(output: str) -> None:
    """Parameters led there, so that nobody could say so before."""
    here = account({1: A})
    request = {**REQUEST, "TransformOutput": {"S3OutputPath": output}}
    with pytest.raises(DeployError, match="processed in turn"):
        run(here, batch(batch=request))
    assert here.started() == []


def test_a_manifest_is_its_objects() -> None:
    """One that the manifest does not name changes nothing; one that it names does."""
    here = account({1: A})
    here.objects["lists/m"] = json.dumps([{"prefix": "s3://b/in/"}, "a.csv"]).encode()
    source = {"S3DataType": "ManifestFile", "S3Uri": "s3://b/lists/m"}
    request = {
        **REQUEST,
        "TransformInput": {**REQUEST["TransformInput"], "DataSource": {"S3DataSource": source}},
    }
    assert run(here, batch(batch=request)).changed
    here.put("b.csv", "not named")
    assert not run(here, batch(batch=request)).changed
    here.put("a.csv", "changed")
    assert run(here, batch(batch=request)).changed


def test_what_it_calls_is_declared_and_nothing_of_endpoints() -> None:
    """The role of a batch needs no right to change an endpoint."""
    here = account({1: A})
    run(here, batch(tags={"team": "x"}))
    declared = declaration("deploy")
    own = {*declared.actions, *declared.further["TransformInput"]}
    assert here.actions == own
    assert not any("Endpoint" in action for action in own)
