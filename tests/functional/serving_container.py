"""A serving container in miniature, run by test_serving_stack.py inside new namespaces.

Reads a JSON plan from its first argument: makes /opt/ml/model (read-only) and a loopback
network, starts the image's server, sends the requests, stops the server, and writes the answers.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1
_PR_SET_PDEATHSIG, _SIGKILL = 1, 9


def mount(*arguments: str) -> None:
    """Run the command of that name."""
    subprocess.run(["mount", *arguments], check=True)  # noqa: S607 - by PATH


def make_opt_ml(model: Path, scratch: Path) -> None:
    """Put an empty /opt/ml with a read-only model in place, keeping what else is in /opt."""
    stage = scratch / "stage"
    stage.mkdir()
    mount("--make-rprivate", "/")
    mount("-t", "tmpfs", "tmpfs", str(stage))
    for child in Path("/opt").iterdir():
        if child.is_dir() and child.name != "ml":
            (stage / child.name).mkdir()
            mount("--rbind", str(child), str(stage / child.name))
    (stage / "ml" / "model").mkdir(parents=True)
    mount("--rbind", str(stage), "/opt")
    mount("--bind", str(model), "/opt/ml/model")
    mount("-o", "remount,bind,ro", "/opt/ml/model")


def raise_loopback() -> None:
    """Bring up `lo`, the only interface of a new network namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP))


def has_network() -> bool:
    """Whether anything but loopback can be reached."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return False
        return True


def ask(path: str, request: dict[str, str] | None = None) -> dict[str, Any]:
    """Send a GET, or a POST with a body, and return status, content type and text."""
    call = urllib.request.Request(f"http://127.0.0.1:8080{path}")
    if request is not None:
        call.data = request["body"].encode()
        call.add_header("Content-Type", request["content_type"])
        call.add_header("Accept", request["accept"])
    try:
        with urllib.request.urlopen(call, timeout=60) as answer:  # noqa: S310 - loopback
            status, headers, text = answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        status, headers, text = error.code, error.headers, error.read().decode()
    return {"status": status, "type": headers.get_content_type(), "text": text}


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, _SIGKILL)


def serve(plan: dict[str, Any]) -> dict[str, Any]:
    """Run the server for the plan's requests."""
    with subprocess.Popen(
        plan["command"],
        env=plan["environment"],
        cwd=plan["scratch"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=_die_with_parent,  # noqa: PLW1509 - no other thread runs yet
    ) as server:
        log: list[str] = []
        assert server.stdout is not None
        for line in server.stdout:  # the kernel queues requests from here on
            log.append(line)
            if "Listening at" in line:
                break
        else:
            return {"started": False, "log": "".join(log)}
        reader = threading.Thread(target=lambda: log.extend(server.stdout or ()), daemon=True)
        reader.start()
        answers = [ask("/ping"), *[ask("/invocations", request) for request in plan["requests"]]]
        server.terminate()
        code = server.wait(timeout=30)
        reader.join(timeout=30)
    return {"started": True, "answers": answers, "exit_code": code, "log": "".join(log)}


def main() -> None:
    """Read the plan, serve, and write what came of it."""
    plan = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    make_opt_ml(Path(plan["model"]), Path(plan["scratch"]))
    raise_loopback()
    report = serve(plan)
    report["network"] = has_network()
    report["writable"] = os.access("/opt/ml/model", os.W_OK)
    Path(plan["report"]).write_text(json.dumps(report), encoding="utf-8")


if __name__ == "__main__":
    main()
