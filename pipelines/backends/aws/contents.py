"""What deployed assets hold, so that a plan can name the files that changed."""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

from pipelines.backends.aws.errors import AwsError
from pipelines.backends.aws.gateway import Gateway
from pipelines.backends.aws.objects import split
from pipelines.backends.aws.parallel import side_by_side
from pipelines.compile.assets import CodeAsset, DataAsset
from pipelines.compile.driver import Bundle
from pipelines.plan.files import FileChange, compare, of_bundle, replaced

_DIRECTORY = 1 << 20
"""Bytes at the end of a bundle that are read: the directory of some ten thousand files."""


def changed_files(
    gateway: Gateway, bundle: Bundle, definitions: Iterable[str]
) -> dict[str, tuple[FileChange, ...]]:
    """Compare assets that are not deployed with those that they replace.

    An asset whose predecessor cannot be read is left out: the plan says less, and goes on.

    Args:
        gateway: where.
        bundle: what was compiled.
        definitions: the deployed definitions, as text.

    Returns:
        URI of the asset → its files that changed.

    Raises:
        AwsError: AWS was not reached.
    """
    assets: dict[str, CodeAsset | DataAsset] = {asset.uri: asset for asset in bundle.code}
    assets.update({asset.uri: asset for asset in bundle.data})
    with side_by_side() as calls:
        begun = {
            uri: calls.begin(_compare, gateway, assets[uri], old)
            for uri, old in replaced(bundle.code, bundle.data, definitions).items()
        }
        return {uri: found for uri, one in begun.items() if (found := one.result()) is not None}


def _compare(
    gateway: Gateway, asset: CodeAsset | DataAsset, old: str
) -> tuple[FileChange, ...] | None:
    try:
        if isinstance(asset, CodeAsset):
            return _compare_code(gateway, asset, old)
        return _compare_data(gateway, asset, old)
    except AwsError as error:
        if error.is_missing or error.is_denied:
            return None
        raise


def _compare_code(gateway: Gateway, asset: CodeAsset, old: str) -> tuple[FileChange, ...] | None:
    """Compare by CRC-32 and the executable bit, which the directory at a zip's end holds."""
    end = gateway.download(*split(old), last=_DIRECTORY)
    try:
        with zipfile.ZipFile(io.BytesIO(end)) as archive:
            before = {e.filename: (e.CRC, _is_executable(e)) for e in archive.infolist()}
    except zipfile.BadZipFile:
        return None
    after = {m.path: (zlib.crc32(m.content), m.executable) for m in asset.members}
    return of_bundle(compare(before, after))


def _is_executable(entry: zipfile.ZipInfo) -> bool:
    return bool(entry.external_attr >> 16 & 0o100)


def _compare_data(gateway: Gateway, asset: DataAsset, old: str) -> tuple[FileChange, ...] | None:
    """Compare by size, and by ETag where that is an MD5: not of parts, not under a KMS key."""
    bucket, prefix = split(old)
    request = {"Bucket": bucket, "Prefix": prefix, **gateway.owned()}
    pages = gateway.pages("s3", "list_objects_v2", "Contents", **request)
    listed = {entry["Key"].removeprefix(prefix): entry for entry in pages}
    if not listed:
        return None
    before: dict[str, object] = {name: entry["Size"] for name, entry in listed.items()}
    after: dict[str, object] = {name: path.stat().st_size for name, path in asset.files}
    for name, path in asset.files:
        tag = str(listed.get(name, {}).get("ETag", "-")).strip('"')
        if before.get(name) == after[name] and "-" not in tag and not gateway.place.kms_key:
            before[name], after[name] = tag, _md5(path)
    return compare(before, after)


def _md5(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
