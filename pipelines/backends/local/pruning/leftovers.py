"""Files of `.pipelines` that nothing needs: what can be made again, and what was left behind."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from pipelines.backends.local.kept import remove
from pipelines.frozen import frozen

_BY_CONTENT = re.compile(
    r"[^/]+/[^/]+/((code|data)/[^/]+/[0-9a-f]{32}|definitions/[0-9a-f]{32}\.json)"
)
_ENVIRONMENT = re.compile(r"[0-9a-f]{16}")
_HISTORY = "deployments"
_GONE, _MARK = ".removed-", ".removed"


@frozen
class Leftover:
    """A file or a folder that can be removed: its path, its bytes."""

    path: Path
    size: int


def folders_of(home: Path, executions: Collection[str]) -> Iterator[tuple[str, Path]]:
    """Yield what executions have left, each with the id: outputs, jobs, pages; logs come last.

    The folder of the logs is the record that an execution is not removed completely yet.
    """
    ids = set(executions)
    for above, folders, _ in os.walk(home / "s3"):
        if _HISTORY in folders and len(Path(above).relative_to(home).parts) == 3:
            folders.remove(_HISTORY)
        for name in ids.intersection(folders):
            folders.remove(name)
            yield name, Path(above, name)
    for job in _entries(home / "jobs"):
        execution = job.name.removeprefix("pipelines-").partition("-")[0]
        if execution in ids and job.is_dir():
            yield execution, job
    for execution in executions:
        page = home / "reports" / f"{execution}.html"
        yield from ((execution, path) for path in (page,) if path.exists())
    for execution in executions:
        logs = home / "executions" / execution
        yield from ((execution, path) for path in (logs,) if path.is_dir())


def mark(home: Path, executions: Iterable[str]) -> None:
    """Mark executions as being removed: where one has no row any more, only its files are left."""
    for execution in executions:
        folder = home / "executions" / execution
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _MARK).touch()


def marked(home: Path) -> set[str]:
    """Return the ids of the executions whose removal has begun."""
    return {path.parent.name for path in (home / "executions").glob(f"*/{_MARK}")}


def delete(path: Path) -> None:
    """Delete a file or a folder, its mark last."""
    if not path.is_dir() or path.is_symlink():
        path.unlink(missing_ok=True)
        return
    if (path / _MARK).exists():
        for entry in _entries(path):
            if entry.name != _MARK:
                delete(entry)
    remove(path)


def unused_objects(home: Path, in_use: Iterable[str], since: float) -> Iterator[Leftover]:
    """Yield code, data and definitions, stored by content, that no URI names."""
    uris, root = tuple(in_use), home / "s3"
    for above, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(above, name)
            key = path.relative_to(root).as_posix()
            if not _BY_CONTENT.fullmatch(key):
                continue
            if name in folders:
                folders.remove(name)
            uri = f"s3://{key}"
            is_used = any(f"{uri}/".startswith(one) or one.startswith(uri) for one in uris)
            if not is_used and last_written(path) < since:
                yield Leftover(path, size_of(path))


def unused_folders(home: Path, since: float) -> Iterator[Leftover]:
    """Yield samples, downloads, and what interrupted commands were writing."""
    for folder in ("samples", "downloads", "s3/.incoming"):
        for path in _entries(home / folder):
            if last_written(path) < since:
                yield Leftover(path, size_of(path))


def unused_environments(home: Path, since: float) -> Iterator[Leftover]:
    """Yield environments by when a job was last started in one: it opens the lock then."""
    for path in _entries(home / "env"):
        lock = path.with_name(f"{path.name}.lock")
        if path.name.startswith(_GONE) or (
            _ENVIRONMENT.fullmatch(path.name) and last_written(lock) < since
        ):
            yield Leftover(path, size_of(path))


def set_aside(path: Path) -> Path:
    """Rename an environment, so that the next job makes another, whatever becomes of this one."""
    if path.name.startswith(_GONE):
        return path
    aside = path.with_name(f"{_GONE}{path.name}")
    delete(aside)  # what an interrupted command has left of an earlier one
    return path.rename(aside)


def stale_records(home: Path) -> Iterator[Path]:
    """Yield the records of staged data that is not in the object store any more."""
    root = home / "s3" / ".staged"
    for record in root.rglob("*.json"):
        if not (home / "s3" / record.relative_to(root).with_suffix("")).exists():
            yield record


def last_written(path: Path) -> float:
    """Return when a file, or the newest of a folder's, was written; 0.0 if it is not there."""
    times = [0.0]
    with suppress(OSError):
        times.append(path.lstat().st_mtime)
        times += [entry.stat(follow_symlinks=False).st_mtime for entry in os.scandir(path)]
    return max(times)


def size_of(path: Path) -> int:
    """Add up the files of a folder, as far as they can be seen; it may go meanwhile."""
    total = 0
    files = (Path(above, name) for above, _, names in os.walk(path) for name in names)
    for file in files if path.is_dir() else (path,):
        with suppress(OSError):
            status = file.lstat()
            total += status.st_size if stat.S_ISREG(status.st_mode) else 0
    return total


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []
