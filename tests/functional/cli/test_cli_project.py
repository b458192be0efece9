"""Which project and which pipeline a command means that looks at the local SageMaker."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.functional.cli.conftest import Command

SPEC = """\
spec: 1
pipeline: first
steps:
  no:
    kind: fail
    message: nothing to do
environments:
  staging:
    pipeline: first-staging
  prod: {}
"""


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder with two specs, and stand in it."""
    (tmp_path / "pipeline.yaml").write_text(SPEC)
    (tmp_path / "other.yaml").write_text(SPEC.replace("first", "second"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _run(pipelines: Command, *words: str) -> str:
    answer = pipelines("run", *words)
    assert answer.code == 5, answer.err
    return answer.out.split("execution ")[1].split()[0]


@pytest.mark.usefixtures("two")
def test_the_spec_file_decides_what_latest_means(pipelines: Command) -> None:
    """`latest` is the latest of that spec's pipeline, though another one ran later."""
    first = _run(pipelines)
    second = _run(pipelines, "-f", "other.yaml")
    assert pipelines("status", "--local", "latest").out.startswith(f"{first}: Failed")
    shown = pipelines("status", "--local", "-f", "other.yaml", "latest").out
    assert shown.startswith(f"{second}: Failed")


@pytest.mark.usefixtures("two")
def test_another_pipeline_of_the_folder_is_named_and_found_by_its_id(pipelines: Command) -> None:
    """`status` lists the spec's executions and names the others, which an id leads to."""
    first = _run(pipelines)
    second = _run(pipelines, "-f", "other.yaml")
    listed = pipelines("status", "--local").out.splitlines()
    assert [line.split()[0] for line in listed] == ["execution", first, "not"]
    assert listed[-1] == f"not listed: the pipeline second, its latest execution is {second}"
    assert pipelines("status", "--local", second).out.startswith(f"{second}: Failed")


@pytest.mark.usefixtures("two")
def test_stop_and_resume_leave_the_other_pipeline_alone(pipelines: Command) -> None:
    """Where only the other spec's pipeline ran there is nothing to stop and nothing to resume."""
    _run(pipelines, "-f", "other.yaml")
    assert "nothing is running" in pipelines("stop", "--local").err
    for words in (
        ("run", "--resume"),
        ("status", "--local", "latest"),
        ("logs", "--local", "latest", "no"),
    ):
        answer = pipelines(*words)
        assert answer.code == 2
        assert "the pipeline first has no executions yet" in answer.err
        assert "of other pipelines there is " in answer.err
        assert " of second" in answer.err


def test_without_a_readable_spec_all_pipelines_are_meant(two: Path, pipelines: Command) -> None:
    """A spec that broke after its run does not hide the run."""
    first = _run(pipelines)
    (two / "pipeline.yaml").write_text("steps: [")
    assert pipelines("status", "--local", "latest").out.startswith(f"{first}: Failed")


@pytest.mark.usefixtures("two")
def test_a_hint_leads_to_the_same_spec_and_execution(pipelines: Command) -> None:
    """What a failed run advises works as it stands: it carries `-f`."""
    answer = pipelines("run", "-f", "other.yaml")
    execution = answer.out.split("execution ")[1].split()[0]
    assert f"`pipelines status -f other.yaml --local {execution}`" in answer.err


@pytest.mark.usefixtures("two")
def test_status_says_which_environment_ran(pipelines: Command) -> None:
    """Two environments share one registry: the list and the one execution name theirs."""
    bare = _run(pipelines)
    prod = _run(pipelines, "--env", "prod")
    staging = _run(pipelines, "--env", "staging")
    listed = {line.split()[0]: line for line in pipelines("status", "--local").out.splitlines()}
    assert listed[prod].endswith("  environment prod")
    assert "environment" not in listed[bare]
    assert "\nenvironment prod\n" in pipelines("status", "--local", prod).out
    shown = pipelines("status", "--local", "--env", "staging", "latest").out
    assert shown.startswith(f"{staging}: Failed\nenvironment staging\n")


@pytest.mark.parametrize(
    "words",
    [
        ("status", "--local"),
        ("status", "--local", "latest"),
        ("models", "--local"),
        ("models", "--local", "show", "g/1"),
        ("logs", "--local", "latest", "train"),
        ("stop", "--local"),
        ("run",),
        ("run", "--resume"),
        ("serve", "--port", "0"),
        ("status", "--local", "-f", "none.yaml"),
    ],
)
def test_outside_a_project_commands_say_so(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pipelines: Command
) -> None:
    """No empty SageMaker is started there, and no `.pipelines` is left."""
    monkeypatch.chdir(tmp_path)
    answer = pipelines(*words)
    assert answer.code == 2
    assert "is not a project" in answer.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("two")
def test_run_accepts_local(pipelines: Command) -> None:
    """`run` is always local, and may be told so."""
    assert "nothing to do" in pipelines("run", "--local").out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("init", "/proc/x"), "/proc/x cannot be written: No such file or directory"),
        (("schema", "-o", "/proc/x/y.json"), "/proc/x/y.json cannot be written: No such file"),
        (("compile", "-o", "/proc/x"), "/proc/x cannot be written: No such file or directory"),
        (("prune", "--local", "--older-than", "20000000h"), "is more than 100 years"),
        (("stop", "--local", "\udcff"), "the argument '\\udcff' is not valid UTF-8"),
        (("status", "--local", "-f", "loop.yaml"), "no executions yet"),
        (("run", "-f", "loop.yaml"), "Too many levels of symbolic links"),
        (("validate", "-f", "loop.yaml"), "Too many levels of symbolic links"),
    ],
)
def test_what_cannot_be_written_or_read_is_named(
    words: tuple[str, ...], said: str, two: Path, pipelines: Command
) -> None:
    """Odd places and numbers end in a sentence."""
    (two / "loop.yaml").symlink_to("loop.yaml")
    answer = pipelines(*words)
    assert said in answer.err + answer.out
    assert "Traceback" not in answer.err


def test_resume_says_that_it_runs_the_old_code(project: Path, pipelines: Command) -> None:
    """After an edit an execution goes on with what it was started with."""
    assert pipelines("run", "-p", "mode=bad").code == 5
    assert "was changed since" not in pipelines("run", "--resume").err
    script = project / "steps" / "make.py"
    script.write_text(script.read_text() + "\nprint('edited')\n")
    answer = pipelines("run", "--resume")
    assert "the spec or its code was changed since" in answer.err
    assert "`pipelines run` starts a new execution with the changes" in answer.err


@pytest.mark.parametrize(
    "words",
    [
        ("status", "--local"),
        ("status", "--local", "latest"),
        ("logs", "--local", "latest", "no"),
        ("stop", "--local"),
        ("models", "--local"),
        ("models", "show", "--local", "g/1"),
        ("doctor", "--local"),
        ("serve",),
        ("start", "--local"),
        ("run",),
        ("run", "--resume"),
    ],
    ids=" ".join,
)
def test_a_spec_file_that_was_named_has_to_be_there(
    words: tuple[str, ...], two: Path, pipelines: Command
) -> None:
    """A typing error in `-f` does not lead to another pipeline's executions."""
    assert pipelines("run").code == 5
    answer = pipelines(*words, "-f", "nope.yaml")
    assert answer.code in {2, 3}
    assert "nope.yaml" in answer.err
    assert not (two / "nope.yaml").exists()
