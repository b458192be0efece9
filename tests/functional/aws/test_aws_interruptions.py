"""`upsert` over a connection that fails: what is refused is said, what was begun can be finished.

That an upsert may end at any of its calls is tested in tests/unit/account, in memory.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.functional.aws.account import Account
from tests.functional.aws.command import Command
from tests.functional.aws.finishing import UPSERT, change_everything, finish, is_whole
from tests.functional.aws.project import PIPELINE, edit
from tests.functional.aws.proxy import Answer, Fault, refusal
from tests.functional.aws.seen import Seen

pytestmark = pytest.mark.usefixtures("no_pauses")

ROOT = Path(__file__).parents[3]


def test_killed_the_next_upsert_finishes(
    account: Account, project: Path, pipelines: Command
) -> None:
    """SIGKILL, while the pipeline is being updated."""
    pipelines(*UPSERT)
    change_everything(project, 1)
    running = subprocess.Popen(
        [sys.executable, "-m", "pipelines", *UPSERT],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def kill(seen: Seen) -> None:
        if seen.operation == "UpdatePipeline":
            running.kill()

    account.proxy.on_call = kill
    assert running.wait(60) == -signal.SIGKILL
    account.proxy.on_call = lambda _: None
    assert is_whole(account)
    finish(account, pipelines)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_reset_is_tried_again(
    account: Account, project: Path, pipelines: Command, *, after: bool
) -> None:
    """Also when the call was done and only its answer was lost: the request token says so."""
    del project
    account.proxy.faults.append(Fault("CreatePipeline", None, after=after))
    answer = pipelines(*UPSERT)
    assert answer.code == 0, answer.err
    account.proxy.seen.clear()
    assert pipelines("upsert").code == 0
    assert account.proxy.changes() == []


@pytest.mark.parametrize("operation", ["HeadObject", "CreatePipeline"])
@pytest.mark.parametrize("code", ["ThrottlingException", "InternalFailure"])
def test_throttling_and_failures_that_pass(
    account: Account, project: Path, pipelines: Command, operation: str, code: str
) -> None:
    """Three times each, of S3 and of SageMaker; the fourth attempt succeeds."""
    del project
    status = 500 if code == "InternalFailure" else 429
    account.proxy.faults.append(Fault(operation, refusal(code, status=status), 3))
    assert pipelines(*UPSERT).code == 0


@pytest.mark.parametrize("status", [200, 502])
def test_the_page_of_a_proxy_is_no_answer(
    account: Account, project: Path, pipelines: Command, status: int
) -> None:
    """Something in between answers in HTML: said as such, and no bug of ours."""
    del project
    page = Answer(status, b"<!doctype html>\n<title>Please log in<h1>")
    account.proxy.faults.append(Fault("GetCallerIdentity", page, -1))
    answer = pipelines(*UPSERT)
    assert answer.code == 4, answer.err
    assert "did not come from AWS" in answer.err
    assert account.proxy.changes() == []


def test_a_page_of_html_is_not_printed(account: Account, project: Path, pipelines: Command) -> None:
    """Where a service in trouble answers with one, it says nothing to anybody."""
    del project
    page = Answer(502, b"<!doctype html>\n<title>Bad Gateway</title>\n")
    account.proxy.faults.append(Fault("DescribePipeline", page, -1))
    answer = pipelines(*UPSERT)
    assert answer.code == 4
    assert "502: a page of HTML" in answer.err
    assert "<" not in answer.err


def test_two_upserts_at_once_do_not_mix(
    account: Account, project: Path, pipelines: Command
) -> None:
    """The second deploys while the first is uploading: the first changes nothing more."""
    pipelines(*UPSERT)
    edit(project / "steps/train.py", "training", "first")
    other: list[str] = []

    def overtake(seen: Seen) -> None:
        if seen.operation != "PutObject" or other:
            return
        other.append("changed")
        definition = account.pipeline(PIPELINE)["PipelineDefinition"].replace("P30D", "P31D")
        account.client("sagemaker").update_pipeline(
            PipelineName=PIPELINE, PipelineDefinition=definition
        )

    account.proxy.on_call = overtake
    account.proxy.seen.clear()
    answer = pipelines(*UPSERT)
    assert answer.code == 4
    assert "has changed since" in answer.err
    assert account.proxy.changes() == ["PutObject"]
    account.proxy.on_call = lambda _: None
    answer = pipelines(*UPSERT)
    assert answer.code == 0, answer.err
    assert "P31D" not in account.pipeline(PIPELINE)["PipelineDefinition"]


def test_two_first_upserts_at_once(account: Account, project: Path, pipelines: Command) -> None:
    """The other made the pipeline between our reading and our creating it."""
    del project

    def overtake(seen: Seen) -> None:
        if seen.operation == "CreatePipeline":
            account.proxy.on_call = lambda _: None
            account.client("sagemaker").create_pipeline(
                PipelineName=PIPELINE,
                PipelineDefinition="{}",
                ClientRequestToken="0" * 32,
                RoleArn="arn:aws:iam::123456789012:role/jobs",
            )

    account.proxy.on_call = overtake
    answer = pipelines(*UPSERT)
    assert answer.code == 4
    assert "somebody else is changing the same resource" in answer.err
