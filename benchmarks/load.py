"""Requests to a server from a separate process, over connections that are kept open.

python -m benchmarks.load URL BODY CONNECTIONS SECONDS
"""

from __future__ import annotations

import http.client
import json
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.pairs import ROOT


@dataclass(frozen=True, slots=True)
class Load:
    """What to send: the URL, the JSON body, how many connections, for how many seconds."""

    url: str
    body: Path
    connections: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Seen:
    """The result: median milliseconds, requests per second."""

    p50: float
    rate: float


def measure(load: Load) -> Seen:
    """Generate a load from another process.

    Raises:
        SystemExit: a response was not 200.
    """
    words = (load.url, str(load.body), str(load.connections), str(load.seconds))
    done = subprocess.run(
        (sys.executable, "-m", "benchmarks.load", *words),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stderr)
    return Seen(**json.loads(done.stdout))


def ask(load: Load, until: float, times: list[float]) -> None:
    """Send requests over one connection until the time is up."""
    address = urlsplit(load.url)
    connection = http.client.HTTPConnection(address.netloc, timeout=60)
    body = load.body.read_bytes()
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    while (began := time.perf_counter()) < until:
        connection.request("POST", address.path, body, headers)
        response = connection.getresponse()
        said = response.read()
        if response.status != http.HTTPStatus.OK:
            raise SystemExit(f"{response.status}: {said[:500]!r}")
        times.append(time.perf_counter() - began)


def main(load: Load) -> Seen:
    """Send requests over all connections at once."""
    began = time.perf_counter()
    times: list[list[float]] = [[] for _ in range(load.connections)]
    threads = [
        threading.Thread(target=ask, args=(load, began + load.seconds, mine)) for mine in times
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spent = time.perf_counter() - began
    every = [one for mine in times for one in mine]
    if not all(times):
        sys.exit("a connection got no response")
    return Seen(statistics.median(every) * 1000, len(every) / spent)


if __name__ == "__main__":
    url, body, connections, seconds = sys.argv[1:]
    print(json.dumps(asdict(main(Load(url, Path(body), int(connections), float(seconds))))))
