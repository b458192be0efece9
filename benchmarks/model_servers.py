"""Servers of one model: an endpoint under `serve`, MLServer and BentoML.

Every server runs on loopback; each peer serves the model as its own documentation shows.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import tarfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.pairs import ROOT, peer

WIDTH = 24

_SESSION = """\
import json, numpy, onnxruntime
def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
"""
_PROJECT = """\
spec: 1
pipeline: bench
steps:
  end: {kind: fail, message: only the endpoint is used}
"""
_OURS = f"""\
{_SESSION}
def model_fn(model_dir):
    return session(model_dir + "/model.onnx")
def transform_fn(model, body, content_type, accept):
    rows = numpy.array(json.loads(body)["instances"], dtype=numpy.float32)
    return json.dumps({{"predictions": model.run(None, {{"x": rows}})[0][:, 0].tolist()}}), accept
"""
_BENTOML = f"""\
{_SESSION}
import bentoml
@bentoml.service(workers=WORKERS)
class Model:
    def __init__(self):
        self.session = session("model.onnx")
    @bentoml.api
    def predict(self, instances: list[list[float]]) -> list[float]:
        rows = numpy.array(instances, dtype=numpy.float32)
        return self.session.run(None, {{"x": rows}})[0][:, 0].tolist()
"""
_MLSERVER = f"""\
{_SESSION}
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceResponse
class Model(MLModel):
    async def load(self):
        self.session = session("model.onnx")
        return True
    async def predict(self, payload):
        rows = NumpyCodec.decode_input(payload.inputs[0]).astype(numpy.float32)
        found = self.session.run(None, {{"x": rows}})[0]
        return InferenceResponse(
            model_name=self.name, outputs=[NumpyCodec.encode_output("p", found)]
        )
"""
_LONG = """\

at_once = transform_fn
def transform_fn(model, body, content_type, accept):
    sum(range(200_000))
    return at_once(model, body, content_type, accept)
"""
"""What makes a request of a small model cost some milliseconds, as it does with larger ones."""


@dataclass(frozen=True, slots=True)
class Served:
    """A server: its command, the URLs for requests and readiness, and the body of a request."""

    name: str
    words: tuple[str, ...]
    url: str
    ready: str
    body: Path
    environment: dict[str, str]
    workers: int = 1


def write_model(folder: Path, *, takes_long: bool = False) -> None:
    """Write the model and the serving code of all servers; ours may be a slow one."""
    import numpy as np  # noqa: PLC0415 - only for this
    import onnx  # noqa: PLC0415 - as above
    from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415 - as above

    random = np.random.default_rng(0)
    weights = [
        numpy_helper.from_array(random.normal(size=size).astype(np.float32), name)
        for name, size in (("w1", (WIDTH, 64)), ("w2", (64, 1)))
    ]
    nodes = [
        helper.make_node("MatMul", ["x", "w1"], ["a"]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("MatMul", ["b", "w2"], ["c"]),
        helper.make_node("Sigmoid", ["c"], ["p"]),
    ]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, WIDTH])
    p = helper.make_tensor_value_info("p", TensorProto.FLOAT, [None, 1])
    graph = helper.make_graph(nodes, "network", [x], [p], weights)
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), folder / "model.onnx")
    (folder / "inference.py").write_text(_OURS + _LONG if takes_long else _OURS)
    (folder / "ml.py").write_text(_MLSERVER)
    row = random.normal(size=WIDTH).round(4).tolist()
    (folder / "ours.json").write_text(json.dumps({"instances": [row]}))
    tensor = {"name": "x", "shape": [1, WIDTH], "datatype": "FP32", "data": row}
    (folder / "mlserver.json").write_text(json.dumps({"inputs": [tensor]}))


def free_ports(count: int) -> list[int]:
    """Return unused ports."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def ours(folder: Path, workers: int = 1) -> Served:
    """Serve with `pipelines serve`; the endpoint is created through its API, as a user would do."""
    (folder / "pipeline.yaml").write_text(_PROJECT)
    (port,) = free_ports(1)
    words = (sys.executable, "-m", "pipelines", "serve", "--port", str(port))
    url = f"http://127.0.0.1:{port}"
    environment = {"PYTHONPATH": str(ROOT)}
    ready = f"{url}/endpoints/bench/invocations"
    return Served("pipelines serve", words, ready, url, folder / "ours.json", environment, workers)


def mlserver(folder: Path, workers: int) -> Served:
    """Serve with MLServer and so many worker processes beside its own: its default is one."""
    return _mlserver(folder, workers)


def mlserver_alone(folder: Path, _workers: int) -> Served:
    """Serve with MLServer without workers: the model is in the server's own process."""
    return _mlserver(folder, 0)


def _mlserver(folder: Path, workers: int) -> Served:
    python = peer("mlserver", ("mlserver==1.7.1", "uvloop==0.21.0", "onnxruntime"))
    http, grpc, metrics = free_ports(3)
    settings = {
        "host": "127.0.0.1",
        "http_port": http,
        "grpc_port": grpc,
        "metrics_port": metrics,
        "parallel_workers": workers,
    }
    (folder / "settings.json").write_text(json.dumps(settings))
    model = {"name": "bench", "implementation": "ml.Model"}
    (folder / "model-settings.json").write_text(json.dumps(model))
    url = f"http://127.0.0.1:{http}/v2"
    words = (str(python.parent / "mlserver"), "start", ".")
    ready, infer = f"{url}/models/bench/ready", f"{url}/models/bench/infer"
    return Served("MLServer", words, infer, ready, folder / "mlserver.json", {}, workers)


def bentoml(folder: Path, workers: int) -> Served:
    """Serve with BentoML; uvicorn takes the loop and the parser that are installed."""
    python = peer("bentoml", ("bentoml==1.4.39", "onnxruntime"))
    (folder / "bento.py").write_text(f"WORKERS = {workers}\n{_BENTOML}")
    (port,) = free_ports(1)
    words = (str(python.parent / "bentoml"), "serve", "bento:Model", "--port", str(port))
    url = f"http://127.0.0.1:{port}"
    environment = {"BENTOML_HOME": str(folder / "bentoml"), "BENTOML_DO_NOT_TRACK": "True"}
    body = folder / "ours.json"
    return Served("BentoML", words, f"{url}/predict", f"{url}/readyz", body, environment, workers)


@contextlib.contextmanager
def serving(server: Served, folder: Path) -> Iterator[int]:
    """Start a server, wait until it is ready, yield its process, and stop it at the end."""
    log = folder / "log"
    environment = {**os.environ, **server.environment}
    with (
        log.open("wb") as output,
        subprocess.Popen(
            server.words,
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        ) as process,
    ):
        try:
            _wait(server, process, log)
            yield process.pid
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # MLServer's workers stay otherwise


def _wait(server: Served, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while not _answers(server.ready):
        if process.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"{server.name} does not start:\n{log.read_text()[-3000:]}")
        time.sleep(0.05)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - loopback
            return True
    except OSError:
        return False


def create_endpoint(url: str, folder: Path, workers: int) -> None:
    """Create a real-time endpoint with so many instances, with plain boto3."""
    import boto3  # noqa: PLC0415 - only for this

    options: dict[str, Any] = {
        "endpoint_url": url,
        "region_name": "us-east-1",
        "aws_access_key_id": "local",
        "aws_secret_access_key": "local",
    }
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as packed:
        packed.add(folder / "model.onnx", "model.onnx")
        packed.add(folder / "inference.py", "code/inference.py")
    store = boto3.client("s3", **options)
    store.create_bucket(Bucket="bench")
    store.put_object(Bucket="bench", Key="model.tar.gz", Body=archive.getvalue())
    client = boto3.client("sagemaker", **options)
    role = "arn:aws:iam::000000000000:role/bench"
    container = {"Image": "sklearn", "ModelDataUrl": "s3://bench/model.tar.gz"}
    client.create_model(ModelName="bench", PrimaryContainer=container, ExecutionRoleArn=role)
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": "bench",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": workers,
    }
    client.create_endpoint_config(EndpointConfigName="bench", ProductionVariants=[variant])
    client.create_endpoint(EndpointName="bench", EndpointConfigName="bench")
    client.get_waiter("endpoint_in_service").wait(
        EndpointName="bench", WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )
