"""Observe, decide, carry out, until there is nothing left to do.

Calling it twice changes nothing the second time; killed anywhere, the next call finishes or
undoes what was begun. Registry and endpoint are read anew in every round, so that an approval
that comes meanwhile is not lost.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import Any, NamedTuple

from pipelines.programs.deploy import carry_out, scaling
from pipelines.programs.deploy.decide import (
    CREATE,
    DELETE,
    NOTHING,
    RECORD,
    REFUSE,
    TEST,
    UPDATE,
    WAIT,
    Decision,
    decide,
    newer,
)
from pipelines.programs.deploy.killed import is_killed
from pipelines.programs.deploy.model import (
    FAILED,
    FOUND,
    IN_SERVICE,
    KILLED,
    MOST_KILLED,
    REPEATED,
    RETRY,
    RETURNED,
    SUCCEEDED,
    DeployError,
    DeploymentAttempt,
    DeploymentOutcome,
    DeploymentTarget,
    Endpoint,
    EndpointState,
    ModelVersion,
    NotFailedError,
    UnfitPackageError,
)
from pipelines.programs.deploy.observe import Clients, find_endpoint, observe
from pipelines.programs.deploy.sample import send_sample

_ROUNDS = 50
_WAIT_SECONDS = 4 * 3600.0


_MAKES = {"CreateModel", "CreateEndpointConfig"}
"""What is called before the endpoint is touched; they check the version against the settings."""


def is_of_version(error: Any) -> bool:
    """Return whether SageMaker refused a version, not the caller or the account."""
    code = error.response.get("Error", {}).get("Code")
    return code == "ValidationException" and error.operation_name in _MAKES


def _silent(_text: str) -> None:
    pass


class Options(NamedTuple):
    """How to reconcile.

    Args:
        dry_run: only return what would be done.
        retry: the number of a version whose failure here is to be forgotten.
        execution: the ARN of the execution that does it, for the history.
        pause: seconds between two looks at a change under way.
        report: called with what is being done.
    """

    dry_run: bool = False
    retry: int | None = None
    execution: str = ""
    pause: float = 10.0
    report: Callable[[str], None] = _silent


def reconcile(
    clients: Clients,
    target: DeploymentTarget,
    options: Options = Options(),  # noqa: B008 - a value
) -> DeploymentOutcome:
    """Make the endpoint match the group.

    Raises:
        DeployError: it cannot, for a reason that lies in no version.
        ClientError: AWS refused a call.
    """
    reconciliation = _Reconciliation(clients, target, options)
    forgotten: tuple[DeploymentAttempt, ...] = ()
    if options.retry is not None:
        forgotten = reconciliation.forget(options.retry)
    for _ in range(_ROUNDS):
        state = observe(clients, target)
        state = state._replace(attempts=(*state.attempts, *forgotten))
        decision = decide(target, state)
        if decision.action == REFUSE:
            raise DeployError(decision.message)
        if decision.action == NOTHING or options.dry_run:
            scaled = reconciliation.scale(state, decision)
            return reconciliation.outcome(state, decision, scaled)
        reconciliation.carry_out(state, decision)
    raise DeployError(f"{target.endpoint} still needs a change after {_ROUNDS} changes")


class _Reconciliation:
    def __init__(self, clients: Clients, target: DeploymentTarget, options: Options) -> None:
        self._clients = clients
        self._target = target
        self._options = options
        self._failures: list[tuple[int, str]] = []
        self._changed = False
        self._refused: tuple[Decision, Any] | None = None

    def scale(self, state: EndpointState, decision: Decision) -> tuple[str, ...]:
        """Make an endpoint scale as the target wants it, once nothing else is left to do.

        Returns:
            What was changed, or would be in a dry run; nothing where it is so already.
        """
        endpoint = state.endpoint
        if decision.action != NOTHING or endpoint is None or endpoint.status != IN_SERVICE:
            return ()
        found = scaling.observe_scaling(self._clients, self._target)
        changes = scaling.steps(self._target, endpoint, found)
        if not changes:
            return ()
        message = scaling.describe(self._target, changes)
        self._changed = True
        if not self._options.dry_run:
            self._options.report(message)
            scaling.carry_out(self._clients, self._target, changes)
        return (message,)

    def outcome(
        self, state: EndpointState, decision: Decision, scaled: tuple[str, ...]
    ) -> DeploymentOutcome:
        """Return the outcome; the decision is the last one, and `scaled` what followed it."""
        live = state.number(state.endpoint.package) if state.endpoint else None
        messages = dict.fromkeys((decision.message, *scaled, *newer(self._target, state)))
        changed = self._changed or decision.action not in {NOTHING, WAIT}
        known = [(one.number, state.reason(config)) for one, config in self._known(state)]
        earlier = [
            (one.number, state.reason(config))
            for one, config in self._known(state)
            if (live is None or one.number > live)
            and state.failed_in(config, self._options.execution)
        ]
        serves = state.endpoint is not None and state.endpoint.status == IN_SERVICE
        return DeploymentOutcome(
            live,
            tuple(messages),
            tuple(self._failures or earlier),
            changed,
            tuple(known),
            serves,
            decision.action,
            decision.package,
        )

    def _known(self, state: EndpointState) -> Iterator[tuple[ModelVersion, str]]:
        """Yield the approved versions whose last attempt here failed, each with its config."""
        failed = state.failed()
        for one in state.versions:
            config = self._target.config_name(one.arn)
            if one.is_deployable and config in failed:
                yield one, config

    def forget(self, version: int) -> tuple[DeploymentAttempt, ...]:
        """Forget that a version has failed here; in a dry run, return what would be recorded.

        Raises:
            DeployError: it has not.
        """
        target = self._target
        state = observe(self._clients, target)
        package = next((one.arn for one in state.versions if one.number == version), None)
        if package is None:
            newest = max((one.number for one in state.versions), default=None)
            known = f"the newest is {target.group}/{newest}" if newest else "the group is empty"
            raise DeployError(f"there is no version {target.group}/{version}: {known}")
        config = target.config_name(package)
        if config not in state.failed():
            raise NotFailedError(
                f"{target.group}/{version} has not failed on {target.endpoint}: "
                "there is nothing to retry"
            )
        about = Decision(NOTHING, "", config, package)
        if self._options.dry_run:
            return (self._attempt(about, RETRY),)
        self._record(about, RETRY)
        return ()

    def carry_out(self, state: EndpointState, decision: Decision) -> None:
        """Carry out one decision and wait for its end."""
        if decision.action != WAIT:
            self._options.report(decision.message)
            self._changed = True
        if decision.action == RECORD:
            self._failed(state, decision, decision.message)
        elif decision.action == TEST:
            self._test(state, decision)
        elif decision.action in (CREATE, UPDATE, DELETE):
            self._change(state, decision)
        self._wait()

    def _change(self, state: EndpointState, decision: Decision) -> None:
        from botocore.exceptions import ClientError  # noqa: PLC0415 - not at import

        endpoint = state.endpoint
        if endpoint is not None and endpoint.status == IN_SERVICE:
            self._remember(state, endpoint)
        try:
            self._begin(state, decision)
        except UnfitPackageError as error:
            self._failed(state, decision, str(error))
            return
        except ClientError as error:
            # Another reconciliation may have been faster: the second refusal in a row is real.
            if self._refused != (decision, endpoint):
                self._refused = (decision, endpoint)
                return
            if not is_of_version(error):
                raise
            self._failed(state, decision, str(error.response["Error"].get("Message") or error))
            return
        if decision.action == UPDATE:
            self._wait()
            self._record_if_rolled_back(decision)

    def _remember(self, state: EndpointState, endpoint: Endpoint) -> None:
        """Record what is live and was put there by others, to be able to go back to it."""
        if endpoint.config not in {attempt.config for attempt in state.attempts}:
            package, mode = endpoint.package or "", endpoint.mode
            self._record(Decision(NOTHING, "", endpoint.config, package, mode), FOUND)

    def _begin(self, state: EndpointState, decision: Decision) -> None:
        clients, target, config = self._clients, self._target, decision.config
        if decision.action == DELETE:
            if config:  # what comes in its place: a refusal of it comes before the gap
                carry_out.make_config(clients, target, decision.package)
            carry_out.delete(clients, target)
            return
        last = state.last(config)
        if last == KILLED:
            self._record(decision, REPEATED)
        elif last in {SUCCEEDED, FOUND} and state.number(decision.package) is not None:
            self._record(decision, RETURNED)
        if config == target.config_name(decision.package, decision.shadow):
            carry_out.make_config(clients, target, decision.package, decision.shadow)
        if state.endpoint is None:
            carry_out.create(clients, target, config)
        else:
            carry_out.update(clients, target, config, state.endpoint)

    def _record_if_rolled_back(self, decision: Decision) -> None:
        """Record a failure where the service has rolled the update back: it is due once more."""
        state = observe(self._clients, self._target)
        again = decide(self._target, state)
        if state.endpoint and (again.action, again.config) == (UPDATE, decision.config):
            reason = state.endpoint.failure or "the service rolled the update back"
            self._failed(state, decision, reason)

    def _test(self, state: EndpointState, decision: Decision) -> None:
        mode = decision.mode or self._target.mode
        reason = send_sample(self._clients, self._target, mode)
        if reason:
            self._failed(state, decision, reason)
        else:
            self._record(decision, SUCCEEDED)

    def _failed(self, state: EndpointState, decision: Decision, reason: str) -> None:
        """Record a failure, or that the machine ended the attempt: then it is made once more."""
        kills = state.kills(decision.config) + 1
        if is_killed(reason):
            self._record(decision, KILLED, reason)
            if kills < MOST_KILLED:
                self._options.report(f"killed: {reason}; it is tried again")
                return
            reason = f"{reason}, {kills} times in a row"
        else:
            self._record(decision, FAILED, reason)
        number = decision.package.rpartition("/")[2]
        if number.isdigit() and not decision.shadow:  # whose failure harms nobody
            self._failures.append((int(number), reason))
        self._options.report("failed")  # the outcome says why

    def _record(self, about: Decision, outcome: str, reason: str = "") -> None:
        attempt = self._attempt(about, outcome, reason)
        carry_out.write_attempt(self._clients, self._target, attempt)

    def _attempt(self, about: Decision, outcome: str, reason: str = "") -> DeploymentAttempt:
        started = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%S.%fZ")
        who, mode = self._options.execution, about.mode or self._target.mode
        package = about.shadow if about.shadow and outcome in {FAILED, KILLED} else about.package
        return DeploymentAttempt(about.config, package, outcome, reason, started, who, mode)

    def _wait(self) -> None:
        """Wait until no change of the endpoint is under way.

        Raises:
            DeployError: one takes too long; the next reconciliation continues.
        """
        deadline = time.monotonic() + _WAIT_SECONDS
        while True:
            endpoint = find_endpoint(self._clients, self._target.endpoint)
            if endpoint is None or not endpoint.is_changing:
                return
            if time.monotonic() > deadline:
                hours = _WAIT_SECONDS / 3600
                raise DeployError(
                    f"{self._target.endpoint} is still {endpoint.status} after {hours:g} hours:"
                    " deploy again when that has ended"
                )
            time.sleep(self._options.pause)
