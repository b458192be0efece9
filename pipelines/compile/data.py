"""The entries of `data:` → where the steps find them, and what is uploaded there.

Looking (`check_data`, `planned_uris`) reads no content; `read_data` hashes what lies here.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.bundle.assets import DataAsset, digest_contents
from pipelines.bundle.project import Project, advice_on, of_links
from pipelines.diagnostics import Finding, Path
from pipelines.grammar.functions import Value
from pipelines.graph.build import resolver
from pipelines.graph.model import Graph
from pipelines.graph.resolve import UnresolvedError
from pipelines.spec.model import Aws, DataSource


def root_of(graph: Graph) -> str:
    """Return the URI below which a pipeline keeps everything."""
    aws = graph.spec.aws or Aws()
    return f"s3://{aws.bucket}/{graph.spec.pipeline}"


def check_data(graph: Graph, project: Project) -> Iterator[Finding]:
    """Find what is wrong with the paths of data on this machine."""
    for name, source in _local(graph).items():
        yield from _missing(name, source, project)


def planned_uris(graph: Graph) -> dict[str, Value]:
    """Return the URI of every entry; of a local one the prefix that its hash will stand below."""
    planned = {name: f"{root_of(graph)}/data/{name}/" for name in _local(graph)}
    return {**dict(_remote(graph)), **planned}


def read_data(graph: Graph, project: Project) -> dict[str, DataAsset]:
    """Hash the data on this machine, by the names of the entries."""
    prefix = f"{root_of(graph)}/data"
    return {n: _asset(n, source, project, prefix) for n, source in _local(graph).items()}


def _local(graph: Graph) -> dict[str, DataSource]:
    """Return the entries of `data:` that lie on this machine."""
    return {name: source for name, source in graph.spec.data.items() if source.path is not None}


def _remote(graph: Graph) -> Iterator[tuple[str, Value]]:
    """Resolve the entries of `data:` that are used as they are; a file system has no URI."""
    references = resolver(graph, {})
    for name, source in graph.spec.data.items():
        if source.path is None:
            try:
                yield name, "" if source.s3 is None else references.value(source.s3)
            except UnresolvedError:
                continue  # found while the graph was built


def _missing(name: str, source: DataSource, project: Project) -> Iterator[Finding]:
    """Find what is wrong with a local path, without reading any content; links are followed."""
    path: Path = ("data", name) if source.path is None else ("data", name, "path")
    relative = source.path or ""
    if not project.names_inside(relative):
        help_text = "move it into the folder of the spec file, or name an s3:// prefix"
        yield Finding("SP302", f"`{relative}` lies outside the project", path, help=help_text)
    elif project.sort(relative) is None:
        help_text = (
            f"write `s3://{relative[3:].lstrip('/')}`"
            if relative[:3].lower() == "s3:"
            else advice_on(relative)
        )
        yield Finding("SP301", f"the data `{relative}` does not exist", path, help=help_text)
    elif project.sort(relative) == "device":
        message = f"the data `{relative}` is neither a file nor a folder"
        yield Finding("SP301", message, path, help="name a folder, or a file in one")
    else:
        listing = project.listing(relative)
        yield from of_links(listing, path)
        if not listing.files:
            yield Finding("SP301", f"the data folder `{relative}` is empty", path)


def _asset(name: str, source: DataSource, project: Project, prefix: str) -> DataAsset:
    """Hash a local file or folder, which is there."""
    from pipelines.bundle.digests import (  # noqa: PLC0415 - to read only
        PLACE,
        remembered_contents,
        state_of,
    )

    relative = (source.path or "").rstrip("/")
    start = project.root / relative
    base = start if start.is_dir() else start.parent
    files = tuple(
        ((project.root / path).relative_to(base).as_posix(), project.root / path)
        for path in project.files(relative)
    )
    states = {name: state_of(path) for name, path in files}
    contents = remembered_contents(files, project.root / PLACE)
    digest = digest_contents(contents)
    return DataAsset(f"{prefix}/{name}/{digest[:32]}/", digest, files, contents, states)
