"""What AWS refuses, as boto3 raises it."""

from __future__ import annotations

from botocore.exceptions import ClientError


def refusal(operation: str, message: str, code: str = "ValidationException") -> ClientError:
    """Make the error that boto3 raises."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)
