"""(target, registry, endpoint, history) → the next action. Pure.

The highest version that is Approved, Completed, and has not failed here is to be live. Nothing is
ever live because of an event: the same state gives the same decision, whoever asks.
"""

from __future__ import annotations

from typing import NamedTuple

from pipelines.programs.deploy import modes
from pipelines.programs.deploy.model import (
    FAILED,
    FOUND,
    IN_SERVICE,
    KILLED,
    SUCCEEDED,
    DeploymentTarget,
    Endpoint,
    EndpointState,
    ModelVersion,
)

NOTHING, WAIT, REFUSE, CREATE, UPDATE, DELETE, TEST, RECORD = (
    "nothing",
    "wait",
    "refuse",
    "create",
    "update",
    "delete",
    "test",
    "record",
)


class Decision(NamedTuple):
    """The next action.

    Args:
        action: `nothing`; `wait` for a change under way; `refuse` what the service does not allow;
            `create` or `update` the endpoint to `config`; `delete` an endpoint that cannot be
            repaired, or cannot become `config`; `test` what is served; `record` that the config of
            a failed endpoint failed.
        message: why, a sentence without a full stop.
        config: the endpoint config that it is about.
        package: the package that is to be served by it.
        mode: the mode of the config; empty for the target's.
        shadow: the package that is to get a copy of each request.
    """

    action: str
    message: str
    config: str = ""
    package: str = ""
    mode: str = ""
    shadow: str = ""


def decide(target: DeploymentTarget, state: EndpointState) -> Decision:
    """Return the next action."""
    endpoint = state.endpoint
    if endpoint is not None and endpoint.is_changing:
        return Decision(WAIT, f"{target.endpoint} is {endpoint.status}")
    if endpoint is not None and endpoint.is_broken:
        return _broken(target, state, endpoint)
    if endpoint is not None and endpoint.status != IN_SERVICE:
        why = f" ({endpoint.failure})" if endpoint.failure else ""
        message = f"{target.endpoint} is {endpoint.status}{why}: fix it in SageMaker"
        return Decision(REFUSE, f"{message}, then deploy again")
    due = _mirrored(target, state, _due(target, state))
    if endpoint is None:
        return _absent(target, state, due)
    return _serving(target, state, endpoint, due)


class Due(NamedTuple):
    """The version that is to be live, and the config to serve it with.

    Args:
        version: the version.
        config: its config by the target; where that one failed, the one that worked last.
        mode: the mode of that config.
        shadow: the version that is to get a copy of each request.
    """

    version: ModelVersion
    config: str
    mode: str
    shadow: ModelVersion | None = None


def _due(target: DeploymentTarget, state: EndpointState) -> Due | None:
    failed = state.failed()
    for version in state.versions:
        if not version.is_deployable:
            continue
        config = target.config_name(version.arn)
        if config not in failed:
            return Due(version, config, target.mode)
        for attempt in state.working():
            if attempt.package == version.arn:
                return Due(version, attempt.config, attempt.mode)
    return None


def _mirrored(target: DeploymentTarget, state: EndpointState, due: Due | None) -> Due | None:
    """Let the newest pending version have a copy of each request, once what is due has worked.

    So a version is to blame for what it does alone. A pending one that failed here gets none.
    """
    shadow = _shadow(target, state, due)
    if due is None or shadow is None or due.config != target.config_name(due.version.arn):
        return due
    config = target.config_name(due.version.arn, shadow.arn)
    if state.last(due.config) != SUCCEEDED or config in state.failed():
        return due
    return due._replace(config=config, shadow=shadow)


def _shadow(target: DeploymentTarget, state: EndpointState, due: Due | None) -> ModelVersion | None:
    """Return the newest pending version above the one that is due."""
    if not target.shadow or due is None:
        return None
    for version in state.versions:
        if version.is_pending and version.number > due.version.number:
            return version
    return None


def _broken(target: DeploymentTarget, state: EndpointState, endpoint: Endpoint) -> Decision:
    if state.last(endpoint.config) in {FAILED, KILLED}:
        return Decision(DELETE, f"delete {target.endpoint}, which is {endpoint.status}")
    reason = endpoint.failure or f"the endpoint is {endpoint.status}"
    return Decision(RECORD, reason, endpoint.config, endpoint.package or "")


def _absent(target: DeploymentTarget, state: EndpointState, due: Due | None) -> Decision:
    if due is None:
        return Decision(NOTHING, nothing_due(target, state))
    message = f"create {target.endpoint} with {target.group}/{due.version.number}"
    shadow = due.shadow.arn if due.shadow else ""
    return Decision(CREATE, message, due.config, due.version.arn, due.mode, shadow)


def _serving(
    target: DeploymentTarget, state: EndpointState, endpoint: Endpoint, due: Due | None
) -> Decision:
    if due is None:
        return _none_due(target, state, endpoint)
    named = f"{target.group}/{due.version.number}"
    package, config = due.version.arn, due.config
    newest = target.config_name(package)
    if endpoint.config != config:
        return _update(target, state, endpoint, due)
    if state.last(config) not in {SUCCEEDED, FOUND}:
        shadow = due.shadow.arn if due.shadow else ""
        return Decision(TEST, _test(target, named), config, package, due.mode, shadow)
    if due.shadow is None and config != newest:
        message = f"{named} stays live with its previous settings: the new ones failed here"
        return Decision(NOTHING, f"{message}: {state.reason(newest)}", config, package)
    return Decision(NOTHING, f"{named} is live{_mirror(target, state, due)}", config, package)


def _mirror(target: DeploymentTarget, state: EndpointState, due: Due) -> str:
    """Return which version gets a copy of each request, or why none does."""
    if due.shadow is not None:
        return f", and {target.group}/{due.shadow.number} gets a copy of each request"
    wanted = _shadow(target, state, due)
    if wanted is None:
        return ""
    reason = state.reason(target.config_name(due.version.arn, wanted.arn))
    return f"; {target.group}/{wanted.number} gets no copies of its requests: {reason}"


def _none_due(target: DeploymentTarget, state: EndpointState, endpoint: Endpoint) -> Decision:
    """Keep what serves where no version can replace it, unless the target says otherwise."""
    if endpoint.config in state.failed():
        return _back(target, state, endpoint)
    is_ours = state.number(endpoint.package) is not None
    approved = any(version.approval == "Approved" for version in state.versions)
    if target.delete_when_none and is_ours and not approved:
        message = f"delete {target.endpoint}: no version of {target.group} is approved any more"
        return Decision(DELETE, message)
    if is_ours and _is_untested(target, state, endpoint):
        named, package = f"{target.group}/{state.number(endpoint.package)}", endpoint.package or ""
        return Decision(TEST, _test(target, named), endpoint.config, package)
    return Decision(NOTHING, _stays(target, state, endpoint))


def _is_untested(target: DeploymentTarget, state: EndpointState, endpoint: Endpoint) -> bool:
    """Return whether it serves what was put live from here, and has not answered yet."""
    is_made_here = endpoint.config == target.config_name(endpoint.package or "")
    return is_made_here and state.last(endpoint.config) not in {SUCCEEDED, FOUND}


def _test(target: DeploymentTarget, named: str) -> str:
    return f"test {named} with the sample request" if target.sample else f"{named} is in service"


def _update(
    target: DeploymentTarget, state: EndpointState, endpoint: Endpoint, due: Due
) -> Decision:
    number, package = due.version.number, due.version.arn
    if not modes.find(endpoint.mode).can_become(due.mode):
        return _other_mode(target, endpoint, due)
    live = state.number(endpoint.package)
    instead = ""
    if live is None and endpoint.config not in {attempt.config for attempt in state.attempts}:
        instead = f" instead of {endpoint.config}, which was not deployed from here"
    elif live not in {None, number}:
        instead = f" instead of {target.group}/{live}"
    message = f"update {target.endpoint} to {target.group}/{number}{instead}"
    if due.shadow is not None:
        message = f"{message}, with copies of its requests for {target.group}/{due.shadow.number}"
    shadow = due.shadow.arn if due.shadow else ""
    return Decision(UPDATE, message, due.config, package, due.mode, shadow)


def _other_mode(target: DeploymentTarget, endpoint: Endpoint, due: Due) -> Decision:
    """Return what to do where no update leads from one mode to the other (FACTS 5.2)."""
    noun = modes.find(due.mode).noun
    if due.config != target.config_name(due.version.arn):
        message = f"delete {target.endpoint}, to create it again as {noun}, as it last worked"
        return Decision(DELETE, message)
    message = f"{target.endpoint} is {modes.find(endpoint.mode).noun} and cannot become {noun}"
    if target.replace:
        gap = "it is deleted and created again, and does not answer meanwhile"
        return Decision(DELETE, f"{message}: {gap}", due.config, due.version.arn)
    advice = "name another `endpoint:`, or write `replace: true`"
    how = "which deletes this one and creates it again: it does not answer meanwhile"
    return Decision(REFUSE, f"{message}: {advice}, {how}")


def _back(target: DeploymentTarget, state: EndpointState, endpoint: Endpoint) -> Decision:
    """Replace what failed by what worked last; delete it where nothing did."""
    for attempt in state.working():
        if modes.find(endpoint.mode).can_become(attempt.mode):
            number = state.number(attempt.package)
            what = attempt.config if number is None else f"{target.group}/{number}"
            message = f"update {target.endpoint} back to {what}, which worked last"
            return Decision(UPDATE, message, attempt.config, attempt.package, attempt.mode)
    return Decision(DELETE, f"delete {target.endpoint}, which has nothing to go back to")


def nothing_due(target: DeploymentTarget, state: EndpointState) -> str:
    """Return why there is nothing to deploy."""
    return (
        _failure(target, state)
        or _incomplete(target, state)
        or _pending(target, state)
        or f"there is no approved version of {target.group} yet"
    )


def _stays(target: DeploymentTarget, state: EndpointState, endpoint: Endpoint) -> str:
    """Return that what is live stays, though it is approved no more."""
    number = state.number(endpoint.package)
    live = f"{target.group}/{number}" if number is not None else f"the config {endpoint.config}"
    missing = nothing_due(target, state)
    return f"{live} stays live, since no version can replace it: {missing}"


def _pending(target: DeploymentTarget, state: EndpointState) -> str:
    for version in state.versions:
        if version.approval == "PendingManualApproval":
            return f"waiting for approval of {target.group}/{version.number}"
    return ""


def _incomplete(target: DeploymentTarget, state: EndpointState) -> str:
    for version in state.versions:
        if version.approval == "Approved" and not version.is_deployable:
            return f"{target.group}/{version.number} is approved, but {version.status}"
    return ""


def _failure(target: DeploymentTarget, state: EndpointState) -> str:
    for version in state.versions:
        config = target.config_name(version.arn)
        if version.is_deployable and config in state.failed():
            return (
                f"{target.group}/{version.number} failed on {target.endpoint}:"
                f" {state.reason(config)}; `deploy --retry {target.group}/{version.number}`"
                " tries it again"
            )
    return ""


def newer(target: DeploymentTarget, state: EndpointState) -> tuple[str, ...]:
    """Return messages on versions above the live one: those that failed, and one that waits."""
    live = state.number(state.endpoint.package) if state.endpoint else None
    if live is None:
        return ()
    above = [one for one in state.versions if one.number > live]
    failed = state.failed()
    messages = [
        f"{target.group}/{one.number} is newer and failed here:"
        f" {state.reason(target.config_name(one.arn))}"
        for one in above
        if one.is_deployable and target.config_name(one.arn) in failed
    ]
    pending = [one for one in above if one.approval == "PendingManualApproval"]
    return (*messages, *(f"{target.group}/{one.number} waits for approval" for one in pending[:1]))
