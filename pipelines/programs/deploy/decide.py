"""(target, registry, endpoint, history) → what is to be done next. Pure.

The highest version that is Approved, Completed, and has not failed here is to be live. Nothing is
ever live because of an event: the same state gives the same decision, whoever asks.
"""

from __future__ import annotations

from typing import NamedTuple

from pipelines.programs.deploy.model import Endpoint, Seen, Target, Version

NOTHING, WAIT, CREATE, UPDATE, DELETE, PROVE, BLAME = (
    "nothing",
    "wait",
    "create",
    "update",
    "delete",
    "prove",
    "blame",
)


class Decision(NamedTuple):
    """What is to be done.

    Args:
        action: `nothing`; `wait` for a change under way; `create` or `update` the endpoint to
            `config`; `delete` an endpoint that never worked; `prove` that what is served answers;
            `blame` the config of an endpoint that has failed.
        says: why, a sentence without a full stop.
        config: the endpoint config that it is about.
        package: the package that is to be served by it.
    """

    action: str
    says: str
    config: str = ""
    package: str = ""


def decide(target: Target, seen: Seen) -> Decision:
    """Say what is to be done next."""
    endpoint = seen.endpoint
    if endpoint is not None and endpoint.is_changing:
        return Decision(WAIT, f"{target.endpoint} is {endpoint.status}")
    if endpoint is not None and endpoint.is_broken:
        return _broken(target, seen, endpoint)
    wanted = _wanted(target, seen)
    if endpoint is None:
        return _absent(target, seen, wanted)
    return _serving(target, seen, endpoint, wanted)


class Wanted(NamedTuple):
    """The version that is to be live, and the config to serve it with.

    Args:
        version: the version.
        config: its config by the target; where that one failed, the one that worked last.
    """

    version: Version
    config: str


def _wanted(target: Target, seen: Seen) -> Wanted | None:
    failed = seen.failed()
    for version in seen.versions:
        if not version.is_deployable:
            continue
        config = target.config_name(version.arn)
        if config not in failed:
            return Wanted(version, config)
        for attempt in seen.proven():
            if attempt.package == version.arn:
                return Wanted(version, attempt.config)
    return None


def _broken(target: Target, seen: Seen, endpoint: Endpoint) -> Decision:
    if endpoint.config in seen.failed():
        return Decision(DELETE, f"{target.endpoint} is {endpoint.status}: it is deleted")
    reason = endpoint.failure or f"the endpoint is {endpoint.status}"
    return Decision(BLAME, reason, endpoint.config, endpoint.package or "")


def _absent(target: Target, seen: Seen, wanted: Wanted | None) -> Decision:
    if wanted is None:
        return Decision(NOTHING, _waiting(target, seen))
    says = f"{target.endpoint} is created with {target.group}/{wanted.version.number}"
    return Decision(CREATE, says, wanted.config, wanted.version.arn)


def _serving(target: Target, seen: Seen, endpoint: Endpoint, wanted: Wanted | None) -> Decision:
    if wanted is None:
        if endpoint.config not in seen.failed():
            return Decision(NOTHING, _orphaned(target, seen, endpoint))
        return _back(target, seen)
    named = f"{target.group}/{wanted.version.number}"
    package, config = wanted.version.arn, wanted.config
    if endpoint.config != config:
        live = seen.number(endpoint.package)
        known = live is not None and live != wanted.version.number
        instead = f" instead of {target.group}/{live}" if known else ""
        says = f"{target.endpoint} is updated to {named}{instead}"
        return Decision(UPDATE, says, config, package)
    newest = target.config_name(package)
    if config != newest:
        says = f"{named} stays live as it was: its new settings failed here"
        return Decision(NOTHING, f"{says}: {seen.reason(newest)}", config, package)
    if config not in {attempt.config for attempt in seen.proven()}:
        return Decision(PROVE, f"{named} is asked whether it answers", config, package)
    return Decision(NOTHING, f"{named} is live", config, package)


def _back(target: Target, seen: Seen) -> Decision:
    """Leave what failed: for what succeeded last, else for nothing."""
    for attempt in seen.proven():
        number = seen.number(attempt.package)
        if number is not None:
            says = f"{target.endpoint} goes back to {target.group}/{number} as it was"
            return Decision(UPDATE, says, attempt.config, attempt.package)
    return Decision(DELETE, f"{target.endpoint} never answered: it is deleted")


def _waiting(target: Target, seen: Seen) -> str:
    """Say what is missing for anything to be deployed."""
    return (
        _failures(target, seen)
        or _pending(target, seen)
        or f"there is no approved version of {target.group} yet"
    )


def _orphaned(target: Target, seen: Seen, endpoint: Endpoint) -> str:
    """Say that what is live is not approved any more, and nothing else is."""
    number = seen.number(endpoint.package)
    live = f"{target.group}/{number}" if number is not None else f"the config {endpoint.config}"
    missing = _waiting(target, seen)
    return f"{live} stays live, though no other version may take its place: {missing}"


def _pending(target: Target, seen: Seen) -> str:
    for version in seen.versions:
        if version.approval == "PendingManualApproval":
            return f"waiting for approval of {target.group}/{version.number}"
    return ""


def _failures(target: Target, seen: Seen) -> str:
    for version in seen.versions:
        config = target.config_name(version.arn)
        if version.is_deployable and config in seen.failed():
            return (
                f"{target.group}/{version.number} failed on {target.endpoint}:"
                f" {seen.reason(config)}; `deploy --retry {target.group}/{version.number}`"
                " tries it again"
            )
    return ""


def notes(target: Target, seen: Seen) -> tuple[str, ...]:
    """Say what else somebody should know who looks at what is live."""
    live = seen.number(seen.endpoint.package) if seen.endpoint else None
    if live is None:
        return ()
    newer = [one for one in seen.versions if one.number > live]
    failed = seen.failed()
    told = [
        f"{target.group}/{one.number} is newer and failed here:"
        f" {seen.reason(target.config_name(one.arn))}"
        for one in newer
        if one.is_deployable and target.config_name(one.arn) in failed
    ]
    pending = [one for one in newer if one.approval == "PendingManualApproval"]
    return (*told, *(f"{target.group}/{one.number} waits for approval" for one in pending[:1]))
