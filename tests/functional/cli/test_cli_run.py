"""`run`: the compiled definition on this machine, and what is known of it afterwards."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.logs import written

if TYPE_CHECKING:
    from tests.functional.cli.conftest import Command, Processes

SERVE = "def model_fn(folder):\n    return folder\n"
TRAIN = '''\
"""Writes a model."""

import os
from pathlib import Path

Path(os.environ["SM_MODEL_DIR"], "model.txt").write_text("a model")
print("auc=0.75")
'''

REGISTRATION = """\
spec: 1
pipeline: registers
aws: {role: "arn:aws:iam::111122223333:role/jobs", bucket: team-bucket}
defaults: {image: sklearn-1.9-cpu}
steps:
  train:
    kind: training
    script: steps/train.py
    metric_definitions:
      auc: 'auc=([0-9.]+)'
  evaluate:
    kind: evaluation
    script: steps/evaluate.py
    model: ${steps.train.model}
  register:
    kind: registration
    group: words
    model: ${steps.train.model}
    metrics: ${steps.evaluate.report}
    serving:
      source: serving/
      image: sklearn-1.9-cpu
"""

EVALUATE = '''\
"""Writes a report."""

import json
import os
from pathlib import Path

assert Path(os.environ["SM_MODEL_DIR"], "model.txt").read_text() == "a model"
Path(os.environ["SM_OUT_REPORT"], "evaluation.json").write_text(json.dumps({"auc": 0.75}))
'''


UNWRITTEN = """\
spec: 1
pipeline: idle
aws: {role: "arn:aws:iam::111122223333:role/jobs", bucket: team-bucket}
defaults: {image: sklearn-1.9-cpu}
steps:
  make:
    kind: processing
    script: steps/make.py
    outputs: [rows, notes]
    reports:
      figures: figures.json
  train:
    kind: training
    script: steps/train.py
    after: [make]
  evaluate:
    kind: evaluation
    script: steps/evaluate.py
    model: ${steps.train.model}
  register:
    kind: registration
    group: words
    model: ${steps.train.model}
    serving: {as_is: true, image: sklearn-1.9-cpu}
"""


def test_what_no_step_has_written_is_said_where_it_matters(
    project: Path, pipelines: Command
) -> None:
    """An output or a report that nobody reads: at the end. An empty model: where it is used."""
    (project / "pipeline.yaml").write_text(UNWRITTEN, "utf-8")
    report = next(line for line in EVALUATE.splitlines() if "SM_OUT_REPORT" in line)
    head = "import json, os\nfrom pathlib import Path\n"
    scripts = {
        "make": "Path(os.environ['SM_OUT_ROWS'], 'a').touch()\n"
        "Path(os.environ['SM_OUT_FIGURES'], 'other.json').touch()\n",
        "train": "print('learning nothing')\n",
        "evaluate": report,
    }
    for name, text in scripts.items():
        (project / "steps" / f"{name}.py").write_text(head + text, "utf-8")
    failed = pipelines("run")
    assert failed.code == 5
    assert "register: Failed" in failed.out
    assert "is empty: its training job left nothing in /opt/ml/model" in failed.out
    log = pipelines("logs", "--local", "latest", "evaluate").out
    assert "pipelines: the model is empty: its training job left nothing in" in log
    spec = UNWRITTEN.partition("  register:")[0]
    (project / "pipeline.yaml").write_text(spec, "utf-8")
    answer = pipelines("run")
    assert answer.code == 0, answer.err
    warned = [line for line in answer.err.splitlines() if line.startswith("warning: step")]
    where = "/opt/ml/processing/output/notes"
    assert warned == [
        f"warning: step `make` wrote nothing into its output `notes` ({where})",
        "warning: step `make` wrote no file `figures.json` for its report `figures`",
    ]


def test_a_pipeline_runs_to_its_end(project: Path, processes: Processes) -> None:
    """Steps in order, the branch that was taken, exit code 0, logs and status afterwards."""
    answer = processes("run")
    assert answer.code == 0, answer.err
    lines = [re.sub(r"\d+\.\d+s", "T", line) for line in answer.out.splitlines()]
    assert lines[0].startswith("small: execution ")
    assert {"  make: Succeeded in T", "  use: Succeeded in T"} <= set(lines)
    assert "  reject: not run, `enough` took the other branch" in lines
    assert lines[-2] == "Succeeded in T"
    assert lines[-1].startswith("its results on one page: pipelines report --local ")
    assert written(processes("logs", "--local", "latest", "use").out) == "rows: word word word\n"
    assert (project / ".pipelines" / "state.db").is_file()


@pytest.mark.usefixtures("project")
def test_logs_without_a_step_are_those_of_all(pipelines: Command) -> None:
    """Of the latest execution where none is named; each line behind its step's name."""
    assert pipelines("run").code == 0
    everything = "make | making 3\nuse | rows: word word word\n"
    assert written(pipelines("logs", "--local").out) == everything
    assert written(pipelines("logs", "--local", "latest", "--follow").out) == everything


@pytest.mark.usefixtures("project")
def test_the_else_branch_fails_with_its_message(pipelines: Command) -> None:
    """A Fail step ends the execution: exit code 5, the message filled in."""
    answer = pipelines("run", "-p", "count=1")
    assert answer.code == 5
    assert "reject: Failed" in answer.out
    assert "only 1 of 2.0" in answer.out
    assert "use: not run, `enough` took the other branch" in answer.out


@pytest.mark.usefixtures("project")
def test_a_failing_step_shows_its_last_lines(pipelines: Command) -> None:
    """Exit code 5, the reason, what the script wrote, and how to go on."""
    answer = pipelines("run", "-p", "mode=bad")
    assert answer.code == 5
    assert "make: Failed" in answer.out
    assert "    | the mode is bad" in answer.out
    assert "enough: not run, `make` ended as Failed" in answer.out
    assert "pipelines run --resume" in answer.err
    assert "Traceback" not in answer.out + answer.err


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("given", "problem", "cure"),
    [
        ("cuont=1", "no parameter `cuont`", "`count` (Integer, default 3)"),
        ("count=many", "`count` is of type Integer, `many` is not", "count=42"),
        ("mode=ugly", "`mode` cannot be `ugly`", "`good`, `bad`"),
        ("count", "`-p count` is not NAME=VALUE", "-p epochs=3"),
    ],
)
def test_a_wrong_parameter_is_a_usage_error(
    given: str, problem: str, cure: str, pipelines: Command
) -> None:
    """Exit code 2 before anything runs; the help lists what there is."""
    answer = pipelines("run", "-p", given)
    assert answer.code == 2
    assert answer.out == ""
    assert problem in answer.err
    assert cure in answer.err


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("given", ["use", "use=", "=answer.json"])
def test_a_stub_without_a_step_or_a_file_is_a_usage_error(given: str, pipelines: Command) -> None:
    """It is called by its own option, not by that of parameters, which reads pairs as well."""
    answer = pipelines("run", "--stub", given)
    assert (answer.code, answer.out) == (2, "")
    assert f"`--stub {given}` is not STEP=FILE" in answer.err


def test_a_wrong_spec_runs_nothing(project: Path, pipelines: Command) -> None:
    """Exit code 3 and the diagnostics, as `validate` has them."""
    (project / "steps" / "use.py").unlink()
    answer = pipelines("run")
    assert (answer.code, answer.out) == (3, "")
    assert "SP301" in answer.err


def test_resume_goes_on_where_it_failed(
    project: Path, pipelines: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Steps that succeeded are not run again; with the cause gone the execution succeeds."""
    mended, made = tmp_path / "mended", tmp_path / "made"
    monkeypatch.setenv("MENDED", str(mended))
    spec = (project / "pipeline.yaml").read_text("utf-8")
    use = "    script: steps/use.py\n    environment:\n      MENDED: ${env.MENDED}\n"
    (project / "pipeline.yaml").write_text(spec.replace("    script: steps/use.py\n", use), "utf-8")
    check = "import os, sys\nif not os.path.exists(os.environ['MENDED']):\n    sys.exit('broken')\n"
    with (project / "steps" / "use.py").open("a", encoding="utf-8") as file:
        file.write(check)
    with (project / "steps" / "make.py").open("a", encoding="utf-8") as file:
        file.write(f"with open({str(made)!r}, 'a') as file:\n    file.write('made ')\n")
    assert pipelines("run").code == 5
    mended.touch()
    answer = pipelines("run", "--resume")
    assert answer.code == 0, answer.err
    assert "2 steps are done" in answer.out
    assert made.read_text("utf-8") == "made "
    nothing = pipelines("run", "--resume")
    assert nothing.code == 2
    assert "there is nothing to resume" in nothing.err


@pytest.mark.usefixtures("project")
def test_status_and_logs_know_what_ran(pipelines: Command) -> None:
    """Executions, the steps of one, a step's log; `latest` or an id; unknown ones are named."""
    assert "no executions yet" in pipelines("status", "--local").out
    pipelines("run", "-p", "mode=bad")
    listed = pipelines("status", "--local").out.splitlines()
    assert listed[0].split() == ["execution", "pipeline", "status", "started"]
    execution, pipeline, status = listed[1].split()[:3]
    assert (pipeline, status) == ("small", "Failed")
    assert (
        pipelines("status", "--local", "latest").out
        == pipelines("status", "--local", execution).out
    )
    rows = json.loads(pipelines("status", "--local", "latest", "--format", "json").out)
    assert [(row["StepName"], row["StepStatus"]) for row in rows] == [("make", "Failed")]
    assert "the mode is bad" in pipelines("logs", "--local", "latest", "make").out
    wrong = pipelines("logs", "--local", "latest", "mkae")
    assert (wrong.code, "did you mean `make`?" in wrong.err) == (2, True)
    unknown = pipelines("status", "--local", "nothing")
    assert (unknown.code, execution in unknown.err) == (2, True)


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("command", [("status",), ("logs", "latest", "make"), ("models",)])
def test_what_looks_at_aws_says_so(
    command: tuple[str, ...], pipelines: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without `--local` a command means AWS; with no credentials it names the option."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    answer = pipelines(*command)
    assert answer.code == 4
    assert "--local" in answer.err


def test_models_show_versions_with_their_metrics(project: Path, pipelines: Command) -> None:
    """Two runs are two versions, the newest first, with the report's numbers."""
    (project / "pipeline.yaml").write_text(REGISTRATION, "utf-8")
    (project / "steps" / "train.py").write_text(TRAIN, "utf-8")
    (project / "steps" / "evaluate.py").write_text(EVALUATE, "utf-8")
    (project / "serving").mkdir()
    (project / "serving" / "inference.py").write_text(SERVE, "utf-8")
    assert "no models yet" in pipelines("models", "--local").out
    for _ in range(2):
        answer = pipelines("run")
        assert answer.code == 0, answer.out + answer.err
    lines = pipelines("models", "--local").out.splitlines()
    assert lines[0].split() == ["version", "approval", "registered", "auc"]
    assert [line.split()[0] for line in lines[1:]] == ["words/2", "words/1"]
    assert {line.split()[-1] for line in lines[1:]} == {"0.7500"}
    assert {line.split()[1] for line in lines[1:]} == {"PendingManualApproval"}
    assert pipelines("models", "--local", "words").out.splitlines() == lines
    wrong = pipelines("models", "--local", "wrods")
    assert wrong.code == 2
    assert "wrods" in wrong.err


def test_two_runs_at_the_same_time_both_succeed(project: Path, processes: Processes) -> None:
    """Two processes share one project: each has its execution, none disturbs the other."""
    running = [processes.start("run", "-p", f"count={count}") for count in (2, 5)]
    ended = [process.communicate(timeout=120) for process in running]
    assert [process.returncode for process in running] == [0, 0], ended
    listed = processes("status", "--local").out.splitlines()[1:]
    assert [line.split()[2] for line in listed] == ["Succeeded", "Succeeded"]
    logs = {written(processes("logs", "--local", line.split()[0], "use").out) for line in listed}
    assert logs == {"rows: word word\n", "rows: word word word word word\n"}
    with sqlite3.connect(project / ".pipelines" / "state.db") as state:
        assert state.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    state.close()


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("closed", ["2>&-", "<&- >&- 2>&-"])
def test_jobs_run_where_the_caller_closed_the_standard_streams(
    closed: str, processes: Processes
) -> None:
    """A job has streams of its own: none of its launcher's descriptors takes their numbers."""
    words = ["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-m", "pipelines", "run"]
    ran = subprocess.run(words, env=processes.environ, stdout=subprocess.DEVNULL, check=False)
    assert ran.returncode == 0
    assert written(processes("logs", "--local", "latest", "use").out) == "rows: word word word\n"
