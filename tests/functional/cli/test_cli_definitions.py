"""`run --from-definition`: ours from a folder, and somebody else's by hand."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pipelines.json_types import JsonObject
    from tests.functional.cli.conftest import Command

FOREIGN = {
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
    assert pipelines("logs", "--local", "latest", "use").out == "rows: word word word\n"


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
