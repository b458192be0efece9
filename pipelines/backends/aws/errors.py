"""botocore's exceptions → what a person can act on: who refused what, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pipelines import errors
from pipelines.backends.aws.advice import Said, advise, redact
from pipelines.backends.aws.attempt import Attempt

__all__ = ["Attempt", "AwsError", "translate"]


class AwsError(errors.AwsError):
    """AWS refused, or could not be reached.

    Args:
        problem: what was refused.
        remedy: what to do about it.
        code: the service's error code, or botocore's exception name.
        operation: the operation in snake_case, empty when none was called.
    """

    def __init__(
        self, problem: str, remedy: str | None = None, *, code: str = "", operation: str = ""
    ) -> None:
        super().__init__(problem, remedy)
        self.code = code
        self.operation = operation

    @property
    def is_missing(self) -> bool:
        """Whether the thing that was asked for is not there."""
        return self.code in _MISSING or (
            self.code == "ValidationException"
            and any(words in self.problem.lower() for words in _NOT_THERE)
        )

    @property
    def is_denied(self) -> bool:
        """Whether a permission is missing."""
        return self.code in {"AccessDenied", "AccessDeniedException", "403", "Forbidden"}


_MISSING = {"ResourceNotFound", "ResourceNotFoundException", "404", "NoSuchKey", "NoSuchEntity"}
_NOT_THERE = ("does not exist", "could not find", "not found")
"""How SageMaker says it where it has no code for it: groups, packages, endpoints."""


@contextmanager
def translate(attempt: Attempt) -> Iterator[None]:
    """Turn what botocore raises inside into an `AwsError`."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - costs a tenth of a second
    from botocore.parsers import ResponseParserError  # noqa: PLC0415 - as above

    try:
        yield
    except ClientError as error:
        raise _refused(error.response, attempt) from error
    except BotoCoreError as error:
        said = Said(type(error).__name__, redact(str(error)), 0)
        raise _error(said, attempt) from error
    except ResponseParserError as error:
        raise _error(Said(type(error).__name__, "", 0), attempt) from error


def _refused(response: object, attempt: Attempt) -> AwsError:
    answer = response if isinstance(response, dict) else {}
    detail, meta = answer.get("Error", {}), answer.get("ResponseMetadata", {})
    code, message = str(detail.get("Code", "")), redact(str(detail.get("Message", "")))
    return _error(Said(code, message, int(meta.get("HTTPStatusCode", 0))), attempt)


def _error(said: Said, attempt: Attempt) -> AwsError:
    problem, remedy = advise(said, attempt)
    return AwsError(problem, remedy, code=said.code, operation=attempt.operation)
