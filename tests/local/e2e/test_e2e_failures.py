"""What goes wrong in a user's script: the step says why, the rest ends cleanly, nothing is left."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.local.e2e.tiny_project import Ended, Project

FAILED = 5


@dataclass(frozen=True, slots=True)
class Case:
    """A training script that does not succeed, and what the user reads about it."""

    body: str
    reason: str
    log: str


CASES = {
    "raises": Case(
        """\
        def learn(rows):
            raise ValueError("no rows at all")
        print("learning")
        learn([])
        """,
        "ValueError: no rows at all",
        "in learn",
    ),
    "exits": Case(
        """\
        import sys
        print("the disk is odd", flush=True)
        sys.exit(3)
        """,
        "exit code 3",
        "the disk is odd",
    ),
    "is killed for memory": Case(
        """\
        import signal
        print("epoch 7", flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
        """,
        "killed by SIGKILL; out of memory?",
        "epoch 7",
    ),
    "asks for too much memory": Case(
        """\
        import resource
        resource.setrlimit(resource.RLIMIT_AS, (1 << 29, 1 << 29))
        print("allocating", flush=True)
        bytearray(1 << 30)
        """,
        "MemoryError",
        "allocating",
    ),
    "loses a rank": Case(
        """\
        import time
        if os.environ["SM_CURRENT_HOST_RANK"] == "1":
            raise RuntimeError("rank 1 is gone")
        while True:
            time.sleep(600)
        """,
        "RuntimeError: rank 1 is gone",
        "Traceback",
    ),
}


def check_failed(project: Project, ended: Ended, step: str) -> None:
    """Check what holds for every failed step of the example."""
    assert ended.code == FAILED, ended.text
    assert "Traceback" not in ended.err
    assert f"  {step}: Failed in " in ended.out
    assert "resume it with `pipelines run --resume " in ended.err
    (execution,) = project.seen()
    assert execution.status == "Failed"
    assert execution.steps[step] == "Failed"
    assert project.leftovers() == []


@pytest.mark.one_way
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_training_script_that_fails_is_explained(either: Project, case: Case) -> None:
    """Its reason is said once, below what it wrote last; what follows does not run."""
    either.script("train", case.body)
    ended = either.run("run")
    check_failed(either, ended, "train")
    assert ended.text.count(case.reason) == 1, ended.text
    tail = [line for line in ended.out.splitlines() if line.startswith("    | ")]
    assert any(case.log in line for line in tail), ended.out
    (execution,) = either.seen()
    assert execution.steps == {"prepare": "Succeeded", "aside": "Succeeded", "train": "Failed"}
    assert "  evaluate: not run, `train` ended as Failed" in ended.out
    assert case.log in either.run("logs", "--local", "latest", "train").out
    assert either.run("status", "--local", "latest").out.count(case.reason) == 1


def test_a_job_over_its_limit_is_ended(project: Project) -> None:
    """`max_runtime_in_seconds` is named; what the script started is ended with it.

    A slow machine may end the script before it prints; in each way of isolation it is ended by
    `tests/local/jobs`.
    """
    project.script(
        "train",
        """\
        import subprocess
        import sys
        import time
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        time.sleep(600)
        """,
    )
    project.edit("max_runtime_in_seconds: 60", "max_runtime_in_seconds: 1")
    ended = project.run("run")
    check_failed(project, ended, "train")
    assert "MaxRuntimeInSeconds (1 s)" in ended.out


def test_a_failed_execution_goes_on_once_the_script_is_mended(project: Project) -> None:
    """`run --resume` runs what was compiled: a mended script needs a new run, which is cached."""
    project.script("evaluate", "raise SystemExit(1)")
    assert project.run("run").code == FAILED
    before = project.calls()
    assert project.run("run", "--resume").code == FAILED
    project.script(
        "evaluate",
        'Path(os.environ["SM_OUT_REPORT"], "evaluation.json").write_text(\'{"auc": 0.9}\')',
    )
    ended = project.run("run")
    assert ended.code == 0, ended.text
    after = project.calls()
    assert after["evaluate"] == 3
    assert {name: after[name] for name in ("prepare", "train", "aside")} == {
        name: before[name] for name in ("prepare", "train", "aside")
    }


def test_what_an_execution_was_started_with_cannot_be_changed(project: Project) -> None:
    """Another parameter or environment beside --resume would be ignored: it is refused."""
    project.script("evaluate", "raise SystemExit(1)")
    failed = project.run("run")
    assert "after a change start a new one with `pipelines run`" in failed.err
    for changed in (("-p", "rounds=3"), ("--env", "prod")):
        ended = project.run("run", "--resume", *changed)
        assert ended.code == 2
        assert "start a new execution without --resume" in ended.err


def test_the_else_branch_fails_with_its_message_and_registers_nothing(project: Project) -> None:
    """The values are filled in; a Fail step's execution cannot be resumed."""
    ended = project.run("run", "-p", "min_auc=0.9")
    assert ended.code == FAILED
    assert "AUC 0.75 is below 0.9" in ended.out
    assert "--resume" not in ended.err
    (execution,) = project.seen()
    assert execution.steps["reject"] == "Failed"
    assert "register" not in execution.steps
    assert project.run("models", "--local").out.startswith("no models yet")
    again = project.run("run", "--resume")
    assert again.code == 2
    assert "there is nothing to resume" in again.err


def test_a_report_without_the_value_of_the_condition_fails_the_condition(project: Project) -> None:
    """The path that was asked for is named."""
    project.script(
        "evaluate", 'Path(os.environ["SM_OUT_REPORT"], "evaluation.json").write_text("{}")'
    )
    ended = project.run("run")
    check_failed(project, ended, "good-enough")
    assert "auc" in ended.out


def test_a_script_that_writes_no_report_fails_the_condition(project: Project) -> None:
    """The file that is missing is named."""
    project.script("evaluate", "")
    ended = project.run("run")
    check_failed(project, ended, "good-enough")
    assert "evaluation.json" in ended.out
