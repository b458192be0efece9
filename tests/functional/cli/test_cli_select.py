"""`run --only` and `--select`: chosen steps on the results of an earlier execution."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.functional.cli.test_cli_start import registering
from tests.logs import written

if TYPE_CHECKING:
    from tests.functional.cli.conftest import Command
    from tests.functional.cli.in_process import Answer

__all__ = ["registering"]


def started(answer: Answer) -> list[str]:
    """Name the steps that ran, in the order of the lines."""
    lines = [line for line in answer.out.splitlines() if ": started (" in line]
    return [line.split(":")[0].strip() for line in lines]


def execution(answer: Answer) -> str:
    """Return the id of the execution that a run was."""
    assert answer.code == 0, answer.err
    return answer.out.splitlines()[0].split()[2].rstrip(",")


def test_an_edited_step_runs_alone_on_earlier_results(project: Path, pipelines: Command) -> None:
    """New code, old data and parameters; `status` shows what is whose, and the graph is whole."""
    first = execution(pipelines("run", "-p", "count=2"))
    script = project / "steps" / "use.py"
    script.write_text(script.read_text("utf-8").replace("rows:", "edited:"), "utf-8")
    answer = pipelines("run", "--only", "use")
    assert started(answer) == ["use"]
    assert f"  make: from {first}" in answer.out.splitlines()
    assert f"selected: use; make from {first}; parameters of {first}: count=2" in answer.err
    assert "warning: use runs whatever `enough` decides: it is not selected" in answer.err
    assert written(pipelines("logs", "--local", "latest", "use").out) == "edited: word word\n"
    shown = pipelines("status", "--local", "latest").out
    assert "selected: use" in shown.splitlines()
    assert f"from {first}" in next(line for line in shown.splitlines() if line.startswith("make"))


@pytest.mark.usefixtures("project")
def test_what_comes_after_and_before_is_selected_with_a_plus(pipelines: Command) -> None:
    """As in dbt and Metaflow; a condition that is selected decides."""
    execution(pipelines("run"))
    assert started(pipelines("run", "--select", "enough+")) == ["enough", "use"]
    assert started(pipelines("run", "--select", "+enough")) == ["make", "enough"]
    assert started(pipelines("run", "--only", "make,enough")) == ["make", "enough"]


@pytest.mark.usefixtures("project")
def test_the_latest_execution_that_has_the_results_is_taken(
    project: Path, pipelines: Command
) -> None:
    """One whose step failed, or whose files are gone, is passed over; named, it is refused."""
    good = execution(pipelines("run"))
    bad = pipelines("run", "-p", "mode=bad").out.splitlines()[0].split()[2]
    answer = pipelines("run", "--only", "use")
    assert f"make from {good}" in answer.err
    named = pipelines("run", "--only", "use", "--from", bad)
    assert named.code == 2
    assert "need `make`, which did not succeed in the source" in named.err
    shutil.rmtree(project / ".pipelines" / "s3" / "team-bucket" / "small" / "runs" / good)
    gone = pipelines("run", "--only", "use")
    assert gone.code == 2
    assert "no execution of small has its results" in gone.err
    assert "is empty" in gone.err
    assert "is empty" in pipelines("run", "--only", "use", "--from", good).err


@pytest.mark.usefixtures("project")
def test_a_selected_step_runs_even_where_its_result_is_cached(
    project: Path, pipelines: Command
) -> None:
    """Who names a step wants it to run; a whole run takes it from the cache."""
    spec = project / "pipeline.yaml"
    spec.write_text(spec.read_text("utf-8").replace("cpu\n", "cpu\n  cache: 30d\n", 1), "utf-8")
    execution(pipelines("run"))
    assert "use: Succeeded in 0.0s: cached from" in pipelines("run").out
    answer = pipelines("run", "--only", "use")
    assert (started(answer), "cached" in answer.out) == (["use"], False)


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("given", "again"),
    [
        (("--only", "make"), "`pipelines run --select make`"),
        (("--select", "make+", "-f", "pipeline.yaml"), "`pipelines run --select make+`"),
        (("--strict-requirements",), "`pipelines run --strict-requirements`"),
    ],
)
def test_a_failure_names_the_command_that_does_the_same_again(
    given: tuple[str, ...], again: str, pipelines: Command
) -> None:
    """After a change, the step alone, and not the whole pipeline."""
    answer = pipelines("run", "-p", "mode=bad", *given)
    assert answer.code == 5
    assert f"or after a change start a new one with {again}" in answer.err


@pytest.mark.usefixtures("registering")
def test_a_step_of_the_spec_is_all_that_it_becomes(pipelines: Command) -> None:
    """`register` packages, too, and registers a version."""
    execution(pipelines("run"))
    answer = pipelines("run", "--only", "register")
    assert started(answer) == ["register-package", "register"]
    assert pipelines("models", "show", "--local", "words/2").code == 0


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--only", "mak"), "did you mean `make`?"),
        (("--only", "use"), "need `make`, and no execution of small has its results"),
        (("--only", "make,use"), "`enough` is between selected steps and is not selected"),
        (("--only", "make", "--resume"), "remove -p, --env, --from-definition, --only"),
        (("--from", "latest"), "--from goes with --only or --select"),
        (("--only", "make", "--from", "nothing"), "there are no executions yet"),
        (("--only", "make", "--stub", "use=x.json"), "which is not selected"),
    ],
)
def test_a_selection_that_cannot_run_is_refused(
    given: tuple[str, ...], said: str, project: Path, pipelines: Command
) -> None:
    """With exit code 2, before anything starts."""
    (project / "x.json").write_text(json.dumps({}), "utf-8")
    answer = pipelines("run", *given)
    assert answer.code == 2
    assert said in answer.err
    assert "Traceback" not in answer.err
    assert "no executions yet" in pipelines("status", "--local").out


@pytest.mark.usefixtures("project")
def test_a_parameter_that_is_given_anew_is_not_taken_over(pipelines: Command) -> None:
    """Nor named as one of the earlier execution."""
    first = execution(pipelines("run", "-p", "count=2", "-p", "least=1.0"))
    answer = pipelines("run", "--only", "use", "-p", "least=1.5")
    assert f"parameters of {first}: count=2\n" in answer.err


@pytest.mark.usefixtures("project")
def test_results_of_another_pipeline_are_refused(pipelines: Command) -> None:
    """Those of a copy too: else a sample would get into the whole pipeline by its ARN."""
    execution(pipelines("run", "--as", "sample"))
    listed = pipelines("status", "--as", "sample", "--local", "--format", "json")
    arn = json.loads(listed.out)[0]["PipelineExecutionArn"]
    for command in ("run", "--only", "use"), ("debug", "use"):
        answer = pipelines(*command, "--from", arn)
        assert answer.code == 2
        assert "is one of small-sample: its results cannot be used" in answer.err
