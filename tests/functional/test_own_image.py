"""`serving/Dockerfile`: what it puts into an image of one's own, run as a plain process."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.runtime.server import ServingProcess
from tests.functional.test_serving_stack import REPOSITORY, expected_probabilities, write_model

SERVING = REPOSITORY / "serving"
SECONDS = 60.0


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model of the example's form."""
    folder = tmp_path_factory.mktemp("own") / "model"
    write_model(folder)
    return folder


@pytest.fixture(scope="module")
def server(model: Path) -> Iterator[ServingProcess]:
    """Return the server that the image's `serve` starts."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    process = ServingProcess([str(SERVING / "serve")], {"PATH": path, "SM_MODEL_DIR": str(model)})
    try:
        process.wait(SECONDS)
        yield process
    finally:
        process.stop()


def test_a_container_of_ones_own_keeps_sagemakers_contract(
    server: ServingProcess, model: Path
) -> None:
    """It answers /ping once the model has loaded, requests as the toolkit's server does."""
    rows = [{"carrier": "UA", "distance": 719}, {"carrier": "B6", "distance": None}]
    headers = {"Content-Type": "application/json", "Accept": "text/csv"}
    answer = server.ask(json.dumps({"instances": rows}).encode(), headers, SECONDS)
    assert (answer.status, answer.content_type) == (200, "text/csv")
    assert [float(line) for line in answer.body.split()] == pytest.approx(
        expected_probabilities(model)
    )
    refused = server.ask(b"<x/>", {"Content-Type": "text/xml"}, SECONDS)
    assert refused.status == 415
    assert "content type `text/xml` is not known" in json.loads(refused.body)["error"]


def test_the_dockerfile_copies_what_the_server_needs_and_puts_serve_on_the_path() -> None:
    """No file that is not there, and none of the server's left out."""
    lines = (SERVING / "Dockerfile").read_text().splitlines()
    copied = {name for line in lines if line.startswith("COPY") for name in line.split()[1:-1]}
    assert copied == {"requirements.txt", "inference.py", "server.py", "serve"}
    assert all((SERVING / name).is_file() for name in copied)
    assert os.access(SERVING / "serve", os.X_OK)
    assert any(line.startswith("ENV PATH=/opt/program:") for line in lines)
