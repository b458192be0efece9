"""Which instances a job gets, and what happens where there is no capacity for them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pipelines.backends.local.executors import processing, training
from pipelines.backends.local.jobs.capacity import NoCapacityError, allocate
from pipelines.backends.local.jobs.tuning.plan import read_plan
from pipelines.execution.status import StepStatus
from pipelines.steptypes.training import STEP_TYPE as TRAINING
from pipelines.steptypes.transform import STEP_TYPE as TRANSFORM
from tests.local.jobs.test_jobs_tuning import request as tuning_request

if TYPE_CHECKING:
    from pipelines.backends.local.executors.contract import StepCall
    from pipelines.backends.local.settings import LocalSettings
    from tests.local.jobs.conftest import Local

pytestmark = pytest.mark.one_way

TYPES = [{"InstanceType": "ml.g6.xlarge"}, {"InstanceType": "ml.g5.xlarge"}]
REASON = (
    "CapacityError: Unable to provision requested ML compute capacity."
    " Please retry using a different ML instance type."
)


def without(call: StepCall, *types: str) -> StepCall:
    """Return a call in an account that has no capacity for instance types."""
    return replace(call, settings=_without(call.settings, *types))


def _without(settings: LocalSettings, *types: str) -> LocalSettings:
    return replace(settings, simulated={"capacity": types})


@pytest.mark.parametrize(
    ("exhausted", "taken", "notes"),
    [
        ((), "ml.g6.xlarge", ()),
        (
            ("ml.g6.xlarge",),
            "ml.g5.xlarge",
            ("simulated: there is no capacity for ml.g6.xlarge; ml.g5.xlarge is taken",),
        ),
    ],
)
def test_the_first_type_with_capacity_is_taken_and_described(
    local: Local, exhausted: tuple[str, ...], taken: str, notes: tuple[str, ...]
) -> None:
    """FACTS 12.8: SelectedInstanceType is what runs, for the job's hosts and in Describe."""
    arguments = local.training("cat", "/opt/ml/input/config/resourceconfig.json", hosts=2)
    resources = {"InstanceCount": 2, "VolumeSizeInGB": 30, "InstancePreferences": TYPES}
    call = without(local.call({**arguments, "ResourceConfig": resources}), *exhausted)
    outcome = training.execute(call)
    assert outcome.status is StepStatus.SUCCEEDED
    selected = {"SelectedInstanceType": taken, "SelectedInstanceCount": 2}
    assert outcome.properties["ResourceConfig"] == {**resources, **selected}
    assert f'"current_instance_type": "{taken}"' in local.log(call, "algo-2")
    assert outcome.notes == notes


def test_a_processing_job_takes_the_next_type_with_its_own_count(local: Local) -> None:
    """Counts stand on all preferences or on none (API)."""
    arguments = local.processing("sh", "-c", "exit 0")
    cluster = arguments["ProcessingResources"]["ClusterConfig"]
    del cluster["InstanceType"], cluster["InstanceCount"]
    cluster["InstancePreferences"] = [
        {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1},
        {"InstanceType": "ml.m5.large", "InstanceCount": 2},
    ]
    call = without(local.call(arguments), "ml.m5.xlarge")
    described = processing.execute(call).properties["ProcessingResources"]["ClusterConfig"]
    selected = {"SelectedInstanceType": "ml.m5.large", "SelectedInstanceCount": 2}
    assert described == {**cluster, **selected}
    assert (call.logs / "algo-2.log").exists()


@pytest.mark.parametrize("types", [[{"InstanceType": "ml.g6.xlarge"}], TYPES])
def test_a_job_without_capacity_for_any_type_fails_as_in_the_service(
    local: Local, types: list[dict[str, str]]
) -> None:
    """The reason is the service's, the fault is what retry policies name, the note is ours."""
    arguments = local.training("true")
    del arguments["ResourceConfig"]["InstanceType"]
    arguments["ResourceConfig"]["InstancePreferences"] = types
    names = [one["InstanceType"] for one in types]
    outcome = training.execute(without(local.call(arguments), *names))
    assert (outcome.status, outcome.reason) == (StepStatus.FAILED, REASON)
    assert outcome.fault == "SageMaker.CAPACITY_ERROR"
    assert outcome.notes == (f"simulated: there is no capacity for {', '.join(names)}",)
    assert "SelectedInstanceType" not in outcome.properties["ResourceConfig"]


def test_every_kind_of_job_and_every_group_needs_capacity(local: Local) -> None:
    """A transform job has one type, a cluster of groups needs all of them."""
    exhausted = _without(local.settings, "ml.m5.large")
    with pytest.raises(NoCapacityError):
        allocate(TRANSFORM, {"TransformResources": {"InstanceType": "ml.m5.large"}}, exhausted)
    groups = [{"InstanceType": one, "InstanceCount": 1} for one in ("ml.c5.large", "ml.m5.large")]
    with pytest.raises(NoCapacityError):
        allocate(TRAINING, {"ResourceConfig": {"InstanceGroups": groups}}, exhausted)
    fine = {"TransformResources": {"InstanceType": "ml.c5.large"}}
    assert allocate(TRANSFORM, fine, exhausted).results == {}


def test_the_jobs_of_a_tuning_take_the_next_of_its_configurations(local: Local) -> None:
    """InstanceConfigs, `Prioritized`: each training job gets one type, its count and its volume."""
    request = tuning_request()
    request["TrainingJobDefinition"]["HyperParameterTuningResourceConfig"] = {
        "AllocationStrategy": "Prioritized",
        "InstanceConfigs": [
            {"InstanceType": "ml.g6.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 40},
            {"InstanceType": "ml.g5.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 50},
        ],
    }
    (definition,) = read_plan(request, "abc-tune-token").definitions
    for exhausted, config in (((), 0), (("ml.g6.xlarge",), 1)):
        training_job = definition.training_request("job", {}, _without(local.settings, *exhausted))
        configs = request["TrainingJobDefinition"]["HyperParameterTuningResourceConfig"]
        assert training_job["ResourceConfig"] == configs["InstanceConfigs"][config]
    with pytest.raises(NoCapacityError):
        definition.instances(_without(local.settings, "ml.g6.xlarge", "ml.g5.xlarge"))
