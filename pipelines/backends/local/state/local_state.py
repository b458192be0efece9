"""The state of one `.pipelines` folder: a store for each kind of resource, on one database."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Self

from pipelines.backends.local.state.changes import ChangeStore
from pipelines.backends.local.state.database import Database
from pipelines.backends.local.state.endpoints import EndpointStore
from pipelines.backends.local.state.executions import ExecutionStore
from pipelines.backends.local.state.jobs import JobStore
from pipelines.backends.local.state.pipelines import PipelineStore
from pipelines.backends.local.state.resources import NamedStore, PackageStore, TagStore
from pipelines.backends.local.state.traces import TraceStore


class LocalState:
    """All stores; each write is one transaction, or a part of the one that is open.

    Args:
        home: the `.pipelines` folder; created if missing.
        committed: called after each commit.

    Raises:
        StateError: the folder or the file cannot be used; all operations raise it too.
    """

    def __init__(self, home: Path, committed: Callable[[], None] = lambda: None) -> None:
        self._database = database = Database(home, committed)
        self.tags = TagStore(database)
        self.pipelines = PipelineStore(database, self.tags)
        self.executions = ExecutionStore(database)
        self.traces = TraceStore(database)
        self.package_groups = NamedStore(database, "package_groups", self.tags)
        self.packages = PackageStore(database, self.tags)
        self.models = NamedStore(database, "models", self.tags)
        self.endpoint_configs = NamedStore(database, "endpoint_configs", self.tags)
        self.endpoints = EndpointStore(database, self.tags)
        self.jobs = JobStore(database, self.tags)
        self.changes = ChangeStore(database)

    def transaction(self) -> AbstractContextManager[object]:
        """Hold the write lock; commit at the end, roll back on an error."""
        return self._database.transaction()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
