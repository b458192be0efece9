"""What S3 refuses, as it writes it."""

from __future__ import annotations

from pipelines.backends.local.api.messages import Answer
from pipelines.backends.local.api.s3.documents import XML, document

_STATUS = {
    "BucketAlreadyOwnedByYou": 409,
    "BucketNotEmpty": 409,
    "InternalError": 500,
    "InvalidRange": 416,
    "MethodNotAllowed": 405,
    "NoSuchBucket": 404,
    "NoSuchKey": 404,
    "NoSuchUpload": 404,
    "NotImplemented": 501,
    "NotModified": 304,
    "PreconditionFailed": 412,
}


class S3Error(Exception):
    """A refusal with S3's error code.

    Args:
        code: such as `NoSuchKey`.
        message: what is wrong.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def refused(error: S3Error, path: str, operation: str) -> Answer:
    """Answer with an error; to HEAD and 304 only the status goes out."""
    status = _STATUS.get(error.code, 400)
    if status == _STATUS["NotModified"]:
        return Answer(status, operation=operation)
    body = document(
        "Error", [("Code", error.code), ("Message", str(error)), ("Resource", path)], plain=True
    )
    return Answer(status, XML, body, operation)
