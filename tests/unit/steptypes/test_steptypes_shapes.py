from __future__ import annotations

from typing import Literal

import pytest

from pipelines.diagnostics import Severity
from pipelines.json_types import Json
from pipelines.steptypes import StepType, find
from pipelines.steptypes.shapes import (
    PathProblem,
    Shape,
    ShapeProblem,
    check,
    member_at,
    shapes_of,
)
from pipelines.steptypes.shapes.reading import as_read


def _type(name: str) -> StepType:
    found = find(name)
    assert found is not None
    return found


def _problems(type_name: str, shape: str, value: Json, **parameters: str) -> list[ShapeProblem]:
    shapes = shapes_of(_type(type_name))
    return list(check(value, shapes.get(shape), shapes, parameters))


def _kinds(type_name: str, shape: str, value: Json, **parameters: str) -> list[str]:
    return [problem.kind for problem in _problems(type_name, shape, value, **parameters)]


def test_an_unknown_member_is_found_with_the_nearest_name() -> None:
    """One letter wrong in a key is the commonest mistake."""
    (problem,) = _problems("Training", "ResourceConfig", {"InstanceCuont": 1})
    assert problem.kind == "unknown-member"
    assert problem.path == ("InstanceCuont",)
    assert problem.at == "key"
    assert problem.help == "did you mean `InstanceCount`?"


def test_a_missing_required_member_points_at_the_structure() -> None:
    """There is nothing to underline but what lacks the member."""
    (problem,) = _problems("Training", "OutputDataConfig", {})
    assert (problem.kind, problem.path) == ("missing-member", ())
    assert problem.message == "`S3OutputPath` is missing in `OutputDataConfig`"


def test_the_name_of_a_job_may_be_missing() -> None:
    """The service makes it, though the API requires it."""
    shapes = shapes_of(_type("Training"))
    assert shapes.request is not None
    missing = [p.message for p in check({}, shapes.request, shapes) if p.kind == "missing-member"]
    assert missing
    assert not any("TrainingJobName" in message for message in missing)


@pytest.mark.parametrize(
    ("shape", "value"),
    [
        ("ResourceConfig", []),
        ("ResourceConfig", "ml.m5.large"),
        ("HyperParameters", {"epochs": 4}),
        ("HyperParameters", {"epochs": True}),
        ("HyperParameters", ["epochs"]),
        ("InputDataConfig", {}),
        ("VpcConfig", {"SecurityGroupIds": "sg-1", "Subnets": ["subnet-1"]}),
        ("ResourceConfig", {"InstanceCount": "two"}),
        ("ResourceConfig", {"InstanceCount": 1.5}),
        ("ResourceConfig", {"InstanceCount": True}),
        ("MetricDefinitionList", [None]),
    ],
)
def test_a_value_of_the_wrong_type_is_found(shape: str, value: Json) -> None:
    """Each JSON type in the place of each other one."""
    assert "wrong-type" in _kinds("Training", shape, value)


@pytest.mark.parametrize(
    ("shape", "value"),
    [
        ("ResourceConfig", {"InstanceCount": "1"}),
        ("ResourceConfig", {"InstanceCount": 1.0}),
        ("ResourceConfig", {"VolumeKmsKeyId": None}),
        ("HyperParameters", {"epochs": "4"}),
    ],
)
def test_what_real_definitions_write_is_accepted(shape: str, value: Json) -> None:
    """Numbers as text, whole floats, null for what is not there."""
    assert _kinds("Training", shape, value) == []


def test_a_value_outside_an_enumeration_is_found_with_the_nearest() -> None:
    """The nearest value ignores upper and lower case."""
    value = {"S3DataType": "s3prefix", "S3Uri": "s3://b/k"}
    (problem,) = _problems("Training", "S3DataSource", value)
    assert problem.kind == "not-in-enum"
    assert problem.help == "did you mean `S3Prefix`?"


def test_a_line_break_in_a_hyperparameter_is_named() -> None:
    """The API's pattern is `.*`, which no line break matches."""
    (problem,) = _problems("Training", "HyperParameters", {"text": "a\nb"})
    assert problem.kind == "pattern"
    assert "line break" in problem.message


@pytest.mark.parametrize(
    ("type_name", "shape", "value"),
    [
        ("Training", "HyperParameters", {str(number): "" for number in range(101)}),
        ("Training", "HyperParameters", {"long": "x" * 2501}),
        ("Training", "TrainingContainerEntrypoint", ["x" * 257]),
        ("Training", "TrainingEnvironmentMap", {"A": "x" * 513}),
        ("Processing", "ProcessingEnvironmentMap", {"A": "x" * 257}),
        ("Processing", "ProcessingInputs", [{"InputName": str(n)} for n in range(11)]),
        ("Processing", "ProcessingOutputs", [{}] * 11),
        ("Transform", "TransformEnvironmentMap", {f"A{n}": "" for n in range(17)}),
        ("Tuning", "HyperParameterTrainingJobEnvironmentMap", {f"A{n}": "" for n in range(49)}),
    ],
)
def test_lengths_of_the_api_are_kept(type_name: str, shape: str, value: Json) -> None:
    """FACTS 2.2 and 2.3, all of them in botocore's model."""
    assert "length" in _kinds(type_name, shape, value)


def test_a_masked_arn_and_a_placeholder_are_warnings() -> None:
    """Published definitions hide account numbers and hold templates' placeholders."""
    for role in ("arn:aws:iam::XXXXXXXXXX:role/service-role/A", "${PipelineRole}", ""):
        problems = _problems("Training", "RoleArn", role)
        assert problems
        assert {problem.severity for problem in problems} == {Severity.WARNING}


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ("TrainingInstanceType", "not-in-enum"),
        ("TrainingInstanceCount", "wrong-type"),
        ("EnableNetworkIsolation", "wrong-type"),
        ("InputDataConfig", "wrong-type"),
    ],
)
def test_a_placeholder_may_stand_for_any_value(shape: str, kind: str) -> None:
    """Terraform's `templatefile` fills it in: what the service says of the text is a warning."""
    shapes = shapes_of(_type("Training"))
    whole = shapes.get("CreateTrainingJobRequest")
    named = shapes.get(whole.members[shape]) if shape in whole.members else shapes.get(shape)
    (problem,) = check("${placeholder}", named, shapes)
    assert (problem.kind, problem.severity) == (kind, Severity.WARNING)


@pytest.mark.parametrize("number", [10**400, "1e999", 1.5])
def test_a_number_of_any_size_is_compared(number: Json) -> None:
    """Nothing is turned into a float that it would not fit."""
    problems = _problems("Processing", "ProcessingInstanceCount", number)
    assert [problem.severity for problem in problems] == [Severity.ERROR]


def test_a_wrong_channel_name_is_an_error() -> None:
    """A text that nobody will replace has to match its pattern."""
    (problem,) = _problems("Training", "ChannelName", "my channel")
    assert (problem.kind, problem.severity) == ("pattern", Severity.ERROR)


@pytest.mark.parametrize(
    "value",
    [
        {"Get": "Parameters.text"},
        {"Get": "Steps.train.ModelArtifacts.S3ModelArtifacts"},
        {"Get": "Execution.PipelineName"},
        {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.number"}]}},
        {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.e.PropertyFiles.r"}, "Path": "a"}},
        {"Get": "Parameters.unknown"},
    ],
)
def test_a_function_may_stand_for_a_string(value: Json) -> None:
    """What its result is decides; where nobody knows, it passes."""
    parameters = {"text": "String", "number": "Integer"}
    assert _kinds("Training", "HyperParameters", {"a": value}, **parameters) == []


@pytest.mark.parametrize("type_name", ["Integer", "Float", "Boolean"])
def test_a_parameter_that_is_no_string_cannot_stand_for_one(type_name: str) -> None:
    """aws/sagemaker-python-sdk #4867: the service refuses it; a join is the way."""
    value = {"epochs": {"Get": "Parameters.epochs"}}
    (problem,) = _problems("Training", "HyperParameters", value, epochs=type_name)
    assert problem.kind == "reference-type"
    assert problem.help is not None
    assert "Std:Join" in problem.help


@pytest.mark.parametrize(
    ("shape", "value"),
    [
        ("ResourceConfig", {"InstanceCount": {"Std:Join": {"On": "", "Values": ["1"]}}}),
        ("ResourceConfig", {"InstanceCount": {"Get": "Parameters.text"}}),
        ("ResourceConfig", {"Get": "Parameters.text"}),
        ("InputDataConfig", {"Get": "Execution.PipelineName"}),
    ],
)
def test_a_string_cannot_stand_for_a_number_or_an_object(shape: str, value: Json) -> None:
    """The result of a function has a type like any value."""
    assert _kinds("Training", shape, value, text="String") == ["reference-type"]


def test_an_integer_parameter_stands_for_a_number() -> None:
    """The commonest reference of all: an instance count."""
    value = {"InstanceCount": {"Get": "Parameters.count"}}
    assert _kinds("Training", "ResourceConfig", value, count="Integer") == []


def test_a_misspelt_function_is_found_where_a_value_is_wanted() -> None:
    """An object that is no function cannot stand for a string; the nearest function is named."""
    (problem,) = _problems("Training", "HyperParameters", {"a": {"Gett": "Parameters.a"}})
    assert (problem.kind, problem.help) == ("wrong-type", "did you mean `Get`?")


def test_the_extra_key_of_sdk_v2_is_tolerated_in_its_place_only() -> None:
    """SDK v2 writes AppManaged into processing inputs and outputs."""
    assert _kinds("Processing", "ProcessingInput", {"InputName": "a", "AppManaged": False}) == []
    assert "unknown-member" in _kinds("Processing", "ProcessingS3Input", {"AppManaged": False})


@pytest.mark.parametrize(
    ("type_name", "path", "kind"),
    [
        ("Training", "ModelArtifacts.S3ModelArtifacts", "string"),
        ("Training", "FinalMetricDataList['loss'].Value", "float"),
        ("Training", "FinalMetricDataList[0].Value", "float"),
        ("Training", "HyperParameters['epochs']", "string"),
        ("Training", "InputDataConfig['train'].DataSource.S3DataSource.S3Uri", "string"),
        ("Processing", "ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri", "string"),
        ("Processing", "ProcessingOutputConfig.Outputs['a-b.default'].S3Output.S3Uri", "string"),
        ("Processing", "ProcessingInputs['x'].S3Input.S3Uri", "string"),
        ("Processing", "ProcessingResources.ClusterConfig.InstanceCount", "integer"),
        ("Tuning", "TrainingJobSummaries[0].TrainingJobName", "string"),
        ("Tuning", "BestTrainingJob.TrainingJobName", "string"),
        ("AutoML", "BestCandidate.InferenceContainers[0].Environment['MODEL_NAME']", "string"),
        ("AutoML", "BestCandidateProperties.ModelInsightsJsonReportPath", "string"),
        ("Model", "ModelName", "string"),
        ("RegisterModel", "ModelPackageArn", "string"),
        ("RegisterModel", "ModelPackageVersion", "integer"),
        ("Condition", "Outcome", "any"),
        ("Lambda", "OutputParameters['status']", "any"),
        ("Callback", "OutputParameters['s3_data_out']", "any"),
        ("QualityCheck", "CalculatedBaselineStatistics", "string"),
        ("ClarifyCheck", "BaselineUsedForDriftCheckConstraints", "string"),
        ("EMR", "ClusterId", "string"),
        ("EMR", "Config.Args[3]", "string"),
        ("EMRServerless", "jobRun.jobRunId", "string"),
        ("EndpointConfig", "EndpointConfigName", "string"),
        ("Endpoint", "EndpointArn", "string"),
        ("InferenceComponent", "InferenceComponentName", "string"),
        ("Lineage", "ActionArns['deploy']", "string"),
        ("Job", "JobConfigDocument.OutputModelPackageArn", "any"),
        ("ForEach", "IterationOutputs[0].train.ModelArtifacts.S3ModelArtifacts", "any"),
        ("ForEach", "Selected.ModelArtifacts.S3ModelArtifacts", "any"),
        ("ForEach", "SucceededStepCount", "integer"),
    ],
)
def test_a_property_path_ends_at_a_shape(type_name: str, path: str, kind: str) -> None:
    """What the SDK's Properties objects can write, for every Type."""
    found = member_at(shapes_of(_type(type_name)), path)
    assert isinstance(found, Shape), found
    assert found.type == kind


@pytest.mark.parametrize(
    ("type_name", "path", "help_text"),
    [
        ("Training", "ModelArtifact", "did you mean `ModelArtifacts`?"),
        ("Training", "ModelArtifacts.S3Modelartifact", "did you mean `S3ModelArtifacts`?"),
        ("Training", "ModelArtifacts[0]", None),
        ("Training", "TrainingJobName.length", None),
        ("Training", "InputDataConfig.train", "write `[<number>]`, or `['<name>']`"),
        ("Training", "HyperParameters[0]", "write `['<name>']`"),
        ("Training", "ModelArtifacts..S3ModelArtifacts", "write members as"),
        ("Training", "['ModelArtifacts']", "write members as"),
        ("Tuning", "TrainingJobSummaries[50].TrainingJobName", None),
        ("Model", "Containers[0].MultiModelConfig.ModelCacheSettin", "did you mean"),
        ("Fail", "ErrorMessage", None),
        ("Cleanup", "Anything", None),
    ],
)
def test_a_property_path_that_leads_nowhere_says_why(
    type_name: str, path: str, help_text: str | None
) -> None:
    """With the nearest name where there is one."""
    found = member_at(shapes_of(_type(type_name)), path)
    assert isinstance(found, PathProblem)
    if help_text is not None:
        assert found.help is not None
        assert help_text in found.help


@pytest.mark.parametrize("path", ["", "a[", "[0].a", "['a']", "a[-1]"])
def test_what_is_not_a_property_path_is_said_to_be_none(path: str) -> None:
    """It begins with a member, and counts from the start of a list."""
    found = member_at(shapes_of(_type("Processing")), path)
    assert isinstance(found, PathProblem)
    assert found.message == f"`{path}` is not a property path"


@pytest.mark.parametrize(("kind", "bits"), [("integer", 32), ("long", 64)], ids=["integer", "long"])
def test_a_whole_number_is_one_that_the_type_holds(
    kind: Literal["integer", "long"], bits: int
) -> None:
    """Where the model says no bound, the number of bits does."""
    shapes, shape = shapes_of(_type("Training")), Shape("Number", kind)
    most = 2 ** (bits - 1)
    for value, right in (
        (most - 1, True),
        (most, False),
        (-most, True),
        (-most - 1, False),
        ("7", True),
        (7.0, True),
        ("7.0", False),
        (7.5, False),
        ("seven", False),
        ("1_000", False),
        (" 7", False),
        (10**400, False),
    ):
        assert (not list(check(value, shape, shapes))) is right, value


def test_a_request_is_read_without_nulls_and_with_numbers() -> None:
    """`null` is a member that is not there, and `"2"` a number, as JSON is read by the service."""
    shapes = shapes_of(_type("Training"))
    assert shapes.request is not None
    request = {
        "ResourceConfig": {"InstanceCount": "2", "VolumeSizeInGB": 30.0, "VolumeKmsKeyId": None},
        "HyperParameters": {"epochs": "2"},
        "VpcConfig": None,
        "Odd": {"kept": None},
    }
    assert as_read(request, shapes.request, shapes) == {
        "ResourceConfig": {"InstanceCount": 2, "VolumeSizeInGB": 30},
        "HyperParameters": {"epochs": "2"},
        "Odd": {"kept": None},
    }
