"""The deployer: what it decides, what it calls, and that it always comes to the same end."""

from __future__ import annotations

import itertools
import json

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.programs.deploy.model import DeployError, DeploymentOutcome, DeploymentTarget
from pipelines.programs.deploy.reconcile import Options, reconcile
from tests.unit.programs.deploy_account import KILLED, Account, KilledError, refusal, target

A, P, R = "Approved", "PendingManualApproval", "Rejected"
QUICK = Options(pause=0)
FIRST = ["create_model", "create_config"]
REALTIME = target(
    mode="realtime", variant={"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
)


def deploy(
    account: Account, what: DeploymentTarget | None = None, options: Options = QUICK
) -> DeploymentOutcome:
    """Reconcile."""
    return reconcile(account.clients, what or target(), options)


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
    assert account.calls[-3:] == ["wrote failed", "delete", "create 1"]
    account.calls = []
    deploy(account, REALTIME._replace(environment={"MUTE": "1"}))
    assert account.calls == []


@pytest.mark.parametrize(
    "theirs",
    [
        {"PrimaryContainer": {"Image": "i"}},
        {"PrimaryContainer": {"ModelPackageName": "arn:aws:sagemaker:::model-package/lone"}},
        {"Containers": [{"Image": "i"}, {"Image": "j"}]},
    ],
)
def test_what_others_put_live_comes_back_when_the_first_version_fails(
    theirs: dict[str, object],
) -> None:
    """The endpoint was somebody's before: an image's, a lone package's, a chain's; it stays."""
    for account in (Account({1: A}, broken={1}), Account({1: A}, mute={1})):
        variants = [{"VariantName": "v", "ModelName": "theirs", "InstanceType": "ml.m5.large"}]
        account.models["theirs"] = theirs
        account.configs["theirs"] = {"ProductionVariants": variants}
        account.endpoint = {"EndpointStatus": "InService", "EndpointConfigName": "theirs"}
        planned = deploy(account, REALTIME, QUICK._replace(dry_run=True)).messages[0]
        assert planned == "update e to g/1 instead of theirs, which was not deployed from here"
        outcome = deploy(account, REALTIME)
        assert [number for number, _ in outcome.failures] == [1]
        assert account.endpoint["EndpointConfigName"] == "theirs"
        assert account.outcomes() == [(None, "found"), (1, "failed")]
        account.calls = []
        deploy(account, REALTIME)
        assert account.calls == []


@pytest.mark.parametrize("status", ["UpdateRollbackFailed", "OutOfService"])
@pytest.mark.parametrize("dry_run", [False, True])
def test_an_endpoint_that_only_a_person_can_mend_is_left_alone(
    status: str, *, dry_run: bool
) -> None:
    """After a failed rollback it serves still: it is neither deleted nor updated."""
    account = Account({1: A})
    deploy(account)
    assert account.endpoint is not None
    account.endpoint["EndpointStatus"] = status
    account.versions[2], account.calls = A, []
    with pytest.raises(DeployError, match=f"e is {status}"):
        deploy(account, options=QUICK._replace(dry_run=dry_run))
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
    assert account.calls == ["create 1"]


def test_what_else_lies_beside_the_history_is_not_read() -> None:
    """A console leaves an empty object where somebody made a folder."""
    account = Account({1: A})
    account.objects["p/deployments/e/"] = b""
    assert deploy(account).live == 1


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


EVENTS = st.lists(st.tuples(st.integers(1, 4), st.sampled_from((A, P, R))), min_size=1, max_size=12)


@settings(max_examples=60)
@given(EVENTS, st.sets(st.integers(1, 4)), st.data())
def test_any_order_and_repetition_of_events_ends_the_same(
    events: list[tuple[int, str]], broken: set[int], data: st.DataObject
) -> None:
    """Events are lost, late and repeated; after the last one the same version is live.

    What is compared is a deployer that reconciled after every event, one that only did at the
    end, and one that did at drawn moments.
    """
    good = broken - {1}
    ends = []
    for often in ("always", "last", "drawn"):
        account = Account({1: A}, broken=set(good), delay=2)
        deploy(account)
        for number, status in events:
            if number != 1:
                account.versions[number] = status
            if often == "always" or (often == "drawn" and data.draw(st.booleans())):
                deploy(account)
        deploy(account)
        deploy(account)
        ends.append(account.live())
    assert len(set(ends)) == 1


@pytest.mark.parametrize("broken", [set(), {2}, {3}, {2, 3}])
@pytest.mark.parametrize("mute", [set(), {3}])
@pytest.mark.parametrize("killed", [{}, {3: 1}, {2: 2, 3: 9}])
@pytest.mark.parametrize("first", [{}, {1: A}])
@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_call_the_next_one_finishes(
    broken: set[int],
    mute: set[int],
    killed: dict[int, int],
    first: dict[int, str],
    *,
    after: bool,
) -> None:
    """Before or after each call that changes something, the end is that of an undisturbed run."""

    def begin() -> Account:
        account = Account(dict(first), delay=2)
        deploy(account)
        account.versions = {1: R, 2: A, 3: A}
        account.broken, account.mute, account.calls = broken, mute, []
        account.killed = dict(killed)
        return account

    undisturbed = begin()
    deploy(undisturbed)
    for number in range(len(undisturbed.calls)):
        account = begin()
        account.kill_at, account.kill_after = number, after
        with pytest.raises(KilledError):
            deploy(account)
        account.kill_at = None
        deploy(account)
        assert account.live() == undisturbed.live(), f"killed at {undisturbed.calls[number]}"
        account.calls = []
        deploy(account)
        assert account.calls == []


def test_two_reconciliations_at_once_end_as_one() -> None:
    """One that finds its call refused since the other was faster looks again."""
    account = Account({1: A})
    clients = account.clients
    create = clients.sagemaker.create_model

    def late(**request: object) -> None:
        create(**request)
        create(**request)

    clients.sagemaker.create_model = late
    assert reconcile(clients, target(), QUICK).live == 1


@pytest.mark.parametrize(
    ("containers", "settings", "reason"),
    [
        (0, target(), "it was registered without a container that could serve it"),
        (0, REALTIME, "it was registered without a container that could serve it"),
        (2, target(), "it has 2 containers, and a serverless endpoint serves only one"),
        (
            2,
            REALTIME._replace(environment={"A": "1"}),
            "it has 2 containers, and the step's `environment:` is for a single one",
        ),
    ],
)
@pytest.mark.parametrize("before", [{}, {1: A}])
def test_a_package_of_others_that_cannot_be_served_is_refused_before_anything_is_made(
    before: dict[int, str], containers: int, settings: DeploymentTarget, reason: str
) -> None:
    """A notebook or MLflow registered it: the reason is recorded, and the version below serves."""
    account = Account({**before, 2: A}, containers={2: containers})
    outcome = deploy(account, settings)
    assert account.live() == outcome.live == (1 if before else None)
    assert outcome.failed == ((2, reason),)
    models = [one["PrimaryContainer"]["ModelPackageName"] for one in account.models.values()]
    assert not any(arn.endswith("/2") for arn in models)
    account.calls = []
    deploy(account, settings)
    assert account.calls == []


def test_a_package_of_several_containers_is_deployed_as_it_is() -> None:
    """Where the endpoint's mode serves it and no setting of the step is about one container."""
    account = Account({1: A}, containers={1: 3})
    assert deploy(account, REALTIME).live == 1


def test_a_version_that_sagemaker_refuses_does_not_keep_a_rejected_one_live() -> None:
    """CreateModel says why; the next lower version gets its turn, and a retry asks again."""
    account = Account({1: A, 2: A}, refused={3: "Could not access model data"})
    deploy(account)
    account.versions |= {2: R, 3: A}
    outcome = deploy(account)
    assert account.live() == outcome.live == 1
    assert outcome.failures == ((3, "Could not access model data"),)
    account.refused, account.calls = {}, []
    deploy(account)
    assert account.calls == []
    assert deploy(account, options=QUICK._replace(retry=3)).live == 3


def test_a_caller_that_may_not_do_it_is_no_failure_of_the_version() -> None:
    """The second refusal of that sort ends the job; nothing is recorded."""
    account = Account({1: A})
    clients = account.clients

    def denied(**_request: object) -> None:
        raise refusal("CreateModel", "not authorized", "AccessDeniedException")

    clients.sagemaker.create_model = denied
    with pytest.raises(ClientError, match="not authorized"):
        reconcile(clients, target(), QUICK)
    assert account.objects == {}


def test_an_approved_version_that_is_not_complete_is_waited_for() -> None:
    """It says so; it is live as soon as it is complete."""
    account = Account({1: A}, statuses={1: "InProgress"})
    assert deploy(account).messages == ("g/1 is approved, but InProgress",)
    account.statuses = {}
    assert deploy(account).live == 1
