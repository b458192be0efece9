"""botocore's exceptions → what a person can act on: who refused what, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pipelines.backends.aws.advice import ErrorReply, advise, redact
from pipelines.backends.aws.attempt import CallAttempt
from pipelines.execution.caller import CallRefusedError


@contextmanager
def translate(attempt: CallAttempt) -> Iterator[None]:
    """Turn what botocore raises inside into a `CallRefusedError`."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - costs a tenth of a second
    from botocore.parsers import ResponseParserError  # noqa: PLC0415 - as above

    try:
        yield
    except ClientError as error:
        raise _refused(error.response, attempt) from error
    except BotoCoreError as error:
        reply = ErrorReply(type(error).__name__, redact(str(error)), 0)
        raise _error(reply, attempt) from error
    except ResponseParserError as error:
        raise _error(ErrorReply(type(error).__name__, "", 0), attempt) from error


def _refused(response: object, attempt: CallAttempt) -> CallRefusedError:
    answer = response if isinstance(response, dict) else {}
    detail, meta = answer.get("Error", {}), answer.get("ResponseMetadata", {})
    code, message = str(detail.get("Code", "")), redact(str(detail.get("Message", "")))
    return _error(ErrorReply(code, message, int(meta.get("HTTPStatusCode", 0))), attempt)


def _error(reply: ErrorReply, attempt: CallAttempt) -> CallRefusedError:
    problem, remedy = advise(reply, attempt)
    return CallRefusedError(problem, remedy, code=reply.code, operation=attempt.operation)
