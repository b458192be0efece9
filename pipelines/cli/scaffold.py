"""A template and a name → the files of a new project, written where nothing is in their way.

A template is a project that is valid as it stands; its pipeline has the name `my-project`, and
only that is replaced.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pipelines
from pipelines.errors import UsageError, located
from pipelines.files import folders
from pipelines.spec.model import PIPELINE_NAME

PACKAGE = Path(pipelines.__file__).parent
SCHEMA = Path("pipeline.schema.json")
_PLACEHOLDER = "my-project"
_LONGEST = 63
"""Characters: CreateModelPackageGroup and CreateEndpoint take no longer name."""
_NAMED = (Path("pipeline.yaml"), Path("README.md"), Path(".devcontainer/devcontainer.json"))
_HIDDEN = frozenset({"devcontainer", "gitignore", "run", "vscode"})
"""Names that get a dot: with it they would hold in the template itself."""
_EDITORS = "editors"
"""The template of what editors read, which is a part of all others."""
_NO_TEXT = re.compile(r"[^A-Za-z].*|true|false|null|yes|no|on|off", re.IGNORECASE)
_SHOWN = 5


def check_name(name: str) -> None:
    """Refuse a name that a pipeline, a model package group or an endpoint cannot have.

    Raises:
        UsageError: with a name that is allowed.
    """
    if PIPELINE_NAME.fullmatch(name) and len(name) <= _LONGEST:
        return
    raise UsageError(
        f"a pipeline cannot be called `{name}`: at most {_LONGEST} letters and digits, with "
        "hyphens between them",
        f"give it another name: --name {suggested(name)}",
    )


def suggested(name: str) -> str:
    """Make a name that is allowed of one that is not."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "-", plain)[:_LONGEST].strip("-") or _PLACEHOLDER


def files(template: str, name: str) -> dict[Path, bytes]:
    """Read a template: path in the project → content.

    Args:
        template: `full` or `minimal`.
        name: of the pipeline.
    """
    folder = PACKAGE / "templates"
    found = dict(sorted((*_template(folder / template), *_template(folder / _EDITORS))))
    for path in _NAMED:
        written = f'"{name}"' if path.suffix == ".yaml" and _NO_TEXT.fullmatch(name) else name
        found[path] = found[path].replace(_PLACEHOLDER.encode(), written.encode())
    found[SCHEMA] = schema()
    return found


def schema() -> bytes:
    """Read the JSON schema of the spec."""
    return (PACKAGE / "spec" / SCHEMA.name).read_bytes()


def _template(folder: Path) -> Iterator[tuple[Path, bytes]]:
    for file in folder.rglob("*"):
        path = file.relative_to(folder)
        if file.is_file() and "__pycache__" not in path.parts:
            first, *rest = path.parts
            yield Path(f".{first}" if first in _HIDDEN else first, *rest), file.read_bytes()


def write(folder: Path, content: Mapping[Path, bytes]) -> None:
    """Write a project: every file, or none.

    Raises:
        UsageError: something stands where a file or a folder of it would go.
        OSError: the disk or its permissions; what was written is removed again.
    """
    _refuse_to_overwrite(folder, content)
    with ExitStack() as stack:
        for path, data in content.items():
            stack.enter_context(folders((folder / path).parent))
            stack.enter_context(_written(folder / path, data))


@contextmanager
def _written(target: Path, data: bytes) -> Iterator[None]:
    """Write a file, which is removed again if another one cannot be written."""
    with target.open("wb" if target.name == SCHEMA.name else "xb") as file:
        try:
            file.write(data)
            file.flush()
            yield
        except BaseException as error:
            with suppress(OSError):
                target.unlink()
            if isinstance(error, OSError):
                raise located(error, target) from error
            raise


def _refuse_to_overwrite(folder: Path, content: Mapping[Path, bytes]) -> None:
    if os.path.lexists(folder) and not folder.is_dir():
        raise UsageError(f"{folder} is a file", "name a new or empty folder")
    there = sorted({str(found) for path in content if (found := _in_the_way(folder, path))})
    if there:
        more = f" and {len(there) - _SHOWN} more" if len(there) > _SHOWN else ""
        raise UsageError(
            f"{folder} already contains {', '.join(there[:_SHOWN])}{more}; nothing was written",
            "name another folder, or move these away",
        )


def _in_the_way(folder: Path, path: Path) -> Path | None:
    """Return what of a path exists and is no folder that it may go into."""
    for parent in reversed(path.parents):
        if os.path.lexists(folder / parent) and not (folder / parent).is_dir():
            return parent
    if path == SCHEMA and (folder / path).is_file():
        return None  # made by an earlier `init`
    return path if os.path.lexists(folder / path) else None


def has_own_package(folder: Path) -> bool:
    """Whether `python -m pipelines` in this folder would start something else than this tool."""
    own = folder / "pipelines"
    return own.with_suffix(".py").is_file() or (own / "__init__.py").is_file()
