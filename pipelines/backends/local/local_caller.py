"""The local SageMaker, called in this process as `Gateway` calls an account.

Commands that only read then need no server, no boto3 and no spec file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pipelines.backends.local.errors import ServiceError
from pipelines.backends.local.object_uris import ObjectUriError
from pipelines.backends.local.objects import NoSuchObjectError, ObjectStore
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject


@frozen
class _Objects:
    """The operation of S3 that lists."""

    objects: ObjectStore

    def list_objects_v2(self, **request: Any) -> JsonObject:
        """List the objects of a prefix, all at once."""
        bucket = f"s3://{request['Bucket']}/"
        try:
            found = list(self.objects.list(f"{bucket}{request.get('Prefix', '')}"))
        except ObjectUriError as error:
            raise ServiceError("NoSuchKey", error.problem, error.remedy) from error
        return {"Contents": [{"Key": o.uri.removeprefix(bucket), "Size": o.size} for o in found]}


class LocalCaller:
    """Carries out the operations of `sagemaker`, and those of `logs` and `s3` that read."""

    is_local = True

    def __init__(self, sagemaker: LocalSageMaker) -> None:
        self.sagemaker = sagemaker
        self._services: dict[str, object] = {
            "sagemaker": sagemaker,
            "logs": sagemaker,
            "s3": _Objects(sagemaker.objects),
        }

    def call(self, service: str, operation: str, **request: Any) -> JsonObject:
        """Call an operation, named in snake_case.

        Raises:
            ServiceError: it was refused.
        """
        carry_out: Callable[..., JsonObject] = getattr(self._services[service], operation)
        return carry_out(**request)

    def pages(
        self, service: str, operation: str, member: str, **request: Any
    ) -> Iterator[JsonObject]:
        """Yield the entries of a list operation, page after page."""
        name = "nextToken" if service == "logs" else "NextToken"
        token: dict[str, str] = {}
        while True:
            response = self.call(service, operation, **request, **token)
            yield from response[member]
            if name not in response:
                return
            token = {name: response[name]}

    def download(self, bucket: str, key: str) -> bytes:
        """Read an object.

        Raises:
            ServiceError: there is none.
        """
        try:
            return self.sagemaker.objects.get_bytes(f"s3://{bucket}/{key}")
        except (NoSuchObjectError, ObjectUriError) as error:
            raise ServiceError("NoSuchKey", error.problem, error.remedy) from error
