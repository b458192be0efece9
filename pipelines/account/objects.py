"""Objects in S3: which are there, how those that a bundle needs get there, and how they go.

Their keys hold a hash of their content (decisions 1 and 4): what is there is right, and uploading
it twice does no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

from pipelines.account.account import Account
from pipelines.account.parallel import for_each
from pipelines.bundle.assets import CodeAsset, DataAsset
from pipelines.execution.caller import CallRefusedError, split

_BATCH = 1000
"""How many objects one call deletes at most."""


def is_there(account: Account, uri: str) -> bool:
    """Return whether there is an object, or any below a URI with a `/` at its end.

    Raises:
        CallRefusedError: the bucket cannot be read.
    """
    bucket, key = split(uri)
    try:
        if key.endswith("/"):
            request = {"Bucket": bucket, "Prefix": key, "MaxKeys": 1, **account.owned()}
            return bool(account.call("s3", "list_objects_v2", **request).get("KeyCount"))
        account.call("s3", "head_object", Bucket=bucket, Key=key, **account.owned())
    except CallRefusedError as error:
        if error.is_missing:
            return False
        raise
    return True


def below(account: Account, prefix: str) -> dict[str, int]:
    """List the objects below a prefix: URI → bytes; none where there is no such bucket."""
    bucket, key = split(prefix)
    request = {"Bucket": bucket, "Prefix": key, **account.owned()}
    try:
        pages = [*account.pages("s3", "list_objects_v2", "Contents", **request)]
    except CallRefusedError as error:
        if error.code == "NoSuchBucket":
            return {}
        raise
    return {f"s3://{bucket}/{entry['Key']}": int(entry["Size"]) for entry in pages}


def contents(code: Iterable[CodeAsset], data: Iterable[DataAsset]) -> dict[str, CodeAsset | Path]:
    """Return everything that a bundle needs in S3: URI → what it is made of."""
    found: dict[str, CodeAsset | Path] = {asset.uri: asset for asset in code}
    for folder in data:
        found.update({folder.uri + name: path for name, path in folder.files})
    return found


def upload(
    account: Account,
    objects: Iterable[tuple[str, CodeAsset | Path]],
    done: Callable[[str], None],
) -> None:
    """Upload objects, many at once.

    Args:
        account: where to.
        objects: URI and what is to lie there.
        done: called with the URI of each that is there now.

    Raises:
        CallRefusedError: one was refused; those before it stay.
    """

    def one(item: tuple[str, CodeAsset | Path]) -> None:
        uri, content = item
        body = content if isinstance(content, Path) else content.archive()
        account.upload(*split(uri), body)
        done(uri)

    for_each(one, objects)


def remove(account: Account, bucket: str, keys: Iterable[str]) -> None:
    """Delete objects from a bucket of the account's own.

    Raises:
        CallRefusedError: one was refused.
    """
    left = iter(keys)
    while batch := [{"Key": key} for key in islice(left, _BATCH)]:
        answer = account.call(
            "s3",
            "delete_objects",
            Bucket=bucket,
            Delete={"Objects": batch, "Quiet": True},
            **account.owned(),
        )
        for error in answer.get("Errors", ()):
            raise CallRefusedError(
                f"AWS refused to delete s3://{bucket}/{error.get('Key')}: {error.get('Message')}",
                "allow s3:DeleteObject on it, and run the command again",
                code=str(error.get("Code", "")),
                operation="delete_objects",
            )
