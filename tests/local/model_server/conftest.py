"""A model archive with serving code of a test's own, and a fleet that serves it."""

from __future__ import annotations

import io
import sys
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal, Protocol, cast

import pytest

from pipelines.backends.local.executors.contract import LocalSettings
from pipelines.backends.local.jobs.isolation import probe
from pipelines.backends.local.model_server.fleet import Fleet
from pipelines.backends.local.model_server.values import FleetSpec
from pipelines.backends.local.objects import ObjectStore

URL = "s3://bucket/model.tar.gz"


class Serve(Protocol):
    """Serve an inference module.

    `files` are further members of the archive, `how` members of FleetSpec.
    """

    def __call__(  # noqa: D102 - see the class
        self,
        code: str,
        *,
        files: dict[str, str] | None = None,
        environment: dict[str, str] | None = None,
        proven: bool = False,
        **how: Any,
    ) -> Fleet: ...


@pytest.fixture(params=["namespaces", "rewrite"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> LocalSettings:
    """Give each way of isolation, where it is to be had."""
    if request.param == "namespaces" and probe().which != "namespaces":
        pytest.skip(probe().why)
    way = cast('Literal["namespaces", "rewrite"]', request.param)
    return LocalSettings(tmp_path / ".pipelines", Path(sys.executable), way)


@pytest.fixture
def serve(settings: LocalSettings) -> Iterator[Serve]:
    """Give a function that starts a fleet; all of them are stopped at the end."""
    objects = ObjectStore(settings.home / "s3")
    with ExitStack() as stack:

        def start(
            code: str,
            *,
            files: dict[str, str] | None = None,
            environment: dict[str, str] | None = None,
            proven: bool = False,
            **how: Any,
        ) -> Fleet:
            members = {"code/inference.py": code, **(files or {})}
            objects.put_bytes(URL, archive(members))
            container = {"Image": "x", "ModelDataUrl": URL, "Environment": environment or {}}
            log = settings.home / "endpoints" / "a.log"
            plain: dict[str, Any] = {"name": "a", "container": container, "log": log}
            spec = FleetSpec(**{"workers": 1, "serverless": False, **how}, **plain)
            fleet = Fleet.start(spec, settings, objects, proven=proven)
            stack.callback(fleet.stop)
            return fleet

        yield start


def archive(members: dict[str, str]) -> bytes:
    """Pack texts as a model archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as packed:
        for name, text in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            packed.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()
