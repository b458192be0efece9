"""An asynchronous endpoint: its sample, and the ways to it and away from it."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.programs.deploy.model import DeployError, DeploymentTarget
from pipelines.programs.deploy.reconcile import Options, reconcile
from tests.unit.programs.deploy_account import Account, KilledError, target

INSTANCES = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
OUTPUT = {"S3OutputPath": "s3://b/answers", "S3FailurePath": "s3://b/errors"}


def asynchronous(**changes: Any) -> DeploymentTarget:
    """Make an asynchronous target."""
    config = {"AsyncInferenceConfig": {"OutputConfig": OUTPUT}}
    return target(mode="asynchronous", variant=INSTANCES, config=config)._replace(**changes)


def test_the_sample_is_an_object_and_so_is_its_answer() -> None:
    """The service takes no body, and InvokeEndpoint is refused."""
    account = Account({1: "Approved"})
    outcome = reconcile(account.clients, asynchronous(), Options(pause=0))
    assert (outcome.live, outcome.failures) == (1, ())
    assert account.outcomes() == [(1, "succeeded")]
    assert any(key.startswith("answers/input/") for key in account.objects)


def test_a_sample_that_comes_while_too_many_do_is_sent_again() -> None:
    """As to any other endpoint: nothing is wrong with the version."""
    account = Account({1: "Approved"}, busy=1)
    outcome = reconcile(account.clients, asynchronous(), Options(pause=0))
    assert (outcome.live, outcome.failures, account.busy) == (1, (), 0)


def test_an_object_at_the_failure_location_is_a_failed_sample() -> None:
    """The next lower version goes live, and the reason is the one of the object."""
    account = Account({1: "Approved", 2: "Approved"}, mute={2})
    outcome = reconcile(account.clients, asynchronous(), Options(pause=0))
    assert outcome.live == 1
    assert outcome.failures == ((2, "the sample request was refused: no such feature"),)


@pytest.mark.parametrize(
    ("before", "after", "nouns"),
    [
        (
            target(mode="realtime", variant=INSTANCES),
            asynchronous(),
            "is a real-time endpoint and cannot become an asynchronous endpoint",
        ),
        (
            asynchronous(),
            target(mode="realtime", variant=INSTANCES),
            "is an asynchronous endpoint and cannot become a real-time endpoint",
        ),
        (
            target(),
            asynchronous(),
            "is a serverless endpoint and cannot become an asynchronous endpoint",
        ),
        (
            target(mode="realtime", variant=INSTANCES),
            target(),
            "is a real-time endpoint and cannot become a serverless endpoint",
        ),
    ],
)
def test_a_switch_that_no_update_makes_is_refused_before_anything_happens(
    before: DeploymentTarget, after: DeploymentTarget, nouns: str
) -> None:
    """With `replace: true` the gap is announced, and the endpoint is created again."""
    account = Account({1: "Approved"})
    reconcile(account.clients, before, Options(pause=0))
    calls = len(account.calls)
    with pytest.raises(DeployError, match=nouns) as refused:
        reconcile(account.clients, after, Options(pause=0))
    assert "`replace: true`" in str(refused.value)
    assert len(account.calls) == calls
    said: list[str] = []
    options = Options(pause=0, report=said.append)
    outcome = reconcile(account.clients, after._replace(replace=True), options)
    assert outcome.live == 1
    assert "does not answer meanwhile" in said[0]
    assert "create_config" in account.calls[calls : account.calls.index("delete")]
    again = reconcile(account.clients, after._replace(replace=True), options)
    assert not again.changed


def test_an_endpoint_comes_back_as_it_was_where_its_replacement_does_not_answer() -> None:
    """What worked last is the only thing that is known to work."""
    account = Account({1: "Approved"})
    reconcile(account.clients, target(mode="realtime", variant=INSTANCES), Options(pause=0))
    mute = asynchronous(replace=True, environment={"MUTE": "1"})
    outcome = reconcile(account.clients, mute, Options(pause=0))
    assert (outcome.live, outcome.changed) == (1, True)
    assert outcome.failures == ((1, "the sample request was refused: no such feature"),)
    assert account.endpoint is not None
    assert not account.is_asynchronous(account.endpoint["EndpointConfigName"])


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("call", range(12))
def test_a_replacement_that_is_killed_anywhere_is_finished_by_the_next_deployer(
    call: int,
    *,
    after: bool,
) -> None:
    """Between the deletion and the creation there is no endpoint, and then one is due."""
    account = Account({1: "Approved"})
    reconcile(account.clients, target(mode="realtime", variant=INSTANCES), Options(pause=0))
    account.kill_at, account.kill_after = len(account.calls) + call, after
    wanted = asynchronous(replace=True)
    try:
        reconcile(account.clients, wanted, Options(pause=0))
    except KilledError:
        account.kill_at = None
    assert reconcile(account.clients, wanted, Options(pause=0)).live == 1
    assert account.endpoint is not None
    assert account.endpoint["EndpointConfigName"] in account.configs
    assert account.is_asynchronous(account.endpoint["EndpointConfigName"])
