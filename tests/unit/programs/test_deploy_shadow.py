"""`shadow: pending`: the newest pending version gets copies of requests, and harms nobody."""

from __future__ import annotations

from tests.unit.programs.deploy_account import ARN, Account
from tests.unit.programs.reconciling import QUICK, REALTIME, A, P, R, deploy

MIRRORED = REALTIME._replace(shadow="pending")


def served(account: Account) -> tuple[int | None, int]:
    """Return which version serves, and which one gets copies."""
    assert account.endpoint is not None
    return account.live(), account.shadow_of(account.endpoint["EndpointConfigName"])


def test_the_newest_pending_version_gets_copies_once_the_approved_one_has_answered() -> None:
    """So each version is to blame for what it does alone; a newer one takes its place."""
    account = Account({1: A, 2: P, 3: P})
    outcome = deploy(account, MIRRORED)
    assert served(account) == (1, 3)
    assert outcome.messages[0] == "g/1 is live, and g/3 gets a copy of each request"
    assert [one for one in account.calls if one.startswith("wrote")] == ["wrote succeeded"] * 2
    assert not deploy(account, MIRRORED).changed
    account.versions[4] = P
    assert deploy(account, MIRRORED, QUICK._replace(dry_run=True)).messages[0] == (
        "update e to g/1, with copies of its requests for g/4"
    )
    deploy(account, MIRRORED)
    assert served(account) == (1, 4)


def test_a_pending_model_is_made_of_its_container() -> None:
    """CreateModel refuses a package that is not approved."""
    account = Account({1: A, 2: P})
    deploy(account, MIRRORED._replace(environment={"X": "1"}))
    containers = [one["PrimaryContainer"] for one in account.models.values()]
    approved = {"ModelPackageName": f"{ARN}1", "Environment": {"X": "1"}}
    assert containers == [approved, {"Image": "i0:2", "Environment": {"X": "1"}}]


def test_a_version_that_is_approved_or_rejected_gets_no_more_copies() -> None:
    """Approved it serves, rejected it is gone."""
    account = Account({1: A, 2: P})
    deploy(account, MIRRORED)
    account.versions[2] = A
    deploy(account, MIRRORED)
    assert served(account) == (2, 0)
    account.versions[3] = P
    deploy(account, MIRRORED)
    account.versions[3] = R
    assert deploy(account, MIRRORED).messages == ("g/2 is live",)
    assert served(account) == (2, 0)


def test_a_pending_version_that_does_not_load_harms_nobody() -> None:
    """The service rolls back; what serves is no failure, and the reason is said each time."""
    account = Account({1: A, 2: P}, broken={2})
    outcome = deploy(account, MIRRORED)
    assert served(account) == (1, 0)
    assert outcome.failed == ()
    assert outcome.messages[0] == ("g/1 is live; g/2 gets no copies of its requests: does not load")
    assert (2, "failed") in account.outcomes()
    before = len(account.calls)
    assert deploy(account, MIRRORED).messages == outcome.messages
    assert len(account.calls) == before


def test_a_pending_version_without_a_container_harms_nobody() -> None:
    """Anybody may register one; it is refused before anything is made of it."""
    account = Account({1: A, 2: P}, containers={2: 0})
    outcome = deploy(account, MIRRORED)
    assert (served(account), outcome.failed) == ((1, 0), ())
    assert "without a container" in outcome.messages[0]


def test_a_pending_version_of_several_containers_gets_no_copies() -> None:
    """A model of its first container would show what a part of it does."""
    account = Account({1: A, 2: P}, containers={2: 2})
    outcome = deploy(account, MIRRORED)
    assert (served(account), outcome.failed) == ((1, 0), ())
    assert "it has 2 containers" in outcome.messages[0]


def test_an_approved_version_that_fails_is_not_taken_for_its_shadow() -> None:
    """It is tried alone, and the one below gets the copies."""
    account = Account({1: A, 2: A, 3: P}, mute={2})
    assert [number for number, _ in deploy(account, MIRRORED).failures] == [2]
    assert served(account) == (1, 3)
