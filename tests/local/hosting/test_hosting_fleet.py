"""Fleets of model servers: what a container of AWS's serving toolkits would answer."""

from __future__ import annotations

import errno
import json
import os
import re
import resource
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipelines.backends.local.hosting.fleet import Fleet
from pipelines.backends.local.hosting.values import (
    FleetBusy,
    FleetError,
    FleetSpec,
    FleetStoppedError,
    Invocation,
)
from pipelines.backends.local.jobs.launcher import client
from pipelines.backends.local.objects import ObjectStore
from pipelines.backends.local.settings import LocalSettings
from tests.local.hosting.conftest import URL, Serve, archive
from tests.waiting import until

ECHO = """
import json, os
def model_fn(model_dir):
    return open(model_dir + "/weights.txt").read()
def transform_fn(model, body, content_type, accept):
    return json.dumps({"model": model, "body": body, "type": content_type, "pid": os.getpid()})
"""
WEIGHTS = {"weights.txt": "w1"}
GATED = """
import os, pathlib, time
def model_fn(model_dir):
    return pathlib.Path(os.environ["GATE"])
def transform_fn(gate, body, content_type, accept):
    (gate / str(os.getpid())).touch()
    while not (gate / "open").exists():
        time.sleep(0.005)
    return body
"""


def ask(fleet: Fleet, body: str = "{}", accept: str = "application/json") -> tuple[int, str]:
    """Send JSON; return status and body."""
    answer = fleet.invoke(Invocation(body.encode(), "application/json", accept))
    return answer.status, answer.body.decode()


def pid_of(fleet: Fleet) -> int:
    """Return the process that answers."""
    return int(json.loads(ask(fleet)[1])["pid"])


def lives(pid: int) -> bool:
    """Return whether a process exists (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # it may end between opening and reading
        return False


def test_transform_fn_gets_the_model_and_the_request(serve: Serve) -> None:
    """The toolkit's signature: model, body as text, content type, accept."""
    status, body = ask(serve(ECHO, files=WEIGHTS), '{"a": 1}')
    said = json.loads(body)
    assert (status, said["model"], said["body"]) == (200, "w1", '{"a": 1}')
    assert said["type"] == "application/json"


@pytest.mark.one_way
def test_the_four_functions_follow_each_other(serve: Serve) -> None:
    """input_fn, predict_fn and output_fn are called in turn, model_fn once before them."""
    code = """
import json
calls = []
def model_fn(model_dir): calls.append("model"); return 2
def input_fn(body, content_type): calls.append("input"); return json.loads(body)
def predict_fn(data, model): calls.append("predict"); return data * model
def output_fn(prediction, accept): return json.dumps([prediction, calls]), accept
"""
    assert ask(serve(code), "21") == (200, '[42, ["model", "input", "predict"]]')


@pytest.mark.one_way
def test_a_model_with_predict_needs_model_fn_alone(serve: Serve) -> None:
    """The defaults read JSON, call the model, and write JSON; other formats get 415 or 406."""
    code = """
class Model:
    def predict(self, rows): return rows.sum(axis=1)
def model_fn(model_dir): return Model()
"""
    fleet = serve(code)
    assert ask(fleet, "[[1, 2], [3, 4]]") == (200, "[3, 7]")
    assert fleet.invoke(Invocation(b"1,2\n3,4", "text/csv", "text/csv")).body == b"3.0\n7.0\n"
    assert fleet.invoke(Invocation(b"x", "image/png", "*/*")).status == 415
    assert ask(fleet, "[[1]]", "image/png")[0] == 406


@pytest.mark.one_way
def test_an_exception_is_answered_with_500_and_one_line(serve: Serve, tmp_path: Path) -> None:
    """The traceback goes to the log, never to the caller; the server goes on."""
    code = (
        ECHO
        + "\n    \ndef transform_fn(model, body, content_type, accept):\n    return 1 // int(body)"
    )
    fleet = serve(code, files=WEIGHTS)
    status, body = ask(fleet, "0")
    assert (status, body) == (500, "ZeroDivisionError: integer division or modulo by zero")
    assert "Traceback" in (tmp_path / ".pipelines/endpoints/a.log").read_text()
    assert ask(fleet, "1")[0] == 500  # an int is no body
    assert "not text or bytes" in ask(fleet, "1")[1]


def test_the_container_path_holds_the_model(serve: Serve, settings: LocalSettings) -> None:
    """With namespaces code that hard-codes /opt/ml/model finds its model there."""
    if settings.isolation != "namespaces":
        pytest.skip("without namespaces /opt/ml is this machine's own")
    code = """
def model_fn(model_dir): return open("/opt/ml/model/weights.txt").read()
def transform_fn(model, body, content_type, accept): return model
"""
    assert ask(serve(code, files=WEIGHTS)) == (200, "w1")


def test_the_environment_is_the_containers_and_nothing_leads_to_aws(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What CreateModel sets is there, PYTHONPATH's /opt/ml is found, credentials are dummies."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREAL")
    monkeypatch.setenv("UNRELATED", "1")
    code = """
import json, os, vendored
def model_fn(model_dir): return None
def transform_fn(model, body, content_type, accept):
    names = ("GREETING", "AWS_ACCESS_KEY_ID", "UNRELATED")
    return json.dumps([vendored.X, *(os.environ.get(name) for name in names)])
"""
    environment = {"GREETING": "a 'b' $c", "PYTHONPATH": "/opt/ml/model/vendor"}
    fleet = serve(code, files={"vendor/vendored.py": "X = 7"}, environment=environment)
    assert json.loads(ask(fleet)[1]) == [7, "a 'b' $c", "local", None]


@pytest.mark.one_way
@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("def model_fn(d): raise ValueError('no weights\\nat all')", "ValueError: no weights"),
        ("import nothing_like_this", "ModuleNotFoundError: No module named 'nothing_like_this'"),
        ("x = 1", "`inference.py` has no model_fn(model_dir)"),
        ("def model_fn(d): return 1", "has no predict_fn, and the model that model_fn returned"),
        ("import os; os._exit(3)", "ended with exit code 3"),
        ("import os; os.kill(os.getpid(), 9)", "killed by SIGKILL (out of memory?)"),
        ("import sys; sys.exit('enough')", "SystemExit: enough"),
        ("def model_fn(d): return 1\ndef transform_fn(a): return 1", "takes 1 arguments, not 4"),
    ],
)
def test_a_model_that_does_not_load_is_told_in_one_line(
    serve: Serve, code: str, reason: str
) -> None:
    """The line becomes the endpoint's FailureReason."""
    with pytest.raises(FleetError) as caught:
        serve(code)
    assert reason in caught.value.reason
    assert "\n" not in caught.value.reason


@pytest.mark.parametrize("name", ["serving/inference.py", "other.py"])
def test_the_traceback_of_serving_code_names_files_that_can_be_opened(
    name: str, serve: Serve, settings: LocalSettings
) -> None:
    """The project's own where it is what ran, else a copy that is kept beside the log."""
    code = "def model_fn(d): raise ValueError('no weights')"
    own = settings.home.parent / name
    own.parent.mkdir(exist_ok=True)
    own.write_text(code)
    with pytest.raises(FleetError) as caught:
        serve(code)
    log = settings.home / "endpoints" / "a.log"
    assert f"its log is {log}" in caught.value.reason
    (named,) = re.findall(r'File "(.*)", line 1, in model_fn', log.read_text())
    kept = settings.home / "endpoints" / "a.code" / "inference.py"
    assert Path(named) == (own if name.endswith("inference.py") else kept)
    assert Path(named).read_text() == code


def test_a_machine_with_no_process_to_spare_is_told(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no fault of the model's, and no bug."""

    def refuse(*_: object) -> None:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN), "fork")

    monkeypatch.setattr(client, "start_host", refuse)
    with pytest.raises(FleetError, match="cannot be started: Resource temporarily unavailable"):
        serve("def model_fn(d): return 1")


@pytest.mark.one_way
@pytest.mark.parametrize(
    ("line", "answer"), [("numpy  # any", "w1"), ("pipelines-no-such-package==9.9", None)]
)
def test_requirements_in_the_archive_are_met_before_the_model_loads(
    serve: Serve, line: str, answer: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the toolkits do; what cannot be installed is the reason."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    files = {**WEIGHTS, "code/requirements.txt": f"{line}\n"}
    if answer is None:
        with pytest.raises(FleetError, match=f"cannot be installed: {line}"):
            serve(ECHO, files=files)
    else:
        assert json.loads(ask(serve(ECHO, files=files))[1])["model"] == answer


@pytest.mark.one_way
def test_model_data_that_is_missing_damaged_or_hostile_is_refused(
    settings: LocalSettings, tmp_path: Path
) -> None:
    """Nothing is written outside the model's folder, and the reason names the object."""
    objects = ObjectStore(settings.home / "s3")
    log = tmp_path / "log"
    container = {"ModelDataUrl": URL, "Environment": {"SAGEMAKER_PROGRAM": "inference.py"}}
    spec = FleetSpec("a", container, 1, False, log)  # noqa: FBT003 - real-time
    for content in (None, b"no archive", archive({"../../evil": "x"})):
        if content is not None:
            objects.put_bytes(URL, content)
        with pytest.raises(FleetError, match=URL):
            Fleet.start(spec, settings, objects)
    objects.put_bytes(URL, archive(WEIGHTS))
    with pytest.raises(FleetError, match=r"no serving code: /opt/ml/model/code/inference\.py"):
        Fleet.start(spec, settings, objects)
    assert not list(tmp_path.rglob("evil"))
    assert not list((settings.home / "jobs").glob("endpoint-*"))


@pytest.mark.one_way
def test_a_real_time_fleet_has_its_workers_up_and_queues_the_rest(
    serve: Serve, tmp_path: Path
) -> None:
    """Two workers answer side by side; a third request waits for one of them."""
    gate = tmp_path / "gate"
    gate.mkdir()
    fleet = serve(GATED, workers=2, environment={"GATE": str(gate)})
    with ThreadPoolExecutor(3) as pool:
        begun = [pool.submit(ask, fleet) for _ in range(3)]
        while len(list(gate.iterdir())) < 2:
            threading.Event().wait(0.005)
        assert not any(one.done() for one in begun)
        (gate / "open").touch()
        assert [one.result()[0] for one in begun] == [200, 200, 200]


@pytest.mark.one_way
def test_a_serverless_fleet_refuses_more_than_it_may_answer_at_once(
    serve: Serve, tmp_path: Path
) -> None:
    """MaxConcurrency requests are answered, each by a server of its own; the next is refused."""
    gate = tmp_path / "gate"
    gate.mkdir()
    fleet = serve(GATED, workers=2, serverless=True, environment={"GATE": str(gate)})
    with ThreadPoolExecutor(2) as pool:
        begun = [pool.submit(ask, fleet) for _ in range(2)]
        while len(list(gate.iterdir())) < 2:
            threading.Event().wait(0.005)
        with pytest.raises(FleetBusy):
            ask(fleet)
        (gate / "open").touch()
        assert [one.result()[0] for one in begun] == [200, 200]
    assert ask(fleet)[0] == 200


@pytest.mark.one_way
def test_a_serverless_fleet_starts_cold_stops_idle_and_starts_again(serve: Serve) -> None:
    """The request that found nothing running is told how long the start took."""
    fleet = serve(ECHO, files=WEIGHTS, serverless=True, proven=True, idle_seconds=0.2)
    request = Invocation(b"{}", "application/json", "*/*")
    first = fleet.invoke(request)
    pid = json.loads(first.body)["pid"]
    assert first.cold_start_seconds is not None
    while lives(pid):
        threading.Event().wait(0.01)
    again = fleet.invoke(request)
    assert again.cold_start_seconds is not None
    assert json.loads(again.body)["pid"] != pid


def test_a_server_that_dies_is_replaced(serve: Serve) -> None:
    """Idle or in the middle of a request: the next one finds a new server."""
    ways = {"die": "os._exit(9)", "fail": "raise OSError('x')"}
    lines = [f"    if body == {body!r}: {way}\n" for body, way in ways.items()]
    code = ECHO.replace("    return json", f"{''.join(lines)}    return json")
    fleet = serve(code, files=WEIGHTS)
    assert ask(fleet, "fail") == (500, "OSError: x")  # in the log, and not why it ends later
    pid = pid_of(fleet)
    os.kill(pid, signal.SIGKILL)
    while lives(pid):
        threading.Event().wait(0.005)
    assert pid_of(fleet) != pid
    with pytest.raises(FleetError, match="ended with exit code 9 while it processed a request"):
        ask(fleet, "die")
    assert ask(fleet)[0] == 200


def test_stop_lets_requests_end_and_leaves_no_process(serve: Serve, tmp_path: Path) -> None:
    """A request under way is answered; later ones are told; the folders are gone."""
    gate = tmp_path / "gate"
    gate.mkdir()
    fleet = serve(GATED, environment={"GATE": str(gate)})
    with ThreadPoolExecutor(2) as pool:
        under_way = pool.submit(ask, fleet)
        until(lambda: list(gate.iterdir()))
        stopping = pool.submit(fleet.stop)
        until(lambda: fleet._stopped)
        with pytest.raises(FleetStoppedError):
            ask(fleet)
        assert not stopping.done()
        (gate / "open").touch()
        assert under_way.result()[0] == 200
        stopping.result()
    pid = next(int(one.name) for one in gate.iterdir() if one.name.isdigit())
    assert not lives(pid)
    assert not list((tmp_path / ".pipelines/jobs").glob("endpoint-*"))


def test_a_fleet_serves_where_a_thousand_files_are_open(serve: Serve) -> None:
    """A descriptor above 1023, which `serve` comes to with as many connections, is like others."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2000:
        pytest.skip("this system allows no process that many")
    resource.setrlimit(resource.RLIMIT_NOFILE, (2000, hard))
    opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        fleet = serve(ECHO, files=WEIGHTS)
        assert pid_of(fleet) == pid_of(fleet)
        fleet.stop()
    finally:
        for descriptor in opened:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


_OWNER = """
import sys
from pathlib import Path
from pipelines.backends.local.settings import LocalSettings
from pipelines.backends.local.hosting.fleet import Fleet
from pipelines.backends.local.hosting.values import FleetSpec, Invocation
from pipelines.backends.local.objects import ObjectStore
home, way, url = sys.argv[1:]
settings = LocalSettings(Path(home), Path(sys.executable), way)
spec = FleetSpec("a", {"ModelDataUrl": url}, 1, False, Path(home, "log"))
fleet = Fleet.start(spec, settings, ObjectStore(Path(home, "s3")))
print(fleet.invoke(Invocation(b"{}", "application/json", "*/*")).body.decode(), flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells of a parent's death there")
def test_no_process_outlives_a_tool_that_was_killed(settings: LocalSettings) -> None:
    """SIGKILL leaves the tool no time to clean up; its model server goes with it."""
    ObjectStore(settings.home / "s3").put_bytes(
        URL, archive({"code/inference.py": ECHO, **WEIGHTS})
    )
    words = [sys.executable, "-c", _OWNER, str(settings.home), settings.isolation, URL]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as tool:
        assert tool.stdout is not None
        pid = json.loads(tool.stdout.readline())["pid"]
        tool.kill()
    while lives(pid):
        threading.Event().wait(0.01)
