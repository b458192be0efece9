"""What operations on an account stand on: calls, objects, and whose account it is."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from pipelines.execution.caller import Caller


class Account(Caller, Protocol):
    """An account in a region, or the local SageMaker in the place of one.

    Each refusal is a `CallRefusedError`.
    """

    @property
    def region(self) -> str:
        """The region that calls go to."""

    @property
    def partition(self) -> str:
        """The partition of the region: aws, aws-cn, aws-us-gov and so on."""

    @property
    def kms_key(self) -> str | None:
        """The key that uploads are encrypted with; None for the bucket's default."""

    def account_id(self) -> str:
        """Return the account's id."""

    def owned(self) -> dict[str, str]:
        """Return the argument that makes S3 refuse a bucket of another account."""

    def upload(self, bucket: str, key: str, body: bytes | Path) -> None:
        """Write an object."""

    def download(self, bucket: str, key: str, last: int | None = None) -> bytes:
        """Read an object, or the last so many bytes of it."""

    def clients(self, *services: str) -> AbstractContextManager[tuple[Any, ...]]:
        """Lend botocore's clients to code that calls them itself."""
