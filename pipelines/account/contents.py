"""What deployed assets hold, so that a plan can name the files that changed."""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from pipelines.account.account import Account
from pipelines.account.parallel import open_pool
from pipelines.bundle.assets import CodeAsset, DataAsset
from pipelines.compile.model import Compiled
from pipelines.execution.caller import CallRefusedError, split
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject
from pipelines.plan.files import FileChange, compare, of_bundle, put_back, replaced
from pipelines.plan.settings import differences
from pipelines.runtime.bundle import JOB

_END = 1 << 20
"""Bytes at the end of a bundle that are read: the directory of some ten thousand files."""


def changed_files(
    account: Account, compiled: Compiled, definitions: Iterable[str]
) -> dict[str, tuple[FileChange, ...]]:
    """Compare assets that are not deployed with those that they replace.

    An asset whose predecessor cannot be read is left out: the plan says less, and goes on.

    Args:
        account: where.
        compiled: what was compiled.
        definitions: the deployed definitions, as text.

    Returns:
        URI of the asset → its files that changed.

    Raises:
        CallRefusedError: AWS was not reached.
    """
    assets: dict[str, CodeAsset | DataAsset] = {asset.uri: asset for asset in compiled.code}
    assets.update({asset.uri: asset for asset in compiled.data})
    pairs = replaced(compiled.code, compiled.data, definitions)
    return _compared(pairs, lambda uri, old: _compare(account, assets[uri], old))


def changed_between(account: Account, before: str, after: str) -> dict[str, tuple[FileChange, ...]]:
    """Compare the assets of a definition with those that stand in their place in one before it.

    Args:
        account: where.
        before: a definition, as text.
        after: another, as text; all that it names lies in S3.

    Returns:
        As `changed_files`.

    Raises:
        CallRefusedError: AWS was not reached.
    """
    return _compared(put_back(after, before), lambda uri, old: _compare_deployed(account, uri, old))


def _compared(
    pairs: Mapping[str, str], compared: Callable[[str, str], tuple[FileChange, ...] | None]
) -> dict[str, tuple[FileChange, ...]]:
    def one(uri: str, old: str) -> tuple[FileChange, ...] | None:
        try:
            return compared(uri, old)
        except CallRefusedError as error:
            if error.is_missing or error.is_denied:
                return None
            raise

    with open_pool() as calls:
        begun = {uri: calls.begin(one, uri, old) for uri, old in pairs.items()}
        return {uri: found for uri, call in begun.items() if (found := call.result()) is not None}


def _compare(
    account: Account, asset: CodeAsset | DataAsset, old: str
) -> tuple[FileChange, ...] | None:
    if isinstance(asset, DataAsset):
        return _compare_data(account, asset, old)
    before = _bundle(account, old)
    if before is None:
        return None
    after = {m.path: (zlib.crc32(m.content), m.executable) for m in asset.members}
    return _of_bundles(before, _Bundle(after, asset.content(JOB)))


def _compare_deployed(account: Account, uri: str, old: str) -> tuple[FileChange, ...] | None:
    if uri.endswith("/"):
        before, after = _listed(account, old), _listed(account, uri)
        if not before or not after:
            return None
        return compare(
            {name: (entry["Size"], entry["ETag"]) for name, entry in before.items()},
            {name: (entry["Size"], entry["ETag"]) for name, entry in after.items()},
        )
    was, now = _bundle(account, old), _bundle(account, uri)
    return None if was is None or now is None else _of_bundles(was, now)


@frozen
class _Bundle:
    """A bundle: CRC-32 and executable bit of each file; its job.json, empty if it is not known."""

    files: Mapping[str, object]
    job: bytes


def _of_bundles(before: _Bundle, after: _Bundle) -> tuple[FileChange, ...]:
    known = before.job and after.job
    settings = differences(before.job, after.job) if known else ()
    return of_bundle(compare(before.files, after.files), settings)


def _bundle(account: Account, uri: str) -> _Bundle | None:
    """Read a bundle: its directory stands at the zip's end, in most of them job.json, too."""
    end = account.download(*split(uri), last=_END)
    try:
        with zipfile.ZipFile(io.BytesIO(end)) as archive:
            entries = archive.infolist()
            files = {e.filename: (e.CRC, _is_executable(e)) for e in entries}
            job = next((e for e in entries if e.filename == JOB), None)
            is_read = job is not None and job.header_offset >= 0
            return _Bundle(files, archive.read(job) if job and is_read else b"")
    except zipfile.BadZipFile:
        return None


def _is_executable(entry: zipfile.ZipInfo) -> bool:
    return bool(entry.external_attr >> 16 & 0o100)


def _compare_data(account: Account, asset: DataAsset, old: str) -> tuple[FileChange, ...] | None:
    """Compare by size, and by ETag where that is an MD5: not of parts, not under a KMS key."""
    listed = _listed(account, old)
    if not listed:
        return None
    before: dict[str, object] = {name: entry["Size"] for name, entry in listed.items()}
    after: dict[str, object] = {name: path.stat().st_size for name, path in asset.files}
    for name, path in asset.files:
        tag = str(listed.get(name, {}).get("ETag", "-")).strip('"')
        if before.get(name) == after[name] and "-" not in tag and not account.kms_key:
            before[name], after[name] = tag, _md5(path)
    return compare(before, after)


def _listed(account: Account, folder: str) -> dict[str, JsonObject]:
    """List what lies in a folder, by name."""
    bucket, prefix = split(folder)
    request = {"Bucket": bucket, "Prefix": prefix, **account.owned()}
    pages = account.pages("s3", "list_objects_v2", "Contents", **request)
    return {entry["Key"].removeprefix(prefix): entry for entry in pages}


def _md5(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
