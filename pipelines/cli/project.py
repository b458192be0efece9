"""The project of a spec file: its folder, its `.pipelines`, and the pipeline that the file names.

Commands that look at the local SageMaker need no more of a spec, so a broken one serves them too.
"""

from __future__ import annotations

import os
from pathlib import Path

from pipelines.document import choose, read
from pipelines.errors import UsageError
from pipelines.spec.environ import substitute
from pipelines.spec.names import copied, pipelines_of

_USUAL = "pipeline.yaml"
_KEY = "pipeline"


def folder_of(file: Path) -> Path:
    """Return the folder of a spec file, links followed; a link to itself leads nowhere else."""
    return Path(os.path.realpath(file)).parent


def home_of(file: Path) -> Path:
    """Return where the local SageMaker of a project keeps its state."""
    return folder_of(file) / ".pipelines"


def require_folder(file: Path) -> None:
    """Refuse a spec file whose folder does not exist.

    Raises:
        UsageError: it does not.
    """
    if not folder_of(file).is_dir():
        raise UsageError(f"there is no folder {file.parent}", "name the spec file with `-f FILE`")


def require_named(file: Path) -> None:
    """Refuse a spec file of another name than the usual one, which was named, but is not there.

    Raises:
        UsageError: it is not.
    """
    require_folder(file)
    if file.name != _USUAL and not os.path.lexists(file):
        raise UsageError(f"there is no {file}", "name the spec file with `-f FILE`")


def require_project(file: Path) -> None:
    """Refuse to look at the local SageMaker of a folder that has neither a spec nor `.pipelines`.

    Raises:
        UsageError: it has neither, or not the file that was named; nothing was created.
    """
    require_folder(file)
    if not os.path.lexists(file) and not home_of(file).is_dir():
        raise UsageError(
            f"{folder_of(file)} is not a project: it has no {file.name}, and nothing was run there",
            "name the spec file with `-f FILE`, or make a project: python -m pipelines init FOLDER",
        )
    require_named(file)


def pipelines_named(file: Path, env: str | None, copy: str | None) -> tuple[str, ...]:
    """Name the pipelines of a spec; none where it cannot be read as far as that.

    Raises:
        UsageError: the spec has no environment of that name.
    """
    document = read(file, str(file)).document
    if document is None or not isinstance(document.data, dict):
        return ()
    if env is not None:
        document = choose(document, env).document or document
    name, missing = substitute(document.data.get(_KEY), os.environ)
    if not isinstance(name, str) or not name or missing:
        return ()
    scheduled = _scheduled(document.data.get("steps"))
    return pipelines_of(name if copy is None else copied(name, copy), scheduled)


def _scheduled(steps: object) -> tuple[str, ...]:
    """Name the steps that have a schedule, whatever else may be wrong with them."""
    if not isinstance(steps, dict):
        return ()
    return tuple(
        name
        for name, step in steps.items()
        if isinstance(name, str) and isinstance(step, dict) and "schedule" in step
    )
