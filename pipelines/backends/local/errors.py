"""What the local SageMaker refuses, with the service's own error codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from pipelines.errors import UsageError

Code: TypeAlias = Literal[
    "ConflictException",
    "ModelError",
    "ResourceNotFound",
    "ThrottlingException",
    "ValidationError",
    "ValidationException",
]


class ServiceError(UsageError):
    """An operation that SageMaker would refuse as well.

    Args:
        code: the service's error code, as boto3's `ClientError` carries it.
        problem: what is wrong.
        remedy: what to do about it, or None.
    """

    members: Mapping[str, str | int] = {}
    """What the service's error has besides its message."""

    def __init__(self, code: Code, problem: str, remedy: str | None = None) -> None:
        super().__init__(problem, remedy)
        self.code = code


def invalid(problem: str, remedy: str | None = None) -> ServiceError:
    """Make a `ValidationException`."""
    return ServiceError("ValidationException", problem, remedy)


def missing(problem: str) -> ServiceError:
    """Make a `ResourceNotFound`."""
    return ServiceError("ResourceNotFound", problem)


def conflict(problem: str, remedy: str | None = None) -> ServiceError:
    """Make a `ConflictException`."""
    return ServiceError("ConflictException", problem, remedy)
