"""What commands say to type next leads to the same place: the same spec, the same environment."""

from __future__ import annotations

import os
import shlex
import signal
from pathlib import Path

import pytest

from tests.functional.aws.account import Account
from tests.functional.aws.command import Command
from tests.functional.aws.executions import Frame, deploy, mend, step
from tests.functional.aws.seen import Seen

DEFINITION = {
    "Version": "2020-12-01",
    "Parameters": [],
    "Steps": [{"Name": "train", "Type": "Training", "Arguments": {}}],
}
PLACE = ("-f", "its own.yaml", "--env", "prod")


@pytest.fixture
def elsewhere(project: Path, account: Account) -> Account:
    """Give the spec another name, and the account a pipeline that runs."""
    (project / "pipeline.yaml").rename(project / "its own.yaml")
    deploy(account, DEFINITION)
    mend(account, [Frame("Executing", [step("train")])])
    return account


@pytest.mark.usefixtures("quick_following")
def test_ctrl_c_says_how_to_stop_it_there(elsewhere: Account, pipelines: Command) -> None:
    """Typed as it is printed, it stops that execution and not one of another account."""

    def interrupt(seen: Seen) -> None:
        if seen.operation == "ListPipelineExecutionSteps":
            elsewhere.proxy.on_call = lambda _: None
            os.kill(os.getpid(), signal.SIGINT)

    elsewhere.proxy.on_call = interrupt
    answer = pipelines("start", *PLACE, "--wait")
    assert answer.code == 130
    execution = answer.out.split()[2]
    stop = f"stop -f 'its own.yaml' --env prod {execution}"
    assert f"`pipelines {stop}`" in answer.err
    assert f"`pipelines status --follow -f 'its own.yaml' --env prod {execution}`" in answer.err
    stopped = pipelines(*shlex.split(stop))
    assert stopped.code == 0, stopped.err
    assert execution in stopped.out


def test_start_and_destroy_name_the_place_too(elsewhere: Account, pipelines: Command) -> None:
    """How to follow, and what to stop first."""
    del elsewhere
    started = pipelines("start", *PLACE)
    execution = started.out.split()[-1]
    assert f"status --follow -f 'its own.yaml' --env prod {execution}" in started.err
    refused = pipelines("destroy", *PLACE, "--yes")
    assert f"pipelines stop -f 'its own.yaml' --env prod {execution}" in refused.err
