"""A stack as it has to be: its template, and how CloudFormation gets it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from pipelines.account.account import Account
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject

INLINE_BYTES: Final = 51_200
"""A larger template has to be in S3 (CloudFormation quotas)."""

TEMPLATES: Final = "ci/templates"
"""The prefix of the bucket that large templates go to."""


@frozen
class StackTemplate:
    """A stack as it has to be.

    Args:
        name: of the stack.
        file: the template's file, for messages.
        text: the template, as it goes to CloudFormation.
        document: what it says.
        bucket: where it goes if it is large.
    """

    name: str
    file: str
    text: str
    document: JsonObject
    bucket: str

    @property
    def is_large(self) -> bool:
        """Whether it has to go by S3."""
        return len(self.text.encode()) > INLINE_BYTES

    @property
    def key(self) -> str:
        """The key that it has in the bucket, by its content."""
        return f"{TEMPLATES}/{self.name}-{hashlib.sha256(self.text.encode()).hexdigest()[:16]}.yaml"


@contextmanager
def lent_to_cloudformation(account: Account, template: StackTemplate) -> Iterator[dict[str, str]]:
    """Lend what tells CloudFormation the template, which it copies; a large one goes by S3."""
    if not template.is_large:
        yield {"TemplateBody": template.text}
        return
    account.upload(template.bucket, template.key, template.text.encode())
    suffix = "amazonaws.com.cn" if account.partition == "aws-cn" else "amazonaws.com"
    host = f"s3.{account.region}.{suffix}"
    try:
        yield {"TemplateURL": f"https://{host}/{template.bucket}/{template.key}"}
    finally:
        account.call(
            "s3", "delete_object", Bucket=template.bucket, Key=template.key, **account.owned()
        )
