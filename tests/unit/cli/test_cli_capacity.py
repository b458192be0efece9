"""Which of several instance types a job got, as `status` shows it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipelines.cli.capacity import selected_lines
from pipelines.execution.caller import CallRefusedError
from pipelines.json_types import JsonObject

TYPES = [{"InstanceType": "ml.g6.xlarge"}, {"InstanceType": "ml.g5.xlarge"}]
STEPS = [
    {"StepName": name, "Metadata": {"TrainingJob": {"Arn": f"arn:aws:sagemaker:::x/{name}"}}}
    for name in ("choosing", "fixed", "starting")
]


@dataclass
class Described:
    """An execution of three trainings, the last of which has no instance yet."""

    denied: bool = False
    is_local: bool = False

    def call(self, service: str, operation: str, **request: Any) -> JsonObject:
        """Describe the definition, or a job."""
        assert service == "sagemaker"
        if self.denied:
            raise CallRefusedError("not allowed", code="AccessDeniedException")
        if operation == "describe_pipeline_definition_for_execution":
            steps = [
                {"Name": name, "Type": "Training", "Arguments": {"ResourceConfig": resources}}
                for name, resources in (
                    ("choosing", {"InstancePreferences": TYPES}),
                    ("fixed", {"InstanceType": "ml.g5.xlarge"}),
                    ("starting", {"InstancePreferences": TYPES}),
                )
            ]
            return {"PipelineDefinition": json.dumps({"Steps": steps})}
        assert request["TrainingJobName"] in {"choosing", "starting"}, "only these may choose"
        taken = {"SelectedInstanceType": "ml.g5.xlarge"}
        named = request["TrainingJobName"] == "choosing"
        return {"ResourceConfig": {"InstancePreferences": TYPES, **(taken if named else {})}}

    def pages(
        self, service: str, operation: str, member: str, **request: Any
    ) -> Iterator[JsonObject]:
        """List nothing."""
        raise AssertionError(f"{service} {operation} {member} {request}")

    def download(self, bucket: str, key: str) -> bytes:
        """Have no objects."""
        raise AssertionError(f"s3://{bucket}/{key}")


def test_what_a_job_got_is_shown_where_it_could_choose() -> None:
    """As its Describe says; a job that has none yet is left out."""
    lines = [*selected_lines(Described(), "arn", STEPS)]
    assert lines == ["choosing: ran on ml.g5.xlarge, of ml.g6.xlarge, ml.g5.xlarge"]


def test_what_may_not_be_read_is_left_out() -> None:
    """`status` shows the steps to whoever may list them."""
    assert [*selected_lines(Described(denied=True), "arn", STEPS)] == []
