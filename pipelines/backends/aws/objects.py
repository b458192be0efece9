"""Objects in S3: which are there, how those that a bundle needs get there, and how they go.

Their keys hold a hash of their content (decisions 1 and 4): what is there is right, and uploading
it twice does no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

from pipelines.backends.aws.errors import AwsError
from pipelines.backends.aws.gateway import Gateway
from pipelines.backends.aws.parallel import each
from pipelines.bundle.assets import CodeAsset, DataAsset

_BATCH = 1000
"""How many objects one call deletes at most."""


def split(uri: str) -> tuple[str, str]:
    """Return bucket and key of an s3:// URI."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def is_there(gateway: Gateway, uri: str) -> bool:
    """Say whether there is an object, or any below a URI with a `/` at its end.

    Raises:
        AwsError: the bucket cannot be read.
    """
    bucket, key = split(uri)
    try:
        if key.endswith("/"):
            request = {"Bucket": bucket, "Prefix": key, "MaxKeys": 1, **gateway.owned()}
            return bool(gateway.call("s3", "list_objects_v2", **request).get("KeyCount"))
        gateway.call("s3", "head_object", Bucket=bucket, Key=key, **gateway.owned())
    except AwsError as error:
        if error.is_missing:
            return False
        raise
    return True


def below(gateway: Gateway, prefix: str) -> dict[str, int]:
    """List the objects below a prefix: URI → bytes; none where there is no such bucket."""
    bucket, key = split(prefix)
    request = {"Bucket": bucket, "Prefix": key, **gateway.owned()}
    try:
        pages = [*gateway.pages("s3", "list_objects_v2", "Contents", **request)]
    except AwsError as error:
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
    gateway: Gateway,
    objects: Iterable[tuple[str, CodeAsset | Path]],
    done: Callable[[str], None],
) -> None:
    """Upload objects, many at once.

    Args:
        gateway: where to.
        objects: URI and what is to lie there.
        done: called with the URI of each that is there now.

    Raises:
        AwsError: one was refused; those before it stay.
    """

    def one(item: tuple[str, CodeAsset | Path]) -> None:
        uri, content = item
        body = content if isinstance(content, Path) else content.archive()
        gateway.upload(*split(uri), body)
        done(uri)

    each(one, objects)


def remove(gateway: Gateway, bucket: str, keys: Iterable[str]) -> None:
    """Delete objects from a bucket of the account's own.

    Raises:
        AwsError: one was refused.
    """
    left = iter(keys)
    while batch := [{"Key": key} for key in islice(left, _BATCH)]:
        answer = gateway.call(
            "s3",
            "delete_objects",
            Bucket=bucket,
            Delete={"Objects": batch, "Quiet": True},
            **gateway.owned(),
        )
        for error in answer.get("Errors", ()):
            raise AwsError(
                f"AWS refused to delete s3://{bucket}/{error.get('Key')}: {error.get('Message')}",
                "allow s3:DeleteObject on it, and run the command again",
                code=str(error.get("Code", "")),
                operation="delete_objects",
            )
