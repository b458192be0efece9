"""A job's configuration and files → bundle.pyz, as the compiler writes it.

The same runtime that runs in a real job goes in, so a test exercises what will ship.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pipelines

_EPOCH = (1980, 1, 1, 0, 0, 0)
_PACKAGE = Path(pipelines.__file__).parent
_DEFAULTS: dict[str, object] = {
    "version": 1,
    "script": None,
    "program": None,
    "config": {},
    "requirements": None,
    "distribution": None,
    "model_input": None,
    "outputs": [],
}


def write_bundle(path: Path, job: Mapping[str, object], code: Mapping[str, bytes]) -> Path:
    """Write a bundle and return its path.

    Args:
        path: where to write bundle.pyz.
        job: the entries of job.json that are not null or empty; `step` and `job` are needed.
        code: path relative to the project → content, the script among them.
    """
    members = {
        "__main__.py": (_PACKAGE / "runtime" / "start.py").read_bytes(),
        "job.json": json.dumps({**_DEFAULTS, **job}).encode(),
        **{f"code/{name}": content for name, content in code.items()},
        **{f"tool/pipelines/{name}": content for name, content in _tool(job.get("program"))},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(members):
            archive.writestr(_member(name), members[name])
    return path


def read_folder(folder: Path) -> dict[str, bytes]:
    """Read every file below a folder, except caches, as path → content."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
    }


def _tool(program: object) -> list[tuple[str, bytes]]:
    folders = ["runtime", *([f"programs/{program}"] if program else [])]
    files = {"__init__.py": b"", **({"programs/__init__.py": b""} if program else {})}
    for name in folders:
        found = read_folder(_PACKAGE / name)
        files |= {f"{name}/{path}": text for path, text in found.items() if path.endswith(".py")}
    return list(files.items())


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, _EPOCH)
    member.compress_type = zipfile.ZIP_DEFLATED
    member.external_attr = 0o100644 << 16
    return member
