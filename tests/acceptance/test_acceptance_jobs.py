"""Jobs of a pipeline: statuses, property files, the cache, failure texts, selection, retries."""

from __future__ import annotations

import re

import pytest

from pipelines.json_types import JsonObject
from tests.acceptance.definitions import Ended, create, definition, ended, refusal, start
from tests.acceptance.target import Target
from tests.acceptance.workload import failing, workload


@pytest.fixture(scope="module")
def pipeline(target: Target) -> str:
    """Create the pipeline and the group that it registers in."""
    group = target.named("versions-of-jobs")
    target.sagemaker.create_model_package_group(ModelPackageGroupName=group, Tags=target.tags)
    return create(target, "jobs", workload(target, group))


@pytest.fixture(scope="module")
def first(target: Target, pipeline: str) -> Ended:
    """Run it."""
    return ended(target, start(target, pipeline))


@pytest.fixture(scope="module")
def again(target: Target, pipeline: str, first: Ended) -> Ended:
    """Run it again, unchanged."""
    assert first.status == "Succeeded"
    return ended(target, start(target, pipeline))


@pytest.fixture(scope="module")
def failed(target: Target) -> Ended:
    """Run a pipeline whose training job fails."""
    step = {"Name": "train", "Type": "Training", "Arguments": failing(target)}
    return ended(target, start(target, create(target, "failing", definition(step))))


def training_job(target: Target, execution: Ended) -> JsonObject:
    """Describe the training job of an execution."""
    arn = execution.step("train")["Metadata"]["TrainingJob"]["Arn"]
    described: JsonObject = target.sagemaker.describe_training_job(
        TrainingJobName=arn.rpartition("/")[2]
    )
    return described


@pytest.mark.fact("1.6")
@pytest.mark.spends("processing/ml.t3.medium", 5)
@pytest.mark.spends("training/ml.m5.large", 5)
def test_a_condition_reads_a_property_file(first: Ended) -> None:
    """Std:JsonGet with a path through a list; the branch that is taken is run."""
    assert first.status == "Succeeded"
    assert first.outcome("good") == "True"
    assert first.step("register")["StepStatus"] == "Succeeded"


@pytest.mark.fact("3.4")
def test_a_training_job_goes_through_the_secondary_statuses(target: Target, first: Ended) -> None:
    """An account has Pending before them, where an instance had to be waited for."""
    job = training_job(target, first)
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Completed"
    phases = [one["Status"] for one in job["SecondaryStatusTransitions"]]
    known = ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert [phase for phase in phases if phase != "Pending"] == known


@pytest.mark.fact("1.7")
def test_a_model_lies_below_the_name_of_its_job(target: Target, first: Ended) -> None:
    """`S3OutputPath/<job>/output/model.tar.gz`."""
    job = training_job(target, first)
    expected = target.uri(f"models/{job['TrainingJobName']}/output/model.tar.gz")
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == expected


@pytest.mark.fact("11.7")
def test_a_job_is_named_after_its_execution_and_step(target: Target, first: Ended) -> None:
    """`pipelines-<execution id>-<step>-<token>`, with the count of failures or without."""
    name = training_job(target, first)["TrainingJobName"]
    identifier = first.arn.rpartition("/")[2]
    assert re.fullmatch(rf"pipelines-{identifier}-train-\w+(-\d+)?", name)


@pytest.mark.fact("1.9")
@pytest.mark.parametrize("step", ["measure", "train"])
def test_an_unchanged_step_is_a_cache_hit(first: Ended, again: Ended, step: str) -> None:
    """CacheHitResult names the execution that the result is from."""
    assert again.step(step)["CacheHitResult"] == {"SourcePipelineExecutionArn": first.arn}


@pytest.mark.fact("1.9")
@pytest.mark.spends("processing/ml.t3.medium", 5)
def test_another_environment_is_a_miss_for_its_step_alone(
    target: Target, pipeline: str, again: Ended
) -> None:
    """Environment belongs to the key of Processing."""
    assert again.status == "Succeeded"
    changed = [{"Name": "Flavour", "Value": "other"}]
    execution = ended(target, start(target, pipeline, PipelineParameters=changed))
    assert "CacheHitResult" not in execution.step("measure")
    assert "CacheHitResult" in execution.step("train")


@pytest.mark.fact("1.11")
@pytest.mark.spends("training/ml.m5.large", 5)
def test_a_selection_reuses_what_it_does_not_run(
    target: Target, pipeline: str, first: Ended
) -> None:
    """Only the selected step is run; without a known source nothing starts."""
    chosen: JsonObject = {
        "SelectedSteps": [{"StepName": "train"}],
        "SourcePipelineExecutionArn": first.arn,
    }
    execution = ended(target, start(target, pipeline, SelectiveExecutionConfig=chosen))
    assert execution.status == "Succeeded"
    run = [step["StepName"] for step in execution.steps if "SelectiveExecutionResult" not in step]
    assert run == ["train"]
    unknown = {**chosen, "SelectedSteps": [{"StepName": "nobody"}]}
    code, _ = refusal(
        target.sagemaker.start_pipeline_execution,
        PipelineName=pipeline,
        SelectiveExecutionConfig=unknown,
    )
    assert code == "ValidationException"


@pytest.mark.fact("11.5")
@pytest.mark.spends("training/ml.m5.large", 5)
def test_what_a_training_job_writes_is_its_failure_reason(target: Target, failed: Ended) -> None:
    """/opt/ml/output/failure is in the job's reason and in the step's."""
    assert (failed.status, failed.step("train")["StepStatus"]) == ("Failed", "Failed")
    assert "the reason" in training_job(target, failed)["FailureReason"]
    assert "the reason" in failed.step("train")["FailureReason"]


@pytest.mark.fact("1.11")
@pytest.mark.spends("training/ml.m5.large", 5)
def test_a_failed_execution_is_retried_under_its_arn(target: Target, failed: Ended) -> None:
    """The failed step runs again, as a job of another name."""
    before = training_job(target, failed)["TrainingJobName"]
    target.sagemaker.retry_pipeline_execution(
        PipelineExecutionArn=failed.arn,
    )
    retried = ended(target, failed.arn)
    assert retried.status == "Failed"
    assert training_job(target, retried)["TrainingJobName"] != before
