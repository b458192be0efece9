"""A call that was tried: which IAM action it is, and on which resource."""

from __future__ import annotations

from pipelines.frozen import frozen
from pipelines.json_types import JsonObject

_ACTIONS = {
    ("s3", "head_object"): "s3:GetObject",
    ("s3", "head_bucket"): "s3:ListBucket",
    ("s3", "list_objects_v2"): "s3:ListBucket",
    ("s3", "create_multipart_upload"): "s3:PutObject",
    ("s3", "upload_part"): "s3:PutObject",
    ("s3", "delete_objects"): "s3:DeleteObject",
}
"""Where the action is not called as the operation is."""

_PREFIXES = {"sagemaker-runtime": "sagemaker", "service-quotas": "servicequotas"}
"""What IAM calls a service where botocore calls it something else."""


@frozen
class CallAttempt:
    """A call.

    Args:
        service: botocore's name of the service.
        operation: in snake_case.
        request: its arguments.
        region: where it went to.
        profile: the profile that was in use, for messages.
        who: who was asked, for messages.
    """

    service: str
    operation: str
    request: JsonObject
    region: str
    profile: str | None = None
    who: str = "AWS"

    @property
    def action(self) -> str:
        """The IAM action that allows it."""
        known = _ACTIONS.get((self.service, self.operation))
        prefix = _PREFIXES.get(self.service, self.service)
        return known or f"{prefix}:{''.join(word.title() for word in self.operation.split('_'))}"

    @property
    def resource(self) -> str:
        """What it was about, in the request's own words; empty when nothing says it."""
        if "Bucket" in self.request:
            return f"s3://{self.request['Bucket']}/{self.request.get('Key', '')}".rstrip("/")
        named = (
            str(value)
            for key, value in self.request.items()
            if isinstance(value, str) and key.lower().endswith(("arn", "name"))
        )
        return next(named, "")
