"""`run --from-definition`: ours from a folder, and somebody else's by hand."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.logs import written

if TYPE_CHECKING:
    from pipelines.json_types import JsonObject
    from tests.functional.cli.conftest import Command

FOREIGN: JsonObject = {
    "Version": "2020-12-01",
    "Parameters": [{"Name": "Limit", "Type": "Integer", "DefaultValue": 5}],
    "Steps": [
        {
            "Name": "Check",
            "Type": "Condition",
            "Arguments": {
                "Conditions": [
                    {
                        "Type": "GreaterThan",
                        "LeftValue": {"Get": "Parameters.Limit"},
                        "RightValue": 3,
                    }
                ],
                "IfSteps": [],
                "ElseSteps": [
                    {
                        "Name": "Stop",
                        "Type": "Fail",
                        "Arguments": {
                            "ErrorMessage": {
                                "Std:Join": {
                                    "On": " ",
                                    "Values": ["limit", {"Get": "Parameters.Limit"}],
                                }
                            }
                        },
                    }
                ],
            },
        }
    ],
}


def test_what_was_compiled_runs_without_the_spec(project: Path, pipelines: Command) -> None:
    """The definition and the objects beside it are all that is needed."""
    assert pipelines("compile", "-o", "build").code == 0
    (project / "pipeline.yaml").unlink()
    shutil.rmtree(project / "steps")
    answer = pipelines("run", "--from-definition", "build/small.json")
    assert answer.code == 0, answer.out + answer.err
    assert written(pipelines("logs", "--local", "latest", "use").out) == "rows: word word word\n"


def test_a_pipeline_keeps_its_role(project: Path, pipelines: Command) -> None:
    """A definition names no role: what was put there by `upsert` stays."""
    assert pipelines("upsert", "--local").code == 0
    (project / "small.json").write_text(json.dumps(FOREIGN), "utf-8")
    assert pipelines("run", "--from-definition", "small.json").code == 0
    plan = pipelines("plan", "--local")
    assert "+ step make" in plan.out
    assert "role" not in plan.out, plan.out


def test_local_data_that_changed_since_is_refused(project: Path, pipelines: Command) -> None:
    """What ran is what was compiled: other data under the same hash never runs."""
    assert pipelines("compile", "-o", "build").code == 0
    (project / "data" / "word.txt").write_text("another\n", "utf-8")
    answer = pipelines("run", "--from-definition", "build/small.json")
    assert answer.code == 2
    assert "compile again" in answer.err


def test_a_foreign_definition_runs(project: Path, pipelines: Command) -> None:
    """A definition that another tool wrote: its parameters, its condition, its failure."""
    (project / "their_definition.json").write_text(json.dumps(FOREIGN), "utf-8")
    right = pipelines("run", "--from-definition", "their_definition.json")
    assert (right.code, "their-definition: execution" in right.out) == (0, True)
    wrong = pipelines("run", "--from-definition", "their_definition.json", "-p", "Limit=2")
    assert wrong.code == 5
    assert "limit 2" in wrong.out


def test_a_wrong_definition_is_shown_with_its_places(project: Path, pipelines: Command) -> None:
    """Somebody else's JSON gets the same kind of diagnostics, with line and column."""
    text = json.dumps(FOREIGN, indent=1).replace('"GreaterThan"', '"GreaterThen"')
    (project / "wrong.json").write_text(text, "utf-8")
    answer = pipelines("run", "--from-definition", "wrong.json")
    assert answer.code == 3
    assert "wrong.json:" in answer.err
    assert "SP512" in answer.err


@pytest.mark.usefixtures("project")
def test_a_definition_that_is_not_there_is_a_usage_error(pipelines: Command) -> None:
    """The help says how to make one."""
    answer = pipelines("run", "--from-definition", "nothing.json")
    assert answer.code == 2
    assert "compile -o" in answer.err


@pytest.mark.parametrize("text", ["", "[]", "{", '{"Steps": 3}', "\x00", '{"a": 1, "a": 2}'])
def test_what_is_no_definition_never_shows_a_traceback(
    text: str, project: Path, pipelines: Command
) -> None:
    """Any text gives diagnostics and exit code 3."""
    (project / "odd.json").write_text(text, "utf-8")
    answer = pipelines("run", "--from-definition", "odd.json")
    assert answer.code == 3
    assert "Traceback" not in answer.err
    assert "SP" in answer.err


def test_conditions_forty_deep_run(project: Path, pipelines: Command) -> None:
    """Airflow's example chains 31 Conditions, each inside the one before: more are no matter."""
    steps: list[JsonObject] = [
        {"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "at the bottom"}}
    ]
    for number in range(40):
        arguments = {
            "Conditions": [{"Type": "LessThan", "LeftValue": 3, "RightValue": 6}],
            "IfSteps": steps,
            "ElseSteps": [],
        }
        steps = [{"Name": f"Level{number}", "Type": "Condition", "Arguments": arguments}]
    definition = {"Version": "2020-12-01", "Parameters": [], "Steps": steps}
    (project / "deep.json").write_text(json.dumps(definition), "utf-8")
    answer = pipelines("run", "--from-definition", "deep.json")
    assert answer.code == 5, answer.err
    assert "Stop: Failed in" in answer.out
    assert "at the bottom" in answer.out


def test_a_definition_is_validated_like_a_spec(project: Path, pipelines: Command) -> None:
    """Without running it: how many steps, or each mistake with its place."""
    (project / "foreign.json").write_text(json.dumps(FOREIGN), "utf-8")
    answer = pipelines("validate", "-f", "foreign.json")
    assert (answer.code, answer.out) == (0, "foreign.json: ok (2 steps)\n")
    (project / "foreign.json").write_text(json.dumps(_misspelt()), "utf-8")
    answer = pipelines("validate", "-f", "foreign.json")
    assert answer.code == 3
    assert "foreign.json:1:187: error[SP512]: `GreaterThn` is not a condition type" in answer.out
    report = json.loads(pipelines("validate", "-f", "foreign.json", "--format", "json").out)
    assert [found["code"] for found in report["diagnostics"]] == ["SP512"]
    assert not (project / ".pipelines").exists()


def test_a_definition_is_drawn(project: Path, pipelines: Command) -> None:
    """Types stand where a spec's kinds stand; the steps of a loop stand in it."""
    (project / "foreign.json").write_text(json.dumps(_with_loop()), "utf-8")
    assert pipelines("graph", "-f", "foreign.json").out == (
        "foreign\n"
        "├─ Check (Condition)\n"
        "│  └─ else: Stop (Fail)\n"
        "└─ Notify (Lambda)\n"
        "   └─ Each (ForEach)  ← Check\n"
        "      └─ each: Send (Lambda)  ← Notify\n"
    )
    assert pipelines("graph", "-f", "foreign.json", "--format", "mermaid").out == (
        "flowchart TD\n"
        '    s0{"Check<br/><small>Condition</small>"}\n'
        '    s1[["Stop<br/><small>Fail</small>"]]\n'
        '    s2["Notify<br/><small>Lambda</small>"]\n'
        '    s3["Each<br/><small>ForEach</small>"]\n'
        '    s4["Send<br/><small>Lambda</small>"]\n'
        "    s0 -->|else| s1\n"
        "    s0 --> s3\n"
        "    s2 --> s3\n"
        "    s2 --> s4\n"
        "    s3 -->|each| s4\n"
    )
    (project / "foreign.json").write_text(json.dumps(_misspelt()), "utf-8")
    assert pipelines("graph", "-f", "foreign.json").code == 3


@pytest.mark.parametrize("wrapped", ["answer", "text"])
def test_a_definition_is_taken_out_of_what_the_aws_cli_prints(
    project: Path, pipelines: Command, wrapped: str
) -> None:
    """`describe-pipeline` answers with a text inside of JSON; `--query` leaves a JSON string."""
    text = json.dumps(FOREIGN)
    answer = {"PipelineName": "p", "PipelineDefinition": text, "PipelineStatus": "Active"}
    (project / "p.json").write_text(json.dumps(answer if wrapped == "answer" else text), "utf-8")
    assert pipelines("validate", "-f", "p.json").out == "p.json: ok (2 steps)\n"
    assert pipelines("run", "--from-definition", "p.json").code == 0
    assert pipelines("run", "--from-definition", "p.json", "-p", "Limit=2").code == 5


@pytest.mark.parametrize(
    ("text", "code"),
    [("[1]", "SP115"), ("7", "SP115"), ('"no definition"', "SP115"), ("", "SP105")],
)
def test_what_is_no_definition_is_told_how_one_begins(
    project: Path, pipelines: Command, text: str, code: str
) -> None:
    """Nobody who runs a definition is sent to the spec language."""
    (project / "p.json").write_text(text, "utf-8")
    answer = pipelines("run", "--from-definition", "p.json")
    assert answer.code == 3
    assert code in answer.err
    assert 'a definition begins with {"Version": "2020-12-01"' in answer.err
    assert "pipeline: NAME" not in answer.err
    assert "pipelines init" not in answer.err


def test_a_number_of_thousands_of_digits_makes_no_spec_of_it(
    project: Path, pipelines: Command
) -> None:
    """Python refuses to read such a number; the file is still a definition."""
    (project / "p.json").write_text(f'{{"Version": "2020-12-01", "Steps": {"1" * 5000}}}', "utf-8")
    answer = pipelines("validate", "-f", "p.json")
    assert answer.code == 3
    assert "`Steps` has to be a list" in answer.out
    assert "unknown key `Version`" not in answer.out


@pytest.mark.parametrize(
    ("wrong", "place"),
    [(('"', "'"), "odd.json:2:2"), (("}\n ]", "},\n ]"), ""), (("3", "NaN"), "")],
)
def test_what_yaml_reads_and_json_does_not_is_no_definition(
    wrong: tuple[str, str], place: str, project: Path, pipelines: Command
) -> None:
    """The service parses JSON; the place is where JSON ends."""
    text = json.dumps(FOREIGN, indent=1).replace(*wrong)
    (project / "odd.json").write_text(text, "utf-8")
    validated = pipelines("validate", "-f", "odd.json")
    run = pipelines("run", "--from-definition", "odd.json")
    assert (validated.code, run.code) == (3, 3)
    for said in (validated.out, run.err):
        assert "error[SP101]: this is not JSON" in said
        assert f"{place}: error[SP101]" in said or not place


def test_a_definition_is_taken_out_of_a_template_of_cloudformation(
    project: Path, pipelines: Command
) -> None:
    """The body is a text; a template with functions in it has none."""
    body: JsonObject = {"PipelineDefinitionBody": json.dumps(FOREIGN)}
    pipeline = {"Type": "AWS::SageMaker::Pipeline", "Properties": {"PipelineDefinition": body}}
    template = {"Resources": {"Pipeline": pipeline, "Bucket": {"Type": "AWS::S3::Bucket"}}}
    (project / "template.json").write_text(json.dumps(template), "utf-8")
    assert pipelines("validate", "-f", "template.json").code == 0
    assert pipelines("run", "--from-definition", "template.json").code == 0
    body["PipelineDefinitionBody"] = {"Fn::Sub": json.dumps(FOREIGN)}
    (project / "template.json").write_text(json.dumps(template), "utf-8")
    assert pipelines("run", "--from-definition", "template.json").code == 3


def test_a_definition_has_no_environments(project: Path, pipelines: Command) -> None:
    """Nothing is checked that was not asked for."""
    (project / "foreign.json").write_text(json.dumps(FOREIGN), "utf-8")
    answer = pipelines("validate", "-f", "foreign.json", "--env", "prod")
    assert answer.code == 2
    assert "foreign.json is a definition, which has no environments" in answer.err


def test_a_spec_may_be_written_in_json(project: Path, pipelines: Command) -> None:
    """What the file holds decides, not how it is called."""
    spec = yaml.safe_load((project / "pipeline.yaml").read_text("utf-8"))
    (project / "spec.json").write_text(json.dumps(spec), "utf-8")
    assert pipelines("validate", "-f", "spec.json").out == "spec.json: ok (4 steps)\n"
    (project / "broken.json").write_text('{"Version": "2020-12-01", "Steps": [}', "utf-8")
    answer = pipelines("validate", "-f", "broken.json")
    assert answer.code == 3
    assert "broken.json:1:37: error" in answer.out


def _misspelt() -> JsonObject:
    definition: JsonObject = json.loads(json.dumps(FOREIGN))
    definition["Steps"][0]["Arguments"]["Conditions"][0]["Type"] = "GreaterThn"
    return definition


def _with_loop() -> JsonObject:
    """Give a loop that waits for the condition, and whose items another step names."""
    arn = "arn:aws:lambda:us-east-1:111122223333:function:f"
    outputs = [{"OutputName": "names", "OutputType": "String"}]
    names = {"Get": "Steps.Notify.OutputParameters['names']"}
    send = {"Name": "Send", "Type": "Lambda", "FunctionArn": arn, "Arguments": {"all": names}}
    loop = {"IterableItems": names, "MaxConcurrency": 2, "ForEachBody": [send]}
    each = {"Name": "Each", "Type": "ForEach", "DependsOn": ["Check"], "Arguments": loop}
    notify = {"Name": "Notify", "Type": "Lambda", "FunctionArn": arn, "OutputParameters": outputs}
    return {**FOREIGN, "Steps": [*FOREIGN["Steps"], each, notify]}
