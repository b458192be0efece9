"""Requests through three switches of an endpoint under `serve`: an update, a rollback, a new mode.

    python -m benchmarks.rollout [ROUNDS]

A model multiplies; its second version is approved, then rejected; then the endpoint gets instances.
Meanwhile requests come at a steady rate. None may fail, and each answer must be of a version that
was live. The switches are the commands that a user types.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.model_servers import Served, free_ports, serving
from benchmarks.pairs import ROOT, Figure, main, pipelines, run

RATE, CONNECTIONS = 50, 10
SPEC = """\
spec: 1
pipeline: rollout
parameters:
  factor: {type: integer, default: 3}
defaults:
  image: sklearn-1.9-cpu
steps:
  train:
    kind: training
    script: train.py
    hyperparameters: {factor: "${parameters.factor}"}
  register:
    kind: registration
    group: rollout
    model: ${steps.train.model}
    serving: {source: serving/, image: sklearn-1.9-cpu}
  deploy:
    kind: deployment
    after: [register]
    group: ${steps.register.group}
    endpoint: rollout
    sample: sample.json
    serverless: {max_concurrency: 10}
environments:
  realtime:
    steps:
      deploy:
        realtime: {instance_type: ml.m5.large, initial_instance_count: 2}
"""
TRAIN = """\
import os
from pathlib import Path
Path(os.environ["SM_MODEL_DIR"], "factor").write_text(os.environ["SM_HP_FACTOR"])
"""
SERVE = """\
import json
from pathlib import Path
def model_fn(model_dir):
    return int(Path(model_dir, "factor").read_text())
def transform_fn(model, body, content_type, accept):
    return json.dumps({"y": model * json.loads(body)["x"]}), "application/json"
"""
SWITCHES = (
    ("approve", "--local", "rollout/2"),
    ("reject", "--local", "rollout/2", "--reason", "a rollback"),
    ("deploy", "--local", "--env", "realtime"),
)


@dataclass
class Asked:
    """What came of the requests.

    Attributes:
        sent: how many.
        answers: how often each answer came.
        failures: what else came.
    """

    sent: int = 0
    answers: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def write_project(folder: Path) -> None:
    """Write a project whose model multiplies."""
    (folder / "serving").mkdir()
    (folder / "pipeline.yaml").write_text(SPEC)
    (folder / "train.py").write_text(TRAIN)
    (folder / "serving" / "inference.py").write_text(SERVE)
    (folder / "sample.json").write_text('{"x": 2}')


@contextmanager
def load(port: int) -> Iterator[Asked]:
    """Send requests over several connections, each at its share of the rate."""
    ended, guard, asked = threading.Event(), threading.Lock(), Asked()
    words = (port, ended, guard, asked)
    threads = [threading.Thread(target=_ask, args=words) for _ in range(CONNECTIONS)]
    for number, thread in enumerate(threads):
        thread.start()
        ended.wait(number / RATE / CONNECTIONS)
    try:
        yield asked
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def _ask(port: int, ended: threading.Event, guard: threading.Lock, asked: Asked) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {"Content-Type": "application/json"}
    while not ended.is_set():
        due = time.monotonic() + CONNECTIONS / RATE
        problem, answer = "", 0
        try:
            connection.request("POST", "/endpoints/rollout/invocations", b'{"x": 2}', headers)
            response = connection.getresponse()
            body = response.read()
            if response.status == http.HTTPStatus.OK:
                answer = int(json.loads(body)["y"])
            else:
                problem = f"{response.status}: {body[:200]!r}"
        except (OSError, http.client.HTTPException, ValueError) as error:
            problem = repr(error)
            connection.close()
        with guard:
            asked.sent += 1
            if problem:
                asked.failures.append(problem)
            else:
                asked.answers[answer] += 1
        ended.wait(max(0.0, due - time.monotonic()))


def round_of(folder: Path) -> tuple[Asked, float]:
    """Register two versions, put the first one live, and switch thrice under load."""
    write_project(folder)
    for words in (("run",), ("approve", "--local", "rollout/1"), ("run", "-p", "factor=5")):
        run(pipelines(*words, folder=folder))
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    serve = (sys.executable, "-m", "pipelines", "serve", "--port", str(port))
    server = Served("serve", serve, url, url, folder / "sample.json", {"PYTHONPATH": str(ROOT)})
    with serving(server, folder), load(port) as asked:
        began = time.monotonic()
        for switch in SWITCHES:
            run(pipelines(*switch, folder=folder))
            time.sleep(1)  # the load goes on; nothing is waited for
        seconds = time.monotonic() - began
    return asked, seconds


def figures(count: int, scratch: Path) -> list[Figure]:
    """Switch under load, in one project after the other."""
    sent, failed, seconds = 0, 0, 0.0
    for number in range(count):
        folder = scratch / str(number)
        folder.mkdir()
        asked, took = round_of(folder)
        wrong = set(asked.answers) - {6, 10}
        if wrong or len(asked.answers) < 2:
            sys.exit(f"answers of no version that was live, or of one alone: {asked.answers}")
        for problem in asked.failures[:3]:
            print(problem, file=sys.stderr)
        sent, failed, seconds = sent + asked.sent, failed + len(asked.failures), seconds + took
    what = "requests that failed through three switches, of all"
    rate = sent / seconds
    return [
        Figure(what, "0", failed, sent, failed / sent, failed == 0),
        Figure(
            "requests/s meanwhile, of those meant",
            "1 where the machine is idle",
            rate,
            RATE,
            rate / RATE,
            True,  # noqa: FBT003 - a busy machine sends fewer
        ),
    ]


if __name__ == "__main__":
    main("rollout", 3, figures)
