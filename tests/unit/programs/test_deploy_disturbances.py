"""What disturbs the deployer: events in any order, kills, other deployers, what others made."""

from __future__ import annotations

from functools import partial

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.programs.deploy.model import DeployError, DeploymentTarget
from pipelines.programs.deploy.reconcile import reconcile
from tests.everything import EVERYTHING
from tests.unit.programs.deploy_account import Account, KilledError, target
from tests.unit.programs.reconciling import QUICK, REALTIME, A, P, R, deploy
from tests.unit.programs.refusals import refusal

_FULL = partial(pytest.param, marks=pytest.mark.everything)
EVENTS = st.lists(st.tuples(st.integers(1, 4), st.sampled_from((A, P, R))), min_size=1, max_size=12)


@settings(max_examples=60 if EVERYTHING else 30)
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


@pytest.mark.parametrize("broken", [set(), _FULL({2}), {3}, _FULL({2, 3})])
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


def test_what_else_lies_beside_the_history_is_not_read() -> None:
    """A console leaves an empty object where somebody made a folder."""
    account = Account({1: A})
    account.objects["p/deployments/e/"] = b""
    assert deploy(account).live == 1


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


def test_an_archive_that_was_swapped_after_its_approval_is_not_deployed() -> None:
    """Its ETag is not the one that was registered: the version below stays, the reason is kept."""
    uri = "s3://bucket/churn/packages/1/model.tar.gz"
    archive = {"ModelDataUrl": uri, "ModelDataETag": "0a-2"}
    account = Account(
        {1: A, 2: A}, archives={2: archive}, tags={"churn/packages/1/model.tar.gz": "1b"}
    )
    outcome = deploy(account)
    assert account.live() == outcome.live == 1
    said = f"its archive {uri} is not the one that was registered: it has been overwritten since"
    assert outcome.failed == ((2, said),)
    account.tags = {"churn/packages/1/model.tar.gz": "0a-2"}
    assert deploy(account).live == 1, "it is not tried again by itself"
    assert deploy(account, options=QUICK._replace(retry=2)).live == 2


@pytest.mark.parametrize(
    "archive",
    [
        {"ModelDataUrl": "s3://elsewhere/model.tar.gz", "ModelDataETag": "0a"},
        {"ModelDataUrl": "s3://bucket/churn/packages/1/model.tar.gz"},
        {"ModelDataETag": "0a"},
    ],
    ids=["may not be seen", "no ETag", "no archive"],
)
def test_an_archive_that_cannot_be_compared_is_deployed_as_it_was_registered(
    archive: dict[str, str],
) -> None:
    """The service records an ETag or does not; the deployer may look at its own prefix alone."""
    assert deploy(Account({1: A}, archives={1: archive})).live == 1


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
