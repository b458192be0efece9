"""The local SageMaker, called in this process as `Gateway` calls an account.

Commands that only read then need no server, no boto3 and no spec file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pipelines.backends.local.errors import ServiceError
from pipelines.backends.local.objects import NoSuchObjectError, ObjectUriError
from pipelines.backends.local.operations.logs import LogOperations
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.json_types import JsonObject


class LocalCaller:
    """Carries out the operations of `sagemaker`, and those of `logs` that read."""

    is_local = True

    def __init__(self, sagemaker: LocalSageMaker) -> None:
        self.sagemaker = sagemaker
        self._services: dict[str, object] = {
            "sagemaker": sagemaker,
            "logs": LogOperations(sagemaker.settings.home),
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
