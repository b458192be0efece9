"""(target, registry, endpoint, history) → what is to be done next. Pure.

The highest version that is Approved, Completed, and has not failed here is to be live. Nothing is
ever live because of an event: the same state gives the same decision, whoever asks.
"""

from __future__ import annotations

from typing import NamedTuple

from pipelines.programs.deploy.model import IN_SERVICE, Endpoint, Seen, Target, Version

NOTHING, WAIT, REFUSE, CREATE, UPDATE, DELETE, PROVE, BLAME = (
    "nothing",
    "wait",
    "refuse",
    "create",
    "update",
    "delete",
    "prove",
    "blame",
)


class Decision(NamedTuple):
    """What is to be done.

    Args:
        action: `nothing`; `wait` for a change under way; `refuse` what the service does not know;
            `create` or `update` the endpoint to `config`; `delete` an endpoint of which nothing can
            be made; `prove` that what is served answers; `blame` the config of an endpoint that has
            failed.
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
    if endpoint is not None and endpoint.status != IN_SERVICE:
        why = f" ({endpoint.failure})" if endpoint.failure else ""
        says = f"{target.endpoint} is {endpoint.status}{why}: see to it in SageMaker, then deploy"
        return Decision(REFUSE, says)
    wanted = _wanted(target, seen)
    if endpoint is None:
        return _absent(target, seen, wanted)
    return _serving(target, seen, endpoint, wanted)


class Wanted(NamedTuple):
    """The version that is to be live, and the config to serve it with.

    Args:
        version: the version.
        config: its config by the target; where that one failed, the one that worked last.
        mode: how that serves.
    """

    version: Version
    config: str
    mode: str


def _wanted(target: Target, seen: Seen) -> Wanted | None:
    failed = seen.failed()
    for version in seen.versions:
        if not version.is_deployable:
            continue
        config = target.config_name(version.arn)
        if config not in failed:
            return Wanted(version, config, target.mode)
        for attempt in seen.proven():
            if attempt.package == version.arn:
                return Wanted(version, attempt.config, attempt.mode)
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
        return _back(target, seen, endpoint)
    named = f"{target.group}/{wanted.version.number}"
    package, config = wanted.version.arn, wanted.config
    newest = target.config_name(package)
    if endpoint.config != config:
        return _update(target, seen, endpoint, wanted)
    if config != newest:
        says = f"{named} stays live as it was: its new settings failed here"
        return Decision(NOTHING, f"{says}: {seen.reason(newest)}", config, package)
    if config not in {attempt.config for attempt in seen.proven()}:
        return Decision(PROVE, f"{named} is asked whether it answers", config, package)
    return Decision(NOTHING, f"{named} is live", config, package)


def _update(target: Target, seen: Seen, endpoint: Endpoint, wanted: Wanted) -> Decision:
    number, package = wanted.version.number, wanted.version.arn
    if not endpoint.may_become(wanted.mode):
        return _no_way(target, is_back=wanted.config != target.config_name(package))
    live = seen.number(endpoint.package)
    instead = ""
    if live is None and endpoint.config not in {attempt.config for attempt in seen.attempts}:
        instead = f" instead of {endpoint.config}, which was not deployed from here"
    elif live not in {None, number}:
        instead = f" instead of {target.group}/{live}"
    says = f"{target.endpoint} is updated to {target.group}/{number}{instead}"
    return Decision(UPDATE, says, wanted.config, package)


def _no_way(target: Target, *, is_back: bool) -> Decision:
    """Give what there is to do where no update leads from real-time to serverless (FACTS 5.2)."""
    if is_back:
        says = f"{target.endpoint} is deleted, to be serverless again as it was when it answered"
        return Decision(DELETE, says)
    says = f"{target.endpoint} is a real-time endpoint and cannot become serverless"
    return Decision(REFUSE, f"{says}: give `endpoint:` another name, or delete the endpoint first")


def _back(target: Target, seen: Seen, endpoint: Endpoint) -> Decision:
    """Leave what failed: for what worked last, else for nothing."""
    for attempt in seen.proven():
        if endpoint.may_become(attempt.mode):
            number = seen.number(attempt.package)
            what = attempt.config if number is None else f"{target.group}/{number}"
            says = f"{target.endpoint} goes back to {what} as it was"
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
