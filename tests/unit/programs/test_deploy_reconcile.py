"""The deployer: what it decides, what it calls, and what becomes of a version that fails."""

from __future__ import annotations

import itertools
import json

import pytest

from pipelines.programs.deploy.model import DeployError
from tests.unit.programs.deploy_account import KILLED, Account, target
from tests.unit.programs.reconciling import QUICK, REALTIME, A, P, R, deploy

FIRST = ["create_model", "create_config"]


@pytest.mark.parametrize(
    ("registry", "live", "message", "calls", "then"),
    [
        ({}, None, "there is no approved version of g yet", [], None),
        ({1: P}, None, "waiting for approval of g/1", [], None),
        ({1: R}, None, "there is no approved version of g yet", [], None),
        ({1: R, 2: P}, None, "waiting for approval of g/2", [], None),
        ({1: A}, None, "g/1 is live", [*FIRST, "create 1", "wrote succeeded"], 1),
        ({1: A, 2: P}, None, "g/1 is live", [*FIRST, "create 1", "wrote succeeded"], 1),
        ({1: A, 2: A}, None, "g/2 is live", [*FIRST, "create 2", "wrote succeeded"], 2),
        ({1: A}, 1, "g/1 is live", [], 1),
        ({1: A, 2: A}, 1, "g/2 is live", [*FIRST, "update 2", "wrote succeeded"], 2),
        ({1: A, 2: A}, 2, "g/2 is live", [], 2),
        ({1: A, 2: R}, 2, "g/1 is live", [*FIRST, "update 1", "wrote succeeded"], 1),
        ({1: R, 2: P}, 1, "g/1 stays live, since no version can replace it", [], 1),
    ],
)
def test_the_table(
    registry: dict[int, str], live: int | None, message: str, calls: list[str], then: int | None
) -> None:
    """(registry, endpoint) → calls that change something, and what is live then."""
    account = Account(dict(registry))
    if live is not None:
        account.versions = {live: A}
        deploy(account)
        account.versions, account.calls = dict(registry), []
    outcome = deploy(account)
    assert account.calls == calls
    assert outcome.messages[0].startswith(message)
    assert account.live() == outcome.live == then


@pytest.mark.parametrize("approvals", list(itertools.product((A, P, R), repeat=3)))
@pytest.mark.parametrize("live", [None, 1, 2, 3])
@pytest.mark.parametrize("failed", [(), (2,), (3,), (2, 3)])
def test_the_highest_approved_version_that_works_is_live(
    approvals: tuple[str, ...], live: int | None, failed: tuple[int, ...]
) -> None:
    """All approval states of three versions, whatever was live and whatever does not load."""
    account = Account({live: A} if live else {})
    deploy(account)
    account.versions = dict(enumerate(approvals, 1))
    account.broken = set(failed) - {live}
    deploy(account)
    good = [n for n, status in account.versions.items() if status == A and n not in account.broken]
    assert account.live() == (max(good) if good else live)
    account.calls = []
    assert not deploy(account).failures
    assert account.calls == [], "twice changes nothing"


def test_a_version_that_does_not_load_leaves_the_old_one_and_is_not_tried_again() -> None:
    """The failure is told once as one, then as what is known; `retry` forgets it."""
    account = Account({1: A})
    deploy(account)
    account.versions[2], account.broken = A, {2}
    outcome = deploy(account)
    assert (outcome.live, outcome.failures) == (1, ((2, "does not load"),))
    again = deploy(account)
    assert (again.live, again.failures, again.changed) == (1, (), False)
    assert again.messages == ("g/1 is live", "g/2 is newer and failed here: does not load")
    account.broken = set()
    assert deploy(account, options=QUICK._replace(retry=2)).live == 2
    assert account.outcomes() == [(1, "succeeded"), (2, "failed"), (2, "retry"), (2, "succeeded")]


@pytest.mark.parametrize("before", [{}, {1: A}])
@pytest.mark.parametrize("kills", [1, 2])
def test_a_version_that_the_machine_kills_is_tried_again(
    before: dict[int, str], kills: int
) -> None:
    """At once, whether the endpoint is created or updated; it has not failed."""
    account = Account(dict(before))
    deploy(account)
    account.versions[2], account.killed = A, {2: kills}
    outcome = deploy(account)
    assert (outcome.live, outcome.failures, outcome.failed) == (2, (), ())
    tries = [(2, "killed"), (2, "repeated")] * kills
    assert [one for one in account.outcomes() if one[0] == 2] == [*tries, (2, "succeeded")]
    account.calls = []
    assert deploy(account).failures == ()
    assert account.calls == []


@pytest.mark.parametrize("before", [{}, {1: A}])
def test_a_version_that_is_killed_three_times_in_a_row_has_failed(before: dict[int, str]) -> None:
    """Something of it asks for more than the machine has; `retry` forgets that as well."""
    account = Account(dict(before))
    deploy(account)
    account.versions[2], account.killed = A, {2: 3}
    outcome = deploy(account)
    assert outcome.live == (1 if before else None)
    assert outcome.failures == ((2, f"{KILLED}, 3 times in a row"),)
    account.calls = []
    known = ((2, f"{KILLED}, 3 times in a row"),)
    assert deploy(account).known == known
    assert account.calls == []
    assert deploy(account, options=QUICK._replace(retry=2)).live == 2


def test_a_server_that_is_killed_by_the_sample_request_is_asked_again() -> None:
    """Three times, as one that is killed while it loads."""
    account = Account({1: A}, mute={1}, refusal=KILLED)
    outcome = deploy(account)
    assert [one for _, one in account.outcomes()] == ["killed"] * 3
    assert outcome.failures == ((1, f"the sample request was refused: {KILLED}, 3 times in a row"),)


def test_no_capacity_is_not_a_failure_of_the_version() -> None:
    """The service says so in FailureReason."""
    reason = "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity"
    account = Account({1: A}, killed={1: 1}, kill_reason=f"{reason} error.")
    assert deploy(account).live == 1


def test_nothing_is_a_success_while_the_wanted_version_failed_and_nothing_serves() -> None:
    """Whoever tried it, and however long ago; with an older version live it is one."""
    account = Account({1: A}, broken={1})
    assert deploy(account).failed == ((1, "does not load"),)
    assert deploy(account).failed == ((1, "does not load"),)
    account.versions[1] = R
    assert deploy(account).failed == ()
    account.versions[2] = A
    assert deploy(account).failed == ()
    account.versions[3], account.broken = A, {3}
    assert deploy(account).failed == ((3, "does not load"),)
    again = deploy(account)
    assert (again.live, again.failed) == (2, ())


def test_an_execution_that_is_resumed_does_not_get_over_its_failure() -> None:
    """What it failed to put live is not live because an older version is."""
    account = Account({1: A})
    deploy(account)
    account.versions[2], account.broken = A, {2}
    mine = QUICK._replace(execution="arn:mine")
    for _ in range(2):
        outcome = deploy(account, options=mine)
        assert (outcome.live, outcome.failed) == (1, ((2, "does not load"),))
    assert deploy(account, options=QUICK._replace(execution="arn:other")).failed == ()
    account.versions[3] = A
    assert deploy(account, options=mine).failed == (), "a newer one is live: nothing is missing"


def test_a_version_that_loads_but_does_not_answer_is_taken_back() -> None:
    """The sample request decides; what succeeded last comes back."""
    account = Account({1: A}, mute={2})
    deploy(account)
    account.versions[2] = A
    outcome = deploy(account)
    assert account.live() == outcome.live == 1
    assert outcome.failures == ((2, "the sample request was refused: no such feature"),)


def test_settings_that_fail_go_back_to_those_that_worked() -> None:
    """The same version with other settings: its old config returns, not an older version."""
    account = Account({1: A, 2: A})
    deploy(account)
    other = target(environment={"MUTE": "1"})
    outcome = deploy(account, other)
    assert account.live() == outcome.live == 2
    assert account.environment() == {}
    assert outcome.messages[0].startswith(
        "g/2 stays live with its previous settings: the new ones failed here"
    )
    account.calls = []
    assert deploy(account, other).live == 2
    assert account.calls == []


def test_a_first_version_that_fails_leaves_no_endpoint() -> None:
    """An endpoint that never worked is deleted, so that the next version finds its way free."""
    for account in (Account({1: A}, broken={1}), Account({1: A}, mute={1})):
        outcome = deploy(account)
        assert account.endpoint is None
        assert [number for number, _ in outcome.failures] == [1]
        assert outcome.messages[0].startswith("g/1 failed on e: ")
        account.versions[2] = A
        assert deploy(account).live == 2


def test_a_real_time_endpoint_is_not_made_serverless() -> None:
    """The service refuses it, and so does a dry run; the other direction is an update.

    An update of a serverless endpoint takes no rollout.
    """
    account = Account({1: A})
    deploy(account)
    assert deploy(account, REALTIME._replace(deployment={"BlueGreenUpdatePolicy": {}})).live == 1
    for dry_run in (True, False):
        with pytest.raises(DeployError, match="cannot become a serverless endpoint"):
            deploy(account, options=QUICK._replace(dry_run=dry_run))


def test_real_time_settings_that_fail_leave_what_was_serverless_before() -> None:
    """No update leads back to serverless: the endpoint is made anew, as it was."""
    account = Account({1: A})
    deploy(account)
    outcome = deploy(account, REALTIME._replace(environment={"MUTE": "1"}))
    assert [number for number, _ in outcome.failures] == [1]
    assert (account.live(), account.environment()) == (1, {})
    last = ["wrote failed", "delete", "wrote returned", "create 1", "wrote succeeded"]
    assert account.calls[-5:] == last
    account.calls = []
    deploy(account, REALTIME._replace(environment={"MUTE": "1"}))
    assert account.calls == []


def test_settings_that_failed_are_not_taken_for_an_endpoint_that_is_gone() -> None:
    """The endpoint comes back as it was when it worked last."""
    account = Account({1: A})
    deploy(account)
    other = target(environment={"MUTE": "1"})
    deploy(account, other)
    account.endpoint, account.calls = None, []
    assert deploy(account, other).live == 1
    assert account.environment() == {}
    assert account.calls == ["wrote returned", "create 1", "wrote succeeded"]


def test_a_dry_run_says_what_would_happen_and_does_nothing() -> None:
    """Also with a retry."""
    account = Account({1: A})
    outcome = deploy(account, options=QUICK._replace(dry_run=True))
    assert (outcome.changed, outcome.messages[0]) == (True, "create e with g/1")
    assert account.calls == []


def test_a_retry_wants_a_version_that_failed() -> None:
    """Anything else is a mistake of whoever asks."""
    account = Account({1: A})
    for number, problem in (
        (1, "has not failed on e: there is nothing to retry"),
        (7, "there is no version g/7: the newest is g/1"),
    ):
        with pytest.raises(DeployError, match=problem):
            deploy(account, options=QUICK._replace(retry=number))


def test_an_attempt_says_what_was_tried_by_whom() -> None:
    """One JSON object: package, config, outcome, reason, execution."""
    account = Account({1: A})
    deploy(account, options=QUICK._replace(execution="arn:aws:sagemaker:::execution/x"))
    ((key, content),) = account.objects.items()
    written = json.loads(content)
    assert key.startswith("p/deployments/e/")
    assert written["execution"] == "arn:aws:sagemaker:::execution/x"
    assert (written["version"], written["outcome"], written["endpoint"]) == (1, "succeeded", "e")
