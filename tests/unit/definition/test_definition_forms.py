"""Forms that public code holds beside the SDK's: by hand, by CDK, by Terraform, by Studio.

Each was met in a public repository or in what an SDK between 2.31 and 3.27 wrote; the names are
invented.
"""

from __future__ import annotations

import pytest

from pipelines.definition import check_definition, outline
from pipelines.json_types import Json, JsonObject
from tests.unit.definition.samples import condition_step, get, lambda_step
from tests.unit.definition.test_definition_sdk_types import CLUSTER, IMAGE, JOB, ROLE, TRAINING


def _join(on: str, *values: Json) -> JsonObject:
    return {"Std:Join": {"On": on, "Values": list(values)}}


def _step(name: str, type_name: str, arguments: JsonObject, **keys: Json) -> JsonObject:
    return {"Name": name, "Type": type_name, "Arguments": arguments, **keys}


def _outputs(*names: str) -> JsonObject:
    return {"ProcessingOutputConfig": {"Outputs": [_output(name) for name in names]}}


def _output(name: str) -> JsonObject:
    place = {"S3Uri": f"s3://b/{name}", "LocalPath": f"/opt/ml/processing/{name}"}
    return {"OutputName": name, "S3Output": {**place, "S3UploadMode": "EndOfJob"}}


def _channel(uri: Json) -> JsonObject:
    return {"ChannelName": "c", "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", **uri}}}


PREPARE = _step("prepare", "Processing", {**JOB, **_outputs("rows", "cards")})
TUNE = _step(
    "tune",
    "Tuning",
    {
        "HyperParameterTuningJobConfig": {
            "Strategy": "Bayesian",
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2},
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "auc"},
            "ParameterRanges": {
                "IntegerParameterRanges": [{"Name": "depth", "MinValue": "2", "MaxValue": "9"}]
            },
        },
        "TrainingJobDefinition": {
            "StaticHyperParameters": {},
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "RoleArn": ROLE,
            "OutputDataConfig": {"S3OutputPath": _join("/", _join("/", "s3:/", "b"), "tune")},
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
            "HyperParameterTuningResourceConfig": CLUSTER,
        },
    },
)
TUNED = "Steps.tune.BestTrainingJob.TunedHyperParameters['depth']"

FORMS: dict[str, list[JsonObject]] = {
    "quotes of either kind, and an index": [
        PREPARE,
        lambda_step(
            "a", get('Steps.prepare.ProcessingOutputConfig.Outputs["rows"].S3Output.S3Uri')
        ),
        lambda_step("b", get("Steps.prepare.ProcessingOutputConfig.Outputs[1].S3Output.S3Uri")),
        lambda_step("c", get("Steps.prepare.ProcessingOutputConfig")),
    ],
    "the best values of a tuning job go into a training": [
        TUNE,
        _step("t", "Training", {**TRAINING, "HyperParameters": {"d": _join("", get(TUNED))}}),
    ],
    "the objective and a metric decide": [
        TUNE,
        _step("t", "Training", TRAINING),
        _step(
            "c",
            "Condition",
            {
                "Conditions": [
                    {
                        "Type": "GreaterThan",
                        "LeftValue": get("Steps.t.FinalMetricDataList['val:auc'].Value"),
                        "RightValue": get(
                            "Steps.tune.BestTrainingJob"
                            ".FinalHyperParameterTuningJobObjectiveMetric.Value"
                        ),
                    }
                ],
                "IfSteps": [],
            },
        ),
    ],
    "a dumped model writes null for what it does not have": [
        _step(
            "p",
            "Processing",
            {
                **JOB,
                "NetworkConfig": {"EnableNetworkIsolation": False, "VpcConfig": None},
                "StoppingCondition": None,
                "Environment": {"RUN": get("Execution.PipelineExecutionId")},
            },
            DependsOn=None,
            PropertyFiles=None,
            RetryPolicies=None,
        )
    ],
    "a Lambda gets lists and objects": [
        lambda_step("a", {"Csv": {"Header": True}, "dirs": ["s3://b/c", get("Parameters.where")]})
    ],
    "a job of a Studio notebook": [
        _step(
            "book",
            "Training",
            {
                **TRAINING,
                "AlgorithmSpecification": {
                    "TrainingImage": "111122223333.dkr.ecr.us-east-1.amazonaws.com/i@sha256:"
                    + "0" * 64,
                    "TrainingInputMode": "File",
                    "ContainerEntrypoint": ["scheduler"],
                },
                "Environment": {
                    "SM_OUTPUT_FORMATS": "",
                    "SM_OUTPUT_NOTEBOOK_NAME": _join("-", get("Execution.StartDateTime"), ".ipynb"),
                },
                "RetryStrategy": {"MaximumRetryAttempts": 1},
                "Tags": [{"Key": "sagemaker:is-studio-archived", "Value": "false"}],
            },
        )
    ],
    "names of jobs stand there": [
        _step("p", "Processing", {**JOB, "ProcessingJobName": "prepare-job"}),
        _step("t", "Training", {**TRAINING, "TrainingJobName": "train-job"}, DependsOn=["p"]),
    ],
    "a channel below a joined output": [
        PREPARE,
        _step(
            "t",
            "Training",
            {
                **TRAINING,
                "InputDataConfig": [
                    _channel(
                        {
                            "S3Uri": _join(
                                "/",
                                get(
                                    "Steps.prepare.ProcessingOutputConfig"
                                    ".Outputs['rows'].S3Output.S3Uri"
                                ),
                                "train",
                            )
                        }
                    )
                ],
            },
        ),
    ],
    "a step of a branch waits for its condition by name": [
        condition_step("c", lambda_step("a", DependsOn=["c"])),
        lambda_step("b", get("Steps.c.Outcome")),
    ],
    "a message of functions in functions": [
        _step(
            "f",
            "Fail",
            {"ErrorMessage": _join(": ", "no", _join("-", 1, 2.5, get("Parameters.where")))},
        )
    ],
}


@pytest.mark.parametrize("form", FORMS)
def test_a_form_of_public_code_has_no_finding(form: str) -> None:
    """Neither an error nor a warning; and every step has its place in the outline."""
    where = {"Name": "where", "Type": "String", "DefaultValue": ""}
    definition = {
        "Version": "2020-12-01",
        "Metadata": {"GeneratedBy": "hand"},
        "Parameters": [where],
        "Steps": FORMS[form],
    }
    assert [(f.code, f.path, f.message) for f in check_definition(definition)] == []
    assert {step["Name"] for step in FORMS[form]} <= {one.step.name for one in outline(definition)}
