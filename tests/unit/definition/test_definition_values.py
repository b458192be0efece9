"""Values of parameters that a definition says are checked by the members that they go into."""

from __future__ import annotations

import pytest

from pipelines.definition import check_definition
from pipelines.diagnostics import Finding, Severity
from pipelines.json_types import Json, JsonObject

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2"


def _training(name: str = "train", **members: Json) -> JsonObject:
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30}
    arguments: JsonObject = {
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
        "RoleArn": "arn:aws:iam::111122223333:role/jobs",
        "ResourceConfig": resources,
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        **members,
    }
    return {"Name": name, "Type": "Training", "Arguments": arguments}


def _definition(parameters: list[JsonObject], *steps: JsonObject) -> JsonObject:
    return {"Version": "2020-12-01", "Parameters": parameters, "Steps": [*steps]}


def _parameter(name: str, kind: str, default: Json, **more: Json) -> JsonObject:
    return {"Name": name, "Type": kind, "DefaultValue": default, **more}


def _got(name: str) -> JsonObject:
    return {"Get": f"Parameters.{name}"}


def _joined(*values: Json) -> JsonObject:
    return {"Std:Join": {"On": "", "Values": [*values]}}


def _found(parameter: JsonObject, step: JsonObject) -> list[Finding]:
    return check_definition(_definition([parameter], step))


@pytest.mark.parametrize(
    ("parameter", "members", "message"),
    [
        (
            _parameter("n", "Integer", 2),
            {"HyperParameters": {"n": _joined(_got("n"))}},
            None,
        ),
        (
            _parameter("n", "Integer", 0),
            {"StoppingCondition": {"MaxRuntimeInSeconds": _got("n")}},
            (
                "the default of parameter `n` does not fit: "
                "`MaxRuntimeInSeconds` is 0, but has to be"
                " 1 to 2147483647"
            ),
        ),
        (
            _parameter("s", "String", "a\nb"),
            {"HyperParameters": {"s": _joined("x", _got("s"))}},
            (
                "the default of parameter `s` does not fit: "
                "`s` holds a line break, which the service"
                " refuses"
            ),
        ),
        (
            _parameter("mode", "String", "File", EnumValues=["File", "Fiel"]),
            {
                "AlgorithmSpecification": {
                    "TrainingImage": IMAGE,
                    "TrainingInputMode": _got("mode"),
                }
            },
            "`Fiel` of parameter `mode` does not fit: `Fiel` is not a value of `TrainingInputMode`",
        ),
        (
            _parameter("wait", "Integer", 30),
            {
                "EnableManagedSpotTraining": True,
                "StoppingCondition": {
                    "MaxRuntimeInSeconds": 60,
                    "MaxWaitTimeInSeconds": _got("wait"),
                },
            },
            (
                "the default of parameter `wait` does not fit: "
                "`MaxWaitTimeInSeconds` is 30, less than"
                " `MaxRuntimeInSeconds` 60"
            ),
        ),
    ],
    ids=["right", "range", "join", "listed", "rule"],
)
def test_a_known_value_is_checked_where_it_goes(
    parameter: JsonObject, members: JsonObject, message: str | None
) -> None:
    """The default and each listed value, alone or joined, by shapes and by rules."""
    found = _found(parameter, _training(**members))
    assert [finding.message for finding in found] == ([] if message is None else [message])


@pytest.mark.parametrize("used", [False, True], ids=["none is used", "one is used elsewhere"])
def test_a_join_without_parameters_is_wrong_by_itself(*, used: bool) -> None:
    """Its text is known from the definition alone: no parameter is blamed for it."""
    join: JsonObject = {"Std:Join": {"On": "/", "Values": ["a", "b"]}}
    members: JsonObject = {"StoppingCondition": {"MaxRuntimeInSeconds": _got("n")}} if used else {}
    step = _training(OutputDataConfig={"S3OutputPath": join}, **members)
    (found,) = _found(_parameter("n", "Integer", 60), step)
    assert (found.code, found.message) == ("SP414", "`a/b` is not a valid `S3OutputPath`")


def test_a_join_of_what_no_join_takes_has_no_text() -> None:
    """The part is reported where it stands, and nothing is said about a text made of it."""
    join: JsonObject = {"Std:Join": {"On": "/", "Values": [{"a": 1}, _got("n")]}}
    step = _training(OutputDataConfig={"S3OutputPath": join})
    assert [one.code for one in _found(_parameter("n", "String", "x"), step)] == ["SP514"]


def test_a_text_that_is_no_number_is_wrong_where_a_number_is_wanted() -> None:
    """That a String goes there is a warning; that it is `two` is an error."""
    step = _training(StoppingCondition={"MaxRuntimeInSeconds": _got("s")})
    found = {(f.code, f.severity) for f in _found(_parameter("s", "String", "two"), step)}
    assert found == {("SP412", Severity.ERROR), ("SP416", Severity.WARNING)}
    found = {(f.code, f.severity) for f in _found(_parameter("s", "String", "60"), step)}
    assert found == {("SP416", Severity.WARNING)}


def test_a_value_that_a_condition_may_keep_away_is_only_warned_of() -> None:
    """`n > 0` may stand before the step that runs with n instances."""
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": _got("n"), "VolumeSizeInGB": 30}
    comparison = {"Type": "GreaterThan", "LeftValue": _got("n"), "RightValue": 0}
    arguments = {
        "Conditions": [comparison],
        "IfSteps": [_training(ResourceConfig=resources)],
        "ElseSteps": [],
    }
    condition = {"Name": "any", "Type": "Condition", "Arguments": arguments}
    (found,) = _found(_parameter("n", "Integer", 0), condition)
    assert found.severity is Severity.WARNING
    assert "`InstanceCount` is 0: nothing would run" in found.message


def test_no_instance_is_wrong_wherever_instances_are_counted() -> None:
    """The API's shape takes 0; with groups or preferences the number beside them is not asked."""
    group = {"InstanceGroupName": "g", "InstanceType": "ml.m5.large", "InstanceCount": 0}
    for resources, expected in (
        ({"InstanceType": "ml.m5.large", "InstanceCount": 0}, ("InstanceCount",)),
        ({"InstanceType": "ml.m5.large", "InstanceCount": "0"}, ("InstanceCount",)),
        ({"InstanceCount": 0, "InstanceGroups": [{**group, "InstanceCount": 1}]}, None),
        ({"InstanceGroups": [group]}, ("InstanceGroups", 0, "InstanceCount")),
        (
            {"InstancePreferences": [{"InstanceType": "ml.m5.large", "InstanceCount": 0}]},
            ("InstancePreferences", 0, "InstanceCount"),
        ),
    ):
        step = _training(ResourceConfig={**resources, "VolumeSizeInGB": 30})
        place = ("Steps", 0, "Arguments", "ResourceConfig")
        found = [(f.code, f.path) for f in check_definition(_definition([], step))]
        assert found == ([("SP420", (*place, *expected))] if expected else [])


def test_an_argument_that_is_empty_is_refused() -> None:
    """The service says so of ContainerArguments, though the shape has no least length."""
    algorithm = {
        "TrainingImage": IMAGE,
        "TrainingInputMode": "File",
        "ContainerArguments": ["--word", ""],
    }
    (found,) = check_definition(_definition([], _training(AlgorithmSpecification=algorithm)))
    assert (found.code, found.path[-2:]) == ("SP420", ("ContainerArguments", 1))


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 1e400])
def test_a_number_that_json_has_not_is_an_error_anywhere(number: float) -> None:
    """Python reads NaN, Infinity and 1e400; nothing of it reaches the service."""
    step = _training(ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": number})
    errors = [(f.code, f.path[-1]) for f in check_definition(_definition([], step))]
    assert errors == [("SP412", "InstanceCount")]
    lambda_ = {
        "Name": "l",
        "Type": "Lambda",
        "FunctionArn": "arn:aws:lambda:us-east-1:111122223333:function:f",
        "Arguments": {"value": [number]},
    }
    assert [f.code for f in check_definition(_definition([], lambda_))] == ["SP412"]
    parameter = _parameter("f", "Float", number)
    assert [f.code for f in _found(parameter, _training())] == ["SP503"]


@pytest.mark.parametrize(
    ("length", "severity"),
    [(1024, None), (1025, Severity.WARNING), (4097, Severity.ERROR)],
)
def test_a_long_default_can_be_no_value_of_a_start(length: int, severity: Severity | None) -> None:
    """StartPipelineExecution takes 1,024 characters, the published schema 4,096 of a default."""
    found = _found(_parameter("s", "String", "x" * length), _training())
    assert [f.severity for f in found] == ([] if severity is None else [severity])
