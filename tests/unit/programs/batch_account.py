"""An account in memory that runs transform jobs, beside what `deploy_account` has."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from pipelines.programs.deploy.model import DeploymentTarget
from pipelines.programs.deploy.observe import Clients
from tests.unit.programs.allowed import Allowed
from tests.unit.programs.deploy_account import Account, SageMaker, target
from tests.unit.programs.object_account import S3, Paginator
from tests.unit.programs.refusals import refusal

REQUEST: dict[str, Any] = {
    "TransformInput": {
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/in/"}},
        "ContentType": "text/csv",
        "SplitType": "Line",
    },
    "TransformOutput": {"S3OutputPath": "s3://b/out"},
    "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
}


def batch(**changes: Any) -> DeploymentTarget:
    """Make the target of a batch."""
    return target(
        **{
            "endpoint": "p-nightly",
            "history": "s3://b/p/deployments/nightly",
            "mode": "batch",
            "variant": {},
            "sample": None,
            "batch": REQUEST,
            **changes,
        }
    )


@dataclass
class BatchAccount(Account):
    """An account whose transform jobs end as their version does.

    Attributes:
        jobs: the jobs by name, with what they were asked for.
        reasons: why the jobs of a version fail, by its number.
    """

    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    reasons: dict[int, str] = field(default_factory=dict)

    @property
    def clients(self) -> Clients:
        """The clients of this account."""
        objects = Objects(self.objects, self.tags, self.change)
        return super().clients._replace(
            sagemaker=Allowed("deploy", "sagemaker", Transforms(self, self), self.actions),
            s3=Allowed("deploy", "s3", objects, self.actions),
        )

    def put(self, key: str, text: str) -> None:
        """Put an object of the input."""
        self.objects[f"in/{key}"] = text.encode()

    def end(self, name: str) -> None:
        """End a job, as its version does."""
        job = self.jobs[name]
        model = self.models[job["ModelName"]]["PrimaryContainer"]["ModelPackageName"]
        reason = self.reasons.get(int(model.rpartition("/")[2]))
        job["status"] = "Completed" if reason is None else "Failed"
        job["reason"] = reason or ""

    def started(self) -> list[str]:
        """Name what was started or made, in order, without the history."""
        return [one for one in self.calls if not one.startswith("wrote")]


@dataclass
class Transforms(SageMaker):
    """The sagemaker client, with transform jobs."""

    batches: BatchAccount

    def get_paginator(self, operation: str) -> Paginator:
        """List what there is."""
        if operation != "list_transform_jobs":
            return super().get_paginator(operation)
        listed = [
            {
                "TransformJobName": name,
                "TransformJobStatus": job["status"],
                **({"FailureReason": job["reason"]} if job["reason"] else {}),
            }
            for name, job in self.batches.jobs.items()
        ]
        return Paginator({"TransformJobSummaries": listed})

    def create_transform_job(self, **request: Any) -> None:
        """Start a job; a name is used once."""
        name, jobs = request["TransformJobName"], self.batches.jobs
        if name in jobs:
            raise refusal("CreateTransformJob", "exists", "ResourceInUse")
        assert request["ModelName"] in self.batches.models
        assert len(name) <= 63
        job = {**request, "status": "InProgress", "reason": ""}
        self.batches.change("start", lambda: jobs.update({name: job}))

    def describe_transform_job(self, **request: Any) -> dict[str, Any]:
        """Look at a job, which ends meanwhile."""
        self.batches.end(request["TransformJobName"])
        return {"TransformJobStatus": self.batches.jobs[request["TransformJobName"]]["status"]}


@dataclass
class Objects(S3):
    """The s3 client, with the ETags of objects."""

    def list_objects_v2(self, **request: Any) -> dict[str, Any]:
        """List objects."""
        listed = super().list_objects_v2(**request)["Contents"]
        for one in listed:
            one["ETag"] = f'"{hashlib.md5(self.objects[one["Key"]]).hexdigest()}"'  # noqa: S324 - as S3
        return {"Contents": listed}
