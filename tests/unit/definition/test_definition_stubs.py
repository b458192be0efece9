"""A stub holds what the other steps read, and nothing that follows from the arguments."""

from __future__ import annotations

from typing import Final

import pytest

from pipelines.definition.stubs import stub_of
from pipelines.json_types import Json, JsonObject
from tests.unit.definition.samples import PROCESSING, get, lambda_step, with_steps

IMAGE: Final = {"TrainingImage": "i", "TrainingInputMode": "File"}
TRAINING: Final[JsonObject] = {
    "Name": "train",
    "Type": "Training",
    "Arguments": {
        "AlgorithmSpecification": IMAGE,
        "OutputDataConfig": {"S3OutputPath": {"Get": "Parameters.stage"}},
    },
}
TUNING: Final[JsonObject] = {"Name": "tune", "Type": "Tuning", "Arguments": {}}
UNKNOWN: Final[JsonObject] = {"Name": "query", "Type": "Athena", "Arguments": {"Query": "q"}}
MODEL: Final = "Steps.train.ModelArtifacts.S3ModelArtifacts"
JOINED: Final = {"Std:Join": {"On": "/", "Values": [get(MODEL), "x"]}}


PLACE: Final = "OutputDataConfig.S3OutputPath"
OUTPUT: Final = f"Steps.train.{PLACE}"
RESULT: Final = {
    "Std:JsonGet": {
        "S3Uri": {"Std:Join": {"On": "/", "Values": [get(OUTPUT), "a", "results.json"]}},
        "Path": "Result",
    }
}


def _stub(step: JsonObject, *read: Json) -> JsonObject:
    readers = (lambda_step(f"reader{number}", value) for number, value in enumerate(read))
    return stub_of(with_steps(step, *readers), step["Name"])


def test_a_property_file_is_in_the_folder_of_its_output() -> None:
    """The condition of the sample reads a metric, and the Lambda the output's place."""
    assert stub_of(with_steps(), "evaluate") == {"outputs": {"report": "<folder with m.json>"}}
    assert stub_of(with_steps(), "good-enough") == {}


@pytest.mark.parametrize(
    ("step", "read", "stub"),
    [
        (TRAINING, [], {}),
        (TRAINING, [get("Steps.train.TrainingJobName"), get("Steps.train.TrainingJobArn")], {}),
        (TRAINING, [get(MODEL), JOINED], {"outputs": {"model": "<folder>"}}),
        (
            TRAINING,
            [
                get("Steps.train.FinalMetricDataList['auc'].Value"),
                get("Steps.train.FinalMetricDataList['loss'].Value"),
                get("Steps.train.BillableTimeInSeconds"),
            ],
            {
                "properties": {
                    "FinalMetricDataList": [
                        {"MetricName": "auc", "Value": 0.5},
                        {"MetricName": "loss", "Value": 0.5},
                    ],
                    "BillableTimeInSeconds": 0,
                }
            },
        ),
        (
            TUNING,
            [get("Steps.tune.TrainingJobSummaries[1].TrainingJobName")],
            {"properties": {"TrainingJobSummaries": [{}, {"TrainingJobName": "<text>"}]}},
        ),
        (TRAINING, [RESULT, get(OUTPUT)], {"outputs": {PLACE: "<folder with a/results.json>"}}),
        (TRAINING, [get(OUTPUT)], {}),
        (UNKNOWN, [get("Steps.query.Rows[0]")], {"properties": {"Rows": ["<text>"]}}),
        (
            {"Name": "run", "Type": "Processing", "Arguments": PROCESSING},
            [get("Steps.run.ProcessingOutputConfig.Outputs[0].S3Output.S3Uri")],
            {"outputs": {"report": "<folder>"}},
        ),
    ],
)
def test_what_others_read_stands_in_a_stub(
    step: JsonObject, read: list[Json], stub: JsonObject
) -> None:
    """Names and places follow from the arguments; what the service decides has a placeholder."""
    assert _stub(step, *read) == stub


def test_outputs_of_a_function_have_the_type_that_is_declared() -> None:
    """A condition compares them, so a text where a number belongs would fail it."""
    kinds = {"s": "String", "i": "Integer", "f": "Float", "b": "Boolean"}
    declared = [{"OutputName": name, "OutputType": kind} for name, kind in kinds.items()]
    step = lambda_step("ask", OutputParameters=declared)
    read = [get(f"Steps.ask.OutputParameters['{name}']") for name in kinds]
    values = {"s": "<text>", "i": 0, "f": 0.5, "b": True}
    assert _stub(step, *read) == {"properties": {"OutputParameters": values}}
