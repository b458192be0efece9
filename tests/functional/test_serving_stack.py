"""The package, served by what the sagemaker-scikit-learn:1.9-0 image serves with.

The image's server is rebuilt from PyPI in `.venv-serving/` (made once, about a minute). Two parts
of the image are not on PyPI: `sagemaker_sklearn_container.serving`, for which a module of the
same name and interface stands here, and nginx, which only passes requests on to gunicorn. The
image has Python 3.12; where there is none, this interpreter's version serves.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from pipelines.kinds.base.serving import server_environment

REPOSITORY = Path(__file__).parents[2]

# aws/deep-learning-containers, docker/sklearn/1.9-0/pyproject.toml, as far as serving needs it.
IMAGE_REQUIREMENTS = (
    'numpy==2.5.1; python_version >= "3.12"',
    'numpy<2.5; python_version < "3.12"',
    "scipy",
    "boto3==1.43.46",
    "Flask==3.1.3",
    "werkzeug==3.1.8",
    "gunicorn==26.0.0",
    "protobuf==3.20.2",
    "setuptools<81",  # the toolkit imports pkg_resources
    # what sagemaker-containers itself asks for, less its pin on flask 1.1.1
    "gevent",
    "inotify_simple",
    "paramiko",
    "psutil",
    "retrying",
    "six",
    "wheel",
)
TOOLKIT = "sagemaker-containers==2.8.6.post2"

# The interface of the image's sagemaker_sklearn_container.serving, for code with transform_fn.
SERVING_MODULE = """
import importlib

from sagemaker_containers.beta.framework import env, transformer, worker

application = None


def main(environ, start_response):
    global application
    if application is None:
        module = importlib.import_module(env.ServingEnv().module_name)
        handler = transformer.Transformer(
            model_fn=module.model_fn, transform_fn=module.transform_fn
        )
        handler.initialize()
        application = worker.Worker(transform_fn=handler.transform, module_name=module.__name__)
    return application(environ, start_response)
"""

# What FACTS 11.1 found to serve a package on that image.
PACKAGE_ENVIRONMENT = {
    "SAGEMAKER_PROGRAM": "inference.py",
    "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
    "PYTHONPATH": "/opt/ml/model/vendor",
    "PIP_NO_INDEX": "1",
    "PIP_NO_BUILD_ISOLATION": "0",
}
IMAGE_ENVIRONMENT = {
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
    "SAGEMAKER_SERVING_MODULE": "sagemaker_sklearn_container.serving:main",
    "SM_MODEL_DIR": "/opt/ml/model",
}
NO_INDEX = re.compile(r"No matching distribution|NewConnectionError|name resolution|timed out")
ROWS: list[dict[str, Any]] = [
    {"carrier": "UA", "distance": 719},
    {"carrier": "B6", "distance": None},
]
JSON, CSV = "application/json", "text/csv"


@dataclass(frozen=True)
class Image:
    """The rebuilt image: its virtual environment."""

    home: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.home / "bin" / "python"

    def environment(self, **variables: str) -> dict[str, str]:
        """Return the image's environment with these variables, and nothing of this process's."""
        path = f"{self.home / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return {**IMAGE_ENVIRONMENT, "PATH": path, **variables}


def image_python() -> str:
    """Return Python 3.12 where it runs, else this interpreter."""
    try:
        asked = subprocess.run(
            ["python3.12", "-c", "import ensurepip, sys; print(sys.executable)"],  # noqa: S607
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return sys.executable
    return asked.stdout.strip()


def pip_install(image: Image, *arguments: str) -> None:
    """Install into the image; skips the test where there is no index or no compiler."""
    command = [str(image.python), "-m", "pip", "install", "--quiet", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode == 0:
        return
    if NO_INDEX.search(ended.stderr):
        pytest.skip(f"the package index has no answer: {ended.stderr[-300:]}")
    if "gcc" in ended.stderr and shutil.which("gcc") is None:
        pytest.skip("sagemaker-containers is built from source, and there is no C compiler")
    pytest.fail(ended.stderr[-2000:])


def build_image(image: Image, python: str) -> None:
    """Make the virtual environment, with the image's patch of the toolkit."""
    shutil.rmtree(image.home, ignore_errors=True)
    subprocess.run([python, "-m", "venv", str(image.home)], check=True)
    pip_install(image, *IMAGE_REQUIREMENTS)
    pip_install(image, "--no-deps", "--no-build-isolation", TOOLKIT)
    (packages,) = image.home.glob("lib/python*/site-packages")
    mapping = packages / "sagemaker_containers" / "_mapping.py"
    text = mapping.read_text().replace("import collections\n", "import collections.abc\n")
    mapping.write_text(text.replace("collections.Mapping", "collections.abc.Mapping"))
    module = packages / "sagemaker_sklearn_container"
    module.mkdir()
    (module / "__init__.py").touch()
    (module / "serving.py").write_text(SERVING_MODULE)


@pytest.fixture(scope="module")
def image() -> Image:
    """Return the rebuilt image, made where it is missing or its requirements changed."""
    python = image_python()
    key = json.dumps([IMAGE_REQUIREMENTS, TOOLKIT, SERVING_MODULE, python])
    cache = REPOSITORY / ".venv-serving"
    cache.mkdir(exist_ok=True)
    image = Image(cache / hashlib.sha256(key.encode()).hexdigest()[:16])
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (image.home / "complete").exists():
            build_image(image, python)
            (image.home / "complete").touch()
    return image


def namespaces() -> list[str]:
    """Return the command that gives a process its own mounts, network and process tree."""
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    command = ["unshare", *user, "--mount", "--net", "--pid", "--fork", "--kill-child"]
    if shutil.which("unshare") is None:
        pytest.skip("a real /opt/ml/model needs Linux namespaces: no unshare(1) here")
    tried = subprocess.run(
        [*command, "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
        capture_output=True,
        text=True,
        check=False,
    )
    if tried.returncode != 0:
        pytest.skip(f"a real /opt/ml/model needs Linux namespaces: {tried.stderr.strip()}")
    return command


def write_model(folder: Path) -> None:
    """Write a model of the example's form: a text and a number in, `probability` out."""
    nodes = [
        helper.make_node(
            "LabelEncoder",
            ["carrier"],
            ["known"],
            domain="ai.onnx.ml",
            keys_strings=["UA"],
            values_floats=[0.3],
            default_float=0.6,
        ),
        helper.make_node("IsNaN", ["distance"], ["missing"]),
        helper.make_node("Where", ["missing", "zero", "distance"], ["filled"]),
        helper.make_node("Mul", ["filled", "scale"], ["scaled"]),
        helper.make_node("Add", ["known", "scaled"], ["sum"]),
        helper.make_node("Reshape", ["sum", "flat"], ["probability"]),
    ]
    graph = helper.make_graph(
        nodes,
        "delays",
        [
            helper.make_tensor_value_info("carrier", TensorProto.STRING, ["N", 1]),
            helper.make_tensor_value_info("distance", TensorProto.FLOAT, ["N", 1]),
        ],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["N"])],
        [
            numpy_helper.from_array(np.array([0], np.float32), "zero"),
            numpy_helper.from_array(np.array([1e-4], np.float32), "scale"),
            numpy_helper.from_array(np.array([-1], np.int64), "flat"),
        ],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 2)]
    built = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    folder.mkdir()
    onnx.save(built, folder / "model.onnx")
    features = [{"name": "carrier", "type": "string"}, {"name": "distance", "type": "number"}]
    described = {"features": features, "target": "late", "threshold": 0.5}
    (folder / "metadata.json").write_text(json.dumps(described))


def expected_probabilities(model: Path) -> list[float]:
    """Ask this process's onnxruntime."""
    session = onnxruntime.InferenceSession(model / "model.onnx", providers=["CPUExecutionProvider"])
    columns = {
        "carrier": np.array([[row["carrier"]] for row in ROWS], dtype=object),
        "distance": np.array([[row["distance"]] for row in ROWS], dtype=np.float32),
    }
    return [float(chance) for chance in session.run(["probability"], columns)[0]]


def build_package(image: Image, work: Path) -> Path:
    """Run the package program by the image's interpreter; return the unpacked archive."""
    write_model(work / "model")
    lines = (REPOSITORY / "serving" / "requirements.txt").read_text().splitlines()
    config = {"source": "serving", "entry": "inference.py", "requirements": lines}
    program = (
        "import json, sys, pathlib;"
        "from pipelines.programs.package.main import main;"
        "from pipelines.runtime.layout import Layout;"
        "main(json.loads(sys.argv[1]), Layout(pathlib.Path(sys.argv[2]), 'processing'))"
    )
    ended = subprocess.run(
        [str(image.python), "-c", program, json.dumps(config), str(work / "opt")],
        cwd=REPOSITORY,
        env=image.environment(PYTHONPATH=str(REPOSITORY), SM_MODEL_DIR=str(work / "model")),
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode != 0 and NO_INDEX.search(ended.stderr):
        pytest.skip(f"the package index has no answer: {ended.stderr[-300:]}")
    assert ended.returncode == 0, ended.stderr
    unpacked = work / "unpacked"
    with tarfile.open(work / "opt/processing/output/model/model.tar.gz") as archive:
        archive.extractall(unpacked, filter="data")
    return unpacked


def serve(image: Image, model: Path, work: Path, requests: list[dict[str, str]]) -> Any:
    """Serve a package offline with exactly its environment and return the answers."""
    forget_installed_code(image)
    plan = {
        "model": str(model),
        "scratch": str(work),
        "report": str(work / "report.json"),
        "command": [str(image.home / "bin" / "serve")],
        "environment": image.environment(**PACKAGE_ENVIRONMENT, SAGEMAKER_USE_NGINX="false"),
        "requests": requests,
    }
    (work / "plan.json").write_text(json.dumps(plan))
    script = Path(__file__).with_name("serving_container.py")
    command = [*namespaces(), sys.executable, str(script), str(work / "plan.json")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)
    assert ended.returncode == 0, ended.stderr
    report = json.loads((work / "report.json").read_text())
    assert report["started"], report["log"]
    return report


def forget_installed_code(image: Image) -> None:
    """Remove what an earlier start installed: a container starts from its image."""
    (packages,) = image.home.glob("lib/python*/site-packages")
    for path in packages.glob("inference*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def request(body: str, content_type: str, accept: str = JSON) -> dict[str, str]:
    """Describe a request."""
    return {"body": body, "content_type": content_type, "accept": accept}


def test_the_registered_environment_is_the_one_that_serves() -> None:
    """Registration writes into the package what was found to serve it."""
    assert server_environment("inference.py") == PACKAGE_ENVIRONMENT


@pytest.mark.everything
@pytest.mark.timeout(900)  # of which pip may take most
def test_a_package_is_served_by_the_images_own_server_without_a_network(
    image: Image, tmp_path: Path
) -> None:
    """From vendor/ comes onnxruntime, protobuf and numpy from the image; bad requests get a 4xx."""
    model = build_package(image, tmp_path)
    vendored = {path.name for path in (model / "vendor").iterdir()}
    assert "onnxruntime" in vendored
    assert not vendored & {"google", "numpy", "bin"}

    report = serve(
        image,
        model,
        tmp_path,
        [
            request(json.dumps({"instances": ROWS}), JSON),
            request("UA,719\nB6,\n", CSV, CSV),
            request('{"carrier": "UA"}', JSON),
            request("x", "image/png"),
        ],
    )

    ping, from_json, from_csv, bad, unknown = report["answers"]
    expected = expected_probabilities(tmp_path / "model")
    assert ping["status"] == 200, report["log"]
    assert from_json["status"] == 200, report["log"]
    predictions = json.loads(from_json["text"])["predictions"]
    assert [one["probability"] for one in predictions] == expected
    assert [one["late"] for one in predictions] == [False, True]
    assert (from_csv["status"], from_csv["type"]) == (200, CSV)
    assert [float(line) for line in from_csv["text"].split()] == pytest.approx(expected)
    assert (bad["status"], bad["type"]) == (400, JSON)
    assert json.loads(bad["text"]) == {"error": "row 1 has no `distance`"}
    assert unknown["status"] == 415
    assert report["exit_code"] == 0
    assert not report["network"]
