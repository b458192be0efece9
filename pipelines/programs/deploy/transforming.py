"""A batch: observe, decide, carry out, until its input is processed or nothing can be done.

A job is named by what it is made of, so that a deployment that was killed is continued: the next
one waits for the job that runs, and records the one that has ended.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from datetime import datetime, timezone
from typing import Any

from pipelines.programs.deploy import carry_out
from pipelines.programs.deploy.batch import (
    FAIL,
    BatchState,
    TransformJob,
    decide_batch,
    input_of,
)
from pipelines.programs.deploy.decide import NOTHING, RECORD, WAIT, Decision
from pipelines.programs.deploy.model import (
    SUCCEEDED,
    DeployError,
    DeploymentAttempt,
    DeploymentOutcome,
    DeploymentTarget,
    EndpointState,
    NotFailedError,
    UnfitPackageError,
    package_version,
)
from pipelines.programs.deploy.observe import (
    Clients,
    objects_below,
    read_attempts,
    read_versions,
    split,
)
from pipelines.programs.deploy.reconcile import Options, is_of_version

_ROUNDS = 200
_WAIT_SECONDS = 24 * 3600.0
_TAKEN = "ResourceInUse"


def observe_batch(clients: Clients, target: DeploymentTarget) -> BatchState:
    """Read everything that a decision rests on.

    Raises:
        DeployError: there is no input.
    """
    registry = observe_registry(clients, target)
    deployable = [one for one in registry.versions if one.is_deployable]
    if not deployable:
        return BatchState(registry, "", 0, {})
    fingerprint, count = _fingerprint(clients, target)
    names = {target.job_name(one.arn, fingerprint) for one in deployable}
    jobs: dict[str, tuple[TransformJob, ...]] = {}
    own = jobs_of(clients, target)
    for job in own:
        name = job.name.rpartition("-")[0]
        if name in names:
            jobs[name] = (*jobs.get(name, ()), job)
    running = tuple(job for job in own if job.is_running)
    return BatchState(registry, fingerprint, count, jobs, running)


def observe_registry(clients: Clients, target: DeploymentTarget) -> EndpointState:
    """Read versions and history: a batch has no endpoint."""
    versions = read_versions(clients, target.group)
    return EndpointState(versions, None, read_attempts(clients, target.history), frozenset())


def _fingerprint(clients: Clients, target: DeploymentTarget) -> tuple[str, int]:
    """Return a hash of the names and contents of the input's objects, and how many they are."""
    uri = input_of(target)
    source = target.batch["TransformInput"]["DataSource"]["S3DataSource"]
    found = objects_below(clients, uri)
    if source["S3DataType"] == "ManifestFile":
        found = _named_by_manifest(clients, uri, found)
    if not found:
        raise DeployError(f"there are no objects below {uri}: there is nothing to process")
    output = target.batch["TransformOutput"]["S3OutputPath"]
    below = f"{output.rstrip('/')}/"
    among = [f"the input {one} is" for one in found if one.startswith(below)]
    if source["S3DataType"] == "S3Prefix" and below.startswith(uri):
        among.append(f"everything belongs to the input {uri}")
    if among:
        raise DeployError(
            f"the results go to {output}, where {among[0]}, too: every result would be"
            " processed in turn; name a place outside of the input as `output`"
        )
    text = json.dumps(sorted(found.items())).encode()
    return hashlib.sha256(text).hexdigest(), len(found)


def _named_by_manifest(clients: Clients, uri: str, itself: dict[str, str]) -> dict[str, str]:
    """Return the objects that a manifest names, and the manifest."""
    bucket, key = split(uri)
    if uri not in itself:
        return {}
    read = json.loads(clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    prefix, *names = read
    wanted = {f"{prefix['prefix']}{name}" for name in names}
    there = objects_below(clients, prefix["prefix"])
    return {uri: itself[uri], **{one: there[one] for one in wanted if one in there}}


def jobs_of(clients: Clients, target: DeploymentTarget) -> list[TransformJob]:
    """Read every job of a batch, by the number of its attempt."""
    prefix = target.job_name("", "").rpartition("-")[0]
    ours = re.compile(rf"{re.escape(prefix)}-[0-9a-f]{{12}}-[0-9]+")
    pages = clients.sagemaker.get_paginator("list_transform_jobs").paginate(NameContains=prefix)
    found = [
        TransformJob(
            one["TransformJobName"], one["TransformJobStatus"], one.get("FailureReason", "")
        )
        for page in pages
        for one in page["TransformJobSummaries"]
        if ours.fullmatch(one["TransformJobName"])
    ]
    return sorted(found, key=lambda job: job.number)


def reconcile_batch(
    clients: Clients, target: DeploymentTarget, options: Options
) -> DeploymentOutcome:
    """Process the input with the highest approved version that works, unless that is done.

    Raises:
        DeployError: it cannot, for a reason that lies in no version.
        ClientError: AWS refused a call.
    """
    if options.retry is not None:
        raise NotFailedError(
            f"a failed job of {target.name} is tried again by every deployment:"
            " there is nothing to retry"
        )
    batch = _Batch(clients, target, options)
    for _ in range(_ROUNDS):
        state = observe_batch(clients, target)
        decision = batch.decide(state)
        if decision.action in {NOTHING, FAIL} or options.dry_run:
            return batch.outcome(decision)
        batch.carry_out(state, decision)
    raise DeployError(f"{target.name} is not finished after {_ROUNDS} changes")


class _Batch:
    def __init__(self, clients: Clients, target: DeploymentTarget, options: Options) -> None:
        self._clients = clients
        self._target = target
        self._options = options
        self._tried: set[str] = set()
        self._unfit: set[str] = set()
        self._failures: dict[int, str] = {}
        self._changed = False

    def decide(self, state: BatchState) -> Decision:
        """Return the next action; failures of jobs are remembered on the way."""
        for jobs in state.jobs.values():
            for job in jobs:
                if job.name in self._tried and job.blames_version:
                    self._blame(state, job)
        return decide_batch(self._target, state, frozenset(self._tried), frozenset(self._unfit))

    def _blame(self, state: BatchState, job: TransformJob) -> None:
        name = job.name.rpartition("-")[0]
        for version in state.registry.versions:
            if self._target.job_name(version.arn, state.fingerprint) == name:
                self._failures[version.number] = job.reason

    def outcome(self, decision: Decision) -> DeploymentOutcome:
        """Return the outcome; the decision is the last one."""
        if decision.action == FAIL:
            self._failures[package_version(decision.package)] = decision.message
        done = decision.action == NOTHING and decision.package
        planned = self._options.dry_run and decision.action not in {NOTHING, WAIT}
        return DeploymentOutcome(
            package_version(decision.package) if done else None,
            (decision.message,),
            tuple(sorted(self._failures.items(), reverse=True)),
            self._changed or planned,
            action=decision.action,
            package=decision.package,
        )

    def carry_out(self, state: BatchState, decision: Decision) -> None:
        """Carry out one decision."""
        if decision.action != WAIT or decision.config not in self._tried:
            self._options.report(decision.message)
        if decision.action == RECORD:
            self._record(state, decision)
        elif decision.action == WAIT:
            self._tried.add(decision.config)
            self._wait(decision.config)
        else:
            self._start(decision)

    def _start(self, decision: Decision) -> None:
        from botocore.exceptions import ClientError  # noqa: PLC0415 - not at import

        try:
            model = carry_out.make_model(self._clients, self._target, decision.package)
        except UnfitPackageError as error:
            self._refuse(decision, str(error))
            return
        except ClientError as error:
            if not is_of_version(error):
                raise
            self._refuse(decision, str(error.response["Error"].get("Message") or error))
            return
        try:
            carry_out.start_transform(self._clients, self._target, decision.config, model)
        except ClientError as error:
            if error.response["Error"].get("Code") != _TAKEN:
                raise
            time.sleep(self._options.pause)  # another deployment was faster
            return
        self._tried.add(decision.config)
        self._changed = True

    def _refuse(self, decision: Decision, reason: str) -> None:
        """Remember that no model can be made of a package."""
        self._unfit.add(decision.package)
        self._failures[package_version(decision.package)] = reason
        self._options.report(f"failed: {reason}")

    def _wait(self, job: str) -> None:
        """Wait until a job has ended.

        Raises:
            DeployError: that takes too long; the next deployment continues.
        """
        deadline = time.monotonic() + _WAIT_SECONDS
        while time.monotonic() < deadline:
            found = self._clients.sagemaker.describe_transform_job(TransformJobName=job)
            if not TransformJob(job, found["TransformJobStatus"]).is_running:
                return
            time.sleep(self._options.pause)
        raise DeployError(f"{job} still runs after {_WAIT_SECONDS / 3600:g} hours: deploy again")

    def _record(self, state: BatchState, decision: Decision) -> None:
        target = self._target
        job = state.jobs[decision.config][-1].name
        started = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%S.%fZ")
        attempt = DeploymentAttempt(
            decision.config,
            decision.package,
            SUCCEEDED,
            "",
            started,
            self._options.execution,
            target.mode,
        )
        more: dict[str, Any] = {
            "job": job,
            "input": input_of(target),
            "fingerprint": state.fingerprint,
            "output": target.batch["TransformOutput"]["S3OutputPath"],
        }
        carry_out.write_attempt(self._clients, target, attempt, more)
        self._changed = True
