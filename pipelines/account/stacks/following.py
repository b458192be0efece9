"""The events of a stack, told as they come, until its operation has ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final

from pipelines.account.account import Account
from pipelines.account.stacks.deployed import Deployed, read_stack, way_out
from pipelines.errors import RefusedError
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject

_PAUSE: Final = 3.0
_STACK: Final = "AWS::CloudFormation::Stack"
_CANCELLED: Final = ("cancelled", "The following resource(s) failed")
_GOOD: Final = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"})
_PRINCIPAL: Final = "Invalid principal"


@frozen
class StackEvent:
    """Something that happened to a stack or a resource of it.

    Args:
        logical: the resource's id in the template; the stack's name for the stack itself.
        type: the resource's type.
        status: such as `CREATE_FAILED`.
        reason: why; empty where nothing is said.
        is_stack: whether it is about the whole stack.
    """

    logical: str
    type: str
    status: str
    reason: str
    is_stack: bool

    @property
    def is_cause(self) -> bool:
        """Whether it says why an operation fails, and not only that it does."""
        return (
            self.status.endswith("_FAILED")
            and not self.is_stack
            and not any(words in self.reason for words in _CANCELLED)
        )


class StackFollower:
    """Follows one stack.

    Args:
        account: where it is.
        stack: its ARN, by which a deleted stack is found too.
        tell: told of each event.
        limit_s: for how long to wait.
    """

    def __init__(
        self, account: Account, stack: str, tell: Callable[[StackEvent], None], limit_s: float
    ) -> None:
        self._account = account
        self._stack = stack
        self._tell = tell
        self._deadline = time.monotonic() + limit_s
        self._causes: list[StackEvent] = []
        newest = next(self._events(), None)
        self._last = None if newest is None else newest["EventId"]

    def until_done(self) -> None:
        """Wait for the end of the operation that was begun since this was made.

        Raises:
            RefusedError: it failed, or takes too long; it says why and what to do.
        """
        while True:
            for event in self._new():
                if event.is_stack and not event.status.endswith("_IN_PROGRESS"):
                    self._end(event)
                    return
            self._pause()

    def until_free(self) -> Deployed:
        """Wait for the end of an operation that was begun before.

        Returns:
            the stack as it is then.
        """
        while True:
            for _ in self._new():
                pass
            deployed = read_stack(self._account, self._stack)
            if not deployed.is_busy:
                return deployed
            self._pause()

    def _new(self) -> Iterator[StackEvent]:
        """Yield what has happened since the last time, in order."""
        found: list[JsonObject] = []
        for one in self._events():
            if one["EventId"] == self._last:
                break
            found.append(one)
        if found:
            self._last = found[0]["EventId"]
        for one in reversed(found):
            event = StackEvent(
                one["LogicalResourceId"],
                one["ResourceType"],
                one["ResourceStatus"],
                one.get("ResourceStatusReason", ""),
                one["ResourceType"] == _STACK and one.get("PhysicalResourceId") == self._stack,
            )
            if event.is_cause:
                self._causes.append(event)
            self._tell(event)
            yield event

    def _events(self) -> Iterator[JsonObject]:
        return self._account.pages(
            "cloudformation", "describe_stack_events", "StackEvents", StackName=self._stack
        )

    def _pause(self) -> None:
        if time.monotonic() > self._deadline:
            raise RefusedError(
                "the stack is still being changed after the time that was given",
                "CloudFormation goes on: run `ci apply` again, it waits for the rest",
            )
        time.sleep(_PAUSE)

    def _end(self, event: StackEvent) -> None:
        if event.status in _GOOD:
            return
        causes = [
            f"{cause.logical} ({cause.type}): {cause.reason or cause.status}"
            for cause in self._causes
        ] or [event.reason or event.status]
        raise RefusedError(
            f"the stack {event.logical} ended in {event.status}: {'; '.join(causes)}",
            self._remedy(event, causes),
        )

    def _remedy(self, event: StackEvent, causes: list[str]) -> str:
        if any(_PRINCIPAL in cause for cause in causes):
            return (
                "a role trusts one of another account that does not exist yet: apply the stacks of "
                "that account first"
            )
        found = way_out(event.logical, self._account.region, event.status)
        if event.status == "ROLLBACK_COMPLETE":
            found = f"what it had made was removed again: {found}"
        if found is not None:
            return f"fix the cause; {found}, and run `ci apply` again"
        if event.status == "DELETE_COMPLETE":
            return "somebody deleted it meanwhile: run `ci apply` again to make it anew"
        return "it was set back to what it was: fix the cause and run `ci apply` again"
