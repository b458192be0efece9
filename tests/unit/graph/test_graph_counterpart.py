"""A resource of one environment → that of the same step in another."""

from __future__ import annotations

import pytest

from pipelines.graph.resources import counterpart
from pipelines.kinds.registration import RegistrationStep
from pipelines.spec.model import PipelineSpec
from pipelines.spec.steps import StepSpec

GROUP = "model-package-group"


def spec(**groups: str) -> PipelineSpec:
    """Make a spec with a registration step for each group, by the step's name."""
    serving = {"source": "serving/", "image": "sklearn-1.9-cpu"}
    same = {"kind": "registration", "model": "s3://b/m", "serving": serving}
    steps: dict[str, StepSpec] = {
        step: RegistrationStep.model_validate({**same, "group": group})
        for step, group in groups.items()
    }
    return PipelineSpec.model_construct(spec=1, pipeline="p", steps=steps)


@pytest.mark.parametrize(
    ("there", "name"),
    [
        ({"a": "one-prod", "b": "two"}, "one-prod"),
        ({"b": "two"}, "one"),
        ({}, "one"),
    ],
)
def test_the_group_is_that_of_the_same_step(there: dict[str, str], name: str) -> None:
    """Where the step is missing, and for groups of others, the name is the same."""
    here = spec(a="one", b="two")
    assert counterpart(here, spec(**there), GROUP, "one") == name
    assert counterpart(here, spec(**there), GROUP, "foreign") == "foreign"
