"""Findings about a definition are shown where the spec says the thing, in the spec's words."""

from __future__ import annotations

import pytest

from pipelines.compile.origins import to_spec
from pipelines.definition import check_definition
from pipelines.diagnostics import Finding, Path
from pipelines.json_types import JsonObject

SPEC = {
    "aws": {"role": "arn", "vpc": {"subnets": ["s"]}},
    "parameters": {"epochs": {"type": "integer"}},
    "steps": {
        "work": {
            "kind": "processing",
            "inputs": {"rows": {"from": "s3://a/", "mode": "File"}},
            "outputs": ["one", "two"],
            "arguments": {"first": "a", "second": "b"},
            "environment": {"VALUE": "x"},
            "retry": [{"max_attempts": 1}],
        }
    },
}
STEP = {
    "Name": "work",
    "Type": "Processing",
    "RetryPolicies": [{"MaxAttempts": 99}],
    "Arguments": {
        "RoleArn": "arn",
        "AppSpecification": {"ContainerArguments": ["--first", "a", "--second", "b"]},
        "Environment": {"VALUE": "x"},
        "NetworkConfig": {"VpcConfig": {"Subnets": ["s"]}},
        "ProcessingInputs": [{"InputName": "rows", "S3Input": {"S3InputMode": "File"}}],
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "one"}, {"OutputName": "two"}]},
    },
}
CONDITION = {"Name": "c", "Type": "Condition", "Arguments": {"IfSteps": [STEP]}}
DEFINITION = {"Parameters": [{"Name": "epochs"}], "Steps": [STEP, CONDITION]}
ARGUMENTS = ("Steps", 0, "Arguments")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ((*ARGUMENTS, "RoleArn"), ("aws", "role")),
        ((*ARGUMENTS, "NetworkConfig", "VpcConfig", "Subnets", 0), ("aws", "vpc", "subnets", 0)),
        (
            (*ARGUMENTS, "AppSpecification", "ContainerArguments", 3),
            ("steps", "work", "arguments", "second"),
        ),
        ((*ARGUMENTS, "Environment", "VALUE"), ("steps", "work", "environment", "VALUE")),
        (
            (*ARGUMENTS, "ProcessingInputs", 0, "S3Input", "S3InputMode"),
            ("steps", "work", "inputs", "rows", "mode"),
        ),
        (
            (*ARGUMENTS, "ProcessingOutputConfig", "Outputs", 1),
            ("steps", "work", "outputs", 1),
        ),
        (
            ("Steps", 0, "RetryPolicies", 0, "MaxAttempts"),
            ("steps", "work", "retry", 0, "max_attempts"),
        ),
        (("Steps", 0), ("steps", "work")),
        (
            ("Steps", 1, "Arguments", "IfSteps", 0, "Arguments", "Environment"),
            ("steps", "work", "environment"),
        ),
        (("Steps",), ("steps",)),
        (("Parameters", 0, "Type"), ("parameters", "epochs")),
        (("Parameters",), ("parameters",)),
        (("Version",), ()),
    ],
)
def test_a_path_of_the_definition_leads_to_the_key_that_says_it(path: Path, expected: Path) -> None:
    """Members, entries of lists and pairs of arguments lead to their own keys."""
    finding = Finding("SP415", "`MaxAttempts` is 99", path)
    (moved,) = to_spec([finding], DEFINITION, {"work": "work"}, SPEC)
    assert moved.path == expected


@pytest.mark.parametrize(
    ("step", "emitted", "path", "expected"),
    [
        (
            {"kind": "evaluation", "model": {"mode": "File"}, "inputs": {"rows": "s3://a/"}},
            {"ProcessingInputs": [{"InputName": "model"}, {"InputName": "rows"}]},
            ("ProcessingInputs", 0, "S3Input", "S3InputMode"),
            ("model", "mode"),
        ),
        (
            {"kind": "evaluation", "model": "s3://m/", "inputs": {"rows": "s3://a/"}},
            {"ProcessingInputs": [{"InputName": "model"}, {"InputName": "rows"}]},
            ("ProcessingInputs", 1, "S3Input", "S3Uri"),
            ("inputs", "rows"),
        ),
        (
            {"kind": "processing", "outputs": ["a"], "reports": {"b": "b.json"}},
            {"ProcessingOutputConfig": {"Outputs": [{"OutputName": "a"}, {"OutputName": "b"}]}},
            ("ProcessingOutputConfig", "Outputs", 1, "OutputName"),
            ("reports", "b"),
        ),
        (
            {"kind": "training", "metric_definitions": {"auc": "x"}},
            {"AlgorithmSpecification": {"MetricDefinitions": [{"Name": "auc", "Regex": "x"}]}},
            ("AlgorithmSpecification", "MetricDefinitions", 0, "Regex"),
            ("metric_definitions", "auc"),
        ),
        (
            {"kind": "training", "instance_type": "ml.x", "instance_groups": [{}, {}]},
            {"ResourceConfig": {"InstanceGroups": [{}, {"InstanceType": "y"}]}},
            ("ResourceConfig", "InstanceGroups", 1, "InstanceType"),
            ("instance_groups", 1),
        ),
        (
            {"kind": "deployment", "instance_type": "ml.x", "realtime": {"instance_type": "ml.y"}},
            {"ProductionVariants": [{"InstanceType": "ml.y"}]},
            ("ProductionVariants", 0, "InstanceType"),
            ("realtime", "instance_type"),
        ),
        (
            {"kind": "registration", "serving": {"content_types": ["a"]}},
            {"InferenceSpecification": {"SupportedContentTypes": ["a"]}},
            ("InferenceSpecification", "SupportedContentTypes", 0),
            ("serving", "content_types", 0),
        ),
    ],
)
def test_a_declaration_leads_to_the_key_that_explains_most_of_the_path(
    step: JsonObject, emitted: JsonObject, path: Path, expected: Path
) -> None:
    """Two keys may become entries of one list, and one member may stand in several places."""
    spec = {"steps": {"work": step}}
    definition = {"Steps": [{"Name": "work", "Type": "T", "Arguments": emitted}]}
    finding = Finding("SP415", "wrong", (*ARGUMENTS, *path))
    (moved,) = to_spec([finding], definition, {"work": "work"}, spec)
    assert moved.path == ("steps", "work", *expected)


def test_words_of_the_request_become_the_specs_words() -> None:
    """A user who wrote `max_attempts` reads of `max_attempts`; other words stay."""
    path = ("Steps", 0, "RetryPolicies", 0, "MaxAttempts")
    finding = Finding("SP415", "`MaxAttempts` is 99, not `File`", path, help="set `VpcConfig`")
    (moved,) = to_spec([finding], DEFINITION, {"work": "work"}, SPEC)
    assert moved.message == "`max_attempts` is 99, not `File`"
    assert moved.help == "set `aws.vpc`"


def test_what_all_steps_share_is_reported_once() -> None:
    """A wrong role is one finding, however many steps run with it."""
    findings = [Finding("SP414", "wrong", (*ARGUMENTS, "RoleArn"))] * 3
    assert len(list(to_spec(findings, DEFINITION, {"work": "work"}, SPEC))) == 1


def test_a_wrong_type_in_a_definition_is_found() -> None:
    """SP412 cannot come out of a spec, whose types are checked before; a definition has it."""
    definition = {
        "Version": "2020-12-01",
        "Steps": [{"Name": "work", "Type": "Processing", "Arguments": {"RoleArn": 3}}],
    }
    assert "SP412" in {f.code for f in check_definition(definition)}
