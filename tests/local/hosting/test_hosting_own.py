"""Images with a server of their own: this machine's `serve`, or a stub; and many models in one."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from pipelines.backends.local.errors import ServiceError
from pipelines.backends.local.hosting import multi_model
from pipelines.backends.local.hosting.fleet import Fleet
from pipelines.backends.local.hosting.multi_model import MultiModelFleet, is_multi_model
from pipelines.backends.local.hosting.values import (
    FleetError,
    FleetSpec,
    FleetStoppedError,
    Invocation,
)
from pipelines.backends.local.objects import ObjectStore
from pipelines.backends.local.settings import LocalSettings
from pipelines.backends.local.waiting import BLOCKING, in_this_thread
from pipelines.images import Image, resolve
from pipelines.json_types import JsonObject
from pipelines.runtime.server import PORT
from tests.local.hosting.conftest import HostedLocal, Serve, archive
from tests.waiting import until

OWN = "111122223333.dkr.ecr.us-east-1.amazonaws.com/mine:1"
SERVER = """\
import http.server, os, pathlib

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.reply(200 if self.path == "/ping" else 404, b"")
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if body == b"die":
            os._exit(7)
        self.reply(200, os.environ["MORE"].encode() + body)
    def reply(self, status, body):
        self.send_response(status)
        for name in ("X-Amzn-SageMaker-Custom-Attributes", "X-Other"):
            self.send_header(name, self.headers.get(name, ""))
        self.send_header("Content-Type", "text/x-mine")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

print(os.listdir(os.environ["SM_MODEL_DIR"]), flush=True)
http.server.HTTPServer(("127.0.0.1", PORT), Answer).serve_forever()
"""
BY_VARIABLE = SERVER.replace("PORT", 'int(os.environ["SAGEMAKER_BIND_TO_PORT"])')


@pytest.fixture
def on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that puts a `serve` on the PATH; before that there is none."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def write(code: str) -> None:
        (folder / "serve").write_text(f"#!{sys.executable}\n{code}")
        (folder / "serve").chmod(0o755)

    return write


def test_the_server_of_an_own_image_runs_where_this_machine_has_it(
    serve: Serve, on_the_path: Callable[[str], None]
) -> None:
    """Requests and SageMaker's own headers pass through; what it says is in the log."""
    on_the_path(BY_VARIABLE)
    fleet = serve("", image=OWN, environment={"MORE": "mine: "}, files={"weights": "w"})
    headers = {"X-Amzn-SageMaker-Custom-Attributes": "c", "X-Other": "o"}
    answer = fleet.invoke(Invocation(b"x", "text/plain", "*/*", headers))
    assert (answer.status, answer.body, answer.content_type) == (200, b"mine: x", "text/x-mine")
    assert dict(answer.headers) == {"x-amzn-sagemaker-custom-attributes": "c"}
    assert fleet.stub is None
    with pytest.raises(FleetError, match="the server ended with exit code 7"):
        fleet.invoke(Invocation(b"die", "text/plain", "*/*"))
    assert fleet.invoke(Invocation(b"y", "text/plain", "*/*")).body == b"mine: y"
    log = fleet.spec.log.read_text()
    assert "starting the image's own server: /" in log
    assert "['weights']" in log


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (
            "print('no weights'); raise SystemExit(4)",
            "serve: the server ended with exit code 4: no",
        ),
        ("import nothing_there", "exit code 1: ModuleNotFoundError"),
    ],
)
def test_an_own_server_that_does_not_start_fails_the_fleet(
    code: str, reason: str, serve: Serve, on_the_path: Callable[[str], None]
) -> None:
    """With the last line of its output."""
    on_the_path(code)
    with pytest.raises(FleetError, match=reason):
        serve("", image=OWN)


def test_a_server_that_knows_port_8080_alone_gets_a_network_of_its_own_where_it_is_taken(
    serve: Serve, settings: LocalSettings, on_the_path: Callable[[str], None]
) -> None:
    """As the second fleet of an update needs it; without namespaces it cannot start."""
    on_the_path(SERVER.replace("PORT", str(PORT)))
    with socket.socket() as taken:
        with suppress(OSError):  # somebody else's is as good
            taken.bind(("127.0.0.1", PORT))
            taken.listen()
        if settings.isolation != "namespaces":
            with pytest.raises(FleetError, match="Address already in use"):
                serve("", image=OWN)
            return
        fleet = serve("", image=OWN, environment={"MORE": "own "})
        assert fleet.invoke(Invocation(b"x", "text/plain", "*/*")).body == b"own x"
        assert "a network of its own" in fleet.spec.log.read_text()


@pytest.mark.usefixtures("on_the_path")
def test_without_its_server_a_stub_answers_and_says_so(serve: Serve) -> None:
    """In the answer and in the log; code of a toolkit's is served as before."""
    fleet = serve("", image=OWN)
    answer = fleet.invoke(Invocation(b"x", "text/csv", "*/*"))
    said = json.loads(answer.body)["stub"]
    assert said == fleet.stub
    assert f"the server of the image {OWN} is its own" in said
    assert said in fleet.spec.log.read_text()
    code = "def model_fn(folder): ...\ndef transform_fn(m, b, c, a): return 'by code'"
    fleet = serve(code, image=OWN)
    assert fleet.invoke(Invocation(b"x", "text/csv", "*/*")).body == b"by code"
    assert fleet.stub is None


def test_an_endpoint_says_that_a_stub_answers(local: HostedLocal) -> None:
    """DescribeEndpoint has it in the place of the image that is deployed."""
    local.config("one", "stub")
    described = local.create("e", "one")
    (variant,) = described["ProductionVariants"]
    assert variant["DeployedImages"][0] == {
        "SpecifiedImage": "stub",
        "ResolvedImage": "stub: nothing runs here",
    }
    with pytest.raises(ServiceError, match="A is no multi-model endpoint"):
        local.ask("e", TargetModel="a.tar.gz")


ECHO = """
from pathlib import Path
def model_fn(folder): return Path(folder, "name").read_text()
def transform_fn(model, body, content_type, accept): return model
"""


def test_many_models_are_loaded_as_they_are_asked_for(
    settings: LocalSettings, tmp_path: Path
) -> None:
    """Each archive below the prefix, by TargetModel; what cannot be loaded is told."""
    objects = ObjectStore(settings.home / "s3")
    for name in ("a", "deep/b"):
        members = {"code/inference.py": ECHO, "name": name}
        objects.put_bytes(f"s3://bucket/models/{name}.tar.gz", archive(members))
    image = resolve("sklearn-1.9-cpu", "us-east-1", None, "inference")
    assert isinstance(image, Image)
    container = {"Image": image.uri, "ModelDataUrl": "s3://bucket/models/", "Mode": "MultiModel"}
    spec = FleetSpec("e/A", container, 1, serverless=False, log=tmp_path / "log")
    assert is_multi_model(spec)
    fleet = MultiModelFleet(spec, objects, partial(Fleet.start, settings=settings, objects=objects))

    def ask(target: str | None) -> bytes:
        headers = {"X-Amzn-SageMaker-Target-Model": target} if target else {}
        asked = Invocation(b"x", "text/csv", "*/*", headers)
        return in_this_thread(fleet.answer(asked, BLOCKING)).body

    assert [ask("a.tar.gz"), ask("/deep/b.tar.gz"), ask("a.tar.gz")] == [b"a", b"deep/b", b"a"]
    with pytest.raises(ServiceError, match="needs the name of a model in TargetModel"):
        ask(None)
    with pytest.raises(ServiceError, match=r"models/c.tar.gz.: there is no such object"):
        ask("c.tar.gz")
    fleet.stop()
    with pytest.raises(FleetStoppedError):
        ask("a.tar.gz")
    own = FleetSpec("e", {**container, "Image": OWN}, 1, serverless=False, log=tmp_path / "log")
    with pytest.raises(FleetError, match="not supported locally"):
        is_multi_model(own)


def test_a_model_that_is_loaded_when_its_endpoint_is_deleted_is_ended(
    settings: LocalSettings, tmp_path: Path
) -> None:
    """The request meets the next fleet, or learns that there is none."""
    objects = ObjectStore(settings.home / "s3")
    objects.put_bytes("s3://bucket/models/a", archive({"code/inference.py": ECHO, "name": "a"}))
    image = resolve("sklearn-1.9-cpu", "us-east-1", None, "inference")
    assert isinstance(image, Image)
    container = {"Image": image.uri, "ModelDataUrl": "s3://bucket/models/", "Mode": "MultiModel"}
    started: list[Fleet] = []

    def start(spec: FleetSpec, *, unwanted: Callable[[], bool]) -> Fleet:
        started.append(Fleet.start(spec, settings, objects))
        assert not unwanted()
        fleet.stop()
        assert unwanted()
        return started[0]

    spec = FleetSpec("e/A", container, 1, serverless=False, log=tmp_path / "log")
    fleet = MultiModelFleet(spec, objects, start)
    asked = Invocation(b"x", "text/csv", "*/*", {"X-Amzn-SageMaker-Target-Model": "a"})
    with pytest.raises(FleetStoppedError):
        in_this_thread(fleet.answer(asked, BLOCKING))
    until(lambda: started[0]._stopping)
    with pytest.raises(FleetStoppedError):
        started[0].invoke(asked)


SLOW = """
import os, pathlib, time
FOLDER = pathlib.Path(os.environ["GATE"])
def model_fn(folder):
    name = pathlib.Path(folder, "name").read_text()
    while name == "never":
        (FOLDER / "loading").touch()
        time.sleep(0.01)
    return name
def transform_fn(model, body, content_type, accept):
    while body == "wait" and not (FOLDER / "open").exists():
        (FOLDER / "begun").touch()
        time.sleep(0.01)
    return model
"""


@pytest.mark.one_way
def test_a_model_that_makes_room_holds_up_no_other_and_can_be_ended(
    settings: LocalSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its requests are answered meanwhile; an interrupt ends them, the end one that is loading."""
    monkeypatch.setattr(multi_model, "_MOST", 1)
    objects = ObjectStore(settings.home / "s3")
    for name in ("a", "b", "never"):
        members = {"code/inference.py": SLOW, "name": name}
        objects.put_bytes(f"s3://bucket/models/{name}", archive(members))
    image = resolve("sklearn-1.9-cpu", "us-east-1", None, "inference")
    assert isinstance(image, Image)
    container: JsonObject = {
        "Image": image.uri,
        "ModelDataUrl": "s3://bucket/models/",
        "Mode": "MultiModel",
    }
    container["Environment"] = {"GATE": str(tmp_path)}
    spec = FleetSpec("e/A", container, 1, serverless=False, log=tmp_path / "log")
    fleet = MultiModelFleet(spec, objects, partial(Fleet.start, settings=settings, objects=objects))

    def ask(target: str, body: bytes) -> bytes:
        asked = Invocation(body, "text/csv", "*/*", {"X-Amzn-SageMaker-Target-Model": target})
        return in_this_thread(fleet.answer(asked, BLOCKING)).body

    with ThreadPoolExecutor(2) as pool:
        for ended in (False, True):
            (tmp_path / "begun").unlink(missing_ok=True)
            waiting = pool.submit(ask, "a", b"wait")
            until((tmp_path / "begun").exists)
            assert ask("b", b"x") == b"b", "it does not wait for the other one"
            assert not waiting.done()
            if ended:
                fleet.interrupt()
                with pytest.raises(FleetError, match="while it processed a request"):
                    waiting.result()
            else:
                (tmp_path / "open").touch()
                assert waiting.result() == b"a"
                (tmp_path / "open").unlink()
        loading = pool.submit(ask, "never", b"x")
        until((tmp_path / "loading").exists)
        fleet.stop()
        with pytest.raises(FleetStoppedError):
            loading.result()
