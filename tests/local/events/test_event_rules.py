"""The rules of templates: what of CloudFormation is evaluated, what is one rule, what is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from pipelines.backends.local.events.loading import LoadedRules, load_rules
from pipelines.backends.local.events.rules import Rule, at, told
from pipelines.errors import UsageError
from pipelines.json_types import JsonObject

GOLDEN = Path(__file__).parents[2] / "golden" / "infra"
HERE = ("000000000000", "eu-west-1")
TEMPLATE = """\
Parameters:
  Group: {Type: String, Default: churn}
  Quiet: {Type: String, Default: 'no'}
Conditions:
  IsQuiet:
    Fn::Equals: [{Ref: Quiet}, 'yes']
  IsLoud:
    Fn::And:
      - Fn::Not: [{Condition: IsQuiet}]
      - Fn::Or: [{Condition: IsQuiet}, {Fn::Equals: [{Ref: Group}, churn]}]
Resources:
  Deploy:
    Type: AWS::SageMaker::Pipeline
    Properties: {PipelineName: churn-deploy}
  Topic:
    Type: AWS::SNS::Topic
    Properties: {TopicName: {Fn::Sub: '${Group}-people'}}
  Loud:
    Type: AWS::Events::Rule
    Condition: IsLoud
    Properties:
      Name: {Fn::Join: ['-', [{Ref: Group}, loud]]}
      EventPattern:
        account: [{Ref: AWS::AccountId}]
        region: [us-east-1]
        source: [aws.sagemaker]
        resources:
          - {Fn::Sub: 'arn:${AWS::Partition}:sagemaker:${AWS::Region}:111122223333:x/${Group}'}
          - {prefix: 'arn:aws-cn:sagemaker:cn-north-1:444455556666:model-package/churn/'}
      Targets:
        - Id: deploy
          Arn:
            Fn::Sub:
              - arn:aws:sagemaker:us-east-1:111122223333:pipeline/${Name}
              - {Name: {Ref: Deploy}}
          SageMakerPipelineParameters:
            PipelineParameterList:
              - {Name: package, Value: $.detail.ModelPackageArn}
              - {Name: mode, Value: '${!fast}'}
        - Id: people
          Arn: {Fn::If: [IsQuiet, arn:aws:sqs:us-east-1:111122223333:q, {Ref: Topic}]}
  Silent: {Type: AWS::Events::Rule, Condition: IsQuiet, Properties: {}}
  Disabled:
    Type: AWS::Events::Rule
    Properties: {State: DISABLED, EventPattern: {source: [a]}}
  Nightly:
    Type: AWS::Events::Rule
    Properties: {ScheduleExpression: rate(1 day)}
"""
EVENT: JsonObject = {
    "detail-type": "X",
    "region": "eu-west-1",
    "account": "000000000000",
    "resources": ["arn:one"],
    "detail": {"name": 'a "b"', "list": [{"n": 1}], "empty": None},
}


def load(tmp_path: Path, text: str) -> LoadedRules:
    """Load one template."""
    file = tmp_path / "t.yaml"
    file.write_text(text)
    loaded = load_rules([file], *HERE)
    assert loaded.checked[file].diagnostics == ()
    return loaded


def test_references_are_evaluated_for_this_machine(tmp_path: Path) -> None:
    """Parameters by their defaults; every ARN and account is that of the local SageMaker."""
    loaded = load(tmp_path, TEMPLATE)
    (rule,) = loaded.rules
    (nightly,) = loaded.schedules
    assert nightly.arn == "arn:aws:events:eu-west-1:000000000000:rule/Nightly"
    assert rule.name == "churn-loud"
    assert rule.pattern == {
        "account": ["000000000000"],
        "region": ["eu-west-1"],
        "source": ["aws.sagemaker"],
        "resources": [
            "arn:aws:sagemaker:eu-west-1:000000000000:x/churn",
            {"prefix": "arn:aws:sagemaker:eu-west-1:000000000000:model-package/churn/"},
        ],
    }
    deploy, people = rule.targets
    assert deploy.pipeline == "churn-deploy"
    assert deploy.parameters == {"package": "$.detail.ModelPackageArn", "mode": "${!fast}"}
    assert people.arn == "arn:aws:sns:eu-west-1:000000000000:churn-people"
    assert (people.pipeline, people.service, people.name) == (None, "sns", "churn-people")


RULE = """\
Resources:
  R:
    Type: AWS::Events::Rule
    Properties:
      Name: {Fn::If: [IsNamed, r, {Ref: AWS::NoValue}]}
      EventBusName: %s
      EventPattern: {source: [aws.sagemaker, {Ref: AWS::NoValue}], detail: {Ref: AWS::NoValue}}
      Targets:
        - Fn::If: [IsNamed, {Id: a, Arn: arn:aws:sqs:us-east-1:111122223333:q}, {Ref: AWS::NoValue}]
        - {Id: b, Arn: arn:aws:sqs:us-east-1:111122223333:b}
Conditions: {IsNamed: {Fn::Equals: [a, b]}}
"""


@pytest.mark.parametrize(
    "bus", ["default", "arn:aws:events:us-east-1:111122223333:event-bus/default"]
)
def test_what_has_no_value_is_left_out(bus: str, tmp_path: Path) -> None:
    """As CloudFormation does with `AWS::NoValue`; the default bus is named by its ARN, too."""
    (rule,) = load(tmp_path, RULE % bus).rules
    assert (rule.name, rule.pattern) == ("R", {"source": ["aws.sagemaker"]})
    assert [one.id for one in rule.targets] == ["b"]


@pytest.mark.parametrize("bus", ["own", "arn:aws:events:us-east-1:111122223333:event-bus/own"])
def test_rules_of_another_bus_are_not_followed(bus: str, tmp_path: Path) -> None:
    """No event of SageMaker comes there."""
    assert load(tmp_path, RULE % bus).rules == ()


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ("Parameters:", "Parameters: true #"),
        ("Conditions:", "Conditions: [IsQuiet, IsLoud] #"),
        ("AWS::SNS::Topic\n", "[AWS::SNS::Topic]\n"),
        ("{TopicName: {Fn::Sub: '${Group}-people'}}", "true"),
        ("Name: {Fn::Join", "EventBusName: {a: []}\n      Name: {Fn::Join"),
    ],
)
def test_odd_templates_are_read_without_a_traceback(
    written: str, instead: str, tmp_path: Path
) -> None:
    """What is not what it has to be is taken for absent."""
    text = TEMPLATE.replace(written, instead, 1)
    assert text != TEMPLATE
    data = yaml.safe_load(TEMPLATE)
    if instead.endswith("#"):  # the section is one value now
        data[written[:-1]] = yaml.safe_load(instead)[written[:-1]]
        text = yaml.safe_dump(data)
    file = tmp_path / "t.yaml"
    file.write_text(text)
    load_rules([file], *HERE)


@pytest.mark.parametrize("case", sorted(path.name for path in GOLDEN.iterdir() if path.is_dir()))
def test_the_rules_of_each_template_that_ci_init_writes_can_be_read(case: str) -> None:
    """Of all runners, partitions and environments; a folder's other files are passed over."""
    loaded = load_rules([GOLDEN / case / "expected"], *HERE)
    assert [one for text in loaded.checked.values() for one in text.diagnostics] == []


def test_the_environments_of_a_pipeline_start_its_deployer_once() -> None:
    """Two accounts become one here, so that one approval would start it twice."""
    loaded = load_rules([GOLDEN / "github" / "expected", GOLDEN / "github" / "expected"], *HERE)
    starting = [one.name for one in loaded.rules if one.targets[0].pipeline == "churn-deploy"]
    assert len(starting) == 1


@pytest.mark.parametrize(
    ("path", "value"),
    [("$", EVENT), ("$.detail.list[0].n", 1), ("$.resources[0]", "arn:one")],
)
def test_a_path_leads_into_the_event(path: str, value: object) -> None:
    """By names and by numbers."""
    assert at(EVENT, path) == value


@pytest.mark.parametrize("path", ["$.detail.none", "$.detail.list[1]", "$.resources.x", "$[0]"])
def test_a_path_that_leads_nowhere_is_a_lookup_error(path: str) -> None:
    """It names the path."""
    with pytest.raises(LookupError, match=path[-2]):
        at(EVENT, path)


@pytest.mark.parametrize(
    ("transformer", "text"),
    [
        ("", "X: arn:one"),
        (
            "InputTransformer: {InputPathsMap: {n: $.detail.name}, InputTemplate: '\"see <n>\"'}",
            'see a "b"',
        ),
        (
            "InputTransformer: {InputPathsMap: {n: $.detail.none}, InputTemplate: 'see <n>.'}",
            "see .",
        ),
        (
            "InputTransformer: {InputTemplate: '{\"rule\": <aws.events.rule-name>}'}",
            '{"rule": told}',
        ),
        (
            "InputTransformer: {InputTemplate: '<aws.events.rule-arn>'}",
            "arn:aws:events:eu-west-1:000000000000:rule/told",
        ),
        (
            "InputTransformer: {InputTemplate: '<aws.events.event>'}",
            json.dumps({key: value for key, value in EVENT.items() if key != "detail"}),
        ),
        ("Input: '\"<aws.events.rule-name> <n>\"'", "<aws.events.rule-name> <n>"),
        ("InputPath: $.detail.list", '[{"n": 1}]'),
        ("Input: '{\"a\": 1}'", '{"a": 1}'),
    ],
)
def test_a_topic_is_told_what_the_template_says(
    tmp_path: Path, transformer: str, text: str
) -> None:
    """The variables of an input template by their paths, nothing where there is nothing."""
    rule: Rule
    (rule,) = load(
        tmp_path,
        f"""\
Resources:
  T: {{Type: AWS::SNS::Topic}}
  R:
    Type: AWS::Events::Rule
    Properties:
      Name: told
      EventPattern: {{source: [a]}}
      Targets:
        - Id: one
          Arn: {{Ref: T}}
          {transformer}
""",
    ).rules
    assert told(rule.name, rule.targets[0], EVENT) == text


def test_a_folder_without_templates_is_a_usage_error(tmp_path: Path) -> None:
    """Probably the wrong folder was named."""
    with pytest.raises(UsageError, match="has no templates"):
        load_rules([tmp_path], *HERE)


def test_a_file_that_is_not_there_is_found_without_a_place(tmp_path: Path) -> None:
    """As of a spec."""
    loaded = load_rules([tmp_path / "none.yaml"], *HERE)
    (found,) = loaded.checked[tmp_path / "none.yaml"].diagnostics
    assert found.code == "SP111"
