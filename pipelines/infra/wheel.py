"""The tool that is running → its wheel, which the builds install: it is in no package index.

The package's files are those that run now, in a checkout as in an installation; the metadata are
those of the installed distribution. A wheel is known by the digest of what it holds, not by its
bytes, which depend on the zlib at hand: two checkouts of one version never overwrite each other's.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Final

from pipelines.errors import UsageError
from pipelines.extras import DISTRIBUTION
from pipelines.frozen import frozen

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_MODE: Final = 0o644 << 16
_LEFT: Final = re.compile(r"(^|/)\.[^/]*|~$|\.py[co]$|\.sw[a-z]$|\.orig$")
_WHEEL: Final = """\
Wheel-Version: 1.0
Generator: pipelines
Root-Is-Purelib: true
Tag: py3-none-any
"""


@frozen
class Wheel:
    """A wheel.

    Args:
        version: of the tool.
        record: its RECORD: each file with its digest and size.
        files: what it holds besides, by name.
    """

    version: str
    record: str
    files: Mapping[str, bytes]

    @property
    def name(self) -> str:
        """Its file name."""
        return f"{_stem(self.version)}-py3-none-any.whl"

    @property
    def digest(self) -> str:
        """The SHA-256 over the names and contents of its files."""
        return _of_record(self.record.encode())

    def content(self) -> bytes:
        """Write its bytes."""
        return _zip({**self.files, _record_of(self.version): self.record.encode()})


def tool_wheel() -> Wheel:
    """Return the wheel of the tool that is running."""
    installed = _installed()
    folder = f"{_stem(installed.version)}.dist-info"
    files = {**dict(files_of(Path(__file__).parents[1])), **dict(_metadata(installed, folder))}
    return Wheel(installed.version, _listed(files, _record_of(installed.version)), files)


def digest_of(content: bytes) -> str | None:
    """Return the digest of a wheel's bytes; None where they are no wheel, or not what it lists."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            (own,) = (one for one in archive.namelist() if one.endswith(".dist-info/RECORD"))
            files = {name: archive.read(name) for name in archive.namelist() if name != own}
            record = archive.read(own)
    except (zipfile.BadZipFile, ValueError, RuntimeError, zlib.error):  # also an encrypted one
        return None
    return _of_record(record) if record == _listed(files, own).encode() else None


def _listed(files: Mapping[str, bytes], own: str) -> str:
    """Write a RECORD, which has a line without a digest for itself: pip compares none of them."""
    lines = [f"{name},{_digest(body)},{len(body)}" for name, body in files.items()]
    return "\n".join([*lines, f"{own},,", ""])


def _stem(version: str) -> str:
    return f"{DISTRIBUTION.replace('-', '_')}-{version}"


def _record_of(version: str) -> str:
    return f"{_stem(version)}.dist-info/RECORD"


def _of_record(record: bytes) -> str:
    return hashlib.sha256(record).hexdigest()


def files_of(root: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a package, by their names in a wheel; what editors leave is none."""
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root)
        if path.is_file() and "__pycache__" not in name.parts and not _LEFT.search(str(name)):
            yield f"{root.name}/{name.as_posix()}", path.read_bytes()


def _installed() -> Distribution:
    """Find the distribution; a build leaves another in a checkout, without a wheel's metadata."""
    for found in distributions(name=DISTRIBUTION):
        if found.read_text("METADATA") is not None:
            return found
    raise UsageError(
        f"{DISTRIBUTION} is not installed with its metadata, so no wheel can be made of it",
        "install it again with pip",
    )


def _metadata(installed: Distribution, folder: str) -> Iterator[tuple[str, bytes]]:
    yield f"{folder}/METADATA", (installed.read_text("METADATA") or "").encode()
    yield f"{folder}/WHEEL", _WHEEL.encode()
    entry_points = installed.read_text("entry_points.txt")
    if entry_points:
        yield f"{folder}/entry_points.txt", entry_points.encode()
    for name in installed.metadata.get_all("License-File") or ():
        text = installed.read_text(f"licenses/{name}")
        if text:
            yield f"{folder}/licenses/{name}", text.encode()


def _digest(body: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode()
    return f"sha256={digest}"


def _zip(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = _MODE
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, body)
    return stream.getvalue()
