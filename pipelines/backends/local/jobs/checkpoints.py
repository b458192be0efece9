"""Two-way sync between a job's checkpoint folder and its S3 prefix."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.backends.local.jobs.opt_ml import host_path

if TYPE_CHECKING:
    from pipelines.backends.local.jobs.spec import LocalJob
    from pipelines.backends.local.objects import ObjectStore
    from pipelines.json_types import JsonObject

_EVERY = 2.0  # seconds between syncs while the job runs
_State = tuple[int, int]  # size and modification time


class CheckpointSync:
    """A folder of one job that is saved while it runs; all hosts share one prefix.

    Checkpoints are, and TensorBoard's event files.

    Args:
        store: the object store.
        job: the job; its folders exist.
        config: `CheckpointConfig`; None when the job has no checkpoints.

    Attributes:
        saved: whether the job has saved anything to go on from.

    Raises:
        JobRefusedError: `LocalPath` lies outside /opt/ml.
    """

    def __init__(self, store: ObjectStore, job: LocalJob, config: JsonObject | None) -> None:
        self._store = store
        self._uri = config["S3Uri"].rstrip("/") + "/" if config else ""
        path = (config or {}).get("LocalPath", "/opt/ml/checkpoints")
        self._folders = [host_path(host, path) for host in job.hosts] if config else []
        self._seen: dict[str, _State] = {}
        self.saved = False
        self._next = 0.0

    @property
    def uri(self) -> str:
        """The prefix."""
        return self._uri

    def fetch(self) -> None:
        """Copy what lies under the prefix to every host."""
        for folder in self._folders:
            folder.mkdir(parents=True, exist_ok=True)
            self._store.download(self._uri, folder)
        self._seen = {name: _state(path) for name, path in self._files().items()}

    def tick(self) -> None:
        """Save when the last time is long enough ago."""
        if self._folders and time.monotonic() >= self._next:
            self.save()
            self._next = time.monotonic() + _EVERY

    def save(self) -> None:
        """Upload what was written since the last time, and delete what was removed."""
        present = self._files()
        for name, path in present.items():
            try:
                state = _state(path)
                if self._seen.get(name) != state:
                    self._store.put_file(self._uri + name, path)
                    self.saved = self.saved or not name.startswith(".")
            except FileNotFoundError:
                continue  # the job has just replaced or removed it: handled the next time
            self._seen[name] = state
        for name in set(self._seen) - set(present):
            self._store.delete(self._uri + name)
            del self._seen[name]

    def _files(self) -> dict[str, Path]:
        found: dict[str, Path] = {}
        for folder in self._folders:
            for directory, _, names in os.walk(folder):
                for name in names:
                    path = Path(directory, name)
                    if path.is_file():
                        found.setdefault(path.relative_to(folder).as_posix(), path)
        return found


def _state(path: Path) -> _State:
    status = path.stat()
    return status.st_size, status.st_mtime_ns
