"""Fleets that end while a model is loaded: its server ends, too."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import TypeVar

import pytest

from pipelines.backends.local.api.loop_waiting import LoopWaiting
from pipelines.backends.local.hosting.fleet import Fleet
from pipelines.backends.local.hosting.values import FleetError, Invocation
from tests.local.hosting.conftest import Serve
from tests.waiting import until

Result = TypeVar("Result")

LOADING = """
import fcntl, os, pathlib, time
def model_fn(model_dir):
    gate = pathlib.Path(os.environ["GATE"])
    alive = (gate / "alive").open("w")
    fcntl.flock(alive, fcntl.LOCK_EX)
    (gate / "loading").touch()
    while not (gate / "open").exists():
        time.sleep(0.005)
    return alive
def transform_fn(alive, body, content_type, accept):
    return "done"
"""


def is_locked(path: Path) -> bool:
    """Return whether a process holds the lock of a file, as a model does while it is loaded."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_a_server_that_is_ready_after_its_fleet_has_ended_is_ended_too(
    serve: Serve, tmp_path: Path
) -> None:
    """A model may load for longer than a fleet that is stopped waits for its requests."""
    fleet = serve(
        LOADING,
        environment={"GATE": str(tmp_path)},
        proven=True,
        serverless=True,
        invocation_seconds=1.0,
    )
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(fleet.invoke, Invocation(b"x", "text/csv", "*/*"))
        until((tmp_path / "loading").exists)
        fleet.stop()
        (tmp_path / "open").touch()
        with suppress(FleetError):  # it had a second
            answer.result()
    assert not is_locked(tmp_path / "alive")


class Interrupting(LoopWaiting):
    """Interrupts a fleet before anything is done in a thread, such as the start of a server."""

    fleet: Fleet

    async def call(self, function: Callable[[], Result]) -> Result:
        """Call a function."""
        self.fleet.interrupt()
        return await super().call(function)


@pytest.mark.one_way
def test_a_server_that_is_started_after_its_fleet_was_interrupted_is_ended(
    serve: Serve, tmp_path: Path
) -> None:
    """Its request was there before; the model would be loaded for minutes."""
    environment = {"GATE": str(tmp_path)}
    fleet = serve(LOADING, environment=environment, proven=True, serverless=True)

    async def scenario(waiting: Interrupting) -> None:
        waiting.fleet = fleet
        with pytest.raises(FleetError, match="killed"):
            await fleet.answer(Invocation(b"x", "text/csv", "*/*"), waiting)

    with ThreadPoolExecutor(2) as pool, closing(Interrupting(pool)) as waiting:
        asyncio.run(scenario(waiting))
