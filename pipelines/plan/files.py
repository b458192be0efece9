"""Which files of an asset are not as they were deployed: names, not hashes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from pipelines.bundle.assets import CodeAsset, DataAsset
from pipelines.definition.named import read
from pipelines.definition.needs import assets_in
from pipelines.frozen import frozen
from pipelines.plan.diff import Change

CONFIGURATION = "the step's configuration"
_CODE = "code/"
_TOOL = "tool/"


class FileChangeKind(StrEnum):
    """What happened to a file."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@frozen
class FileChange:
    """A file of an asset that is not as it was deployed.

    Args:
        path: its path in the project, or what it is.
        kind: what happened to it.
        settings: of a step's configuration: the keys that differ.
    """

    path: str
    kind: FileChangeKind
    settings: tuple[Change, ...] = ()


def compare(before: Mapping[str, object], after: Mapping[str, object]) -> tuple[FileChange, ...]:
    """Compare two contents, path → anything that tells the content: sorted by path."""
    kinds = {
        **{path: FileChangeKind.REMOVED for path in before if path not in after},
        **{path: FileChangeKind.ADDED for path in after if path not in before},
        **{p: FileChangeKind.CHANGED for p in after if p in before and before[p] != after[p]},
    }
    return tuple(FileChange(path, kinds[path]) for path in sorted(kinds))


def of_bundle(
    changes: Iterable[FileChange], settings: tuple[Change, ...] = ()
) -> tuple[FileChange, ...]:
    """Name the files of a code bundle as the project does; the tool's own become one entry.

    Args:
        changes: of its files, by their paths in the bundle.
        settings: the keys of the step's configuration that differ, where they are known.
    """
    found: dict[str, FileChange] = {}
    for change in changes:
        name, kind = _named(change.path), change.kind
        if not change.path.startswith(_CODE):
            kind = FileChangeKind.CHANGED
        found[name] = FileChange(name, kind, settings if name == CONFIGURATION else ())
    return tuple(found.values())


def _named(path: str) -> str:
    if path.startswith(_CODE):
        return path.removeprefix(_CODE)
    is_tool = path.startswith(_TOOL) or path == "__main__.py"
    return "the job runtime of pipelines" if is_tool else CONFIGURATION


def replaced(
    code: Iterable[CodeAsset], data: Iterable[DataAsset], definitions: Iterable[str]
) -> dict[str, str]:
    """Find which deployed asset each new one replaces.

    Args:
        code: the bundles of steps.
        data: the entries of `data:`.
        definitions: the deployed definitions, as text.

    Returns:
        URI of an asset that is not deployed → URI that stands in its place in what is deployed.
    """
    wanted = {asset.uri: ("code", asset.step) for asset in code}
    wanted.update({asset.uri: ("data", asset.name) for asset in data})
    return _in_place_of(wanted, definitions)


def put_back(after: str, before: str) -> dict[str, str]:
    """Find which asset of a definition each one of another takes the place of, as `replaced`."""
    wanted = {uri: key for key, uris in _assets([after]).items() for uri in uris}
    return _in_place_of(wanted, [before])


def _in_place_of(
    wanted: Mapping[str, tuple[str, str]], definitions: Iterable[str]
) -> dict[str, str]:
    deployed = _assets(definitions)
    return {
        uri: min(others)  # of what is not wanted any more: a step may have several bundles
        for uri, key in wanted.items()
        if uri not in (found := deployed.get(key, set())) and (others := found - wanted.keys())
    }


def _assets(definitions: Iterable[str]) -> dict[tuple[str, str], set[str]]:
    """Find the assets that definitions name: `code` or `data` and its name → URIs."""
    found: dict[tuple[str, str], set[str]] = {}
    for text in definitions:
        for asset in assets_in(read(text)):
            found.setdefault((asset.kind, asset.name), set()).add(asset.uri)
    return found
