"""Refusals of the local SageMaker, with the service's own error codes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal, TypeAlias

from pipelines.errors import UsageError
from pipelines.execution.caller import CallRefusedError
from pipelines.execution.errors import InvalidError

ServiceErrorCode: TypeAlias = Literal[
    "ConflictException",
    "ModelError",
    "NoSuchKey",
    "NotImplemented",
    "ObjectNotFoundException",
    "ResourceInUse",
    "ResourceNotFound",
    "SerializationException",
    "ThrottlingException",
    "UnknownOperationException",
    "ValidationError",
    "ValidationException",
]


class ServiceError(CallRefusedError, UsageError):
    """A request that SageMaker would refuse as well; a usage error, since no account refused it.

    Args:
        code: the service's error code, as boto3's `ClientError` carries it.
        problem: what is wrong.
        remedy: what to do about it, or None.
    """

    exit_code = UsageError.exit_code
    members: Mapping[str, str | int] = {}
    """What the service's error has besides its message."""

    def __init__(self, code: ServiceErrorCode, problem: str, remedy: str | None = None) -> None:
        super().__init__(problem, remedy, code=code)


def invalid(problem: str, remedy: str | None = None) -> ServiceError:
    """Return a `ValidationException`."""
    return ServiceError("ValidationException", problem, remedy)


def missing(problem: str) -> ServiceError:
    """Return a `ResourceNotFound`."""
    return ServiceError("ResourceNotFound", problem)


def conflict(problem: str, remedy: str | None = None) -> ServiceError:
    """Return a `ConflictException`."""
    return ServiceError("ConflictException", problem, remedy)


@contextmanager
def validated() -> Iterator[None]:
    """Turn an `InvalidError` into a `ValidationException`."""
    try:
        yield
    except InvalidError as error:
        raise invalid(error.problem, error.remedy) from error
