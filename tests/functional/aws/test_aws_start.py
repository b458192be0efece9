"""`start` against an account: what is sent, and what is shown until the end."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.functional.aws.account import Account
from tests.functional.aws.command import Command
from tests.functional.aws.executions import Frame, deploy, mend, step, write_log
from tests.functional.aws.proxy import Answer, Fault, refusal
from tests.functional.aws.seen import Seen
from tests.functional.aws.training_executions import BADLY, DEFINITION, GROUP, JOB, WELL

pytestmark = pytest.mark.usefixtures("quick_following")


def test_start_tells_the_id_and_how_to_follow(
    account: Account, project: Path, pipelines: Command
) -> None:
    """Parameters go as text; the request has a token that makes its retry safe."""
    del project
    deploy(account, DEFINITION)
    mends = mend(account, WELL)
    account.proxy.faults.append(Fault("StartPipelineExecution", refusal("ThrottlingException")))
    answer = pipelines("start", "-p", "epochs=7")
    assert answer.code == 0, answer.err
    assert answer.out.startswith("churn: execution ")
    execution = answer.out.split()[-1]
    assert f"pipelines status --follow {execution}" in answer.err
    (request,) = mends.started
    assert request["PipelineParameters"] == [{"Name": "epochs", "Value": "7"}]
    assert len(request["ClientRequestToken"]) == 32
    tokens = {
        seen.json()["ClientRequestToken"]
        for seen in account.proxy.seen
        if seen.operation == "StartPipelineExecution"
    }
    assert len(tokens) == 1


def test_wait_shows_what_a_local_run_shows(
    account: Account, project: Path, pipelines: Command
) -> None:
    """Steps with durations, the cache hit, the branch that was not taken, exit code 0."""
    del project
    deploy(account, DEFINITION)
    mend(account, WELL)
    answer = pipelines("start", "--wait")
    assert answer.code == 0, answer.err
    assert answer.out.splitlines()[1:] == [
        "  train: started (Training)",
        "  train: Succeeded in 1m 30s: cached from earlier",
        "  enough: started (Condition)",
        "  enough: Succeeded in 1m 30s",
        "  register: started (RegisterModel)",
        "  register: Succeeded in 1m 30s",
        "  reject: not run, `enough` took the other branch",
        "Succeeded in 2m 30s",
    ]


def test_a_failure_shows_the_log_of_its_step_and_exits_with_5(
    account: Account, project: Path, pipelines: Command
) -> None:
    """The last lines of CloudWatch, the reason, and what did not run because of it."""
    del project
    deploy(account, DEFINITION)
    mend(account, BADLY)
    write_log(account, GROUP, f"{JOB}-0/algo-1-1790000000", [f"line {n}" for n in range(40)])
    answer = pipelines("start", "--wait")
    assert answer.code == 5
    assert "  train: Failed in 1m 30s: AlgorithmError: exit code 1\n" in answer.out
    shown = [line for line in answer.out.splitlines() if line.startswith("    | ")]
    assert shown == [f"    | line {n}" for n in range(20, 40)]
    assert "  enough: not run, `train` ended as Failed" in answer.out
    assert "ended as Failed" in answer.err


def test_a_log_that_may_not_be_read_is_one_line(
    account: Account, project: Path, pipelines: Command
) -> None:
    """Who may not read logs sees the failure all the same."""
    del project
    deploy(account, DEFINITION)
    mend(account, BADLY)
    denied = refusal("AccessDeniedException", "User: me is not authorized")
    account.proxy.faults.append(Fault("DescribeLogStreams", denied, -1))
    answer = pipelines("start", "--wait")
    assert answer.code == 5
    assert "its log cannot be read: AWS refused logs:DescribeLogStreams" in answer.out


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("CompletedWithFailures", "ended as CompletedWithFailures"),
        ("Hibernating", "`Hibernating`, a status that this version does not know"),
    ],
)
def test_a_rare_status_ends_the_following(
    status: str, said: str, account: Account, project: Path, pipelines: Command
) -> None:
    """A handled failure is an end, no success; nobody waits for ever for what may be an end."""
    del project
    deploy(account, DEFINITION)
    mend(account, [Frame("Executing"), Frame(status, [step("train", "Failed")])])
    answer = pipelines("start", "--wait")
    assert answer.code == 5
    assert said in answer.err


@pytest.mark.parametrize(
    ("bad", "operation"),
    [
        (refusal("ThrottlingException"), "DescribePipelineExecution"),
        (refusal("InternalFailure", status=500), "ListPipelineExecutionSteps"),
        (None, "DescribePipelineExecution"),
    ],
    ids=["throttled", "failing", "reset"],
)
@pytest.mark.usefixtures("no_pauses")
def test_a_transient_fault_does_not_end_the_following(
    bad: Answer | None, operation: str, account: Account, project: Path, pipelines: Command
) -> None:
    """More refusals than the gateway retries: it is told once, and the end is seen."""
    del project
    deploy(account, DEFINITION)
    mend(account, WELL)
    account.proxy.faults.append(Fault(operation, bad, 6, skip=1))
    answer = pipelines("start", "--wait")
    assert answer.code == 0, answer.err
    assert answer.err.count("the execution continues") == 1
    assert answer.out.endswith("Succeeded in 2m 30s\n")


def test_credentials_that_expire_say_how_to_go_on(
    account: Account, project: Path, pipelines: Command
) -> None:
    """The execution does not need them; who logs in again follows it again."""
    del project
    deploy(account, DEFINITION)
    mend(account, WELL)
    expired = refusal("ExpiredTokenException", "The security token has expired")
    account.proxy.faults.append(Fault("ListPipelineExecutionSteps", expired, -1, skip=1))
    answer = pipelines("start", "--wait")
    assert answer.code == 4
    assert "the AWS credentials have expired" in answer.err
    assert "log in again" in answer.err
    execution = answer.out.split()[2]
    assert f"pipelines status --follow {execution}" in answer.err
    account.proxy.faults.clear()
    again = pipelines("status", "--follow", execution)
    assert again.code == 0, again.err
    assert again.out.endswith("Succeeded in 2m 30s\n")


def test_ctrl_c_leaves_the_execution_running(
    account: Account, project: Path, pipelines: Command
) -> None:
    """It says how to go on following and how to stop it, and nothing is stopped."""
    del project
    deploy(account, DEFINITION)
    mends = mend(account, [Frame("Executing", [step("train")])])

    def interrupt(seen: Seen) -> None:
        if seen.operation == "ListPipelineExecutionSteps":
            account.proxy.on_call = lambda _: None
            os.kill(os.getpid(), signal.SIGINT)

    account.proxy.on_call = interrupt
    answer = pipelines("start", "--wait")
    assert answer.code == 130
    execution = answer.out.split()[2]
    assert f"pipelines status --follow {execution}" in answer.err
    assert f"pipelines stop {execution}" in answer.err
    assert mends.stopped == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("-p", "epoch=3"), "no parameter `epoch`"),
        (("-p", "epochs=many"), "of type Integer"),
        (("-p", "mode=ugly"), "it can be `good`, `bad`"),
        (("--from", "latest"), "--select"),
        (("--select", "trian"), "did you mean `train`?"),
        (("--only", "train+"), "write --select train+"),
        (("--only", "train", "--select", "enough"), "exclude each other"),
        (("--only", "train,"), "names no step"),
    ],
)
def test_a_start_that_does_not_fit_is_refused_before_it_is_sent(
    given: tuple[str, ...], said: str, account: Account, project: Path, pipelines: Command
) -> None:
    """The service would take an unknown value and fail later, or not say which are known."""
    del project
    deploy(account, DEFINITION)
    answer = pipelines("start", *given)
    assert answer.code == 2
    assert said in answer.err
    assert account.proxy.changes() == []


def test_what_is_not_deployed_cannot_be_started(
    account: Account, project: Path, pipelines: Command
) -> None:
    """The remedy is `upsert`."""
    del project, account
    answer = pipelines("start")
    assert answer.code == 2
    assert "there is no pipeline `churn`" in answer.err
    assert "pipelines upsert" in answer.err


def test_selected_steps_run_on_the_results_of_an_execution(
    account: Account, project: Path, pipelines: Command
) -> None:
    """By `+`, `--from` by id; what the source was given is passed on: the service does not."""
    del project
    deploy(account, DEFINITION)
    mends = mend(account, WELL)
    first = pipelines("start", "--wait", "-p", "epochs=7").out.split()[2]
    answer = pipelines("start", "--select", "enough+", "--from", first)
    assert answer.code == 0, answer.err
    config = mends.started[1]["SelectiveExecutionConfig"]
    selected = [item["StepName"] for item in config["SelectedSteps"]]
    assert selected == ["enough", "register", "reject"]
    assert config["SourcePipelineExecutionArn"].endswith(f":pipeline/churn/execution/{first}")
    assert mends.started[1]["PipelineParameters"] == [{"Name": "epochs", "Value": "7"}]
    assert f"train from {first}; parameters of {first}: epochs=7" in answer.err


def test_what_selective_execution_refuses_is_not_sent(
    account: Account, project: Path, pipelines: Command
) -> None:
    """A gap between steps, a source without what is needed, a source that runs."""
    del project
    deploy(account, DEFINITION)
    mends = mend(account, [*BADLY])
    gap = pipelines("start", "--only", "train,register")
    assert (gap.code, "`enough` is between selected steps" in gap.err) == (2, True)
    running = pipelines("start").out.split()[-1]
    early = pipelines("start", "--only", "enough", "--from", running)
    assert f"execution {running} is Executing: its results cannot be used" in early.err
    unmet = pipelines("start", "--only", "enough", "--from", running)
    assert "need `train`, which did not succeed in the source" in unmet.err
    none = pipelines("start", "--only", "enough")
    assert "need `train`, and no execution of churn has its results" in none.err
    assert len(mends.started) == 1


def test_selected_steps_take_the_latest_results_unless_told_otherwise(
    account: Account, project: Path, pipelines: Command
) -> None:
    """The service takes none by itself; an execution that has not ended has none to give.

    A step that needs no results needs no source.
    """
    del project
    deploy(account, DEFINITION)
    mends = mend(account, [Frame("Executing"), *WELL])
    assert pipelines("start", "--select", "train").code == 0
    assert "SourcePipelineExecutionArn" not in mends.started[0]["SelectiveExecutionConfig"]
    first = pipelines("start", "--wait").out.split()[2]
    running = pipelines("start").out.split()[-1]
    assert pipelines("start", "--select", "train").code == 0
    source = mends.started[3]["SelectiveExecutionConfig"]["SourcePipelineExecutionArn"]
    assert source.endswith(f"/execution/{first}")
    assert running not in source
