"""What a definition and its executions cost: nothing that is not known is taken for 0."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipelines.cli.costs import spent_text
from pipelines.compile.driver import compile_spec
from pipelines.compile.model import Compiled, CompileRequest
from pipelines.cost.endpoints import endpoint_costs
from pipelines.cost.estimate import NO_RUN, Amount, estimate, total
from pipelines.cost.prices import PROVISIONED, PROVISIONED_REQUEST, SERVERLESS, Prices
from pipelines.cost.spent import spent
from pipelines.cost.usage import Use, uses
from pipelines.definition.steps import take_apart
from pipelines.execution.caller import CallRefusedError
from pipelines.json_types import JsonObject
from pipelines.results.run import ExecutionResult, StepResult

CASES = Path(__file__).parents[2] / "golden" / "cases"
PRICES = Prices({"training/ml.m5.large": 0.1, "training/storage": 0.73}, ("prices.json",))


def _training(name: str = "train", **more: Any) -> JsonObject:
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 10}
    return {
        "Name": name,
        "Type": "Training",
        "Arguments": {
            "ResourceConfig": {**resources, **more.pop("resources", {})},
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
            **more,
        },
    }


def _definition(*steps: JsonObject, **parameters: Any) -> JsonObject:
    listed = [{"Name": n, "Type": "Integer", "DefaultValue": v} for n, v in parameters.items()]
    return {"Version": "2020-12-01", "Parameters": listed, "Steps": list(steps)}


def test_a_step_costs_instances_times_time_with_their_storage() -> None:
    """Expected by earlier runs, at most by the time after which the job is ended."""
    (line,) = estimate(uses(_definition(_training())), PRICES, {"train": 1800.0})
    assert line.most.known == pytest.approx(2 * (0.1 + 0.73 * 10 / 730))
    assert line.likely.known == pytest.approx(line.most.known / 2)
    assert (line.most.unknown, line.likely.unknown) == ((), ())


def test_what_is_not_known_is_named_and_makes_the_sum_unknown() -> None:
    """A price, an earlier run, a parameter without a default, the end of a transform job."""
    count = {"InstanceCount": {"Get": "Parameters.count"}}
    transform: JsonObject = {
        "Name": "predict",
        "Type": "Transform",
        "Arguments": {"TransformResources": {"InstanceType": "ml.c5.large", "InstanceCount": 1}},
    }
    steps = _training(), _training("wide", resources=count), transform
    lines = estimate(uses(_definition(*steps)), PRICES, {})
    whole = total(line.most for line in lines)
    assert whole.known == lines[0].most.known > 0
    assert whole.unknown == (
        "the number of instances of wide",
        "the longest time of predict",
        "transform/ml.c5.large",
    )
    assert lines[0].likely == Amount(unknown=(f"{NO_RUN}train",))
    size = {"VolumeSizeInGB": {"Get": "Parameters.size"}}
    (line,) = estimate(uses(_definition(_training("big", resources=size))), PRICES, {})
    assert line.most.known == pytest.approx(0.2)
    assert line.most.unknown == ("the size of the volume of big",)
    (known,) = uses(_definition(_training("wide", resources=count), count=3))
    assert known.count == 3


def test_instances_are_found_in_groups_preferences_tuning_and_loops() -> None:
    """The first preference is tried first; a tuning runs all its jobs, some at once; items vary."""
    groups = [{"InstanceType": "ml.m5.large", "InstanceCount": 3, "InstanceGroupName": "a"}]
    grouped = _training("grouped")
    grouped["Arguments"]["ResourceConfig"] = {"InstanceGroups": groups, "VolumeSizeInGB": 5}
    preferred = _training("preferred")
    preferred["Arguments"]["ResourceConfig"] = {
        "InstancePreferences": [{"InstanceType": "ml.m5.large"}, {"InstanceType": "ml.m5.xlarge"}],
        "InstanceCount": 1,
    }
    tuning: JsonObject = {
        "Name": "tune",
        "Type": "Tuning",
        "Arguments": {
            "HyperParameterTuningJobConfig": {
                "ResourceLimits": {"MaxNumberOfTrainingJobs": 7, "MaxParallelTrainingJobs": 2}
            },
            "TrainingJobDefinition": _training()["Arguments"],
        },
    }
    loop: JsonObject = {
        "Name": "loop",
        "Type": "ForEach",
        "Arguments": {"ForEachBody": [_training("each", EnableManagedSpotTraining=True)]},
    }
    found = {use.step: use for use in uses(_definition(grouped, preferred, tuning, loop))}
    assert found["grouped"] == Use("grouped", "training", "ml.m5.large", 3, 3600.0, 5.0, at_once=3)
    assert found["preferred"].price == "training/ml.m5.large"
    assert [use.price for use in found["preferred"].instead] == ["training/ml.m5.xlarge"]
    assert (found["tune"].count, found["tune"].at_once) == (14, 4)
    (line,) = estimate([found["tune"]], PRICES, {"tune": 3600.0})
    assert line.likely.known == pytest.approx(4 * (0.1 + 0.73 * 10 / 730))
    assert line.most.known == pytest.approx(line.likely.known * 14 / 4)
    assert (found["each"].count, found["each"].spot) == (None, True)


def test_a_job_may_run_as_often_as_it_is_tried_again() -> None:
    """At most each attempt takes its whole time; what fails before it runs is not billed."""
    step = _training()
    step["RetryPolicies"] = [
        {"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], "MaxAttempts": 3},
        {"ExceptionType": ["Step.THROTTLING", "SageMaker.CAPACITY_ERROR"], "MaxAttempts": 20},
    ]
    (line,) = estimate(uses(_definition(step)), PRICES, {"train": 3600.0})
    assert line.most.known == pytest.approx(4 * line.likely.known)
    step["RetryPolicies"] = [
        {"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], "ExpireAfterMin": 60}
    ]
    (line,) = estimate(uses(_definition(step)), PRICES, {"train": 3600.0})
    assert line.most.unknown == ("how often train is tried again",)


def test_what_runs_on_no_instances_that_are_named_is_unknown_and_not_nothing() -> None:
    """A cluster of EMR, the jobs of AutoML: before and after the run."""
    steps: list[JsonObject] = [
        {"Name": "spark", "Type": "EMR", "Arguments": {"ClusterId": "j-1", "StepConfig": {}}},
        {"Name": "auto", "Type": "AutoML", "Arguments": {}},
    ]
    lines = estimate(uses(_definition(*steps)), PRICES, {})
    said = ("the EMR cluster of spark", "the jobs of AutoML of auto")
    assert total(line.most for line in lines) == Amount(unknown=said)
    run = ExecutionResult({}, {}, {}, tuple(_ran(step, {}) for step in steps))
    assert total(one.amount for one in spent(run, PRICES, _Jobs())).unknown == said


def test_local_storage_is_a_part_of_its_instance() -> None:
    """SageMaker adds no volume to it, whatever size is asked for, so that none is billed."""
    step = _training(resources={"InstanceType": "ml.g5.xlarge"})
    prices = Prices({"training/ml.g5.xlarge": 1.5})
    (line,) = estimate(uses(_definition(step)), prices, {})
    assert (line.most.known, line.most.unknown) == (3.0, ())


def test_of_several_types_the_dearest_is_the_most_and_the_first_is_likely() -> None:
    """Any may be the one with capacity; one without a price leaves the most unknown."""
    step = _training()
    types = [{"InstanceType": one} for one in ("ml.m5.large", "ml.m5.xlarge")]
    step["Arguments"]["ResourceConfig"] = {"InstancePreferences": types, "InstanceCount": 1}
    for dearer, unknown in ((0.4, ()), (None, ("training/ml.m5.xlarge",))):
        more = {} if dearer is None else {"training/ml.m5.xlarge": dearer}
        prices = Prices({"training/ml.m5.large": 0.1, "training/storage": 0.73, **more}, ("x",))
        (line,) = estimate(uses(_definition(step)), prices, {"train": 1800.0})
        assert line.likely.known == pytest.approx(0.05)
        assert line.likely.unknown == ()
        assert line.most.unknown == unknown
        if dearer is not None:
            assert line.most.known == pytest.approx(dearer)
    resources = {**step["Arguments"]["ResourceConfig"], "SelectedInstanceType": "ml.m5.xlarge"}
    step["Arguments"]["ResourceConfig"] = resources
    (selected,) = uses(_definition(step))
    assert (selected.price, selected.instead) == ("training/ml.m5.xlarge", ())


def _ran(step: JsonObject, described: JsonObject, **listed: Any) -> StepResult:
    (taken,) = take_apart(_definition(step)).steps
    return StepResult({"StepName": step["Name"], "StepStatus": "?", **listed}, taken, described)


@dataclass
class _Jobs:
    """The training jobs of a tuning job, by name."""

    started: dict[str, JsonObject] = field(default_factory=dict)
    gone: str | None = None
    is_local: bool = False

    def call(self, service: str, operation: str, **request: Any) -> JsonObject:
        """Describe the tuning job, or a training job that is still there."""
        assert service == "sagemaker"
        if operation == "describe_hyper_parameter_tuning_job":
            return {}
        name = request["TrainingJobName"]
        if name == self.gone:
            raise CallRefusedError("Requested resource not found.", code="ValidationException")
        return self.started[name]

    def pages(
        self, service: str, operation: str, member: str, **request: Any
    ) -> Iterator[JsonObject]:
        """List them."""
        assert service == "sagemaker"
        assert operation == "list_training_jobs_for_hyper_parameter_tuning_job"
        assert (member, request["HyperParameterTuningJobName"]) == ("TrainingJobSummaries", "t")
        yield from ({"TrainingJobName": name} for name in self.started)

    def download(self, bucket: str, key: str) -> bytes:
        """Have no objects."""
        raise AssertionError(f"s3://{bucket}/{key}")


def test_a_tuning_job_cost_what_its_training_jobs_did() -> None:
    """Each by its own instances and billable seconds, those alike in one row."""
    small, large = (
        {"ResourceConfig": {"InstanceType": kind, "InstanceCount": 1, "VolumeSizeInGB": 10}}
        for kind in ("ml.m5.large", "ml.m5.xlarge")
    )
    jobs = _Jobs(
        {
            "t-1": {**small, "BillableTimeInSeconds": 360},
            "t-2": {**large, "BillableTimeInSeconds": 60},
            "t-3": {**small, "BillableTimeInSeconds": 720},
        }
    )
    tuning: JsonObject = {"Name": "tune", "Type": "Tuning", "Arguments": {}}
    arn = "arn:aws:sagemaker:us-east-1:1:hyper-parameter-tuning-job/t"
    ran = _ran(tuning, {"TrainingJobDefinition": small}, Metadata={"TuningJob": {"Arn": arn}})
    run = ExecutionResult({}, {}, {}, (ran,))
    alike, other = spent(run, PRICES, jobs)
    assert (alike.what, alike.seconds) == ("2 jobs, 1 x training/ml.m5.large", 1080)
    assert alike.amount.known == pytest.approx(0.3 * (0.1 + 0.01))
    assert (other.what, other.amount.unknown) == (
        "1 job, 1 x training/ml.m5.xlarge",
        ("training/ml.m5.xlarge",),
    )
    jobs.gone = "t-2"
    assert spent(run, PRICES, jobs)[1].amount.unknown == ("what tune ran",)
    nowhere = ExecutionResult({}, {}, {}, (_ran(tuning, {"TrainingJobDefinition": small}),))
    assert spent(nowhere, PRICES, jobs)[0].amount.unknown == ("what tune ran",)


def test_an_execution_cost_what_is_billed() -> None:
    """Billable seconds of a training, spot included, start to end of others; reused is nothing."""
    began = datetime(2026, 11, 26, tzinfo=UTC)
    arguments = _training()["Arguments"]
    spot = {
        "EnableManagedSpotTraining": True,
        "BillableTimeInSeconds": 360,
        "TrainingTimeInSeconds": 3600,
    }
    trained = _ran(_training(), {**arguments, **spot})
    hit = {"SourcePipelineExecutionArn": "arn:aws:sagemaker:us-east-1:1:pipeline/p/execution/abc"}
    reused = _ran(_training("again"), arguments, CacheHitResult=hit)
    gone = _ran(_training("gone"), {})
    cluster = {"InstanceType": "ml.t3.medium", "InstanceCount": 1, "VolumeSizeInGB": 1}
    job: JsonObject = {"Name": "look", "Type": "Processing", "Arguments": {}}
    processed = _ran(
        job,
        {
            "ProcessingResources": {"ClusterConfig": cluster},
            "ProcessingStartTime": began,
            "ProcessingEndTime": began + timedelta(seconds=90),
        },
    )
    again = _ran(_training("again"), {**arguments, "BillableTimeInSeconds": 360}, AttemptCount=3)
    run = ExecutionResult({}, {}, {}, (trained, reused, gone, processed, again))
    one, two, three, four, earlier, last = spent(run, PRICES, _Jobs())
    assert earlier.amount.unknown == ("2 earlier attempts of again",)
    assert last.amount == one.amount
    assert one.amount.known == pytest.approx(2 * (0.1 + 0.01) * 0.1)
    assert (one.saved, last.saved) == (3240.0, 0.0)
    assert "spot saved 90% of 1h 00m" in spent_text([one, last], PRICES)
    assert (two.amount, two.what) == (Amount(), "reused from abc")
    assert three.amount.unknown == ("what gone ran",)
    assert (four.seconds, four.amount.unknown) == (
        90.0,
        ("processing/ml.t3.medium", "processing/storage"),
    )


@pytest.mark.parametrize(
    ("pool", "seconds"),
    [
        ({"Status": "Terminated", "ResourceRetainedBillableTimeInSeconds": 600}, 960.0),
        ({"Status": "Reused", "ResourceRetainedBillableTimeInSeconds": 40}, 400.0),
        ({"Status": "Available", "ResourceRetainedBillableTimeInSeconds": 40}, None),
        ({"Status": "Available"}, None),
    ],
)
def test_a_warm_pool_is_billed_for_as_long_as_it_is_kept(
    pool: JsonObject, seconds: float | None
) -> None:
    """After the run by what Describe says; while it is kept the sum is unknown, and not less."""
    described = {**_training()["Arguments"], "BillableTimeInSeconds": 360, "WarmPoolStatus": pool}
    run = ExecutionResult({}, {}, {}, (_ran(_training(), described),))
    (one,) = spent(run, PRICES, _Jobs())
    assert one.seconds == seconds
    unknown = ("how long the warm pool of train was kept",) if seconds is None else ()
    assert one.amount.unknown == unknown
    assert one.amount.known == pytest.approx(2 * 0.11 * (seconds or 0) / 3600)


def test_at_most_a_warm_pool_is_kept_for_its_whole_period() -> None:
    """Before the run nobody knows whether another job takes it; a period may be a parameter."""
    kept = _training(resources={"KeepAlivePeriodInSeconds": 1800})
    (use,) = uses(_definition(kept))
    assert use.longest == 5400.0
    asked = _training(resources={"KeepAlivePeriodInSeconds": {"Get": "Parameters.keep"}})
    (use,) = uses(_definition(asked))
    assert use.longest is None


@pytest.mark.parametrize("mode", ["realtime", "serverless", "asynchronous"])
def test_an_endpoint_costs_by_the_month_in_its_mode(mode: str) -> None:
    """Instances all month; a serverless one what is reserved, and its requests are unknown."""
    request = CompileRequest(
        CASES / f"deployment_{mode}" / "pipeline.yaml", "prod" if mode == "realtime" else None, {}
    )
    compiled = compile_spec(request).compiled
    assert compiled is not None
    unknown = [one for one in endpoint_costs(compiled, Prices()) if one.mode == mode]
    assert unknown
    assert all(one.month.unknown and not one.month.known for one in unknown)
    names = {name for one in unknown for name in one.month.unknown if "/" in name}
    prices = Prices(dict.fromkeys(names, 0.1))
    known = [one for one in endpoint_costs(compiled, prices) if one.mode == mode]
    billed = {"realtime": "hosting/", "asynchronous": "asynchronous/"}
    if mode == "serverless":
        assert {PROVISIONED, PROVISIONED_REQUEST, SERVERLESS} == names
    else:
        assert all(name.startswith(billed[mode]) for name in names)
    assert [one.month.unknown for one in known] == [
        ("the requests",) if mode == "serverless" else () for one in known
    ]


def test_an_endpoint_that_a_request_of_ones_own_creates_costs_too() -> None:
    """`kind: raw` may create one; what is served without instances is unknown, and not nothing."""
    variant = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 2, "VolumeSizeInGB": 10}
    steps: list[JsonObject] = [
        {"Name": "a", "Type": "EndpointConfig", "Arguments": {"ProductionVariants": [variant]}},
        {"Name": "b", "Type": "EndpointConfig", "Arguments": {"ProductionVariants": [{}]}},
    ]
    compiled = Compiled("p", {"p": json.dumps(_definition(*steps))}, (), ())
    prices = Prices({"hosting/ml.m5.large": 0.1, "hosting/storage": 0.2})
    one, other = endpoint_costs(compiled, prices)
    assert one.month.known == pytest.approx(2 * (0.1 * 730 + 0.2 * 10))
    assert other.month.unknown == ("the endpoint of b",)
