"""What the local SageMaker refuses, with the service's own error codes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal, TypeAlias

from pipelines.errors import UsageError
from pipelines.execution.caller import CallRefusedError
from pipelines.execution.errors import InvalidError

Code: TypeAlias = Literal[
    "ConflictException",
    "ModelError",
    "NoSuchKey",
    "ResourceNotFound",
    "ThrottlingException",
    "ValidationError",
    "ValidationException",
]


class ServiceError(CallRefusedError, UsageError):
    """An operation that SageMaker would refuse as well: no account did, so it is a usage error.

    Args:
        code: the service's error code, as boto3's `ClientError` carries it.
        problem: what is wrong.
        remedy: what to do about it, or None.
    """

    exit_code = UsageError.exit_code
    members: Mapping[str, str | int] = {}
    """What the service's error has besides its message."""

    def __init__(self, code: Code, problem: str, remedy: str | None = None) -> None:
        super().__init__(problem, remedy, code=code)


def invalid(problem: str, remedy: str | None = None) -> ServiceError:
    """Make a `ValidationException`."""
    return ServiceError("ValidationException", problem, remedy)


def missing(problem: str) -> ServiceError:
    """Make a `ResourceNotFound`."""
    return ServiceError("ResourceNotFound", problem)


def conflict(problem: str, remedy: str | None = None) -> ServiceError:
    """Make a `ConflictException`."""
    return ServiceError("ConflictException", problem, remedy)


@contextmanager
def validated() -> Iterator[None]:
    """Answer what does not fit a definition with a `ValidationException`."""
    try:
        yield
    except InvalidError as error:
        raise invalid(error.problem, error.remedy) from error
