from __future__ import annotations

import pytest

from pipelines.diagnostics import Severity
from pipelines.json_types import JsonObject
from pipelines.steptypes import find
from pipelines.steptypes.arguments import check_arguments
from pipelines.steptypes.limits import LimitProblem, check_limits

LOCAL = [{"InstanceType": "ml.m5.large"}, {"InstanceType": "ml.p5en.48xlarge"}]
JOINED = {"JoinSource": "Input"}
SPOT = {"EnableManagedSpotTraining": True}
S3 = {"S3DataSource": {"S3DataType": "ManifestFile", "S3Uri": "s3://b/m"}}
PLACED = {"LocalPath": "/opt/ml/processing/x"}
SEARCHING: JsonObject = {"HyperParameterTuningJobConfig": {"Strategy": "Random"}}
JUDGED: JsonObject = {"MetricName": "auc", "Type": "Maximize"}
CATEGORIES: JsonObject = {"CategoricalParameterRanges": [{"Name": "a", "Values": ["b"]}]}
EFS = {"FileSystemDataSource": {"FileSystemId": "fs-12345678"}}


def _serverless(**config: object) -> JsonObject:
    return {"ProductionVariants": [{"ServerlessConfig": config}]}


def _found(type_name: str, arguments: JsonObject) -> list[LimitProblem]:
    step_type = find(type_name)
    assert step_type is not None
    return list(check_limits(step_type.limits, step_type.rules, arguments))


@pytest.mark.parametrize(
    ("type_name", "arguments", "path"),
    [
        (
            "Training",
            {"StoppingCondition": {"MaxWaitTimeInSeconds": 9}},
            ("StoppingCondition", "MaxWaitTimeInSeconds"),
        ),
        ("Training", SPOT, ("EnableManagedSpotTraining",)),
        (
            "Training",
            {**SPOT, "StoppingCondition": {"MaxRuntimeInSeconds": 9, "MaxWaitTimeInSeconds": 8}},
            ("StoppingCondition", "MaxWaitTimeInSeconds"),
        ),
        (
            "Tuning",
            {"TrainingJobDefinitions": [SPOT]},
            ("TrainingJobDefinitions", 0, "EnableManagedSpotTraining"),
        ),
        (
            "Training",
            {"ResourceConfig": {"InstanceGroups": LOCAL, "VolumeKmsKeyId": "k"}},
            ("ResourceConfig", "VolumeKmsKeyId"),
        ),
        (
            "Tuning",
            {
                "TrainingJobDefinition": {
                    "HyperParameterTuningResourceConfig": {
                        "InstanceConfigs": LOCAL,
                        "VolumeKmsKeyId": "k",
                    }
                }
            },
            (
                "TrainingJobDefinition",
                "HyperParameterTuningResourceConfig",
                "VolumeKmsKeyId",
            ),
        ),
        (
            "EndpointConfig",
            {"ProductionVariants": [{"InstancePools": LOCAL}], "KmsKeyId": "k"},
            ("KmsKeyId",),
        ),
        (
            "Tuning",
            {"TrainingJobDefinition": {"TuningObjective": JUDGED}, **SEARCHING},
            ("TrainingJobDefinition",),
        ),
        (
            "Tuning",
            {"TrainingJobDefinition": {"HyperParameterRanges": CATEGORIES}, **SEARCHING},
            ("TrainingJobDefinition",),
        ),
        (
            "Tuning",
            {"TrainingJobDefinition": {}, "TrainingJobDefinitions": []},
            ("TrainingJobDefinitions",),
        ),
        (
            "Tuning",
            {"TrainingJobDefinition": {"StoppingCondition": {"MaxRuntimeInSeconds": 10**7}}},
            ("TrainingJobDefinition", "StoppingCondition", "MaxRuntimeInSeconds"),
        ),
        (
            "Training",
            {"InputDataConfig": [{}, {"CompressionType": "Gzip", "InputMode": "File"}]},
            ("InputDataConfig", 1, "CompressionType"),
        ),
        (
            "Training",
            {"InputDataConfig": [{"RecordWrapperType": "RecordIO", "InputMode": "File"}]},
            ("InputDataConfig", 0, "RecordWrapperType"),
        ),
        (
            "Training",
            {"InputDataConfig": [{"ChannelName": "a"}, {"ChannelName": "a"}]},
            ("InputDataConfig", 1, "ChannelName"),
        ),
        (
            "Processing",
            {"ProcessingInputs": [{"S3Input": {**PLACED, "S3CompressionType": "Gzip"}}]},
            ("ProcessingInputs", 0, "S3Input", "S3CompressionType"),
        ),
        (
            "Training",
            {
                "AlgorithmSpecification": {"TrainingInputMode": "FastFile"},
                "InputDataConfig": [{"DataSource": S3}],
            },
            ("InputDataConfig", 0, "DataSource", "S3DataSource", "S3DataType"),
        ),
        ("Training", {"InputDataConfig": [{"DataSource": EFS}]}, ("InputDataConfig", 0)),
        (
            "Training",
            {"VpcConfig": {"a": 1}, "InputDataConfig": [{"DataSource": EFS, "InputMode": "Pipe"}]},
            ("InputDataConfig", 0, "InputMode"),
        ),
        (
            "Training",
            {"ResourceConfig": {"KeepAlivePeriodInSeconds": 60, "InstanceGroups": [{}]}},
            ("ResourceConfig", "KeepAlivePeriodInSeconds"),
        ),
        (
            "Training",
            {"ResourceConfig": {"InstanceType": "ml.g5.xlarge", "VolumeKmsKeyId": "k"}},
            ("ResourceConfig", "VolumeKmsKeyId"),
        ),
        (
            "Training",
            {"StoppingCondition": {"MaxRuntimeInSeconds": 2_419_201}},
            ("StoppingCondition", "MaxRuntimeInSeconds"),
        ),
        ("Transform", {"MaxPayloadInMB": 101}, ("MaxPayloadInMB",)),
        ("Transform", {"MaxPayloadInMB": 6, "MaxConcurrentTransforms": 20}, ("MaxPayloadInMB",)),
        (
            "Transform",
            {"DataProcessing": {"InputFilter": "$[1:]"}},
            ("DataProcessing", "InputFilter"),
        ),
        (
            "Transform",
            {"DataProcessing": JOINED, "TransformInput": {"ContentType": "image/png"}},
            ("TransformInput", "ContentType"),
        ),
        (
            "Transform",
            {"DataProcessing": JOINED, "TransformInput": {"ContentType": "text/csv"}},
            ("DataProcessing", "JoinSource"),
        ),
        (
            "Transform",
            {
                "DataProcessing": JOINED,
                "TransformInput": {"ContentType": "application/json", "SplitType": "Line"},
            },
            ("DataProcessing", "JoinSource"),
        ),
        (
            "EndpointConfig",
            _serverless(MemorySizeInMB=1500, MaxConcurrency=1),
            ("ProductionVariants", 0, "ServerlessConfig", "MemorySizeInMB"),
        ),
        (
            "EndpointConfig",
            _serverless(MemorySizeInMB=1024, MaxConcurrency=1, ProvisionedConcurrency=2),
            ("ProductionVariants", 0, "ServerlessConfig", "ProvisionedConcurrency"),
        ),
        (
            "EndpointConfig",
            {**_serverless(MemorySizeInMB=1024), "DataCaptureConfig": {"a": 1}},
            ("DataCaptureConfig",),
        ),
        (
            "EndpointConfig",
            {"ProductionVariants": [{"ServerlessConfig": {"MaxConcurrency": 1}}, {}]},
            ("ProductionVariants",),
        ),
    ],
)
def test_a_hard_limit_is_an_error_where_it_is_broken(
    type_name: str, arguments: JsonObject, path: tuple[str | int, ...]
) -> None:
    """FACTS 2: rules that no API shape holds; each names its source."""
    hard = [problem for problem in _found(type_name, arguments) if not problem.quota]
    assert [problem.path for problem in hard] == [path]
    assert hard[0].help.endswith(")")


@pytest.mark.parametrize(
    ("type_name", "arguments"),
    [
        ("Training", {"ResourceConfig": {"InstanceCount": 5}}),
        ("Training", {"ResourceConfig": {"VolumeSizeInGB": 2000}}),
        ("Training", {"StoppingCondition": {"MaxRuntimeInSeconds": 432_001}}),
        ("Training", {"ResourceConfig": {"KeepAlivePeriodInSeconds": 7200}}),
        ("Processing", {"ProcessingResources": {"ClusterConfig": {"InstanceCount": 5}}}),
        ("EndpointConfig", _serverless(MemorySizeInMB=1024, MaxConcurrency=20)),
        ("EndpointConfig", {"ProductionVariants": [{"InitialInstanceCount": 5}]}),
    ],
)
def test_a_quota_of_new_accounts_is_a_warning(type_name: str, arguments: JsonObject) -> None:
    """AWS raises quotas on request, so nobody here knows what holds."""
    assert [problem.quota for problem in _found(type_name, arguments)] == [True]


@pytest.mark.parametrize(
    ("type_name", "arguments"),
    [
        (
            "Training",
            {
                **SPOT,
                "StoppingCondition": {
                    "MaxRuntimeInSeconds": {"Get": "Parameters.a"},
                    "MaxWaitTimeInSeconds": 8,
                },
            },
        ),
        ("Training", {"ResourceConfig": {"InstanceCount": {"Get": "Parameters.a"}}}),
        ("Transform", {"MaxPayloadInMB": {"Get": "Parameters.a"}, "MaxConcurrentTransforms": 99}),
        ("Training", {"EnableManagedSpotTraining": {"Get": "Parameters.spot"}}),
        ("Training", {"InputDataConfig": "wrong", "ResourceConfig": [], "StoppingCondition": 3}),
        ("Training", []),
        ("EndpointConfig", {"ProductionVariants": {"Get": "Parameters.a"}}),
    ],
)
def test_what_is_not_known_or_has_the_wrong_form_passes(
    type_name: str, arguments: JsonObject
) -> None:
    """References are not known yet; forms are the business of the shapes."""
    assert _found(type_name, arguments) == []


def test_arguments_give_findings_with_codes_and_whole_paths() -> None:
    """Shapes and limits together, under the path of the arguments in their document."""
    transform = find("Transform")
    assert transform is not None
    arguments = {"MaxPayloadInMB": 101, "ModelNam": "m", "TransformResources": {"InstanceCount": 9}}
    findings = list(check_arguments(transform, arguments, {}, ("Steps", 0, "Arguments")))
    codes = {(finding.code, finding.severity) for finding in findings}
    assert ("SP410", Severity.ERROR) in codes
    assert ("SP411", Severity.ERROR) in codes
    assert ("SP420", Severity.ERROR) in codes
    assert ("SP421", Severity.WARNING) in codes
    assert all(finding.path[:3] == ("Steps", 0, "Arguments") for finding in findings)


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        (
            {"ProcessingInputs": [{"InputName": "a", "S3Input": {"S3Uri": "s3://b/k"}}]},
            ("ProcessingInputs", 0, "S3Input"),
        ),
        (
            {"ProcessingOutputConfig": {"Outputs": [{"S3Output": {"S3Uri": "s3://b/k"}}]}},
            ("ProcessingOutputConfig", "Outputs", 0, "S3Output"),
        ),
    ],
)
def test_a_folder_is_named_unless_the_service_handles_it(
    arguments: JsonObject, path: tuple[str | int, ...]
) -> None:
    """CreateProcessingJob: `LocalPath` is required when `AppManaged` is false."""
    assert [problem.path for problem in _found("Processing", arguments)] == [path]
    managed: JsonObject = {"ProcessingInputs": [{"AppManaged": True, "S3Input": {}}]}
    assert _found("Processing", managed) == []


IMAGE = {"TrainingImage": "i", "TrainingInputMode": "File"}


@pytest.mark.parametrize(
    ("type_name", "arguments", "path", "message"),
    [
        (
            "Training",
            {"AlgorithmSpecification": {"TrainingInputMode": "File"}},
            ("AlgorithmSpecification",),
            "`TrainingImage` or `AlgorithmName` is missing in `AlgorithmSpecification`",
        ),
        (
            "Training",
            {"AlgorithmSpecification": IMAGE, "ResourceConfig": {"InstanceCount": 1}},
            ("ResourceConfig",),
            "`InstanceType`, `InstanceGroups` or `InstancePreferences` is missing",
        ),
        (
            "Training",
            {"InputDataConfig": [{"ChannelName": "a", "DataSource": {}}]},
            ("InputDataConfig", 0, "DataSource"),
            "`S3DataSource`, `FileSystemDataSource` or `DatasetSource` is missing",
        ),
        (
            "Model",
            {"ExecutionRoleArn": "r"},
            (),
            "`PrimaryContainer` or `Containers` is missing in the arguments of a Model step",
        ),
        (
            "Processing",
            {"ProcessingInputs": [{"InputName": "a", "S3Input": None}]},
            ("ProcessingInputs", 0),
            "`S3Input` or `DatasetDefinition` is missing in `ProcessingInputs`",
        ),
    ],
)
def test_one_of_several_members_is_needed(
    type_name: str, arguments: JsonObject, path: tuple[str | int, ...], message: str
) -> None:
    """CreateTrainingJob and its kin refuse a request without any of them; no model says so."""
    step_type = find(type_name)
    assert step_type is not None
    found = [f for f in check_arguments(step_type, arguments, {}) if f.message.startswith(message)]
    assert [(f.code, f.path, f.severity) for f in found] == [("SP411", path, Severity.ERROR)]


def test_a_reference_may_stand_for_a_structure_of_which_one_member_is_needed() -> None:
    """What it gives is not known yet."""
    step_type = find("Training")
    assert step_type is not None
    algorithm = {"Get": "Steps.choose.OutputParameters['algorithm']"}
    found = check_arguments(step_type, {"AlgorithmSpecification": algorithm}, {})
    assert not [finding for finding in found if "TrainingImage" in finding.message]


@pytest.mark.parametrize(
    "arguments",
    [
        {"DataProcessing": {"InputFilter": "$", "JoinSource": "None"}},
        {"DataProcessing": JOINED, "TransformInput": {"ContentType": "application/json"}},
        {
            "DataProcessing": JOINED,
            "TransformInput": {"ContentType": "text/csv; header=absent", "SplitType": "Line"},
            "TransformOutput": {"AssembleWith": "Line"},
        },
        {
            "DataProcessing": {"OutputFilter": "$[0]"},
            "TransformInput": {"ContentType": {"Get": "Parameters.type"}},
        },
    ],
)
def test_records_that_can_be_associated_pass(arguments: JsonObject) -> None:
    """A whole JSON object is joined without lines; a parameter may be any content type."""
    assert _found("Transform", arguments) == []
