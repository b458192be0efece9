"""Add serving code and its requirements to a model archive.

Config: `{"source": FOLDER, "entry": FILE, "shared": {PLACE: FILE}, "requirements": [LINE, …] |
null}`; the folder and the files that get beside its own are relative to the bundle's code folder,
which is the working directory. `requirements` may also be
the object of job.json, `{"mode", "lines", "index_url", "folder"}`. The model lies unpacked in
SM_MODEL_DIR; output `model` gets model.tar.gz: the model's files, `code/` and `vendor/`, the
same bytes for the same content.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.programs.package.tree import copy_file, copy_tree
from pipelines.programs.package.vendor import ServingRequirements, vendor
from pipelines.runtime.archive import pack
from pipelines.runtime.errors import JobError

if TYPE_CHECKING:
    from pipelines.runtime.layout import Layout

ARCHIVE = "model.tar.gz"
CODE, VENDOR = "code", "vendor"
# The image's server would ask a package index for these while it starts (FACTS 11.1).
_NOT_INTO_CODE = ("requirements.txt",)
_BYTECODE = (".pyc", ".pyo")


def main(config: dict[str, object], layout: Layout) -> int:
    """Build the package.

    Raises:
        JobError: model or serving code are missing or have links out of their folders, or the
            requirements cannot be installed.
    """
    model = Path(os.environ.get("SM_MODEL_DIR") or layout.model_dir)
    output = Path(os.environ.get("SM_OUT_MODEL") or layout.output("model"))
    source, entry = Path(str(config["source"])), str(config["entry"])
    _check(model, source, entry)
    output.mkdir(parents=True, exist_ok=True)
    requirements = _requirements(config.get("requirements"))
    for name in _NOT_INTO_CODE:
        _tell_left_out(source / name, requirements)
    with tempfile.TemporaryDirectory(dir=output.parent) as scratch:
        folder = Path(scratch, "package")
        copy_tree(model, folder)
        copy_tree(source, folder / CODE, _is_left_out)
        for place, file in _shared(config).items():
            copy_file(Path(file), folder / CODE / place)
        vendored = vendor(requirements, folder / VENDOR)
        pack(folder, output / ARCHIVE)
    nothing = "nothing, the image has it all" if requirements.lines else "nothing is required"
    listed = ", ".join(f"{name} {version}" for name, version in sorted(vendored.items()))
    print(f"packaged {output / ARCHIVE}; vendored: {listed or nothing}")
    return 0


def _is_left_out(path: Path) -> bool:
    """Return whether a file or folder of the serving code stays out of the archive."""
    is_bytecode = path.name == "__pycache__" or path.suffix in _BYTECODE
    return is_bytecode or str(path) in _NOT_INTO_CODE


def _tell_left_out(file: Path, requirements: ServingRequirements) -> None:
    """Tell of a file of requirements that is not the one that is vendored."""
    if not file.is_file():
        return
    lines = [line.split("#")[0].strip() for line in file.read_text("utf-8").splitlines()]
    missing = [line for line in lines if line and line not in requirements.lines]
    if missing:
        advice = "add it to" if requirements.lines else "name the file as"
        print(
            f"`{file}` is left out, and nothing of this in it is installed: {', '.join(missing)}; "
            f"{advice} `serving.requirements` to have it vendored"
        )


def _shared(config: dict[str, object]) -> dict[str, str]:
    shared = config.get("shared")
    return dict(shared) if isinstance(shared, dict) else {}


def _check(model: Path, source: Path, entry: str) -> None:
    if not model.is_dir() or not any(model.iterdir()):
        raise JobError(
            f"There is no model: {model} is empty. The script of the training job has to write it "
            "into /opt/ml/model (SM_MODEL_DIR)."
        )
    for name in (CODE, VENDOR):
        if os.path.lexists(model / name):
            raise JobError(
                f"The model's archive has a `{name}/` already, where the serving code goes: "
                "do not let training save it, or register a finished archive with "
                "`serving: {as_is: true}`."
            )
    if not (source / entry).is_file():
        raise JobError(f"The serving code `{source}/` has no `{entry}`.")


def _requirements(requirements: object) -> ServingRequirements:
    if isinstance(requirements, dict):
        wheels = requirements.get("folder") if requirements.get("mode") == "wheels" else None
        index_url = requirements.get("index_url")
        return ServingRequirements(
            tuple(map(str, requirements.get("lines") or ())),
            str(index_url) if index_url else None,
            Path(str(wheels)) if wheels else None,
        )
    return ServingRequirements(
        tuple(map(str, requirements)) if isinstance(requirements, list) else ()
    )
