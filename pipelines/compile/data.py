"""`data:` → assets and URIs: local paths by content hash, everything else as it is."""

from __future__ import annotations

from pipelines.bundle.assets import DataAsset, digest_files
from pipelines.bundle.project import Project
from pipelines.diagnostics import Finding, Path
from pipelines.spec.model import DataSource


def find_local(name: str, source: DataSource, project: Project) -> tuple[Finding, ...]:
    """Tell what is wrong with a local path, without reading any content."""
    path: Path = ("data", name) if source.path is None else ("data", name, "path")
    relative = source.path or ""
    if project.resolve(relative) is None:
        help_text = "move it into the folder of the spec file, or name an s3:// prefix"
        return (Finding("SP302", f"`{relative}` lies outside the project", path, help=help_text),)
    if project.sort(relative) is None:
        help_text = (
            f"write `s3://{relative[3:].lstrip('/')}`"
            if relative[:3].lower() == "s3:"
            else "paths are relative to the spec file's folder"
        )
        return (Finding("SP301", f"the data `{relative}` does not exist", path, help=help_text),)
    if not any(True for _ in project.files(relative)):
        return (Finding("SP301", f"the data folder `{relative}` is empty", path),)
    return ()


def local_asset(name: str, source: DataSource, project: Project, prefix: str) -> DataAsset:
    """Hash a local file or folder.

    Args:
        name: its name in `data:`.
        source: its entry, with a path that was found.
        project: where it lies.
        prefix: the URI that data is uploaded under, without a `/` at the end.
    """
    relative = (source.path or "").rstrip("/")
    start = project.root / relative
    base = start if start.is_dir() else start.parent
    files = tuple(
        ((project.root / path).relative_to(base).as_posix(), project.root / path)
        for path in project.files(relative)
    )
    digest = digest_files(files)
    return DataAsset(f"{prefix}/{name}/{digest[:32]}/", digest, files)
