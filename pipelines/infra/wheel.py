"""The tool that is running → its wheel, which the builds install: it is in no package index.

The package's files are those that run now, in a checkout as in an installation; the metadata are
those of the installed distribution. The same content always gives the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Final

from pipelines.errors import UsageError
from pipelines.extras import DISTRIBUTION
from pipelines.frozen import frozen

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_MODE: Final = 0o644 << 16
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
        name: its file name.
        content: its bytes.
    """

    name: str
    content: bytes

    @property
    def digest(self) -> str:
        """The SHA-256 of its content."""
        return hashlib.sha256(self.content).hexdigest()


def tool_wheel() -> Wheel:
    """Build the wheel of the tool that is running."""
    installed = _installed()
    stem = f"{DISTRIBUTION.replace('-', '_')}-{installed.version}"
    files = {**dict(_package()), **dict(_metadata(installed, f"{stem}.dist-info"))}
    record = f"{stem}.dist-info/RECORD"
    lines = [f"{name},{_digest(body)},{len(body)}" for name, body in files.items()]
    files[record] = "\n".join([*lines, f"{record},,", ""]).encode()
    return Wheel(f"{stem}-py3-none-any.whl", _zip(files))


def _package() -> Iterator[tuple[str, bytes]]:
    """Yield the package's files, by their names in the wheel."""
    root = Path(__file__).parents[1]
    for path in sorted(root.rglob("*")):
        if "__pycache__" not in path.parts and path.is_file():
            yield f"pipelines/{path.relative_to(root).as_posix()}", path.read_bytes()


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
