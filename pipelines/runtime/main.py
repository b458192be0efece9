"""The start of every job: what a bundle's `__main__` calls.

Compiling this package takes longer than an interpreter start, and of a zip file Python keeps
nothing compiled. Locally, where many jobs start, its modules are therefore laid out once per
content in PIPELINES_ENV_DIR, and Python's own cache does the rest.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path

from . import __path__ as _search

_HERE = Path(__file__).parent  # <bundle.pyz>/tool/pipelines/runtime
_MODULES = (
    "bundle", "child", "command", "container", "environment", "errors", "job", "layout", "record",
)  # fmt: skip


def main() -> int:
    """Run the job of the bundle that this module was started from; returns the exit code."""
    home = os.environ.get("PIPELINES_ENV_DIR")
    if home and not _HERE.is_dir():
        _search.insert(0, str(_laid_out(Path(home))))
    from .job import run  # noqa: PLC0415 - from where the line above says

    return run(_HERE.parents[2])


def _laid_out(home: Path) -> Path:
    """Return the folder with the modules of this bundle, writing them if it is the first."""
    sources = {name: __loader__.get_data(str(_HERE / f"{name}.py")) for name in _MODULES}  # type: ignore[name-defined]
    folder = home / f"runtime-{zlib.crc32(b''.join(sources.values())):08x}"
    if not folder.is_dir():
        written = home / f"{folder.name}-{os.getpid()}"
        written.mkdir(parents=True)
        for name, source in sources.items():
            (written / f"{name}.py").write_bytes(source)
        try:
            written.rename(folder)
        except OSError:  # another job was faster, and its content is the same
            for file in written.iterdir():
                file.unlink()
            written.rmdir()
    return folder
