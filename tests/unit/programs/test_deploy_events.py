"""From the registry's events to the endpoint: what deploys, what does not, in any order."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.backends.local.events.model import FIELDS
from pipelines.backends.local.events.patterns import matches
from pipelines.infra.approval import decisions, waiting
from pipelines.json_types import JsonObject
from pipelines.programs.deploy.reconcile import reconcile
from tests.package_events import ACCOUNT, APPROVAL, events
from tests.unit.programs.deploy_account import ARN, GROUP, Account, target
from tests.unit.programs.reconciling import QUICK, A, P, R

PATTERN = decisions(ACCOUNT, [GROUP])
"""That of the rule that `ci init` generates."""


def package(number: int, status: str, **more: Any) -> JsonObject:
    """Make a version as an event holds it."""
    return {
        "ModelPackageGroupName": GROUP,
        "ModelPackageVersion": number,
        "ModelPackageArn": f"{ARN}{number}",
        "ModelPackageStatus": "Completed",
        APPROVAL: status,
        **more,
    }


@pytest.mark.parametrize("names_creation", [False, True])
@pytest.mark.parametrize(
    ("before", "after", "starts"),
    [
        (None, package(1, A), True),
        (None, package(1, R), True),
        (None, package(1, A, ModelPackageStatus="InProgress"), False),
        (package(1, A, ModelPackageStatus="InProgress"), package(1, A), True),
        (package(1, P), package(1, A), True),
        (package(1, A), package(1, R), True),
        (package(1, P), package(1, R), True),
        (package(1, A), package(1, P), True),
        (package(1, R), package(1, P), True),
        (package(1, P), package(1, P, ApprovalDescription="asked again"), False),
        (package(1, A), package(1, A, ApprovalDescription="audited"), False),
        (package(1, A), package(1, A, CustomerMetadataProperties={"a": "b"}), False),
        (package(1, A), package(1, A, ModelLifeCycle={"Stage": "prod"}), False),
        (package(1, A), package(1, A, InferenceSpecification={}), False),
        (package(1, A), package(1, A, SourceUri="s3://b/x"), False),
        (package(1, P), package(1, A, ApprovalDescription="beats 6"), True),
        (None, {**package(1, A), "ModelPackageGroupName": "other"}, False),
    ],
)
def test_only_the_approval_status_starts_the_deployer(
    before: JsonObject | None, after: JsonObject, *, starts: bool, names_creation: bool
) -> None:
    """Set at creation or changed later, of a version that is complete; no other change does."""
    (event,) = events(before, after, names_creation=names_creation)
    assert matches(PATTERN, event) is starts


def test_a_new_version_that_waits_starts_nothing() -> None:
    """Its event names nothing; if it names the status as updated, it is like one withdrawn.

    The deployer then finds nothing to do.
    """
    (event,) = events(None, package(1, P))
    assert not matches(PATTERN, event)


@pytest.mark.parametrize("names_creation", [False, True])
@pytest.mark.parametrize(
    ("before", "after", "waits"),
    [
        (None, package(1, P), True),
        (package(1, A), package(1, P), True),
        (package(1, P), package(1, P, ApprovalDescription="asked again"), False),
        (package(1, P), package(1, A), False),
        (None, package(1, A), False),
    ],
)
def test_people_hear_of_each_version_that_comes_to_wait(
    before: JsonObject | None, after: JsonObject, *, waits: bool, names_creation: bool
) -> None:
    """New, or set back; not of other changes while it waits."""
    (event,) = events(before, after, names_creation=names_creation)
    assert matches(waiting(ACCOUNT, [GROUP]), event) is waits


def test_a_change_of_nothing_sends_nothing() -> None:
    """An update with the values that are there already."""
    assert events(package(1, A), package(1, A)) == ()


class Service:
    """A registry that sends events, a bus that mixes them up, and the deployer behind the rule.

    Args:
        data: draws order, repetition and the events of creations.
        account: the account; it is deployed to.
    """

    def __init__(self, data: st.DataObject, account: Account) -> None:
        self.account = account
        self.packages: dict[int, JsonObject] = {}
        self.waiting: list[JsonObject] = []
        self.delivered: list[JsonObject] = []
        self._data = data

    def register(self, status: str, *, complete: bool) -> None:
        """Register the next version."""
        state = "Completed" if complete else "InProgress"
        number = len(self.packages) + 1
        self._become(number, package(number, status, ModelPackageStatus=state))

    def change(self, number: int, **members: Any) -> None:
        """Update a version, when there is one of that number."""
        if number in self.packages:
            self._become(number, {**self.packages[number], **members})

    def deliver(self) -> None:
        """Deliver any event that is under way, or one that was delivered already once more."""
        known = [*self.waiting, *self.delivered[-3:]]
        if not known:
            return
        event = self._data.draw(st.sampled_from(known))
        if event in self.waiting:
            self.waiting.remove(event)
        self.delivered.append(event)
        if matches(PATTERN, event):
            reconcile(self.account.clients, target(), QUICK)

    def deliver_all(self) -> None:
        """Deliver what is under way, in any order, with repetitions."""
        while self.waiting:
            self.deliver()

    def deployable(self) -> set[int]:
        """Return the versions that may be live and that would serve."""
        broken = self.account.broken | self.account.mute | {*self.account.refused}
        empty = {number for number, count in self.account.containers.items() if count != 1}
        return {
            number
            for number, one in self.packages.items()
            if (one[APPROVAL], one["ModelPackageStatus"]) == (A, "Completed")
        } - (broken | empty)

    def _become(self, number: int, after: JsonObject) -> None:
        named = self._data.draw(st.booleans())
        self.waiting += events(self.packages.get(number), after, names_creation=named)
        self.packages[number] = after
        self.account.versions[number] = after[APPROVAL]
        self.account.statuses[number] = after["ModelPackageStatus"]


NUMBERS = st.integers(1, 4)
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("register"), st.sampled_from((A, P, R)), st.booleans()),
        st.tuples(st.just("decide"), NUMBERS, st.sampled_from((A, P, R))),
        st.tuples(st.just("complete"), NUMBERS, st.none()),
        st.tuples(st.just("touch"), NUMBERS, st.sampled_from(sorted({*FIELDS} - {APPROVAL}))),
        st.tuples(st.just("deliver"), st.none(), st.none()),
    ),
    min_size=1,
    max_size=14,
)
FAULTS = st.dictionaries(NUMBERS, st.sampled_from(("broken", "mute", "refused", "empty")))


@settings(max_examples=80, deadline=None)
@given(OPERATIONS, FAULTS, st.data())
def test_whatever_happens_to_the_events_the_highest_good_version_is_live(
    operations: list[tuple[str, Any, Any]], faults: dict[int, str], data: st.DataObject
) -> None:
    """Decisions, withdrawals and other changes, with events late, repeated and out of order.

    Once each event has arrived, the endpoint serves the highest version that is approved, complete
    and works; where there is none, nothing that was never approved is live.
    """
    account = Account(
        broken={n for n, fault in faults.items() if fault == "broken"},
        mute={n for n, fault in faults.items() if fault == "mute"},
        refused={n: "no role" for n, fault in faults.items() if fault == "refused"},
        containers={n: 0 for n, fault in faults.items() if fault == "empty"},
    )
    service = Service(data, account)
    approved: set[int] = set()
    for operation, what, how in operations:
        if operation == "register":
            service.register(what, complete=how)
        elif operation == "decide":
            service.change(what, **{APPROVAL: how})
        elif operation == "complete":
            service.change(what, ModelPackageStatus="Completed")
        elif operation == "touch":
            service.change(what, **{how: str(len(service.delivered))})
        else:
            service.deliver()
        approved |= service.deployable()
    service.deliver_all()
    good = service.deployable()
    assert account.live() == max(good) if good else account.live() in {None, *approved}
    account.calls = []
    for _ in range(2):
        service.deliver()
    assert account.calls == [], "an event that comes once more changes nothing"
