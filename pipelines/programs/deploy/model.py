"""What a deployment is: its target, the state that it finds, its outcome. Values only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

IN_SERVICE = "InService"
VARIANT = "AllTraffic"
"""The name of the one production variant."""

SUCCEEDED, FAILED, RETRY, FOUND = "succeeded", "failed", "retry", "found"
KILLED, REPEATED, RETURNED = "killed", "repeated", "returned"
MOST_KILLED = 3
"""Times in a row that a config may be killed until that is taken for its own fault."""

_NAME_LENGTH = 63
_HASH_LENGTH = 12
_NUMBER_LENGTH = 5
"""Of a job's name, for the number of the attempt."""

_HOW = frozenset({"MaxConcurrentTransforms", "ModelClientConfig", "TransformResources"})
"""Members of a transform job that its results do not depend on."""


class DeployError(Exception):
    """A deployment cannot go on; the text says why and what to do."""


class NotFailedError(DeployError):
    """A retry is asked for of a version that did not fail here."""


class UnfitPackageError(Exception):
    """A package cannot be deployed as it was registered; the text says why."""


class SampleRequest(NamedTuple):
    """A request that a new version must answer, and its media type."""

    body: bytes
    content_type: str


class DeploymentTarget(NamedTuple):
    """What is to be deployed where.

    Args:
        group: the model package group.
        endpoint: the endpoint.
        history: `s3://bucket/prefix` that attempts are kept under.
        role: the role that the model runs with.
        mode: the name of its mode (`modes`).
        variant: the members of the production variant besides name and model.
        environment: variables of the model server, over the package's own.
        config: further members of CreateEndpointConfig, such as KmsKeyId.
        model: further members of CreateModel, such as VpcConfig.
        deployment: the DeploymentConfig of updates; empty for the service's default.
        tags: tags of everything that is created.
        sample: a request that must be answered before the deployment counts.
        replace: whether the endpoint may be deleted and created again where no update leads to
            the mode.
        scaling: how its instances, or its provisioned concurrency, scale with the load:
            `ScalableDimension`, `MinCapacity`, `MaxCapacity`, `TargetTracking`; empty for not.
        delete_when_none: whether the endpoint is deleted when no version is approved any more.
        shadow: `pending` if the newest pending version gets a copy of each request.
        batch: of a batch, the request for its transform job, without names; `endpoint` is then
            what jobs and models are called after.
    """

    group: str
    endpoint: str
    history: str
    role: str
    mode: str
    variant: dict[str, Any]
    environment: dict[str, str]
    config: dict[str, Any]
    model: dict[str, Any]
    deployment: dict[str, Any]
    tags: dict[str, str]
    sample: SampleRequest | None = None
    replace: bool = False
    scaling: Mapping[str, Any] = {}
    delete_when_none: bool = False
    shadow: str = ""
    batch: Mapping[str, Any] = {}

    @property
    def name(self) -> str:
        """What people call it: the endpoint, or the step of a batch."""
        return self.history.rpartition("/")[2]

    def model_name(self, package: str) -> str:
        """Name the model of a package by what it is made of."""
        return self._named(package, self.role, self.environment, self.model)

    def shadow_name(self, package: str) -> str:
        """Name the model of a package that only gets copies of requests."""
        return self._named(package, self.role, self.environment, self.model, "shadow")

    def config_name(self, package: str, shadow: str = "") -> str:
        """Name the endpoint config of a package, with that of a shadow, by what it is made of."""
        mirrored = (self.shadow_name(shadow),) if shadow else ()
        return self._named(self.model_name(package), self.variant, self.config, *mirrored)

    def job_name(self, package: str, fingerprint: str) -> str:
        """Name the job of a package and an input by what its results depend on; no number yet."""
        asked = {key: value for key, value in self.batch.items() if key not in _HOW}
        longest = _NAME_LENGTH - _NUMBER_LENGTH
        return self._named(package, self.environment, asked, fingerprint, longest=longest)

    def _named(self, *content: Any, longest: int = _NAME_LENGTH) -> str:
        prefix = self.endpoint[: longest - _HASH_LENGTH - 1].rstrip("-")
        whole = content if prefix == self.endpoint else (*content, self.endpoint)
        text = json.dumps(whole, sort_keys=True).encode()
        return f"{prefix}-{hashlib.sha256(text).hexdigest()[:_HASH_LENGTH]}"


class ModelVersion(NamedTuple):
    """A version of the group."""

    number: int
    arn: str
    approval: str
    status: str

    @property
    def is_deployable(self) -> bool:
        """Whether it may be live."""
        return self.approval == "Approved" and self.status == "Completed"

    @property
    def is_pending(self) -> bool:
        """Whether it waits for approval and could be served."""
        return self.approval == "PendingManualApproval" and self.status == "Completed"


class Endpoint(NamedTuple):
    """The endpoint as it is.

    Args:
        status: its EndpointStatus.
        config: the config that it serves.
        mode: the name of that config's mode.
        package: the ARN of the package that it serves; None where it is not one.
        failure: its FailureReason.
        instances: how many instances its variant has now; 0 for a serverless one.
        variant: the name of its variant.
    """

    status: str
    config: str
    mode: str
    package: str | None
    failure: str | None
    instances: int = 0
    variant: str = ""

    @property
    def is_changing(self) -> bool:
        """Whether a change of it is under way."""
        return self.status in {"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"}

    @property
    def is_broken(self) -> bool:
        """Whether it can only be deleted."""
        return self.status == "Failed"


class DeploymentAttempt(NamedTuple):
    """One entry of the history: what was deployed, and its outcome.

    Args:
        config: the endpoint config's name.
        package: the package's ARN.
        outcome: `succeeded`, `failed`, `killed`, where the machine ended it, `repeated`, which
            says that what was killed is tried once more, `returned`, that what worked before is
            served again and has to answer again, `retry`, which forgets a failure, or `found`:
            it was live before anything was deployed from here.
        reason: why it failed.
        started: when, ISO 8601 in UTC.
        execution: the ARN of the pipeline execution, or empty.
        mode: the name of the config's mode; empty where it is not known.
    """

    config: str
    package: str
    outcome: str
    reason: str
    started: str
    execution: str = ""
    mode: str = ""


class EndpointState(NamedTuple):
    """Everything that a decision rests on.

    Args:
        versions: the group's versions, the highest first.
        endpoint: None where there is none.
        attempts: the history, oldest first.
        configs: the names of those endpoint configs of the history that still exist.
    """

    versions: tuple[ModelVersion, ...]
    endpoint: Endpoint | None
    attempts: tuple[DeploymentAttempt, ...]
    configs: frozenset[str]

    def failed(self) -> frozenset[str]:
        """Return the configs whose last attempt failed, or that were killed too often."""
        return frozenset(
            config
            for config, outcome in self._last().items()
            if outcome == FAILED or self.kills(config) >= MOST_KILLED
        )

    def last(self, config: str) -> str:
        """Return the outcome of the last attempt of a config, empty where there is none."""
        return self._last().get(config, "")

    def kills(self, config: str) -> int:
        """Return how often a config was killed since anything else came of it."""
        count = 0
        for attempt in self.attempts:
            if attempt.config == config:
                kept = attempt.outcome in {KILLED, REPEATED}
                count = count + (attempt.outcome == KILLED) if kept else 0
        return count

    def _last(self) -> dict[str, str]:
        return {attempt.config: attempt.outcome for attempt in self.attempts}

    def reason(self, config: str) -> str:
        """Return why a config failed."""
        reasons = [one.reason for one in self.attempts if one.config == config and one.reason]
        reason = reasons[-1] if reasons else "no reason was given"
        kills = self.kills(config)
        return f"{reason}, {kills} times in a row" if kills > 1 else reason

    def failed_in(self, config: str, execution: str) -> bool:
        """Return whether it was that execution whose attempt at a config failed last."""
        tried = [one.execution for one in self.attempts if one.config == config]
        return bool(execution) and tried[-1:] == [execution] and config in self.failed()

    def working(self) -> list[DeploymentAttempt]:
        """Return what worked and still exists, the latest first, each config once."""
        last = {attempt.config: attempt for attempt in self.attempts}
        good = [
            one
            for one in last.values()
            if one.outcome in {SUCCEEDED, FOUND, RETURNED} and one.config in self.configs
        ]
        return sorted(good, key=lambda one: one.started, reverse=True)

    def number(self, package: str | None) -> int | None:
        """Return the version number of a package, None where it is none of the group."""
        return next((one.number for one in self.versions if one.arn == package), None)


class DeploymentOutcome(NamedTuple):
    """The outcome of a reconciliation.

    Args:
        live: the version that the endpoint serves now, None where it serves none.
        messages: what to tell the user, in order, sentences without a full stop.
        failures: (version, reason) of what failed this time, or earlier in the same execution,
            and is newer than what is live.
        changed: whether anything was changed, or would be in a dry run.
        known: (version, reason) of approved versions whose last attempt here failed.
        serves: whether the endpoint is in service, with whatever it serves.
        action: the last decision's action: of a dry run, what would be done first.
        package: the package that it is about; empty where it is about none.
    """

    live: int | None
    messages: tuple[str, ...]
    failures: tuple[tuple[int, str], ...] = ()
    changed: bool = False
    known: tuple[tuple[int, str], ...] = ()
    serves: bool = True
    action: str = ""
    package: str = ""

    @property
    def news(self) -> tuple[str, ...]:
        """Return the messages but those that repeat why a version has failed."""
        reasons = [reason for _, reason in self.failed]
        return tuple(text for text in self.messages if not any(one in text for one in reasons))

    @property
    def failed(self) -> tuple[tuple[int, str], ...]:
        """(version, reason) of what keeps the reconciliation from being a success.

        That is what failed now, and, where nothing serves, what failed before: the version that
        should be live is not, whoever tried it.
        """
        return self.failures or (() if self.serves else self.known)


def package_version(arn: str) -> int:
    """Read the version out of a package's ARN."""
    return int(arn.rpartition("/")[2])
