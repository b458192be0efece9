"""The last word: what does not answer is never "live", whatever led there."""

from __future__ import annotations

from itertools import product

import pytest

from tests.unit.programs.deploy_account import Account, KilledError, target
from tests.unit.programs.reconciling import QUICK, REALTIME, A, P, R, deploy

MODES = {"serverless": target(), "realtime": REALTIME}


@pytest.mark.parametrize("first", MODES)
@pytest.mark.parametrize("then", MODES)
def test_success_means_that_what_serves_has_answered(first: str, then: str) -> None:
    """Versions break after they were live, modes change, versions are rejected: all orders."""
    for mute, approvals in product(({1}, {2}, {1, 2}), ((A, R), (R, A), (A, A), (A, P))):
        account = Account({1: A})
        deploy(account, MODES[first])
        account.versions[2] = A
        deploy(account, MODES[first])
        account.mute = set(mute)
        account.versions = dict(enumerate(approvals, 1))
        what = MODES[then]._replace(replace=True)
        outcome = deploy(account, what)
        again = deploy(account, what)
        for last in (outcome, again):
            said = [text for text in last.messages if "is live" in text]
            assert not (said and last.live in mute and last.changed)
        if outcome.changed and not outcome.failed and account.live() is not None:
            assert account.live() not in mute


def test_a_version_that_goes_live_again_has_to_answer_again() -> None:
    """It worked once: that says nothing of today."""
    account = Account({1: A})
    deploy(account, REALTIME)
    account.versions[2] = A
    deploy(account, REALTIME)
    account.mute = {1}
    account.versions[2] = R
    outcome = deploy(account, REALTIME)
    assert [number for number, _ in outcome.failed] == [1]
    assert not any("is live" in text for text in outcome.messages)


def test_whoever_is_killed_before_the_test_leaves_it_to_the_next_one() -> None:
    """The history says that it has to answer again."""
    account = Account({1: A})
    deploy(account, REALTIME)
    account.versions[2] = A
    deploy(account, REALTIME)
    account.versions[2], account.mute = R, {1}
    account.kill_at, account.kill_after = len(account.calls) + 1, True  # after the update
    with pytest.raises(KilledError):
        deploy(account, REALTIME)
    account.kill_at = None
    assert account.live() in {1, None}
    assert [number for number, _ in deploy(account, REALTIME).failed] == [1]


@pytest.mark.parametrize("mute", [set[int](), {1}])
def test_a_version_that_nobody_approves_any_more_has_to_answer_before_it_stays(
    mute: set[int],
) -> None:
    """It was rejected, or the deployer killed, between the endpoint's creation and the sample."""
    account = Account({1: A}, mute=mute, kill_at=2, kill_after=True)  # model, config, endpoint
    with pytest.raises(KilledError):
        deploy(account, REALTIME)
    account.kill_at = None
    account.versions[1] = R
    outcome = deploy(account, REALTIME)
    assert account.live() == (None if mute else 1)
    assert [number for number, _ in outcome.failed] == sorted(mute)
    assert any("stays live" in text for text in outcome.messages) == (not mute)
    assert not deploy(account, REALTIME).changed


def test_an_endpoint_is_deleted_with_its_last_approved_version_where_that_is_wanted() -> None:
    """A dry run says so; without the key it stays; a version that is still made is awaited."""
    gone = REALTIME._replace(delete_when_none=True)
    account = Account({1: A})
    deploy(account, gone)
    account.versions[1] = R
    planned = deploy(account, gone, QUICK._replace(dry_run=True))
    assert planned.messages[0] == "delete e: no version of g is approved any more"
    assert "stays live" in deploy(account, REALTIME).messages[0]
    account.versions[2], account.statuses[2] = A, "InProgress"
    assert "stays live" in deploy(account, gone).messages[0]
    del account.versions[2]
    outcome = deploy(account, gone)
    assert (account.endpoint, outcome.failed) == (None, ())
    assert not deploy(account, gone).changed


def test_what_others_put_live_is_never_deleted_for_the_lack_of_a_version() -> None:
    """It serves nothing of the group."""
    account = Account({1: R})
    account.models["theirs"] = {"PrimaryContainer": {"Image": "i"}}
    variants = [{"VariantName": "v", "ModelName": "theirs", "InstanceType": "ml.m5.large"}]
    account.configs["theirs"] = {"ProductionVariants": variants}
    account.endpoint = {"EndpointStatus": "InService", "EndpointConfigName": "theirs"}
    assert not deploy(account, REALTIME._replace(delete_when_none=True)).changed
