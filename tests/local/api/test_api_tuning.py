"""Tuning jobs of clients, by stock boto3 over HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tests.local.api.conftest import IMAGE, ROLE, Served, refusal

SCRIPT = """\
import argparse, os, sys, time
options = argparse.ArgumentParser()
options.add_argument("--solver")
options.add_argument("--rounds", type=int)
given = options.parse_args()
if given.solver == "broken":
    sys.exit("no such solver")
if given.solver == "slow":
    time.sleep(600)
print(f"score={len(given.solver) * given.rounds};", flush=True)
with open(os.environ["SM_MODEL_DIR"] + "/model.txt", "w") as file:
    file.write(given.solver)
"""


def tuning(name: str, *solvers: str, parallel: int = 2, **more: object) -> dict[str, Any]:
    """Write a request as the SDK's tuner does for a script, over a grid of solvers."""
    values = [f'"{solver}"' for solver in solvers]
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": {
            "Strategy": "Grid",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "score"},
            "ResourceLimits": {"MaxParallelTrainingJobs": parallel},
            "ParameterRanges": {
                "CategoricalParameterRanges": [{"Name": "solver", "Values": values}]
            },
        },
        "TrainingJobDefinition": {
            "StaticHyperParameters": {
                "rounds": "3",
                "sagemaker_program": '"train.py"',
                "sagemaker_submit_directory": '"s3://b/source.tar.gz"',
            },
            "AlgorithmSpecification": {
                "TrainingImage": IMAGE,
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "score", "Regex": "score=(.*?);"}],
            },
            "RoleArn": ROLE,
            "OutputDataConfig": {"S3OutputPath": "s3://b/models"},
            "ResourceConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 10,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        },
        **more,
    }


def submit(served: Served) -> Any:
    """Put the script where the requests name it; return a client."""
    served.archive("s3://b/source.tar.gz", SCRIPT, "train.py")
    return served.client("sagemaker")


def wait(client: Any, name: str, is_there: Callable[[Any], bool]) -> Any:
    """Describe a tuning job until something holds of it."""
    until, found = time.monotonic() + 120, None
    while time.monotonic() < until:
        found = client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        if is_there(found):
            return found
        time.sleep(0.05)
    raise AssertionError(found)


def test_a_grid_is_tried_and_the_best_is_named(served: Served) -> None:
    """A job that fails counts as the service counts it, and does not end the search."""
    client = submit(served)
    client.create_hyper_parameter_tuning_job(**tuning("grid", "lbfgs", "broken", "saga"))
    ended = wait(client, "grid", lambda one: one["HyperParameterTuningJobStatus"] != "InProgress")
    assert ended["HyperParameterTuningJobStatus"] == "Completed"
    assert ended["TrainingJobStatusCounters"] == {
        "Completed": 2,
        "InProgress": 0,
        "RetryableError": 0,
        "NonRetryableError": 1,
        "Stopped": 0,
    }
    assert ended["ObjectiveStatusCounters"] == {"Succeeded": 2, "Pending": 0, "Failed": 1}
    best = ended["BestTrainingJob"]
    assert best["TunedHyperParameters"] == {"solver": '"lbfgs"'}
    assert best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == 15.0
    job = client.describe_training_job(TrainingJobName=best["TrainingJobName"])
    assert job["TuningJobArn"] == ended["HyperParameterTuningJobArn"]
    assert job["HyperParameters"]["_tuning_objective_metric"] == "score"
    model = f"s3://b/models/{best['TrainingJobName']}/output/model.tar.gz"
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == model
    named = {"HyperParameterTuningJobName": "grid"}
    by_value = client.list_training_jobs_for_hyper_parameter_tuning_job(
        **named, SortBy="FinalObjectiveMetricValue", SortOrder="Descending"
    )["TrainingJobSummaries"]
    assert [one["TunedHyperParameters"]["solver"] for one in by_value] == ['"lbfgs"', '"saga"']
    failed = client.list_training_jobs_for_hyper_parameter_tuning_job(
        **named, StatusEquals="Failed"
    )["TrainingJobSummaries"]
    assert [one["ObjectiveStatus"] for one in failed] == ["Failed"]
    (record,) = client.search(Resource="HyperParameterTuningJob")["Results"]
    searched = record["HyperParameterTuningJob"]
    assert (searched["HyperParameterTuningJobName"], searched["BestTrainingJob"]) == ("grid", best)
    (listed,) = client.list_hyper_parameter_tuning_jobs()["HyperParameterTuningJobSummaries"]
    assert (listed["Strategy"], listed["HyperParameterTuningJobStatus"]) == ("Grid", "Completed")
    twice = refusal(client.create_hyper_parameter_tuning_job, **tuning("grid", "saga"))
    assert twice[0] == "ResourceInUse"
    absent = {"HyperParameterTuningJobName": "other"}
    assert refusal(client.describe_hyper_parameter_tuning_job, **absent)[0] == "ResourceNotFound"


def test_a_stopped_tuning_job_stops_its_training_jobs(served: Served) -> None:
    """None is started after, and nothing of it runs any more."""
    client = submit(served)
    client.create_hyper_parameter_tuning_job(**tuning("slow", "slow", "saga", "lbfgs", parallel=1))
    wait(client, "slow", lambda one: one["TrainingJobStatusCounters"]["InProgress"] == 1)
    client.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="slow")
    ended = wait(client, "slow", lambda one: one["HyperParameterTuningJobStatus"] == "Stopped")
    assert ended["TrainingJobStatusCounters"]["Stopped"] == 1
    assert ended["TrainingJobStatusCounters"]["InProgress"] == 0
    assert "BestTrainingJob" not in ended
    named = {"HyperParameterTuningJobName": "slow"}
    listed = client.list_training_jobs_for_hyper_parameter_tuning_job(**named)
    assert len(listed["TrainingJobSummaries"]) == 1


def test_a_search_of_failures_ends_with_the_services_reason(served: Served) -> None:
    """With what the first of them said."""
    client = submit(served)
    client.create_hyper_parameter_tuning_job(**tuning("bad", "broken"))
    ended = wait(client, "bad", lambda one: one["HyperParameterTuningJobStatus"] != "InProgress")
    assert ended["HyperParameterTuningJobStatus"] == "Failed"
    assert ended["FailureReason"].startswith("No training job succeeded after 1 attempts.")
    assert "no such solver" in ended["FailureReason"]
