"""Pipeline parameters: typed values of the strings that StartPipelineExecution carries."""

from __future__ import annotations

import pytest

from pipelines.execution.errors import InvalidError
from pipelines.execution.parameters import Scalar, shown, typed_parameters
from pipelines.json_types import JsonObject

DOCUMENT: JsonObject = {
    "Parameters": [
        {"Name": "epochs", "Type": "Integer", "DefaultValue": 4},
        {"Name": "rate", "Type": "Float", "DefaultValue": 1},
        {"Name": "fast", "Type": "Boolean", "DefaultValue": False},
        {"Name": "status", "Type": "String", "DefaultValue": "No", "EnumValues": ["No", "Yes"]},
        {"Name": "bucket", "Type": "String"},
    ]
}


def test_defaults_are_taken_and_typed() -> None:
    """A Float whose default is written without a point is a float."""
    values = typed_parameters(DOCUMENT, {"bucket": "b"})
    assert values == {"epochs": 4, "rate": 1.0, "fast": False, "status": "No", "bucket": "b"}
    assert isinstance(values["rate"], float)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("epochs", "12", 12),
        ("epochs", "-1", -1),
        ("rate", "0.5", 0.5),
        ("rate", "1e-3", 0.001),
        ("rate", "2", 2.0),
        ("fast", "true", True),
        ("fast", "True", True),
        ("status", "Yes", "Yes"),
        ("bucket", "17", "17"),
    ],
)
def test_given_strings_become_values_of_the_type(name: str, text: str, value: Scalar) -> None:
    """The API carries every value as a string."""
    values = typed_parameters(DOCUMENT, {"bucket": "b", name: text})
    assert values[name] == value
    assert type(values[name]) is type(value)


@pytest.mark.parametrize(
    ("given", "problem", "remedy"),
    [
        ({"bucket": "b", "epoch": "1"}, "no parameter `epoch`", "`epochs` (Integer, default 4)"),
        ({}, "`bucket` has no default and is not given", "`bucket` (String, required)"),
        ({"bucket": "b", "epochs": "1.5"}, "of type Integer, `1.5` is not", "`epochs=42`"),
        ({"bucket": "b", "rate": "nan"}, "of type Float, `nan` is not", "`rate=0.5`"),
        ({"bucket": "b", "rate": "1e400"}, "of type Float, `1e400` is not", "`rate=0.5`"),
        ({"bucket": "b", "epochs": "\u0663"}, "of type Integer", "`epochs=42`"),
        ({"bucket": ""}, "`bucket` is empty, which the service refuses", "such as `none`"),
        ({"bucket": "b" * 1025}, "`bucket` has 1025 characters, but may have 1024", "a file"),
        ({"bucket": "b", "fast": "yes"}, "of type Boolean, `yes` is not", "`fast=true`"),
        ({"bucket": "b", "status": "yes"}, "`status` cannot be `yes`", "it can be `No`, `Yes`"),
    ],
)
def test_values_that_do_not_fit_are_refused_with_what_there_is(
    given: dict[str, str], problem: str, remedy: str
) -> None:
    """Refused before anything starts, as a usage error."""
    with pytest.raises(InvalidError) as raised:
        typed_parameters(DOCUMENT, given)
    assert raised.value.exit_code == 2
    assert problem in raised.value.problem
    assert remedy in (raised.value.remedy or "")


def test_a_parameter_without_a_type_is_a_string() -> None:
    """The service's published schema requires the `Type` of all other parameters."""
    untyped: JsonObject = {"Parameters": [{"Name": "stage", "DefaultValue": "dev"}]}
    assert typed_parameters(untyped, {}) == {"stage": "dev"}
    assert typed_parameters(untyped, {"stage": "7"}) == {"stage": "7"}
    untyped["Parameters"][0]["DefaultValue"] = 7
    with pytest.raises(InvalidError, match="of type String"):
        typed_parameters(untyped, {})


@pytest.mark.parametrize(("value", "text"), [(True, "true"), (3, "3"), (0.5, "0.5"), ("x", "x")])
def test_values_are_shown_as_the_api_carries_them(value: Scalar, text: str) -> None:
    """What ListPipelineParametersForExecution returns can be given to a start again."""
    assert shown(value) == text


def test_a_value_that_a_step_cannot_run_with_is_refused_with_the_step() -> None:
    """The service's rule of the member that it goes into; a step that is not selected is none."""
    item = {"Name": "s", "Type": "String", "DefaultValue": "a"}
    joined = {"Std:Join": {"On": "", "Values": ["--", {"Get": "Parameters.s"}]}}
    step = {"Name": "train", "Type": "Training", "Arguments": {"HyperParameters": {"s": joined}}}
    document: JsonObject = {"Parameters": [item], "Steps": [step]}
    assert typed_parameters(document, {"s": "b"}) == {"s": "b"}
    with pytest.raises(InvalidError) as raised:
        typed_parameters(document, {"s": "a\nb"})
    assert raised.value.problem == (
        "parameter `s` cannot be `a\\nb`: `s` holds a line break, which the service refuses"
        " (step `train`)"
    )
    assert typed_parameters(document, {"s": "a\nb"}, ["other"]) == {"s": "a\nb"}


def test_a_step_that_is_wrong_by_itself_blames_no_parameter() -> None:
    """A join of literals has its text before any value is given."""
    join = {"Std:Join": {"On": "/", "Values": ["a", "b"]}}
    arguments = {"OutputDataConfig": {"S3OutputPath": join}, "RoleArn": {"Get": "Parameters.role"}}
    document: JsonObject = {
        "Parameters": [{"Name": "role", "Type": "String"}],
        "Steps": [{"Name": "train", "Type": "Training", "Arguments": arguments}],
    }
    with pytest.raises(InvalidError) as caught:
        typed_parameters(document, {"role": "arn:aws:iam::111122223333:role/jobs"})
    assert caught.value.problem == "`a/b` is not a valid `S3OutputPath` (step `train`)"


def test_a_misspelt_parameter_is_told_which_was_meant() -> None:
    """The reserved parameter that carries the commit is nobody's to give, so it is not listed."""
    reserved: JsonObject = {"Name": "PipelinesCommit", "Type": "String", "DefaultValue": "unknown"}
    document = {"Parameters": [*DOCUMENT["Parameters"], reserved]}
    with pytest.raises(InvalidError, match="no parameter `epoch`") as caught:
        typed_parameters(document, {"epoch": "1", "bucket": "b"})
    remedy = str(caught.value.remedy)
    assert remedy.startswith("did you mean `epochs`? its parameters are `epochs` (Integer")
    assert "PipelinesCommit" not in remedy
