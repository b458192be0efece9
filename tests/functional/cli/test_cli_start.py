"""`start`, `status --follow`, `stop`, `logs` and `models show` on the local SageMaker."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.backends.aws.gateway import Gateway
from tests.functional.cli.test_cli_run import EVALUATE, REGISTRATION, SERVE, TRAIN
from tests.logs import written

if TYPE_CHECKING:
    from tests.functional.cli.conftest import Command, Processes

SLOW = '''\
"""Says that it is there, and waits to be stopped."""

import signal
import sys
import threading

print("waiting", flush=True)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
threading.Event().wait()
'''


def git(*arguments: str) -> str:
    """Run git in the current folder."""
    identity = ("-c", "user.name=me", "-c", "user.email=me@example.com")
    return subprocess.run(
        ["git", *identity, *arguments],  # noqa: S607 - git by its name
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


@pytest.fixture
def registering(project: Path) -> Path:
    """Make the project one that registers a model."""
    spec = REGISTRATION.replace("cpu}", "cpu, cache: 30d}")
    (project / "pipeline.yaml").write_text(spec, "utf-8")
    (project / "steps" / "train.py").write_text(TRAIN, "utf-8")
    (project / "steps" / "evaluate.py").write_text(EVALUATE, "utf-8")
    (project / "serving").mkdir()
    (project / "serving" / "inference.py").write_text(SERVE, "utf-8")
    return project


def deploy(pipelines: Command) -> None:
    """Put the pipeline into the local SageMaker."""
    answer = pipelines("run", "-p", "count=2")
    assert answer.code == 0, answer.err


@pytest.mark.usefixtures("project")
def test_start_with_wait_executes_what_is_deployed(pipelines: Command) -> None:
    """The same lines as `run`, the exit code of the execution, and it is listed."""
    deploy(pipelines)
    answer = pipelines("start", "--local", "--wait", "-p", "count=4")
    assert answer.code == 0, answer.err
    lines = answer.out.splitlines()
    assert lines[0].startswith("small: execution ")
    assert "  make: started (Processing)" in lines
    assert "  reject: not run, `enough` took the other branch" in lines
    assert lines[-1].startswith("Succeeded in ")
    execution = lines[0].split()[-1]
    assert pipelines("status", "--local").out.splitlines()[1].split()[0] == execution
    assert (
        written(pipelines("logs", "--local", execution, "use").out) == "rows: word word word word\n"
    )
    assert pipelines("logs", "--local", "--follow", execution, "use").out.startswith("rows:")
    again = pipelines("status", "--local", "--follow", execution)
    assert (again.code, again.out.splitlines()[-1][:9]) == (0, "Succeeded")


@pytest.mark.usefixtures("project")
def test_a_start_that_fails_shows_the_log_and_exits_with_5(pipelines: Command) -> None:
    """The log lines come from CloudWatch's operations, which the local API answers."""
    deploy(pipelines)
    answer = pipelines("start", "--local", "--wait", "-p", "mode=bad")
    assert answer.code == 5
    assert "make: Failed" in answer.out
    assert "    | the mode is bad" in answer.out
    assert "enough: not run, `make` ended as Failed" in answer.out


@pytest.mark.usefixtures("project")
def test_without_a_server_a_start_has_to_wait(pipelines: Command) -> None:
    """Nobody would execute it."""
    answer = pipelines("start", "--local")
    assert answer.code == 2
    assert "--wait" in answer.err
    assert "pipelines serve" in answer.err


@pytest.mark.usefixtures("project")
def test_what_is_not_deployed_here_is_a_usage_error(pipelines: Command) -> None:
    """Starting deploys nothing."""
    answer = pipelines("start", "--local", "--wait")
    assert answer.code == 2
    assert "pipelines upsert --local" in answer.err


def test_ctrl_c_stops_what_this_process_executes(
    project: Path, pipelines: Command, processes: Processes
) -> None:
    """The job is ended, the execution is Stopped, and can be followed and stopped no more."""
    deploy(pipelines)
    (project / "steps" / "use.py").write_text(SLOW, "utf-8")
    running = processes.start("run")
    assert running.stdout is not None
    for line in running.stdout:
        if "use: started" in line:
            break
    following = processes.start("logs", "--local", "--follow", "latest", "use")
    assert following.stdout is not None
    assert following.stdout.readline() == "waiting\n"
    all_of_them = processes.start("logs", "--local", "--follow")
    assert all_of_them.stdout is not None
    # The line of `make`, and that of its usage; "use | waiting" is the third.
    assert [all_of_them.stdout.readline() for _ in range(3)][2] == "use | waiting\n"
    assert pipelines("stop", "--local").code == 0
    assert running.wait(timeout=60) == 5
    assert all_of_them.wait(timeout=60) == 0
    all_of_them.communicate()
    assert following.wait(timeout=60) == 0
    running.communicate()
    following.communicate()
    started = processes.start("start", "--local", "--wait")
    assert started.stdout is not None
    for line in started.stdout:
        if "use: started" in line:
            break
    started.send_signal(signal.SIGINT)
    out, err = started.communicate(timeout=60)
    assert started.returncode == 5, err
    assert "Stopped in " in out
    assert "ended as Stopped" in err
    assert "nothing is running" in pipelines("stop", "--local").err


def test_a_running_server_executes_what_is_started(
    project: Path, pipelines: Command, processes: Processes
) -> None:
    """`start` returns at once, botocore finds the log in CloudWatch's operations."""
    deploy(pipelines)
    server = processes.start("serve", "--port", "0")
    try:
        assert server.stdout is not None
        while not (project / ".pipelines" / "serve.json").is_file():
            assert server.stdout.readline()
        answer = pipelines("start", "--local", "-p", "count=5")
        assert answer.code == 0, answer.err
        execution = answer.out.split()[-1]
        followed = pipelines("status", "--local", "--follow", execution)
        assert followed.code == 0, followed.out
        assert "small: execution" in followed.out
        url = json.loads((project / ".pipelines" / "serve.json").read_text())["url"]
        call = Gateway.local(url).call
        listed = call("sagemaker", "list_pipeline_executions", PipelineName="small")
        arn = listed["PipelineExecutionSummaries"][0]["PipelineExecutionArn"]
        steps = call("sagemaker", "list_pipeline_execution_steps", PipelineExecutionArn=arn)
        (use,) = [s for s in steps["PipelineExecutionSteps"] if s["StepName"] == "use"]
        job = use["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
        group = {"logGroupName": "/aws/sagemaker/ProcessingJobs"}
        found = call("logs", "describe_log_streams", **group, logStreamNamePrefix=job)["logStreams"]
        assert [s["logStreamName"] for s in found] == [f"{job}/algo-1"]
        stream = {"logStreamName": found[0]["logStreamName"]}
        events = call("logs", "get_log_events", **group, **stream)
        assert [e["message"] for e in events["events"]][:-1] == ["rows: word word word word word"]
    finally:
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=60)


def test_a_version_leads_back_to_its_execution_and_commit(
    registering: Path, pipelines: Command
) -> None:
    """The commit, `-dirty` where the folder differs from it; the data, parameters and metrics."""
    (registering / ".gitignore").write_text(".pipelines/\n")
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "-m", "first")
    head = git("rev-parse", "HEAD")
    assert pipelines("run").code == 0
    execution = pipelines("status", "--local").out.splitlines()[1].split()[0]
    shown = pipelines("models", "--local", "show", "words/1").out
    assert f"execution   {execution} of registers (Succeeded)" in shown
    assert f"commit      {head}\n" in shown
    assert "metric      auc = 0.7500" in shown
    (registering / "steps" / "extra.py").write_text("")
    answer = pipelines("start", "--local", "--wait")
    assert answer.code == 0, answer.err
    lineage = json.loads(pipelines("models", "--local", "show", "words/2", "--format", "json").out)
    assert lineage["commit"] == f"{head}-dirty"
    assert "cached from" in answer.out
    assert lineage["package"]["MetadataProperties"]["CommitId"] == f"{head}-dirty"


def test_a_start_of_what_the_checkout_is_not_records_no_commit(
    registering: Path, pipelines: Command
) -> None:
    """Else a version would name code that it was not made of."""
    (registering / ".gitignore").write_text(".pipelines/\n")
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "-m", "first")
    assert pipelines("run").code == 0
    train = registering / "steps" / "train.py"
    train.write_text(train.read_text("utf-8") + "print()\n", "utf-8")
    answer = pipelines("start", "--local", "--wait")
    assert answer.code == 0, answer.err
    assert "not what this checkout compiles to" in answer.err
    assert "commit      not recorded" in pipelines("models", "--local", "show", "words/2").out


@pytest.mark.usefixtures("registering")
def test_a_project_that_never_ran_is_deployed_and_started(pipelines: Command) -> None:
    """The same three commands as for an account; the version knows who ran it last."""
    deployed = pipelines("upsert", "--local")
    assert deployed.code == 0, deployed.err
    started = pipelines("start", "--local", "--wait")
    assert started.code == 0, started.out + started.err
    execution = started.out.split()[2]
    assert "words/1" in pipelines("models", "--local").out
    assert pipelines("versions", "--local").out.split()[-1] == execution
    assert "nothing to do" in pipelines("upsert", "--local").out


@pytest.mark.usefixtures("registering")
def test_a_version_that_is_not_there_is_a_usage_error(pipelines: Command) -> None:
    """So is a name that is none."""
    assert pipelines("run").code == 0
    for name in ("words/9", "nothing/1", "words", "words/x"):
        answer = pipelines("models", "--local", "show", name)
        assert answer.code == 2, name
        assert answer.err.startswith("error: "), name
