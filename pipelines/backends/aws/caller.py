"""What operations of an account stand on: something that carries out SageMaker's calls.

`Gateway` does, over HTTP; `pipelines.backends.local.direct.Direct` does, in this process. What is
written against this works on both.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from pipelines.json_types import JsonObject


class Caller(Protocol):
    """Carries out calls; each refusal is an `AwsError`. See `Gateway` for what they mean."""

    is_local: bool

    def call(self, service: str, operation: str, **request: Any) -> JsonObject:
        """Call an operation, named in snake_case."""

    def pages(
        self, service: str, operation: str, member: str, **request: Any
    ) -> Iterator[JsonObject]:
        """Yield the entries of a list operation, page after page."""

    def download(self, bucket: str, key: str) -> bytes:
        """Read an object."""


def see(caller: Caller, command: str) -> str:
    """Name the command that shows what there is, where it was looked for: `models flights`."""
    name, _, rest = command.partition(" ")
    words = ("pipelines", name, *(("--local",) if caller.is_local else ()), rest)
    return f"see `{' '.join(filter(None, words))}`"
