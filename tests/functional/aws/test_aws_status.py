"""`status`, `stop` and `logs` against an account."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from pipelines.cli.commands import logs
from tests.functional.aws.account import Account
from tests.functional.aws.command import Command
from tests.functional.aws.executions import ExecutionMends, Frame, deploy, mend, step, write_log
from tests.functional.aws.seen import Seen
from tests.functional.aws.training_executions import BADLY, DEFINITION, GROUP, JOB, TRAINING


def test_status_lists_executions_and_the_steps_of_one(
    account: Account, project: Path, pipelines: Command
) -> None:
    """Text for people, the API's own entries as JSON."""
    del project
    assert "no executions yet: pipelines start" in pipelines("status").out
    deploy(account, DEFINITION)
    mend(account, BADLY[1:])
    execution = pipelines("start").out.split()[-1]
    listed = pipelines("status").out.splitlines()
    assert listed[1].split()[:3] == [execution, "churn", "Failed"]
    one = pipelines("status", execution).out
    assert one == pipelines("status", "latest").out
    assert "train  Failed  1m 30s  AlgorithmError: exit code 1" in one
    rows = json.loads(pipelines("status", execution, "--format", "json").out)
    assert rows[0]["StepName"] == "train"
    unknown = pipelines("status", "nothing")
    assert (unknown.code, execution in unknown.err) == (2, True)


def test_stop_ends_the_one_that_runs(account: Account, project: Path, pipelines: Command) -> None:
    """Without an id when there is just one; what has ended is not stopped."""
    del project
    deploy(account, DEFINITION)
    running = [Frame("Executing", [step("train")])]
    mends: ExecutionMends = mend(account, running)
    assert "nothing is running" in pipelines("stop").err
    first = pipelines("start").out.split()[-1]
    assert pipelines("stop").code == 0
    assert [arn.rpartition("/")[2] for arn in mends.stopped] == [first]
    second = pipelines("start").out.split()[-1]
    several = pipelines("stop")
    assert several.code == 2
    assert {first, second} <= set(several.err.replace(",", " ").split())
    assert pipelines("stop", second).code == 0
    mends.script = [Frame("Succeeded")]
    ended = pipelines("stop", second)
    assert ended.code == 2
    assert "has ended as Succeeded" in ended.err


def test_logs_print_every_host_and_every_attempt(
    account: Account, project: Path, pipelines: Command
) -> None:
    """A header says whose lines follow; a neighbour's log is not among them."""
    del project
    deploy(account, DEFINITION)
    again = {"TrainingJob": {"Arn": f"arn:aws:sagemaker:us-east-1:1:training-job/{JOB[:-1]}x-1"}}
    mend(account, [Frame("Failed", [step("train", "Failed", Metadata=again, AttemptCount=2)])])
    write_log(account, GROUP, f"{JOB}-0/algo-1-1790000000", ["first"])
    write_log(account, GROUP, f"{JOB[:-1]}x-1/algo-1-1790000001", ["one"])
    write_log(account, GROUP, f"{JOB[:-1]}x-1/algo-2-1790000001", ["two"])
    write_log(account, GROUP, "pipelines-abcdefghijkl-train-more-0123456789-0/algo-1-1", ["no"])
    execution = pipelines("start").out.split()[-1]
    answer = pipelines("logs", execution, "train")
    assert answer.code == 0, answer.err
    lines = answer.out.splitlines()
    assert [line for line in lines if not line.startswith("==>")] == ["first", "one", "two"]
    assert len(lines) == 6
    wrong = pipelines("logs", execution, "trian")
    assert wrong.code == 2
    assert "did you mean `train`?" in wrong.err


def test_logs_without_a_step_are_all_by_time(
    account: Account, project: Path, pipelines: Command
) -> None:
    """Each line stands behind the name of its step, and of its host where that is not the first."""
    del project
    deploy(account, DEFINITION)
    other = "pipelines-abcdefghijkl-check-0123456789-0"
    check = {"TrainingJob": {"Arn": f"arn:aws:sagemaker:us-east-1:1:training-job/{other}"}}
    known = [step("train", Metadata=TRAINING), step("check", "Succeeded", Metadata=check)]
    mend(account, [Frame("Executing", known)])
    now = int(time.time() * 1000)
    for stream, times in ((f"{JOB}-0/algo-1-1", (1, 4)), (f"{JOB}-0/algo-2-1", (2,))):
        write_log(account, GROUP, stream, [], {f"train {at}": now + at for at in times})
    write_log(account, GROUP, f"{other}/algo-1-1", [], {"check 3": now + 3})
    execution = pipelines("start").out.split()[-1]
    answer = pipelines("logs", execution)
    assert answer.code == 0, answer.err
    assert answer.out.splitlines() == [
        "train | train 1",
        "train/algo-2 | train 2",
        "check | check 3",
        "train | train 4",
    ]


def test_logs_follow_until_the_step_has_ended(
    account: Account, project: Path, pipelines: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines that come while it is looked at are printed once each."""
    del project
    deploy(account, DEFINITION)
    running = Frame("Executing", [step("train", Metadata=TRAINING)])
    ended = Frame("Executing", [step("train", "Succeeded", Metadata=TRAINING)])
    mend(account, [running, running, running, ended])
    stream = f"{JOB}-0/algo-1-1790000000"
    write_log(account, GROUP, stream, ["first"])
    written: list[str] = []

    def more(seen: Seen) -> None:
        if seen.operation != "DescribePipelineExecution":
            return
        line = f"later {len(written)}"
        written.append(line)
        event = {"timestamp": int(time.time() * 1000) + len(written), "message": line}
        account.client("logs").put_log_events(
            logGroupName=GROUP, logStreamName=stream, logEvents=[event]
        )

    execution = pipelines("start").out.split()[-1]
    account.proxy.on_call = more
    monkeypatch.setattr(logs, "_SECONDS", 0.01)
    answer = pipelines("logs", "--follow", execution, "train")
    assert answer.code == 0, answer.err
    assert answer.out.splitlines() == ["first", *written]
    assert written
