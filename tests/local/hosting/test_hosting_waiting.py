"""Fleets on an event loop: requests that wait there cost no thread, and none of them is lost."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import uvloop

from pipelines.backends.local.api.loop_waiting import LoopWaiting
from pipelines.backends.local.hosting.fleet import Fleet
from pipelines.backends.local.hosting.values import (
    FleetBusy,
    FleetError,
    FleetStoppedError,
    Invocation,
)
from pipelines.backends.local.waiting import Signal, in_this_thread
from tests.local.hosting.conftest import Serve

GATED = """
import json, os, pathlib, time
def model_fn(model_dir):
    return pathlib.Path(os.environ["GATE"])
def transform_fn(gate, body, content_type, accept):
    (gate / f"begun-{body[:9]}").touch()
    while not (gate / "open").exists():
        time.sleep(0.005)
    with (gate / "order").open("a") as order:
        order.write(body[:9] + " ")
    return json.dumps({"pid": os.getpid(), "body": body})
"""


class NoThreads(Executor):
    """Threads that nobody may use."""

    def submit(self, fn: Callable[..., Any], /, *_: Any, **__: Any) -> Future[Any]:
        """Refuse."""
        raise AssertionError(f"a thread was used for {fn}")


def on_loop(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine on the loop that serves the API."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(coroutine)


async def asked(fleet: Fleet, waiting: LoopWaiting, body: str) -> dict[str, Any]:
    """Send a request; return what the model says."""
    response = await fleet.answer(Invocation(body.encode(), "text/csv", "*/*"), waiting)
    answer: dict[str, Any] = json.loads(response.body)
    return answer


async def until(true: Callable[[], bool]) -> None:
    """Wait for something that happens elsewhere."""
    while not true():  # noqa: ASYNC110 - another process does it
        await asyncio.sleep(0.005)


def test_requests_on_a_loop_are_answered_in_order_without_a_thread(
    serve: Serve, tmp_path: Path
) -> None:
    """More of them than servers; bodies in many pieces; and a thread in between."""
    (tmp_path / "open").touch()
    fleet = serve(GATED, environment={"GATE": str(tmp_path)})

    async def scenario() -> None:
        with closing(LoopWaiting(NoThreads())) as waiting:
            bodies = [str(number) for number in range(10)]
            answers = await asyncio.gather(*(asked(fleet, waiting, body) for body in bodies))
            assert len({answer["pid"] for answer in answers}) == 1
            assert (tmp_path / "order").read_text().split() == bodies
            await asyncio.to_thread(fleet.invoke, Invocation(b"1", "text/csv", "*/*"))
            large = "x" * (4 << 20)
            assert (await asked(fleet, waiting, large))["body"] == large

    on_loop(scenario())


def test_a_request_that_is_given_up_on_a_loop_leaves_its_place_to_the_next(
    serve: Serve, tmp_path: Path
) -> None:
    """One that waits is forgotten; the server of one that is processed is replaced."""
    fleet = serve(GATED, environment={"GATE": str(tmp_path)})

    async def scenario(waiting: LoopWaiting) -> None:
        tasks = {}
        for body in ("a", "b", "c"):
            tasks[body] = asyncio.create_task(asked(fleet, waiting, body))
            await asyncio.sleep(0)
        await until((tmp_path / "begun-a").exists)
        for body in ("b", "a"):
            tasks[body].cancel()
            with pytest.raises(asyncio.CancelledError):
                await tasks[body]
        await until((tmp_path / "begun-c").exists)
        (tmp_path / "open").touch()
        await tasks["c"]
        assert (tmp_path / "order").read_text() == "c "

    with ThreadPoolExecutor(2) as pool, closing(LoopWaiting(pool)) as waiting:
        on_loop(scenario(waiting))


def test_a_request_that_is_given_up_leaves_its_response_to_nobody(
    serve: Serve, tmp_path: Path
) -> None:
    """Its server had it before its turn, and those of the next ones."""
    fleet = serve(GATED, environment={"GATE": str(tmp_path)})

    async def scenario(waiting: LoopWaiting) -> None:
        tasks = [asyncio.create_task(asked(fleet, waiting, body)) for body in ("a", "b", "c", "d")]
        await until((tmp_path / "begun-a").exists)
        tasks[1].cancel()
        with pytest.raises(asyncio.CancelledError):
            await tasks[1]
        (tmp_path / "open").touch()
        answers = [await tasks[number] for number in (0, 2, 3)]
        assert [answer["body"] for answer in answers] == ["a", "c", "d"]

    with ThreadPoolExecutor(2) as pool, closing(LoopWaiting(pool)) as waiting:
        on_loop(scenario(waiting))


def test_a_fleet_that_is_stopped_answers_only_what_its_servers_have_begun(
    serve: Serve, tmp_path: Path
) -> None:
    """What waits goes to another fleet at once, also what was sent to a server ahead."""
    fleet = serve(GATED, environment={"GATE": str(tmp_path)}, workers=2)

    async def scenario(waiting: LoopWaiting) -> None:
        tasks = [asyncio.create_task(asked(fleet, waiting, str(number))) for number in range(9)]
        for number in (0, 1):
            await until((tmp_path / f"begun-{number}").exists)
        stopping = asyncio.create_task(asyncio.to_thread(fleet.stop))
        for task in tasks[2:]:
            with pytest.raises(FleetStoppedError):
                await task
        (tmp_path / "open").touch()
        assert [(await task)["body"] for task in tasks[:2]] == ["0", "1"]
        await stopping
        assert sorted((tmp_path / "order").read_text().split()) == ["0", "1"]

    with ThreadPoolExecutor(2) as pool, closing(LoopWaiting(pool)) as waiting:
        on_loop(scenario(waiting))


def test_no_request_waits_behind_a_long_one_while_another_server_is_free(
    serve: Serve, tmp_path: Path
) -> None:
    """Both servers have requests ahead; those of the one that is held up go to the other one."""
    code = GATED.replace('"open"', 'f"open-{body[0]}"')
    fleet = serve(code, environment={"GATE": str(tmp_path)}, workers=2)
    (tmp_path / "open-s").touch()

    async def scenario(waiting: LoopWaiting) -> None:
        long, other = (asyncio.create_task(asked(fleet, waiting, body)) for body in "lo")
        for body in "lo":
            await until((tmp_path / f"begun-{body}").exists)
        short = [asyncio.create_task(asked(fleet, waiting, f"s{number}")) for number in range(7)]
        await asyncio.sleep(0)
        (tmp_path / "open-o").touch()
        assert len({(await task)["pid"] for task in (other, *short)}) == 1
        order = (tmp_path / "order").read_text().split()
        assert order.index("s1") < 5, "few of those that came later were faster"
        assert not long.done()
        (tmp_path / "open-l").touch()
        await long

    with ThreadPoolExecutor(2) as pool, closing(LoopWaiting(pool)) as waiting:
        on_loop(scenario(waiting))


def test_a_server_that_is_killed_under_a_request_on_a_loop_is_replaced(
    serve: Serve, tmp_path: Path
) -> None:
    """That request is told; the ones that it had already get their own responses from the next.

    Of one that had been handed over, too, the last line that it wrote is quoted.
    """
    code = GATED.replace("touch()", "write_text(str(os.getpid()))", 1)
    ends = '    if body == "d":\n        print("no room", flush=True)\n        os._exit(3)\n'
    code = code.replace("    with (gate", f"{ends}    with (gate")
    fleet = serve(code, environment={"GATE": str(tmp_path)})
    begun = tmp_path / "begun-a"

    async def scenario(waiting: LoopWaiting) -> None:
        first, *others = (asyncio.create_task(asked(fleet, waiting, body)) for body in "abcd")
        await until(lambda: begun.exists() and bool(begun.read_text()))
        process = int(begun.read_text())
        os.kill(process, signal.SIGKILL)
        with pytest.raises(FleetError, match="killed by SIGKILL"):
            await first
        await until((tmp_path / "begun-b").exists)
        others.append(asyncio.create_task(asked(fleet, waiting, "e")))
        await asyncio.sleep(0)
        (tmp_path / "open").touch()
        with pytest.raises(FleetError, match="ended with exit code 3: no room while"):
            await others.pop(2)
        answers = await asyncio.gather(*others)
        assert [answer["body"] for answer in answers] == ["b", "c", "e"]
        assert process not in {answer["pid"] for answer in answers}
        assert len(waiting._readers) < 3, "what two servers had left is closed, or that of one"

    with ThreadPoolExecutor(2) as pool, closing(LoopWaiting(pool)) as waiting:
        on_loop(scenario(waiting))


@pytest.mark.one_way
def test_a_request_that_a_killed_server_had_not_begun_goes_to_the_next_one(
    serve: Serve, tmp_path: Path
) -> None:
    """It was sent to a process that was about to be killed: nothing is known of it there."""
    (tmp_path / "open").touch()
    fleet = serve(GATED, environment={"GATE": str(tmp_path)})

    async def scenario(waiting: LoopWaiting) -> None:
        process = (await asked(fleet, waiting, "a"))["pid"]
        os.kill(process, signal.SIGSTOP)
        task = asyncio.create_task(asked(fleet, waiting, "b"))
        await until(lambda: any(server.load for server in fleet._used))
        os.kill(process, signal.SIGKILL)
        assert (await task)["pid"] != process
        assert (tmp_path / "order").read_text() == "a b "

    with ThreadPoolExecutor(2) as pool, closing(LoopWaiting(pool)) as waiting:
        on_loop(scenario(waiting))


class Impatient(LoopWaiting):
    """Lets whoever waits for a turn have waited for long enough at once."""

    def signal(self) -> Signal:
        """Return a signal."""
        signal = self._signal()
        signal.expire()
        return signal


def test_a_request_that_has_waited_for_long_enough_costs_no_server(
    serve: Serve, tmp_path: Path
) -> None:
    """Those that no server has begun are told, also one that was sent to a server ahead."""
    fleet = serve(GATED, environment={"GATE": str(tmp_path)})

    async def scenario(waiting: LoopWaiting) -> None:
        first, *others = (asyncio.create_task(asked(fleet, waiting, body)) for body in "abcd")
        await until((tmp_path / "begun-a").exists)
        for other in others:
            with pytest.raises(FleetBusy):
                await other
        (tmp_path / "open").touch()
        answers = [await first, await asked(fleet, waiting, "e")]
        assert [answer["body"] for answer in answers] == ["a", "e"]
        assert len({answer["pid"] for answer in answers}) == 1

    with ThreadPoolExecutor(2) as pool, closing(Impatient(pool)) as waiting:
        on_loop(scenario(waiting))


def test_each_wait_on_a_loop_ends_in_its_own_time() -> None:
    """One timer serves all: none is kept by a longer one, none forgotten with a shorter one."""

    async def scenario() -> None:
        with closing(LoopWaiting(NoThreads())) as waiting:
            longest = waiting.signal()
            kept = asyncio.create_task(longest.wait(600))
            times = (0.05, 0.001, 0.0, -1.0, 0.02)
            waits = asyncio.gather(*(waiting.signal().wait(one) for one in times))
            assert await asyncio.wait_for(waits, 60) == [False] * len(times)
            assert not kept.done()
            longest.set()
            assert await kept
            assert await longest.wait(0), "it has happened, however late one asks"

    on_loop(scenario())


def test_a_thread_does_not_run_what_only_a_loop_can() -> None:
    """A coroutine that suspends elsewhere than in its way to wait is a bug, and said to be."""

    async def elsewhere(sleep: Callable[[float], Awaitable[None]]) -> None:
        await sleep(0)

    with pytest.raises(RuntimeError, match="has suspended"):
        in_this_thread(elsewhere(asyncio.sleep))
